"""Write what happens to a lane between steps: load, change, finish.

All of it is ordinary scalar code for one lane; it runs a few times a patient.
"""

from dataclasses import dataclass
from math import inf, nan

from llvmlite import ir

from livingdrug.engine.emit import ModelCode, TangentCode
from livingdrug.engine.lanes import AT_STOP, FAILED, IDLE, LOAD, RUNNING, Lanes, code32, count_from, repeat_while, whole
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.vector import DOUBLE, INT32, INT64, Emitter

NEVER = inf


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Writes scalar code; owns the layout of the workspace.

    For each copy: states and constants (vectors), after them for each copy and lane the parameters as
    they stand (changes alter them), last the watched slots. Copy 0 is the patient; the others are
    directions: their states, constants and parameters are rates of change.
    """

    emit: Emitter
    code: ModelCode
    lanes: Lanes
    watched_slots: tuple[float, ...]

    @property
    def block(self) -> int:
        """Vectors per copy."""
        return self.code.states + self.code.constants

    def states(self, copy: ir.Value) -> ir.Value:
        """Address of a copy's states."""
        return self._vectors(copy, 0)

    def constants(self, copy: ir.Value) -> ir.Value:
        """Address of a copy's constants."""
        return self._vectors(copy, self.code.states)

    @property
    def watched(self) -> ir.Value:
        """Address of the watched slots."""
        build, job = self.emit.builder, self.lanes.job
        each = build.add(build.mul(job["parameter_count"], whole(self.emit.width)), whole(self.block * self.emit.width))
        return self.lanes.index(job["workspace"], build.mul(job["copies"], each))

    def _vectors(self, copy: ir.Value, first: int) -> ir.Value:
        build = self.emit.builder
        number = build.add(build.mul(copy, whole(self.block)), whole(first))
        return self.lanes.index(self.lanes.job["workspace"], build.mul(number, whole(self.emit.width)))

    def _own_parameters(self, copy: ir.Value, lane: ir.Value) -> ir.Value:
        build, job = self.emit.builder, self.lanes.job
        vectors = build.mul(job["copies"], whole(self.block * self.emit.width))
        row = build.add(build.mul(copy, whole(self.emit.width)), lane)
        return self.lanes.index(job["workspace"], build.add(vectors, build.mul(row, job["parameter_count"])))

    def report_row(self, copy: ir.Value, lane: ir.Value, report: ir.Value) -> ir.Value:
        """Address of the values of one report."""
        build, job = self.emit.builder, self.lanes.job
        row = build.add(build.mul(self.lanes.read("patient", lane), job["copies"]), copy)
        row = build.add(build.mul(row, job["time_count"]), report)
        return self.lanes.index(job["values"], build.mul(row, job["kept_count"]))

    def due_day(self, report: ir.Value) -> ir.Value:
        """Day of a report, or never."""
        build, job = self.emit.builder, self.lanes.job
        is_there = build.icmp_signed("<", report, job["time_count"])
        with build.if_else(is_there) as (then, otherwise):
            with then:
                known = self.lanes.fetch("times", report)
                known_block = build.block
            with otherwise:
                other_block = build.block
        day = build.phi(DOUBLE)
        day.add_incoming(known, known_block)
        day.add_incoming(ir.Constant(DOUBLE, NEVER), other_block)
        return day

    def attend(self, lane: ir.Value) -> None:
        """Write what a lane that is not running needs."""
        build = self.emit.builder
        with build.if_then(self._is(lane, FAILED)):
            self._finish(lane, self.lanes.read("code", lane))
        with build.if_then(self._is(lane, AT_STOP)):
            is_final = build.icmp_signed("!=", self.lanes.read("final", lane), whole(0))
            with build.if_then(is_final):
                self._finish(lane, whole(Outcome.DONE))
        with build.if_then(self._is(lane, LOAD)):
            self._load(lane)
        with build.if_then(self._is(lane, AT_STOP)):
            self._change(lane)
            self._set_out(lane)

    def _is(self, lane: ir.Value, status: int) -> ir.Value:
        return self.emit.builder.icmp_signed("==", self.lanes.read("status", lane), whole(status))

    def _finish(self, lane: ir.Value, outcome: ir.Value) -> None:
        """Store the outcome, the steps and the watched slots; what was not reached is not a number."""
        build, lanes, job = self.emit.builder, self.lanes, self.lanes.job
        patient = lanes.read("patient", lane)
        build.store(build.trunc(outcome, ir.IntType(8)), lanes.index(job["outcome"], patient, ir.IntType(8)))
        pair = build.mul(patient, whole(2))
        for offset, name in enumerate(("taken", "refused")):
            address = lanes.index(job["steps"], build.add(pair, whole(offset)), INT64)
            build.store(lanes.read(name, lane), address)
        has_failed = build.icmp_signed("!=", outcome, whole(Outcome.DONE))
        self._store_watched(lane, patient, has_failed)
        with build.if_then(has_failed), count_from(build, whole(0), job["copies"]) as copy:
            start = self.report_row(copy, lane, lanes.read("report", lane))
            left = build.sub(job["time_count"], lanes.read("report", lane))
            with count_from(build, whole(0), build.mul(left, job["kept_count"])) as k:
                build.store(ir.Constant(DOUBLE, nan), lanes.index(start, k))
        lanes.write("status", lane, LOAD)

    def _store_watched(self, lane: ir.Value, patient: ir.Value, has_failed: ir.Value) -> None:
        build, lanes = self.emit.builder, self.lanes
        count = len(self.watched_slots)
        for i in range(count):
            value = build.load(self._slot(lane, i), typ=DOUBLE)
            value = build.select(has_failed, ir.Constant(DOUBLE, nan), value)
            place = build.add(build.mul(patient, whole(count)), whole(i))
            build.store(value, lanes.index(lanes.job["summaries"], place))

    def _slot(self, lane: ir.Value, i: int) -> ir.Value:
        return self.lanes.index(self.watched, self.emit.builder.add(whole(i * self.emit.width), lane))

    def _load(self, lane: ir.Value) -> None:
        """Load the next patient, or leave the lane idle."""
        build, lanes, job = self.emit.builder, self.lanes, self.lanes.job
        following = build.load(self._next_patient, typ=INT64)
        with build.if_else(build.icmp_signed("<", following, job["end"])) as (then, otherwise):
            with then:
                build.store(build.add(following, whole(1)), self._next_patient)
                lanes.write("patient", lane, following)
                lanes.write("change", lane, lanes.fetch("change_offsets", following, INT64))
                for name in ("report", "taken", "refused", "code", "final"):
                    lanes.write(name, lane, 0)
                lanes.write("day", lane, 0.0)
                lanes.write("due", lane, self.due_day(whole(0)))
                lanes.write("status", lane, AT_STOP)
                self._load_patient(lane, following)
            with otherwise:
                lanes.write("status", lane, IDLE)
                lanes.write("day", lane, 0.0)
                lanes.write("step", lane, 1.0)
                lanes.write("stop", lane, NEVER)
                lanes.write("due", lane, NEVER)
                lanes.write("fresh", lane, 0)

    @property
    def _next_patient(self) -> ir.Value:
        """Address of the counter: the job's own ``begin`` slot."""
        return self.emit.builder.function.args[0]

    def _load_patient(self, lane: ir.Value, patient: ir.Value) -> None:
        build, lanes, job = self.emit.builder, self.lanes, self.lanes.job
        base = whole(0)
        own = self._own_parameters(base, lane)
        source = lanes.index(job["parameters"], build.mul(patient, job["parameter_count"]))
        with count_from(build, whole(0), job["parameter_count"]) as k:
            build.store(build.load(lanes.index(source, k), typ=DOUBLE), lanes.index(own, k))
        build.call(self.code.initial, [own, lanes.index(self.states(base), lane)])
        for i, start in enumerate(self.watched_slots):
            build.store(ir.Constant(DOUBLE, start), self._slot(lane, i))
        if self.code.tangent is not None:
            with count_from(build, whole(1), job["copies"]) as copy:
                self._load_direction(self.code.tangent, copy, lane)
        self._derive_constants(lane)

    def _load_direction(self, tangent: TangentCode, copy: ir.Value, lane: ir.Value) -> None:
        """Point a direction along its parameter."""
        build, lanes, job = self.emit.builder, self.lanes, self.lanes.job
        direction = self._own_parameters(copy, lane)
        with count_from(build, whole(0), job["parameter_count"]) as k:
            build.store(ir.Constant(DOUBLE, 0.0), lanes.index(direction, k))
        along = build.sext(lanes.fetch("wrt", build.sub(copy, whole(1)), INT32), INT64)
        build.store(ir.Constant(DOUBLE, 1.0), lanes.index(direction, along))
        out = lanes.index(self.states(copy), lane)
        build.call(tangent.initial, [self._own_parameters(whole(0), lane), direction, out])

    def _derive_constants(self, lane: ir.Value) -> None:
        build, lanes = self.emit.builder, self.lanes
        own = self._own_parameters(whole(0), lane)
        build.call(self.code.prologue, [own, lanes.index(self.constants(whole(0)), lane)])
        if self.code.tangent is not None:
            with count_from(build, whole(1), lanes.job["copies"]) as copy:
                out = lanes.index(self.constants(copy), lane)
                build.call(self.code.tangent.prologue, [own, self._own_parameters(copy, lane), out])

    def _change(self, lane: ir.Value) -> None:
        """Make the changes that are due."""
        build, lanes = self.emit.builder, self.lanes
        with repeat_while(build) as loop:
            change = lanes.read("change", lane)
            end = self._changes_end(lane)
            loop.stop_unless(build.icmp_signed("<", change, end))
            loop.stop_unless(build.fcmp_ordered("<=", lanes.fetch("change_day", change), lanes.read("day", lane)))
            action = lanes.fetch("change_action", change, INT32)
            with count_from(build, whole(0), lanes.job["copies"]) as copy:
                self._apply(change, action, copy, lane)
            with build.if_then(build.icmp_signed(">=", action, code32(3))):
                self._derive_constants(lane)
            lanes.write("change", lane, build.add(change, whole(1)))

    def _changes_end(self, lane: ir.Value) -> ir.Value:
        following = self.emit.builder.add(self.lanes.read("patient", lane), whole(1))
        return self.lanes.fetch("change_offsets", following, INT64)

    def _apply(self, change: ir.Value, action: ir.Value, copy: ir.Value, lane: ir.Value) -> None:
        """Add to, multiply or set a state or parameter; for a direction, what is added or set is constant."""
        build, lanes = self.emit.builder, self.lanes
        target = build.sext(lanes.fetch("change_target", change, INT32), INT64)
        value = lanes.fetch("change_value", change)
        is_direction = build.icmp_signed(">", copy, whole(0))
        constant = build.select(is_direction, ir.Constant(DOUBLE, 0.0), value)
        state = lanes.index(self.states(copy), build.add(build.mul(target, whole(self.emit.width)), lane))
        parameter = lanes.index(self._own_parameters(copy, lane), target)
        address = build.select(build.icmp_signed("<", action, code32(3)), state, parameter)
        kind = build.srem(action, code32(3))
        before = build.load(address, typ=DOUBLE)
        after = build.select(build.icmp_signed("==", kind, code32(1)), build.fmul(before, value), constant)
        after = build.select(build.icmp_signed("==", kind, code32(0)), build.fadd(before, constant), after)
        build.store(after, address)

    def _set_out(self, lane: ir.Value) -> None:
        """Set the next stop: the next change, or the end. A change on the last day is followed by a moment."""
        build, lanes = self.emit.builder, self.lanes
        day, last = lanes.read("day", lane), lanes.job["end_day"]
        change = lanes.read("change", lane)
        is_left = build.icmp_signed("<", change, self._changes_end(lane))
        safe = build.select(is_left, change, whole(0))
        with build.if_else(is_left) as (then, otherwise):
            with then:
                known = lanes.fetch("change_day", safe)
                known_block = build.block
            with otherwise:
                other_block = build.block
        following = build.phi(DOUBLE)
        following.add_incoming(known, known_block)
        following.add_incoming(ir.Constant(DOUBLE, inf), other_block)
        moment = build.fmul(last, ir.Constant(DOUBLE, 1 + 1e-12))
        end = build.select(build.fcmp_ordered("<", day, last), last, moment)
        is_final = build.fcmp_ordered(">", following, last)
        lanes.write("stop", lane, build.select(is_final, end, following))
        lanes.write("final", lane, build.zext(is_final, INT64))
        lanes.write("fresh", lane, 1)
        # a step cannot see that an infinite state is wrong: its error is small beside it
        lanes.write("code", lane, Outcome.NOT_FINITE)
        ready = build.select(self._is_finite(lane), whole(RUNNING), whole(FAILED))
        lanes.write("status", lane, ready)

    def _is_finite(self, lane: ir.Value) -> ir.Value:
        build, lanes = self.emit.builder, self.lanes
        states, finite = self.states(whole(0)), ir.Constant(ir.IntType(1), 1)
        for i in range(self.code.states):
            value = build.load(lanes.index(states, build.add(whole(i * self.emit.width), lane)), typ=DOUBLE)
            difference = build.fsub(value, value)
            finite = build.and_(finite, build.fcmp_ordered("ord", difference, difference))
        return finite
