"""Endpoints of one subject from the confirmed course and the record: response, and time to events.

Progression-free survival and its relatives are censored at the last adequate assessment, overall survival
at the last contact. Every convention is an option of the ruleset ``endpoints/1``; every endpoint says from
where time is counted and why it ends where it does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from livingdrug.clinical.endpoint_sources import (
    ADEQUATE,
    COMPLETE_RESPONSE,
    DEATH,
    DISEASE_DEATH,
    ENROLMENT,
    INFUSION,
    LEUKAPHERESIS,
    PRESUMPTIVE,
    PROGRESSION,
    RECORDED_RELAPSE,
    RESPONSE,
    TREATMENT,
    TREATMENT_WITHOUT_TRANSPLANT,
    CensorSource,
    EventSource,
    Missed,
    Timeline,
    TimeToEvent,
    build_timeline,
    derive_time_to_event,
    find_last_assessment,
    find_last_contact,
)
from livingdrug.clinical.residual_disease import derive_residual_disease
from livingdrug.core.assessment import Endpoint, ResponseCourse, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset

YES, NO, NOT_EVALUABLE = "Y", "N", "NE"
NOTHING = ("", "NE", "ND", "MISSING")
STARTS: Mapping[str, EventSource] = {"infusion": INFUSION, "leukapheresis": LEUKAPHERESIS, "enrolment": ENROLMENT}
COMPETING = ("progression_incidence", "non_relapse_mortality")
"""The two ways to leave progression-free survival, for cumulative incidence."""


def derive_endpoints(
    course: ResponseCourse, tables: SubjectTables, rules: Ruleset, **options: OptionValue
) -> tuple[Endpoint, ...]:
    """Derive the endpoints of one subject, by one reader.

    Parameters
    ----------
    course : ResponseCourse
    tables : SubjectTables
    rules : Ruleset
        ``endpoints/1``.
    options
        In place of the ruleset's.

    Returns
    -------
    endpoints : tuple of Endpoint
        ``confirmed_response``, ``unconfirmed_response``, ``confirmed_complete_response``;
        ``confirmed_best_overall_response``, ``unconfirmed_best_overall_response``, and ``best_overall_response``,
        which is the confirmed one unless the criteria say otherwise;
        ``time_to_response``, ``time_to_complete_response``; ``duration_of_response``,
        ``progression_free_survival``, ``event_free_survival``, ``relapse_free_survival``,
        ``time_to_progression``, ``time_to_next_treatment``, ``overall_survival``; ``progression_incidence``
        and ``non_relapse_mortality``, which compete; and those of residual disease where it was measured.
        One that is not defined, such as the duration of a response that never was, has no day.

    Raises
    ------
    InputError
        If an option or a choice does not exist.
    """
    chosen = rules.choose(options)
    timeline = build_timeline(course, tables)
    definitions = define_endpoints(chosen)
    derived = {d.name: derive_time_to_event(d, timeline) for d in definitions}
    times = [_explain_doubt(endpoint, timeline, chosen) for endpoint, _ in derived.values()]
    return (
        *_derive_responses(timeline),
        *times,
        *_derive_competing(*derived["progression_free_survival"], timeline),
        *derive_residual_disease(course, tables, rules, chosen),
    )


def define_endpoints(chosen: Mapping[str, OptionValue]) -> tuple[TimeToEvent, ...]:
    """Return the definitions of the time-to-event endpoints as the options have them.

    Parameters
    ----------
    chosen : mapping
        Every option of ``endpoints/1``.
    """
    start = STARTS[str(chosen["start"])]
    progressions = _list_progressions(chosen)
    treatment = TREATMENT if chosen["transplant"] == "therapy" else TREATMENT_WITHOUT_TRANSPLANT
    missed = Missed(
        int(float(chosen["missed_assessments"])),
        float(chosen["assessment_interval_days"]),
        float(chosen["assessment_window_days"]),
    )
    adequate = _define_adequate(is_doubt_counted=chosen["presumptive_progression"] == "event")
    contact = CensorSource(
        "last contact",
        partial(find_last_contact, with_any_row=chosen["last_contact"] == "any_row"),
        "alive at last contact",
    )
    as_event = (treatment,) if chosen["new_therapy"] == "event" else ()
    as_cut = (treatment,) if chosen["new_therapy"] == "censor" else ()
    ends = (*progressions, *as_event)
    from_disease = chosen["duration_death"] == "disease"
    response_ends = (*ends, DISEASE_DEATH) if from_disease else (*ends, DEATH)
    response_cuts = (*as_cut, DEATH) if from_disease else as_cut
    untreated = (treatment, DEATH) if chosen["next_treatment_death"] == "event" else (treatment,)
    failures = (*progressions, *_list_no_response(chosen), DEATH, treatment)
    first_response = (RESPONSE,), adequate, (*progressions, treatment, DEATH)
    first_complete = (COMPLETE_RESPONSE,), adequate, (*progressions, treatment, DEATH)
    cut_by_death = () if chosen["next_treatment_death"] == "event" else (DEATH,)
    return (
        TimeToEvent("time_to_response", start, *first_response),
        TimeToEvent("time_to_complete_response", start, *first_complete),
        TimeToEvent("duration_of_response", RESPONSE, response_ends, adequate, response_cuts, missed),
        TimeToEvent("progression_free_survival", start, (*ends, DEATH), adequate, as_cut, missed),
        TimeToEvent("event_free_survival", start, failures, adequate, (), missed),
        TimeToEvent("relapse_free_survival", COMPLETE_RESPONSE, (*ends, DEATH), adequate, as_cut, missed),
        TimeToEvent("time_to_progression", start, (*ends, DISEASE_DEATH), adequate, (*as_cut, DEATH), missed),
        TimeToEvent("time_to_next_treatment", start, untreated, contact, cut_by_death),
        TimeToEvent("overall_survival", start, (DEATH,), contact),
    )


def _list_progressions(chosen: Mapping[str, OptionValue]) -> tuple[EventSource, ...]:
    doubtful = (PRESUMPTIVE,) if chosen["presumptive_progression"] == "event" else ()
    recorded = (RECORDED_RELAPSE,) if chosen["recorded_relapse"] == "event" else ()
    return (PROGRESSION, *doubtful, *recorded)


def _define_adequate(*, is_doubt_counted: bool) -> CensorSource:
    find = partial(find_last_assessment, before_presumptive=not is_doubt_counted)
    return CensorSource(ADEQUATE, find, "no event by the last adequate assessment")


def _list_no_response(chosen: Mapping[str, OptionValue]) -> tuple[EventSource, ...]:
    """Return lack of a response by a day as an event, where the options ask for it."""
    wait = float(chosen["no_response_day"])

    def find(timeline: Timeline) -> float | None:
        course, day = timeline.course, timeline.infusion + wait
        is_late = course.response_day is None or course.response_day > day
        return day if is_late and any(d >= day for d in course.assessed_days) else None

    return (EventSource("no_response", find, "no confirmed response"),) if wait > 0 else ()


def _derive_responses(timeline: Timeline) -> tuple[Endpoint, ...]:
    course = timeline.course
    found = (
        ("confirmed_response", course.response_day, "confirmed response"),
        ("unconfirmed_response", course.unconfirmed_response_day, "response, confirmed or not"),
        ("confirmed_complete_response", course.complete_response_day, "confirmed complete response"),
    )
    return (
        *(_say_response(name, day, words, timeline) for name, day, words in found),
        _say_best("best_overall_response", course.best, course.best_day, timeline),
        _say_best("confirmed_best_overall_response", course.best, course.best_day, timeline),
        _say_best("unconfirmed_best_overall_response", course.best_unconfirmed, None, timeline),
    )


def _say_response(name: str, day: float | None, words: str, timeline: Timeline) -> Endpoint:
    course = timeline.course
    if day is not None:
        return Endpoint(name, "event", day, YES, f"{words} from day {day:g}", timeline.infusion, course.reader)
    last = max(course.assessed_days, default=None)
    value, reason = NO, f"no {words}"
    if last is None:
        value, reason = NOT_EVALUABLE, "no adequate assessment: not a response, but not known to be none"
    return Endpoint(name, "censored", last, value, reason, timeline.infusion, course.reader)


def _say_best(name: str, category: str, day: float | None, timeline: Timeline) -> Endpoint:
    is_open = category in NOTHING
    status: Literal["event", "censored"] = "censored" if is_open else "event"
    reason = "no category could be assessed" if is_open else "best category before progression and new treatment"
    return Endpoint(name, status, day, category or NOT_EVALUABLE, reason, timeline.infusion, timeline.course.reader)


def _explain_doubt(endpoint: Endpoint, timeline: Timeline, chosen: Mapping[str, OptionValue]) -> Endpoint:
    """Name a progression that was left out because nothing confirmed it."""
    day = timeline.course.progression_day
    is_left_out = timeline.course.is_progression_presumptive and chosen["presumptive_progression"] == "ignore"
    if not is_left_out or day is None or endpoint.status == "event" or endpoint.day is None:
        return endpoint
    if endpoint.name in ("overall_survival", "time_to_next_treatment"):
        return endpoint
    return replace(endpoint, reason=f"{endpoint.reason}; progression on day {day:g} was not confirmed, so not counted")


def _derive_competing(survival: Endpoint, source: EventSource | None, timeline: Timeline) -> tuple[Endpoint, ...]:
    """Split progression-free survival into its two events, each of which rules out the other.

    A death without progression counts as one from the disease only where its note says so.
    """
    if source is None or survival.day is None:
        return tuple(replace(survival, name=name) for name in COMPETING)
    words, is_other = source.reason, False
    if source.name == "death":
        is_other = DISEASE_DEATH.find(timeline) is None
        words = "death without progression" if is_other else DISEASE_DEATH.reason
    mine, other = COMPETING[::-1] if is_other else COMPETING
    return (
        replace(survival, name=mine, reason=f"{words} on day {survival.day:g}"),
        replace(survival, name=other, status="censored", reason=f"competing event: {words} on day {survival.day:g}"),
    )


def join_endpoints(own: Iterable[Endpoint], derived: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """Put the endpoints of the criteria before the general ones; of the same name and reader theirs stands.

    Examples
    --------
    >>> own = (Endpoint("best_overall_response", "event", 56.0, "VGPR", "by the criteria"),)
    >>> general = (Endpoint("best_overall_response", "event", 56.0, "PR", "in general"),)
    >>> [endpoint.value for endpoint in join_endpoints(own, general)]
    ['VGPR']
    """
    own = tuple(own)
    known = {(endpoint.name, endpoint.reader) for endpoint in own}
    return (*own, *(endpoint for endpoint in derived if (endpoint.name, endpoint.reader) not in known))
