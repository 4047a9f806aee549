"""Grades of haematotoxicity by neutrophils: early by the longest run of low days, late by the lowest value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from livingdrug.clinical.comparison import compare, join_all, join_any
from livingdrug.clinical.daily import Result
from livingdrug.clinical.daily_series import Run, Series, find_longest, find_runs, say_days
from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth


@dataclass(frozen=True, slots=True)
class LowDays:
    """Runs of days at or below a threshold: those that are certain, and those that are possible."""

    certain: tuple[Run, ...]
    possible: tuple[Run, ...]
    threshold: float

    @property
    def longest(self) -> Run | None:
        """The longest certain run."""
        return find_longest(self.certain)


def find_low_days(series: Series, threshold: float, chosen: Mapping[str, OptionValue], name: str) -> LowDays:
    """Find the runs at or below a threshold (of platelets: strictly below).

    Examples
    --------
    >>> series = Series(0, (400.0, 900.0, 300.0), (400.0, 900.0, 300.0), (0, 1, 2))
    >>> find_low_days(series, 500.0, {"unfilled_days": "unknown", "join_days": 2.0}, "neutrophils").longest
    Run(first=0, last=2)
    """
    is_strict = name == "platelets"
    join = float(chosen["platelet_join_days" if is_strict else "join_days"])
    unfilled = frozenset(series.unfilled) if chosen["unfilled_days"] == "above" else frozenset[int]()

    def mark(values: Sequence[float]) -> list[bool]:
        low = [value < threshold or (value == threshold and not is_strict) for value in values]
        return [is_low and series.start + place not in unfilled for place, is_low in enumerate(low)]

    certain, possible = (find_runs(mark(values), series.start, join) for values in (series.high, series.low))
    return LowDays(certain, possible, threshold)


def ask_early(series: Series, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> list[tuple[int, Finding]]:
    """Ask for each early grade, the most severe first; counts per microlitre."""
    low = find_low_days(series, rules.threshold("neutropenia"), chosen, "neutrophils")
    profound = find_low_days(series, rules.threshold("profound"), chosen, "neutrophils")

    def ask(days: LowDays, name: str) -> Finding:
        return ask_run(days, series, rules.thresholds[name])

    return [
        (
            4,
            join_any(
                "early ICAHT grade 4",
                [
                    ask(profound, "early_4_profound_days"),
                    ask(low, "early_4_days"),
                    _ask_open(low, series, float(chosen["open_start_day"])),
                ],
            ),
        ),
        (3, join_any("early ICAHT grade 3", [ask(low, "early_3_days"), ask(profound, "early_3_profound_days")])),
        (2, ask(low, "early_2_days")),
        (1, ask(low, "early_1_days")),
    ]


def ask_run(days: LowDays, series: Series, least: Value) -> Finding:
    """Ask whether the longest run lasts so many days; unknown if days without a value could make it."""
    text = f"neutrophils at or below {days.threshold:g}/uL for {say_days(least.value)} or more in a row"
    run, possible = days.longest, find_longest(days.possible)
    length = 0 if run is None else run.length
    rows = _find_lowest_row(series) if run is None else series.list_rows(run.first, run.last)
    if length < least.value and possible is not None and possible.length >= least.value:
        note = _describe_gap(series, possible)
        return Finding(text, Truth.UNKNOWN, rows, (), least.value, ("neutrophils",), note, ">=", "day")
    note = "" if run is None else f"days {run.first} to {run.last}"
    truth = Truth.of(length >= least.value)
    return Finding(text, truth, rows, (float(length),), least.value, (), note, ">=", "day")


def _ask_open(days: LowDays, series: Series, latest_start: float) -> Finding:
    """Ask whether a run that started at once is still open on the last day."""
    text = f"from day {latest_start:g} or before, neutrophils at or below {days.threshold:g}/uL to the end of follow-up"
    open_runs = [next((run for run in runs if run.last == series.end), None) for runs in (days.certain, days.possible)]
    starts = [inf if run is None else float(run.first) for run in open_runs]
    if starts[0] > latest_start >= starts[1]:
        rows, note = series.list_rows(series.start, series.end), _describe_gap(series, Run(series.start, series.end))
        return Finding(text, Truth.UNKNOWN, rows, (), latest_start, ("neutrophils",), note, "<=", "day")
    run = open_runs[0]
    if run is None:
        return Finding(text, Truth.FALSE, series.list_rows(series.start, series.end)[-1:], note="no run is open then")
    note = f"a run from day {run.first} is open on day {run.last}"
    truth, rows = Truth.of(run.first <= latest_start), series.list_rows(run.first, run.last)
    return Finding(text, truth, rows, (float(run.first),), latest_start, (), note, "<=", "day")


def _find_lowest_row(series: Series) -> tuple[int, ...]:
    values = [(low, row) for low, row in zip(series.low, series.rows, strict=True) if row is not None]
    return () if not values else (min(values)[1],)


def _describe_gap(series: Series, run: Run) -> str:
    days = [day for day in series.unfilled if run.first <= day <= run.last]
    if not days:
        return "a value below the limit of quantification leaves it open"
    return f"no value on {len(days)} days between day {days[0]} and day {days[-1]}"


def ask_late(
    minima: Mapping[int, Result], rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> list[tuple[int, Finding]]:
    """Ask for each late grade, the most severe first: the nadir, and that a second value is low too."""
    second = _ask_second(minima, rules, str(chosen["late_second_value"]))
    found = []
    for grade in (4, 3, 2, 1):
        limit = rules.thresholds[f"late_{grade}"]
        nadir = _compare_rank(f"nadir at or below {limit.value:g}/uL", minima, 0, limit)
        found.append((grade, join_all(f"late ICAHT grade {grade}", [nadir, second] if second else [nadir])))
    return found


def _ask_second(minima: Mapping[int, Result], rules: Ruleset, policy: str) -> Finding | None:
    if policy == "not_required" or len(minima) < 2:
        return None
    limit = rules.thresholds["late_1"]
    return _compare_rank(f"the value of a second day at or below {limit.value:g}/uL", minima, 1, limit)


def _compare_rank(text: str, minima: Mapping[int, Result], rank: int, limit: Value) -> Finding:
    """Compare the lowest value, or the second lowest one, with a threshold; either end of what is not exact."""
    if len(minima) <= rank:
        return compare(text, [("neutrophils", None)], "<=", limit)
    low = sorted(minima.values(), key=lambda r: (r.low or 0.0, r.row))[rank]
    high = sorted(minima.values(), key=lambda r: (inf if r.high is None else r.high, r.row))[rank]
    ends = [
        compare(text, [("neutrophils", Measured(end, None, r.row, r.day))], "<=", limit)
        for end, r in ((low.low, low), (high.high, high))
    ]
    if ends[0].truth == ends[1].truth:
        return ends[1]
    note = f"between {low.low:g} and {high.high:g}/uL"
    return Finding(text, Truth.UNKNOWN, ends[1].rows, (), limit.value, ("neutrophils",), note, "<=", limit.unit)
