"""What each lane carries, and small loops over lanes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llvmlite import ir

from livingdrug.engine.emit import Target
from livingdrug.engine.step import allocate
from livingdrug.engine.vector import DOUBLE, INT32, INT64, POINTER, Emitter

RUNNING, AT_STOP, LOAD, FAILED, IDLE = range(5)

ARGUMENTS = (
    "begin",
    "end",
    "copies",
    "parameters",
    "parameter_count",
    "wrt",
    "times",
    "time_count",
    "end_day",
    "change_offsets",
    "change_day",
    "change_action",
    "change_target",
    "change_value",
    "atol",
    "rtol",
    "longest_step",
    "max_steps",
    "kept",
    "kept_count",
    "keeps_states",
    "values",
    "summaries",
    "outcome",
    "steps",
    "workspace",
)
"""The job handed to a kernel: eight bytes each, whole numbers, doubles or addresses."""

_DOUBLES = {"end_day", "rtol", "longest_step"}
_WHOLE = {"begin", "end", "copies", "parameter_count", "time_count", "max_steps", "kept_count", "keeps_states"}


@dataclass(frozen=True, slots=True)
class Lanes:
    """Per-lane arrays on the stack (one vector each) and the job's arguments."""

    emit: Emitter
    target: Target
    job: dict[str, ir.Value]
    doubles: dict[str, ir.Value]
    wholes: dict[str, ir.Value]

    @classmethod
    def reserve(cls, emit: Emitter, target: Target, job: ir.Value) -> "Lanes":
        """Read the job and reserve the arrays."""
        values: dict[str, ir.Value] = {}
        for i, name in enumerate(ARGUMENTS):
            kind = DOUBLE if name in _DOUBLES else INT64 if name in _WHOLE else POINTER
            address = emit.builder.gep(job, [ir.Constant(INT64, i)], source_etype=INT64)
            values[name] = emit.builder.load(address, typ=kind, name=name)
        doubles = {
            name: allocate(emit, 1)
            for name in ("day", "step", "stop", "due", "due_from", "length", "then", "place_due")
        }
        wholes = {
            name: allocate(emit, 1)
            for name in (
                "status",
                "patient",
                "change",
                "report",
                "report_from",
                "fresh",
                "final",
                "taken",
                "refused",
                "code",
                "marked",
                "closes",
                "places",
                "place_lane",
                "place_report",
            )
        }
        return cls(emit, target, values, doubles, wholes)

    def index(self, base: ir.Value, i: ir.Value, kind: ir.Type = DOUBLE) -> ir.Value:
        """Return the address of element i of an array."""
        return self.emit.builder.gep(base, [i], source_etype=kind)

    def read(self, name: str, lane: ir.Value) -> ir.Value:
        """Read one lane of a per-lane array."""
        array, kind = self._array(name)
        return self.emit.builder.load(self.index(array, lane, kind), typ=kind)

    def write(self, name: str, lane: ir.Value, value: ir.Value | float) -> None:
        """Write one lane of a per-lane array."""
        array, kind = self._array(name)
        if not isinstance(value, ir.Value):
            value = ir.Constant(kind, value)
        self.emit.builder.store(value, self.index(array, lane, kind))

    def vector(self, name: str) -> ir.Value:
        """Read a per-lane array whole."""
        if name in self.doubles:
            return self.emit.load(self.doubles[name])
        return self.emit.builder.load(self.wholes[name], typ=self.emit.bits_type, align=8 * self.emit.width)

    def set_vector(self, name: str, value: ir.Value) -> None:
        """Write a per-lane array whole."""
        array, _ = self._array(name)
        self.emit.builder.store(value, array, align=8 * self.emit.width)

    def fetch(self, name: str, i: ir.Value, kind: ir.Type = DOUBLE) -> ir.Value:
        """Read element i of an array of the job."""
        return self.emit.builder.load(self.index(self.job[name], i, kind), typ=kind)

    def is_status(self, status: int) -> ir.Value:
        """Return the mask of lanes with a status."""
        return self.emit.builder.icmp_signed("==", self.vector("status"), self.emit.bits(status))

    def _array(self, name: str) -> tuple[ir.Value, ir.Type]:
        return (self.doubles[name], DOUBLE) if name in self.doubles else (self.wholes[name], INT64)


def whole(value: int) -> ir.Value:
    """Return a 64-bit constant."""
    return ir.Constant(INT64, value)


def code32(value: int) -> ir.Value:
    """Return a 32-bit constant."""
    return ir.Constant(INT32, value)


@contextmanager
def count_from(build: ir.IRBuilder, start: ir.Value, end: ir.Value) -> Iterator[ir.Value]:
    """Write a loop over whole numbers from start up to but not including end."""
    before = build.block
    head = build.append_basic_block("count")
    body = build.append_basic_block("count.body")
    after = build.append_basic_block("count.end")
    build.branch(head)
    build.position_at_end(head)
    i = build.phi(INT64)
    i.add_incoming(start, before)
    build.cbranch(build.icmp_signed("<", i, end), body, after)
    build.position_at_end(body)
    yield i
    i.add_incoming(build.add(i, whole(1)), build.block)
    build.branch(head)
    build.position_at_end(after)


@contextmanager
def repeat_while(build: ir.IRBuilder) -> Iterator["Loop"]:
    """Write a loop that goes on until :meth:`Loop.stop_unless` is given a false condition."""
    head = build.append_basic_block("repeat")
    after = build.append_basic_block("repeat.end")
    build.branch(head)
    build.position_at_end(head)
    yield Loop(build, after)
    build.branch(head)
    build.position_at_end(after)


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop being written."""

    build: ir.IRBuilder
    after: ir.Block

    def stop_unless(self, condition: ir.Value) -> None:
        """Leave the loop unless the condition holds."""
        on = self.build.append_basic_block("repeat.on")
        self.build.cbranch(condition, on, self.after)
        self.build.position_at_end(on)


@contextmanager
def each_lane(emit: Emitter, mask: ir.Value, left: ir.Value) -> Iterator[ir.Value]:
    """Write a loop over the lanes of a mask; ``left`` is an address for the lanes still to come."""
    build = emit.builder
    packed = build.zext(build.bitcast(mask, ir.IntType(emit.width)), INT64)
    build.store(packed, left)
    with repeat_while(build) as loop:
        lanes = build.load(left, typ=INT64)
        loop.stop_unless(build.icmp_unsigned("!=", lanes, whole(0)))
        yield build.cttz(lanes, ir.Constant(ir.IntType(1), 1))
        build.store(build.and_(lanes, build.sub(lanes, whole(1))), left)
