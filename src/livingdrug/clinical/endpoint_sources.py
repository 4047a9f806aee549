"""What endpoints are made of, as values: where time starts, which events count, where observation ends.

An endpoint is a :class:`TimeToEvent`: its start, its events, what cuts observation short, and whether one
must have been assessed to be known to be free of it. :func:`derive_time_to_event` turns one into a day, a
status and a reason, for one subject's :class:`Timeline`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import polars as pl

from livingdrug.clinical.history import NEW_THERAPY, Happening, find_disease_death, find_first, read_history
from livingdrug.core.assessment import Endpoint, ResponseCourse, SubjectTables

ADEQUATE = "last adequate assessment"


@dataclass(frozen=True, slots=True)
class Timeline:
    """One subject's course and events, and until when anything is known.

    Parameters
    ----------
    course : ResponseCourse
    history : tuple of Happening, by day
    infusion : float [day]
    last_row : float or None [day]
        Of the last row of any kind.
    """

    course: ResponseCourse
    history: tuple[Happening, ...]
    infusion: float
    last_row: float | None


@dataclass(frozen=True, slots=True)
class EventSource:
    """One thing that counts as an event, or that starts or cuts an observation.

    Parameters
    ----------
    name : str
    find : function of a Timeline to a day, or to None where it did not happen
    reason : str
        What to say of it.
    """

    name: str
    find: Callable[[Timeline], float | None]
    reason: str


@dataclass(frozen=True, slots=True)
class CensorSource:
    """Until when a subject without an event was observed.

    Parameters
    ----------
    name : str
    find : function of a Timeline and of a day that it must not go beyond, to a day, or to None
    reason : str
    """

    name: str
    find: Callable[[Timeline, float], float | None]
    reason: str


@dataclass(frozen=True, slots=True)
class Missed:
    """When an event comes after too long a silence to be dated.

    Parameters
    ----------
    most : int
        An event after so many missed assessments is censored before them; 0: never.
    interval, window : float [day]
        Planned between assessments, 0 where not known; and how late one may be.
    """

    most: int = 0
    interval: float = 0.0
    window: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeToEvent:
    """A time-to-event endpoint.

    Parameters
    ----------
    name : str
    start : EventSource
    events : tuple of EventSource
        The first one counts; of several on one day the one that stands first here.
    censor : CensorSource
    cuts : tuple of EventSource
        What ends observation without being an event.
    missed : Missed
    """

    name: str
    start: EventSource
    events: tuple[EventSource, ...]
    censor: CensorSource
    cuts: tuple[EventSource, ...] = ()
    missed: Missed = Missed()


def build_timeline(course: ResponseCourse, tables: SubjectTables) -> Timeline:
    """Read one subject's events once.

    Examples
    --------
    >>> events = pl.DataFrame({"day": [-40.0, 0.0], "type": ["leukapheresis", "car_t"]})
    >>> course = ResponseCourse("PR", 28.0, "PR", 28.0, 28.0, None, None, assessed_days=(28.0, 56.0))
    >>> rows = pl.DataFrame({"day": [90.0]})
    >>> timeline = build_timeline(course, SubjectTables({}, events, rows))
    >>> timeline.infusion, timeline.last_row
    (0.0, 90.0)
    """
    history = read_history(tables.events)
    last = [_find_last_day(table) for table in (tables.events, tables.observations)]
    days = [*(day for day in last if day is not None), *course.assessed_days, *course.missed_days]
    return Timeline(course, history, find_first(history, ("car_t",)) or 0.0, max(days, default=None))


def _find_last_day(table: pl.DataFrame) -> float | None:
    last = table["day"].max() if "day" in table.columns else None
    return float(last) if isinstance(last, int | float) else None


def find_treatment(timeline: Timeline, *, with_transplant: bool = True) -> float | None:
    """Return the day of the first new treatment after infusion."""
    types = [kind for kind in NEW_THERAPY if with_transplant or kind != "transplant"]
    return find_first([event for event in timeline.history if event.day > timeline.infusion], types)


def find_death(timeline: Timeline) -> float | None:
    """Return the day of death."""
    return find_first(timeline.history, ("death",))


def find_death_from_disease(timeline: Timeline) -> float | None:
    """Return the day of a death whose note names the disease."""
    return find_disease_death(timeline.history)


def find_recorded_relapse(timeline: Timeline) -> float | None:
    """Return the day of a relapse or progression as the treating team recorded it."""
    return find_first([e for e in timeline.history if e.day > timeline.infusion], ("relapse", "progression"))


def find_progression(timeline: Timeline, *, is_presumptive: bool = False) -> float | None:
    """Return the day of progression by the criteria: of one that is confirmed, or of one that is not."""
    is_it = timeline.course.is_progression_presumptive == is_presumptive
    return timeline.course.progression_day if is_it else None


def find_last_assessment(timeline: Timeline, limit: float, *, before_presumptive: bool = False) -> float | None:
    """Return the day of the last adequate assessment up to a day.

    Parameters
    ----------
    before_presumptive : bool
        Leave out those from a progression on that nothing confirmed.
    """
    doubtful = find_progression(timeline, is_presumptive=True) if before_presumptive else None
    days = [d for d in timeline.course.assessed_days if d <= limit and (doubtful is None or d < doubtful)]
    return max(days, default=None)


def find_last_contact(timeline: Timeline, limit: float, *, with_any_row: bool = True) -> float | None:
    """Return the last day on which the subject was known to be alive, up to a day."""
    days = [event.day for event in timeline.history if event.type == "last_contact"]
    if with_any_row and timeline.last_row is not None:
        days.append(timeline.last_row)
    return min(max(days), limit) if days else None


INFUSION = EventSource("infusion", lambda timeline: timeline.infusion, "infusion")
LEUKAPHERESIS = EventSource("leukapheresis", lambda t: find_first(t.history, ("leukapheresis",)), "leukapheresis")
ENROLMENT = EventSource("enrolment", lambda t: find_first(t.history, ("enrolment",)), "enrolment")
RESPONSE = EventSource("response", lambda t: t.course.response_day, "confirmed response")
COMPLETE_RESPONSE = EventSource(
    "complete_response", lambda t: t.course.complete_response_day, "confirmed complete response"
)
PROGRESSION = EventSource("progression", find_progression, "progression")
PRESUMPTIVE = EventSource(
    "presumptive_progression",
    lambda timeline: find_progression(timeline, is_presumptive=True),
    "progression that nothing confirmed (presumptive)",
)
RECORDED_RELAPSE = EventSource(
    "recorded_relapse", find_recorded_relapse, "relapse as the treating team recorded it (presumptive)"
)
DISEASE_DEATH = EventSource("disease_death", find_death_from_disease, "death from the disease")
DEATH = EventSource("death", find_death, "death")
TREATMENT = EventSource("new_therapy", find_treatment, "new treatment")
TREATMENT_WITHOUT_TRANSPLANT = EventSource(
    "new_therapy", lambda timeline: find_treatment(timeline, with_transplant=False), "new treatment"
)


def derive_time_to_event(definition: TimeToEvent, timeline: Timeline) -> tuple[Endpoint, EventSource | None]:
    """Derive one endpoint of one subject, and which of its events it was.

    Where the start is not known, or the endpoint is not defined without it, the day is None. A subject
    who was never assessed is censored at the start, and the reason says so.

    Examples
    --------
    >>> survival = TimeToEvent("overall_survival", INFUSION, (DEATH,),
    ...                        CensorSource("last contact", find_last_contact, "alive at last contact"))
    >>> course = ResponseCourse("PR", 28.0, "PR", 28.0, 28.0, None, None)
    >>> timeline = Timeline(course, (Happening(70.0, "death", "sepsis", 0.0),), 0.0, 70.0)
    >>> endpoint, source = derive_time_to_event(survival, timeline)
    >>> endpoint.status, endpoint.day, endpoint.value, endpoint.reason, source.name
    ('event', 70.0, '70', 'death on day 70', 'death')
    """
    start = definition.start.find(timeline)
    if start is None:
        reason = f"not defined: no {definition.start.reason} in the record"
        return Endpoint(definition.name, "censored", None, "", reason, None, timeline.course.reader), None
    found = _find_earliest(definition.events, timeline, start)
    cut = _find_earliest(definition.cuts, timeline, start)
    if found is not None and (cut is None or found[0] <= cut[0]):
        silence = _explain_silence(definition, timeline, start, found)
        if not silence:
            reason = f"{found[1].reason} on day {found[0]:g}"
            return _tell(definition.name, "event", start, found[0], reason, timeline), found[1]
        # the event itself must not be the last adequate assessment
        before = max((d for d in timeline.course.assessed_days if d < found[0]), default=-inf)
        return _censor(definition, timeline, start, before, silence), None
    ending = "" if cut is None else f"{cut[1].reason} on day {cut[0]:g}"
    return _censor(definition, timeline, start, inf if cut is None else cut[0], ending), None


def _find_earliest(
    sources: tuple[EventSource, ...], timeline: Timeline, start: float
) -> tuple[float, EventSource] | None:
    days = [(day, place) for place, source in enumerate(sources) if (day := source.find(timeline)) is not None]
    inside = [(day, place) for day, place in days if day >= start]
    if not inside:
        return None
    day, place = min(inside)
    return day, sources[place]


def _explain_silence(
    definition: TimeToEvent, timeline: Timeline, start: float, found: tuple[float, EventSource]
) -> str:
    """Say why an event comes too late to be dated; empty where it does not."""
    day, source = found
    missed = definition.missed
    if missed.most <= 0 or source.name == "new_therapy":
        return ""
    last = max((d for d in timeline.course.assessed_days if start <= d < day), default=start)
    recorded = sum(last < d < day for d in timeline.course.missed_days)
    planned = 0 if missed.interval <= 0 else max(0, -int(-(day - last - missed.window) // missed.interval) - 1)
    count = max(recorded, planned)
    return f"{source.reason} on day {day:g} after {count} missed assessments" if count >= missed.most else ""


def _censor(definition: TimeToEvent, timeline: Timeline, start: float, limit: float, ending: str) -> Endpoint:
    last = definition.censor.find(timeline, limit)
    because = f"; {ending}" if ending else ""
    if last is None or last < start:
        is_assessed = definition.censor.name == ADEQUATE
        lack = f"no adequate assessment after {definition.start.reason}" if is_assessed else "no later contact"
        return _tell(definition.name, "censored", start, start, f"{lack}, so censored at the start{because}", timeline)
    reason = f"{definition.censor.reason} on day {last:g}{because}"
    return _tell(definition.name, "censored", start, last, reason, timeline)


def _tell(name: str, status: str, start: float, day: float, reason: str, timeline: Timeline) -> Endpoint:
    is_event = status == "event"
    reader = timeline.course.reader
    return Endpoint(name, "event" if is_event else "censored", day, f"{day - start:g}", reason, start, reader)
