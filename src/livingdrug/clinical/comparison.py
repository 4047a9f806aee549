"""Comparisons of measurements with thresholds: inclusive or strict as printed, unknown where a value is.

A clause is a tree: its leaves hold the values, the comparison, the threshold and the rows, so that a reader
can check a verdict by hand, and :func:`recompute` does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isclose
from types import MappingProxyType

from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Truth, all_of, any_of

TOLERANCE = 1e-9
"""Relative: a change of exactly 30 percent that computes a hair below counts as reached."""
SURE = 1e-12
"""Relative: a difference beyond this cannot come from rounding to 15 digits."""
OPEN_WORDS = ("indeterminate", "equivocal")


def is_at_least(a: float, b: float) -> bool:
    """Whether a >= b, up to rounding.

    Examples
    --------
    >>> is_at_least(100 * (23.0 - 16.1) / 23.0, 30.0), is_at_least(1.65, float("inf"))
    (True, False)
    """
    return a >= b or isclose(a, b, rel_tol=TOLERANCE)


def is_above(a: float, b: float) -> bool:
    """Whether a > b, strictly, beyond rounding.

    Examples
    --------
    >>> is_above(0.1 + 0.2, 0.3), is_above(0.31, 0.3)
    (False, True)
    """
    return not is_at_least(b, a)


def _falls(values: Sequence[float], percent: float) -> bool | None:
    before, now = values
    return None if before <= 0 else is_at_least(100.0 * (before - now) / before, percent)


def _rises(values: Sequence[float], percent: float) -> bool:
    low, now = values
    return now > low if low <= 0 else is_at_least(100.0 * (now - low) / low, percent)


def round_digits(value: float) -> float:
    """Round to 15 significant digits, as laboratory grading does before it compares.

    Examples
    --------
    >>> round_digits(0.1 + 0.2)
    0.3
    """
    return float(f"{value:.15g}")


def order_digits(a: float, b: float) -> int:
    """Return -1, 0 or 1 as a is below, equal to or above b, both rounded to 15 significant digits.

    Numbers that differ by more than the rounding can move them are not rounded.

    Examples
    --------
    >>> order_digits(0.1 + 0.2, 0.3), order_digits(0.31, 0.3), order_digits(2.0, float("inf"))
    (0, 1, -1)
    """
    if not abs(a - b) > SURE * abs(b):
        a, b = round_digits(a), round_digits(b)
    return (a > b) - (a < b)


def _compute_fall(values: Sequence[float]) -> float | None:
    before, now = values
    return None if before <= 0 else round_digits(100.0 * (before - now) / before)


def _falls_digits(values: Sequence[float], percent: float, *, is_strict: bool) -> bool | None:
    fall = _compute_fall(values)
    return None if fall is None else (fall > percent if is_strict else fall >= percent)


COMPARISONS: Mapping[str, Callable[[Sequence[float], float], bool | None]] = MappingProxyType(
    {
        "percent fall >=": _falls,
        "percent rise >=": _rises,
        "rise >=": lambda v, t: is_at_least(v[1] - v[0], t),
        "rise >": lambda v, t: is_above(v[1] - v[0], t),
        "multiple >=": lambda v, t: is_at_least(v[1], t * v[0]),
        ">=": lambda v, t: is_at_least(v[-1], t),
        ">": lambda v, t: is_above(v[-1], t),
        "<": lambda v, t: is_above(t, v[-1]),
        "<=": lambda v, t: is_at_least(t, v[-1]),
        "> to 15 digits": lambda v, t: order_digits(v[-1], t) > 0,
        ">= to 15 digits": lambda v, t: order_digits(v[-1], t) >= 0,
        "< to 15 digits": lambda v, t: order_digits(v[-1], t) < 0,
        "<= to 15 digits": lambda v, t: order_digits(v[-1], t) <= 0,
        "percent fall > to 15 digits": lambda v, t: _falls_digits(v, t, is_strict=True),
        "percent fall >= to 15 digits": lambda v, t: _falls_digits(v, t, is_strict=False),
    }
)
"""From two values (before or lowest, and now) or one, and a threshold, to an answer; None if undefined."""


def compare(
    clause: str, measured: Sequence[tuple[str, Measured | None]], comparison: str, threshold: Value | float
) -> Finding:
    """Ask a question of numbers; unknown if one of them is."""
    limit, unit = (threshold, "") if isinstance(threshold, float) else (threshold.value, threshold.unit)
    rows = tuple([m.row for _, m in measured if m is not None])
    values = tuple([m.value for _, m in measured if m is not None and m.value is not None])
    if len(values) < len(measured):
        missing = tuple(dict.fromkeys(name for name, m in measured if m is None or m.value is None))
        return Finding(clause, Truth.UNKNOWN, rows, values, limit, missing, "", comparison, unit)
    truth = Truth.of(COMPARISONS[comparison](values, limit))
    missing = tuple(name for name, _ in measured[:1]) if truth == Truth.UNKNOWN else ()
    return Finding(clause, truth, rows, values, limit, missing, "", comparison, unit)


def find_word(clause: str, name: str, measured: Measured | None, expected: str) -> Finding:
    """Ask whether a word is the expected one; ``indeterminate`` and ``equivocal`` are unknown.

    Examples
    --------
    >>> find_word("new lesion", "new_lesion", Measured(None, "equivocal", 4, 28.0), "yes").truth
    <Truth.UNKNOWN: 'unknown'>
    """
    comparison = f"is {expected}"
    if measured is None or measured.word is None or measured.word in OPEN_WORDS:
        rows = () if measured is None else (measured.row,)
        note = "" if measured is None else f"{name} was {measured.word or 'not readable'}"
        return Finding(clause, Truth.UNKNOWN, rows, missing=(name,), note=note, comparison=comparison)
    truth, note = Truth.of(measured.word == expected), f"{name} was {measured.word}"
    return Finding(clause, truth, (measured.row,), note=note, comparison=comparison)


def join_all(clause: str, findings: Iterable[Finding]) -> Finding:
    """Join clauses that must all hold; the first that does not ends the question."""
    return _join(clause, findings, Truth.FALSE, "all")


def join_any(clause: str, findings: Iterable[Finding]) -> Finding:
    """Join clauses of which one must hold; all are asked, so that every one that holds is named."""
    return _join(clause, findings, Truth.TRUE, "any")


def _join(clause: str, findings: Iterable[Finding], decisive: Truth, comparison: str) -> Finding:
    asked: list[Finding] = []
    truth = ~decisive
    for finding in findings:
        asked.append(finding)
        if finding.truth == decisive:
            truth = decisive
            if comparison == "all":
                break
        elif finding.truth == Truth.UNKNOWN and truth != decisive:
            truth = Truth.UNKNOWN
    deciding = [f for f in asked if f.truth == truth]
    if len(deciding) == 1:
        rows, missing = deciding[0].rows, deciding[0].missing
    else:
        rows = tuple(dict.fromkeys([row for f in deciding for row in f.rows]))
        missing = tuple(dict.fromkeys([name for f in deciding for name in f.missing]))
    return Finding(clause, truth, rows, missing=missing, comparison=comparison, parts=tuple(asked))


def recompute(finding: Finding) -> Truth:
    """Return the truth of a clause from its values, threshold and parts alone.

    Examples
    --------
    >>> recompute(compare("down by half", [("x", Measured(3.0, None, 0, 0.0)), ("x", Measured(1.5, None, 1, 28.0))],
    ...                   "percent fall >=", 50.0))
    <Truth.TRUE: 'true'>
    """
    if finding.comparison in ("all", "any"):
        join = all_of if finding.comparison == "all" else any_of
        return join(recompute(part) for part in finding.parts)
    if finding.missing:
        return Truth.UNKNOWN
    if finding.comparison in COMPARISONS and finding.threshold is not None:
        return Truth.of(COMPARISONS[finding.comparison](finding.values, finding.threshold))
    if finding.comparison.startswith("is "):
        return Truth.of(finding.note.endswith(" " + finding.comparison.removeprefix("is ")))
    return finding.truth


def list_leaves(finding: Finding, truth: Truth) -> list[Finding]:
    """Return the clauses without parts that made a clause what it is."""
    if not finding.parts:
        return [finding] if finding.truth == truth else []
    return [leaf for part in finding.parts if part.truth == truth for leaf in list_leaves(part, truth)]
