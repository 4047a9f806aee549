"""Compiled kernels: cache, vector functions, summaries, schedules, failures."""

import numpy as np
import pytest

from livingdrug.core.arithmetic import exp, log, power, sqrt
from livingdrug.core.errors import InputError
from livingdrug.core.model import Model, Quantity
from livingdrug.engine import compile as compiling
from livingdrug.engine.compile import compile_model
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.engine.summary import FirstAbove, FirstBelow, Integral, Maximum, Minimum, TimeOfMaximum, TimeOfMinimum


def make_model(rhs, states="x", parameters="k", initial=None, observe=None, outputs=""):
    def quantities(names):
        return tuple(Quantity(name, "1", name) for name in names.split())

    return Model(
        name="test",
        states=quantities(states),
        parameters=quantities(parameters),
        rhs=rhs,
        initial=initial or (lambda p: {"x": 1.0}),
        source="illustrative",
        outputs=quantities(outputs),
        observe=observe,
    )


DECAY = make_model(lambda day, y, p: {"x": -p.k * y.x})
WAVE = make_model(
    lambda day, y, p: {"x": p.k * y.v, "v": -p.k * y.x},
    states="x v",
    initial=lambda p: {"x": 0.0, "v": 1.0},
    outputs="square",
    observe=lambda day, y, p: {"square": y.x**2},
)


def test_functions_of_states_are_accurate_to_rounding_in_every_lane():
    functions = {"e": exp, "l": log, "s": sqrt, "p": lambda x: power(x, 2.7), "q": lambda x: 1 / x}
    model = make_model(
        lambda day, y, p: {"x": 0 * y.x},
        initial=lambda p: {"x": p.k},
        outputs=" ".join(functions),
        observe=lambda day, y, p: {name: f(y.x) for name, f in functions.items()},
    )
    x = np.concatenate([np.geomspace(1e-12, 500, 1999), [0.5, 1.0, np.sqrt(0.5), np.sqrt(2.0), 2.0]])
    solution = solve(compile_model(model), x[:, None], [1.0])
    expected = {"e": np.exp(x), "l": np.log(x), "s": np.sqrt(x), "p": x**2.7, "q": 1 / x}
    for name, values in expected.items():
        tolerance = 1e-13 if name == "p" else 8e-16
        np.testing.assert_allclose(solution.at(name)[:, 0], values, rtol=tolerance, atol=2e-16 if name == "l" else 0)


def test_the_logarithm_of_what_is_not_positive_is_a_failure_not_a_number():
    model = make_model(lambda day, y, p: {"x": log(y.x - p.k)})
    solution = solve(compile_model(model), [[2.0], [0.5]], [0.1])
    assert solution.failures == {0: Outcome.NOT_FINITE}
    assert np.isnan(solution.values[0]).all()
    assert np.isfinite(solution.values[1]).all()


