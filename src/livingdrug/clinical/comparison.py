"""Comparisons of measurements with thresholds: inclusive or strict as printed, unknown where a value is."""

from collections.abc import Callable, Sequence

from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, Truth, all_of, any_of

TOLERANCE = 1e-9
"""Relative: a change of exactly 30 percent that computes a hair below counts as reached."""


def is_at_least(a: float, b: float) -> bool:
    """Whether a >= b, up to rounding.

    Examples
    --------
    >>> is_at_least(100 * (23.0 - 16.1) / 23.0, 30.0)
    True
    """
    return a >= b or abs(a - b) <= TOLERANCE * max(abs(a), abs(b))


def is_above(a: float, b: float) -> bool:
    """Whether a > b, strictly, beyond rounding."""
    return not is_at_least(b, a)


def compute_fall(before: float, now: float) -> float | None:
    """Return the fall from a baseline in percent; None where the baseline is 0.

    Examples
    --------
    >>> compute_fall(3.0, 1.5), compute_fall(0.0, 1.0)
    (50.0, None)
    """
    return None if before <= 0 else 100.0 * (before - now) / before


def find(
    clause: str,
    measured: Sequence[tuple[str, Measured | None]],
    test: Callable[[list[float]], bool | None],
    threshold: float | None = None,
) -> Finding:
    """Ask a question of numbers; unknown if one of them is."""
    rows = tuple(m.row for _, m in measured if m is not None)
    values = [m.value for _, m in measured if m is not None and m.value is not None]
    missing = tuple(name for name, m in measured if m is None or m.value is None)
    truth = Truth.UNKNOWN if missing else Truth.of(test(values))
    return Finding(clause, truth, rows, tuple(values), threshold, missing)


def find_word(clause: str, name: str, measured: Measured | None, expected: str) -> Finding:
    """Ask whether a word is the expected one; ``indeterminate`` and ``equivocal`` are unknown."""
    if measured is None or measured.word is None or measured.word in {"indeterminate", "equivocal"}:
        rows = () if measured is None else (measured.row,)
        note = "" if measured is None else f"{name} was {measured.word}"
        return Finding(clause, Truth.UNKNOWN, rows, missing=(name,), note=note)
    return Finding(clause, Truth.of(measured.word == expected), (measured.row,), note=f"{name} was {measured.word}")


def join_all(clause: str, findings: Sequence[Finding]) -> Finding:
    """Join clauses that must all hold; what is missing counts only while the answer is open."""
    return _join(clause, findings, all_of(f.truth for f in findings))


def join_any(clause: str, findings: Sequence[Finding]) -> Finding:
    """Join clauses of which one must hold."""
    return _join(clause, findings, any_of(f.truth for f in findings))


def _join(clause: str, findings: Sequence[Finding], truth: Truth) -> Finding:
    deciding = [f for f in findings if f.truth == truth] or list(findings)
    open_ones = [f for f in findings if f.truth == Truth.UNKNOWN] if truth == Truth.UNKNOWN else []
    note = "; ".join(f.note or f.clause for f in deciding if f.note or f.clause)
    return Finding(
        clause,
        truth,
        tuple(dict.fromkeys(row for f in deciding for row in f.rows)),
        tuple(value for f in deciding for value in f.values),
        missing=tuple(dict.fromkeys(name for f in open_ones for name in f.missing)),
        note=note,
    )
