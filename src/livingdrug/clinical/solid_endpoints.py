"""Endpoints of solid tumours from time points: best responses, benefit, progression, and the course of a subject."""

from collections.abc import Sequence
from typing import Literal

from livingdrug.clinical.best_response import (
    MISSING,
    ND,
    NE,
    Best,
    Point,
    Scale,
    Windows,
    find_benefit,
    find_best,
    find_confirming,
    find_progression_block,
    find_response,
    find_unresolved,
    select_counted,
)
from livingdrug.core.assessment import Endpoint, ResponseCourse

YES, NO = "Y", "N"


def list_contradictions(points: Sequence[Point], scale: Scale) -> list[str]:
    """Say where a complete response is followed by a lesser one, which calls for a look at the data.

    Examples
    --------
    >>> from livingdrug.clinical.best_response import RECIST
    >>> list_contradictions([Point(42.0, "CR"), Point(84.0, "PR")], RECIST)
    ['CR on day 42 is followed by PR on day 84: after a complete response disease that is back is progression']
    """
    texts = []
    complete = next((p for p in points if p.category == scale.complete), None)
    for point in points:
        if complete is not None and point.day > complete.day and point.category in (scale.partial, scale.stable):
            texts.append(
                f"{complete.category} on day {complete.day:g} is followed by {point.category} on day {point.day:g}:"
                " after a complete response disease that is back is progression"
            )
    if any(p.category == scale.progression for p in points) and find_progression_block(points, scale) is None:
        texts.append(f"{scale.progression} without {scale.unconfirmed} before it: it dates no progression")
    return texts


def build_endpoints(points: Sequence[Point], scale: Scale, windows: Windows, reader: str) -> tuple[Endpoint, ...]:
    """Return the endpoints of counted time points; those that did not happen are ``N``, or ``NE`` where nobody saw.

    Best response and clinical benefit without a word before them are those of single time points, as these criteria
    have them.

    Examples
    --------
    >>> from livingdrug.clinical.best_response import RECIST
    >>> points = [Point(42.0, "PR"), Point(84.0, "PR"), Point(126.0, "PD")]
    >>> {e.name: (e.value, e.day) for e in build_endpoints(points, RECIST, Windows(), "")}["confirmed_response"]
    ('Y', 42.0)
    """
    is_seen = any(point.category not in (NE, ND) for point in points)
    endpoints = []
    for prefix, plain, confirmed in (("unconfirmed_", "", False), ("confirmed_", "confirmed_", True)):
        best = find_best(points, scale, windows, with_confirmation=confirmed)
        response = find_response(points, scale, windows, with_confirmation=confirmed)
        benefit = find_benefit(points, scale, windows, with_confirmation=confirmed)
        names = dict.fromkeys((plain, prefix))
        endpoints += [_say_best(f"{name}best_overall_response", best, windows, reader) for name in names]
        endpoints.append(_say(f"{prefix}response", response, windows, reader, is_seen=is_seen))
        endpoints.append(_say(f"{plain}clinical_benefit", benefit, windows, reader, is_seen=is_seen))
    dated = find_progression_block(points, scale)
    endpoints.append(_say("progression", _name(dated), windows, reader, is_seen=is_seen))
    if scale.unconfirmed:
        unresolved = _name(find_unresolved(points, scale))
        endpoints.append(_say("unconfirmed_progression", unresolved, windows, reader, is_seen=is_seen))
    return tuple(endpoints)


def _say_best(name: str, best: Best, windows: Windows, reader: str) -> Endpoint:
    status: Literal["event", "censored"] = "censored" if best.category in (NE, ND, MISSING) else "event"
    return Endpoint(name, status, best.day, best.category, best.reason, windows.reference_day, reader)


def _name(point: Point | None) -> Best | None:
    return None if point is None else Best(point.category, point.day, f"{point.category} on day {point.day:g}")


def _say(name: str, found: Best | None, windows: Windows, reader: str, *, is_seen: bool) -> Endpoint:
    if found is None and not is_seen:
        reason = "no adequate assessment: not seen, but not known to be absent"
        return Endpoint(name, "censored", None, NE, reason, windows.reference_day, reader)
    if found is None:
        return Endpoint(name, "censored", None, NO, "not seen", windows.reference_day, reader)
    return Endpoint(name, "event", found.day, YES, found.reason, windows.reference_day, reader)


def build_course(
    points: Sequence[Point], scale: Scale, windows: Windows, therapy: float | None, reader: str = ""
) -> ResponseCourse:
    """Return what the time-to-event endpoints are computed from.

    Responses are those before progression and new treatment. Progression and the days of assessments are told
    whatever the treatment: what new treatment does to an endpoint is the endpoint's to say. An unconfirmed
    progression after which nothing else was seen is a presumptive one.

    Examples
    --------
    >>> from livingdrug.clinical.best_response import RECIST
    >>> course = build_course([Point(42.0, "PR"), Point(84.0, "NE"), Point(126.0, "PD")], RECIST, Windows(), 100.0)
    >>> course.best, course.progression_day, course.assessed_days, course.missed_days
    ('SD', 126.0, (42.0, 126.0), (84.0,))
    """
    counted, whole = select_counted(points, scale, therapy), select_counted(points, scale, None)
    best = find_best(counted, scale, windows, with_confirmation=True)
    confirmed = find_response(counted, scale, windows, with_confirmation=True)
    response = find_response(counted, scale, windows, with_confirmation=False)
    complete = [p.day for i, p in enumerate(counted) if _is_confirmed_complete(counted, i, scale, windows)]
    progression, unresolved = find_progression_block(whole, scale), find_unresolved(whole, scale)
    dated = progression or unresolved
    return ResponseCourse(
        best.category,
        best.day,
        find_best(counted, scale, windows, with_confirmation=False).category,
        None if confirmed is None else confirmed.day,
        None if response is None else response.day,
        complete[0] if complete else None,
        None if dated is None else dated.day,
        is_progression_presumptive=progression is None and unresolved is not None,
        assessed_days=tuple(p.day for p in whole if p.category not in (NE, ND)),
        missed_days=tuple(p.day for p in whole if p.category in (NE, ND)),
        reader=reader,
    )


def _is_confirmed_complete(points: Sequence[Point], index: int, scale: Scale, windows: Windows) -> bool:
    is_complete = points[index].category == scale.complete
    return is_complete and find_confirming(points, index, scale, windows) is not None
