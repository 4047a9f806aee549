"""The order of the method, measured with steps of fixed length: the tolerance so loose that none is refused."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from livingdrug.core.arithmetic import exp
from livingdrug.core.model import Model, Quantity
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve

NO_MATTER = 1e3  # floor: an error of a hundred is within the tolerance


def make_model(rhs, start):
    states = tuple(Quantity(name, "1", name, NO_MATTER) for name in start)
    return Model("test", states, (Quantity("k", "1", "stiffness"),), rhs, lambda p: start, "illustrative")


PREY = make_model(lambda day, y, p: {"a": y.a * (1 - y.b), "b": p.k * y.b * (y.a - 1)}, {"a": 0.5, "b": 1.5})
GROWTH = make_model(lambda day, y, p: {"x": p.k * exp(-day) * y.x}, {"x": 1.0})
# Kaps: fast k, smooth solution exp(-2 t), exp(-t)
KAPS = make_model(
    lambda day, y, p: {"a": -(p.k + 2) * y.a + p.k * y.b**2, "b": y.a - y.b - y.b**2}, {"a": 1.0, "b": 1.0}
)
# Prothero and Robinson: a fast state that follows a curve of the day itself
FOLLOWER = make_model(lambda day, y, p: {"x": p.k * (1 / (1 + day) - y.x) - 1 / (1 + day) ** 2}, {"x": 1.0})


def measure_errors(model, stiffness, steps, days, exact):
    kernel, errors = compile_model(model), []
    for step in steps:
        found = solve(kernel, [stiffness], days, keep=model.state_names, rtol=0.1, longest_step=step)
        assert found.steps[0, 1] == 0
        errors.append(np.max(np.abs(found.values[0] - exact)))
    return np.array(errors)


def measure_orders(errors, steps):
    return np.diff(np.log(errors)) / np.diff(np.log(steps))


def test_the_order_is_five_on_a_smooth_problem_and_inside_its_steps():
    days = np.linspace(0.37, 5, 13)
    exact = solve_ivp(
        lambda day, y: [y[0] * (1 - y[1]), 0.7 * y[1] * (y[0] - 1)],
        (0, 5),
        [0.5, 1.5],
        method="DOP853",
        rtol=1e-13,
        atol=1e-15,
        t_eval=days,
    ).y.T
    steps = [0.1, 0.05, 0.025]
    orders = measure_orders(measure_errors(PREY, 0.7, steps, days, exact), steps)
    np.testing.assert_allclose(orders, 5.0, atol=0.1)


def test_the_order_is_five_where_the_rates_depend_on_the_day():
    steps = [0.2, 0.1, 0.05, 0.025]
    orders = measure_orders(measure_errors(GROWTH, 2.0, steps, [3.0], np.exp(2 - 2 * np.exp(-3.0))), steps)
    np.testing.assert_allclose(orders, 5.0, atol=0.1)


def test_the_order_is_at_least_five_in_the_stiff_limit():
    steps = [0.4, 0.2, 0.1]
    orders = measure_orders(measure_errors(KAPS, 1e9, steps, [2.0], [[np.exp(-4.0), np.exp(-2.0)]]), steps)
    assert orders.min() >= 5.0


@pytest.mark.parametrize(
    ("model", "least", "end"), [(FOLLOWER, 3.0, [[1 / 3]]), (KAPS, 2.0, [[np.exp(-4.0), np.exp(-2.0)]])]
)
def test_between_the_limits_stiffness_costs_order_but_not_accuracy(model, least, end):
    """Order 3 for a fast follower of the day, 2 for Kaps' problem: known of the method, at errors below 1e-6."""
    steps = [0.2, 0.1, 0.05, 0.025]
    errors = measure_errors(model, 1e4, steps, [2.0], end)
    assert measure_orders(errors, steps).min() >= least
    assert errors.max() <= 1e-7
