"""Assess every subject of a cohort by the criteria of its disease: one row a subject, ready for figures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from livingdrug.core.tables import Record
from livingdrug.study.assess_record import assess, choose_criteria
from livingdrug.study.assessment import Assessment
from livingdrug.study.cohort_best_change import derive_best_change

CRITERIA: Mapping[str, str] = {
    "myeloma": "imwg/2016",
    "lbcl": "lugano/2014",
    "mcl": "lugano/2014",
    "follicular": "lugano/2014",
    "b_all": "all/nccn-eln",
    "cll": "iwcll/2018",
    "solid": "recist/1.1",
}
"""Criteria of response, by disease."""
TIMES = {"pfs": "progression_free_survival", "os": "overall_survival", "dor": "duration_of_response"}
WORDS = {"best_response": "best_overall_response", "failure": "failure", "mechanism": "failure_mechanism"}
EVENTS = ("second_infusion", "next_therapy", "death")
UNKNOWN = "unknown"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Cohort:
    """What became of every subject.

    Parameters
    ----------
    subjects : table
        One row a subject: ``subject_id, disease, product, criteria, best_response, failure, failure_day, mechanism``,
        ``pfs_time, pfs_event`` and those of ``os`` and ``dor``, ``response_day, progression_day``, the days of second
        infusion, next therapy and death, ``last_day``, and ``marker, best_change, is_below_limit``.
    assessments : mapping of disease to Assessment
    """

    subjects: pl.DataFrame
    assessments: Mapping[str, Assessment] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Things to look at."""
        return tuple(warning for one in self.assessments.values() for warning in one.warnings)

    def to_dict(self) -> dict[str, Any]:
        """Return the rows, and what they rest on, as plain values."""
        provenance = {disease: dict(one.provenance) for disease, one in self.assessments.items()}
        return {"subjects": self.subjects.to_dicts(), "warnings": list(self.warnings), "provenance": provenance}


def assess_cohort(record: Record, criteria: str | None = None, *, progress: Progress | None = None) -> Cohort:
    """Assess every subject by the criteria of its disease.

    Parameters
    ----------
    record : Record
    criteria : str, optional
        The same for everybody, in place of those of each disease.
    progress : function of the subjects done and of all, optional

    Raises
    ------
    InputError
        If the criteria are not known.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> found = assess_cohort(load_example("myeloma_late_relapse")).subjects
    >>> found.select("best_response", "failure", "pfs_time", "pfs_event").row(0)
    ('VGPR', 'late_relapse', 308.0, True)
    """
    if criteria is not None:
        choose_criteria(criteria)
    count, done = len(record.subjects), 0
    assessments, tables = {}, []
    for disease in record.subjects["disease"].unique(maintain_order=True):
        own = _select(record, disease)
        start = done

        def watch(part: int, _: int, start: int = start) -> None:
            if progress is not None:
                progress(start + part, count)

        found = assess(own, criteria or CRITERIA[disease], progress=watch)
        done += len(own.subjects)
        assessments[str(disease)] = found
        tables.append(_tabulate(own, found))
    whole = pl.concat(tables)
    order = record.subjects.select("subject_id")
    return Cohort(order.join(whole, on="subject_id", how="left", maintain_order="left"), assessments)


def _select(record: Record, disease: str) -> Record:
    subjects = record.subjects.filter(pl.col("disease") == disease)
    names = subjects.select("subject_id")
    events, observations = (t.join(names, on="subject_id", how="semi") for t in (record.events, record.observations))
    return replace(record, subjects=subjects, events=events, observations=observations)


def _tabulate(record: Record, found: Assessment) -> pl.DataFrame:
    """Put the endpoints, courses and events of each subject into one row."""
    first = found.endpoints.unique(["subject_id", "endpoint"], keep="first", maintain_order=True)
    table = record.subjects.select("subject_id", "disease", "product", pl.lit(found.ruleset).alias("criteria"))
    for name, endpoint in WORDS.items():
        rows = first.filter((pl.col("endpoint") == endpoint) & (pl.col("value") != ""))
        table = _join(table, rows.select("subject_id", pl.col("value").alias(name)))
    failed = first.filter((pl.col("endpoint") == "failure") & (pl.col("status") == "event"))
    table = _join(table, failed.select("subject_id", pl.col("day").alias("failure_day")))
    for name, endpoint in TIMES.items():
        rows = first.filter(pl.col("endpoint") == endpoint).select(
            "subject_id",
            pl.col("value").cast(pl.Float64, strict=False).alias(f"{name}_time"),
            (pl.col("status") == "event").alias(f"{name}_event"),
        )
        table = _join(table, rows.filter(pl.col(f"{name}_time") >= 0))
    courses = [(who, *_tell_course(own)) for who, own in found.courses.items()]
    days = {"subject_id": pl.String, "response_day": pl.Float64, "progression_day": pl.Float64}
    table = _join(table, pl.DataFrame(courses, schema=days, orient="row"))
    for kind in EVENTS:
        rows = record.events.filter(pl.col("type") == kind).group_by("subject_id").agg(pl.col("day").min())
        table = _join(table, rows.rename({"day": f"{kind}_day"}))
    seen = pl.concat([t.select("subject_id", "day") for t in (record.events, record.observations)])
    table = _join(table, seen.group_by("subject_id").agg(pl.col("day").max().alias("last_day")))
    ends = table.with_columns(end_day=pl.min_horizontal("progression_day", "next_therapy_day", "second_infusion_day"))
    table = _join(table, derive_best_change(record.observations, ends))
    return table.with_columns(pl.col("failure", "best_response").fill_null(UNKNOWN))


def _tell_course(own: tuple[Any, ...]) -> tuple[float | None, float | None]:
    if not own:
        return None, None
    return own[0].response_day, own[0].progression_day


def _join(table: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    return table.join(rows, on="subject_id", how="left", maintain_order="left")
