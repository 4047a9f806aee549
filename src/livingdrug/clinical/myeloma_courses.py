"""The confirmed courses of many subjects as one table: what time-to-event endpoints are computed from."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from livingdrug.clinical.confirmation import LEVELS, NE, Courses, Seen
from livingdrug.clinical.history import Happening, find_disease_death
from livingdrug.clinical.myeloma import TimePoints
from livingdrug.clinical.panel import Bools, Floats, Ints
from livingdrug.core.assessment import ResponseCourse
from livingdrug.core.outcome import Response

NO_ASSESSMENT = "MISSING"
CATEGORIES = pl.Series([*(response.value for response in Response), NO_ASSESSMENT])
DAYS = pl.List(pl.Float64)


def see(points: TimePoints, histories: Sequence[Sequence[Happening]]) -> Seen:
    """Return what is to be confirmed."""
    deaths = [find_disease_death(history) for history in histories]
    return Seen(
        points.panel.day,
        points.category,
        points.is_judged,
        points.is_imaging,
        points.is_marrow,
        points.is_after_therapy,
        points.route,
        np.array([np.nan if day is None else day for day in deaths], dtype=float),
    )


def build_courses(seen: Seen, courses: Courses, reader: str = "") -> tuple[ResponseCourse, ...]:
    """Return the course of each subject."""
    names = [str(place) for place in range(seen.day.shape[1])]
    table = tabulate_courses(names, seen, courses).drop("subject_id")
    return tuple(ResponseCourse(**_freeze(row), reader=reader) for row in table.iter_rows(named=True))


def _freeze(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: tuple(row[name]) for name in ("assessed_days", "missed_days")}


def tabulate_courses(subjects: Sequence[str], seen: Seen, courses: Courses) -> pl.DataFrame:
    """Return one row a subject.

    Responses are those before progression and new treatment. Progression and the days of assessments are told
    whatever the treatment: what new treatment does to an endpoint is the endpoint's to say.
    """
    is_early = seen.is_visit & ~seen.is_after_therapy & ~(seen.day >= courses.progression)
    shown = is_early & (seen.category >= Response.PR.rank)
    is_progressed = ~np.isnan(courses.any_progression)
    progression = np.where(is_progressed, courses.any_progression, courses.presumptive)
    level = np.maximum(courses.best - Response.SD.rank, 0)
    best_day = np.where(courses.best > NE, courses.level_days[level, np.arange(len(level))], np.nan)
    is_lost = (courses.best == NE) & ~np.isnan(courses.progression)
    best = np.where(is_lost, Response.PD.rank, courses.best)
    best = np.where(seen.is_visit.any(axis=0), best, len(Response))
    return pl.DataFrame(
        {
            "subject_id": pl.Series(subjects, dtype=pl.String),
            "best": CATEGORIES.gather(best),
            "best_day": take_days(np.where(is_lost, courses.progression, best_day)),
            "best_unconfirmed": CATEGORIES.gather(courses.best_unconfirmed),
            "response_day": take_days(courses.level_days[LEVELS.index(Response.PR)]),
            "unconfirmed_response_day": take_days(_find_first_day(seen.day, shown)),
            "complete_response_day": take_days(courses.level_days[LEVELS.index(Response.CR)]),
            "progression_day": take_days(progression),
            "is_progression_presumptive": ~is_progressed & ~np.isnan(courses.presumptive),
            "assessed_days": _list_days(seen.day, seen.is_known),
            "missed_days": _list_days(seen.day, seen.is_visit & ~seen.is_known),
        }
    )


def take_days(days: Floats) -> pl.Series:
    """Return days as a column in which NaN is null."""
    return pl.Series(days).fill_nan(None)


def _find_first_day(day: Floats, where: Bools) -> Floats:
    first: Ints = np.argmax(where, axis=0)
    return np.where(where.any(axis=0), day[first, np.arange(day.shape[1])], np.nan)


def _list_days(day: Floats, where: Bools) -> pl.Series:
    subject, visit = np.nonzero(where.T)
    offsets = np.concatenate([[0], np.cumsum(where.sum(axis=0))])
    flat = pl.DataFrame({"subject": subject, "day": day[visit, subject]})
    lists = flat.group_by("subject", maintain_order=True).agg("day")
    every = pl.DataFrame({"subject": np.arange(len(offsets) - 1)})
    return every.join(lists, on="subject", how="left", maintain_order="left")["day"].fill_null(
        pl.Series([[]], dtype=DAYS)
    )
