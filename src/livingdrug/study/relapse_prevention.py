"""A second infusion in remission, when B cells have come back, and whether they are gone again four weeks later.

B cells that return within half a year tell that the CAR T cells are lost; some centres then infuse again before the
leukaemia comes back. The answer that is published is remission without B cells on day 28 after the second infusion.
"""

from dataclasses import dataclass

import numpy as np

from livingdrug.core.option import Option
from livingdrug.core.ruleset import Ruleset
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.calibration_plan import Case
from livingdrug.study.option_courses import QUANTILES, RTOL, Start, make_change
from livingdrug.study.option_levers import Setting, plan_second_infusion
from livingdrug.study.population_outcomes import FIRST_LOOK, Population

KEPT = ("tumour_cells", "b_cells")
WEEK = 7.0
SET, DISEASE, PRODUCT = "unified_b_all_tisa_cel", "b_all", "tisa_cel"
SCREENED = 12
"""Infused patients for each one wanted; one in eight is in remission with B cells back in time."""


@dataclass(frozen=True, slots=True)
class _Returned:
    """Patients in remission and the day on which their B cells were back."""

    parameters: np.ndarray
    day: np.ndarray


def simulate_prevention(
    option: Option, case: Case, count: int, settings: Ruleset, *, seed: int, threads: int | None = None
) -> Population:
    """Simulate second infusions in people in remission whose B cells returned.

    Returns
    -------
    population
        ``days`` count from the first infusion; progression and death are not known (NaN): only the answer is.
    """
    found = _find_returned(-(-count // len(QUANTILES)), settings, seed, threads)
    begin = found.day + settings.threshold("delay_stored")
    start = Start(found.parameters, (), 1.0, DISEASE, PRODUCT, "population", seed)
    plan = plan_second_infusion(Setting(option, start, settings, {}), with_lymphodepletion=case.with_lymphodepletion)
    patients: list[list[Change]] = [
        [make_change(day + after, target, action, value, draw, strength) for after, target, action, value in plan.steps]
        for draw, day in enumerate(begin)
        for strength in range(plan.strengths)
    ]
    rows = np.repeat(found.parameters, plan.strengths, axis=0)
    looks = np.repeat(begin + FIRST_LOOK, plan.strengths)
    days = np.arange(0.0, looks.max() + WEEK, WEEK)
    tumour, b_cells = _solve(rows, days, Schedule.from_changes(UNIFIED, patients), threads)
    at = np.searchsorted(days, looks)
    each = np.arange(len(rows))
    is_gone = b_cells[each, at] < settings.threshold("b_cells_returned")
    answers = is_gone & (tumour[each, at] < settings.threshold("remission_cells"))
    taken = np.arange(count) % len(rows)
    unknown = np.full(count, np.nan)
    switches = np.zeros(count, dtype=bool)
    return Population(days, {"b_cells": b_cells[taken]}, answers[taken], answers[taken], unknown, unknown, switches)


def _find_returned(draws: int, settings: Ruleset, seed: int, threads: int | None) -> _Returned:
    values = load_parameters(SET)
    people = sample_parameters(UNIFIED, values, 0, draws * SCREENED, seed=seed, exponential=EXTINCTION_DRAWS)
    days = np.arange(0.0, settings.threshold("b_cells_until") + WEEK, WEEK)
    tumour, b_cells = _solve(people, days, None, threads)
    first = int(np.searchsorted(days, FIRST_LOOK))
    has_returned = (b_cells >= settings.threshold("b_cells_returned")) & (days > FIRST_LOOK)
    back = has_returned.argmax(axis=1)
    each = np.arange(len(people))
    remission = tumour < settings.threshold("remission_cells")
    in_remission = remission[:, first] & remission[each, back]
    had_none = b_cells[:, first] < settings.threshold("b_cells_returned")
    chosen = np.flatnonzero(has_returned.any(axis=1) & in_remission & had_none)[:draws]
    return _Returned(people[chosen], days[back[chosen]])


def _solve(
    people: np.ndarray, days: np.ndarray, schedule: Schedule | None, threads: int | None
) -> tuple[np.ndarray, np.ndarray]:
    kernel = compile_model(UNIFIED, keep=KEPT)
    solution = solve(kernel, people, days, schedule=schedule, keep=KEPT, rtol=RTOL, threads=threads)
    return solution.at(KEPT[0]), solution.at(KEPT[1])
