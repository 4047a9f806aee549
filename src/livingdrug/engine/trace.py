"""A model's functions as expressions: what the kernel evaluates, and how it is split.

What depends on parameters alone is computed once per patient (a *constant*), not once per step.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.model import Model
from livingdrug.engine.derivatives import Row, compute_derivatives, compute_tangents
from livingdrug.engine.elimination import Elimination, eliminate, substitute
from livingdrug.engine.graph import Graph, Names, Node, Symbol

VARYING = frozenset({"y", "day", "lu", "b", "diagonal", "sums", "per_h"})


@dataclass(frozen=True, slots=True)
class Equations:
    """A traced model.

    ``rhs``, ``observe``, ``time_derivative`` are nodes over inputs ``y``, ``day``, ``p``;
    ``initial`` over ``p``; ``elimination`` over ``y``, ``day``, ``p``, ``diagonal``. ``solution`` is that
    of the factorised system (``lu``) for a right-hand side ``b``, ``stage`` that for the right-hand
    side ``rhs + sums * per_h``. ``constants`` are the parameter-only nodes they read.
    """

    graph: Graph
    rhs: tuple[Node, ...]
    initial: tuple[Node, ...]
    observe: tuple[Node, ...]
    time_derivative: tuple[Node, ...]
    elimination: Elimination
    solution: tuple[Node, ...]
    stage: tuple[Node, ...]
    constants: tuple[Node, ...]
    jacobian: tuple[Row, ...]

    @property
    def is_autonomous(self) -> bool:
        """Whether no rate of change depends on the day itself."""
        return all(self.graph.value(node) == 0.0 for node in self.time_derivative)


@dataclass(frozen=True, slots=True)
class Tangents:
    """Derivatives along one direction: inputs ``dy``, ``dc`` (of the constants), ``dp`` (of the parameters).

    ``jacobian`` maps the entries (row, column) of the Jacobian that change to their rates of change.
    """

    constants: tuple[Node, ...]
    initial: tuple[Node, ...]
    rhs: tuple[Node, ...]
    time_derivative: tuple[Node, ...]
    observe: tuple[Node, ...]
    jacobian: dict[tuple[int, int], Node]


@dataclass(frozen=True, slots=True)
class Trace:
    """A model's functions before they are differentiated; ``key`` identifies the equations."""

    graph: Graph
    rhs: tuple[Node, ...]
    initial: tuple[Node, ...]
    observe: tuple[Node, ...]

    @property
    def key(self) -> str:
        """Text that is equal for equal equations and only for them."""
        return repr((self.graph.keys, self.rhs, self.initial, self.observe))


def trace_model(model: Model) -> Trace:
    """Call a model's functions once with symbols.

    Raises
    ------
    InputError
        If a function leaves out a declared name or returns an undeclared one.
    """
    graph = Graph()
    y = {name: graph.symbol("y", i) for i, name in enumerate(model.state_names)}
    p = {name: graph.symbol("p", i) for i, name in enumerate(model.parameter_names)}
    day = graph.symbol("day", 0)
    faults: list[Fault] = []

    def order(
        function: Callable[[], Mapping[str, Any]], what: str, names: Iterable[str], default: float | None
    ) -> list[Node]:
        values = _read(function, f"{model.name}.{what}")
        names = list(names)
        faults.extend(
            Fault(f"{model.name}.{what}", "must return declared names only", repr(name), "declare or remove it")
            for name in values
            if name not in names
        )
        nodes = []
        for name in names:
            value = values.get(name, default)
            if value is None:
                faults.append(Fault(f"{model.name}.{what}", f"must return {name}", "missing", "add it"))
            node = _find_node(graph, 0.0 if value is None else value)
            if node is None:
                faults.append(
                    Fault(f"{model.name}.{what}", f"{name} must be a formula", f"{value!r:.60}", "correct it")
                )
            nodes.append(graph.number(0.0) if node is None else node)
        return nodes

    rates = order(lambda: model.rhs(day, Names(y), Names(p)), "rhs", y, None)
    start = order(lambda: model.initial(Names(p)), "initial", y, 0.0)
    observe = model.observe
    seen = (
        [] if observe is None else order(lambda: observe(day, Names(y), Names(p)), "observe", model.output_names, None)
    )
    if faults:
        raise InputError.from_faults(f"model {model.name}", faults)
    if any(graph.depends_on(frozenset({"y", "day"}))[node] for node in start):
        raise InputError(f"`initial` of {model.name} must depend on parameters only, but used a state. Hint: use p.")
    return Trace(graph, tuple(rates), tuple(start), tuple(seen))


