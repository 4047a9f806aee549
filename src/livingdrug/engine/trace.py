"""A model's functions as expressions: what the kernel evaluates, and how it is split.

What depends on parameters alone is computed once per patient (a *constant*), not once per step.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.model import Model
from livingdrug.engine.derivatives import compute_derivatives
from livingdrug.engine.elimination import Elimination, eliminate, substitute
from livingdrug.engine.graph import Graph, Names, Node, Symbol

VARYING = frozenset({"y", "day", "lu", "b", "diagonal"})


@dataclass(frozen=True, slots=True)
class Equations:
    """A traced model.

    ``rhs``, ``observe``, ``time_derivative`` are nodes over inputs ``y``, ``day``, ``p``;
    ``initial`` over ``p``; ``elimination`` over ``y``, ``day``, ``p``, ``diagonal``;
    ``solution`` over ``lu`` and ``b``. ``constants`` are the parameter-only nodes they read.
    """

    graph: Graph
    rhs: tuple[Node, ...]
    initial: tuple[Node, ...]
    observe: tuple[Node, ...]
    time_derivative: tuple[Node, ...]
    elimination: Elimination
    solution: tuple[Node, ...]
    constants: tuple[Node, ...]
    jacobian_entries: int

    @property
    def is_autonomous(self) -> bool:
        """Whether no rate of change depends on the day itself."""
        return all(self.graph.value(node) == 0.0 for node in self.time_derivative)


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

    def order(function: Callable[[], Mapping[str, Any]], what: str, names: Iterable[str], default: float | None) -> list[Node]:
        values = dict(function())
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
            nodes.append(value.node if isinstance(value, Symbol) else graph.number(float(value or 0.0)))
        return nodes

    rates = order(lambda: model.rhs(day, Names(y), Names(p)), "rhs", y, None)
    start = order(lambda: model.initial(Names(p)), "initial", y, 0.0)
    observe = model.observe
    seen = [] if observe is None else order(lambda: observe(day, Names(y), Names(p)), "observe", model.output_names, None)
    if faults:
        raise InputError.from_faults(f"model {model.name}", faults)
    if any(graph.depends_on(frozenset({"y", "day"}))[node] for node in start):
        raise InputError(f"`initial` of {model.name} must depend on parameters only, but used a state. Hint: use p.")
    return Trace(graph, tuple(rates), tuple(start), tuple(seen))


def derive_equations(trace: Trace) -> Equations:
    """Differentiate and factorise a traced model."""
    graph = trace.graph
    jacobian = compute_derivatives(graph, trace.rhs, "y")
    by_day = compute_derivatives(graph, trace.rhs, "day")
    zero = graph.number(0.0)
    time_derivative = tuple(row.get(0, zero) for row in by_day)
    elimination = eliminate(graph, jacobian, graph.symbol("diagonal", 0).node)
    solution = tuple(substitute(graph, elimination))
    used = (*trace.rhs, *trace.observe, *time_derivative, *elimination.entries)
    return Equations(
        graph,
        trace.rhs,
        trace.initial,
        trace.observe,
        time_derivative,
        elimination,
        solution,
        _find_constants(graph, used),
        sum(len(row) for row in jacobian),
    )


def _find_constants(graph: Graph, roots: Iterable[Node]) -> tuple[Node, ...]:
    """Return the parameter-only nodes that varying expressions (or the roots themselves) read."""
    roots = list(roots)
    varying = graph.depends_on(VARYING)
    found: dict[Node, None] = {}

    def note(node: Node) -> None:
        if not varying[node] and graph.keys[node][0] != "number":
            found.setdefault(node)

    for node in graph.reachable(roots):
        if varying[node] and graph.keys[node][0] != "input":
            for argument in graph.keys[node][1:]:
                note(argument)
    for root in roots:
        note(root)
    return tuple(found)
