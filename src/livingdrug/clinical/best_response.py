"""Best overall response, unconfirmed and confirmed, response, clinical benefit and progression, from time points.

A time point is a day and a category, whoever gave it: computed from lesions, or a reader's code. The same
definitions serve RECIST 1.1 and iRECIST; a :class:`Scale` says what their categories are called.

The definitions are those of statistical practice. A complete response is confirmed by another one
``ref_confirm`` days later or more, with nothing but complete responses and at most ``max_ne`` time points that
could not be evaluated between; a partial response by a partial or complete one, with no partial after a complete
one in that stretch. What is not confirmed counts as stable disease once ``min_sd_days`` have passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livingdrug.core.ruleset import OptionValue

NE, ND, MISSING = "NE", "ND", "MISSING"


@dataclass(frozen=True, slots=True)
class Scale:
    """What a set of criteria calls its categories; ``unconfirmed`` is empty where progression needs no second scan."""

    complete: str
    partial: str
    stable: str
    other: str
    progression: str
    unconfirmed: str = ""

    @property
    def order(self) -> tuple[str, ...]:
        """Categories of a best response, best first."""
        progressions = (self.progression, self.unconfirmed) if self.unconfirmed else (self.progression,)
        return (self.complete, self.partial, self.stable, self.other, *progressions, NE, ND)


RECIST = Scale("CR", "PR", "SD", "NON-CR/NON-PD", "PD")
IRECIST = Scale("iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "iCPD", "iUPD")


@dataclass(frozen=True, slots=True)
class Point:
    """One time point."""

    day: float
    category: str


@dataclass(frozen=True, slots=True)
class Windows:
    """What confirms a response and what is long enough for stable disease.

    Parameters
    ----------
    reference_day : float
        Day from which the time to stable disease is counted.
    min_sd_days, ref_confirm : float [day]
    max_ne : float
        Time points that could not be evaluated, at most, between the two of a pair.
    with_sd : bool
        Whether one stable disease may stand between the two of a partial response.
    with_missing_as_ne : bool
        Whether a subject without time points is NE and not MISSING.
    """

    reference_day: float = 0.0
    min_sd_days: float = 42.0
    ref_confirm: float = 28.0
    max_ne: float = 1.0
    with_sd: bool = False
    with_missing_as_ne: bool = False

    @classmethod
    def from_options(cls, chosen: Mapping[str, OptionValue]) -> "Windows":
        """Read the options of a ruleset."""
        return cls(
            float(chosen["reference_day"]),
            float(chosen["min_sd_days"]),
            float(chosen["ref_confirm"]),
            float(chosen["max_ne"]),
            with_sd=bool(chosen["accept_sd"]),
            with_missing_as_ne=bool(chosen["missing_as_ne"]),
        )


@dataclass(frozen=True, slots=True)
class Best:
    """A best overall response, the day of its first time point, and why."""

    category: str
    day: float | None
    reason: str


def select_counted(points: Sequence[Point], scale: Scale, therapy: float | None) -> tuple[Point, ...]:
    """Return the time points up to the first progression and not after new treatment.

    A progression that was seen before new treatment may be confirmed after it.

    Examples
    --------
    >>> points = [Point(42.0, "PR"), Point(84.0, "PD"), Point(126.0, "CR")]
    >>> [point.category for point in select_counted(points, RECIST, None)]
    ['PR', 'PD']
    """
    counted: list[Point] = []
    for place, point in enumerate(points):
        if therapy is not None and point.day > therapy:
            counted += _find_confirmation(counted, points[place:], scale)
            break
        counted.append(point)
        if point.category == scale.progression:
            break
    return tuple(counted)


def _find_confirmation(counted: Sequence[Point], later: Sequence[Point], scale: Scale) -> list[Point]:
    """Return the later time point that confirms a progression which still waits for it."""
    if find_unresolved(counted, scale) is None:
        return []
    told = next((p for p in later if p.category not in (scale.unconfirmed, NE, ND)), None)
    return [told] if told is not None and told.category == scale.progression else []


def find_confirming(points: Sequence[Point], index: int, scale: Scale, windows: Windows) -> int | None:
    """Return the place of the time point that confirms a response; None if nothing does.

    Examples
    --------
    >>> points = [Point(42.0, "PR"), Point(63.0, "NE"), Point(70.0, "PR")]
    >>> find_confirming(points, 0, RECIST, Windows())
    2
    """
    first = points[index]
    accepted = (scale.complete,) if first.category == scale.complete else (scale.complete, scale.partial)
    if first.category not in accepted:
        return None
    missed = stable = 0
    is_complete = False
    for place in range(index + 1, len(points)):
        category = points[place].category
        if category in accepted:
            if is_complete and category == scale.partial:
                return None
            is_complete = is_complete or category == scale.complete
            if points[place].day - first.day >= windows.ref_confirm:
                return place
        elif category == NE:
            missed += 1
        elif category == scale.stable and first.category == scale.partial and windows.with_sd:
            stable += 1
        else:
            return None
        if missed > windows.max_ne or stable > 1:
            return None
    return None


def find_response(points: Sequence[Point], scale: Scale, windows: Windows, *, with_confirmation: bool) -> Best | None:
    """Return the first partial or complete response, confirmed if asked for; None if there is none."""
    for index, point in enumerate(points):
        if point.category not in (scale.complete, scale.partial):
            continue
        place = find_confirming(points, index, scale, windows) if with_confirmation else index
        if place is None:
            continue
        later = f", confirmed by {points[place].category} on day {points[place].day:g}" if place > index else ""
        return Best(point.category, point.day, f"{point.category} on day {point.day:g}{later}")
    return None


def find_best(points: Sequence[Point], scale: Scale, windows: Windows, *, with_confirmation: bool) -> Best:
    """Return the best overall response of counted time points; of equal ones the first.

    Examples
    --------
    >>> points = [Point(30.0, "PR"), Point(51.0, "PD")]
    >>> [find_best(points, RECIST, Windows(), with_confirmation=c).category for c in (False, True)]
    ['PR', 'PD']
    """
    found: dict[str, Best] = {}
    block = find_progression_block(points, scale)
    for index, point in enumerate(points):
        best = _rate_response(points, index, scale, windows, with_confirmation=with_confirmation)
        for one in (best, *_rate_other(point, scale, windows, block)):
            if one is not None:
                found.setdefault(one.category, one)
    for category in scale.order:
        if category in found:
            return found[category]
    if points:
        return Best(NE, points[0].day, "no time point that counts")
    return Best(NE if windows.with_missing_as_ne else MISSING, None, "no assessment")


def _rate_response(
    points: Sequence[Point], index: int, scale: Scale, windows: Windows, *, with_confirmation: bool
) -> Best | None:
    point = points[index]
    if point.category not in (scale.complete, scale.partial):
        return None
    if not with_confirmation:
        return Best(point.category, point.day, f"{point.category} on day {point.day:g}")
    place = find_confirming(points, index, scale, windows)
    if place is None:
        return None
    later = points[place]
    reason = f"{point.category} on day {point.day:g}, confirmed by {later.category} on day {later.day:g}"
    return Best(point.category, point.day, reason)


def _rate_other(point: Point, scale: Scale, windows: Windows, block: Point | None) -> list[Best]:
    """Return what a time point is besides a response: stable disease, progression, or not evaluable."""
    category, day = point.category, point.day
    evaluable = (scale.complete, scale.partial, scale.stable)
    on_day = f"{category} on day {day:g}"
    if category in (*evaluable, scale.other):
        is_late = day - windows.reference_day >= windows.min_sd_days
        if not is_late:
            return [Best(NE, day, f"{on_day}, less than {windows.min_sd_days:g} days after the reference day")]
        return [Best(scale.stable if category in evaluable else scale.other, day, on_day)]
    if scale.unconfirmed and category == scale.progression:
        if block is None:
            return [Best(NE, day, f"{category} on day {day:g} without {scale.unconfirmed} before")]
        return [Best(category, block.day, f"{scale.unconfirmed} on day {block.day:g}, {category} on day {day:g}")]
    return [Best(category, day, on_day)]


def find_progression_block(points: Sequence[Point], scale: Scale) -> Point | None:
    """Return the time point that dates progression; None if there is no progression.

    Where progression needs confirmation this is the first unconfirmed one of the block that was confirmed: between
    the two stand only unconfirmed progressions and time points that were not or could not be evaluated.

    Examples
    --------
    >>> points = [Point(42.0, "iUPD"), Point(70.0, "iSD"), Point(98.0, "iUPD"), Point(126.0, "iCPD")]
    >>> find_progression_block(points, IRECIST).day
    98.0
    """
    first: Point | None = None
    for point in points:
        if point.category == scale.progression:
            return point if not scale.unconfirmed else first
        if scale.unconfirmed and point.category == scale.unconfirmed:
            first = first or point
        elif point.category not in (NE, ND):
            first = None
    return None


def find_unresolved(points: Sequence[Point], scale: Scale) -> Point | None:
    """Return the first unconfirmed progression after which nothing else was seen; None if there is none."""
    first: Point | None = None
    for point in points:
        if scale.unconfirmed and point.category == scale.unconfirmed:
            first = first or point
        elif point.category not in (NE, ND):
            first = None
    return first


def find_benefit(points: Sequence[Point], scale: Scale, windows: Windows, *, with_confirmation: bool) -> Best | None:
    """Return a response, or stable disease or better for long enough, whichever is earlier; None if neither."""
    response = find_response(points, scale, windows, with_confirmation=with_confirmation)
    better = (scale.complete, scale.partial, scale.stable, scale.other)
    late = (p for p in points if p.category in better and p.day - windows.reference_day >= windows.min_sd_days)
    stable = next((Best(p.category, p.day, f"{p.category} on day {p.day:g}") for p in late), None)
    found = [best for best in (response, stable) if best is not None and best.day is not None]
    return min(found, key=lambda best: best.day or 0.0, default=None)