def test_a_warm_start_reads_the_cache_and_changed_equations_miss_it(tmp_path, monkeypatch):
    monkeypatch.setenv(compiling.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(compiling, "_COMPILED", {})
    cold = compile_model(DECAY)
    monkeypatch.setattr(compiling, "_COMPILED", {})
    warm = compile_model(DECAY)
    other = compile_model(make_model(lambda day, y, p: {"x": -2 * p.k * y.x}))
    assert (cold.from_cache, warm.from_cache, other.from_cache) == (False, True, False)
    results = [solve(k, [[0.5]], [1.0]).values for k in (cold, warm)]
    assert np.array_equal(*results)


def test_a_damaged_cache_file_is_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setenv(compiling.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(compiling, "_COMPILED", {})
    compile_model(DECAY)
    (stored,) = tmp_path.glob("*.kernel")
    stored.write_bytes(stored.read_bytes()[:-40])
    monkeypatch.setattr(compiling, "_COMPILED", {})
    assert not compile_model(DECAY).from_cache


def test_summaries_equal_the_exact_values_of_a_wave():
    summaries = (
        Maximum("x"),
        TimeOfMaximum("x"),
        Minimum("x"),
        TimeOfMinimum("x"),
        Integral("square"),
        Integral("x", 1.0, 2.0),
        FirstAbove("x", 0.5),
        FirstBelow("x", -0.5),
        Maximum("x", 4.0, 5.0),
        FirstAbove("x", 2.0),
    )
    end = 6.0
    solution = solve(compile_model(WAVE, summaries), [[1.0], [0.5]], [end], rtol=1e-9, keep=[])
    expected = [
        1.0,
        np.pi / 2,
        -1.0,
        3 * np.pi / 2,
        end / 2 - np.sin(2 * end) / 4,
        np.cos(1) - np.cos(2),
        np.pi / 6,
        np.pi + np.pi / 6,
        max(np.sin(4.0), np.sin(5.0)),
        np.inf,
    ]
    np.testing.assert_allclose(solution.summaries[0], expected, rtol=2e-6)
    assert solution.values.shape == (2, 1, 0)


def test_a_change_happens_on_its_day_and_is_seen_on_it():
    changes = [
        [Change(1.0, "x", "add", 2.0), Change(1.0, "x", "multiply", 10.0)],
        [Change(0.0, "x", "set", 5.0), Change(2.0, "k", "set", 0.0)],
        [],
        [Change(3.0, "x", "set", 7.0), Change(9.0, "x", "set", 0.0)],
    ]
    schedule = Schedule.from_changes(DECAY, changes)
    solution = solve(compile_model(DECAY), np.full((4, 1), 0.5), [0.0, 1.0, 2.0, 3.0], schedule=schedule, rtol=1e-10)
    e = np.exp
    expected = [
        [1.0, 10 * (e(-0.5) + 2), 10 * (e(-0.5) + 2) * e(-0.5), 10 * (e(-0.5) + 2) * e(-1)],
        [5.0, 5 * e(-0.5), 5 * e(-1), 5 * e(-1)],
        [1.0, e(-0.5), e(-1), e(-1.5)],
        [1.0, e(-0.5), e(-1), 7.0],
    ]
    np.testing.assert_allclose(solution.at("x"), expected, rtol=1e-8)


def test_gradients_pass_through_changes_exactly():
    changes = [Change(1.0, "x", "add", 2.0), Change(1.5, "x", "multiply", 3.0), Change(2.0, "k", "multiply", 2.0)]
    model = make_model(lambda day, y, p: {"x": -p.k * y.x}, parameters="k x0", initial=lambda p: {"x": p.x0**2})
    schedule = Schedule.from_changes(model, [changes])
    k, x0, t = 0.3, 1.5, 3.0
    solution = solve(compile_model(model), [[k, x0]], [t], schedule=schedule, wrt=["k", "x0"], rtol=1e-11)
    total = 3 * (x0**2 * np.exp(-k) + 2) * np.exp(-k) * np.exp(-2 * k)
    by_k = 3 * np.exp(-3 * k) * (-(x0**2) * np.exp(-k)) - 3 * total
    by_x0 = 3 * 2 * x0 * np.exp(-4 * k)
    np.testing.assert_allclose(solution.values[0, 0, 0], total, rtol=1e-9)
    np.testing.assert_allclose(solution.gradient[0, 0, 0], [by_k, by_x0], rtol=1e-8)


def test_an_equation_that_depends_on_the_day_is_integrated_and_differentiated():
    model = make_model(lambda day, y, p: {"x": p.k * day**2 - y.x * day})
    solution = solve(compile_model(model), [[1.0]], [1.0, 2.0], rtol=1e-10, wrt=["k"])
    reference = solve(compile_model(model), [[1.0], [2.0]], [1.0, 2.0], rtol=1e-12).at("x")
    np.testing.assert_allclose(solution.gradient[0, :, 0, 0], reference[1] - reference[0], rtol=1e-8)
    from scipy.integrate import solve_ivp

    other = solve_ivp(lambda t, x: t**2 - x * t, (0, 2), [1.0], rtol=1e-11, atol=1e-13, t_eval=[1.0, 2.0])
    np.testing.assert_allclose(solution.at("x")[0], other.y[0], rtol=1e-8)


def test_too_many_steps_is_an_outcome_of_that_patient_only():
    solution = solve(compile_model(WAVE), [[0.01], [100.0]], [0.0, 0.001, 50.0], max_steps=60, rtol=1e-8)
    assert solution.failures == {1: Outcome.TOO_MANY_STEPS}
    assert np.isfinite(solution.values[0]).all()
    assert np.isfinite(solution.values[1, :2]).all()
    assert np.isnan(solution.values[1, 2]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"times": [1.0, 1.0]}, "strictly increasing"),
        ({"times": []}, "strictly increasing"),
        ({"times": [0.0]}, "end after day 0"),
        ({"times": [-1.0, 2.0]}, "strictly increasing"),
        ({"times": [np.nan]}, "strictly increasing"),
        ({"parameters": [[1.0, 2.0]]}, "must have shape"),
        ({"parameters": []}, "must have shape"),
        ({"keep": ["y"]}, "known quantities"),
        ({"wrt": ["q"]}, "known quantities"),
        ({"rtol": 0.0}, "between 1e-14 and 0.1"),
        ({"schedule": Schedule.none(3)}, "one entry a patient"),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments, words):
    given = {"parameters": [[1.0]], "times": [1.0]} | arguments
    with pytest.raises(InputError, match=words):
        solve(compile_model(DECAY), given.pop("parameters"), given.pop("times"), **given)


def test_every_fault_of_a_schedule_is_reported_at_once():
    changes = [[Change(-1.0, "x", "add", 1.0), Change(1.0, "y", "add", 1.0)], [Change(1.0, "x", "drop", 1.0)]]
    with pytest.raises(InputError, match="3 faults"):
        Schedule.from_changes(DECAY, changes)


def test_a_model_that_leaves_out_a_state_is_refused_by_name():
    model = make_model(lambda day, y, p: {"z": y.x})
    with pytest.raises(InputError, match="2 faults"):
        compile_model(model)


def test_a_summary_of_an_unknown_quantity_is_refused():
    with pytest.raises(InputError, match="state or output"):
        compile_model(DECAY, (Maximum("tumour"),))
