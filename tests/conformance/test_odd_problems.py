"""Random networks with jumps, and problems that break solvers, against SUNDIALS CVODE started again at every change."""

from types import SimpleNamespace

import numpy as np
import pytest
from sksundae.cvode import CVODE

from livingdrug.core.arithmetic import exp, log, power
from livingdrug.core.model import Model, Quantity
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve

FLOOR = 1e-6
RTOL = 1e-6


def make_model(states, rhs, start):
    quantities = tuple(Quantity(name, "1", name, FLOOR) for name in states)
    return Model("odd", quantities, (Quantity("k", "1", "k"), Quantity("u", "1", "u")), rhs, start, "illustrative")


def change(table, one):
    before = table[one.target]
    table[one.target] = {"add": before + one.value, "multiply": before * one.value, "set": one.value}[one.action]


def write_rates(model, p):
    """Return the rates as a function that CVODE calls."""
    names = model.state_names

    def compute_rates(day, flat, out):
        rates = model.rhs(day, SimpleNamespace(**dict(zip(names, flat.tolist(), strict=True))), p)
        out[:] = [rates[name] for name in names]

    return compute_rates


def solve_piecewise(model, parameters, days, changes):
    """States, (day, state), with a fresh start of CVODE after every change."""
    names = model.state_names
    p = dict(zip(model.parameter_names, parameters, strict=True))
    y = {name: float(model.initial(SimpleNamespace(**p)).get(name, 0.0)) for name in names}
    found, day = {}, 0.0
    for stop in sorted({*(one.day for one in changes if one.day <= days[-1]), days[-1]}):
        inside = [d for d in days if day < d < stop]
        if stop > day:
            solver = CVODE(write_rates(model, SimpleNamespace(**p)), rtol=1e-11, atol=1e-16, max_num_steps=100_000)
            solution = solver.solve(np.array([day, *inside, stop]), np.array(list(y.values())))
            assert solution.success, solution.message
            found.update(zip(inside, solution.y[1:], strict=False))
            y = dict(zip(names, solution.y[-1].tolist(), strict=True))
        for one in changes:
            if one.day == stop:
                change(y if one.target in y else p, one)
        found[stop], day = np.array(list(y.values())), stop
    return np.array([found[d] for d in days])


def assert_agrees(model, parameters, days, changes=()):
    schedule = Schedule.from_changes(model, [list(changes)])
    found = solve(compile_model(model), [parameters], days, schedule=schedule, rtol=RTOL)
    assert not found.failures
    expected = solve_piecewise(model, parameters, days, changes)
    error = np.abs(found.values[0] - expected) / np.maximum(np.abs(expected), FLOOR)
    assert error.max() <= 10 * RTOL, error.max(axis=1)


CYCLE = make_model(
    "abc",
    lambda day, y, p: {
        "a": -p.k * y.a + p.u * y.b,
        "b": p.k * y.a - p.u * y.b - 0.1 * y.b,
        "c": 0.1 * y.b - 0.05 * y.c * y.c,
    },
    lambda p: {"a": 1.0},
)


ODD = {
    "nilpotent": ("xv", lambda day, y, p: {"x": y.x + y.v, "v": -(y.x + y.v)}, {"x": 1.0, "v": 2.0}, 1.0, 5.0),
    "zero Jacobian": ("xv", lambda day, y, p: {"x": p.k, "v": 0.0}, {"v": 1.0}, 3.0, 5.0),
    "growth": ("x", lambda day, y, p: {"x": p.k * y.x}, {"x": 1.0}, 3.0, 10.0),
    "zero diagonal": ("xv", lambda day, y, p: {"x": p.k * y.v, "v": p.k * y.x}, {"x": 1.0}, 5.0, 3.0),
    "gompertz": ("x", lambda day, y, p: {"x": -p.k * y.x * log(y.x / 50)}, {"x": 1.0}, 0.3, 50.0),
    "power": ("x", lambda day, y, p: {"x": 0.1 - p.k * power(y.x, 0.75)}, {"x": 1.0}, 0.3, 50.0),
    "exp": ("x", lambda day, y, p: {"x": exp(-y.x) - p.k * y.x * exp(-day)}, {"x": 1.0}, 1.0, 20.0),
    "switch": ("x", lambda day, y, p: {"x": p.k / (1 + exp((5 - day) * 60)) - y.x}, {}, 1.0, 20.0),
    "relaxation": ("xv", lambda day, y, p: {"x": y.v, "v": p.k * (1 - y.x**2) * y.v - y.x}, {"x": 2.0}, 100.0, 80.0),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_model_agrees_with_cvode(name):
    states, rhs, start, speed, days = ODD[name]
    assert_agrees(make_model(states, rhs, lambda p: start), [speed, 1.0], [0.01 * days, 0.5 * days, days])


@pytest.mark.parametrize(
    ("parameters", "changes"),
    [
        ([1e6, 1e3], [Change(5, "a", "add", 3), Change(10, "k", "multiply", 1e-5), Change(15, "c", "set", 0)]),
        ([1e4, 1e3], [Change(0.1 * i, "a", "add", 0.1) for i in range(1, 60)]),
        ([10.0, 3.0], [Change(0, "a", "set", 2), Change(1, "b", "add", 1), Change(1, "b", "multiply", 2),
                       Change(20, "c", "add", 1), Change(20, "u", "set", 1), Change(70, "c", "set", 0)]),
    ],
    ids=["stiff jump", "many", "at reports"],
)  # fmt: skip
def test_jumps_of_a_stiff_model_agree_with_fresh_starts(parameters, changes):
    assert_agrees(CYCLE, parameters, [0.1, 1.0, 5.0, 10.0, 20.0], changes)


def draw_network(seed):
    """A closed network of random flows with speeds over five orders of magnitude, a leak, and three changes."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    names = [f"s{i}" for i in range(count)]
    flows = [(*rng.choice(names, 3), float(10 ** rng.uniform(-2, 3)), int(rng.integers(4))) for _ in range(2 * count)]

    def rhs(day, y, p):
        rates = dict.fromkeys(names, 0.01 * p.k)
        for source, target, helper, speed, kind in flows:
            a, h = getattr(y, source), getattr(y, helper)
            flow = speed * a * (1, h / (1 + h), 1 / (1 + h * h), exp(-0.1 * h))[kind]
            rates[source], rates[target] = rates[source] - flow, rates[target] + flow
        return rates

    model = make_model(names, rhs, lambda p: {name: i + 1.0 for i, name in enumerate(names)})
    actions = rng.choice(["add", "multiply", "set"], 3)
    changes = [
        Change(float(rng.uniform(0, 20)), str(rng.choice(names)), str(action), float(rng.uniform(0, 2)))
        for action in actions
    ]
    return model, changes


@pytest.mark.parametrize("seed", range(8))
def test_a_random_network_with_random_changes_agrees_with_cvode(seed):
    model, changes = draw_network(seed)
    assert_agrees(model, [1.0, 1.0], [0.01, 0.1, 1.0, 5.0, 20.0], changes)
