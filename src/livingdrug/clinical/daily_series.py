"""A count on every day of a window: daily minima, filled where values are near, and the runs of low days in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from livingdrug.clinical.comparison import round_digits
from livingdrug.clinical.daily import Result

_OPEN = 1e-12
"""Relative: how far below its limit a value that was not quantified is taken to be at most."""


@dataclass(frozen=True, slots=True)
class Series:
    """One count by day, between two ends; infinite apart where nothing is known.

    Parameters
    ----------
    start : int
        First day.
    low, high : tuple of float
        Ends of the count of each day; not known: 0 and infinity.
    rows : tuple of int or None
        The row of each day that has a value.
    """

    start: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    rows: tuple[int | None, ...]

    @property
    def end(self) -> int:
        """Last day."""
        return self.start + len(self.low) - 1

    @property
    def unfilled(self) -> tuple[int, ...]:
        """Days of which nothing is known."""
        ends = enumerate(zip(self.low, self.high, strict=True))
        return tuple(self.start + place for place, (low, high) in ends if low == 0 and high == inf)

    def list_rows(self, first: int, last: int) -> tuple[int, ...]:
        """Return the rows of these days."""
        kept = self.rows[max(first - self.start, 0) : last - self.start + 1]
        return tuple(row for row in kept if row is not None)


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row, both ends included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Number of days."""
        return self.last - self.first + 1


def read_ends(result: Result) -> tuple[float, float] | None:
    """Return the two ends of a value; what is below a limit of quantification is strictly below it.

    Examples
    --------
    >>> low, high = read_ends(Result("platelets", 3.0, 7, 0.0, 20.0))
    >>> low, high < 20, round(high, 6), read_ends(Result("platelets", 3.0, 7))
    (0.0, True, 20.0, None)
    """
    if result.low is None or result.high is None:
        return None
    is_below_limit = result.low == 0 < result.high < inf
    return result.low, result.high * (1 - _OPEN) if is_below_limit else result.high


def find_minima(results: Iterable[Result], start: int, end: int, factor: float = 1.0) -> dict[int, Result]:
    """Return the lowest value of each day of a window, multiplied by a factor.

    Examples
    --------
    >>> rows = [Result("neutrophils", 3.0, 7, 0.4, 0.4), Result("neutrophils", 3.0, 8, 0.3, 0.3)]
    >>> find_minima(rows, 0, 30, 1000.0)[3].low
    300.0
    """
    minima: dict[int, Result] = {}
    for found in sorted(results, key=lambda r: (r.day, r.row)):
        day, ends = int(found.day), read_ends(found)
        if ends is None or not start <= day <= end:
            continue
        low, high = (round_digits(number * factor) for number in ends)
        before = minima.get(day)
        row = found.row
        if before is not None and before.low is not None and before.high is not None:
            row = row if high < before.high else before.row
            low, high = min(low, before.low), min(high, before.high)
        minima[day] = Result(found.name, found.day, row, low, high)
    return minima


def build_series(
    minima: dict[int, Result], start: int, end: int, *, gap_days: float, carry_days: float, round_to: float = 0.0
) -> Series:
    """Fill the days of a window: between two values by a straight line, at both ends by the nearest value.

    Parameters
    ----------
    minima : mapping of day to Result
    start, end : int
        First and last day; values outside are not looked at.
    gap_days, carry_days : float
        Most days in a row that are filled between values, and at the ends.
    round_to : float
        Multiples to round to; 0 for none. A half goes to the even multiple.

    Examples
    --------
    >>> values = {2: Result("neutrophils", 2.0, 0, 900.0, 900.0), 4: Result("neutrophils", 4.0, 1, 300.0, 300.0)}
    >>> build_series(values, 1, 5, gap_days=7, carry_days=0).low
    (0.0, 900.0, 600.0, 300.0, 0.0)
    """
    days = sorted(day for day in minima if start <= day <= end)
    low, high = [0.0] * (end - start + 1), [inf] * (end - start + 1)

    def put(day: int, values: tuple[float, float]) -> None:
        low[day - start], high[day - start] = values

    ends = {day: (minima[day].low or 0.0, _read_high(minima[day])) for day in days}
    for day, values in ends.items():
        put(day, values)
    for before, after in pairwise(days):
        if 0 < after - before - 1 <= gap_days:
            for day in range(before + 1, after):
                share = (day - before) / (after - before)
                put(day, _mix(ends[before], ends[after], share))
    if days:
        for day in range(start, days[0]) if days[0] - start <= carry_days else ():
            put(day, ends[days[0]])
        for day in range(days[-1] + 1, end + 1) if end - days[-1] <= carry_days else ():
            put(day, ends[days[-1]])
    rows = tuple(minima[day].row if day in ends else None for day in range(start, end + 1))
    return Series(start, _round_all(low, round_to), _round_all(high, round_to), rows)


def _read_high(result: Result) -> float:
    return inf if result.high is None else result.high


def _mix(before: tuple[float, float], after: tuple[float, float], share: float) -> tuple[float, float]:
    low = round_digits(before[0] + (after[0] - before[0]) * share)
    is_open = inf in (before[1], after[1])
    return low, inf if is_open else round_digits(before[1] + (after[1] - before[1]) * share)


def _round_all(values: Sequence[float], to: float) -> tuple[float, ...]:
    if to <= 0:
        return tuple(values)
    return tuple(value if value == inf else round(round_digits(value / to)) * to for value in values)


def find_runs(is_low: Sequence[bool], start: int, join_days: float = 0.0) -> tuple[Run, ...]:
    """Return the runs of low days; runs with so few days between them are one.

    Examples
    --------
    >>> find_runs([True, False, False, True, False], 0), find_runs([True, False, False, True, False], 0, 2)
    ((Run(first=0, last=0), Run(first=3, last=3)), (Run(first=0, last=3),))
    """
    runs: list[Run] = []
    for place, low in enumerate(is_low):
        day = start + place
        if not low:
            continue
        if runs and day - runs[-1].last - 1 <= join_days:
            runs[-1] = Run(runs[-1].first, day)
        else:
            runs.append(Run(day, day))
    return tuple(runs)


def find_longest(runs: Sequence[Run]) -> Run | None:
    """Return the longest run, of equally long ones the first; None where there is none."""
    return max(runs, key=lambda run: (run.length, -run.first), default=None)


def say_days(number: float) -> str:
    """Return a number of days in words.

    Examples
    --------
    >>> say_days(1.0), say_days(14.0)
    ('1 day', '14 days')
    """
    return f"{number:g} day" if number == 1 else f"{number:g} days"
