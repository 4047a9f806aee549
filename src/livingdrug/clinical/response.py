"""From the category of each visit of one subject to the confirmed response, its date, and that of progression."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livingdrug.clinical.comparison import list_leaves
from livingdrug.clinical.confirmation import (
    DEATH,
    IMAGING,
    LATER_SAMPLE,
    LEVELS,
    MARROW,
    ROUTES,
    Courses,
    Seen,
    Settings,
    confirm,
)
from livingdrug.clinical.history import find_disease_death, read_history
from livingdrug.clinical.myeloma import CATEGORIES, TimePoint
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

__all__ = ["DEATH", "IMAGING", "LATER_SAMPLE", "MARROW", "NOT_ASSESSED", "Confirmed", "Course", "confirm_responses"]
NOT_ASSESSED = (Response.NE, Response.ND)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One visit: what it showed, and what is confirmed by then.

    Parameters
    ----------
    day : float
    time_point : Response
        What the visit showed.
    confirmed : Response
        Best confirmed so far; progression is final.
    at_visit : Response
        What of this visit alone is confirmed: the last visit never is.
    flag : str
        How a progression was confirmed.
    clause : str
        The clause that decided the time point.
    findings : tuple of Finding
        What the time point rests on.
    warning : str
        Why to look again: the second sample came late.
    first_day : float or None
        Day from which ``confirmed`` holds.
    """

    day: float
    time_point: Response
    confirmed: Response
    at_visit: Response
    flag: str
    clause: str
    findings: tuple[Finding, ...] = ()
    warning: str = ""
    first_day: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The confirmed course of one subject.

    Parameters
    ----------
    visits : tuple of Confirmed
    best : Response
        Best confirmed response before progression or new therapy; NE if there is none.
    progression_day : float or None
        Day of the first sample that showed it.
    is_progression_presumptive : bool
        True where the progression has no second sample, image or death that confirms it.
    first_response_day : float or None
        Day from which at least a partial response was confirmed.
    response_days : mapping of Response to float
        Day from which each level, or a better one, was confirmed.
    best_unconfirmed : Response
        Best time point before progression or new therapy.
    any_progression_day : float or None
        Day of the first confirmed progression, whatever the therapy.
    """

    visits: tuple[Confirmed, ...]
    best: Response
    progression_day: float | None
    is_progression_presumptive: bool
    first_response_day: float | None
    response_days: Mapping[Response, float] = field(default_factory=dict)
    best_unconfirmed: Response = Response.NE
    any_progression_day: float | None = None


def confirm_responses(
    time_points: Sequence[TimePoint],
    events: pl.DataFrame,
    rules: Ruleset | None = None,
    **options: OptionValue,
) -> Course:
    """Confirm the time points of one subject.

    Parameters
    ----------
    time_points : sequence of TimePoint, by day
    events : table
        One subject's events: a death whose note names myeloma confirms a progression.
    rules : Ruleset, optional
        Where the options and their defaults come from; without it a late second sample is not warned of.
    options
        ``unconfirmed`` (what a response without a second sample is shown as: SD or NE), ``missing_between``
        (visits that cannot be assessed, at most, between the two), ``confirmation`` and ``confirmation_days``,
        ``confirmation_warn_days``; others are looked at elsewhere.

    Examples
    --------
    >>> from livingdrug.core.ruleset import Verdict
    >>> point = lambda day, c: TimePoint(day, c, Verdict("", day, "imwg/2016", c), False, False)
    >>> points = [point(28.0, Response.PR), point(56.0, Response.VGPR), point(90.0, Response.VGPR)]
    >>> course = confirm_responses(points, pl.DataFrame({"day": [], "type": [], "note": []}))
    >>> [visit.at_visit.value for visit in course.visits], [visit.confirmed.value for visit in course.visits]
    (['PR', 'VGPR', 'SD'], ['PR', 'VGPR', 'VGPR'])
    >>> course.best.value, course.first_response_day
    ('VGPR', 28.0)
    """
    settings, warn_days = choose_settings(None if rules is None else rules.choose(options))
    courses = confirm(_arrange(time_points, find_disease_death(read_history(events))), settings)
    return _build_course(time_points, courses, warn_days)


def choose_settings(chosen: Mapping[str, OptionValue] | None) -> tuple[Settings, float]:
    """Return the conventions of confirmation, and after how many days a second sample is warned of."""
    if chosen is None:
        return Settings(), float("inf")
    is_sustained = chosen["confirmation"] == "sustained"
    settings = Settings(
        Response(str(chosen["unconfirmed"])).rank,
        float(chosen["missing_between"]),
        float(chosen["confirmation_days"]) if is_sustained else 0.0,
    )
    return settings, float(chosen["confirmation_warn_days"])


def _arrange(points: Sequence[TimePoint], death: float | None) -> Seen:
    def put(values: list[float] | list[bool] | list[int], dtype: type) -> NDArray[Any]:
        return np.array(values, dtype=dtype).reshape(len(points), 1)

    return Seen(
        put([p.day for p in points], float),
        put([p.category.rank for p in points], np.int8),
        np.ones((len(points), 1), dtype=bool),
        put([p.is_imaging for p in points], bool),
        put([p.is_marrow for p in points], bool),
        put([p.is_after_therapy for p in points], bool),
        put([ROUTES.index(p.confirmed_by) for p in points], np.int8),
        np.array([np.nan if death is None else death]),
    )


def _build_course(points: Sequence[TimePoint], courses: Courses, warn_days: float) -> Course:
    visits = []
    for place, point in enumerate(points):
        gap = float(courses.gap[place, 0])
        warning = f"the second sample came {gap:g} days later" if gap > warn_days else ""
        visits.append(
            Confirmed(
                point.day,
                point.category,
                CATEGORIES[courses.confirmed[place, 0]],
                CATEGORIES[courses.at_visit[place, 0]],
                ROUTES[courses.route[place, 0]],
                name_clause(point.category, point.verdict.findings),
                point.verdict.findings,
                warning,
                _read_day(courses.first_day[place, 0]),
            )
        )
    level_days = {level: _read_day(day) for level, day in zip(LEVELS, courses.level_days[:, 0], strict=True)}
    progression, presumptive = _read_day(courses.progression[0]), _read_day(courses.presumptive[0])
    return Course(
        tuple(visits),
        CATEGORIES[courses.best[0]],
        presumptive if progression is None else progression,
        is_progression_presumptive=presumptive is not None,
        first_response_day=level_days[Response.PR],
        response_days={level: day for level, day in level_days.items() if day is not None and level.is_response},
        best_unconfirmed=CATEGORIES[courses.best_unconfirmed[0]],
        any_progression_day=_read_day(courses.any_progression[0]),
    )


def _read_day(day: float) -> float | None:
    return None if np.isnan(day) else float(day)


def name_clause(category: Response, findings: Sequence[Finding]) -> str:
    """Return the words of what decided: for a progression those of the measure that rose."""
    if not findings:
        return ""
    first = findings[0]
    if category != Response.PD:
        return first.clause
    parts = [part.clause for part in first.parts if part.truth == Truth.TRUE and not part.clause.endswith("imaging")]
    images = [part for part in first.parts if part.truth == Truth.TRUE and part.clause.endswith("imaging")]
    parts += [leaf.clause for image in images for leaf in list_leaves(image, Truth.TRUE)]
    return "; ".join(parts) or first.clause
