"""The expression graph: equal expressions are one node, and derivatives are exact."""

import math

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.core.arithmetic import exp, log, power, sqrt
from livingdrug.core.errors import InputError
from livingdrug.core.model import Model, Quantity
from livingdrug.engine.coupling import choose_shared
from livingdrug.engine.derivatives import compute_derivatives, compute_tangents
from livingdrug.engine.elimination import choose_order, eliminate, substitute
from livingdrug.engine.graph import Graph, Symbol
from livingdrug.engine.trace import derive_stage, factorise, trace_model


def evaluate(graph, node, inputs):
    """Return a node's value with plain floats: the reference for everything compiled."""
    values = {}
    for n in graph.needed([node]):
        operation, *arguments = graph.keys[n]
        if operation == "input":
            values[n] = inputs[tuple(arguments)]
        elif operation == "number":
            values[n] = arguments[0]
        else:
            a = [values[i] for i in arguments]
            values[n] = {
                "add": lambda a=a: a[0] + a[1],
                "sub": lambda a=a: a[0] - a[1],
                "mul": lambda a=a: a[0] * a[1],
                "neg": lambda a=a: -a[0],
                "recip": lambda a=a: 1 / a[0],
                "exp": lambda a=a: math.exp(a[0]),
                "log": lambda a=a: math.log(a[0]),
                "sqrt": lambda a=a: math.sqrt(a[0]),
            }[operation]()
    return values[node]


def formula(x, y, z):
    """Every operation that an equation may use."""
    hill = x**3 / (z**3 + x**3)
    return hill * exp(-y / z) + log(x + 1) * sqrt(y + 2) - power(x + 1, y) / (1 + z**-2) + (2 - x) * -y + 3 / z


class SympyNumber:
    """A SymPy expression that answers to `exp`, `log`, `sqrt` as the engine's symbols do."""

    def __init__(self, expression):
        self.e = sympy.sympify(expression)

    def _wrap(self, other):
        return other.e if isinstance(other, SympyNumber) else other

    def __add__(self, other):
        return SympyNumber(self.e + self._wrap(other))

    __radd__ = __add__

    def __sub__(self, other):
        return SympyNumber(self.e - self._wrap(other))

    def __rsub__(self, other):
        return SympyNumber(self._wrap(other) - self.e)

    def __mul__(self, other):
        return SympyNumber(self.e * self._wrap(other))

    __rmul__ = __mul__

    def __truediv__(self, other):
        return SympyNumber(self.e / self._wrap(other))

    def __rtruediv__(self, other):
        return SympyNumber(self._wrap(other) / self.e)

    def __neg__(self):
        return SympyNumber(-self.e)

    def __pow__(self, n):
        return SympyNumber(self.e**n)

    def exp(self):
        return SympyNumber(sympy.exp(self.e))

    def log(self):
        return SympyNumber(sympy.log(self.e))

    def sqrt(self):
        return SympyNumber(sympy.sqrt(self.e))


@pytest.fixture(scope="module")
def traced():
    graph = Graph()
    symbols = [graph.symbol("y", i) for i in range(3)]
    return graph, symbols, formula(*symbols)


