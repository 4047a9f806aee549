"""What progression in myeloma is counted from: the lowest value of each measure so far."""

from dataclasses import dataclass, field

import numpy as np

from livingdrug.clinical.myeloma_baseline import Baseline, subtract_chains, turn_around
from livingdrug.clinical.myeloma_clauses import Measure, mark, take_numbers
from livingdrug.clinical.panel import Bools, Column, Floats, Ints, Panel

DIFFERENCE, REVERSED = "difference", "reversed_difference"
_BASELINE = -1


@dataclass(frozen=True, slots=True)
class Nadir:
    """The lowest value of each measure from baseline to the visit before the present one.

    With ``is_confirmed`` it is the lowest of the larger of two consecutive values.
    """

    panel: Panel
    baseline: Baseline
    is_confirmed: bool = False
    _known: dict[str, Measure] = field(default_factory=dict)

    def lowest(self, name: str, missing: Ints | int | None = None) -> Measure:
        """Return the nadir of a measure at each visit; unknown where there is no value yet."""
        if name not in self._known:
            marks = mark(name.partition(":")[0]) if missing is None else missing
            self._known[name] = self._find(self._now(name), self._first(name), marks)
        return self._known[name]

    def _now(self, name: str) -> tuple[Measure, Floats]:
        if name in (DIFFERENCE, REVERSED):
            kappa, chain_lambda = self.panel.chains
            return self._subtract(name, kappa, chain_lambda), kappa.day
        column = self.panel.get(name)
        return take_numbers(column, 0), column.day

    def _first(self, name: str) -> tuple[Measure, Floats]:
        found = self.baseline.found
        if name in (DIFFERENCE, REVERSED):
            kappa, chain_lambda = found["flc_kappa"], found["flc_lambda"]
            return self._subtract(name, kappa, chain_lambda), kappa.day
        return take_numbers(found[name], 0), found[name].day

    def _subtract(self, name: str, kappa: Column, chain_lambda: Column) -> Measure:
        difference = subtract_chains(kappa, chain_lambda, self.baseline.involved)
        return difference if name == DIFFERENCE else turn_around(difference)

    def lowest_day(self, name: str) -> Floats:
        """Return the day of the sample that is the nadir; NaN where there is none."""
        (measure, day), (start, start_day) = self._now(name), self._first(name)
        counts = ~np.isnan(measure.value) & ((self.panel.day > 0) | (day > start_day))
        _, source = _follow(measure.value, counts, start.value, is_confirmed=self.is_confirmed)
        later = np.take_along_axis(np.broadcast_to(day, source.shape), np.maximum(source, 0), axis=0)
        return np.where(source == _BASELINE, start_day, later)

    def _find(self, now: tuple[Measure, Floats], first: tuple[Measure, Floats], missing: Ints | int) -> Measure:
        (measure, day), (start, start_day) = now, first
        value = measure.value
        counts = ~np.isnan(value) & ((self.panel.day > 0) | (day > start_day))
        lowest, source = _follow(value, counts, start.value, is_confirmed=self.is_confirmed)
        rows = tuple(_trace(source, own, begun) for own, begun in zip(measure.rows, start.rows, strict=True))
        return Measure(lowest, rows, missing)


def _follow(value: Floats, counts: Bools, start: Floats, *, is_confirmed: bool) -> tuple[Floats, Ints]:
    """Return the lowest value before each visit, and the visit that it is from."""
    found = np.empty_like(value)
    source = np.empty(value.shape, dtype=np.int64)
    lowest, last, has_pair = start.copy(), start.copy(), np.zeros(start.shape, dtype=bool)
    place = np.full(start.shape, _BASELINE)
    last_place = place.copy()
    for visit, (now, is_new) in enumerate(zip(value, counts, strict=True)):
        found[visit], source[visit] = lowest, place
        candidate, own = now, np.full(place.shape, visit)
        is_lower = is_new & ~(lowest <= candidate)
        if is_confirmed:
            is_pair = is_new & ~np.isnan(last)
            is_last_larger = is_pair & (last > now)
            candidate = np.where(is_last_larger, last, now)
            own = np.where(is_last_larger, last_place, visit)
            is_lower = is_new & (~(lowest <= candidate) | (is_pair & ~has_pair))
            has_pair = has_pair | is_pair
            last, last_place = np.where(is_new, now, last), np.where(is_new, visit, last_place)
        lowest, place = np.where(is_lower, candidate, lowest), np.where(is_lower, own, place)
    return found, source


def _trace(source: Ints, rows: Ints, start: Ints) -> Ints:
    """Return the row that each lowest value stands in."""
    later = np.take_along_axis(np.broadcast_to(rows, source.shape), np.maximum(source, 0), axis=0)
    return np.where(source == _BASELINE, start, later)
