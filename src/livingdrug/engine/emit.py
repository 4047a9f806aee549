"""Write a traced model as LLVM functions: straight-line code over arrays of lanes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from llvmlite import ir

from livingdrug.engine.graph import ARITHMETIC, Graph, Node
from livingdrug.engine.trace import Equations, Tangents, derive_tangents
from livingdrug.engine.vector import DOUBLE, POINTER, Emitter

Reader = Callable[[str, int], ir.Value]
"""Reads an input of a graph: kind and index."""


@dataclass(frozen=True, slots=True)
class Target:
    """What code is written for: lanes in a vector, and whether it estimates reciprocals."""

    width: int
    has_reciprocal: bool

    def emitter(self, builder: ir.IRBuilder) -> Emitter:
        """Return an emitter of vectors for a builder."""
        return Emitter(builder, self.width, self.has_reciprocal)


@dataclass(frozen=True, slots=True)
class ModelCode:
    """The functions of one model inside an LLVM module, and their sizes; ``observe`` reads these constants."""

    equations: Equations
    target: Target
    prologue: ir.Function
    initial: ir.Function
    rhs: ir.Function
    time_derivative: ir.Function | None
    observe: ir.Function | None
    observe_reads: tuple[int, ...]
    factor: ir.Function
    stage: ir.Function
    substitute: ir.Function
    tangent: "TangentCode | None"
    flops: Mapping[str, int]

    @property
    def states(self) -> int:
        """Number of states."""
        return len(self.equations.rhs)

    @property
    def observed_states(self) -> frozenset[int]:
        """States that the outputs read."""
        graph = self.equations.graph
        keys = (graph.keys[node] for node in graph.needed(self.equations.observe))
        return frozenset(key[2] for key in keys if key[:2] == ("input", "y"))

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return len(self.equations.observe)

    @property
    def constants(self) -> int:
        """Number of per-patient constants."""
        return len(self.equations.constants)


@dataclass(frozen=True, slots=True)
class TangentCode:
    """The functions' derivatives along a direction; ``places`` are the entries that ``jacobian`` writes."""

    prologue: ir.Function
    initial: ir.Function
    rhs: ir.Function
    time_derivative: ir.Function | None
    observe: ir.Function | None
    observe_reads: tuple[int, ...]
    jacobian: ir.Function
    places: tuple[tuple[int, int], ...]


def write_expressions(
    emitter: Emitter, graph: Graph, roots: Iterable[Node], read: Reader, known: Mapping[Node, ir.Value]
) -> list[ir.Value]:
    """Write the instructions for the roots; ``known`` nodes are already computed."""
    roots = list(roots)
    values: dict[Node, ir.Value] = dict(known)
    for node in graph.needed(roots, values):
        operation, *arguments = graph.keys[node]
        if operation == "input":
            values[node] = read(arguments[0], arguments[1])
        elif operation == "number":
            values[node] = emitter.number(arguments[0])
        else:
            values[node] = emitter.operation(operation)(*(values[a] for a in arguments))
    return [values[root] for root in roots]


