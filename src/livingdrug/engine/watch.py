"""Write what a kernel keeps of each step: extremes, areas, first crossings.

Five equally spaced nodes a step: Boole's rule gives the area; an extreme is refined by the parabola
through the best node and its neighbours, a crossing by the secant within its interval (Illinois rule).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nan

from llvmlite import ir

from livingdrug.engine.summary import (
    AnySummary,
    FirstAbove,
    FirstBelow,
    Integral,
    Maximum,
    TimeOfMaximum,
    TimeOfMinimum,
)
from livingdrug.engine.vector import Emitter

Look = Callable[[ir.Value, int], ir.Value]
"""Value of a quantity at a fraction of the step."""

BOOLE = (7 / 90, 32 / 90, 12 / 90, 32 / 90, 7 / 90)
REFINEMENTS = 5


@dataclass(frozen=True, slots=True)
class Watch:
    """The summaries of a kernel; ``slots`` are their starting values, those asked for first."""

    summaries: tuple[AnySummary, ...]
    quantities: tuple[int, ...]
    slots: tuple[float, ...]

    @classmethod
    def plan(cls, summaries: Sequence[AnySummary], names: Sequence[str]) -> "Watch":
        """Give every summary its slot; the time of an extreme has a second one for the extreme itself."""
        starts = [_start(summary) for summary in summaries]
        hidden = [_extreme(summary) for summary in summaries if isinstance(summary, (TimeOfMaximum, TimeOfMinimum))]
        quantities = tuple(names.index(summary.quantity) for summary in summaries)
        return cls(tuple(summaries), quantities, (*starts, *hidden))

    def write(
        self,
        emit: Emitter,
        slots: ir.Value,
        look: Look,
        seen: ir.Value,
        span: tuple[ir.Value, ir.Value, ir.Value],
    ) -> None:
        """Write the update of all slots for one accepted step; ``span`` is day, step and mask."""
        hidden = len(self.summaries)
        windows = dict.fromkeys((s.start, s.end) for s in self.summaries)
        for window in windows:
            members = [i for i, s in enumerate(self.summaries) if (s.start, s.end) == window]
            step = _Window.open(emit, look, span, window)
            nodes = step.evaluate(seen, {self.quantities[i] for i in members})
            for i in members:
                summary, quantity = self.summaries[i], self.quantities[i]
                values = nodes[quantity]
                if isinstance(summary, Integral):
                    step.add_area(slots, i, values)
                elif isinstance(summary, (FirstAbove, FirstBelow)):
                    sign = 1.0 if isinstance(summary, FirstAbove) else -1.0
                    step.find_crossing(slots, i, (quantity, sign, summary.threshold), values)
                else:
                    has_time = isinstance(summary, (TimeOfMaximum, TimeOfMinimum))
                    sign = 1.0 if isinstance(summary, (Maximum, TimeOfMaximum)) else -1.0
                    value_slot = self._hidden_slot(i, hidden) if has_time else i
                    step.find_extreme(slots, (value_slot, i if has_time else None), (quantity, sign), values)

    def _hidden_slot(self, i: int, first: int) -> int:
        return first + sum(isinstance(s, (TimeOfMaximum, TimeOfMinimum)) for s in self.summaries[:i])


def _start(summary: AnySummary) -> float:
    if isinstance(summary, (FirstAbove, FirstBelow)):
        return inf
    if isinstance(summary, (TimeOfMaximum, TimeOfMinimum)):
        return nan
    if isinstance(summary, Integral):
        return 0.0
    return _extreme(summary)


def _extreme(summary: AnySummary) -> float:
    return -inf if isinstance(summary, (Maximum, TimeOfMaximum)) else inf


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a step that lies within a window of days."""

    emit: Emitter
    look: Look
    day: ir.Value
    h: ir.Value
    first: ir.Value
    length: ir.Value
    is_open: ir.Value

    @classmethod
    def open(
        cls, emit: Emitter, look: Look, span: tuple[ir.Value, ir.Value, ir.Value], window: tuple[float, float]
    ) -> "_Window":
        day, h, mask = span
        zero, one = emit.number(0.0), emit.number(1.0)

        def fraction(at: float) -> ir.Value:
            share = emit.builder.fdiv(emit.sub(emit.number(at), day), h)
            return emit.min(emit.max(share, zero), one)

        first = zero if window[0] <= 0 else fraction(window[0])
        last = one if window[1] == inf else fraction(window[1])
        is_open = emit.builder.and_(mask, emit.less(first, last))
        return cls(emit, look, day, h, first, emit.sub(last, first), is_open)

    def theta(self, node: int) -> ir.Value:
        return self.emit.fma(self.length, self.emit.number(node / 4), self.first)

    def evaluate(self, seen: ir.Value, quantities: set[int]) -> dict[int, list[ir.Value]]:
        nodes: dict[int, list[ir.Value]] = {quantity: [] for quantity in quantities}
        some = next(iter(quantities))
        for node in range(5):
            self.look(self.theta(node), some)
            for quantity, values in nodes.items():
                values.append(self.emit.load(seen, quantity))
        return nodes

    def add_area(self, slots: ir.Value, slot: int, values: Sequence[ir.Value]) -> None:
        emit = self.emit
        area = emit.number(0.0)
        for weight, value in zip(BOOLE, values, strict=True):
            area = emit.fma(emit.number(weight), value, area)
        area = emit.mul(area, emit.mul(self.length, self.h))
        before = emit.load(slots, slot)
        emit.store(emit.select(self.is_open, emit.add(before, area), before), slots, slot)

    def find_extreme(
        self, slots: ir.Value, into: tuple[int, int | None], what: tuple[int, float], values: Sequence[ir.Value]
    ) -> None:
        emit, (quantity, sign) = self.emit, what
        turned = [v if sign > 0 else emit.neg(v) for v in values]
        best, at, vertex = turned[0], self.theta(0), self._vertex(turned, 1)
        for k in range(1, 5):
            better = emit.less(best, turned[k])
            peak = self._vertex(turned, min(k, 3))
            best = emit.select(better, turned[k], best)
            at = emit.select(better, self.theta(k), at)
            vertex = emit.select(better, peak, vertex)
        self._keep(slots, into, sign, best, at)
        improves = emit.builder.and_(self.is_open, emit.less(self._current(slots, into[0], sign), self._nudge(best)))
        moved = emit.builder.fcmp_ordered("!=", vertex, at)
        with emit.builder.if_then(emit.any(emit.builder.and_(improves, moved))):
            refined = self.look(vertex, quantity)
            self._keep(slots, into, sign, refined if sign > 0 else emit.neg(refined), vertex)

    def _nudge(self, best: ir.Value) -> ir.Value:
        """Return a little more than the best node: the vertex is worth a look if that beats the slot."""
        return self.emit.fma(self.emit.abs(best), self.emit.number(0.05), best)

    def _current(self, slots: ir.Value, slot: int, sign: float) -> ir.Value:
        value = self.emit.load(slots, slot)
        return value if sign > 0 else self.emit.neg(value)

    def _keep(self, slots: ir.Value, into: tuple[int, int | None], sign: float, value: ir.Value, at: ir.Value) -> None:
        emit, (value_slot, time_slot) = self.emit, into
        current = self._current(slots, value_slot, sign)
        better = emit.builder.and_(self.is_open, emit.less(current, value))
        kept = emit.select(better, value, current)
        emit.store(kept if sign > 0 else emit.neg(kept), slots, value_slot)
        if time_slot is not None:
            day = emit.fma(at, self.h, self.day)
            emit.store(emit.select(better, day, emit.load(slots, time_slot)), slots, time_slot)

    def _vertex(self, values: Sequence[ir.Value], k: int) -> ir.Value:
        """Return the vertex of the parabola through nodes k - 1, k, k + 1, kept between them."""
        emit = self.emit
        left, middle, right = values[k - 1 : k + 2]
        bend = emit.sub(emit.add(left, right), emit.mul(emit.number(2.0), middle))
        shift = emit.builder.fdiv(emit.mul(emit.number(0.5), emit.sub(left, right)), bend)
        is_usable = emit.less(emit.abs(shift), emit.number(1.0))
        shift = emit.select(is_usable, shift, emit.number(0.0))
        return emit.fma(emit.mul(shift, emit.number(0.25)), self.length, self.theta(k))

    def find_crossing(
        self, slots: ir.Value, slot: int, what: tuple[int, float, float], values: Sequence[ir.Value]
    ) -> None:
        emit, (quantity, sign, threshold) = self.emit, what
        build, zero = emit.builder, emit.number(0.0)

        def over(value: ir.Value) -> ir.Value:
            return emit.mul(emit.number(sign), emit.sub(value, emit.number(threshold)))

        heights = [over(v) for v in values]
        found = emit.less(zero, heights[0])
        ends = [self.theta(0), self.theta(0), heights[0], heights[0]]
        for k in range(4):
            here = build.and_(build.not_(found), emit.less(zero, heights[k + 1]))
            bracket = [self.theta(k), self.theta(k + 1), heights[k], heights[k + 1]]
            ends = [emit.select(here, new, old) for new, old in zip(bracket, ends, strict=True)]
            found = build.or_(found, here)
        before = emit.load(slots, slot)
        is_new = build.and_(build.and_(self.is_open, found), build.fcmp_ordered("==", before, emit.number(inf)))
        with build.if_then(emit.any(is_new), likely=False):
            low, high, under, above = ends
            for _ in range(REFINEMENTS):
                middle = self._secant(low, high, under, above)
                height = over(self.look(middle, quantity))
                is_over = emit.less(zero, height)
                # Illinois: the end that stays counts half, so that both ends close in
                under = emit.select(is_over, emit.mul(under, emit.number(0.5)), height)
                above = emit.select(is_over, height, emit.mul(above, emit.number(0.5)))
                low = emit.select(is_over, low, middle)
                high = emit.select(is_over, middle, high)
            day = emit.fma(self._secant(low, high, under, above), self.h, self.day)
            emit.store(emit.select(is_new, day, before), slots, slot)

    def _secant(self, low: ir.Value, high: ir.Value, under: ir.Value, above: ir.Value) -> ir.Value:
        emit = self.emit
        share = emit.builder.fdiv(under, emit.sub(under, above))
        is_usable = emit.builder.and_(emit.at_most(emit.number(0.0), share), emit.at_most(share, emit.number(1.0)))
        share = emit.select(is_usable, share, emit.number(0.5))
        return emit.fma(emit.sub(high, low), share, low)
