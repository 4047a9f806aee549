"""Write the loop that keeps every lane busy.

A lane carries its own patient, day, step and next report. When its patient is done the next one is
loaded into it; no lane waits for another, and no arithmetic crosses lanes, so a patient's bits are
the same alone, in any batch and on any number of threads.

Derivatives are those of the computed solution itself: each direction follows the steps of its patient
with the same factors (internal differentiation, Bock 1981), so they are exact to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from llvmlite import ir

from livingdrug.engine import tableau
from livingdrug.engine.emit import ModelCode
from livingdrug.engine.housekeeping import Housekeeping
from livingdrug.engine.lanes import AT_STOP, FAILED, IDLE, LOAD, RUNNING, Lanes, count_from, repeat_while, whole
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.reports import Reporter, Span
from livingdrug.engine.step import StepCode, allocate
from livingdrug.engine.summary import AnySummary
from livingdrug.engine.vector import POINTER, Emitter
from livingdrug.engine.watch import Watch

SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
CAUTION = 4.0  # local errors add up: a step's error is held to a quarter of the tolerance
SMALLEST = 1e-15  # a step below this fraction of the day cannot advance it


def write_kernel(
    module: ir.Module, code: ModelCode, step: StepCode, summaries: Sequence[AnySummary], names: Sequence[str]
) -> None:
    """Write ``kernel(job)``: integrate the patients of a job."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER]), name="kernel")
    emit = code.target.emitter(ir.IRBuilder(function.append_basic_block("entry")))
    lanes = Lanes.reserve(emit, code.target, function.args[0])
    watch = Watch.plan(summaries, names)
    driver = _Driver.reserve(emit, code, step, lanes, watch)
    driver.write()


