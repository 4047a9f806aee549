"""Exact sparse derivatives of expressions, as expressions of the same graph."""

from collections.abc import Iterable, Mapping

from livingdrug.engine.graph import ARITHMETIC, Graph, Node

Row = dict[int, Node]
"""Derivatives of one expression: input index to expression; what is absent is zero."""


def compute_derivatives(
    graph: Graph, roots: Iterable[Node], kind: str, shared: Mapping[Node, int] | None = None
) -> list[Row]:
    """Differentiate each root with respect to every input of a kind.

    ``shared`` nodes count as variables of their own, with the index given: what depends on an input
    only through them shows a derivative with respect to them instead.

    Examples
    --------
    >>> graph = Graph()
    >>> x = graph.symbol("y", 0)
    >>> row, = compute_derivatives(graph, [(x * x).node], "y")
    >>> graph.keys[row[0]] == ("add", x.node, x.node)
    True
    """
    roots = list(roots)
    variables = {} if shared is None else shared
    own: dict[Node, Row] = {}
    rows: dict[Node, Row] = {}
    for node in graph.needed(roots):
        key = graph.keys[node]
        if key[0] == "input":
            rows[node] = {key[2]: graph.number(1.0)} if key[1] == kind else {}
        elif key[0] in ARITHMETIC:
            rows[node] = _differentiate(graph, node, rows)
        else:
            rows[node] = {}
        if node in variables:
            own[node], rows[node] = rows[node], {variables[node]: graph.number(1.0)}
    zero = graph.number(0.0)
    # a root that is itself shared is asked for its own derivatives
    return [{i: d for i, d in own.get(root, rows[root]).items() if d != zero} for root in roots]


def _differentiate(graph: Graph, node: Node, rows: dict[Node, Row]) -> Row:
    operation, *arguments = graph.keys[node]
    row: Row = {}
    for argument, weight in zip(arguments, _partials(graph, node, operation, arguments), strict=True):
        for i, derivative in rows[argument].items():
            term = graph.node("mul", derivative, weight)
            row[i] = graph.node("add", row[i], term) if i in row else term
    return row


def _partials(graph: Graph, node: Node, operation: str, arguments: list[Node]) -> tuple[Node, ...]:
    """Return the derivative of one operation with respect to each of its arguments."""
    one = graph.number(1.0)
    match operation:
        case "add":
            return one, one
        case "sub":
            return one, graph.number(-1.0)
        case "mul":
            return arguments[1], arguments[0]
        case "neg":
            return (graph.number(-1.0),)
        case "recip":
            return (graph.node("neg", graph.node("mul", node, node)),)
        case "exp":
            return (node,)
        case "log":
            return (graph.node("recip", arguments[0]),)
        case _:  # sqrt
            return (graph.node("mul", graph.number(0.5), graph.node("recip", node)),)


def compute_tangents(graph: Graph, roots: Iterable[Node], seeds: Mapping[Node, Node]) -> list[Node]:
    """Differentiate each root along one direction; ``seeds`` are the nodes that change and their rates of change.

    Examples
    --------
    >>> graph = Graph()
    >>> x, dx = graph.symbol("y", 0), graph.symbol("dy", 0)
    >>> tangent, = compute_tangents(graph, [(3 * x).node], {x.node: dx.node})
    >>> tangent == (dx * 3).node
    True
    """
    roots = list(roots)
    zero = graph.number(0.0)
    tangents: dict[Node, Node] = dict(seeds)
    for node in graph.needed(roots, seeds):
        operation, *arguments = graph.keys[node]
        total = zero
        if operation in ARITHMETIC:
            partials = _partials(graph, node, operation, arguments)
            for argument, weight in zip(arguments, partials, strict=True):
                total = graph.node("add", total, graph.node("mul", tangents[argument], weight))
        tangents[node] = total
    return [tangents[root] for root in roots]
