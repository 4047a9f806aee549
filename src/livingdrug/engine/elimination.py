"""Sparse Gaussian elimination, written out once as expressions.

The order is chosen when compiling (least fill first, Markowitz 1957, on the diagonal); there is no
pivoting: the matrix ``1/(h gamma) - J`` is diagonally dominant as soon as the step is short enough,
and a step that is not is refused by the error estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from livingdrug.engine.derivatives import Row
from livingdrug.engine.graph import Graph, Node


@dataclass(frozen=True, slots=True)
class Elimination:
    """A factorised matrix: ``entries`` are stored; ``lower`` and ``upper`` say where each one belongs.

    ``lower[(i, j)]`` and ``upper[(i, j)]`` index ``entries``; ``pivot[i]`` indexes the reciprocal of
    the diagonal; ``order`` is the order of elimination.
    """

    order: tuple[int, ...]
    entries: tuple[Node, ...]
    pivot: dict[int, int]
    lower: dict[tuple[int, int], int]
    upper: dict[tuple[int, int], int]
    fill: int


def choose_order(pattern: Sequence[set[int]]) -> tuple[tuple[int, ...], int]:
    """Return the order of elimination with little fill, and the fill; ``pattern[i]`` are the columns of row i.

    Examples
    --------
    >>> choose_order([{0, 1, 2}, {0, 1}, {0, 2}])
    ((1, 0, 2), 0)
    """
    rows = [set(row) | {i} for i, row in enumerate(pattern)]
    left = list(range(len(rows)))
    order: list[int] = []
    fill = 0
    while left:
        costs = []
        for k in left:
            below = [i for i in left if i != k and k in rows[i]]
            right = {j for j in rows[k] if j in left and j != k}
            new = sum(len(right - rows[i]) for i in below)
            costs.append((new, len(below) * len(right), k))
        new, _, k = min(costs)
        left.remove(k)
        order.append(k)
        fill += new
        right = {j for j in rows[k] if j in left}
        for i in left:
            if k in rows[i]:
                rows[i] |= right
    return tuple(order), fill


def eliminate(graph: Graph, jacobian: Sequence[Row], diagonal: Sequence[Node]) -> Elimination:
    """Factorise the matrix with the given diagonal minus the Jacobian, symbolically."""
    order, fill = choose_order([set(row) for row in jacobian])
    matrix: dict[tuple[int, int], Node] = {}
    for i, row in enumerate(jacobian):
        for j, entry in row.items():
            matrix[i, j] = graph.node("neg", entry)
        matrix[i, i] = graph.node("add", diagonal[i], matrix[i, i]) if (i, i) in matrix else diagonal[i]
    position = {k: n for n, k in enumerate(order)}
    reciprocal: dict[int, Node] = {}
    for n, k in enumerate(order):
        reciprocal[k] = graph.node("recip", matrix[k, k])
        columns = [j for j in order[n + 1 :] if (k, j) in matrix]
        for i in order[n + 1 :]:
            if (i, k) not in matrix:
                continue
            multiplier = matrix[i, k] = graph.node("mul", matrix[i, k], reciprocal[k])
            for j in columns:
                product = graph.node("mul", multiplier, matrix[k, j])
                known = matrix.get((i, j))
                matrix[i, j] = graph.node("neg", product) if known is None else graph.node("sub", known, product)
    entries: list[Node] = []
    lower: dict[tuple[int, int], int] = {}
    upper: dict[tuple[int, int], int] = {}
    for (i, j), node in sorted(matrix.items()):
        if i != j:
            (lower if position[i] > position[j] else upper)[i, j] = len(entries)
            entries.append(node)
    pivot = {k: len(entries) + n for n, k in enumerate(order)}
    entries.extend(reciprocal[k] for k in order)
    return Elimination(order, tuple(entries), pivot, lower, upper, fill)


def substitute(graph: Graph, factors: Elimination, right_side: Sequence[Node]) -> list[Node]:
    """Return the solution for a right-hand side, with the factors given as inputs ``lu``.

    A right-hand side shorter than the matrix goes on with zeros; the solution is as long as it.
    """
    size = len(right_side)
    x = [*right_side, *[graph.number(0.0)] * (len(factors.order) - size)]

    def entry(index: int) -> Node:
        return graph.node("input", "lu", index)

    rank = {k: n for n, k in enumerate(factors.order)}
    for (i, j), index in sorted(factors.lower.items(), key=lambda item: (rank[item[0][0]], rank[item[0][1]])):
        x[i] = graph.node("sub", x[i], graph.node("mul", entry(index), x[j]))
    for k in reversed(factors.order):
        for (i, j), index in sorted(factors.upper.items(), key=lambda item: rank[item[0][1]]):
            if i == k:
                x[k] = graph.node("sub", x[k], graph.node("mul", entry(index), x[j]))
        x[k] = graph.node("mul", x[k], entry(factors.pivot[k]))
    return x[:size]