def _read(function: Callable[[], Mapping[str, Any]], where: str) -> dict[str, Any]:
    values = function()
    if not isinstance(values, Mapping):
        was = type(values).__name__
        raise InputError(f"{where} must return names to values, but returned a {was}. Hint: a dict with the names.")
    return dict(values)


def _find_node(graph: Graph, value: Any) -> Node | None:
    if isinstance(value, Symbol):
        return value.node
    try:
        return graph.number(float(value))
    except (TypeError, ValueError):
        return None


def derive_equations(trace: Trace, shared: Sequence[Node] = ()) -> Equations:
    """Differentiate and factorise a traced model.

    ``shared`` quantities become unknowns of the linear systems (see :mod:`livingdrug.engine.coupling`).
    """
    graph = trace.graph
    by_day = compute_derivatives(graph, trace.rhs, "day")
    zero = graph.number(0.0)
    time_derivative = tuple(row.get(0, zero) for row in by_day)
    elimination = factorise(trace, shared)
    size = range(len(trace.rhs))
    solution = substitute(graph, elimination, [graph.node("input", "b", i) for i in size])
    stage = derive_stage(trace, elimination)
    used = (*trace.rhs, *trace.observe, *time_derivative, *elimination.entries)
    return Equations(
        graph,
        trace.rhs,
        trace.initial,
        trace.observe,
        time_derivative,
        elimination,
        tuple(solution),
        stage,
        _find_constants(graph, used),
        tuple(compute_derivatives(graph, trace.rhs, "y")),
    )


def factorise(trace: Trace, shared: Sequence[Node]) -> Elimination:
    """Factorise the matrix of a stage, with the shared quantities as further unknowns."""
    graph, size = trace.graph, len(trace.rhs)
    variables = {node: size + k for k, node in enumerate(shared)}
    rows = compute_derivatives(graph, [*trace.rhs, *shared], "y", variables)
    diagonal = [graph.symbol("diagonal", 0).node] * size + [graph.number(1.0)] * len(shared)
    return eliminate(graph, rows, diagonal)


def derive_stage(trace: Trace, elimination: Elimination) -> tuple[Node, ...]:
    """Return a stage's solution for the right-hand side ``rhs + sums * per_h``."""
    graph = trace.graph
    per_h, sums = graph.symbol("per_h", 0), [graph.symbol("sums", i) for i in range(len(trace.rhs))]
    right_side = [(Symbol(graph, rate) + total * per_h).node for rate, total in zip(trace.rhs, sums, strict=True)]
    return tuple(substitute(graph, elimination, right_side))


def _find_constants(graph: Graph, roots: Iterable[Node]) -> tuple[Node, ...]:
    """Return the parameter-only nodes that varying expressions (or the roots themselves) read."""
    roots = list(roots)
    varying = graph.depends_on(VARYING)
    found: dict[Node, None] = {}

    def note(node: Node) -> None:
        if not varying[node] and graph.keys[node][0] != "number":
            found.setdefault(node)

    for node in graph.needed(roots):
        if varying[node] and graph.keys[node][0] != "input":
            for argument in graph.keys[node][1:]:
                note(argument)
    for root in roots:
        note(root)
    return tuple(found)


def derive_tangents(equations: Equations) -> Tangents:
    """Differentiate everything that a step evaluates along a direction given when it runs."""
    graph = equations.graph
    of_parameters = _seeds(graph, "p", "dp")
    of_states = _seeds(graph, "y", "dy")
    of_states |= {node: graph.node("input", "dc", i) for i, node in enumerate(equations.constants)}
    entries = {(i, j): node for i, row in enumerate(equations.jacobian) for j, node in row.items()}
    changes = compute_tangents(graph, entries.values(), of_states)
    zero = graph.number(0.0)
    return Tangents(
        constants=tuple(compute_tangents(graph, equations.constants, of_parameters)),
        initial=tuple(compute_tangents(graph, equations.initial, of_parameters)),
        rhs=tuple(compute_tangents(graph, equations.rhs, of_states)),
        time_derivative=tuple(compute_tangents(graph, equations.time_derivative, of_states)),
        observe=tuple(compute_tangents(graph, equations.observe, of_states)),
        jacobian={place: node for place, node in zip(entries, changes, strict=True) if node != zero},
    )


def _seeds(graph: Graph, kind: str, tangent: str) -> dict[Node, Node]:
    inputs = [(node, key[2]) for node, key in enumerate(graph.keys) if key[:2] == ("input", kind)]
    return {node: graph.node("input", tangent, index) for node, index in inputs}
