"""The typed fact table: what is known of one patient, each fact with its value, day and row.

A fact that is absent is unknown, never false. What was stated on one day by two rows that differ is kept twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

FactValue = float | str | bool
"""A number in its canonical unit, a word, or yes and no."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a patient.

    Parameters
    ----------
    name : str
        ``ecog``, ``prior.car_t.target``, ``antigen.CD19``.
    value : number, word or truth
    unit : str
        Empty where there is none.
    day : float, optional
        Day after infusion; None where the fact has no day, such as sex.
    table, row : str and int, optional
        Where it stands in the record; the row is the line of the file.
    note : str
        How it was obtained.
    """

    name: str
    value: FactValue
    unit: str = ""
    day: float | None = None
    table: str = ""
    row: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class FactTable:
    """Every fact of one patient as of one day.

    Parameters
    ----------
    facts : mapping of name to facts
        The latest day only; more than one where a name holds several or where rows of one day differ.
    day : float
        The day as of which they are asked.
    max_age_days : mapping of name to number
        How old a fact may be; a name covers what follows after a point: ``antigen`` covers ``antigen.CD19``.
    """

    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    day: float = 0.0
    max_age_days: Mapping[str, float] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Fact, ...]:
        """Return what is known under a name; empty where nothing is."""
        return self.facts.get(name, ())

    def find_limit(self, name: str) -> float | None:
        """Return how old a fact may be; None where it does not age.

        Examples
        --------
        >>> FactTable(max_age_days={"antigen": 180.0}).find_limit("antigen.CD19")
        180.0
        """
        limit = self.max_age_days.get(name)
        return self.max_age_days.get(name.partition(".")[0]) if limit is None else limit

    def is_stale(self, fact: Fact, max_age_days: float | None = None) -> bool:
        """Whether a fact is older than a criterion, or else its kind, allows."""
        limit = self.find_limit(fact.name) if max_age_days is None else max_age_days
        return limit is not None and fact.day is not None and self.day - fact.day > limit
