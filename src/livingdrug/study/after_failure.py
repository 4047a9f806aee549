"""What becomes of virtual patients who failed a first product and are given an option, as a publication counts them.

The people are those of :mod:`livingdrug.study.option_courses` in whom the tumour came back at a usual time, many
more than one patient's list of options needs. The effects of options are fitted in the same people
(``benchmarks/option_effects.py``).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from livingdrug.core.errors import InputError
from livingdrug.core.option import Option
from livingdrug.core.ruleset import Ruleset
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.knowledge.options import load_options
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.calibration_plan import Case
from livingdrug.study.option_courses import (
    QUANTILES,
    RTOL,
    TUMOUR,
    Courses,
    Start,
    judge_courses,
    run_courses,
    start_from_population,
)
from livingdrug.study.option_levers import PLANS, Setting
from livingdrug.study.population_outcomes import Population
from livingdrug.study.relapse_prevention import simulate_prevention

PRODUCTS: Mapping[str, str] = MappingProxyType({"myeloma": "ide_cel", "lbcl": "axi_cel", "b_all": "tisa_cel"})
"""First product of the people of each disease."""
OF_FIRST_ANTIGEN = ("antigen_kill", "second_infusion", "same_target_car", "natural_killers")
"""Levers of agents against the first antigen; their trials take people whose tumour carries it."""


def find_option(name: str) -> Option:
    """Return an option, or a salvage treatment of any kind, by its name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> find_option("myeloma.any").simulation.compared_with
    ('NE-035',)
    """
    known = load_options()
    found = known.options.get(name) or known.pooled.get(name)
    if found is None:
        raise InputError(f"an option must be one that is packaged, but was {name!r}. Hint: see knowledge/data/options.")
    return found


@lru_cache(maxsize=4)
def find_failed(disease: str, draws: int, seed: int, *, jobs: int | None = None) -> Start:
    """Find virtual patients in whom the first product failed at the usual time of the disease."""
    settings = load_rules("options/1")
    day = settings.threshold(f"failure_day_{disease}")
    start = start_from_population(disease, PRODUCTS[disease], day, settings, seed=seed, jobs=jobs, draws=draws)
    if start is None:
        raise InputError(f"patients of `{disease}` must fail at times, but none did. Hint: check the values.")
    return start


def keep_carriers(start: Start) -> Start:
    """Keep those whose tumour at failure carries the first antigen for the most part."""
    states = ("tumour_high", "tumour_low", "tumour_negative")
    solution = solve(compile_model(UNIFIED, keep=states), start.parameters, [start.day], keep=states, rtol=RTOL)
    high, low, negative = (solution.at(name)[:, 0] for name in states)
    return replace(start, parameters=start.parameters[high + low > negative])


def select_people(option: Option, start: Start) -> Start:
    """Return those to whom an option is given."""
    return keep_carriers(start) if option.simulation.lever in OF_FIRST_ANTIGEN else start


def simulate_after_failure(case: Case, count: int, *, seed: int, threads: int | None = None) -> Population:
    """Simulate people who failed and were given an option.

    Parameters
    ----------
    case : Case
        Which option, to whom.
    count : int
        People; those found are each given every strength of the option, and repeated if they are fewer.
    seed : int
        The same people whatever the option.

    Returns
    -------
    population
        ``days`` count from the start of the option, and so does ``progression_day``; without deaths, for which no
        hazards after a failure are packaged.
    """
    option, settings = find_option(case.option), load_rules("options/1")
    if case.people == "b_cells_returned":
        return simulate_prevention(option, case, count, settings, seed=seed, threads=threads)
    start = find_failed(option.diseases[0], -(-count // len(QUANTILES)), seed, jobs=threads)
    courses = run_option(option, select_people(option, start), settings, jobs=threads)
    return _describe(courses, option.diseases[0], settings, count)


def run_option(option: Option, start: Start, settings: Ruleset, *, jobs: int | None = None) -> Courses:
    """Run an option in people who failed.

    Raises
    ------
    InputError
        If it cannot be simulated.
    """
    plan = PLANS[option.simulation.lever](Setting(option, start, settings, {}))
    if isinstance(plan, str):
        raise InputError(f"`{option.id}` must be simulated, but {plan}. Hint: leave it out of the plan.")
    return run_courses(
        start,
        plan.steps,
        settings,
        delay=plan.delay,
        strengths=plan.strengths,
        model=plan.model,
        parameters=plan.parameters,
        jobs=jobs,
    )


def _describe(courses: Courses, disease: str, settings: Ruleset, count: int) -> Population:
    responds, progression = judge_courses(courses, disease, settings)
    has_none = (courses.tumour < settings.threshold("complete_cells")).any(axis=2)
    is_complete = responds if disease == "b_all" else has_none
    taken = np.arange(count) % responds.size
    tumour = courses.tumour.reshape(responds.size, -1)
    return Population(
        courses.times,
        {TUMOUR: tumour[taken]},
        responds.reshape(-1)[taken],
        is_complete.reshape(-1)[taken],
        progression.reshape(-1)[taken],
        death_day=np.full(count, np.inf),
        can_switch=np.zeros(count, dtype=bool),
    )
