"""The risk of severe cytokine release after a further infusion, in the draws of one patient."""

import numpy as np

from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.fit.problem import MOST_STEPS
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.option_courses import RTOL, Start, make_change
from livingdrug.study.option_levers import Plan
from livingdrug.study.toxicity_outcomes import DAYS, KEPT, grade_toxicity

SEVERE = 3


def compute_crs_risk(start: Start, plan: Plan, *, jobs: int | None = None) -> float | None:
    """Return the share of draws with cytokine release of grade 3 or more in six weeks; None without values.

    Tocilizumab is not given: an upper bound. What the model of toxicity needs beyond the patient's draws is drawn from
    the spread between patients.
    """
    name = f"toxicity_{start.disease}_{start.product}"
    if name not in list_parameters() or plan.model is not UNIFIED:
        return None
    draws = len(start.parameters)
    parameters = sample_parameters(
        UNIFIED_TOXICITY, load_parameters(name), 0, draws, seed=start.seed, exponential=EXTINCTION_DRAWS
    )
    for column, own in enumerate(UNIFIED.parameter_names):
        parameters[:, UNIFIED_TOXICITY.parameter_names.index(own)] = start.parameters[:, column]
    begin = start.day + plan.delay
    middle = plan.strengths // 2
    patients = [
        [
            *start.changes,
            *(
                make_change(begin + day, target, action, value, draw, middle)
                for day, target, action, value in plan.steps
            ),
        ]
        for draw in range(draws)
    ]
    solution = solve(
        compile_model(UNIFIED_TOXICITY, keep=KEPT),
        parameters,
        begin + DAYS,
        schedule=Schedule.from_changes(UNIFIED_TOXICITY, patients),
        keep=KEPT,
        rtol=RTOL,
        threads=jobs,
        max_steps=MOST_STEPS,
    )
    courses = {name: solution.at(name).copy() for name in KEPT}
    known = np.isfinite(courses[KEPT[0]]).all(axis=1)
    graded = grade_toxicity(
        {name: course[known] for name, course in courses.items()}, np.full(int(known.sum()), np.inf)
    )
    return float(np.mean(graded.crs_grade >= SEVERE)) if known.any() else None
