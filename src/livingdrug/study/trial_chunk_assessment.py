"""Assess the records of a chunk by the criteria of the trial, and take what an analysis needs of each patient.

The same clinical functions judge real records. Myeloma goes through the door for cohorts, which gives the same
courses as one patient at a time does, some thirty times as fast; those in whom something that was missing may change
the class of failure go one at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from livingdrug.clinical.criteria import CRITERIA
from livingdrug.clinical.endpoints import derive_endpoints, join_endpoints
from livingdrug.clinical.failure import derive_failure_endpoints
from livingdrug.clinical.myeloma_cohort import assess_myeloma_cohort
from livingdrug.core.assessment import Assessed, Endpoint, ResponseCourse, SubjectTables
from livingdrug.core.patient import Product
from livingdrug.core.ruleset import OptionValue, Ruleset
from livingdrug.core.tables import Record
from livingdrug.study.assess_record import split_subjects

MYELOMA = "imwg"
PROGRESSIVE = ("PD",)
NO_REMISSION = "no_remission"
RELAPSES = ("early_relapse", "late_relapse")
LOST, LINEAGE_SWITCH = "antigen_negative", "lineage_switch"
ONLY_OF_COURSE = (
    *("m_protein", "urine_m_protein", "serum_immunofixation", "urine_immunofixation"),
    *("flc_kappa", "flc_lambda", "sbcma", "pd1_tim3_fraction"),
)
"""What endpoints and classes of failure in myeloma do not look at once the course is known."""
TIMES = {
    "pfs": "progression_free_survival",
    "os": "overall_survival",
    "dor": "duration_of_response",
    "efs": "event_free_survival",
    "rfs": "relapse_free_survival",
    "ttnt": "time_to_next_treatment",
}
"""Column of the outcomes to the endpoint whose time and event it holds."""
WORDS = {
    "best_response": "best_overall_response",
    "response": "confirmed_response",
    "complete_response": "confirmed_complete_response",
    "mrd_negative": "mrd_negative",
    "failure": "failure",
    "failure_certainty": "failure_certainty",
    "failure_mechanism": "failure_mechanism",
    "failure_site": "failure_site",
}
"""Column of the outcomes to the endpoint whose value it holds."""
DAYS = {
    "response_day": "confirmed_response",
    "complete_response_day": "confirmed_complete_response",
    "failure_day": "failure",
}
"""Column of the outcomes to the endpoint whose day it holds, where it is an event."""
SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(WORDS, pl.String),
    **dict.fromkeys((*DAYS, "progression_day", "last_assessment_day"), pl.Float64),
    **{f"{name}_time": pl.Float64 for name in TIMES},
    **{f"{name}_event": pl.Boolean for name in TIMES},
}


@dataclass(frozen=True, slots=True)
class Books:
    """The rulesets of a trial and the options chosen: criteria, endpoints, failure."""

    rules: Ruleset
    times: Ruleset
    failure: Ruleset
    chosen: Mapping[str, Mapping[str, OptionValue]]

    @property
    def family(self) -> str:
        """Name of the criteria without their version."""
        return self.rules.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Judged:
    """One patient by the criteria: course, visits, and the criteria's own endpoints."""

    tables: SubjectTables
    course: ResponseCourse | None
    verdicts: tuple[Assessed, ...]
    endpoints: tuple[Endpoint, ...] = ()

    @property
    def progression_known(self) -> float:
        """Day of the visit by which progression was known; not a number where it was not."""
        day = None if self.course is None or self.course.is_progression_presumptive else self.course.progression_day
        if day is None:
            return float("nan")
        return next((v.day for v in self.verdicts if v.day >= day and v.confirmed in PROGRESSIVE), day)

    @property
    def failure_known(self) -> float:
        """Day by which progression, or that there was no remission, was known; not a number where neither was."""
        if self.course is None or self.course.response_day is not None or np.isfinite(self.progression_known):
            return self.progression_known
        lack = next((e.day for e in self.endpoints if e.name == NO_REMISSION and e.status == "event"), None)
        return float("nan") if lack is None else lack


def judge_record(record: Record, books: Books) -> list[Judged]:
    """Assess every patient of a record, in the order of its subjects."""
    if books.family == MYELOMA:
        return list(_judge_myeloma(record, books))
    return [_judge_subject(tables, books) for tables in split_subjects(record)]


def _judge_subject(tables: SubjectTables, books: Books) -> Judged:
    found = CRITERIA[books.family].assess(tables, books.rules, **books.chosen[books.rules.name])
    return Judged(tables, found.courses[0] if found.courses else None, found.verdicts, found.endpoints)


