"""One subject's rows by day: the worst of each thing counts, and what is not exact stays a range.

Grades of toxicity look at whole days: several rows of a day are one, the worst. A value below its limit of
quantification lies between 0 and that limit; a clause that both ends answer alike is answered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import floor, inf, isfinite
from typing import Any

import polars as pl

from livingdrug.clinical.comparison import COMPARISONS, compare
from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Truth
from livingdrug.core.variables import VARIABLES, compute_variable_conversion

COURSE_GAP_DAYS = 7.0
_COLUMNS = ("day", "variable", "value", "text", "censored", "lloq", "unit")
Worst = Mapping[str, str | tuple[str, ...]]
"""Which of two results for one thing is worse: the ``highest``, the ``lowest``, or the first of these words."""


@dataclass(frozen=True, slots=True)
class Result:
    """One row: a value between ``low`` and ``high``, or a word; neither where it could not be read."""

    name: str
    day: float
    row: int
    low: float | None = None
    high: float | None = None
    word: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether the row says anything."""
        return self.low is not None or self.word is not None


Results = Mapping[str, Result]
"""The worst result of each thing on one day."""


def read_results(observations: pl.DataFrame, names: Iterable[str]) -> list[Result]:
    """Read the rows about some variables, in canonical units and whole days.

    A unit that is missing or does not convert, and a value beyond what can be measured, leave a value unknown.

    Examples
    --------
    >>> table = pl.DataFrame({"day": [3.6], "variable": ["temperature"], "value": [101.3], "unit": ["[degF]"]})
    >>> [(r.day, round(r.low, 6)) for r in read_results(table, ["temperature"])]
    [(3.0, 38.5)]
    """
    wanted = frozenset(names)
    nothing = [None] * len(observations)
    lists = [observations[c].to_list() if c in observations.columns else nothing for c in _COLUMNS]
    numbers = observations["row"].to_list() if "row" in observations.columns else range(len(observations))
    has_unit = "unit" in observations.columns
    results = []
    for row, day, name, value, text, censored, limit, unit in zip(numbers, *lists, strict=True):
        if name not in wanted or day is None or not isfinite(day):
            continue
        found = Result(name, float(floor(day)), row)
        if VARIABLES[name].words:
            word = text if text in VARIABLES[name].words else None
            results.append(replace(found, word=word))
        else:
            low, high = _read_range(name, value, limit, censored, unit if has_unit else VARIABLES[name].unit)
            results.append(replace(found, low=low, high=high))
    return results


def _read_range(
    name: str, value: float | None, limit: float | None, censored: str | None, unit: str | None
) -> tuple[float | None, float | None]:
    conversion = compute_variable_conversion(name, unit or "")
    if conversion is None:
        return None, None
    known, (factor, offset) = VARIABLES[name], conversion
    number, least = (None if v is None or not isfinite(v) else v * factor + offset for v in (value, limit))
    if censored == "left":
        bound = number if least is None else least
        return (None, None) if bound is None else (0.0, bound)
    if number is None or not known.lower * (1 - 1e-9) <= number <= known.upper * (1 + 1e-9):
        return None, None
    if censored == "interval":
        return (None, None) if least is None else (least, number)
    return number, inf if censored == "right" else number


def group_days(results: Iterable[Result]) -> dict[float, dict[str, list[Result]]]:
    """Return day, then name, then the rows of that name, days in order."""
    days: dict[float, dict[str, list[Result]]] = {}
    for result in sorted(results, key=lambda r: (r.day, r.row)):
        days.setdefault(result.day, {}).setdefault(result.name, []).append(result)
    return days


def find_worst(day: Mapping[str, Sequence[Result]], worst: Worst) -> dict[str, Result]:
    """Return the worst result of each thing; one that is known goes before one that is not.

    Examples
    --------
    >>> rows = [Result("vasopressors", 3.0, 7, 0.0, 0.0), Result("vasopressors", 3.0, 8, 2.0, 2.0)]
    >>> find_worst({"vasopressors": rows}, {"vasopressors": "highest"})["vasopressors"].row
    8
    """
    return {name: min(rows, key=lambda r: _order(r, worst[name])) for name, rows in day.items() if name in worst}


