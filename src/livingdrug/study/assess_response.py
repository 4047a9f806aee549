"""Response and failure of one subject by the criteria of the disease, and the marker that told it."""

from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.failure import classify_failure
from livingdrug.clinical.myeloma import assess_myeloma
from livingdrug.clinical.response import Course, confirm_responses
from livingdrug.core.outcome import FailureClass, Response
from livingdrug.core.patient import Disease, Product
from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.narrative import DISEASES
from livingdrug.explain.progression import MarkerRule
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.patient_data import PatientData, derive_model_observations
from livingdrug.study.plans import PLANS, SETTINGS, Plan, create_noise

RESPONSE_SCHEMA = {"day": pl.Float64, "time_point": pl.String, "confirmed": pl.String, "clause": pl.String}
THRESHOLD_SCHEMA = {"variable": pl.String, "value": pl.Float64, "label": pl.String}


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the criteria say about one subject.

    Parameters
    ----------
    failed : bool or None
        None where the record does not tell.
    failure_class : str
    failure_day : float or None [day]
    best_response : str or None
    reason : str
        The rule that decided, in words.
    rows : table
        ``day, time_point, confirmed, clause``.
    rules : Ruleset or None
        None where the package has no criteria for the disease.
    marker : MarkerRule or None
        The model's output by which a predicted course is judged; None where no marker was measurable.
    thresholds : table
        ``variable, value, label``: what figures may draw.
    """

    failed: bool | None
    failure_class: str
    failure_day: float | None
    best_response: str | None
    reason: str
    rows: pl.DataFrame
    rules: Ruleset | None
    marker: MarkerRule | None
    thresholds: pl.DataFrame


def assess_response(data: PatientData) -> Assessment:
    """Derive response, progression and failure of one subject.

    Returns
    -------
    Assessment
        With ``failed`` None where the package has no criteria for the disease or the record does not tell.
    """
    plan = PLANS.get(data.disease)
    if plan is None or data.disease != Disease.MYELOMA:
        return Assessment(
            failed=None,
            failure_class=FailureClass.UNKNOWN.value,
            failure_day=None,
            best_response=None,
            reason=f"response criteria for {DISEASES.get(data.disease, data.disease)} are not in this version",
            rows=pl.DataFrame(schema=RESPONSE_SCHEMA),
            rules=None,
            marker=None,
            thresholds=pl.DataFrame(schema=THRESHOLD_SCHEMA),
        )
    rules = load_rules(plan.rules)
    time_points = assess_myeloma(data.observations, data.events, rules)
    course = confirm_responses(time_points, data.events, rules)
    verdict = classify_failure(course, data.observations, data.events, rules, target=Product(data.product).target)
    is_unknown = verdict.failure == FailureClass.UNKNOWN
    level = plan.full_response if verdict.failure == FailureClass.INCOMPLETE_RESPONSE else plan.response
    marker, thresholds = choose_marker(data, plan, rules, level)
    return Assessment(
        failed=None if is_unknown else verdict.failure != FailureClass.NONE,
        failure_class=verdict.failure.value,
        failure_day=None if verdict.day is None else float(verdict.day),
        best_response=course.best.value if course.best.is_at_least(Response.SD) else None,
        reason=f"{verdict.reason} (presumptive)" if verdict.certainty == "presumptive" else verdict.reason,
        rows=tabulate_visits(course),
        rules=rules,
        marker=marker,
        thresholds=thresholds,
    )


def tabulate_visits(course: Course) -> pl.DataFrame:
    """Return the response at each visit: at its time point, confirmed, and the clause that decided."""
    rows = [
        (
            float(v.day),
            v.time_point.value,
            v.confirmed.value,
            "too little was measured" if v.time_point == Response.NE else v.clause,
        )
        for v in course.visits
    ]
    return pl.DataFrame(rows, schema=RESPONSE_SCHEMA, orient="row")


def choose_marker(data: PatientData, plan: Plan, rules: Ruleset, level: str) -> tuple[MarkerRule | None, pl.DataFrame]:
    """Return the rule of the first marker that was measurable at baseline, and the lines that figures may draw.

    Parameters
    ----------
    level : str
        Threshold of the response that the marker must reach.
    """
    observations = derive_model_observations(data)
    noise = create_noise(load_rules(SETTINGS))
    names = {new: old for old, new in data.renamed.items()}
    for marker in plan.markers:
        baseline = observations.filter((pl.col("variable") == marker.output) & (pl.col("day") == 0))["value"]
        if baseline.is_empty() or baseline[0] is None or baseline[0] < rules.threshold(marker.measurable):
            continue
        share = 1 - rules.threshold(level) / 100
        rule = MarkerRule(
            marker=marker.output,
            rise=rules.threshold(plan.rise) / 100,
            absolute=rules.threshold(marker.absolute),
            response=share,
            noise=noise[marker.output].sd,
        )
        label = f"{100 * share:.0f} % of baseline"
        lines = [(names.get(marker.output, marker.output), share * float(baseline[0]), label)]
        return rule, pl.DataFrame(lines, schema=THRESHOLD_SCHEMA, orient="row")
    return None, pl.DataFrame(schema=THRESHOLD_SCHEMA)
