"""Write one Rosenbrock step and its continuous output."""

from dataclasses import dataclass

from llvmlite import ir

from livingdrug.engine import tableau
from livingdrug.engine.emit import ModelCode
from livingdrug.engine.vector import DOUBLE, POINTER, Emitter

TINY = 1e-300  # keeps the error scale of a state at rest away from zero


@dataclass(frozen=True, slots=True)
class StepCode:
    """Functions of one step.

    ``attempt(y, c, day, h, rate, atol, rtol, stages, y_new) -> error``: one step of length h; the
    error is the largest over the states, 1 at the tolerance. ``interpolate(y, stages, theta, out)``:
    the states inside the step. ``first_step(y, rate, atol, rtol) -> h``: where to begin.
    """

    attempt: ir.Function
    interpolate: ir.Function
    first_step: ir.Function
    flops: int


def write_step(module: ir.Module, code: ModelCode) -> StepCode:
    """Write the step functions of a model."""
    writer = _StepWriter(module, code)
    size = code.states
    sums = sum(len(row) for row in tableau.A) + sum(len(row) for row in tableau.C)
    per_step = (
        code.flops["factor"]
        + (tableau.STAGES - 1) * code.flops["rhs"]
        + tableau.STAGES * code.flops["substitute"]
        + 2 * size * sums
        + 5 * size
    )
    return StepCode(writer.attempt(), writer.interpolate(), writer.first_step(), per_step + code.flops["rhs"])


