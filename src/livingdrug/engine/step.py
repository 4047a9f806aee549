"""Write one Rosenbrock step and its continuous output."""

from collections.abc import Collection
from dataclasses import dataclass

from llvmlite import ir

from livingdrug.engine import tableau
from livingdrug.engine.emit import ModelCode, TangentCode
from livingdrug.engine.vector import DOUBLE, INT64, POINTER, Emitter

UNKNOWN_SPEED_STEP = 1e-6  # [day] where the rates are not numbers: the step will be refused and say so
TINY = 1e-300  # keeps the error scale of a state at rest away from zero


@dataclass(frozen=True, slots=True)
class StepCode:
    """Functions of one step.

    ``attempt(y, c, day, h, atol, rtol, work, y_new) -> error``: one step of length h; the
    error is the largest over the states, 1 at the tolerance. ``interpolate(y, stages, theta, out)``:
    the states inside the step. ``interpolate_places(y, stages, theta, lanes, out)``: the same, each place
    of the vector out of the lane named for it; first the states that the outputs read, then the others.
    ``first_step(y, rate, atol, rtol) -> h``: where to begin.
    ``work`` holds the stages, the states at which they were evaluated, and the factors;
    ``follow(y, c, day, h, dy, dc, work, d_stages, dy_new)`` is the exact derivative of the same step.
    """

    attempt: ir.Function
    interpolate: ir.Function
    interpolate_places: tuple[ir.Function | None, ir.Function | None]
    first_step: ir.Function
    follow: ir.Function | None
    work_size: int
    flops: int


