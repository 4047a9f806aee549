"""Response and failure of one subject by the criteria of the disease, and the marker that told it."""

from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.failure import classify_course, classify_failure
from livingdrug.clinical.imwg import assess_imwg
from livingdrug.clinical.leukaemia import assess_all
from livingdrug.clinical.lugano import assess_lugano
from livingdrug.clinical.myeloma import assess_myeloma
from livingdrug.clinical.response import Course, confirm_responses
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.outcome import FailureClass, Response
from livingdrug.core.patient import Disease, Product
from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.narrative import DISEASES
from livingdrug.explain.progression import MarkerRule
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.patient_data import PatientData, derive_model_observations
from livingdrug.study.plans import PLANS, SETTINGS, Plan, create_noise

ASSESS = {"imwg": assess_imwg, "lugano": assess_lugano, "all": assess_all}
"""The criteria of the plans: to load those that no fit needs would cost a tenth of a second."""
FAILURE_RULES = "failure/1"
FIRST_LINE = 2
"""Line of a table's first row in its file: the header is line 1."""
REMISSION = "MLFS"
"""No leukaemia to be seen, while the blood counts of a complete remission are not known."""
EARLY_UNTIL = 90.0
"""Last day of an early relapse [day]."""
NO_RESPONSE = ("", "ND", "NE")
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
    if plan is None:
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
    return assess_marker(data, plan) if data.disease == Disease.MYELOMA else assess_course(data, plan)


def assess_marker(data: PatientData, plan: Plan) -> Assessment:
    """Derive response and failure of a myeloma, and choose the marker that told it."""
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


def assess_course(data: PatientData, plan: Plan) -> Assessment:
    """Derive response and failure by the criteria of a disease whose tumour itself is measured."""
    rules, book = load_rules(plan.rules), load_rules(FAILURE_RULES)
    tables = SubjectTables(
        {"subject_id": data.subject_id, "disease": data.disease, "product": data.product, **data.subject},
        data.events.with_row_index("row", offset=FIRST_LINE).with_columns(pl.col("row").cast(pl.Int64)),
        data.observations.with_columns(pl.Series("row", [row + FIRST_LINE for row in data.rows], dtype=pl.Int64)),
    )
    found = ASSESS[rules.name.partition("/")[0]](tables, rules, **rules.choose({}))
    course = found.courses[0]
    verdict = classify_course(
        course, tables, book, found.verdicts, disease=data.disease, target=Product(data.product).target
    )
    failure, day = verdict.failure, verdict.day
    reason = f"{verdict.reason} (presumptive)" if verdict.certainty == "presumptive" else verdict.reason
    if failure == FailureClass.UNKNOWN and course.best == REMISSION and course.progression_day is not None:
        # blasts were gone and came back; only the blood counts that a complete remission needs are missing
        day = course.progression_day
        failure = FailureClass.EARLY_RELAPSE if day <= EARLY_UNTIL else FailureClass.LATE_RELAPSE
        reason = f"relapse after {REMISSION}, blood counts unknown (presumptive)"
    is_unknown = failure == FailureClass.UNKNOWN
    marker, thresholds = choose_marker(data, plan, rules, plan.response)
    visits = [
        (float(v.day), v.time_point, v.confirmed or v.time_point, v.findings[0].clause if v.findings else "")
        for v in found.verdicts
    ]
    return Assessment(
        failed=None if is_unknown else failure != FailureClass.NONE,
        failure_class=failure.value,
        failure_day=None if is_unknown or day is None else float(day),
        best_response=course.best if course.best not in NO_RESPONSE else None,
        reason=reason,
        rows=pl.DataFrame(visits, schema=RESPONSE_SCHEMA, orient="row"),
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
    share = 1 - rules.threshold(level) / 100 if level else 1.0
    for marker in plan.markers:
        is_it = (pl.col("variable") == marker.output) & (pl.col("day") == 0) & pl.col("value").is_not_null()
        rows = observations.filter(is_it)["value"]
        baseline = None if rows.is_empty() else float(rows[0])
        if marker.measurable and (baseline is None or baseline < rules.threshold(marker.measurable)):
            continue
        rule = MarkerRule(
            marker=marker.output,
            rise=rules.threshold(plan.rise) / 100 if plan.rise else 0.0,
            absolute=rules.threshold(marker.absolute) if marker.absolute else 0.0,
            response=share,
            noise=noise.get(marker.output, noise[plan.markers[0].output]).sd,
            level=rules.threshold(plan.level) if plan.level else 0.0,
        )
        if plan.level:
            lines = [(names.get(marker.output, marker.output), rule.level, "response below this")]
        elif baseline is None:
            lines = []
        else:
            lines = [(names.get(marker.output, marker.output), share * baseline, f"{100 * share:.0f} % of baseline")]
        return rule, pl.DataFrame(lines, schema=THRESHOLD_SCHEMA, orient="row")
    return None, pl.DataFrame(schema=THRESHOLD_SCHEMA)
