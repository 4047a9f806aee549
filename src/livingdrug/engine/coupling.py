"""Which shared quantities to keep as unknowns of the linear systems.

States of a biological model are coupled through few quantities: a burden, a kill hazard, a drive. Written
out, such a quantity fills the Jacobian: every rate that reads it depends on every state behind it. Kept as
an unknown :math:`z = g(y)` with its own linear equation, it costs one row and one column, and the matrix
stays sparse; eliminating :math:`z` gives the same solution. The choice is made when compiling, by counting
operations.
"""

from livingdrug.engine import tableau
from livingdrug.engine.derivatives import compute_derivatives
from livingdrug.engine.graph import ARITHMETIC, Node
from livingdrug.engine.trace import Trace, derive_stage, factorise

MOST_TRIED = 16
LEAST_GAIN = 0.005
"""Share of the operations of a step that a shared quantity must save."""


def choose_shared(trace: Trace) -> tuple[Node, ...]:
    """Return the nodes that are worth an unknown of their own, greedily."""
    chosen: tuple[Node, ...] = ()
    cost = _count_operations(trace, chosen)
    for node in _find_candidates(trace):
        trial = tuple(sorted((*chosen, node)))
        new = _count_operations(trace, trial)
        if new < cost * (1 - LEAST_GAIN):
            chosen, cost = trial, new
    return chosen


def _count_operations(trace: Trace, shared: tuple[Node, ...]) -> int:
    """Count what a step spends on its matrix and its stages; what depends on parameters alone is free."""
    graph = trace.graph
    elimination = factorise(trace, shared)
    stage = derive_stage(trace, elimination)
    varying = graph.depends_on(frozenset({"y", "day", "lu", "diagonal", "sums", "per_h"}))
    known = {node for node, is_varying in enumerate(varying) if not is_varying}
    return graph.count(elimination.entries, known) + tableau.STAGES * graph.count(stage, known)


def _find_candidates(trace: Trace) -> list[Node]:
    """Return nodes that stand between many states and many rates, the busiest first."""
    graph = trace.graph
    needed = graph.needed(trace.rhs)
    behind = compute_derivatives(graph, needed, "y")
    reached: dict[Node, set[int]] = {node: set() for node in needed}
    for i, rate in enumerate(trace.rhs):
        for node in graph.needed([rate]):
            reached[node].add(i)
    scores = {
        node: (len(row) - 1) * (len(reached[node]) - 1)
        for node, row in zip(needed, behind, strict=True)
        if graph.keys[node][0] in ARITHMETIC and len(row) > 2 and len(reached[node]) > 2
    }
    return sorted(scores, key=lambda node: (-scores[node], node))[:MOST_TRIED]