@dataclass(frozen=True, slots=True)
class _Driver:
    emit: Emitter
    code: ModelCode
    step: StepCode
    lanes: Lanes
    watch: Watch
    house: Housekeeping
    rate: ir.Value
    stages: ir.Value
    y_new: ir.Value
    seen: ir.Value
    d_stages: ir.Value
    reporter: Reporter

    @classmethod
    def reserve(cls, emit: Emitter, code: ModelCode, step: StepCode, lanes: Lanes, watch: Watch) -> "_Driver":
        size = code.states
        house = Housekeeping(emit, code, lanes, watch.slots)
        return cls(
            emit,
            code,
            step,
            lanes,
            watch,
            house,
            rate=allocate(emit, size),
            stages=allocate(emit, step.work_size),
            y_new=allocate(emit, 2 * size),
            seen=allocate(emit, size + code.outputs),
            d_stages=allocate(emit, size * tableau.STAGES),
            reporter=Reporter.reserve(emit, code, step, lanes, house),
        )

    def write(self) -> None:
        build, lanes = self.emit.builder, self.lanes
        with count_from(build, whole(0), whole(self.emit.width)) as lane:
            lanes.write("status", lane, LOAD)
        with repeat_while(build) as loop:
            attention = self.emit.any(build.not_(lanes.is_status(RUNNING)))
            with build.if_then(attention, likely=False), count_from(build, whole(0), whole(self.emit.width)) as lane:
                self.house.attend(lane)
            loop.stop_unless(self.emit.any(build.not_(lanes.is_status(IDLE))))
            self._write_step()
        build.ret_void()

    def _write_step(self) -> None:
        build, emit, lanes = self.emit.builder, self.emit, self.lanes
        y, c = self.house.states(whole(0)), self.house.constants(whole(0))
        day = lanes.vector("day")
        atol, rtol = lanes.job["atol"], self._splat(lanes.job["rtol"])
        is_fresh = build.icmp_signed("!=", lanes.vector("fresh"), emit.bits(0))
        with build.if_then(emit.any(is_fresh), likely=False):
            build.call(self.code.rhs, [y, c, day, self.rate])
            guess = build.call(self.step.first_step, [y, self.rate, atol, rtol])
            lanes.set_vector("step", emit.select(is_fresh, guess, lanes.vector("step")))
        h = emit.min(lanes.vector("step"), self._splat(lanes.job["longest_step"]))
        left = emit.sub(lanes.vector("stop"), day)
        hits = emit.at_most(left, emit.mul(h, emit.number(1.0001)))
        h = emit.select(hits, left, h)
        error = build.call(self.step.attempt, [y, c, day, h, atol, rtol, self.stages, self.y_new])
        error = emit.mul(error, emit.number(CAUTION))
        running = lanes.is_status(RUNNING)
        accepted = build.and_(running, emit.at_most(error, emit.number(1.0)))
        then = emit.select(hits, lanes.vector("stop"), emit.add(day, h))
        with build.if_then(emit.any(accepted), likely=True):
            self._write_accepted(day, Span(h, then, accepted, hits))
        self._write_control(h, error, running, accepted)
        self._write_advance(then, hits, running, accepted)

    def _write_accepted(self, day: ir.Value, span: Span) -> None:
        build, lanes = self.emit.builder, self.lanes
        y, c = self.house.states(whole(0)), self.house.constants(whole(0))
        self.reporter.write_patient(span, self.stages)
        if self.watch.slots:
            self._write_watch(y, c, (day, span.length), span.accepted)
        if self.step.follow is not None:
            with count_from(build, whole(1), lanes.job["copies"]) as copy:
                self._write_direction(self.step.follow, copy, day, span)
        self._commit(y, self.y_new, span.accepted)

    def _write_direction(self, follow: ir.Function, copy: ir.Value, day: ir.Value, span: Span) -> None:
        build, house = self.emit.builder, self.house
        y, c = house.states(whole(0)), house.constants(whole(0))
        dy, dc = house.states(copy), house.constants(copy)
        build.call(follow, [y, c, day, span.length, dy, dc, self.stages, self.d_stages, self.y_new_tangent])
        self.reporter.write_direction(copy, span, self.stages, self.d_stages)
        self._commit(dy, self.y_new_tangent, span.accepted)

    @property
    def y_new_tangent(self) -> ir.Value:
        """Address of the direction after the step: behind the states after the step."""
        return self.emit.address(self.y_new, self.code.states)

    def _commit(self, y: ir.Value, y_new: ir.Value, accepted: ir.Value) -> None:
        emit = self.emit
        for i in range(self.code.states):
            emit.store(emit.select(accepted, emit.load(y_new, i), emit.load(y, i)), y, i)

    def _look(self, y: ir.Value, c: ir.Value, at: ir.Value, theta: ir.Value) -> None:
        """Write the states and outputs inside the step into ``seen``."""
        build = self.emit.builder
        build.call(self.step.interpolate, [y, self.stages, theta, self.seen])
        if self.code.observe is not None:
            out = self.emit.address(self.seen, self.code.states)
            build.call(self.code.observe, [self.seen, c, at, out])

    def _write_watch(self, y: ir.Value, c: ir.Value, span: tuple[ir.Value, ir.Value], accepted: ir.Value) -> None:
        day, h = span

        def look(theta: ir.Value, quantity: int) -> ir.Value:
            self._look(y, c, self.emit.fma(theta, h, day), theta)
            return self.emit.load(self.seen, quantity)

        self.watch.write(self.emit, self.house.watched, look, self.seen, (day, h, accepted))

    def _write_control(self, h: ir.Value, error: ir.Value, running: ir.Value, accepted: ir.Value) -> None:
        """Choose the next step from the error, which grows as the fifth power of the step."""
        build, emit, lanes = self.emit.builder, self.emit, self.lanes
        floor = emit.number(1e-12)
        bounded = emit.max(error, floor)
        factor = emit.exp(emit.mul(emit.number(-1.0 / tableau.ORDER), emit.log(bounded)))
        factor = emit.mul(factor, emit.number(SAFETY))
        is_number = build.fcmp_ordered("ord", error, error)
        factor = emit.select(is_number, factor, emit.number(SHRINK))
        factor = emit.min(emit.max(factor, emit.number(SHRINK)), emit.number(GROW))
        following = emit.mul(h, factor)
        lanes.set_vector("step", emit.select(running, following, lanes.vector("step")))
        one, none = emit.bits(1), emit.bits(0)
        refused = build.and_(running, build.not_(accepted))
        for name, mask in (("taken", accepted), ("refused", refused)):
            lanes.set_vector(name, build.add(lanes.vector(name), build.select(mask, one, none)))
        is_bad = build.and_(refused, build.not_(is_number))
        reason = build.select(is_bad, emit.bits(Outcome.NOT_FINITE), emit.bits(Outcome.STEP_TOO_SMALL))
        total = build.add(lanes.vector("taken"), lanes.vector("refused"))
        too_many = build.icmp_signed(">", total, self._splat_whole(lanes.job["max_steps"]))
        reason = build.select(too_many, emit.bits(Outcome.TOO_MANY_STEPS), reason)
        lanes.set_vector("code", build.select(running, reason, lanes.vector("code")))
        limit = emit.mul(emit.max(lanes.vector("day"), emit.number(SMALLEST)), emit.number(SMALLEST))
        stuck = build.and_(refused, build.not_(emit.less(limit, following)))
        failed = build.and_(running, build.or_(stuck, too_many))
        lanes.set_vector("status", build.select(failed, emit.bits(FAILED), lanes.vector("status")))

    def _write_advance(self, then: ir.Value, hits: ir.Value, running: ir.Value, accepted: ir.Value) -> None:
        build, emit, lanes = self.emit.builder, self.emit, self.lanes
        lanes.set_vector("day", emit.select(accepted, then, lanes.vector("day")))
        lanes.set_vector("fresh", build.select(running, emit.bits(0), lanes.vector("fresh")))
        stops = build.and_(build.and_(accepted, hits), lanes.is_status(RUNNING))
        lanes.set_vector("status", build.select(stops, emit.bits(AT_STOP), lanes.vector("status")))

    def _splat(self, scalar: ir.Value) -> ir.Value:
        return self._spread(scalar, self.emit.type)

    def _splat_whole(self, scalar: ir.Value) -> ir.Value:
        return self._spread(scalar, self.emit.bits_type)

    def _spread(self, scalar: ir.Value, kind: ir.Type) -> ir.Value:
        build = self.emit.builder
        first = build.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.emit.width), [0] * self.emit.width)
        return build.shuffle_vector(first, first, zeros)
