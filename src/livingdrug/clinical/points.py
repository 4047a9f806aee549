"""Scores that add points: each item between its fewest and its most points, and so the sum."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from livingdrug.clinical.comparison import list_leaves
from livingdrug.clinical.daily import Result, ask_value
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Truth


@dataclass(frozen=True)
class Item:
    """One item of a score and the clause that each number of points asks for."""

    name: str
    clauses: tuple[tuple[float, Finding], ...]

    @cached_property
    def lower(self) -> float:
        """Points that the item has in any case."""
        return max([points for points, found in self.clauses if found.truth == Truth.TRUE], default=0.0)

    @cached_property
    def upper(self) -> float:
        """Points that the item may have."""
        return max([points for points, found in self.clauses if found.truth != Truth.FALSE], default=0.0)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The clauses that decided, and those that stayed open."""
        kept = [found for points, found in self.clauses if found.truth != Truth.FALSE and points >= self.lower]
        return tuple(kept) or tuple(found for _, found in self.clauses[-1:])

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """What was not known and could add points."""
        if self.lower == self.upper:
            return ()
        leaves = [leaf for found in self.findings for leaf in list_leaves(found, Truth.UNKNOWN)]
        return tuple(dict.fromkeys(name for leaf in leaves for name in leaf.missing))


@dataclass(frozen=True)
class Score:
    """A sum of items, between ``lower`` and ``upper``."""

    items: tuple[Item, ...]

    @cached_property
    def lower(self) -> int:
        """Points in any case."""
        return round(sum(item.lower for item in self.items))

    @cached_property
    def upper(self) -> int:
        """Points at most, were everything known."""
        return round(sum(item.upper for item in self.items))

    @cached_property
    def text(self) -> str:
        """The score, or its bounds."""
        return str(self.lower) if self.lower == self.upper else f"{self.lower}-{self.upper}"

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """What was not known and could add points."""
        return tuple(dict.fromkeys(name for item in self.items for name in item.missing))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """The clauses that decided, and those that stayed open."""
        return tuple(finding for item in self.items for finding in item.findings)

    def reaches(self, limit: float) -> Truth:
        """Whether the score is at least a limit; unknown where its bounds lie on both sides.

        Examples
        --------
        >>> open_item = Item("ferritin", ((2.0, Finding("ferritin", Truth.UNKNOWN, missing=("ferritin",))),))
        >>> Score((open_item,)).reaches(2.0), Score((open_item,)).text
        (<Truth.UNKNOWN: 'unknown'>, '0-2')
        """
        return Truth.TRUE if self.lower >= limit else Truth.UNKNOWN if self.upper >= limit else Truth.FALSE


def ask_bands(
    name: str, found: Mapping[str, Result], bands: Iterable[tuple[float, str, Value]], what: str = ""
) -> Item:
    """Ask for the points of one measurement.

    Parameters
    ----------
    bands : points, comparison and threshold, the most points first
    what : str
        Name in words; the variable's where it is empty.

    Examples
    --------
    >>> limit = Value(2.0, "score", "x2020", "Table 1", "reported")
    >>> item = ask_bands("ecog", {"ecog": Result("ecog", 1.0, 4, 3.0, 3.0)}, [(5.0, ">=", limit)])
    >>> item.lower, item.findings[0].clause
    (5.0, '5 points: ecog >= 2 score')
    """
    words = what or name.replace("_", " ")
    clauses = []
    for points, comparison, limit in bands:
        clause = f"{points:g} points: {words} {comparison} {limit.value:g} {limit.unit}"
        clauses.append((points, ask_value(clause, name, found.get(name), comparison, limit)))
    return Item(name, tuple(clauses))


def count_clauses(name: str, clauses: Sequence[Finding], bands: Iterable[tuple[float, int]]) -> Item:
    """Ask for points by how many clauses hold.

    Parameters
    ----------
    bands : points and how many clauses they take, the most points first
    """
    holding = [f for f in clauses if f.truth == Truth.TRUE]
    possible = [f for f in clauses if f.truth != Truth.FALSE]
    rows = tuple(dict.fromkeys(row for f in clauses for row in f.rows))
    asked = []
    for points, count in bands:
        truth = Truth.TRUE if len(holding) >= count else Truth.UNKNOWN if len(possible) >= count else Truth.FALSE
        missing = tuple(dict.fromkeys(m for f in possible for m in f.missing)) if truth == Truth.UNKNOWN else ()
        clause = f"{points:g} points: {name.replace('_', ' ')}, at least {count}"
        asked.append(
            (points, Finding(clause, truth, rows, (), float(count), missing, "", "count >=", "", tuple(clauses)))
        )
    return Item(name, tuple(asked))
