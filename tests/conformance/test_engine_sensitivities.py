"""Derivatives of every shipped model: against central differences, and against the variational equations in CVODE."""

from types import SimpleNamespace

import numpy as np
import pytest
from sksundae.cvode import CVODE

from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models import ALL

MODELS = {model.name: model for model in ALL}
SETS = [name for name in list_parameters() if load_parameters(name).model in MODELS]
SAMPLE = list({load_parameters(name).model: name for name in SETS}.values())  # one set a model
TIMES = np.array([1.0, 3, 7, 10, 14, 21, 28, 60, 90])
STEP = 2e-4
FEW = 8


def prepare(name):
    values = load_parameters(name)
    model = MODELS[values.model]
    return model, bind(model, values)


def differentiate(kernel, parameters, places):
    """Derivatives by the logarithm of each parameter, (time, state, parameter), from two central differences."""
    shares = np.array([STEP, -STEP, 2 * STEP, -2 * STEP])
    moved = np.repeat(parameters[None], 4 * len(places), axis=0)
    for i, place in enumerate(places):
        moved[4 * i : 4 * i + 4, place] *= 1 + shares
    solution = solve(kernel, moved, TIMES, keep=kernel.model.state_names, rtol=1e-12)
    assert not solution.failures
    values = solution.values.reshape(len(places), 4, len(TIMES), -1)
    near, far = (values[:, 0] - values[:, 1]) / (2 * STEP), (values[:, 2] - values[:, 3]) / (4 * STEP)
    return np.moveaxis((4 * near - far) / 3, 0, -1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_all_sensitivities_of_every_shipped_model_equal_central_differences(name):
    check_sensitivities(name, slice(None))


@pytest.mark.parametrize("name", SAMPLE)
def test_some_sensitivities_of_every_shipped_model_equal_central_differences(name):
    _, parameters = prepare(name)
    check_sensitivities(name, slice(None, None, max(1, np.count_nonzero(parameters) // FEW)))


def check_sensitivities(name, which):
    """To 1e-5 of the sensitivity or of the state, whichever is larger; parameters that are zero are left out."""
    model, parameters = prepare(name)
    kernel = compile_model(model, with_gradient=True)
    places = np.flatnonzero(parameters)[which]
    wrt = [model.parameter_names[place] for place in places]
    exact = solve(kernel, parameters[None], TIMES, keep=model.state_names, wrt=wrt, rtol=1e-9)
    size = np.abs(exact.values[0]) + np.array([q.floor for q in model.states])
    expected = differentiate(kernel, parameters, places)
    error = np.abs(exact.gradient[0] * parameters[places] - expected) / np.maximum(size[:, :, None], np.abs(expected))
    assert error.max() <= 1e-5, wrt[int(error.max(axis=(0, 1)).argmax())]


class Dual:
    """A number and its rates of change along some directions: differentiation that the engine has no part in."""

    __slots__ = ("rates", "value")

    def __init__(self, value, rates):
        self.value, self.rates = value, rates

    def __add__(self, other):
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.rates + other.rates)
        return Dual(self.value + other, self.rates)

    __radd__ = __add__

    def __neg__(self):
        return Dual(-self.value, -self.rates)

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        if isinstance(other, Dual):
            return Dual(self.value * other.value, self.rates * other.value + other.rates * self.value)
        return Dual(self.value * other, self.rates * other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def __pow__(self, exponent):
        return Dual(self.value**exponent, exponent * self.value ** (exponent - 1) * self.rates)

    def exp(self):
        return Dual(np.exp(self.value), np.exp(self.value) * self.rates)

    def log(self):
        return Dual(np.log(self.value), self.rates / self.value)

    def sqrt(self):
        return self**0.5


def read(number):
    return (number.value, number.rates) if isinstance(number, Dual) else (float(number), 0.0)


def solve_variational(model, parameters, wrt, rtol):
    """States and their derivatives, (time, state, parameter), by CVODE on the equations of both together."""
    names, count = model.state_names, len(wrt)
    p = dict(zip(model.parameter_names, parameters.tolist(), strict=True))
    for name, rates in zip(wrt, np.eye(count), strict=True):
        p[name] = Dual(p[name], rates)
    p = SimpleNamespace(**p)

    def write(values, out):
        table = out.reshape(len(names), 1 + count)
        for row, name in zip(table, names, strict=True):
            row[0], row[1:] = read(values.get(name, 0.0))

    def compute_rates(day, flat, out):
        y = {name: Dual(row[0], row[1:]) for name, row in zip(names, flat.reshape(len(names), -1), strict=True)}
        write(model.rhs(day, SimpleNamespace(**y), p), out)

    start = np.zeros(len(names) * (1 + count))
    write(model.initial(p), start)
    floors = np.array([max(q.floor, 1e-20) for q in model.states])
    scale = np.array([1.0, *(1 / abs(read(getattr(p, name))[0]) for name in wrt)])
    solver = CVODE(compute_rates, rtol=rtol, atol=10 * rtol * np.outer(floors, scale).ravel(), max_num_steps=100_000)
    solution = solver.solve(np.concatenate([[0.0], TIMES]), start)
    assert solution.success, solution.message
    table = solution.y[1:].reshape(len(TIMES), len(names), 1 + count)
    return table[:, :, 0], table[:, :, 1:]


@pytest.mark.parametrize(
    ("name", "wrt"),
    [
        ("kimmel2021", ("K_N", "rho_C", "a", "B_0")),
        ("singh2021", ("k_kill_max", "k_on", "dose", "gamma_m")),
        ("unified_lbcl_axi_cel", ("rE", "mu0", "A50_kill", "kH")),
    ],
)
def test_sensitivities_equal_the_variational_equations_in_cvode(name, wrt):
    model, parameters = prepare(name)
    found = solve(compile_model(model), parameters[None], TIMES, keep=model.state_names, wrt=wrt, rtol=1e-9)
    values, derivatives = solve_variational(model, parameters, wrt, rtol=1e-8)
    scale = np.array([parameters[model.parameter_names.index(q)] for q in wrt])
    size = np.abs(values) + np.array([q.floor for q in model.states])
    expected = derivatives * scale
    error = np.abs(found.gradient[0] * scale - expected) / np.maximum(size[:, :, None], np.abs(expected))
    assert error.max() <= 1e-5, dict(zip(wrt, error.max(axis=(0, 1)), strict=True))
