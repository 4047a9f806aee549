"""What an eligibility text states, as far as it is read: target, polarity, value, and the span it stands in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from livingdrug.options.predicate import Predicate

REQUIRED, ALLOWED, EXCLUDED = "required", "allowed", "excluded"
PARSED, PARTIAL = "parsed", "partial"
ELIGIBILITY = "eligibilityCriteria"

_WORDS = {
    word: n
    for n, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
"""Days of a unit of time, as washout periods are counted."""
_SPAN = re.compile(
    r"(?P<more>at least|more than|greater than|over|longer than|minimum of|≥"
    r"|>=?)?\s*(?:a\s+)?(?P<less>less than|within|<=?|≤|fewer than|in)?\s*"
    r"(?:the\s+)?(?:(?:past|last|previous|prior|preceding|first|a|about|approximately)\s+)*"
    r"(?<![a-z\d])(?P<number>\d+(?:[.]\d+)?|"
    + "|".join(_WORDS)
    + r")(?:\s*\(\d+\))?[\s-]*(?P<unit>day|week|month|year|d(?![a-z])|wk|mo(?![a-z])|yr)s?\b"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a trial states.

    Parameters
    ----------
    target : str
        What it is about: ``disease``, ``prior_car_t``, ``antigen``, ``age``, ``ecog``, ``lab`` ...
    polarity : str
        ``required``, ``allowed`` or ``excluded``.
    value : mapping or str
    start, end : int
        Where it stands in the text of the registry.
    section : str
    certainty : str
        ``parsed``; ``partial`` where a condition beside it was not read: then it decides nothing.
    predicate : Predicate, optional
        What is asked of a patient; true where the patient meets what the trial demands.
    source : str
        The field of the registry's record that it stands in.
    extra : mapping
        What else was read.
    """

    target: str
    polarity: str
    value: Any
    start: int
    end: int
    section: str
    certainty: str = PARSED
    predicate: Predicate | None = None
    source: str = ELIGIBILITY
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two statements the same."""
        return self.target, self.polarity, repr(self.value)


@dataclass(frozen=True, slots=True)
class TrialContext:
    """What the rest of a trial's record tells of it.

    Parameters
    ----------
    targets : tuple of str
        Antigens of its products.
    diseases : tuple of str
        What its conditions and title name.
    minimum_age, maximum_age : float, optional [year]
    """

    targets: tuple[str, ...] = ()
    diseases: tuple[str, ...] = ()
    minimum_age: float | None = None
    maximum_age: float | None = None


@dataclass(frozen=True, slots=True)
class Duration:
    """A span of time that a text names: days, whether it says at least so long, and where it stands."""

    days: float
    is_minimum: bool
    start: int
    end: int


def find_durations(lower: str) -> list[Duration]:
    """Return the spans of time that a text in small letters names.

    Examples
    --------
    >>> [(d.days, d.is_minimum) for d in find_durations("within 3 months, or at least six weeks (42 days)")]
    [(90.0, False), (42.0, True), (42.0, False)]
    """
    return [
        Duration(
            _read_number(found["number"]) * _read_unit(found["unit"]),
            found["more"] is not None and found["less"] is None,
            found.start(),
            found.end(),
        )
        for found in _SPAN.finditer(lower.replace("half a year", "6 months   ").replace("half year", "6 months "))
    ]


def _read_number(text: str) -> float:
    return float(_WORDS[text]) if text in _WORDS else float(text)


def _read_unit(text: str) -> int:
    return next(days for unit, days in DAYS.items() if unit.startswith(text[0]) and (text[0] != "d" or unit == "day"))
