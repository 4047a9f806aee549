"""Graded laboratory terms: which comparisons of a value with numbers, limits and baseline give which grade."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from livingdrug.core.parameters import Value

Reference = Literal["", "lower_limit", "upper_limit", "baseline"]
Condition = Literal[
    "", "baseline_high", "baseline_not_high", "baseline_low", "value_below_lower_limit", "value_above_baseline"
]
Qualifier = Literal["", "symptoms", "anticoagulation"]
Sense = Literal["above", "at_least", "below", "at_most", "fall_at_least", "fall_above"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a value with a printed number.

    Parameters
    ----------
    sense : word
        ``fall_at_least`` and ``fall_above`` ask for the percent by which the value lies below baseline.
    printed : Value
        The number, in the unit of the term; a multiple where the clause is of a limit or of baseline.
    conventional : Value, optional
        The same bound as printed in the conventional unit, where that is not the same amount.
    """

    sense: Sense
    printed: Value
    conventional: Value | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """Comparisons that must all hold for a grade; a grade is given where one of its clauses holds.

    Parameters
    ----------
    comparisons : tuple of Comparison
    of : word
        What the numbers are multiples of; empty where they are absolute.
    is_added : bool
        Whether the number is added to what it is of, in place of multiplied.
    when : word
        What must hold besides.
    qualifier : word
        What no laboratory measures and must hold besides.
    is_unsigned : bool
        Whether the range is printed without a sign at the end where it starts.
    """

    comparisons: tuple[Comparison, ...]
    of: Reference = ""
    is_added: bool = False
    when: Condition = ""
    qualifier: Qualifier = ""
    is_unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """One term that laboratory values are graded by.

    Parameters
    ----------
    name : str
        As published.
    variables : tuple of str
        What is measured; the first is the usual one.
    direction : ``low`` or ``high``
    grades : mapping of grade to clauses, the most severe first
    unit : str
        Of absolute numbers; empty where all numbers are multiples.
    conventional_unit : str
        Of the numbers in ``conventional``.
    needs : tuple of str
        Without these, no grade is given.
    ungraded : tuple of Clause
        Where one holds, the publication prints no grade.
    """

    name: str
    variables: tuple[str, ...]
    direction: Literal["low", "high"]
    grades: Mapping[int, tuple[Clause, ...]]
    unit: str = ""
    conventional_unit: str = ""
    needs: tuple[Reference, ...] = ()
    ungraded: tuple[Clause, ...] = field(default=())
