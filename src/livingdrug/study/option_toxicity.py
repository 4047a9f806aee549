"""The risk of severe cytokine release after a further infusion, in the draws of one patient."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.fit.problem import MOST_STEPS
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models.unified.interventions import CAR_T, EXTINCTION_DRAWS, SECOND
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.option_courses import RTOL, Start, Steps, make_change
from livingdrug.study.option_levers import Plan
from livingdrug.study.toxicity_outcomes import DAYS, KEPT, grade_toxicity

SEVERE = 3


TUMOUR_STATES = ("tumour_high", "tumour_low", "tumour_negative")
_AS_FIRST: Mapping[str, str] = MappingProxyType({**dict(zip(SECOND, CAR_T, strict=True)), "gB_second": "gB"})
"""A second product in the words of the first: the model of toxicity holds one product."""


def find_severe_release(
    start: Start, plan: Plan, *, is_new_antigen: bool = False, jobs: int | None = None
) -> np.ndarray | None:
    """Return, (draw,), 1 where cytokine release of grade 3 or more follows in six weeks, 0 where not, nan unknown.

    Tocilizumab is not given: an upper bound. What the model of toxicity needs beyond the patient's draws is drawn from
    the spread between patients, the same for every option.

    Parameters
    ----------
    is_new_antigen : bool
        Whether the product sees an antigen that the first did not: all of the tumour is then taken to carry it.

    Returns
    -------
    severe : (draw,), or None without values of toxicity for the product
    """
    name = f"toxicity_{start.disease}_{start.product}"
    if name not in list_parameters():
        return None
    draws = len(start.parameters)
    parameters = sample_parameters(
        UNIFIED_TOXICITY, load_parameters(name), 0, draws, seed=start.seed, exponential=EXTINCTION_DRAWS
    )
    for column, own in enumerate(UNIFIED.parameter_names):
        parameters[:, UNIFIED_TOXICITY.parameter_names.index(own)] = start.parameters[:, column]
    steps = [(day, _AS_FIRST.get(target, target), action, value) for day, target, action, value in plan.steps]
    steps = list({(day, target, action): (day, target, action, value) for day, target, action, value in steps}.values())
    if is_new_antigen:
        steps = [*_relabel(start, plan.delay, jobs), *steps]
    solution = solve(
        compile_model(UNIFIED_TOXICITY, keep=KEPT),
        parameters,
        start.day + plan.delay + DAYS,
        schedule=Schedule.from_changes(UNIFIED_TOXICITY, _list_changes(start, plan, steps)),
        keep=KEPT,
        rtol=RTOL,
        threads=jobs,
        max_steps=MOST_STEPS,
    )
    courses = {name: solution.at(name).copy() for name in KEPT}
    known = np.isfinite(courses[KEPT[0]]).all(axis=1)
    severe = np.full(draws, np.nan)
    if known.any():
        kept = {name: course[known] for name, course in courses.items()}
        severe[known] = grade_toxicity(kept, np.full(int(known.sum()), np.inf)).crs_grade >= SEVERE
    return severe


def _list_changes(start: Start, plan: Plan, steps: Steps) -> list[list[Change]]:
    begin, middle = start.day + plan.delay, plan.strengths // 2
    return [
        [
            *start.changes,
            *(make_change(begin + day, target, action, value, draw, middle) for day, target, action, value in steps),
        ]
        for draw in range(len(start.parameters))
    ]


def _relabel(start: Start, delay: float, jobs: int | None) -> Steps:
    """Make every tumour cell, as it is when treatment starts, one that carries the antigen."""
    solution = solve(
        compile_model(UNIFIED, keep=TUMOUR_STATES),
        start.parameters,
        np.array([start.day + delay]),
        schedule=Schedule.from_changes(UNIFIED, [start.changes]).repeat(len(start.parameters)),
        keep=TUMOUR_STATES,
        rtol=RTOL,
        threads=jobs,
        max_steps=MOST_STEPS,
    )
    whole = np.nan_to_num(sum(solution.at(name)[:, 0] for name in TUMOUR_STATES))
    high, low, negative = TUMOUR_STATES
    return [(0.0, high, "set", whole[:, None]), (0.0, low, "set", 0.0), (0.0, negative, "set", 0.0)]
