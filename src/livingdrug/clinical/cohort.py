"""Many subjects at once: responses and failures as tidy tables."""

from collections.abc import Iterator

import polars as pl

from livingdrug.clinical.failure import FailureVerdict, classify_failure
from livingdrug.clinical.myeloma import VARIABLES, TimePoint, assess_myeloma
from livingdrug.clinical.response import Course, confirm_responses
from livingdrug.core.ruleset import Ruleset

WORDS = pl.List(pl.String)
RESPONSE_SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "subject_id": pl.String,
    "day": pl.Float64,
    "time_point": pl.String,
    "confirmed": pl.String,
    "at_visit": pl.String,
    "flag": pl.String,
    "clause": pl.String,
    "capped_by": WORDS,
    "not_excluded": WORDS,
}
FAILURE_SCHEMA = {
    "subject_id": pl.String,
    "failure": pl.String,
    "day": pl.Float64,
    "certainty": pl.String,
    "best": pl.String,
    "first_response_day": pl.Float64,
    "antigen": pl.String,
    "persistence": pl.String,
    "reason": pl.String,
}
FAILURE_VARIABLES = ("car_transgene", "car_t_cells", "antigen_density", "antigen_positive_fraction")


def derive_responses(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, **options: str | float | bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Derive the response at each visit and the failure of every subject of a cohort with myeloma.

    Parameters
    ----------
    observations, events : table
        Of a record, with ``subject_id``.
    rules : Ruleset
        ``imwg/2016``.
    options
        In place of the ruleset's.

    Returns
    -------
    responses : table
        One row a subject and visit after day 0.
    failures : table
        One row a subject who has observations.
    """
    responses, failures = [], []
    for subject, own, own_events in _split(observations, events):
        points = assess_myeloma(own, own_events, rules, **options)
        course = confirm_responses(points, own_events, rules, **options)
        responses += _list_visits(subject, points, course)
        failures.append(_list_failure(subject, course, classify_failure(course, own, own_events, rules)))
    return (
        pl.DataFrame(responses, schema=RESPONSE_SCHEMA, orient="row"),
        pl.DataFrame(failures, schema=FAILURE_SCHEMA, orient="row"),
    )


def _split(observations: pl.DataFrame, events: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """Yield each subject's rows; the order of subjects is that of their first rows."""
    base = pl.col("variable").str.split(":").list.first()
    needed = observations.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    needed = needed.filter(base.is_in([*VARIABLES, *FAILURE_VARIABLES]))
    by_subject = events.partition_by("subject_id", as_dict=True, maintain_order=True)
    nothing = events.clear()
    for key, own in needed.partition_by("subject_id", as_dict=True, maintain_order=True).items():
        yield str(key[0]), own, by_subject.get(key, nothing)


def _list_visits(subject: str, points: tuple[TimePoint, ...], course: Course) -> list[tuple[object, ...]]:
    return [
        (
            subject,
            visit.day,
            visit.time_point.value,
            visit.confirmed.value,
            visit.at_visit.value,
            visit.flag,
            visit.clause,
            list(point.verdict.capped_by),
            list(point.verdict.not_excluded),
        )
        for point, visit in zip(points, course.visits, strict=True)
    ]


def _list_failure(subject: str, course: Course, verdict: FailureVerdict) -> tuple[object, ...]:
    return (
        subject,
        verdict.failure.value,
        verdict.day,
        verdict.certainty,
        str(verdict.best),
        course.first_response_day,
        verdict.antigen.value,
        verdict.persistence.value,
        verdict.reason,
    )
