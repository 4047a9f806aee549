"""Failure of a therapy: the door to its classes, and its rows in the table of endpoints.

Class, certainty, cause, place and bins; and, as events of their own, the loss of CAR T cells and of B-cell aplasia.
"""

from collections.abc import Sequence
from typing import Literal

from livingdrug.clinical.b_cell_aplasia import TARGETS, find_aplasia_loss, find_b_cell_samples
from livingdrug.clinical.endpoint_sources import build_timeline, find_treatment
from livingdrug.clinical.failure_class import classify_course, report_unsupported
from livingdrug.clinical.failure_site import LENGTHS, NEW_LENGTHS, NEW_STATES, STATES
from livingdrug.clinical.failure_verdict import FailureVerdict
from livingdrug.clinical.failure_views import NOT_EVALUABLE, YES, compute_labels
from livingdrug.clinical.myeloma_failure import classify_failure, compute_bins
from livingdrug.clinical.persistence import find_car_loss
from livingdrug.core.assessment import Assessed, Endpoint, ResponseCourse, SubjectTables
from livingdrug.core.outcome import FailureClass
from livingdrug.core.patient import Product
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

__all__ = [
    "FailureVerdict",
    "classify_course",
    "classify_failure",
    "compute_bins",
    "derive_failure_endpoints",
    "report_unsupported",
]

VARIABLES = (
    *("antigen_density", "antigen_positive_fraction", "car_transgene", "car_t_cells"),
    *("b_cells", "b_cell_fraction", "lymphocytes", "mrd"),
    *(*LENGTHS, *STATES, *NEW_LENGTHS, *NEW_STATES),
)
"""Base names of the variables that are looked at beside those of the criteria."""
RELAPSES = (FailureClass.EARLY_RELAPSE, FailureClass.LATE_RELAPSE, FailureClass.PRIMARY_RESISTANCE)


def derive_failure_endpoints(
    course: ResponseCourse,
    tables: SubjectTables,
    rules: Ruleset,
    verdicts: Sequence[Assessed] = (),
    /,
    *,
    disease: str = "",
    target: str = "",
    **options: OptionValue,
) -> tuple[Endpoint, ...]:
    """Derive the rows about failure of one subject, by one reader.

    Parameters
    ----------
    course, tables, rules, verdicts, disease, target, options
        As for :func:`livingdrug.clinical.failure_class.classify_course`.

    Returns
    -------
    endpoints : tuple of Endpoint
        ``failure`` and ``failure_certainty``; where it failed ``failure_antigen`` and ``failure_car_t_cells`` (as
        measured), ``failure_mechanism`` (``presumptive ...`` where nothing was measured), ``failure_site``,
        ``failure_30_90_days`` and its like; the labels of the disease;
        ``loss_of_car_persistence`` and ``loss_of_b_cell_aplasia`` where they were looked for.
    """
    verdict = classify_course(course, tables, rules, verdicts, disease=disease, target=target, **options)
    timeline = build_timeline(course, tables)
    start = timeline.infusion
    treatment = find_treatment(timeline, with_transplant=rules.choose(options)["transplant"] == "therapy")
    named = disease or str(tables.subject.get("disease") or "")
    rows = [*_list_verdict(verdict, course, start, treatment), *_list_labels(verdict, course, rules, named, start)]
    rows += _list_car_loss(tables, start)
    rows += _list_aplasia(tables, rules, target, str(rules.choose(options)["b_cell_recovery"]), start)
    return tuple(Endpoint(r.name, r.status, r.day, r.value, r.reason, r.start_day, course.reader) for r in rows)


def _list_verdict(
    verdict: FailureVerdict, course: ResponseCourse, start: float, treatment: float | None
) -> list[Endpoint]:
    is_failure = verdict.failure not in (FailureClass.NONE, FailureClass.UNKNOWN)
    status: Literal["event", "censored"] = "event" if is_failure else "censored"
    day = verdict.day
    if verdict.failure == FailureClass.NONE:
        day = max((d for d in course.assessed_days if treatment is None or d <= treatment), default=None)
    reason = f"{verdict.reason} (presumptive)" if verdict.certainty == "presumptive" else verdict.reason
    said = [("failure", verdict.failure.value, reason), ("failure_certainty", verdict.certainty, reason)]
    if is_failure:
        evidence = _say_evidence(verdict.mechanism_findings)
        said += [("failure_antigen", verdict.antigen.value, evidence)]
        said += [("failure_car_t_cells", verdict.persistence.value, evidence)]
        said += [_say_mechanism(verdict), ("failure_site", verdict.site, _say_evidence(verdict.site_findings))]
        said += [(name, place, reason) for name, place in verdict.bins.items()]
    return [Endpoint(name, status, day, value, why, start) for name, value, why in said]


def _say_mechanism(verdict: FailureVerdict) -> tuple[str, str, str]:
    """Say the cause; what a surrogate speaks for never reads like a measurement."""
    is_presumed = verdict.mechanism_certainty == "presumptive"
    value = f"presumptive {verdict.mechanism}" if is_presumed else verdict.mechanism
    reason = _say_evidence(verdict.mechanism_findings)
    return "failure_mechanism", value, f"presumptive, from B-cell aplasia: {reason}" if is_presumed else reason


def _say_evidence(findings: Sequence[Finding]) -> str:
    said = [finding.note or f"{finding.clause}: {finding.truth}" for finding in findings]
    return "; ".join(said) or "nothing was measured that tells"


def _list_labels(
    verdict: FailureVerdict, course: ResponseCourse, rules: Ruleset, disease: str, start: float
) -> list[Endpoint]:
    progression = verdict.day if verdict.failure in RELAPSES else None
    labels = compute_labels(course, progression, rules, disease)
    last = max(course.assessed_days, default=None)
    return [
        Endpoint(
            name,
            "event" if value == YES else "censored",
            progression if value == YES and progression is not None else last,
            value,
            "nobody looked in time" if value == NOT_EVALUABLE else f"best {course.best}; {verdict.reason}",
            start,
        )
        for name, value in labels.items()
    ]


def _list_car_loss(tables: SubjectTables, start: float) -> list[Endpoint]:
    day, last, rows, words = find_car_loss(tables.observations)
    if not rows:
        return []
    name, until = "loss_of_car_persistence", last if day is None else day
    value = "" if until is None else f"{until - start:g}"
    return [Endpoint(name, "censored" if day is None else "event", until, value, words, start)]


def _list_aplasia(tables: SubjectTables, rules: Ruleset, target: str, recovery: str, start: float) -> list[Endpoint]:
    product = str(tables.subject.get("product") or "")
    named = target or (Product(product).target if product in set(Product) else "")
    samples = find_b_cell_samples(tables.observations, rules, recovery=recovery)
    if not samples or named.upper() not in ("", *TARGETS):
        return []
    name, day = "loss_of_b_cell_aplasia", find_aplasia_loss(samples)[0]
    if day is not None:
        is_early = day <= rules.threshold("early_aplasia_loss")
        words = f"B cells in two samples in a row from day {day:g}: {'early' if is_early else 'late'}"
        return [Endpoint(name, "event", day, f"{day - start:g}", words, start)]
    known = [sample for sample in samples if sample.truth != Truth.UNKNOWN]
    if not any(sample.truth == Truth.FALSE for sample in known):
        return [Endpoint(name, "censored", None, "", "not defined: no sample showed aplasia", start)]
    last = known[-1].day
    words = (
        "B cells in the last sample, not confirmed" if known[-1].truth == Truth.TRUE else "aplasia in the last sample"
    )
    return [Endpoint(name, "censored", last, f"{last - start:g}", words, start)]
