"""Every shipped model, for every packaged value set, against SUNDIALS CVODE at a relative tolerance of 1e-10."""

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
TIMES = np.array([1.0, 3, 7, 10, 14, 21, 28, 60, 90, 180, 365])
RTOL = 1e-6


def prepare(name):
    values = load_parameters(name)
    model = MODELS[values.model]
    return model, bind(model, values)


def solve_with_cvode(model, parameters, rtol=1e-10):
    """States, (time, state), by BDF with a difference-quotient Jacobian: nothing in common with the engine."""
    names = model.state_names
    p = SimpleNamespace(**dict(zip(model.parameter_names, parameters.tolist(), strict=True)))
    start = model.initial(p)
    y0 = np.array([float(start.get(name, 0.0)) for name in names])

    def rates(day, y, out):
        found = model.rhs(day, SimpleNamespace(**dict(zip(names, y.tolist(), strict=True))), p)
        out[:] = [found[name] for name in names]

    floors = np.array([max(q.floor, 1e-20) for q in model.states])
    solver = CVODE(rates, rtol=rtol, atol=floors * 1e-9, max_num_steps=200_000)
    solution = solver.solve(np.concatenate([[0.0], TIMES]), y0)
    assert solution.success, solution.message
    return solution.y[1:]


@pytest.fixture(scope="module")
def references():
    """CVODE's answer for every set, computed once."""
    return {name: solve_with_cvode(*prepare(name)) for name in SETS}


def test_every_shipped_model_has_a_value_set():
    assert {load_parameters(name).model for name in SETS} == set(MODELS)


@pytest.mark.parametrize("name", SETS)
def test_every_state_agrees_with_cvode_within_ten_times_the_tolerance(name, references):
    model, parameters = prepare(name)
    solution = solve(compile_model(model), parameters[None], TIMES, keep=model.state_names, rtol=RTOL)
    floors = np.array([q.floor for q in model.states])
    error = np.abs(solution.values[0] - references[name]) / np.maximum(np.abs(references[name]), floors + 1e-300)
    worst = dict(zip(model.state_names, error.max(axis=0).tolist(), strict=True))
    assert error.max() <= 10 * RTOL, worst


@pytest.mark.parametrize("name", SETS)
def test_outputs_are_what_observe_says_of_the_states(name):
    model, parameters = prepare(name)
    solution = solve(compile_model(model), parameters[None], TIMES, rtol=1e-4)
    p = SimpleNamespace(**dict(zip(model.parameter_names, parameters.tolist(), strict=True)))
    for i, day in enumerate(TIMES):
        y = SimpleNamespace(**{n: float(solution.at(n)[0, i]) for n in model.state_names})
        seen = model.observe(float(day), y, p) if model.observe else {}
        for output in model.output_names:
            assert solution.at(output)[0, i] == pytest.approx(float(seen[output]), rel=1e-9, abs=1e-12)


def test_gradients_do_not_change_the_trajectory_beyond_the_tolerance():
    model, parameters = prepare("unified_lbcl_axi_cel")
    kernel = compile_model(model)
    alone = solve(kernel, parameters[None], TIMES, rtol=1e-8)
    beside = solve(kernel, parameters[None], TIMES, wrt=model.parameter_names[:3], rtol=1e-8)
    size = np.abs(alone.values) + np.array([*(q.floor for q in model.states), *(1e-6 for _ in model.outputs)])
    assert np.max(np.abs(alone.values - beside.values) / size) <= 1e-5