def _order(result: Result, worst: str | tuple[str, ...]) -> tuple[bool, float, float, int]:
    if isinstance(worst, tuple):
        place = worst.index(result.word) if result.word in worst else len(worst)
        return not result.is_known, float(place), 0.0, result.row
    low, high = (0.0 if end is None else end for end in (result.low, result.high))
    ends = (low, high) if worst == "lowest" else (-high, -low)
    return not result.is_known, *ends, result.row


def list_conflicts(days: Mapping[float, Mapping[str, Sequence[Result]]], names: Iterable[str]) -> list[str]:
    """Say which days hold two different results for one thing that can have only one.

    Examples
    --------
    >>> rows = [Result("crs_active", 3.0, 7, word="yes"), Result("crs_active", 3.0, 9, word="no")]
    >>> list_conflicts({3.0: {"crs_active": rows}}, ["crs_active"])
    ['crs_active on day 3 has different results in rows 7 and 9 of the observations; the worst counts']
    """
    wanted = tuple(names)
    warnings = []
    for day, measured in days.items():
        for name in wanted:
            rows = [r for r in measured.get(name, ()) if r.is_known]
            if len({(r.low, r.high, r.word) for r in rows}) > 1:
                places = " and ".join(str(r.row) for r in rows)
                text = f"{name} on day {day:g} has different results in rows {places} of the observations"
                warnings.append(f"{text}; the worst counts")
    return warnings


def find_standing(
    worst: Mapping[float, Results], day: float, names: Iterable[str], standing_days: Mapping[str, float] | float
) -> dict[str, Result]:
    """Return the results of a day, and of earlier days those that still stand then.

    Parameters
    ----------
    worst : mapping of day to Results
    standing_days : float, or one for each name
        How long a result stands where a day has none of its own.

    Examples
    --------
    >>> days = {1.0: {"ldh": Result("ldh", 1.0, 3, 300.0, 300.0)}, 2.0: {}}
    >>> sorted(find_standing(days, 2.0, ["ldh"], 1.0)), sorted(find_standing(days, 3.0, ["ldh"], 1.0))
    (['ldh'], [])
    """
    found: dict[str, Result] = {}
    earlier = sorted((d for d in worst if d <= day), reverse=True)
    for name in names:
        length = standing_days if isinstance(standing_days, float) else standing_days[name]
        for when in earlier:
            if day - when > length:
                break
            result = worst[when].get(name)
            if result is not None and result.is_known:
                found[name] = result
                break
    return found


def find_lymphodepletion(events: Iterable[Mapping[str, Any]], otherwise: float) -> tuple[float, int | None]:
    """Return the first day of the last lymphodepletion up to day 0 and its row; a given day where there is none.

    Days of one course lie at most a week apart.

    Examples
    --------
    >>> given = enumerate((-60.0, -5.0, -4.0))
    >>> find_lymphodepletion([{"day": d, "type": "lymphodepletion", "row": n} for n, d in given], -5.0)
    (-5.0, 1)
    """
    given = sorted((e for e in events if e["type"] == "lymphodepletion" and e["day"] <= 0), key=lambda e: -e["day"])
    start: tuple[float, int | None] = (otherwise, None)
    for event in given:
        if start[1] is not None and start[0] - event["day"] > COURSE_GAP_DAYS:
            break
        start = (float(event["day"]), event["row"])
    return start


@cache
def _find_conversion(name: str, unit: str) -> tuple[float, float]:
    conversion = compute_variable_conversion(name, unit)
    if conversion is None:
        raise ValueError(f"a threshold for {name} must be in a unit that converts, but was in {unit!r}")
    return conversion


