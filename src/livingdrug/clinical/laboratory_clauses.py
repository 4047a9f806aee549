"""Clauses of graded laboratory terms, asked of one value with its limits of normal and its baseline.

Both sides are rounded to 15 significant digits before they are compared. A value that is not exact lies between
two ends; a clause that both ends answer alike is answered.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from livingdrug.clinical.comparison import COMPARISONS, join_all, join_any
from livingdrug.core.grading import Clause, Comparison, Term
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, OptionValue, Truth

_PLAIN = {"above": ">", "at_least": ">=", "below": "<", "at_most": "<="}
_SIGNS = {s: f"{sign} to 15 digits" for s, sign in _PLAIN.items()}
_DIRECTION = {"above": 1, "at_least": 1, "below": -1, "at_most": -1}
_FALLS = {"fall_above": "percent fall >", "fall_at_least": "percent fall >="}
_WORDS = {
    "above": "above",
    "at_least": "at or above",
    "below": "below",
    "at_most": "at or below",
    "fall_above": "fallen from baseline by more than",
    "fall_at_least": "fallen from baseline by at least",
}
_NAMES = {"lower_limit": "lower_limit_of_normal", "upper_limit": "upper_limit_of_normal", "baseline": "baseline"}
_QUALIFIED = {"symptoms": "with symptoms", "anticoagulation": "on anticoagulation"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, what it is compared with, all in one unit, and the rows that they stand in.

    Parameters
    ----------
    name : str
        What was measured, or what else is missing where the value is not known.
    low, high : float or None
        The value; two ends where it is not exact.
    rows : tuple of int
    lower_limit, upper_limit, baseline : float or None
    baseline_lower, baseline_upper : float or None
        Limits of normal of the baseline.
    baseline_range : ``low``, ``normal``, ``high`` or empty
        Where the baseline lies, if that is known without its limits.
    baseline_rows : tuple of int
    """

    name: str
    low: float | None
    high: float | None
    rows: tuple[int, ...] = ()
    lower_limit: float | None = None
    upper_limit: float | None = None
    baseline: float | None = None
    baseline_lower: float | None = None
    baseline_upper: float | None = None
    baseline_range: str = ""
    baseline_rows: tuple[int, ...] = ()

    def find_reference(self, name: str) -> float | None:
        """Return a limit of normal or the baseline."""
        number: float | None = getattr(self, name)
        return number


def ask_grades(term: Term, sample: Sample, chosen: Mapping[str, OptionValue]) -> list[tuple[int, Finding]]:
    """Ask for each grade of a term, the most severe first, without those that a milder one excludes.

    Parameters
    ----------
    chosen : mapping
        Options ``symptoms``, ``anticoagulation``, ``range_start``, ``printed_unit`` and ``missing_baseline``.
    """
    barrier = _find_barrier(term, sample, chosen)
    if barrier is not None:
        return [(grade, barrier) for grade in sorted(term.grades, reverse=True)]
    is_dropped = chosen["missing_baseline"] == "normal" and sample.baseline is None
    if is_dropped and not sample.baseline_range:
        sample = replace(sample, baseline_range="normal")
    asked: list[tuple[int, Finding]] = []
    milder: tuple[Clause, ...] = ()
    for grade, clauses in sorted(term.grades.items()):
        printed = _drop_baseline(clauses) if is_dropped else clauses
        if asked and asked[-1][1].truth == Truth.FALSE and _is_beyond(printed, milder):
            continue
        asked.append((grade, join_any(f"{term.name}, grade {grade}", _ask_clauses(printed, sample, chosen))))
        milder = printed
    return asked[::-1]


def _is_beyond(clauses: tuple[Clause, ...], milder: tuple[Clause, ...]) -> bool:
    """Whether clauses cannot hold where milder ones do not: the same questions with numbers further out."""
    return len(clauses) == len(milder) and all(map(_is_further, clauses, milder))


