"""Write what is due within a step: the values on the days that are reported.

A step may pass many reports in one lane and none in another. So reports are gathered from all lanes, a vector
full at a time, and looked at together: each place of the vector reads the states of its own report's lane.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llvmlite import ir

from livingdrug.engine.emit import ModelCode
from livingdrug.engine.housekeeping import Housekeeping
from livingdrug.engine.lanes import Lanes, count_from, each_lane, repeat_while, whole
from livingdrug.engine.step import StepCode, allocate
from livingdrug.engine.vector import DOUBLE, INT32, INT64, Emitter

FIRST = whole(0)

Look = Callable[["Place"], ir.Value]
"""Writes the states and outputs at a place of the steps, and returns where they lie."""


@dataclass(frozen=True, slots=True)
class Span:
    """The step of every lane: its length and end, and which lanes took it, and took it to a stop."""

    length: ir.Value
    end: ir.Value
    accepted: ir.Value
    hits: ir.Value


@dataclass(frozen=True, slots=True)
class Place:
    """Days to look at, as fractions of the steps of some lanes."""

    lane: ir.Value
    day: ir.Value
    share: ir.Value


@dataclass(frozen=True, slots=True)
class Reporter:
    """Writes the reports of a step, for the patient and for its directions."""

    emit: Emitter
    code: ModelCode
    step: StepCode
    lanes: Lanes
    house: Housekeeping
    inside: ir.Value
    d_inside: ir.Value
    constants: ir.Value
    d_constants: ir.Value

    @classmethod
    def reserve(cls, emit: Emitter, code: ModelCode, step: StepCode, lanes: Lanes, house: Housekeeping) -> "Reporter":
        """Reserve the arrays."""
        lanes.set_vector("place_lane", emit.bits(0))  # a place not yet used reads a lane too
        seen, count = code.states + code.outputs, code.constants
        arrays = (allocate(emit, size) for size in (seen, seen, count, count))
        return cls(emit, code, step, lanes, house, *arrays)

    def write_patient(self, span: Span, stages: ir.Value) -> None:
        """Write the reports of the patients."""
        self._begin(span)
        self._write(FIRST, span, lambda place: self._look(place, stages))

    def write_direction(self, copy: ir.Value, span: Span, stages: ir.Value, d_stages: ir.Value) -> None:
        """Write the reports of a direction: the same days again."""
        self.lanes.set_vector("report", self.lanes.vector("report_from"))
        self.lanes.set_vector("due", self.lanes.vector("due_from"))
        self._write(copy, span, lambda place: self._look_along(copy, place, stages, d_stages))

    def _begin(self, span: Span) -> None:
        build, lanes = self.emit.builder, self.lanes
        lanes.set_vector("report_from", lanes.vector("report"))
        lanes.set_vector("due_from", lanes.vector("due"))
        lanes.set_vector("length", span.length)
        lanes.set_vector("then", span.end)
        is_final = build.icmp_signed("!=", lanes.vector("final"), self.emit.bits(0))
        closes = build.and_(span.hits, is_final)
        lanes.set_vector("closes", build.zext(closes, self.emit.bits_type))

    def _write(self, copy: ir.Value, span: Span, look: Look) -> None:
        build, emit, lanes = self.emit.builder, self.emit, self.lanes
        closes = build.icmp_signed("!=", lanes.vector("closes"), emit.bits(0))
        with repeat_while(build) as loop:
            due = lanes.vector("due")
            reached = build.or_(emit.less(due, span.end), build.and_(closes, emit.at_most(due, span.end)))
            mask = build.and_(span.accepted, reached)
            loop.stop_unless(emit.any(mask))
            lanes.write("places", FIRST, 0)
            with each_lane(emit, mask, lanes.wholes["marked"]) as lane:
                self._gather(lane)
            source = look(self._find_place())
            with count_from(build, FIRST, lanes.read("places", FIRST)) as place:
                self._store(copy, place, source)

    def _gather(self, lane: ir.Value) -> None:
        """Note the reports that are due in a lane, as long as there is place."""
        build, lanes = self.emit.builder, self.lanes
        end, closes = lanes.read("then", lane), build.icmp_signed("!=", lanes.read("closes", lane), FIRST)
        with repeat_while(build) as loop:
            place, report, due = lanes.read("places", FIRST), lanes.read("report", lane), lanes.read("due", lane)
            is_last = build.and_(closes, build.fcmp_ordered("<=", due, end))
            is_due = build.or_(build.fcmp_ordered("<", due, end), is_last)
            has_place = build.icmp_signed("<", place, whole(self.emit.width))
            loop.stop_unless(build.and_(is_due, has_place))
            lanes.write("place_lane", place, lane)
            lanes.write("place_report", place, report)
            lanes.write("place_due", place, due)
            lanes.write("places", FIRST, build.add(place, whole(1)))
            following = build.add(report, whole(1))
            lanes.write("report", lane, following)
            lanes.write("due", lane, self.house.due_day(following))

    def _find_place(self) -> Place:
        emit, lanes = self.emit, self.lanes
        # places that are not used hold a lane of before: what they read is not stored
        lane, day = lanes.vector("place_lane"), lanes.vector("place_due")
        begin, length = (emit.gather(lanes.doubles[name], 0, lane) for name in ("day", "length"))
        return Place(lane, day, emit.builder.fdiv(emit.sub(day, begin), length))

    def _store(self, copy: ir.Value, place: ir.Value, source: ir.Value) -> None:
        build, lanes = self.emit.builder, self.lanes
        row = self.house.report_row(copy, lanes.read("place_lane", place), lanes.read("place_report", place))
        with count_from(build, FIRST, lanes.job["kept_count"]) as k:
            which = build.sext(lanes.fetch("kept", k, INT32), INT64)
            at = build.add(build.mul(which, whole(self.emit.width)), place)
            build.store(build.load(lanes.index(source, at), typ=DOUBLE), lanes.index(row, k))

    def _look(self, place: Place, stages: ir.Value) -> ir.Value:
        self._interpolate(place, self.house.states(FIRST), stages, self.inside)
        if self.code.observe is not None:
            self._fetch(self.house.constants(FIRST), place, self.code.observe_reads, self.constants)
            out = self.emit.address(self.inside, self.code.states)
            self.emit.builder.call(self.code.observe, [self.inside, self.constants, place.day, out])
        return self.inside

    def _look_along(self, copy: ir.Value, place: Place, stages: ir.Value, d_stages: ir.Value) -> ir.Value:
        self._interpolate(place, self.house.states(copy), d_stages, self.d_inside)
        tangent = self.code.tangent
        if tangent is not None and tangent.observe is not None:
            self._interpolate(place, self.house.states(FIRST), stages, self.inside)
            self._fetch(self.house.constants(FIRST), place, tangent.observe_reads, self.constants)
            self._fetch(self.house.constants(copy), place, tangent.observe_reads, self.d_constants)
            out = self.emit.address(self.d_inside, self.code.states)
            inputs = [self.inside, self.constants, place.day, self.d_inside, self.d_constants, out]
            self.emit.builder.call(tangent.observe, inputs)
        return self.d_inside

    def _interpolate(self, place: Place, y: ir.Value, stages: ir.Value, out: ir.Value) -> None:
        """Write the states that the outputs read, and the others where a state is kept."""
        build, arguments = self.emit.builder, [y, stages, place.share, place.lane, out]
        read, others = self.step.interpolate_places
        if read is not None:
            build.call(read, arguments)
        if others is not None:
            is_kept = build.icmp_signed("!=", self.lanes.job["keeps_states"], FIRST)
            with build.if_then(is_kept):
                build.call(others, arguments)

    def _fetch(self, source: ir.Value, place: Place, indices: Sequence[int], out: ir.Value) -> None:
        for i in indices:
            self.emit.store(self.emit.gather(source, i, place.lane), out, i)