@dataclass(frozen=True, slots=True)
class _StepWriter:
    module: ir.Module
    code: ModelCode

    @property
    def _vector(self) -> ir.Type:
        return ir.VectorType(DOUBLE, self.code.target.width)

    def _begin(self, name: str, result: ir.Type, arguments: list[ir.Type]) -> tuple[ir.Function, Emitter]:
        function = ir.Function(self.module, ir.FunctionType(result, arguments), name=name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        return function, self.code.target.emitter(ir.IRBuilder(function.append_basic_block("entry")))

    def attempt(self) -> ir.Function:
        vector, size = self._vector, self.code.states
        arguments = [POINTER, POINTER, vector, vector, POINTER, POINTER, vector, POINTER, POINTER]
        function, emit = self._begin("attempt", vector, arguments)
        y, c, day, h, rate, atol, rtol, stages, y_new = function.args
        build = emit.builder
        lu = allocate(emit, len(self.code.equations.elimination.entries))
        state, derivative, b = (allocate(emit, size) for _ in range(3))
        by_day = self._write_time_derivative(emit, y, c, day)
        per_h = build.fdiv(emit.number(1.0), h)
        diagonal = emit.mul(per_h, emit.number(1.0 / tableau.GAMMA))
        build.call(self.code.factor, [y, c, day, diagonal, lu])
        for s in range(tableau.STAGES):
            source = rate
            if s:
                self._write_argument(emit, s, y, stages, state, y_new)
                then = emit.add(day, emit.mul(h, emit.number(tableau.NODES[s])))
                build.call(self.code.rhs, [y_new if s >= 5 else state, c, then, derivative])
                source = derivative
            for i in range(size):
                total = emit.load(source, i)
                if s:
                    total = emit.fma(self._combine(emit, tableau.C[s], stages, i), per_h, total)
                if by_day is not None and tableau.TIME[s]:
                    slope = emit.mul(emit.load(by_day, i), emit.mul(h, emit.number(tableau.TIME[s])))
                    total = emit.add(total, slope)
                emit.store(total, b, i)
            build.call(self.code.substitute, [lu, b, emit.address(stages, s * size)])
        build.ret(self._write_error(emit, y, y_new, stages, (atol, rtol)))
        return function

    def _write_time_derivative(self, emit: Emitter, y: ir.Value, c: ir.Value, day: ir.Value) -> ir.Value | None:
        if self.code.time_derivative is None:
            return None
        by_day = allocate(emit, self.code.states)
        emit.builder.call(self.code.time_derivative, [y, c, day, by_day])
        return by_day

    def _combine(self, emit: Emitter, weights: tuple[float, ...], stages: ir.Value, i: int) -> ir.Value:
        size = self.code.states
        total = emit.mul(emit.number(weights[0]), emit.load(stages, i))
        for j, weight in enumerate(weights[1:], start=1):
            total = emit.fma(emit.number(weight), emit.load(stages, j * size + i), total)
        return total

    def _write_argument(
        self, emit: Emitter, s: int, y: ir.Value, stages: ir.Value, state: ir.Value, y_new: ir.Value
    ) -> None:
        """Write the states at which stage s is evaluated; the last three stages build on each other."""
        size = self.code.states
        for i in range(size):
            if s <= 5:
                total = emit.add(emit.load(y, i), self._combine(emit, tableau.A[s], stages, i))
            else:
                total = emit.add(emit.load(y_new, i), emit.load(stages, (s - 1) * size + i))
            emit.store(total, y_new if s >= 5 else state, i)

    def _write_error(
        self, emit: Emitter, y: ir.Value, y_new: ir.Value, stages: ir.Value, tolerance: tuple[ir.Value, ir.Value]
    ) -> ir.Value:
        atol, rtol = tolerance
        size = self.code.states
        worst = check = emit.number(0.0)
        for i in range(size):
            error = emit.load(stages, (tableau.STAGES - 1) * size + i)
            after = emit.add(emit.load(y_new, i), error)
            emit.store(after, y_new, i)
            scale = self._scale(emit, emit.load(y, i), after, emit.load(atol, i), rtol)
            ratio = emit.mul(emit.abs(error), emit.recip(scale))
            worst = emit.max(worst, ratio)
            check = emit.add(check, ratio)
        # a ratio that is not a number may lose the comparison but not the sum
        return emit.builder.fadd(worst, emit.builder.fmul(emit.number(0.0), check))

    def _scale(self, emit: Emitter, a: ir.Value, b: ir.Value, atol: ir.Value, rtol: ir.Value) -> ir.Value:
        magnitude = emit.max(emit.abs(a), emit.abs(b))
        return emit.max(emit.fma(magnitude, rtol, atol), emit.number(TINY))

    def interpolate(self) -> ir.Function:
        vector, size = self._vector, self.code.states
        function, emit = self._begin("interpolate", ir.VoidType(), [POINTER, POINTER, vector, POINTER])
        y, stages, theta, out = function.args
        inside = emit.mul(theta, emit.sub(emit.number(1.0), theta))
        p, q, r = tableau.DENSE
        weights = []
        for s in range(tableau.STAGES):
            bow = emit.fma(theta, emit.fma(theta, emit.number(r[s]), emit.number(q[s])), emit.number(p[s]))
            weights.append(emit.fma(inside, bow, emit.mul(theta, emit.number(tableau.M[s]))))
        for i in range(size):
            total = emit.load(y, i)
            for s, weight in enumerate(weights):
                total = emit.fma(weight, emit.load(stages, s * size + i), total)
            emit.store(total, out, i)
        emit.builder.ret_void()
        return function

    def first_step(self) -> ir.Function:
        """Write the guess: a hundredth of the time in which the states change by themselves."""
        vector = self._vector
        function, emit = self._begin("first_step", vector, [POINTER, POINTER, POINTER, vector])
        y, rate, atol, rtol = function.args
        size, speed = emit.number(1.0), emit.number(TINY)
        for i in range(self.code.states):
            value = emit.load(y, i)
            scale = self._scale(emit, value, value, emit.load(atol, i), rtol)
            # a state that is exactly zero and has no floor says nothing about speed
            is_known = emit.less(emit.number(TINY), scale)
            per = emit.select(is_known, emit.builder.fdiv(emit.number(1.0), scale), emit.number(0.0))
            size = emit.max(emit.mul(emit.abs(value), per), size)
            speed = emit.max(emit.mul(emit.abs(emit.load(rate, i)), per), speed)
        emit.builder.ret(emit.mul(emit.number(0.01), emit.builder.fdiv(size, speed)))
        return function


def allocate(emit: Emitter, count: int) -> ir.Value:
    """Reserve an array of vectors on the stack."""
    block = ir.ArrayType(emit.type, max(count, 1))
    array = emit.builder.alloca(block)
    array.align = 64
    array.type = POINTER  # untyped, like every other address here
    return array