def _is_further(clause: Clause, milder: Clause) -> bool:
    if clause.when != milder.when or clause.of != milder.of or clause.qualifier != milder.qualifier:
        return False
    if len(clause.comparisons) != 1 or len(milder.comparisons) != 1:
        return False
    far, near = clause.comparisons[0], milder.comparisons[0]
    sign = _DIRECTION.get(far.sense, 0)
    return sign != 0 and sign == _DIRECTION.get(near.sense) and sign * far.printed.value > sign * near.printed.value


def _drop_baseline(clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """Leave out clauses that compare with baseline, unless nothing else is printed.

    Those printed for an abnormal baseline, or for patients on anticoagulation, stay: where that holds, no grade is
    known without the baseline.
    """
    kept = [
        clause
        for clause in clauses
        if clause.qualifier
        or clause.when.startswith("baseline")
        or (clause.of != "baseline" and not any(c.sense in _FALLS for c in clause.comparisons))
    ]
    return tuple(kept) or clauses


def _find_barrier(term: Term, sample: Sample, chosen: Mapping[str, OptionValue]) -> Finding | None:
    """Return why no grade can be given, if so."""
    missing: tuple[str, ...] = () if sample.low is not None else (sample.name,)
    missing += tuple(_NAMES[need] for need in term.needs if sample.find_reference(need) is None)
    if missing:
        return Finding(f"{term.name} can be graded", Truth.UNKNOWN, sample.rows, missing=missing)
    for found in _ask_clauses(term.ungraded, sample, chosen):
        if found.truth != Truth.FALSE:
            clause, note = f"{term.name} can be graded", f"no grade is printed for a value {found.clause}"
            lacks = found.missing or ("a printed grade",)
            return Finding(clause, Truth.UNKNOWN, sample.rows, missing=lacks, note=note)
    return None


def _ask_clauses(clauses: tuple[Clause, ...], sample: Sample, chosen: Mapping[str, OptionValue]) -> Iterator[Finding]:
    for clause in clauses:
        besides = [_ask_condition(clause.when, sample)] if clause.when else []
        if clause.qualifier:
            besides.append(_ask_qualifier(clause.qualifier, str(chosen[clause.qualifier])))
        unmet = next((found for found in besides if found.truth == Truth.FALSE), None)
        if unmet is not None:
            yield unmet
            continue
        parts = [_ask_comparison(clause, comparison, sample, chosen) for comparison in clause.comparisons] + besides
        yield parts[0] if len(parts) == 1 else join_all(" and ".join([part.clause for part in parts]), parts)


def _ask_comparison(
    clause: Clause, comparison: Comparison, sample: Sample, chosen: Mapping[str, OptionValue]
) -> Finding:
    is_conventional = chosen["printed_unit"] == "conventional" and comparison.conventional is not None
    printed = comparison.conventional if is_conventional and comparison.conventional else comparison.printed
    sense = comparison.sense
    if clause.is_unsigned and chosen["range_start"] == "inclusive":
        sense = "at_least" if sense == "above" else "at_most"
    if sense in _FALLS:
        return _ask_fall(sense, printed, sample)
    text = _describe(clause.of, printed.value, printed.unit, is_added=clause.is_added)
    return ask_sign(sense, printed.value, text, sample, clause.of, is_added=clause.is_added)


@cache
def _describe(of: str, number: float, unit: str, *, is_added: bool) -> str:
    if not of:
        return f"{number:g} {unit}".removesuffix(" 1")
    name = _NAMES[of].replace("_", " ")
    if is_added:
        return f"{name} + {number:g} {unit}" if number else name
    return name if number == 1 else f"{number:g} x {name}"


def ask_sign(
    sense: str, number: float, described: str, sample: Sample, of: str = "", *, is_added: bool = False
) -> Finding:
    """Compare a value with a number, or with a multiple of a limit of normal or of baseline.

    Examples
    --------
    >>> sample = Sample("ldh", 500.0, 500.0, (7,), upper_limit=250.0)
    >>> found = ask_sign("above", 1.0, "upper limit of normal", sample, "upper_limit")
    >>> found.truth, found.threshold, ask_sign("above", 1.0, "baseline", sample, "baseline").missing
    (<Truth.TRUE: 'true'>, 250.0, ('baseline',))
    """
    text, comparison = f"{_WORDS[sense]} {described}", _SIGNS[sense]
    reference = sample.find_reference(of) if of else None
    missing: tuple[str, ...] = () if not of or reference is not None else (_NAMES[of],)
    rows = (*sample.rows, *sample.baseline_rows) if of == "baseline" else sample.rows
    if sample.low is None or sample.high is None or missing:
        missing = ((sample.name,) if sample.low is None else ()) + missing
        return Finding(text, Truth.UNKNOWN, rows, missing=missing, comparison=comparison)
    threshold = number if reference is None else reference + number if is_added else reference * number
    low = COMPARISONS[comparison]([sample.low], threshold)
    high = low if sample.high == sample.low else COMPARISONS[comparison]([sample.high], threshold)
    note = "" if sample.high == sample.low else f"{sample.name} is between {sample.low:g} and {sample.high:g}"
    if low != high:
        return Finding(text, Truth.UNKNOWN, rows, (), threshold, (sample.name,), note, comparison)
    return Finding(text, Truth.of(low), rows, (sample.low,), threshold, (), note, comparison)


def _ask_fall(sense: str, printed: Value, sample: Sample) -> Finding:
    text, comparison = f"{_WORDS[sense]} {printed.value:g} %", f"{_FALLS[sense]} to 15 digits"
    rows = (*sample.rows, *sample.baseline_rows)
    missing = (() if sample.low is not None else (sample.name,)) + (() if sample.baseline else ("baseline",))
    if sample.low is None or sample.high is None or not sample.baseline:
        return Finding(text, Truth.UNKNOWN, rows, missing=missing, comparison=comparison)
    ends = ((sample.baseline, sample.low), (sample.baseline, sample.high))
    low, high = (COMPARISONS[comparison](end, printed.value) for end in ends)
    if low != high:
        return Finding(text, Truth.UNKNOWN, rows, (), printed.value, (sample.name,), "", comparison, "%")
    return Finding(text, Truth.of(low), rows, ends[0], printed.value, comparison=comparison, unit="%")


@lru_cache(maxsize=16)
def _ask_condition(when: str, sample: Sample) -> Finding:
    """Ask what must hold besides; every grade of a term asks it of the same value."""
    if when == "value_below_lower_limit":
        return ask_sign("below", 1.0, "lower limit of normal", sample, "lower_limit")
    if when == "value_above_baseline":
        return ask_sign("above", 1.0, "baseline", sample, "baseline")
    expected = {"baseline_high": "high", "baseline_not_high": "not high", "baseline_low": "low"}[when]
    if sample.baseline_range:
        word = sample.baseline_range if expected != "not high" or sample.baseline_range == "high" else "not high"
        truth = Truth.of(word == expected)
        return Finding(f"baseline is {expected}", truth, comparison=f"is {expected}", note=f"baseline was {word}")
    start = Sample(
        "baseline",
        sample.baseline,
        sample.baseline,
        sample.baseline_rows,
        sample.baseline_lower,
        sample.baseline_upper,
    )
    if expected == "low":
        found = ask_sign("below", 1.0, "its lower limit of normal", start, "lower_limit")
    else:
        sense = "above" if expected == "high" else "at_most"
        found = ask_sign(sense, 1.0, "its upper limit of normal", start, "upper_limit")
    return replace(found, clause=f"baseline {found.clause}")


def _ask_qualifier(qualifier: str, choice: str) -> Finding:
    text = _QUALIFIED[qualifier]
    if choice == "unknown":
        return Finding(text, Truth.UNKNOWN, missing=(qualifier,), comparison="is assumed")
    return Finding(text, Truth.of(choice == "assumed"), comparison="is assumed", note=f"{qualifier} are {choice}")
