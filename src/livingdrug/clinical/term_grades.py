"""One laboratory value graded by one term of the Common Terminology Criteria for Adverse Events.

A term that the version does not cover, a missing value and a unit that does not fit are not gradable: never grade 0.
Grades are asked for from the most severe one down; the first that holds is given, and more severe ones that stayed
open, for a limit of normal or a baseline that is missing, are named.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from livingdrug.clinical.grading import Graded, describe_grade, find_grade
from livingdrug.clinical.laboratory_clauses import Sample, ask_grades
from livingdrug.core.errors import InputError
from livingdrug.core.grading import Term
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth
from livingdrug.core.variables import compute_variable_conversion

RANGES = ("low", "normal", "high")


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of one value by one term.

    Parameters
    ----------
    term : str
    value : int or None
        0 to 4; None where it is not gradable.
    direction : ``low``, ``high`` or empty
    findings : tuple of Finding
        What it rests on.
    unknowns : tuple of str
        What was not known and could raise it.
    would_change : tuple of str
    """

    term: str
    value: int | None
    direction: str
    findings: tuple[Finding, ...] = ()
    unknowns: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()

    @property
    def signed(self) -> int | None:
        """The grade with a minus sign where low values are graded."""
        return None if self.value is None else -self.value if self.direction == "low" else self.value


def compute_grade(
    term: str,
    value: float | None,
    unit: str | None,
    *,
    rules: Ruleset,
    lower_limit: float | None = None,
    upper_limit: float | None = None,
    baseline: float | None = None,
    baseline_range: str | None = None,
    **options: OptionValue,
) -> Grade:
    """Grade one value by one term.

    Parameters
    ----------
    term : str
        Such as ``Anemia``; capitals do not matter.
    value : float or None
    unit : str or None
        Of value, limits and baseline; capitals do not matter. Terms that compare with limits alone need none.
    rules : Ruleset
        Such as ``ctcae/5.0``.
    lower_limit, upper_limit : float, optional
        Limits of normal.
    baseline : float, optional
    baseline_range : ``low``, ``normal`` or ``high``, optional
        Where the baseline lies; without it, the limits tell.
    options
        Those of the ruleset.

    Raises
    ------
    InputError
        If an option or ``baseline_range`` is not a known one.

    Source
    ------
    ctcae5

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rules = load_rules("ctcae/5.0")
    >>> compute_grade("anemia", 9.5, "g/dL", rules=rules).signed
    -2
    >>> compute_grade("Alanine aminotransferase increased", 130.0, "U/L", upper_limit=40.0, rules=rules).value is None
    True
    """
    chosen = rules.choose(options)
    if baseline_range is not None and baseline_range not in RANGES:
        was = f"but was {baseline_range!r}. Hint: leave it out where it is not known."
        raise InputError(f"`baseline_range` must be one of {', '.join(RANGES)}, {was}")
    known = find_term(rules, term)
    if known is None:
        missing = (f"a term {term!r} in {rules.name}",)
        return Grade(term, None, "", (Finding("the term is covered", Truth.UNKNOWN, missing=missing),), missing)
    factor = _find_factor(known, unit, chosen)
    numbers = [_convert(number, factor) for number in (value, lower_limit, upper_limit, baseline)]
    name = known.variables[0] if factor is not None else f"a unit that converts to {find_unit(known, chosen)}"
    low, high = numbers[1], numbers[2]
    found, start = numbers[0], numbers[3]
    sample = Sample(name, found, found, (), low, high, start, low, high, baseline_range or "")
    return describe_term(known, grade_sample(known, sample, chosen))


def find_term(rules: Ruleset, name: str | None) -> Term | None:
    """Return a term by its name, whatever its capitals; None where the ruleset does not cover it."""
    wanted = (name or "").strip().casefold()
    return next((term for term in rules.terms if term.name.casefold() == wanted), None)


def find_unit(term: Term, chosen: Mapping[str, OptionValue]) -> str:
    """Return the unit that a term's numbers are printed in; empty where they are multiples."""
    return term.conventional_unit if chosen["printed_unit"] == "conventional" and term.conventional_unit else term.unit


def grade_sample(term: Term, sample: Sample, chosen: Mapping[str, OptionValue], day: float = 0.0) -> Graded:
    """Grade a value, its limits and its baseline, all in the unit of the term."""
    asked = ask_grades(term, sample, chosen)
    graded = find_grade(day, asked)
    return Graded(day, graded.lower, graded.upper, tuple(_select_findings(asked, graded)))


def _select_findings(asked: Sequence[tuple[int, Finding]], graded: Graded) -> Iterator[Finding]:
    """Yield the clause that decided, those above it that stayed open, and the first above that does not hold.

    A term need not have every grade: where none holds, the lowest one that there is decided.
    """
    decided = max(graded.lower, min(grade for grade, _ in asked))
    deciding = next(found for grade, found in asked if grade == decided)
    above = [(grade, found) for grade, found in reversed(asked) if grade > decided]
    yield deciding
    yield from (found for _, found in above if found.truth == Truth.UNKNOWN and found is not deciding)
    yield from [found for grade, found in above if grade > graded.upper and found.truth == Truth.FALSE][:1]


def describe_term(term: Term, graded: Graded) -> Grade:
    """Return a grade with what could raise it."""
    verdict = describe_grade(graded, term.name)
    value = None if verdict.time_point == "NE" else graded.lower
    return Grade(term.name, value, term.direction, verdict.findings, verdict.unknowns, verdict.would_change)


def combine_directions(grades: Iterable[Grade]) -> int | None:
    """Combine the grades of one value by all its terms into one signed grade.

    Examples
    --------
    >>> combine_directions([Grade("Anemia", 3, "low"), Grade("Hemoglobin increased", None, "high")])
    -3
    >>> combine_directions([Grade("Anemia", 0, "low"), Grade("Hemoglobin increased", None, "high")]) is None
    True
    """
    kept = list(grades)
    raised = [grade for grade in kept if grade.value]
    if raised:
        return max(raised, key=lambda grade: grade.value or 0).signed
    return 0 if kept and all(grade.value == 0 for grade in kept) else None


def _find_factor(term: Term, unit: str | None, chosen: Mapping[str, OptionValue]) -> float | None:
    """Return what a value is multiplied by to be in the term's unit; None where it cannot be."""
    wanted = find_unit(term, chosen)
    if wanted in ("", "1"):
        return 1.0
    if unit is None or not unit.strip():
        return None
    if _normalise(unit) == _normalise(wanted):
        return 1.0
    variable = term.variables[0]
    given = None if chosen["unit_match"] == "exact" else compute_variable_conversion(variable, unit.strip())
    target = compute_variable_conversion(variable, wanted)
    return None if given is None or target is None else given[0] / target[0]


def _normalise(unit: str) -> str:
    return unit.strip().casefold().replace("^", "*").replace(" ", "")


def _convert(number: float | None, factor: float | None) -> float | None:
    return None if number is None or factor is None or not isfinite(number) else number * factor