def _judge_myeloma(record: Record, books: Books) -> Iterator[Judged]:
    observations = record.observations
    cohort = assess_myeloma_cohort(observations, record.events, books.rules, **books.chosen[books.rules.name])
    courses = {row.pop("subject_id"): _build_course(row) for row in cohort.courses.to_dicts()}
    verdicts: dict[str, list[Assessed]] = {}
    columns = ("subject_id", "day", "time_point", "confirmed", "first_day", "unknowns")
    for subject, day, time_point, confirmed, first, unknowns in cohort.verdicts.select(columns).iter_rows():
        one = Assessed(day, time_point, confirmed, first, unknowns=tuple(unknowns))
        verdicts.setdefault(subject, []).append(one)
    rest = replace(record, observations=observations.filter(~pl.col("variable").is_in(ONLY_OF_COURSE)))
    for tables in split_subjects(rest):
        name = tables.subject_id
        course, own = courses.get(name), tuple(verdicts.get(name, ()))
        if _is_in_doubt(course, own):
            whole = replace(tables, observations=observations.filter(pl.col("subject_id") == name))
            yield _judge_subject(whole, books)
        else:
            yield Judged(tables, course, own)


def _is_in_doubt(course: ResponseCourse | None, verdicts: Sequence[Assessed]) -> bool:
    """Whether the class of failure may rest on what was missing, which only the trail of a single patient tells."""
    if course is None or (course.progression_day is not None and not course.is_progression_presumptive):
        return False
    return course.complete_response_day is None and any(verdict.unknowns for verdict in verdicts)


def _build_course(row: Mapping[str, Any]) -> ResponseCourse:
    days = {name: tuple(row[name]) for name in ("assessed_days", "missed_days")}
    return ResponseCourse(**{**row, **days})


def judge_again(judged: Sequence[Judged], record: Record, changed: np.ndarray, books: Books) -> list[Judged]:
    """Assess the patients anew whose record has changed; the others stay as they were.

    Parameters
    ----------
    judged : sequence of Judged
        Of all patients of the record, in its order.
    changed : (patient,) bool
    """
    subjects = record.subjects.filter(pl.Series(changed))
    names = subjects["subject_id"].implode()
    is_own = pl.col("subject_id").is_in(names)
    own = Record(subjects, record.events.filter(is_own), record.observations.filter(is_own))
    anew = iter(judge_record(own, books))
    return [next(anew) if is_changed else one for one, is_changed in zip(judged, changed.tolist(), strict=True)]


def name_lineage_switches(outcomes: pl.DataFrame, can_switch: np.ndarray) -> pl.DataFrame:
    """Return the outcomes with relapses of another lineage named: some of those measured to lack the antigen.

    Examples
    --------
    >>> relapse = {"failure": ["late_relapse"] * 2, "failure_mechanism": ["antigen_negative"] * 2}
    >>> name_lineage_switches(pl.DataFrame(relapse), np.array([True, False]))["failure_mechanism"].to_list()
    ['lineage_switch', 'antigen_negative']
    """
    is_lost = (pl.col("failure_mechanism") == LOST) & pl.col("failure").is_in(RELAPSES)
    named = pl.when(is_lost & pl.Series(can_switch)).then(pl.lit(LINEAGE_SWITCH)).otherwise(pl.col("failure_mechanism"))
    return outcomes.with_columns(failure_mechanism=named)


def list_progressions(judged: Sequence[Judged]) -> np.ndarray:
    """Return the day by which progression was known of each patient."""
    return np.array([one.progression_known for one in judged], dtype=float)


def list_failures(judged: Sequence[Judged]) -> np.ndarray:
    """Return the day by which progression, or that there was no remission, was known of each patient."""
    return np.array([one.failure_known for one in judged], dtype=float)


def tabulate_outcomes(judged: Sequence[Judged], books: Books) -> pl.DataFrame:
    """Return the outcomes of each patient, one row each: responses, failure, and times to events."""
    rows = [_take_outcomes(one, books) for one in judged]
    return pl.DataFrame(rows, schema=SCHEMA)


def _take_outcomes(one: Judged, books: Books) -> dict[str, Any]:
    if one.course is None:
        return {}
    endpoints = {endpoint.name: endpoint for endpoint in _derive(one, one.course, books)}
    row: dict[str, Any] = {"last_assessment_day": max(one.course.assessed_days, default=None)}
    if not one.course.is_progression_presumptive:
        row["progression_day"] = one.course.progression_day
    row |= {column: endpoints[name].value for column, name in WORDS.items() if name in endpoints}
    for column, name in DAYS.items():
        if name in endpoints and endpoints[name].status == "event":
            row[column] = endpoints[name].day
    for column, name in TIMES.items():
        found = endpoints.get(name)
        if found is not None and found.day is not None and found.start_day is not None:
            row[f"{column}_time"] = found.day - found.start_day
            row[f"{column}_event"] = found.status == "event"
    return row


def _derive(one: Judged, course: ResponseCourse, books: Books) -> tuple[Endpoint, ...]:
    subject = one.tables.subject
    disease, target = str(subject["disease"]), Product(str(subject["product"])).target
    own = tuple(verdict for verdict in one.verdicts if verdict.reader == course.reader)
    chosen = books.chosen
    times = derive_endpoints(course, one.tables, books.times, **chosen[books.times.name])
    failure = derive_failure_endpoints(
        course, one.tables, books.failure, own, disease=disease, target=target, **chosen[books.failure.name]
    )
    mine = (endpoint for endpoint in one.endpoints if endpoint.reader == course.reader)
    return join_endpoints(mine, (*times, *failure))
