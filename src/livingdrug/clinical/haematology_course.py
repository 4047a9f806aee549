"""From the time points of lymphoma and leukaemia to what holds, the best response, the course and its endpoints.

A response counts at once, or once a later time point shows that it lasted; what a later one shows never changes
what held before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from livingdrug.core.assessment import Assessed, Endpoint, ResponseCourse, SubjectAssessment

NE, ND, MISSING = "NE", "ND", "MISSING"
UNSEEN = (NE, ND)
AFTER_THERAPY = "after new treatment: not counted"


@dataclass(frozen=True, slots=True)
class Ladder:
    """What a set of criteria calls its categories.

    Parameters
    ----------
    order : tuple of str
        Best first; progression last.
    responses, complete : tuple of str
        Those that count for the response rate, and as complete.
    stable : tuple of str
        Neither a response nor progression; a best response only after ``min_days``.
    neutral : tuple of str
        Those that neither confirm a response nor end it.
    indeterminate : tuple of str
        What is settled by what follows; a last one that nothing settles is a presumptive progression.
    hold_days : float
        Days that a response must last to be confirmed; 0 where it needs no confirmation.
    min_days : float
        Days after infusion from which stable disease counts.
    """

    order: tuple[str, ...]
    responses: tuple[str, ...]
    complete: tuple[str, ...]
    stable: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()
    indeterminate: tuple[str, ...] = ()
    hold_days: float = 0.0
    min_days: float = 0.0

    @property
    def progression(self) -> str:
        """Name of progression, or of relapse."""
        return self.order[-1]


@dataclass(frozen=True, slots=True)
class Point:
    """One time point; ``from_day`` is the day to which a progression is dated."""

    day: float
    category: str
    from_day: float


@dataclass(frozen=True, slots=True)
class ReaderCourse:
    """One reader's time points, by day; ``first_day`` of a progression is the day to which it is dated."""

    reader: str
    assessed: tuple[Assessed, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        """Day and category of each time point."""
        return tuple(Point(a.day, a.time_point, a.day if a.first_day is None else a.first_day) for a in self.assessed)


def select_points(points: Sequence[Point], ladder: Ladder, therapy: float | None) -> tuple[Point, ...]:
    """Return the time points up to the first progression and not after new treatment.

    Examples
    --------
    >>> ladder = Ladder(("CR", "PR", "SD", "PD"), ("CR", "PR"), ("CR",))
    >>> points = [Point(d, c, d) for d, c in ((30.0, "PR"), (90.0, "PD"), (120.0, "CR"))]
    >>> [point.category for point in select_points(points, ladder, None)]
    ['PR', 'PD']
    """
    counted: list[Point] = []
    for point in points:
        if therapy is not None and point.day > therapy:
            break
        counted.append(point)
        if point.category == ladder.progression:
            break
    return tuple(counted)


def confirm_point(points: Sequence[Point], index: int, ladder: Ladder) -> str | None:
    """Return the category in which a time point is confirmed; None if it is a response that nothing confirms.

    Until the response has lasted long enough every time point that could be evaluated must be a response; the
    least of them is confirmed.

    Examples
    --------
    >>> ladder = Ladder(("CR", "PR", "SD", "PD"), ("CR", "PR"), ("CR",), hold_days=56.0)
    >>> points = [Point(d, c, d) for d, c in ((30.0, "CR"), (60.0, "NE"), (90.0, "PR"))]
    >>> [confirm_point(points, index, ladder) for index in (0, 2)]
    ['PR', None]
    """
    first = points[index]
    if first.category not in ladder.responses or ladder.hold_days <= 0:
        return first.category
    least = first.category
    for point in points[index + 1 :]:
        if point.category in (*UNSEEN, *ladder.neutral):
            continue
        if point.category not in ladder.responses:
            return None
        least = max(least, point.category, key=ladder.order.index)
        if point.day - first.day >= ladder.hold_days:
            return least
    return None


def find_best(points: Sequence[Point], ladder: Ladder, *, is_confirmed: bool) -> tuple[str, float | None]:
    """Return the best category of counted time points and its first day; of equal ones the first.

    Examples
    --------
    >>> ladder = Ladder(("CR", "PR", "SD", "PD"), ("CR", "PR"), ("CR",), hold_days=56.0)
    >>> points = [Point(30.0, "PR", 30.0), Point(60.0, "PD", 60.0)]
    >>> find_best(points, ladder, is_confirmed=False), find_best(points, ladder, is_confirmed=True)
    (('PR', 30.0), ('PD', 60.0))
    """
    found: dict[str, float] = {}
    for index, point in enumerate(points):
        category = confirm_point(points, index, ladder) if is_confirmed else point.category
        is_early = category in ladder.stable and point.day < ladder.min_days
        if category is not None and category not in UNSEEN and not is_early:
            found.setdefault(category, point.from_day)
    for category in ladder.order:
        if category in found:
            return category, found[category]
    return (NE, points[0].day) if points else (MISSING, None)


def find_response_day(
    points: Sequence[Point], ladder: Ladder, wanted: tuple[str, ...], *, is_confirmed: bool
) -> float | None:
    """Return the first day of one of some categories, confirmed if asked for; None if there is none."""
    for index, point in enumerate(points):
        category = confirm_point(points, index, ladder) if is_confirmed else point.category
        if category in wanted:
            return point.day
    return None


def find_open_block(points: Sequence[Point], ladder: Ladder) -> float | None:
    """Return the first day of indeterminate responses after which nothing else was seen; None if there are none.

    Examples
    --------
    >>> ladder = Ladder(("CR", "PR", "SD", "IR1", "PD"), ("CR", "PR"), ("CR",), indeterminate=("IR1",))
    >>> points = [Point(d, c, d) for d, c in ((30.0, "IR1"), (60.0, "NE"), (90.0, "IR1"))]
    >>> find_open_block(points, ladder)
    30.0
    """
    first: float | None = None
    for point in points:
        if point.category in ladder.indeterminate:
            first = point.day if first is None else first
        elif point.category not in UNSEEN:
            first = None
    return first


def hold_verdicts(one: ReaderCourse, ladder: Ladder, therapy: float | None) -> list[Assessed]:
    """Say what holds by each day: with confirmation the best that is confirmed, else the time point itself.

    From progression on, and after new treatment, nothing new holds.
    """
    held: list[Assessed] = []
    points = one.points
    count = len(select_points(points, ladder, therapy))
    last: tuple[str, float | None] = (NE, None)
    for place, verdict in enumerate(one.assessed):
        if place >= count:
            is_late = therapy is not None and verdict.day > therapy
            note = "; ".join(text for text in (verdict.note, AFTER_THERAPY if is_late else "") if text)
            held.append(replace(verdict, confirmed=last[0], first_day=last[1], note=note))
            continue
        seen = points[: place + 1]
        if verdict.time_point == ladder.progression:
            last = (ladder.progression, points[place].from_day)
        elif ladder.hold_days > 0:
            best, day = find_best(seen, ladder, is_confirmed=True)
            last = (best, None if best == NE else day)
        elif verdict.time_point not in UNSEEN:
            last = (verdict.time_point, last[1] if last[0] == verdict.time_point else verdict.day)
        is_open = verdict.time_point in UNSEEN and ladder.hold_days <= 0
        shown = (NE, None) if is_open else last
        held.append(replace(verdict, confirmed=shown[0], first_day=shown[1]))
    return held


def build_course(reader: str, counted: Sequence[Point], ladder: Ladder) -> ResponseCourse:
    """Return what the time-to-event endpoints are computed from, of counted time points."""
    best, day = find_best(counted, ladder, is_confirmed=True)
    ends = counted[-1].from_day if counted and counted[-1].category == ladder.progression else None
    doubtful = find_open_block(counted, ladder) if ends is None else None
    return ResponseCourse(
        best,
        day,
        find_best(counted, ladder, is_confirmed=False)[0],
        find_response_day(counted, ladder, ladder.responses, is_confirmed=True),
        find_response_day(counted, ladder, ladder.responses, is_confirmed=False),
        find_response_day(counted, ladder, ladder.complete, is_confirmed=True),
        doubtful if ends is None else ends,
        is_progression_presumptive=doubtful is not None,
        assessed_days=tuple(p.day for p in counted if p.category not in UNSEEN),
        missed_days=tuple(p.day for p in counted if p.category in UNSEEN),
        reader=reader,
    )


def say(name: str, day: float | None, words: str, reader: str = "", *, is_seen: bool = True) -> Endpoint:
    """Return an endpoint that happened on a day, or did not, or of which nobody can tell."""
    if day is None and not is_seen:
        return Endpoint(
            name, "censored", None, "NE", f"no adequate assessment: no {words}, but not excluded", 0.0, reader
        )
    if day is None:
        return Endpoint(name, "censored", None, "N", f"no {words}", 0.0, reader)
    return Endpoint(name, "event", day, "Y", f"{words} on day {day:g}", 0.0, reader)


def _say_best(name: str, category: str, day: float | None, reason: str, reader: str) -> Endpoint:
    status: Literal["event", "censored"] = "censored" if category in (*UNSEEN, MISSING) else "event"
    return Endpoint(name, status, day, category, reason, 0.0, reader)


def build_endpoints(course: ResponseCourse, counted: Sequence[Point], ladder: Ladder) -> list[Endpoint]:
    """Return the endpoints that rest on the categories alone."""
    reader, is_open = course.reader, course.best in (*UNSEEN, MISSING)
    reason = "no time point that counts" if is_open else "best time point before progression and new treatment"
    endpoints = [_say_best("best_overall_response", course.best, course.best_day, reason, reader)]
    if ladder.hold_days > 0:
        category, day = find_best(counted, ladder, is_confirmed=False)
        reason = "best time point, confirmed or not"
        endpoints.append(_say_best("unconfirmed_best_overall_response", category, day, reason, reader))
    progression = None if course.is_progression_presumptive else course.progression_day
    found = (
        ("confirmed_response", course.response_day, "response"),
        ("confirmed_complete_response", course.complete_response_day, "complete response"),
        ("progression", progression, "progression"),
    )
    is_seen = bool(course.assessed_days)
    return [*endpoints, *(say(name, day, words, reader, is_seen=is_seen) for name, day, words in found)]


def finish_courses(readers: Sequence[ReaderCourse], ladder: Ladder, therapy: float | None) -> SubjectAssessment:
    """Derive verdicts, courses and endpoints; a subject without any time point has them too.

    Parameters
    ----------
    therapy : float or None
        Day of new treatment: what was seen after it is shown and not counted.
    """
    verdicts: list[Assessed] = []
    courses: list[ResponseCourse] = []
    endpoints: list[Endpoint] = []
    warnings: list[str] = []
    for one in readers or (ReaderCourse(""),):
        counted = select_points(one.points, ladder, therapy)
        course = build_course(one.reader, counted, ladder)
        verdicts += hold_verdicts(one, ladder, therapy)
        courses.append(course)
        endpoints += build_endpoints(course, counted, ladder)
        warnings += one.warnings
    return SubjectAssessment(tuple(verdicts), tuple(courses), tuple(endpoints), tuple(dict.fromkeys(warnings)))
