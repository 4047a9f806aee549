"""Published criteria as data: versioned thresholds, three-valued logic, and the trail of a verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from math import isnan

from livingdrug.core.errors import Fault, InputError, KnowledgeError
from livingdrug.core.grading import Term
from livingdrug.core.parameters import Value

OptionValue = str | float | bool
"""What an option may be."""


class Truth(StrEnum):
    """True, false, or not known; Kleene's strong logic.

    Examples
    --------
    >>> Truth.FALSE & Truth.UNKNOWN, Truth.TRUE & Truth.UNKNOWN, Truth.TRUE | Truth.UNKNOWN, ~Truth.UNKNOWN
    (<Truth.FALSE: 'false'>, <Truth.UNKNOWN: 'unknown'>, <Truth.TRUE: 'true'>, <Truth.UNKNOWN: 'unknown'>)
    """

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool | None, /) -> "Truth":  # noqa: FBT001 - the value is what it is about
        """Return the truth of a Python value; None is unknown."""
        return cls.UNKNOWN if value is None else cls.TRUE if value else cls.FALSE

    def __and__(self, other: "Truth") -> "Truth":
        if Truth.FALSE in (self, other):
            return Truth.FALSE
        return Truth.UNKNOWN if Truth.UNKNOWN in (self, other) else Truth.TRUE

    def __or__(self, other: "Truth") -> "Truth":
        if Truth.TRUE in (self, other):
            return Truth.TRUE
        return Truth.UNKNOWN if Truth.UNKNOWN in (self, other) else Truth.FALSE

    def __invert__(self) -> "Truth":
        return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}[self]

    def __bool__(self) -> bool:
        raise TypeError("a three-valued truth has no Python truth value: compare it with Truth.TRUE")


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return the conjunction; of nothing, true."""
    total = Truth.TRUE
    for truth in truths:
        total &= truth
    return total


def any_of(truths: Iterable[Truth]) -> Truth:
    """Return the disjunction; of nothing, false."""
    total = Truth.FALSE
    for truth in truths:
        total |= truth
    return total


@dataclass(frozen=True, slots=True)
class Finding:
    """One clause of a rule, asked about one day.

    Parameters
    ----------
    clause : str
        What was asked, in the words of the field.
    truth : Truth
    rows : tuple of int
        Rows of the observations table that decided it (0-based).
    values : tuple of float
        The values compared, in canonical units.
    threshold : float or None
    missing : tuple of str
        What was not known.
    note : str
    comparison : str
        How the values were compared with the threshold; ``all`` or ``any`` where clauses were joined.
    unit : str
        Unit of the threshold.
    parts : tuple of Finding
        The clauses that were joined, as far as they were needed to decide.
    event_rows : tuple of int
        Rows of the events table that decided it (0-based).
    """

    clause: str
    truth: Truth
    rows: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    threshold: float | None = None
    missing: tuple[str, ...] = ()
    note: str = ""
    comparison: str = ""
    unit: str = ""
    parts: "tuple[Finding, ...]" = ()
    event_rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A category and everything it rests on."""

    subject_id: str
    day: float
    ruleset: str
    category: str
    findings: tuple[Finding, ...] = ()
    capped_by: tuple[str, ...] = ()
    not_excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """A choice that a publication leaves open.

    Parameters
    ----------
    default : text, number or truth
    meaning : str
        What is chosen, in one sentence.
    choices : tuple of str
        The words it may be; none for a number or a truth.
    """

    default: OptionValue
    meaning: str
    choices: tuple[str, ...] = ()

    def read(self, given: OptionValue) -> OptionValue | None:
        """Return a choice as the option's own kind; None where it is not one.

        Examples
        --------
        >>> Option(84.0, "days").read("28"), Option("strict", "policy", ("strict", "none")).read("lax")
        (28.0, None)
        """
        if isinstance(self.default, bool):
            words = {"true": True, "yes": True, "false": False, "no": False}
            return given if isinstance(given, bool) else words.get(str(given).lower())
        if isinstance(self.default, str):
            return given if isinstance(given, str) and given in self.choices else None
        try:
            number = float(given)
        except ValueError:
            return None
        return None if isinstance(given, bool) or isnan(number) else number


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A published set of criteria: ``name/version``, thresholds with provenance, options with defaults.

    Criteria that grade laboratory values have ``terms``; every number of a term is also a threshold.
    """

    name: str
    title: str
    source: str
    thresholds: Mapping[str, Value]
    options: Mapping[str, Option] = field(default_factory=dict)
    terms: tuple[Term, ...] = ()

    def threshold(self, name: str) -> float:
        """Return a threshold's value.

        Raises
        ------
        KnowledgeError
            If the ruleset has no such threshold.
        """
        if name not in self.thresholds:
            known = ", ".join(self.thresholds)
            raise KnowledgeError(f"{self.name} must define {name!r}, but does not. Hint: it has {known}.")
        return self.thresholds[name].value

    def choose(self, given: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """Return every option with the defaults replaced by what is given; text is read as the option's kind.

        Raises
        ------
        InputError
            With every name that is no option and every choice that it does not have.
        """
        chosen = {name: option.default for name, option in self.options.items()}
        faults = []
        for name, value in given.items():
            option = self.options.get(name)
            if option is None:
                close = get_close_matches(name, self.options, n=1)
                hint = (
                    f"did you mean {close[0]}"
                    if close
                    else f"use {', '.join(self.options) or 'none: it has no options'}"
                )
                faults.append(Fault(f"options.{name}", f"must be an option of {self.name}", repr(value), hint))
                continue
            read = option.read(value)
            if read is None:
                kind = "yes or no" if isinstance(option.default, bool) else "a number"
                rule = f"must be {' or '.join(option.choices) or kind}"
                faults.append(Fault(f"options.{name}", rule, repr(value), f"the default is {option.default}"))
            elif name.endswith("_days") and isinstance(read, float) and read < 0:
                hint = f"the default is {option.default}"
                faults.append(Fault(f"options.{name}", "must be a number of days, 0 or more", repr(value), hint))
            else:
                chosen[name] = read
        if faults:
            raise InputError.from_faults("options", faults)
        return chosen
