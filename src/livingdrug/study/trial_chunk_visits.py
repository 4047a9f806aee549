"""The plan of visits of a trial: the disease's usual one with the changes that the design makes."""

from dataclasses import replace

from livingdrug.clinical.criteria import CRITERIA
from livingdrug.simulate.visits import Assay
from livingdrug.study.trial_design import AssayChange, TrialDesign
from livingdrug.study.visit_plans import BASELINE, VISIT_PLANS, VisitPlan

CONFIRMABLE = 112.0
"""Days for which visits go on after the tumour has grown back: four of 28 days, so that a progression is confirmed
even where one is missed; without, patients would be censored because they progress."""


def plan_visits(design: TrialDesign) -> VisitPlan:
    """Return the plan of visits of a design.

    Examples
    --------
    >>> from livingdrug.study.trial_design import Arm, Visits
    >>> arm = Arm("ide", "ide_cel", 10)
    >>> design = TrialDesign("x", "myeloma", 180.0, 1, (arm,), "imwg/2016", visits=Visits(every=60.0))
    >>> next(assay.days for assay in plan_visits(design).assays if assay.variable == "m_protein")
    (-7.0, 60.0, 120.0, 180.0)
    """
    plan, visits = VISIT_PLANS[design.disease], design.visits
    changes = {change.variable: change for change in visits.assays}
    judged = CRITERIA[design.criteria.partition("/")[0]].variables
    assays = []
    for assay in plan.assays:
        if visits.every is not None and assay.variable in judged:
            assay = replace(assay, days=_repeat(visits.every, design.days))
        change = changes.get(assay.variable)
        if change is None or change.is_measured:
            assays.append(assay if change is None else _change(assay, change, design.days))
    attendance = plan.attendance if visits.attendance is None else visits.attendance
    stop = replace(plan.stop, lag=max(plan.stop.lag, CONFIRMABLE))
    return replace(plan, assays=tuple(assays), attendance=attendance, stop=stop)


def _repeat(every: float, end: float) -> tuple[float, ...]:
    return (BASELINE, *(every * (i + 1) for i in range(int(end / every))))


def _change(assay: Assay, change: AssayChange, end: float) -> Assay:
    days = assay.days if change.days is None else change.days
    return replace(
        assay,
        days=days if change.every is None else _repeat(change.every, end),
        noise=assay.noise if change.noise is None else change.noise,
        lloq=assay.lloq if change.lloq is None else change.lloq,
    )
