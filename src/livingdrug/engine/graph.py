"""Trace a model's functions into one expression graph without repeated work.

Every expression is a node, and equal expressions are the same node (hash consing), so common
subexpressions cost nothing to find. Division is a product with a reciprocal: all divisions by one
quantity share it. Nodes are numbered so that the arguments of a node come before it.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from livingdrug.core.errors import InputError

Key = tuple[Any, ...]
Node = int

COMMUTATIVE = frozenset({"add", "mul"})
FUNCTIONS = {"recip": lambda x: 1.0 / x, "exp": math.exp, "log": math.log, "sqrt": math.sqrt}
ARITHMETIC = frozenset({"add", "sub", "mul", "neg", "recip", "exp", "log", "sqrt"})


@dataclass(slots=True)
class Graph:
    """Expressions over named inputs; ``keys[node]`` is the operation and its arguments.

    An input is ``("input", kind, index)``, a number ``("number", value)``, anything else
    ``(operation, node, ...)``.

    Examples
    --------
    >>> graph = Graph()
    >>> x = graph.symbol("y", 0)
    >>> (x * 2 + 2 * x).node == (2 * x + x * 2).node
    True
    """

    keys: list[Key] = field(default_factory=list)
    index: dict[Key, Node] = field(default_factory=dict)

    def node(self, *key: Any) -> Node:
        """Return the node of an operation, simplified where that is exact."""
        simpler = self._simplify(key)
        if isinstance(simpler, int):
            return simpler
        known = self.index.get(simpler)
        if known is None:
            known = self.index[simpler] = len(self.keys)
            self.keys.append(simpler)
        return known

    def number(self, value: float) -> Node:
        """Return the node of a number."""
        return self.node("number", float(value))

    def symbol(self, kind: str, index: int) -> Symbol:
        """Return the symbol of an input."""
        return Symbol(self, self.node("input", kind, index))

    def value(self, node: Node) -> float | None:
        """Return the number that a node is, or None."""
        key = self.keys[node]
        return key[1] if key[0] == "number" else None

    def _simplify(self, key: Key) -> Key | Node:
        operation = key[0]
        if operation in {"number", "input"}:
            return key
        values = [self.value(a) for a in key[1:]]
        if operation in COMMUTATIVE and key[1] > key[2]:
            return self._simplify((operation, key[2], key[1]))
        if operation in {"add", "sub"}:
            return self._simplify_sum(key, values)
        if operation == "mul":
            return self._simplify_product(key, values)
        if operation == "neg":
            inner = self.keys[key[1]]
            if values[0] is not None:
                return self.number(-values[0])
            if inner[0] == "neg":
                return int(inner[1])
            if inner[0] == "sub":
                return self.node("sub", inner[2], inner[1])
        if operation in FUNCTIONS and values[0] is not None and values[0] > 0:
            with suppress(OverflowError):  # then it stays to be computed
                return self.number(FUNCTIONS[operation](values[0]))
        return key

    def _simplify_sum(self, key: Key, values: list[float | None]) -> Key | Node:
        operation, a, b = key
        left, right = values
        if left is not None and right is not None:
            return self.number(left + right if operation == "add" else left - right)
        if right == 0.0:
            return int(a)
        if left == 0.0:
            return int(b) if operation == "add" else self.node("neg", b)
        if operation == "sub" and a == b:
            return self.number(0.0)
        if self.keys[b][0] == "neg":
            return self.node("sub" if operation == "add" else "add", a, self.keys[b][1])
        if operation == "add" and self.keys[a][0] == "neg":
            return self.node("sub", b, self.keys[a][1])
        return key

    def _simplify_product(self, key: Key, values: list[float | None]) -> Key | Node:
        _, a, b = key
        left, right = values
        if left is not None and right is not None:
            return self.number(left * right)
        for number, other in ((left, b), (right, a)):
            if number == 0.0:
                return self.number(0.0)
            if number == 1.0:
                return int(other)
            if number == -1.0:
                return self.node("neg", other)
        for one, other in ((a, b), (b, a)):
            if self.keys[one][0] == "neg":
                return self.node("neg", self.node("mul", self.keys[one][1], other))
        return key

    def needed(self, roots: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
        """Return the nodes that the roots need beyond the known ones, arguments first."""
        found: set[Node] = set()
        stack = [root for root in roots if root not in known]
        while stack:
            node = stack.pop()
            if node in found:
                continue
            found.add(node)
            if self.keys[node][0] in ARITHMETIC:
                stack.extend(a for a in self.keys[node][1:] if a not in known)
        return sorted(found)

    def count(self, roots: Iterable[Node], known: Container[Node] = ()) -> int:
        """Count the floating-point operations that the roots need beyond the known nodes."""
        needed = self.needed(roots, known)
        return sum(self.keys[node][0] not in {"input", "number", "neg"} for node in needed)

    def depends_on(self, kinds: frozenset[str]) -> list[bool]:
        """Return for every node whether it depends on an input of one of the kinds."""
        depends: list[bool] = []
        for key in self.keys:
            if key[0] == "input":
                depends.append(key[1] in kinds)
            elif key[0] == "number":
                depends.append(False)
            else:
                depends.append(any(depends[a] for a in key[1:]))
        return depends


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """An expression that answers to Python arithmetic, and refuses what is no formula."""

    graph: Graph
    node: Node

    def _of(self, other: Any) -> Node:
        if isinstance(other, Symbol):
            return other.node
        try:
            return self.graph.number(float(other))
        except (TypeError, ValueError):
            raise InputError(
                f"an equation must be made of names and real numbers, but holds {other!r:.60}. Hint: write one formula."
            ) from None

    def _new(self, *key: Any) -> Symbol:
        return Symbol(self.graph, self.graph.node(*key))

    def __add__(self, other: Any) -> Symbol:
        return self._new("add", self.node, self._of(other))

    __radd__ = __add__

    def __sub__(self, other: Any) -> Symbol:
        return self._new("sub", self.node, self._of(other))

    def __rsub__(self, other: Any) -> Symbol:
        return self._new("sub", self._of(other), self.node)

    def __mul__(self, other: Any) -> Symbol:
        return self._new("mul", self.node, self._of(other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Symbol:
        return self._new("mul", self.node, self.graph.node("recip", self._of(other)))

    def __rtruediv__(self, other: Any) -> Symbol:
        return self._new("mul", self._of(other), self.graph.node("recip", self.node))

    def __neg__(self) -> Symbol:
        return self._new("neg", self.node)

    def __pos__(self) -> Symbol:
        return self

    def __pow__(self, exponent: Any) -> Symbol:
        if not isinstance(exponent, Symbol) and float(exponent).is_integer():
            return self._integer_power(int(exponent))
        if exponent == 0.5:
            return self.sqrt()
        raised: Symbol = exponent * self.log()
        return raised.exp()

    def __rpow__(self, base: Any) -> Symbol:
        if not base > 0:
            raise InputError(f"a power with a symbol above must have a positive base, but had {base!r}. Hint: use exp.")
        return (self * math.log(base)).exp()

    def _integer_power(self, exponent: int) -> Symbol:
        if exponent < 0:
            return 1.0 / self._integer_power(-exponent)
        if exponent == 0:
            return Symbol(self.graph, self.graph.number(1.0))
        half = self._integer_power(exponent // 2) if exponent > 1 else None
        if half is None:
            return self
        return half * half * self if exponent % 2 else half * half

    def exp(self) -> Symbol:
        """Return e to the power of the expression."""
        return self._new("exp", self.node)

    def log(self) -> Symbol:
        """Return the natural logarithm of the expression."""
        return self._new("log", self.node)

    def sqrt(self) -> Symbol:
        """Return the square root of the expression."""
        return self._new("sqrt", self.node)

    def _decide(self, *_others: Any) -> Any:
        raise InputError(
            "an equation must be one formula, but was asked to decide on a symbol (if, <, ==, and, or, abs, min, max). "
            "Hint: use a Hill or Michaelis-Menten term, or a change in the schedule."
        )

    __bool__ = __abs__ = __lt__ = __le__ = __gt__ = __ge__ = __floordiv__ = __mod__ = _decide
    # an equality that is quietly false would drop a branch of the equations
    __eq__ = __ne__ = _decide
    __hash__ = object.__hash__

    def __float__(self) -> float:
        raise InputError(
            "an equation must use the functions of livingdrug.core.arithmetic, but used one for numbers (math.exp). "
            "Hint: exp, log, sqrt and power are there."
        )


class UnknownNameError(InputError, AttributeError):
    """An equation reads a name that the model does not declare."""


class Names:
    """Attributes that are symbols: ``y.tumour``, ``p.rate``."""

    __slots__ = ("_table",)

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        try:
            return self._table[name]
        except KeyError:
            known = ", ".join(self._table)
            raise UnknownNameError(
                f"an equation must use declared names, but was {name!r}. Hint: one of {known}"
            ) from None