def write_model(module: ir.Module, equations: Equations, target: Target, *, with_gradient: bool) -> ModelCode:
    """Write all functions of a model into a module."""
    graph = equations.graph
    writer = _Writer(module, equations, target)
    constants = equations.constants
    autonomous = equations.is_autonomous
    factors = equations.elimination
    return ModelCode(
        equations,
        target,
        prologue=writer.scalar_function("prologue", constants),
        initial=writer.scalar_function("initial", equations.initial),
        rhs=writer.vector_function("rhs", equations.rhs),
        time_derivative=None if autonomous else writer.vector_function("time_derivative", equations.time_derivative),
        observe=writer.vector_function("observe", equations.observe) if equations.observe else None,
        observe_reads=writer.find_constants(equations.observe),
        factor=writer.factor_function(),
        stage=writer.stage_function(),
        substitute=writer.substitute_function(),
        tangent=writer.tangent_code(derive_tangents(equations)) if with_gradient else None,
        flops={
            "rhs": graph.count(equations.rhs, constants),
            "factor": graph.count(factors.entries, constants),
            "stage": graph.count(equations.stage, constants),
            "observe": graph.count(equations.observe, constants),
        },
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    module: ir.Module
    equations: Equations
    target: Target

    def _function(self, name: str, arguments: list[ir.Type]) -> tuple[ir.Function, ir.IRBuilder]:
        function = ir.Function(self.module, ir.FunctionType(ir.VoidType(), arguments), name=name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        function.attributes.add("nounwind")
        for argument in function.args:
            if argument.type == POINTER:
                argument.add_attribute("noalias")
        return function, ir.IRBuilder(function.append_basic_block("entry"))

    def scalar_function(self, name: str, roots: tuple[Node, ...]) -> ir.Function:
        """Write ``name(p, out)``: parameters of one patient in, one lane of an array of vectors out."""
        function, builder = self._function(name, [POINTER, POINTER])
        p, out = function.args
        emitter = Emitter(builder, 1)
        values = write_expressions(emitter, self.equations.graph, roots, lambda _, i: emitter.load(p, i), {})
        for i, value in enumerate(values):
            emitter.store(value, out, i * self.target.width)
        builder.ret_void()
        return function

    def vector_function(self, name: str, roots: tuple[Node, ...]) -> ir.Function:
        """Write ``name(y, c, day, out)``."""
        vector = ir.VectorType(DOUBLE, self.target.width)
        function, builder = self._function(name, [POINTER, POINTER, vector, POINTER])
        y, c, day, out = function.args
        emitter = self.target.emitter(builder)
        self._write(emitter, roots, {"y": y}, c, {"day": day}, out)
        builder.ret_void()
        return function

    def tangent_code(self, tangents: Tangents) -> TangentCode:
        """Write the derivatives along a direction."""
        autonomous, observed = self.equations.is_autonomous, bool(self.equations.observe)
        return TangentCode(
            prologue=self.scalar_tangent("prologue_tangent", tangents.constants),
            initial=self.scalar_tangent("initial_tangent", tangents.initial),
            rhs=self.vector_tangent("rhs_tangent", tangents.rhs),
            time_derivative=None if autonomous else self.vector_tangent("day_tangent", tangents.time_derivative),
            observe=self.vector_tangent("observe_tangent", tangents.observe) if observed else None,
            observe_reads=self.find_constants(tangents.observe),
            jacobian=self.vector_tangent("jacobian_tangent", tuple(tangents.jacobian.values())),
            places=tuple(tangents.jacobian),
        )

    def scalar_tangent(self, name: str, roots: tuple[Node, ...]) -> ir.Function:
        """Write ``name(p, dp, out)`` for one lane."""
        function, builder = self._function(name, [POINTER, POINTER, POINTER])
        p, dp, out = function.args
        emitter = Emitter(builder, 1)
        arrays = {"p": p, "dp": dp}
        values = write_expressions(emitter, self.equations.graph, roots, lambda k, i: emitter.load(arrays[k], i), {})
        for i, value in enumerate(values):
            emitter.store(value, out, i * self.target.width)
        builder.ret_void()
        return function

    def vector_tangent(self, name: str, roots: tuple[Node, ...]) -> ir.Function:
        """Write ``name(y, c, day, dy, dc, out)``."""
        vector = ir.VectorType(DOUBLE, self.target.width)
        function, builder = self._function(name, [POINTER, POINTER, vector, POINTER, POINTER, POINTER])
        y, c, day, dy, dc, out = function.args
        self._write(self.target.emitter(builder), roots, {"y": y, "dy": dy, "dc": dc}, c, {"day": day}, out)
        builder.ret_void()
        return function

    def find_constants(self, roots: tuple[Node, ...]) -> tuple[int, ...]:
        """Return which constants, or rates of change of constants, some expressions read."""
        graph = self.equations.graph
        slot = {node: i for i, node in enumerate(self.equations.constants)}
        needed = graph.needed(roots, slot)
        read = {
            slot[a] for node in needed for a in graph.keys[node][1:] if graph.keys[node][0] in ARITHMETIC and a in slot
        }
        read |= {slot[root] for root in roots if root in slot}
        read |= {graph.keys[node][2] for node in needed if graph.keys[node][:2] == ("input", "dc")}
        return tuple(sorted(read))

    def factor_function(self) -> ir.Function:
        """Write ``factor(y, c, day, diagonal, lu)``: the Jacobian and its factors."""
        vector = ir.VectorType(DOUBLE, self.target.width)
        function, builder = self._function("factor", [POINTER, POINTER, vector, vector, POINTER])
        y, c, day, diagonal, lu = function.args
        emitter = self.target.emitter(builder)
        inputs = {"day": day, "diagonal": diagonal}
        self._write(emitter, self.equations.elimination.entries, {"y": y}, c, inputs, lu)
        builder.ret_void()
        return function

    def stage_function(self) -> ir.Function:
        """Write ``stage(y, c, day, per_h, sums, lu, out)``: rates, right-hand side and solution in one go."""
        vector = ir.VectorType(DOUBLE, self.target.width)
        function, builder = self._function("stage", [POINTER, POINTER, vector, vector, POINTER, POINTER, POINTER])
        y, c, day, per_h, sums, lu, out = function.args
        emitter = self.target.emitter(builder)
        arrays = {"y": y, "sums": sums, "lu": lu}
        self._write(emitter, self.equations.stage, arrays, c, {"day": day, "per_h": per_h}, out)
        builder.ret_void()
        return function

    def substitute_function(self) -> ir.Function:
        """Write ``substitute(lu, b, out)``."""
        function, builder = self._function("substitute", [POINTER, POINTER, POINTER])
        lu, b, out = function.args
        emitter = self.target.emitter(builder)
        self._write(emitter, self.equations.solution, {"lu": lu, "b": b}, None, {}, out)
        builder.ret_void()
        return function

    def _write(
        self,
        emitter: Emitter,
        roots: tuple[Node, ...],
        arrays: Mapping[str, ir.Value],
        constants: ir.Value | None,
        inputs: Mapping[str, ir.Value],
        out: ir.Value,
    ) -> None:
        slot = {node: i for i, node in enumerate(self.equations.constants)}
        graph = self.equations.graph
        known: dict[Node, ir.Value] = {}
        if constants is not None:
            needed = set(graph.needed(roots))
            known = {node: emitter.load(constants, i) for node, i in slot.items() if node in needed}

        def read(kind: str, index: int) -> ir.Value:
            return inputs[kind] if kind in inputs else emitter.load(arrays[kind], index)

        for i, value in enumerate(write_expressions(emitter, graph, roots, read, known)):
            emitter.store(value, out, i)
