"""One subject's events, read once: new treatment, relapse as recorded, death from the disease, antibodies."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

NEW_THERAPY = ("next_therapy", "second_infusion", "other_car_t", "transplant")
IGG_KAPPA_ANTIBODIES = ("daratumumab", "isatuximab", "elotuzumab")
COLUMNS = ("day", "type", "note", "duration_days")
DISEASE_WORDS = ("myeloma", "lymphoma", "leukaemia", "leukemia", "progress", "relapse")
DENIALS = ("no ", "not ", "non-", "without", "unrelated", "other than", "remission", "free")
OTHER_CANCER = ("secondary leuk", "secondary lymph", "secondary acute", "second primary", "therapy-related")


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: its day, type, note in small letters, and duration in days."""

    day: float
    type: str
    note: str
    duration: float


def read_history(events: pl.DataFrame) -> tuple[Happening, ...]:
    """Return one subject's events, by day.

    Parameters
    ----------
    events : table
        ``day, type`` and, as far as there are, ``note, duration_days``.
    """
    return _order(_read_rows(events))


def read_histories(events: pl.DataFrame, subjects: Sequence[str]) -> list[tuple[Happening, ...]]:
    """Return the events of each of some subjects, by day.

    Examples
    --------
    >>> events = pl.DataFrame({"subject_id": ["b", "a"], "day": [50.0, 0.0], "type": ["death", "car_t"]})
    >>> [[event.type for event in history] for history in read_histories(events, ["a", "b", "c"])]
    [['car_t'], ['death'], []]
    """
    own: dict[str, list[Happening]] = {subject: [] for subject in subjects}
    for subject, event in zip(events["subject_id"].to_list(), _read_rows(events), strict=True):
        if subject in own:
            own[subject].append(event)
    return [_order(history) for history in own.values()]


def _read_rows(events: pl.DataFrame) -> list[Happening]:
    columns = [events[name].to_list() if name in events.columns else [None] * len(events) for name in COLUMNS]
    rows = zip(*columns, strict=True)
    return [Happening(day, kind, (note or "").lower(), duration or 0.0) for day, kind, note, duration in rows]


def _order(history: list[Happening]) -> tuple[Happening, ...]:
    return tuple(sorted(history, key=lambda event: (event.day, event.type, event.note)))


def find_first(history: Sequence[Happening], types: Sequence[str]) -> float | None:
    """Return the day of the first event of some types; None if there is none."""
    return next((event.day for event in history if event.type in types), None)


def find_new_therapy(history: Sequence[Happening]) -> float | None:
    """Return the day of the first new treatment after infusion; None if there was none."""
    return find_first([event for event in history if event.day > 0], NEW_THERAPY)


def find_start(history: Sequence[Happening], kind: str) -> float:
    """Return the day before which the baseline lies: that of the first event of a type up to day 0, or day 0."""
    return find_first([event for event in history if event.day <= 0], (kind,)) or 0.0


def find_disease_death(history: Sequence[Happening]) -> float | None:
    """Return the day of a death from the disease; a note that denies it, or names something else, is no such death.

    Examples
    --------
    >>> notes = ["progressive myeloma", "sepsis, myeloma in remission"]
    >>> [find_disease_death([Happening(200.0, "death", note, 0.0)]) for note in notes]
    [200.0, None]
    """
    for event in history:
        is_named = any(word in event.note for word in DISEASE_WORDS)
        if event.type == "death" and is_named and not any(word in event.note for word in (*DENIALS, *OTHER_CANCER)):
            return event.day
    return None


def find_antibodies(history: Sequence[Happening]) -> tuple[tuple[float, float], ...]:
    """Return first and last day of each antibody that is IgG-kappa; one without a name may be.

    Examples
    --------
    >>> find_antibodies([Happening(10.0, "next_therapy", "daratumumab", 28.0), Happening(9.0, "bridging", "", 0.0)])
    ((10.0, 38.0),)
    """
    return tuple(
        (event.day, event.day + event.duration)
        for event in history
        if any(antibody in event.note for antibody in IGG_KAPPA_ANTIBODIES)
        or (event.type == "therapeutic_antibody" and not event.note)
    )
