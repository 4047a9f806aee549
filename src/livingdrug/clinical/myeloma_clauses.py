"""Clauses of the myeloma criteria, asked of many subjects and visits at once, and the finding of one on demand.

A clause holds an array of false, unknown and true, the numbers or words it was asked of, and its parts. The
finding of one subject and visit is cut out of it, so that the trail can never say anything else than the result.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from types import MappingProxyType

import numpy as np

from livingdrug.clinical.comparison import OPEN_WORDS, TOLERANCE, join_all, join_any
from livingdrug.clinical.panel import UNREAD, WORDS, Bools, Codes, Column, Floats, Ints
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Truth

FALSE, UNKNOWN, TRUE = np.int8(0), np.int8(1), np.int8(2)
TRUTHS = (Truth.FALSE, Truth.UNKNOWN, Truth.TRUE)
MEASURABLE = "measurable disease at baseline"
CHANGE = "change of the light chain"
FREE_LIGHT_CHAINS = "free light chains"
ATTRIBUTION = "whether it is due to myeloma"
NAMES = (
    "m_protein",
    "urine_m_protein",
    "immunoglobulin_a",
    "immunoglobulin_d",
    "serum_immunofixation",
    "urine_immunofixation",
    "plasmacytoma_spd",
    "plasmacytoma_longest_diameter",
    "plasmacytoma_short_axis",
    "marrow_plasma_cells",
    FREE_LIGHT_CHAINS,
    "flc_kappa",
    "flc_lambda",
    "marrow_clonal_plasma_cells",
    "circulating_plasma_cells",
    CHANGE,
    MEASURABLE,
    "new_lesion",
    "bone_lesion_progression",
    "overall_response",
    "calcium",
    "albumin",
    "haemoglobin",
    "creatinine",
    ATTRIBUTION,
)
"""What may be missing, in the order in which it is told."""
OPEN_CODES = tuple(WORDS.index(word) for word in OPEN_WORDS)


@cache
def mark(name: str) -> int:
    """Return the mark of a name in sets of what is missing."""
    return 1 << NAMES.index(name)


@cache
def list_names(marks: int) -> tuple[str, ...]:
    """Return the names in a set.

    Examples
    --------
    >>> list_names(mark("flc_kappa") | mark("m_protein"))
    ('m_protein', 'flc_kappa')
    """
    return tuple(name for place, name in enumerate(NAMES) if marks >> place & 1)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number at each visit, or one for all of a subject's visits.

    Parameters
    ----------
    value : NaN where it is not known
    rows : the rows that it stands in
    missing : what is missing where it is not known
    fresh : where it is a result of the visit itself
    """

    value: Floats
    rows: tuple[Ints, ...]
    missing: Ints | int
    fresh: Bools | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """A word at each visit: code in ``WORDS``, the rows, its name, and where it is a result of the visit itself."""

    name: str
    code: Codes
    rows: tuple[Ints, ...]
    fresh: Bools | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A question, its truth at each visit, and what it was asked of.

    Parameters
    ----------
    text : str
    truth : (visit, subject), or (subject,) where it is the same at all visits
    measures : tuple of Measure
    sign : Sign or None
    comparison, threshold, unit
    missing : what is missing where the truth is unknown; None: what its measures lack
    notes, note : sentences, and the place among them of each visit's
    parts : tuple of Clause
    asked : where it is asked at all; None: everywhere
    """

    text: str
    truth: Codes
    measures: tuple[Measure, ...] = ()
    sign: Sign | None = None
    comparison: str = ""
    threshold: float | None = None
    unit: str = ""
    missing: Ints | int | None = None
    notes: tuple[str, ...] = ()
    note: Codes | None = None
    parts: "tuple[Clause, ...]" = ()
    asked: Bools | None = None

    def only(self, where: Bools) -> "Clause":
        """Return the clause asked at some visits only, or of some subjects."""
        return replace(self, asked=where if self.asked is None else self.asked & where)


def _at_least(a: Floats, b: Floats | float) -> Bools:
    return a >= b - TOLERANCE * np.maximum(np.abs(a), np.abs(b))


def _fall(values: Sequence[Floats], percent: float) -> Codes:
    before, now = values
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = _at_least(100.0 * (before - now) / before, percent)
    return np.where(before > 0, np.where(reached, TRUE, FALSE), UNKNOWN)


def _rise(values: Sequence[Floats], percent: float) -> Codes:
    low, now = values
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = _at_least(100.0 * (now - low) / low, percent)
    return np.where((low <= 0) | reached, TRUE, FALSE)


def _of(answer: Bools) -> Codes:
    return np.where(answer, TRUE, FALSE)


QUESTIONS: Mapping[str, Callable[[Sequence[Floats], float], Codes]] = MappingProxyType(
    {
        "percent fall >=": _fall,
        "percent rise >=": _rise,
        "rise >=": lambda v, t: _of(_at_least(v[1] - v[0], t)),
        "rise >": lambda v, t: _of(~_at_least(np.asarray(t), v[1] - v[0])),
        "multiple >=": lambda v, t: _of(_at_least(v[1], t * v[0])),
        ">=": lambda v, t: _of(_at_least(v[-1], t)),
        ">": lambda v, t: _of(~_at_least(np.asarray(t), v[-1])),
        "<": lambda v, t: _of(~_at_least(v[-1], t)),
        "<=": lambda v, t: _of(_at_least(np.asarray(t), v[-1])),
    }
)
"""The comparisons of :data:`comparison.COMPARISONS` for arrays; :func:`recompute` checks one against the other."""


def ask_number(text: str, measures: Sequence[Measure], comparison: str, threshold: Value | float) -> Clause:
    """Ask a question of numbers; unknown where one of them is.

    Examples
    --------
    >>> before, now = (Measure(np.array([[x]]), (np.array([[r]]),), mark("m_protein")) for x, r in ((3.0, 0), (1.5, 1)))
    >>> clause = ask_number("down by half", [before, now], "percent fall >=", 50.0)
    >>> describe(clause, 0, 0).truth, describe(clause, 0, 0).rows
    (<Truth.TRUE: 'true'>, (0, 1))
    """
    limit, unit = (threshold, "") if isinstance(threshold, float) else (threshold.value, threshold.unit)
    values = [measure.value for measure in measures]
    unknown = np.isnan(values[0])
    for value in values[1:]:
        unknown = unknown | np.isnan(value)
    truth = np.where(unknown, UNKNOWN, QUESTIONS[comparison](values, limit))
    return Clause(text, truth, tuple(measures), None, comparison, limit, unit)


def ask_word(text: str, sign: Sign, expected: str) -> Clause:
    """Ask whether a word is the expected one; ``indeterminate`` and ``equivocal`` are unknown."""
    code = sign.code
    truth = np.where(code == WORDS.index(expected), TRUE, FALSE)
    unknown = (code < 0) | (code == UNREAD)
    for word in OPEN_CODES:
        unknown = unknown | (code == word)
    return Clause(text, np.where(unknown, UNKNOWN, truth), (), sign, f"is {expected}", missing=mark(sign.name))


def ask_all(text: str, parts: Sequence[Clause]) -> Clause:
    """Join clauses that must all hold."""
    truth = np.asarray(TRUE)
    for part in parts:
        truth = np.minimum(truth, part.truth if part.asked is None else np.where(part.asked, part.truth, TRUE))
    return Clause(text, truth, comparison="all", parts=tuple(parts))


def ask_any(text: str, parts: Sequence[Clause]) -> Clause:
    """Join clauses of which one must hold."""
    truth = np.asarray(FALSE)
    for part in parts:
        truth = np.maximum(truth, part.truth if part.asked is None else np.where(part.asked, part.truth, FALSE))
    return Clause(text, truth, comparison="any", parts=tuple(parts))


def leave_open(text: str, missing: Ints | int, measures: Sequence[Measure] = (), note: str = "") -> Clause:
    """Return a clause that cannot be answered."""
    notes = (note,) if note else ()
    place = np.asarray(np.int8(0)) if note else None
    return Clause(text, np.asarray(UNKNOWN), tuple(measures), missing=missing, notes=notes, note=place)


def doubt(clause: Clause, missing: str) -> Clause:
    """Return a clause whose truth, where its numbers hold, depends on something that no number tells."""
    where = np.asarray(clause.truth == TRUE)
    return ask_all(clause.text, [clause, leave_open(missing, mark(missing), _list_measures(clause)).only(where)])


def _list_measures(clause: Clause) -> tuple[Measure, ...]:
    return (*clause.measures, *(measure for part in clause.parts for measure in _list_measures(part)))


def deny(text: str, note: str) -> Clause:
    """Return a clause that does not hold, whatever was measured."""
    return Clause(text, np.asarray(FALSE), missing=0, notes=(note,), note=np.asarray(np.int8(0)))


def find_missing(clause: Clause) -> Ints:
    """Return what keeps a clause open at each visit, as sets of names; empty where it is not open."""
    is_open = clause.truth == UNKNOWN
    total: Ints = np.asarray(np.int64(0))
    if clause.parts:
        for part in clause.parts:
            missing = find_missing(part)
            total = total | (missing if part.asked is None else np.where(part.asked, missing, 0))
    elif clause.missing is not None:
        total = np.asarray(clause.missing)
    else:
        for measure in clause.measures:
            total = total | np.where(np.isnan(measure.value), measure.missing, 0)
        total = np.where(total == 0, clause.measures[0].missing, total)
    return np.where(is_open, total, 0)


def find_fresh(clause: Clause) -> Bools:
    """Return where a clause that holds rests on a result of the visit itself."""
    holds = clause.truth == TRUE
    total: Bools = np.asarray(a=False)
    for part in clause.parts:
        fresh = find_fresh(part)
        total = total | (fresh if part.asked is None else part.asked & fresh)
    sources = (*clause.measures, *(() if clause.sign is None else (clause.sign,)))
    for source in sources:
        if source.fresh is not None:
            total = total | source.fresh
    return np.asarray(holds & total)


def find_touched(clause: Clause) -> Bools:
    """Return where something was measured of what keeps a clause open."""
    total: Bools = np.asarray(a=False)
    for part in clause.parts:
        touched = find_touched(part)
        total = total | (touched if part.asked is None else part.asked & touched)
    for source in (*clause.measures, *(() if clause.sign is None else (clause.sign,))):
        for rows in source.rows:
            total = total | (rows >= 0)
    return np.asarray((clause.truth == UNKNOWN) & total)


def _at(array: Floats | Ints | Codes | Bools, visit: int, subject: int) -> float:
    """Return one element of an array, whether it has visits, only subjects, or neither."""
    return float(array.item((visit, subject)[2 - array.ndim :]))


def find_truth(clause: Clause, visit: int, subject: int) -> Truth:
    """Return whether a clause holds for one subject at one visit."""
    return TRUTHS[int(_at(clause.truth, visit, subject))]


def describe(clause: Clause, visit: int, subject: int) -> Finding:
    """Return what a clause says of one subject at one visit, with its rows, values and parts."""
    if clause.parts or clause.comparison in ("all", "any"):
        join = join_all if clause.comparison == "all" else join_any
        return join(clause.text, _describe_parts(clause, visit, subject))
    truth = find_truth(clause, visit, subject)
    missing = list_names(_find_missing_at(clause, visit, subject)) if truth == Truth.UNKNOWN else ()
    rows, values = _list_sources(clause, visit, subject)
    note = "" if clause.note is None else clause.notes[int(_at(clause.note, visit, subject))]
    if clause.sign is not None:
        code = int(_at(clause.sign.code, visit, subject))
        note = f"{clause.sign.name} was {WORDS[code] or 'not readable'}" if code >= 0 else ""
    return Finding(clause.text, truth, rows, values, clause.threshold, missing, note, clause.comparison, clause.unit)


def describe_briefly(clause: Clause, visit: int, subject: int) -> Finding:
    """Return what :func:`describe` does; of a clause that does not hold, only the first part that was asked."""
    if not clause.parts or find_truth(clause, visit, subject) != Truth.FALSE:
        return describe(clause, visit, subject)
    parts = tuple(islice(_describe_parts(clause, visit, subject), 1))
    return Finding(clause.text, Truth.FALSE, comparison=clause.comparison, parts=parts)


def _find_missing_at(clause: Clause, visit: int, subject: int) -> int:
    """Return what :func:`find_missing` does of a clause without parts that is open at one visit."""
    if clause.missing is not None:
        return int(_at(np.asarray(clause.missing), visit, subject))
    total = 0
    for measure in clause.measures:
        if np.isnan(_at(measure.value, visit, subject)):
            total |= int(_at(np.asarray(measure.missing), visit, subject))
    return total or int(_at(np.asarray(clause.measures[0].missing), visit, subject))


def _describe_parts(clause: Clause, visit: int, subject: int) -> Iterator[Finding]:
    for part in clause.parts:
        if part.asked is None or _at(part.asked, visit, subject):
            yield describe(part, visit, subject)


def _list_sources(clause: Clause, visit: int, subject: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
    sources = (*clause.measures, *(() if clause.sign is None else (clause.sign,)))
    rows = [int(_at(array, visit, subject)) for source in sources for array in source.rows]
    values = [float(_at(measure.value, visit, subject)) for measure in clause.measures]
    return (
        tuple(dict.fromkeys(row for row in rows if row >= 0)),
        tuple(value for value in values if not np.isnan(value)),
    )


def take_numbers(column: Column, missing: Ints | int, *, is_now: bool = False) -> Measure:
    """Return a column as something to ask about; ``is_now`` where its results are of the visit itself."""
    fresh = ~np.isnan(column.value) if is_now else None
    return Measure(column.value, column.rows, missing, fresh)


def take_words(name: str, column: Column, fresh: Bools | None = None) -> Sign:
    """Return a column of words as something to ask about."""
    return Sign(name, column.code, column.rows, fresh)
