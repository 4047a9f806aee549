"""What a set of criteria says of one subject: a verdict a visit, the course that is confirmed, endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from livingdrug.core.ruleset import Finding


@dataclass(frozen=True, slots=True)
class SubjectTables:
    """One subject's part of a record.

    Parameters
    ----------
    subject : mapping
        The row of the subjects table.
    events, observations : table
        The subject's rows, in canonical units, with the column ``row``: the line of the file, the header being 1.
    """

    subject: Mapping[str, Any]
    events: pl.DataFrame
    observations: pl.DataFrame

    @property
    def subject_id(self) -> str:
        """Name of the subject."""
        return str(self.subject.get("subject_id", ""))


@dataclass(frozen=True, slots=True)
class Assessed:
    """What one day showed, and what is confirmed by then.

    Parameters
    ----------
    day : float
    time_point : str
        The category or grade of the day alone; NE where it is not known.
    confirmed : str
        The category that is confirmed by then; as ``time_point`` where the criteria ask for no confirmation.
    first_day : float or None
        Day from which ``confirmed`` holds: of the first of the two samples.
    findings : tuple of Finding
        What the time point rests on; a clause that stayed unknown and would give another category is among them.
    unknowns : tuple of str
        What was not known and could change the time point.
    would_change : tuple of str
        What could change it, each as a sentence.
    reader : str
        Who read the images; empty where there is one.
    note : str
        Why to look again.
    """

    day: float
    time_point: str
    confirmed: str = ""
    first_day: float | None = None
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    reader: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of one subject.

    Parameters
    ----------
    name : str
        Such as ``best_overall_response``, ``progression_free_survival``.
    status : ``event`` or ``censored``
    day : float or None
        Of the event or of the censoring.
    value : str
        The category, or the days from ``start_day`` to ``day``.
    reason : str
        What decided, in words.
    start_day : float or None
        Where time is counted from.
    """

    name: str
    status: Literal["event", "censored"]
    day: float | None
    value: str
    reason: str
    start_day: float | None = None
    reader: str = ""


@dataclass(frozen=True, slots=True)
class ResponseCourse:
    """What the time-to-event endpoints are computed from, whatever the criteria.

    Parameters
    ----------
    best : str
        Best confirmed category before progression and new therapy.
    best_day : float or None
    best_unconfirmed : str
    response_day : float or None
        Day from which a response in the sense of the response rate is confirmed.
    unconfirmed_response_day : float or None
        Day of the first time point that shows one.
    complete_response_day : float or None
    progression_day : float or None
    is_progression_presumptive : bool
        True where nothing confirms a progression that needs it.
    assessed_days : tuple of float
        Days of adequate assessments, in order.
    missed_days : tuple of float
        Days of assessments that could not be evaluated.
    reader : str
    """

    best: str
    best_day: float | None
    best_unconfirmed: str
    response_day: float | None
    unconfirmed_response_day: float | None
    complete_response_day: float | None
    progression_day: float | None
    is_progression_presumptive: bool = False
    assessed_days: tuple[float, ...] = ()
    missed_days: tuple[float, ...] = ()
    reader: str = ""


@dataclass(frozen=True, slots=True)
class SubjectAssessment:
    """Everything that one set of criteria says of one subject.

    Parameters
    ----------
    verdicts : tuple of Assessed, by reader and day
    courses : tuple of ResponseCourse
        One a reader, for criteria of response; none for grades and scores.
    endpoints : tuple of Endpoint
        Those that belong to these criteria alone.
    warnings : tuple of str
        Contradictory rows and other things to look at; nothing was dropped because of them.
    details : mapping
        Further results by name, each a table: such as sums of diameters by day.
    """

    verdicts: tuple[Assessed, ...]
    courses: tuple[ResponseCourse, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    warnings: tuple[str, ...] = ()
    details: Mapping[str, pl.DataFrame] = field(default_factory=dict)
