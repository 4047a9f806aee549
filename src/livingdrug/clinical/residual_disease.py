"""Measurable residual disease as an endpoint: whether it was ever negative, and for how long.

Below detection is negative only where the assay was sensitive enough to say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from livingdrug.clinical.endpoint_sources import (
    DEATH,
    PROGRESSION,
    TREATMENT,
    TREATMENT_WITHOUT_TRANSPLANT,
    CensorSource,
    EventSource,
    TimeToEvent,
    build_timeline,
    derive_time_to_event,
)
from livingdrug.clinical.visits import Measured, build_visits
from livingdrug.core.assessment import Endpoint, ResponseCourse, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset, Truth

VARIABLE = "mrd"
THRESHOLDS = {"myeloma": "mrd_negative_myeloma", "b_all": "mrd_negative_b_all"}


@dataclass(frozen=True, slots=True)
class ResidualSample:
    """One sample: its day and row, and whether it was negative."""

    day: float
    row: int
    is_negative: Truth


def find_residual_samples(tables: SubjectTables, threshold: float) -> tuple[ResidualSample, ...]:
    """Return the samples after infusion, by day.

    Not detected is negative where the limit of the assay is no higher than the threshold, and unknown
    otherwise; so is a plain 0 without a limit.

    Parameters
    ----------
    threshold : float
        Fraction of cells below which a sample is negative.
    """
    visits = build_visits(tables.observations, (VARIABLE,))
    found = [visit.measured[VARIABLE] for visit in visits if visit.day > 0]
    return tuple(ResidualSample(m.day, m.row, judge_residual(m, threshold)) for m in found)


def judge_residual(measured: Measured, threshold: float) -> Truth:
    """Return whether a sample is negative.

    Examples
    --------
    >>> judge_residual(Measured(0.0, None, 0, 28.0, limit=1e-6), 1e-5).value
    'true'
    >>> judge_residual(Measured(0.0, None, 0, 28.0, limit=1e-4), 1e-5).value
    'unknown'
    >>> judge_residual(Measured(1e-5, None, 0, 28.0), 1e-5).value
    'false'
    """
    if measured.value is None:
        return Truth.UNKNOWN
    if measured.value > 0:
        return Truth.of(measured.value < threshold)
    is_sensitive = measured.limit is not None and measured.limit <= threshold * (1 + 1e-9)
    return Truth.TRUE if is_sensitive else Truth.UNKNOWN


def choose_threshold(disease: str, rules: Ruleset, given: float = 0.0) -> float:
    """Return the fraction of cells below which residual disease is negative, in a disease."""
    return given if given > 0 else rules.threshold(THRESHOLDS.get(disease, "mrd_negative_other"))


def derive_residual_disease(
    course: ResponseCourse, tables: SubjectTables, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[Endpoint, ...]:
    """Derive ``mrd_negative`` and ``mrd_negative_duration``; nothing where it was not measured after infusion.

    Parameters
    ----------
    rules : Ruleset
        ``endpoints/1``.
    chosen : mapping
        Every option of it.
    """
    threshold = choose_threshold(str(tables.subject.get("disease", "")), rules, float(chosen["mrd_threshold"]))
    samples = find_residual_samples(tables, threshold)
    if not samples:
        return ()
    timeline = build_timeline(course, tables)
    treatment = TREATMENT if chosen["transplant"] == "therapy" else TREATMENT_WITHOUT_TRANSPLANT
    earliest, latest = _find_window(course, treatment.find(timeline), chosen)
    first = next(
        (s.day for s in samples if s.is_negative == Truth.TRUE and earliest <= s.day <= latest),
        None,
    )
    back = next((s.day for s in samples if first is not None and s.day > first and s.is_negative == Truth.FALSE), None)
    known = [s.day for s in samples if s.is_negative != Truth.UNKNOWN]
    words = f"residual disease below {threshold:g}"
    definition = TimeToEvent(
        "mrd_negative_duration",
        EventSource("mrd_negative", lambda _: first, f"sample with {words}"),
        (EventSource("mrd_positive", lambda _: back, "residual disease again"), PROGRESSION, DEATH),
        CensorSource(
            "last sample",
            lambda _, limit: max((d for d in known if d <= limit), default=None),
            "no residual disease in the last sample",
        ),
        (treatment,) if chosen["new_therapy"] == "censor" else (),
    )
    answer = _say_negative(first, samples, words, timeline.infusion, course.reader)
    return answer, derive_time_to_event(definition, timeline)[0]


def _find_window(
    course: ResponseCourse, treatment: float | None, chosen: Mapping[str, OptionValue]
) -> tuple[float, float]:
    """Return the first and the last day on which a negative sample counts."""
    earliest = -inf
    if chosen["mrd_needs"] == "complete_response":
        earliest = inf if course.complete_response_day is None else course.complete_response_day
    ends = (course.progression_day, treatment)
    return earliest, min((day for day in ends if day is not None), default=inf)


def _say_negative(
    first: float | None, samples: tuple[ResidualSample, ...], words: str, infusion: float, reader: str
) -> Endpoint:
    name = "mrd_negative"
    if first is not None:
        return Endpoint(name, "event", first, "Y", f"{words} on day {first:g}", infusion, reader)
    last = samples[-1].day
    if all(s.is_negative == Truth.UNKNOWN for s in samples):
        reason = "no sample was sensitive enough to tell"
        return Endpoint(name, "censored", last, "NE", reason, infusion, reader)
    return Endpoint(name, "censored", last, "N", f"no sample with {words} before progression", infusion, reader)