@settings(deadline=None)
@given(st.floats(0.1, 5), st.floats(0.1, 3), st.floats(0.2, 4))
def test_a_traced_formula_and_its_derivatives_equal_what_sympy_says(x, y, z):
    graph = Graph()
    symbols = [graph.symbol("y", i) for i in range(3)]
    node = formula(*symbols).node
    at = {("y", 0): x, ("y", 1): y, ("y", 2): z}
    names = sympy.symbols("x y z", positive=True)
    expression = formula(*(SympyNumber(n) for n in names)).e
    numbers = dict(zip(names, (x, y, z), strict=True))
    assert evaluate(graph, node, at) == pytest.approx(formula(x, y, z), rel=1e-12)
    assert evaluate(graph, node, at) == pytest.approx(float(expression.subs(numbers)), rel=1e-10)
    (row,) = compute_derivatives(graph, [node], "y")
    for i, name in enumerate(names):
        expected = float(sympy.diff(expression, name).subs(numbers))
        assert evaluate(graph, row[i], at) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_tangent_is_the_derivative_times_the_direction(traced):
    graph, symbols, root = traced
    directions = [graph.symbol("dy", i) for i in range(3)]
    seeds = {s.node: d.node for s, d in zip(symbols, directions, strict=True)}
    (tangent,) = compute_tangents(graph, [root.node], seeds)
    (row,) = compute_derivatives(graph, [root.node], "y")
    at = {("y", 0): 1.3, ("y", 1): 0.7, ("y", 2): 2.1, ("dy", 0): 0.3, ("dy", 1): -2.0, ("dy", 2): 1.1}
    expected = sum(evaluate(graph, row[i], at) * at["dy", i] for i in range(3))
    assert evaluate(graph, tangent, at) == pytest.approx(expected, rel=1e-12)


def test_equal_expressions_are_one_node_and_neutral_ones_vanish():
    graph = Graph()
    x, y = graph.symbol("y", 0), graph.symbol("y", 1)
    assert (x * y + 1).node == (1 + y * x).node
    assert (x + 0).node == (x * 1).node == (x - 0).node == x.node
    assert graph.value((x * 0).node) == 0.0
    assert graph.value((x - x).node) == 0.0
    negative = -x
    assert (-negative).node == x.node
    assert (y - negative).node == (x + y).node


def test_an_equation_that_decides_on_a_symbol_is_refused_with_advice():
    x = Graph().symbol("y", 0)
    with pytest.raises(InputError, match="Hint: use a Hill"):
        max(x, 1.0) if x else x


@settings(deadline=None)
@given(st.integers(2, 6), st.randoms(use_true_random=False))
def test_sparse_elimination_solves_what_dense_algebra_solves(size, random):
    import numpy as np

    graph = Graph()
    pattern = [[j for j in range(size) if i != j and random.random() < 0.4] for i in range(size)]
    rows, values = [], {("diagonal", 0): 10.0}
    dense = np.eye(size) * 10.0
    count = 0
    for i, columns in enumerate(pattern):
        row = {}
        for j in (*columns, i):
            symbol: Symbol = graph.symbol("y", count)
            values["y", count] = random.uniform(-1, 1)
            dense[i, j] -= values["y", count]
            row[j] = symbol.node
            count += 1
        rows.append(row)
    factors = eliminate(graph, rows, [graph.symbol("diagonal", 0).node] * size)
    right = [random.uniform(-1, 1) for _ in range(size)]
    solution = substitute(graph, factors, [graph.node("input", "b", i) for i in range(size)])
    values |= {("b", i): b for i, b in enumerate(right)}
    values |= {("lu", i): evaluate(graph, node, values) for i, node in enumerate(factors.entries)}
    ours = [evaluate(graph, node, values) for node in solution]
    assert ours == pytest.approx(np.linalg.solve(dense, right).tolist(), rel=1e-9, abs=1e-12)


def test_the_order_of_elimination_avoids_fill_where_it_can():
    arrow = [{0, 1, 2, 3, 4}, {0, 1}, {0, 2}, {0, 3}, {0, 4}]
    order, fill = choose_order(arrow)
    assert fill == 0
    assert order[-1] == 0 or order[-2] == 0


def coupled_model(size):
    """Return a model in which every rate reads one hazard, and the hazard every state."""
    names = [f"x{i}" for i in range(size)]

    def rhs(day, y, p):
        burden = sum(getattr(y, n) for n in names)
        hazard = p.k * burden / (1 + burden)
        return {n: p.k * getattr(y, n) - hazard * getattr(y, n) * (i + 1) for i, n in enumerate(names)}

    states = tuple(Quantity(n, "1", n) for n in names)
    return Model(
        "coupled", states, (Quantity("k", "1/day", "rate"),), rhs, lambda p: dict.fromkeys(names, 1), "illustrative"
    )


