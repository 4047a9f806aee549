"""From the category of each visit to the confirmed response, its date, and the date of progression.

A response or progression needs two consecutive assessments; what imaging or marrow shows needs no second.
The date is that of the first of the two. Source: kumar2016; the reading visit by visit is the usual one of
statistical analysis plans.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from livingdrug.clinical.comparison import list_leaves
from livingdrug.clinical.history import find_disease_death, read_history
from livingdrug.clinical.myeloma import TimePoint
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, Ruleset, Truth

IMAGING, MARROW, LATER_SAMPLE, DEATH = "imaging", "marrow", "next sample", "death from myeloma"
"""How a progression was confirmed."""
LEVELS = (Response.MR, Response.PR, Response.VGPR, Response.CR, Response.SCR)
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
    """

    day: float
    time_point: Response
    confirmed: Response
    at_visit: Response
    flag: str
    clause: str
    findings: tuple[Finding, ...] = ()
    warning: str = ""


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
    """

    visits: tuple[Confirmed, ...]
    best: Response
    progression_day: float | None
    is_progression_presumptive: bool
    first_response_day: float | None
    response_days: Mapping[Response, float] = field(default_factory=dict)
    best_unconfirmed: Response = Response.NE


@dataclass(frozen=True, slots=True)
class _Settings:
    unconfirmed: Response = Response.SD
    missing_between: float = float("inf")
    warn_days: float = float("inf")


def confirm_responses(
    time_points: Sequence[TimePoint],
    events: pl.DataFrame,
    rules: Ruleset | None = None,
    **options: str | float | bool,
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
        ``unconfirmed`` (what a response without a second sample is shown as: SD or NE),
        ``missing_between`` (visits that cannot be assessed, at most, between the two),
        ``confirmation_warn_days``.

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
    settings = _choose_settings(rules, options)
    death = find_disease_death(read_history(events))
    visits: list[Confirmed] = []
    best, best_unconfirmed, progression = Response.NE, Response.NE, None
    days: dict[Response, float] = {}
    for index, point in enumerate(time_points):
        at_visit, flag, warning = _confirm(point, time_points[index + 1 :], death, settings)
        if progression is None and not point.is_after_therapy:
            if at_visit == Response.PD:
                progression = point.day
            elif at_visit.is_at_least(Response.SD):
                best = _better(best, at_visit)
                _note_days(days, at_visit, point.day)
            if point.category != Response.PD:
                best_unconfirmed = _better(best_unconfirmed, point.category)
        shown = Response.PD if progression is not None else best
        clause, findings = _name_clause(point), point.verdict.findings
        visits.append(Confirmed(point.day, point.category, shown, at_visit, flag, clause, findings, warning))
    presumptive = _find_presumptive(time_points) if progression is None else None
    return Course(
        tuple(visits),
        best,
        progression if progression is not None else presumptive,
        is_progression_presumptive=presumptive is not None,
        first_response_day=days.get(Response.PR),
        response_days=days,
        best_unconfirmed=best_unconfirmed,
    )


def _choose_settings(rules: Ruleset | None, options: Mapping[str, str | float | bool]) -> _Settings:
    if rules is None:
        return _Settings()
    chosen = rules.choose(options)
    return _Settings(
        Response(str(chosen["unconfirmed"])),
        float(chosen["missing_between"]),
        float(chosen["confirmation_warn_days"]),
    )


def _better(a: Response, b: Response) -> Response:
    return max(a, b, key=lambda response: response.rank)


def _note_days(days: dict[Response, float], confirmed: Response, day: float) -> None:
    for level in LEVELS:
        if level not in days and confirmed.is_at_least(level):
            days[level] = day


def _confirm(
    point: TimePoint, later: Sequence[TimePoint], death: float | None, settings: _Settings
) -> tuple[Response, str, str]:
    """Return the confirmed category of a visit, how a progression was confirmed, and a warning."""
    category = point.category
    if category in NOT_ASSESSED:
        return Response.NE, "", ""
    index = next((i for i, p in enumerate(later) if p.category not in NOT_ASSESSED), None)
    following = None if index is None else later[index]
    if category == Response.PD:
        return (*_confirm_progression(point, following, death), "")
    if category == Response.SD:
        return Response.SD, "", ""
    is_far = index is not None and index > settings.missing_between
    if following is None or is_far or following.is_after_therapy or following.category == Response.PD:
        return settings.unconfirmed, "", ""
    gap = following.day - point.day
    warning = f"the second sample came {gap:g} days later" if gap > settings.warn_days else ""
    return min(category, following.category, key=lambda r: r.rank), "", warning


def _confirm_progression(point: TimePoint, following: TimePoint | None, death: float | None) -> tuple[Response, str]:
    if point.is_imaging:
        return Response.PD, IMAGING
    if point.is_marrow:
        return Response.PD, MARROW
    if following is not None and following.category == Response.PD:
        return Response.PD, LATER_SAMPLE
    if death is not None and death >= point.day and (following is None or following.day > death):
        return Response.PD, DEATH
    return Response.NE, ""


def _find_presumptive(time_points: Sequence[TimePoint]) -> float | None:
    """Return the day of a progression that the last assessment before new therapy shows and nothing confirms."""
    known = [p for p in time_points if p.category not in NOT_ASSESSED and not p.is_after_therapy]
    return known[-1].day if known and known[-1].category == Response.PD else None


def _name_clause(point: TimePoint) -> str:
    """Return the words of what decided: for a progression those of the measure that rose."""
    if not point.verdict.findings:
        return ""
    first = point.verdict.findings[0]
    if point.category != Response.PD:
        return first.clause
    parts = [part.clause for part in first.parts if part.truth == Truth.TRUE and not part.clause.endswith("imaging")]
    images = [part for part in first.parts if part.truth == Truth.TRUE and part.clause.endswith("imaging")]
    parts += [leaf.clause for image in images for leaf in list_leaves(image, Truth.TRUE)]
    return "; ".join(parts) or first.clause