def convert_range(result: Result | None, unit: str) -> tuple[float, float] | None:
    """Return what a value lies between, in another unit; None where it is not known.

    Examples
    --------
    >>> convert_range(Result("crp", -6.0, 4, 30.0, 30.0), "mg/dL")
    (3.0, 3.0)
    """
    if result is None or result.low is None or result.high is None:
        return None
    factor, offset = _find_conversion(result.name, unit)
    return (result.low - offset) / factor, (result.high - offset) / factor


def ask_value(clause: str, name: str, result: Result | None, comparison: str, limit: Value | float) -> Finding:
    """Compare a result with a threshold, in the unit of the threshold.

    Examples
    --------
    >>> crp = Result("crp", -6.0, 4, 30.0, 30.0)
    >>> found = ask_value("CRP", "crp", crp, ">=", Value(3.0, "mg/dL", "rejeski2021", "Table 1", "assumed"))
    >>> found.truth, found.values, found.unit
    (<Truth.TRUE: 'true'>, (3.0,), 'mg/dL')
    """
    threshold, unit = (limit, VARIABLES[name].unit) if isinstance(limit, float) else (limit.value, limit.unit)
    rows = () if result is None else (result.row,)
    if result is None or result.low is None or result.high is None:
        return Finding(clause, Truth.UNKNOWN, rows, (), threshold, (name,), "", comparison, unit)
    low, high = convert_range(result, unit) or (result.low, result.high)
    answers = {COMPARISONS[comparison]([end], threshold) for end in (low, high)}
    note = "" if low == high else f"{name} is between {low:g} and {high:g} {unit}"
    if len(answers) > 1:
        return Finding(clause, Truth.UNKNOWN, rows, (), threshold, (name,), note, comparison, unit)
    return Finding(clause, Truth.of(answers.pop()), rows, (low,), threshold, (), note, comparison, unit)


def ask_word(clause: str, result: Result | None, name: str, grades: Mapping[str, Value], level: int) -> Finding:
    """Ask whether the word found stands for a grade of at least ``level``; a word without a grade stands for 0.

    Parameters
    ----------
    grades : mapping of ``name_word`` to Value
        Such as the thresholds of a ruleset.
    """
    if result is None or result.word is None or result.word == "indeterminate":
        rows = () if result is None else (result.row,)
        note = "" if result is None else f"{name} was {result.word or 'not readable'}"
        return Finding(clause, Truth.UNKNOWN, rows, (), float(level), (name,), note, ">=", "score")
    known = grades.get(f"{name}_{result.word}")
    grade = Measured(0.0 if known is None else known.value, None, result.row, result.day)
    return replace(compare(clause, [(name, grade)], ">=", float(level)), note=f"{name} was {result.word}", unit="score")


def ask_yes(clause: str, result: Result | None, name: str, expected: str = "yes") -> Finding:
    """Ask whether a word is the expected one; unknown where there is none, or an open one.

    Examples
    --------
    >>> ask_yes("vasopressin in use", Result("vasopressin", 2.0, 5, word="no"), "vasopressin").truth
    <Truth.FALSE: 'false'>
    """
    if result is None or result.word is None or result.word == "indeterminate":
        rows = () if result is None else (result.row,)
        note = "" if result is None else f"{name} was {result.word or 'not readable'}"
        return Finding(clause, Truth.UNKNOWN, rows, missing=(name,), note=note, comparison=f"is {expected}")
    truth, note = Truth.of(result.word == expected), f"{name} was {result.word}"
    return Finding(clause, truth, (result.row,), note=note, comparison=f"is {expected}")


def list_event_rows(events: pl.DataFrame) -> list[dict[str, Any]]:
    """Return events as mappings with ``day, type, note, duration_days, row``, by day."""
    names = ("day", "type", "note", "duration_days")
    lists = [events[c].to_list() if c in events.columns else [None] * len(events) for c in names]
    numbers = events["row"].to_list() if "row" in events.columns else range(len(events))
    rows = [dict(zip((*names, "row"), cells, strict=True)) for cells in zip(*lists, numbers, strict=True)]
    return sorted((r for r in rows if r["day"] is not None), key=lambda r: (r["day"], r["row"]))
