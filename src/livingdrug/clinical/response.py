"""From the category of each visit to the confirmed response, its date, and the date of progression.

A response or progression needs two consecutive assessments. The date is that of the first of the two.
Source: kumar2016; the reading visit by visit is the usual one of statistical analysis plans.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.myeloma import TimePoint
from livingdrug.core.outcome import Response

IMAGING, LATER_SAMPLE, DEATH = "imaging", "next sample", "death from myeloma"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One visit: what it showed, what of it is confirmed, and the best so far.

    ``flag`` says how a progression was confirmed; ``clause`` is the clause that decided the visit.
    """

    day: float
    time_point: Response
    confirmed: Response
    best_so_far: Response
    flag: str
    clause: str


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
    """

    visits: tuple[Confirmed, ...]
    best: Response
    progression_day: float | None
    is_progression_presumptive: bool
    first_response_day: float | None


def confirm_responses(time_points: Sequence[TimePoint], events: pl.DataFrame) -> Course:
    """Confirm the time points of one subject.

    Parameters
    ----------
    time_points : sequence of TimePoint, by day
    events : table
        One subject's events: a death whose note names myeloma confirms a progression.

    Examples
    --------
    >>> from livingdrug.core.ruleset import Verdict
    >>> point = lambda day, c: TimePoint(day, c, Verdict("", day, "imwg/2016", c), False, False)
    >>> points = [point(28.0, Response.PR), point(56.0, Response.VGPR), point(90.0, Response.VGPR)]
    >>> course = confirm_responses(points, pl.DataFrame({"day": [], "type": [], "note": []}))
    >>> [visit.confirmed.value for visit in course.visits], course.first_response_day
    (['PR', 'VGPR', 'SD'], 28.0)
    """
    known = [p for p in time_points if p.category not in (Response.NE, Response.ND)]
    death = _find_death(events)
    visits: list[Confirmed] = []
    best, progression = Response.NE, None
    for point in time_points:
        confirmed, flag = _confirm(point, known, death)
        if progression is None and not point.is_after_therapy:
            if confirmed == Response.PD:
                progression = point.day
            elif confirmed.is_at_least(Response.SD) and confirmed.rank > best.rank:
                best = confirmed
        shown = Response.PD if progression is not None else best
        clause = point.verdict.findings[0].clause if point.verdict.findings else ""
        visits.append(Confirmed(point.day, point.category, confirmed, shown, flag, clause))
    presumptive = _find_presumptive(known) if progression is None else None
    responses = [v.day for v in visits if v.confirmed.is_at_least(Response.PR)]
    return Course(
        tuple(visits),
        best,
        progression if progression is not None else presumptive,
        is_progression_presumptive=presumptive is not None,
        first_response_day=responses[0] if responses else None,
    )


def _confirm(point: TimePoint, known: Sequence[TimePoint], death: float | None) -> tuple[Response, str]:
    """Return the confirmed category of a visit, and how a progression was confirmed."""
    category = point.category
    if category in (Response.NE, Response.ND):
        return Response.NE, ""
    following = next((p for p in known if p.day > point.day), None)
    if category == Response.PD:
        return _confirm_progression(point, following, death)
    if category == Response.SD:
        return Response.SD, ""
    if following is None or following.is_after_therapy or following.category == Response.PD:
        return Response.SD, ""
    return min(category, following.category, key=lambda r: r.rank), ""


def _confirm_progression(point: TimePoint, following: TimePoint | None, death: float | None) -> tuple[Response, str]:
    if point.is_imaging:
        return Response.PD, IMAGING
    if following is not None and following.category == Response.PD:
        return Response.PD, LATER_SAMPLE
    if death is not None and death >= point.day and (following is None or following.day > death):
        return Response.PD, DEATH
    return Response.NE, ""


def _find_presumptive(known: Sequence[TimePoint]) -> float | None:
    """Return the day of a progression that the last assessment shows and nothing confirms."""
    last = known[-1] if known else None
    return last.day if last is not None and last.category == Response.PD and not last.is_after_therapy else None


def _find_death(events: pl.DataFrame) -> float | None:
    for day, kind, note in events.select("day", "type", "note").iter_rows():
        if kind == "death" and any(word in (note or "").lower() for word in ("myeloma", "progress", "relapse")):
            return float(day)
    return None