def write_step(module: ir.Module, code: ModelCode) -> StepCode:
    """Write the step functions of a model."""
    writer = _StepWriter(module, code)
    size = code.states
    sums = sum(len(row) for row in tableau.A) + sum(len(row) for row in tableau.C)
    per_step = code.flops["factor"] + tableau.STAGES * code.flops["stage"] + 2 * size * sums + 5 * size
    return StepCode(
        writer.attempt(),
        writer.interpolate(),
        writer.interpolate_places(),
        writer.first_step(),
        None if code.tangent is None else writer.follow(code.tangent),
        2 * tableau.STAGES * size + len(code.equations.elimination.entries),
        per_step,
    )


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
        arguments = [POINTER, POINTER, vector, vector, POINTER, vector, POINTER, POINTER]
        function, emit = self._begin("attempt", vector, arguments)
        y, c, day, h, atol, rtol, stages, y_new = function.args
        build = emit.builder
        states, lu = self._places(emit, stages)
        sums = allocate(emit, size)
        by_day = self._write_time_derivative(emit, self.code.time_derivative, [y, c, day])
        per_h = build.fdiv(emit.number(1.0), h)
        diagonal = emit.mul(per_h, emit.number(1.0 / tableau.GAMMA))
        build.call(self.code.factor, [y, c, day, diagonal, lu])
        for s in range(tableau.STAGES):
            state, before = (emit.address(states, self._state_slot(n) * size) for n in (s, max(s - 1, 0)))
            self._write_sums(emit, s, (y, before), stages, (state, sums))
            if by_day is not None:
                self._add_time_derivative(emit, s, by_day, h, sums)
            out = emit.address(stages, s * size)
            then = self._stage_day(emit, s, day, h)
            build.call(self.code.stage, [state if s else y, c, then, per_h, sums, lu, out])
        last = emit.address(states, self._state_slot(tableau.STAGES - 1) * size)
        build.ret(self._write_error(emit, y, (last, y_new), stages, (atol, rtol)))
        return function

    @property
    def _state_slots(self) -> int:
        """How many stages' states are kept: all where a direction follows, else two in turn (they stay in cache)."""
        return 2 if self.code.tangent is None else tableau.STAGES

    def _state_slot(self, s: int) -> int:
        return s % self._state_slots

    def _places(self, emit: Emitter, work: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Return where the stages' states and the factors lie in the work array."""
        stages = tableau.STAGES * self.code.states
        kept = self._state_slots * self.code.states
        return emit.address(work, stages), emit.address(work, stages + kept)

    def _stage_day(self, emit: Emitter, s: int, day: ir.Value, h: ir.Value) -> ir.Value:
        return emit.add(day, emit.mul(h, emit.number(tableau.NODES[s])))

    def _write_sums(
        self,
        emit: Emitter,
        s: int,
        starts: tuple[ir.Value, ir.Value],
        stages: ir.Value,
        places: tuple[ir.Value, ir.Value],
    ) -> None:
        """Write the states at which stage s is evaluated, and the sum of the earlier stages for its right-hand side.

        The last two stages are evaluated one stage beyond the state before them.
        """
        size = self.code.states
        y, before = starts
        state, totals = places
        if s == 0:
            for i in range(size):
                emit.store(emit.number(0.0), totals, i)
            return
        is_late = s > 5
        weights = [self._coefficient(emit, tableau.A, s, j) for j in range(0 if is_late else s)]
        sums = [self._coefficient(emit, tableau.C, s, j) for j in range(s)]
        for i in range(size):
            u = [emit.load(stages, j * size + i) for j in range(s)]
            total = emit.add(emit.load(before, i), u[-1]) if is_late else emit.load(y, i)
            for weight, value in zip(weights, u, strict=False):
                total = emit.fma(weight, value, total)
            emit.store(total, state, i)
            total = emit.mul(sums[0], u[0])
            for weight, value in zip(sums[1:], u[1:], strict=True):
                total = emit.fma(weight, value, total)
            emit.store(total, totals, i)

    def _coefficient(self, emit: Emitter, table: tuple[tuple[float, ...], ...], s: int, j: int) -> ir.Value:
        """Read a coefficient from memory: a constant would be fetched again for every product."""
        name = f"{'a' if table is tableau.A else 'c'}{s}{j}"
        if name not in self.module.globals:
            stored = ir.GlobalVariable(self.module, emit.type, name)
            stored.initializer = emit.number(table[s][j])
            stored.align = 64
            stored.type = POINTER
        return emit.load(self.module.globals[name])

    def _add_time_derivative(self, emit: Emitter, s: int, by_day: ir.Value, h: ir.Value, sums: ir.Value) -> None:
        """Add to the sums, which are divided by h later, what an explicit dependence on the day brings."""
        weight = emit.mul(emit.mul(h, h), emit.number(tableau.TIME[s]))
        for i in range(self.code.states):
            emit.store(emit.fma(emit.load(by_day, i), weight, emit.load(sums, i)), sums, i)

    def follow(self, tangent: TangentCode) -> ir.Function:
        """Write the derivative of a step along one direction; it shares the step's factors."""
        vector, size = self._vector, self.code.states
        arguments = [POINTER, POINTER, vector, vector, POINTER, POINTER, POINTER, POINTER, POINTER]
        function, emit = self._begin("follow", ir.VoidType(), arguments)
        y, c, day, h, dy, dc, work, d_stages, dy_new = function.args
        build = emit.builder
        _, lu = self._places(emit, work)
        derivative, sums, b = (allocate(emit, size) for _ in range(3))
        changes = allocate(emit, size * 2)
        entries = allocate(emit, len(tangent.places))
        build.call(tangent.jacobian, [y, c, day, dy, dc, entries])
        by_day = self._write_time_derivative(emit, tangent.time_derivative, [y, c, day, dy, dc])
        per_h = build.fdiv(emit.number(1.0), h)
        for s in range(tableau.STAGES):
            # two places in turn, as the last stages build on the one before
            state, change = emit.address(work, (tableau.STAGES + s) * size), emit.address(changes, s % 2 * size)
            before = emit.address(changes, (s + 1) % 2 * size)
            self._write_sums(emit, s, (dy, before), d_stages, (change, sums))
            if by_day is not None:
                self._add_time_derivative(emit, s, by_day, h, sums)
            then = self._stage_day(emit, s, day, h)
            build.call(tangent.rhs, [state if s else y, c, then, change if s else dy, dc, derivative])
            rows = [emit.fma(emit.load(sums, i), per_h, emit.load(derivative, i)) for i in range(size)]
            for n, (i, j) in enumerate(tangent.places):
                rows[i] = emit.fma(emit.load(entries, n), emit.load(work, s * size + j), rows[i])
            for i, row in enumerate(rows):
                emit.store(row, b, i)
            build.call(self.code.substitute, [lu, b, emit.address(d_stages, s * size)])
        for i in range(size):
            last = emit.load(changes, (tableau.STAGES - 1) % 2 * size + i)
            end = emit.add(last, emit.load(d_stages, (tableau.STAGES - 1) * size + i))
            emit.store(end, dy_new, i)
        build.ret_void()
        return function

    def _write_time_derivative(
        self, emit: Emitter, function: ir.Function | None, arguments: list[ir.Value]
    ) -> ir.Value | None:
        if function is None:
            return None
        by_day = allocate(emit, self.code.states)
        emit.builder.call(function, [*arguments, by_day])
        return by_day

    def _write_error(
        self,
        emit: Emitter,
        y: ir.Value,
        ends: tuple[ir.Value, ir.Value],
        stages: ir.Value,
        tolerance: tuple[ir.Value, ir.Value],
    ) -> ir.Value:
        """Write the states after the step, and return the worst error in units of the tolerance."""
        last, y_new = ends
        atol, rtol = tolerance
        size = self.code.states
        worst = check = emit.number(0.0)
        for i in range(size):
            error = emit.load(stages, (tableau.STAGES - 1) * size + i)
            after = emit.add(emit.load(last, i), error)
            emit.store(after, y_new, i)
            scale = self._scale(emit, emit.load(y, i), after, emit.load(atol, i), rtol)
            ratio = emit.mul(emit.abs(error), emit.rough_recip(scale))
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
        weights = self._weights(emit, theta)
        for i in range(size):
            total = emit.load(y, i)
            for s, weight in enumerate(weights):
                total = emit.fma(weight, emit.load(stages, s * size + i), total)
            emit.store(total, out, i)
        emit.builder.ret_void()
        return function

    def interpolate_places(self) -> tuple[ir.Function | None, ir.Function | None]:
        """Write the interpolation of reports gathered from several lanes."""
        observed = self.code.observed_states
        others = set(range(self.code.states)) - observed
        return self._interpolate_places("observed", observed), self._interpolate_places("others", others)

    def _interpolate_places(self, name: str, states: Collection[int]) -> ir.Function | None:
        if not states:
            return None
        vector, size = self._vector, self.code.states
        indices = ir.VectorType(INT64, self.code.target.width)
        function, emit = self._begin(f"interpolate_{name}", ir.VoidType(), [POINTER, POINTER, vector, indices, POINTER])
        y, stages, theta, lanes, out = function.args
        weights = self._weights(emit, theta)
        for i in sorted(states):
            total = emit.gather(y, i, lanes)
            for s, weight in enumerate(weights):
                total = emit.fma(weight, emit.gather(stages, s * size + i, lanes), total)
            emit.store(total, out, i)
        emit.builder.ret_void()
        return function

    def _weights(self, emit: Emitter, theta: ir.Value) -> list[ir.Value]:
        """Return the weights of the stages at a fraction of the step."""
        inside = emit.mul(theta, emit.sub(emit.number(1.0), theta))
        p, q, r = tableau.DENSE
        weights = []
        for s in range(tableau.STAGES):
            bow = emit.fma(theta, emit.fma(theta, emit.number(r[s]), emit.number(q[s])), emit.number(p[s]))
            weights.append(emit.fma(inside, bow, emit.mul(theta, emit.number(tableau.M[s]))))
        return weights

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
        guess = emit.mul(emit.number(0.01), emit.builder.fdiv(size, speed))
        is_number = emit.builder.fcmp_ordered("ord", guess, guess)
        emit.builder.ret(emit.select(is_number, guess, emit.number(UNKNOWN_SPEED_STEP)))
        return function


def allocate(emit: Emitter, count: int) -> ir.Value:
    """Reserve an array of vectors on the stack."""
    block = ir.ArrayType(emit.type, max(count, 1))
    array = emit.builder.alloca(block)
    array.align = 64
    array.type = POINTER  # untyped, like every other address here
    return array
