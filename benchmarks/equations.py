"""A livingdrug model as SymPy expressions: what every peer's own language is printed from.

The right-hand side is called once with symbols. What depends on parameters only is hoisted into
*constants* that are computed once per patient, as an expert would do by hand for any solver.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp

from livingdrug.core.model import Model


class Whole(sp.Function):
    """Its argument, kept in one piece: SymPy would else write the power of a product as a product of powers.

    A share of at most 1 to the eighth would so become the quotient of two numbers beyond a double.
    """

    def fdiff(self, argindex: int = 1) -> sp.Expr:  # noqa: ARG002
        """Return 1."""
        return sp.Integer(1)


PLAIN = {"Whole": lambda x: x}
"""What a whole is to NumPy and JAX."""


class Traced:
    """A SymPy expression that answers ``exp``, ``log`` and ``sqrt`` as the core arithmetic asks."""

    __slots__ = ("e",)

    def __init__(self, e: Any) -> None:
        self.e = sp.sympify(e)

    def __add__(self, other: Any) -> "Traced":
        return Traced(self.e + strip(other))

    def __sub__(self, other: Any) -> "Traced":
        return Traced(self.e - strip(other))

    def __mul__(self, other: Any) -> "Traced":
        return Traced(self.e * strip(other))

    def __truediv__(self, other: Any) -> "Traced":
        return Traced(self.e / strip(other))

    def __pow__(self, other: Any) -> "Traced":
        base = self.e if self.e.is_Atom else Whole(self.e)
        return Traced(base ** strip(other))

    def __rsub__(self, other: Any) -> "Traced":
        return Traced(strip(other) - self.e)

    def __rtruediv__(self, other: Any) -> "Traced":
        return Traced(strip(other) / self.e)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "Traced":
        return Traced(-self.e)

    def exp(self) -> "Traced":
        """Return e to the power of this."""
        return Traced(sp.exp(self.e))

    def log(self) -> "Traced":
        """Return the natural logarithm of this."""
        return Traced(sp.log(self.e))

    def sqrt(self) -> "Traced":
        """Return the square root of this."""
        return Traced(sp.sqrt(self.e))


def strip(x: Any) -> Any:
    """Return the SymPy expression inside ``x``; a plain number stays what it is."""
    return x.e if isinstance(x, Traced) else x


@dataclass(frozen=True)
class Equations:
    """The traced model.

    Parameters
    ----------
    model : Model
    day : symbol of time
    y, p, k : symbols of the states, the parameters and the hoisted constants
    constants : expressions of ``k`` in ``p``
    rhs : rates in ``day, y, k``
    outputs : what is looked at, in ``day, y, k``
    initial : amounts at day 0 in ``p``
    plain_rhs, plain_outputs : rates, and all states and outputs, in ``day, y, p``, nothing hoisted
    """

    model: Model
    day: sp.Symbol
    y: tuple[sp.Symbol, ...]
    p: tuple[sp.Symbol, ...]
    k: tuple[sp.Symbol, ...]
    constants: tuple[sp.Expr, ...]
    rhs: tuple[sp.Expr, ...]
    outputs: Mapping[str, sp.Expr]
    initial: tuple[sp.Expr, ...]
    plain_rhs: tuple[sp.Expr, ...]
    plain_outputs: Mapping[str, sp.Expr]

    def compute_constants(self, parameters: np.ndarray) -> np.ndarray:
        """Return the constants, (patient, constant), of parameters, (patient, parameter)."""
        return evaluate(self.p, self.constants, parameters.T).T

    def compute_initial(self, parameters: np.ndarray) -> np.ndarray:
        """Return the amounts at day 0, (patient, state)."""
        return evaluate(self.p, self.initial, parameters.T).T

    def compute_outputs(self, names: Sequence[str], states: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Return outputs or states, (patient, time, name), of states, (patient, time, state)."""
        expressions = [self.plain_outputs[name] for name in names]
        columns = [*np.moveaxis(states, -1, 0), *(np.broadcast_to(c[:, None], states.shape[:2]) for c in parameters.T)]
        return np.moveaxis(evaluate((*self.y, *self.p), expressions, columns), 0, -1)

    def scale(self, units: Sequence[float]) -> "Equations":
        """Return the same model with every state counted in a unit of its own.

        A solver with one absolute tolerance then has one per state, as its experts advise.
        """
        amount = {s: s * sp.Float(u) for s, u in zip(self.y, units, strict=True)}

        def rescale(rates: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
            return tuple(e.xreplace(amount) / sp.Float(u) for e, u in zip(rates, units, strict=True))

        return replace(
            self,
            rhs=rescale(self.rhs),
            plain_rhs=rescale(self.plain_rhs),
            initial=tuple(e / sp.Float(u) for e, u in zip(self.initial, units, strict=True)),
            outputs={n: e.xreplace(amount) for n, e in self.outputs.items()},
            plain_outputs={n: e.xreplace(amount) for n, e in self.plain_outputs.items()},
        )

    @property
    def jacobian(self) -> dict[tuple[int, int], sp.Expr]:
        """Non-zero partial derivatives of the rates by (row, column)."""
        entries = {}
        for i, rate in enumerate(self.rhs):
            for symbol in rate.free_symbols & set(self.y):
                entries[i, self.y.index(symbol)] = rate.diff(symbol)
        return entries


def name_shared(expressions: Sequence[sp.Expr]) -> tuple[list[tuple[sp.Symbol, sp.Expr]], list[sp.Expr]]:
    """Name the common subexpressions, and compute every integer power by squaring.

    Returns
    -------
    definitions : (symbol, expression), each of symbols defined before
    results : the expressions in terms of them
    """
    shared, results = sp.cse(list(expressions), symbols=sp.numbered_symbols("s_", real=True), order="none")
    definitions: list[tuple[sp.Symbol, sp.Expr]] = []
    named: dict[sp.Expr, sp.Symbol] = {}

    def name(e: sp.Expr) -> sp.Expr:
        if e.is_Atom:
            return e
        if e not in named:
            named[e] = sp.Symbol(f"q_{len(named)}", real=True)
            definitions.append((named[e], e))
        return named[e]

    def multiply(base: sp.Expr, exponent: int) -> sp.Expr:
        if exponent == 1:
            return base
        half = multiply(base, exponent // 2)
        square = name(sp.Mul(half, half, evaluate=False))
        return name(sp.Mul(square, base, evaluate=False)) if exponent % 2 else square

    def rewrite(e: sp.Expr) -> sp.Expr:
        if e.is_Atom or isinstance(e, Whole):
            return name(rewrite(e.args[0])) if e.args else e
        if isinstance(e, sp.Pow) and e.exp.is_Integer and abs(int(e.exp)) > 1:
            product = multiply(name(rewrite(e.base)), abs(int(e.exp)))
            return product if e.exp > 0 else 1 / product
        return e.func(*(rewrite(a) for a in e.args))

    for symbol, expression in shared:
        definitions.append((symbol, rewrite(expression)))
    finished = [rewrite(e) for e in results]
    return definitions, finished


def evaluate(symbols: Sequence[sp.Symbol], expressions: Sequence[sp.Expr], columns: Any) -> np.ndarray:
    """Evaluate expressions with NumPy; every result takes the shape of a column."""
    function = sp.lambdify(list(symbols), list(expressions), [PLAIN, "numpy"], cse=True)
    shape = np.shape(columns[0])
    return np.stack([np.broadcast_to(np.asarray(v, dtype=float), shape) for v in function(*columns)])


def trace(model: Model, looked_at: Sequence[str] = ()) -> Equations:
    """Trace a model into SymPy expressions; hoist what depends on parameters only from the rates and ``looked_at``."""
    day = sp.Symbol("day", real=True)
    y = tuple(sp.Symbol(f"y_{n}", real=True) for n in model.state_names)
    p = tuple(sp.Symbol(f"p_{n}", positive=True) for n in model.parameter_names)
    states = SimpleNamespace(**{n: Traced(s) for n, s in zip(model.state_names, y, strict=True)})
    parameters = SimpleNamespace(**{n: Traced(s) for n, s in zip(model.parameter_names, p, strict=True)})
    rates = model.rhs(Traced(day), states, parameters)
    plain = tuple(sp.sympify(strip(rates.get(n, 0))) for n in model.state_names)
    start = model.initial(parameters)
    observed = model.observe(Traced(day), states, parameters) if model.observe else {}
    hoister = Hoister({day, *y}, set(p))
    rhs = tuple(hoister.hoist(e) for e in plain)
    seen = {n: sp.sympify(strip(e)) for n, e in observed.items()}
    known = {**dict(zip(model.state_names, y, strict=True)), **seen}
    outputs = {n: hoister.hoist(known[n]) for n in looked_at}
    return Equations(
        model=model,
        day=day,
        y=y,
        p=p,
        k=tuple(hoister.names.values()),
        constants=tuple(hoister.names),
        rhs=rhs,
        outputs=outputs,
        initial=tuple(sp.sympify(strip(start.get(n, 0))) for n in model.state_names),
        plain_rhs=plain,
        plain_outputs=known,
    )


class Hoister:
    """Replaces every largest subexpression of parameters only by one constant."""

    def __init__(self, moving: set[sp.Symbol], parameters: set[sp.Symbol]) -> None:
        self.moving = moving
        self.parameters = parameters
        self.names: dict[sp.Expr, sp.Symbol] = {}

    def hoist(self, e: sp.Expr) -> sp.Expr:
        """Return ``e`` with constants in place of what never changes during a solution."""
        free = e.free_symbols
        if not free & self.moving:
            return self.name(e) if free & self.parameters else e
        if not e.args:
            return e
        if isinstance(e, sp.Add | sp.Mul):
            still = [a for a in e.args if not a.free_symbols & self.moving]
            rest = [self.hoist(a) for a in e.args if a.free_symbols & self.moving]
            fixed = self.hoist(e.func(*still)) if still else e.func.identity
            return e.func(fixed, *rest)
        return e.func(*(self.hoist(a) for a in e.args))

    def name(self, e: sp.Expr) -> sp.Symbol:
        """Return the constant that stands for ``e``."""
        return self.names.setdefault(e, sp.Symbol(f"k_{len(self.names)}", real=True))