def test_a_quantity_shared_by_all_rates_becomes_an_unknown_and_leaves_the_solution_as_it_was():
    trace = trace_model(coupled_model(8))
    shared = choose_shared(trace)
    assert shared
    values = {("p", 0): 0.7, ("day", 0): 0.0, ("diagonal", 0): 5.0, ("per_h", 0): 2.0}
    values |= {("y", i): 0.1 + 0.3 * i for i in range(8)} | {("sums", i): (-1.0) ** i for i in range(8)}
    solutions = []
    counts = []
    for chosen in ((), shared):
        elimination = factorise(trace, chosen)
        at = values | {("lu", i): evaluate(trace.graph, n, values) for i, n in enumerate(elimination.entries)}
        stage = derive_stage(trace, elimination)
        solutions.append([evaluate(trace.graph, node, at) for node in stage])
        counts.append(trace.graph.count(elimination.entries))
    assert solutions[0] == pytest.approx(solutions[1], rel=1e-12)
    assert counts[1] < counts[0] / 2


def trace_rate(rhs):
    """Trace a model of one state whose rate is a function of state and parameter."""
    model = Model(
        "odd",
        (Quantity("x", "1", "amount"),),
        (Quantity("k", "1/day", "rate"),),
        lambda day, y, p: {"x": rhs(y.x, p.k)},
        lambda p: {"x": 1.0},
        "illustrative",
    )
    trace = trace_model(model)
    return trace.graph, trace.rhs[0]


@pytest.mark.parametrize(
    "rhs",
    [
        lambda x, k: -x if k == 0.5 else x,
        lambda x, k: -x if k != 0.5 else x,
        lambda x, k: -x if x > 0.5 else x,
        lambda x, k: -x if x and k else x,
        lambda x, k: max(x, 0),
        lambda x, k: abs(x),
        lambda x, k: x // 2,
        lambda x, k: x % 2,
    ],
)
def test_an_equation_that_decides_is_refused_and_never_quietly_one_branch(rhs):
    with pytest.raises(InputError, match="asked to decide on a symbol"):
        trace_rate(rhs)


@pytest.mark.parametrize(
    ("rhs", "words"),
    [
        (lambda x, k: math.exp(x), "core.arithmetic"),
        (lambda x, k: x * 1j, "real numbers"),
        (lambda x, k: x + "a", "real numbers"),
        (lambda x, k: "a", "must be a formula"),
        (lambda x, k: 1j, "must be a formula"),
        (lambda x, k: None, "must return x"),
        (lambda x, k: (-2) ** x, "positive base"),
    ],
)
def test_what_is_no_formula_is_a_sentence(rhs, words):
    with pytest.raises(InputError, match=words):
        trace_rate(rhs)


def test_a_model_that_returns_no_names_or_reads_unknown_ones_is_a_sentence():
    def make(rhs):
        states = (Quantity("x", "1", "amount"),)
        return Model("odd", states, (), rhs, lambda p: {"x": 1.0}, "illustrative")

    with pytest.raises(InputError, match="must return names to values"):
        trace_model(make(lambda day, y, p: [-y.x]))
    with pytest.raises(InputError, match="declared names"):
        trace_model(make(lambda day, y, p: {"x": -y.z}))


@pytest.mark.parametrize("exponent", [2, 2.0])
def test_a_whole_power_is_a_product_however_the_exponent_is_written(exponent):
    graph, node = trace_rate(lambda x, k: x**exponent)
    assert graph.keys[node][0] == "mul"


def test_a_power_of_a_number_and_a_constant_beyond_the_doubles_are_kept_as_formulas():
    graph, node = trace_rate(lambda x, k: 2**x)
    assert graph.keys[node][0] == "exp"
    graph, node = trace_rate(lambda x, k: x * exp(0 * k + 1000))
    assert "exp" in {graph.keys[n][0] for n in graph.needed([node])}
