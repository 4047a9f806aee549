"""The state machine that confirms responses and progression, for many subjects at once.

A response or progression needs two consecutive assessments; what imaging or marrow shows needs no second.
The date is that of the first of the two. Source: kumar2016; the reading visit by visit is the usual one of
statistical analysis plans.
"""

from dataclasses import dataclass

import numpy as np

from livingdrug.clinical.panel import Bools, Codes, Floats, Ints
from livingdrug.core.outcome import Response

IMAGING, MARROW, LATER_SAMPLE, DEATH = "imaging", "marrow", "next sample", "death from myeloma"
"""How a progression was confirmed."""
ROUTES = ("", IMAGING, MARROW, LATER_SAMPLE, DEATH)
LEVELS = (Response.SD, Response.MR, Response.PR, Response.VGPR, Response.CR, Response.SCR)
NE, PD, SD = (np.int8(Response(name).rank) for name in ("NE", "PD", "SD"))


@dataclass(frozen=True, slots=True)
class Seen:
    """What the visits showed, as arrays of (visit, subject).

    Parameters
    ----------
    day : float
    category : rank in ``Response``
    is_visit : where there is a visit that counts at all
    is_imaging, is_marrow, is_after_therapy : bool
    route : place in ``ROUTES`` of how a site says that a progression was confirmed
    death : (subject,) day of a death from the disease, NaN where there is none
    """

    day: Floats
    category: Codes
    is_visit: Bools
    is_imaging: Bools
    is_marrow: Bools
    is_after_therapy: Bools
    route: Codes
    death: Floats

    @property
    def is_known(self) -> Bools:
        """Where a visit could be assessed."""
        return self.is_visit & (self.category > NE)

    def take(self, subject: int) -> "Seen":
        """Return what the visits of one subject showed."""
        count = max(int(np.count_nonzero(~np.isnan(self.day[:, subject]))), 1)
        here = (slice(count), slice(subject, subject + 1))
        return Seen(
            self.day[here],
            self.category[here],
            self.is_visit[here],
            self.is_imaging[here],
            self.is_marrow[here],
            self.is_after_therapy[here],
            self.route[here],
            self.death[here[1]],
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """The conventions of confirmation.

    Parameters
    ----------
    unconfirmed : rank of what a response without a second sample is shown as
    missing_between : visits that cannot be assessed, at most, between the two samples
    sustained_days : how long a response must last; 0: the next assessment decides
    """

    unconfirmed: int = Response.SD.rank
    missing_between: float = np.inf
    sustained_days: float = 0.0


@dataclass(frozen=True, slots=True)
class Courses:
    """What is confirmed: (visit, subject), or (subject,) for the course.

    Parameters
    ----------
    at_visit : rank of what of a visit alone is confirmed
    confirmed, first_day : best by then, and the day from which it holds; progression is final
    route : place in ``ROUTES``
    gap : days to the sample that confirms a response
    best, best_unconfirmed : (subject,)
    level_days : (level, subject) day from which each of ``LEVELS``, or a better one, was confirmed
    progression, presumptive : (subject,) before new therapy; presumptive where nothing confirms it
    any_progression : (subject,) whatever the therapy
    """

    at_visit: Codes
    confirmed: Codes
    first_day: Floats
    route: Codes
    gap: Floats
    best: Codes
    best_unconfirmed: Codes
    level_days: Floats
    progression: Floats
    presumptive: Floats
    any_progression: Floats

    def take(self, subject: int, visits: int) -> "Courses":
        """Return what is confirmed of one subject, who has so many visits."""
        own = slice(subject, subject + 1)
        here = (slice(visits), own)
        return Courses(
            self.at_visit[here],
            self.confirmed[here],
            self.first_day[here],
            self.route[here],
            self.gap[here],
            self.best[own],
            self.best_unconfirmed[own],
            self.level_days[:, own],
            self.progression[own],
            self.presumptive[own],
            self.any_progression[own],
        )


@dataclass(frozen=True, slots=True)
class _Following:
    """The assessments after each visit: the worst up to the one that decides, its day, and what lies between."""

    worst: Codes
    day: Floats
    missed: Ints
    is_broken: Bools

    @property
    def is_there(self) -> Bools:
        return ~np.isnan(self.day)


def confirm(seen: Seen, settings: Settings) -> Courses:
    """Confirm what the visits showed.

    Examples
    --------
    >>> from livingdrug.core.outcome import Response
    >>> category = np.array([[Response(name).rank] for name in ("PR", "VGPR", "VGPR")], dtype=np.int8)
    >>> no, yes = np.zeros((3, 1), dtype=bool), np.ones((3, 1), dtype=bool)
    >>> day, no_route = np.array([[28.0], [56.0], [90.0]]), np.zeros((3, 1), dtype=np.int8)
    >>> courses = confirm(Seen(day, category, yes, no, no, no, no_route, np.array([np.nan])), Settings())
    >>> [tuple(Response)[code].value for code in courses.at_visit[:, 0]]
    ['PR', 'VGPR', 'SD']
    """
    following = _find_following(seen, 0.0)
    lasting = following if settings.sustained_days <= 0 else _find_following(seen, settings.sustained_days)
    is_held = lasting.is_there & ~lasting.is_broken & (lasting.missed <= settings.missing_between)
    response = np.where(is_held, np.minimum(seen.category, lasting.worst), settings.unconfirmed)
    route = _find_route(seen, following)
    at_visit = np.where(seen.category > SD, response, SD)
    at_visit = np.where(seen.category == PD, np.where(route > 0, PD, NE), at_visit)
    at_visit = np.where(seen.is_known, at_visit, NE).astype(np.int8)
    gap = np.where(is_held & seen.is_known & (seen.category > SD), lasting.day - seen.day, np.nan)
    return _run(seen, at_visit, np.where(seen.is_known & (seen.category == PD), route, 0).astype(np.int8), gap)


def _find_following(seen: Seen, days: float) -> _Following:
    """Look from each visit to the assessments after it, until the first that is so many days later."""
    worst, day = seen.category.copy(), np.full(seen.day.shape, np.nan)
    missed, is_broken = np.zeros(seen.day.shape, dtype=np.int64), np.zeros(seen.day.shape, dtype=bool)
    known, breaks = seen.is_known, (seen.category == PD) | seen.is_after_therapy
    for visit in range(len(seen.day) - 1):
        is_open = known[visit].copy()
        for later in range(visit + 1, len(seen.day)):
            if not is_open.any():
                break
            counts = is_open & known[later]
            missed[visit] += is_open & seen.is_visit[later] & ~known[later]
            is_broken[visit] |= counts & breaks[later]
            worst[visit] = np.where(counts, np.minimum(worst[visit], seen.category[later]), worst[visit])
            is_last = counts & (seen.day[later] - seen.day[visit] >= days)
            day[visit] = np.where(is_last, seen.day[later], day[visit])
            is_open &= ~is_last
    return _Following(worst, day, missed, is_broken)


def _find_route(seen: Seen, following: _Following) -> Codes:
    """Return how a progression is confirmed at each visit."""
    # the worst of a progression and the next assessment is a progression either way: ask for the next alone
    is_second = following.is_there & _is_next_progression(seen)
    is_dead = (seen.death >= seen.day) & ~(following.day <= seen.death)
    conditions = [seen.is_imaging, seen.is_marrow, is_second, is_dead]
    own = np.select(conditions, [np.full(seen.day.shape, place) for place in range(1, len(ROUTES))], 0)
    return np.where(own > 0, own, seen.route).astype(np.int8)


def _is_next_progression(seen: Seen) -> Bools:
    """Return where the next assessment shows progression."""
    found, later = np.zeros(seen.day.shape, dtype=bool), np.zeros(seen.day.shape[1], dtype=bool)
    for visit in reversed(range(len(seen.day))):
        found[visit] = later
        later = np.where(seen.is_known[visit], seen.category[visit] == PD, later)
    return found


def _run(seen: Seen, at_visit: Codes, route: Codes, gap: Floats) -> Courses:
    """Follow the best that is confirmed from visit to visit, up to progression."""
    count = seen.day.shape[1]
    best, best_unconfirmed = np.full(count, NE), np.full(count, NE)
    progression, any_progression, last_known = (np.full(count, np.nan) for _ in range(3))
    is_last_progression = np.zeros(count, dtype=bool)
    level_days = np.full((len(LEVELS), count), np.nan)
    confirmed, first_day = np.full(seen.day.shape, NE), np.full(seen.day.shape, np.nan)
    known = seen.is_known
    for visit, day in enumerate(seen.day):
        now, shown = at_visit[visit], seen.category[visit]
        is_before = seen.is_visit[visit] & ~seen.is_after_therapy[visit]
        counts = is_before & np.isnan(progression)
        any_progression = np.where(np.isnan(any_progression) & (now == PD) & seen.is_visit[visit], day, any_progression)
        best_unconfirmed = np.where(
            counts & (now != PD) & (shown != PD), np.maximum(best_unconfirmed, shown), best_unconfirmed
        )
        progression = np.where(counts & (now == PD), day, progression)
        is_better = counts & (now >= SD)
        best = np.where(is_better, np.maximum(best, now), best)
        for place, level in enumerate(LEVELS):
            is_first = is_better & (now >= level.rank) & np.isnan(level_days[place])
            level_days[place] = np.where(is_first, day, level_days[place])
        last_known = np.where(known[visit] & is_before, day, last_known)
        is_last_progression = np.where(known[visit] & is_before, shown == PD, is_last_progression)
        has_ended = ~np.isnan(progression)
        confirmed[visit] = np.where(has_ended, PD, best)
        own = level_days[np.maximum(best - SD, 0), np.arange(count)]
        first_day[visit] = np.where(has_ended, progression, np.where(best >= SD, own, np.nan))
    presumptive = np.where(np.isnan(progression) & is_last_progression, last_known, np.nan)
    return Courses(
        at_visit,
        confirmed,
        first_day,
        route,
        gap,
        best,
        best_unconfirmed,
        level_days,
        progression,
        presumptive,
        any_progression,
    )
