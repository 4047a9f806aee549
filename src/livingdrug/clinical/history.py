"""One subject's events, read once: new treatment, relapse as recorded, death from the disease, antibodies."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

NEW_THERAPY = ("next_therapy", "second_infusion", "transplant")
IGG_KAPPA_ANTIBODIES = ("daratumumab", "isatuximab", "elotuzumab")
COLUMNS = ("day", "type", "note", "duration_days")
DISEASE_WORDS = ("myeloma", "progress", "relapse")
DENIALS = ("no ", "not ", "non-", "without", "unrelated", "other than", "remission", "free")


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
    columns = [events[name].to_list() if name in events.columns else [None] * len(events) for name in COLUMNS]
    rows = zip(*columns, strict=True)
    history = [Happening(day, kind, (note or "").lower(), duration or 0.0) for day, kind, note, duration in rows]
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
        if event.type == "death" and is_named and not any(word in event.note for word in DENIALS):
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
