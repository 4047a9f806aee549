"""What a computation is asked is checked at the door, in a sentence: machine code trusts its arguments."""

import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model, Quantity
from livingdrug.engine.compile import compile_model
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.engine.summary import FirstAbove, Integral, Maximum, Minimum, TimeOfMaximum, TimeOfMinimum


def make_model(rhs, states="x", parameters="k", start=None, floor=0.0, **more):
    return Model(
        "test",
        tuple(Quantity(name, "1", name, floor) for name in states.split()),
        tuple(Quantity(name, "1", name) for name in parameters.split()),
        rhs,
        start or (lambda p: {"x": 1.0}),
        "illustrative",
        **more,
    )


DECAY = make_model(lambda day, y, p: {"x": -p.k * y.x})


@pytest.fixture(scope="module")
def kernel():
    return compile_model(DECAY)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"times": [1e305]}, "between 1e-100 and 1e"),
        ({"times": [5e-324]}, "between 1e-100 and 1e"),
        ({"times": "soon"}, "must be days"),
        ({"times": None}, "must be days"),
        ({"times": [[1.0]]}, "strictly increasing"),
        ({"times": [np.inf]}, "strictly increasing"),
        ({"parameters": None}, "must be numbers"),
        ({"parameters": [["a"]]}, "must be numbers"),
        ({"parameters": [[1j]]}, "must be numbers"),
        ({"parameters": np.zeros((2, 1, 1))}, "must be numbers of shape"),
        ({"parameters": np.zeros((0, 1))}, "at least one patient"),
        ({"keep": "x"}, "must be a list of names"),
        ({"keep": [1]}, "known quantities"),
        ({"wrt": "k"}, "must be a list of names"),
        ({"wrt": ["x"]}, "known quantities"),
        ({"rtol": np.nan}, "between 1e-14 and 0.1"),
        ({"rtol": "fine"}, "between 1e-14 and 0.1"),
        ({"threads": 0}, "whole number from 1 on"),
        ({"threads": -2}, "whole number from 1 on"),
        ({"threads": 1.5}, "whole number from 1 on"),
        ({"max_steps": 0}, "whole number from 1 on"),
        ({"max_steps": None}, "whole number from 1 on"),
        ({"max_steps": 2**70}, "whole number from 1 on"),
        ({"longest_step": 0.0}, "above 0 days"),
        ({"longest_step": np.nan}, "above 0 days"),
        ({"schedule": [[Change(1.0, "x", "add", 1.0)]]}, "must be a Schedule"),
    ],
)
def test_an_unusable_argument_is_a_sentence(kernel, arguments, words):
    given = {"parameters": [[1.0]], "times": [1.0]} | arguments
    with pytest.raises(InputError, match=words):
        solve(kernel, given.pop("parameters"), given.pop("times"), **given)


@pytest.mark.parametrize(
    "arguments",
    [
        {"rtol": np.float32(1e-6)},
        {"max_steps": 1e5},
        {"threads": 10**9},
        {"threads": np.int64(3)},
        {"keep": iter(["x"])},
        {"parameters": np.array([[0.5]], dtype=">f8")},
        {"parameters": np.array([[0.5]], dtype="f4")},
        {"parameters": np.asfortranarray(np.full((3, 1), 0.5))},
        {"parameters": np.full((4, 3), 0.5)[::2, 1:2]},
        {"times": np.arange(3)},
        {"times": np.linspace(0, 2, 5)[::2]},
    ],
)
def test_numbers_of_any_kind_and_layout_are_taken(kernel, arguments):
    given = {"parameters": [[0.5]], "times": [0.0, 1.0, 2.0], "rtol": 1e-6} | arguments
    found = solve(kernel, given.pop("parameters"), given.pop("times"), **given)
    assert not found.failures
    np.testing.assert_allclose(found.values[:, :, 0], np.exp([[0.0, -0.5, -1.0]] * len(found.values)), rtol=1e-6)


def test_a_quantity_may_be_kept_twice_and_a_parameter_asked_for_twice(kernel):
    found = solve(kernel, [[0.5]], [1.0], keep=["x", "x"], wrt=iter(["k", "k"]))
    assert found.values.shape == (1, 1, 2)
    assert found.gradient.shape == (1, 1, 2, 2)
    assert len(np.unique(found.gradient)) == 1


def test_the_solution_keeps_its_own_days(kernel):
    days = np.array([1.0, 2.0])
    found = solve(kernel, [[0.5]], days)
    days[:] = 0
    assert found.times.tolist() == [1.0, 2.0]


def test_a_day_beside_day_zero_is_reported(kernel):
    found = solve(kernel, [[0.5]], [0.0, 1e-310, 1e-12, 2e-12]).at("x")[0]
    np.testing.assert_allclose(found, np.exp([0.0, 0.0, -0.5e-12, -1e-12]), rtol=1e-15)


def test_a_short_pulse_is_seen_with_a_longest_step_and_only_then():
    pulse = make_model(lambda day, y, p: {"x": (-(((day - 60) * p.k) ** 2)).exp()}, start=lambda p: {}, floor=1e-6)
    kernel = compile_model(pulse)
    area = np.sqrt(np.pi) / 2
    assert solve(kernel, [[2.0]], [100.0]).values.item() < 1e-6
    assert solve(kernel, [[2.0]], [100.0], longest_step=1.0).values.item() == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize(
    ("summary", "words"),
    [
        (Maximum("x", 1, 1), "a window must end after its start"),
        (Integral("x", 2, 1), "a window must end after its start"),
        (Minimum("x", -2, -1), "after day 0"),
        (TimeOfMaximum("x", np.nan, 1), "a window must end after its start"),
        (FirstAbove("x", np.nan), "a threshold of 'x' must be a number"),
        (FirstAbove("y", 1.0), "state or output"),
        ("x", "one of Maximum"),
    ],
)
def test_an_impossible_summary_is_a_sentence(summary, words):
    with pytest.raises(InputError, match=words):
        compile_model(DECAY, (summary,))


def test_one_summary_without_brackets_is_a_sentence():
    with pytest.raises(InputError, match="must be a list"):
        compile_model(DECAY, Maximum("x"))


def test_a_window_beyond_the_last_day_is_not_a_number_and_one_cut_by_it_counts():
    late = [kind("x", 5, 9) for kind in (Maximum, TimeOfMaximum, Minimum, TimeOfMinimum, Integral)]
    kernel = compile_model(DECAY, (*late, Maximum("x", 2.0), FirstAbove("x", 0.1, 5, 9), Integral("x", 1, 9)))
    found = solve(kernel, [[0.5]], [2.0], keep=[], rtol=1e-8).summaries[0]
    assert np.isnan(found[:6]).all()
    assert found[6] == np.inf
    assert found[7] == pytest.approx(2 * (np.exp(-0.5) - np.exp(-1.0)), rel=1e-6)


def test_a_summary_of_what_is_never_a_number_is_not_a_number():
    unseen = make_model(
        lambda day, y, p: {"x": -p.k * y.x},
        outputs=(Quantity("late", "1", "logarithm of a negative number"),),
        observe=lambda day, y, p: {"late": (y.x - 2).log()},
    )
    kernel = compile_model(unseen, (Maximum("late"), Minimum("late"), TimeOfMaximum("late"), Integral("late")))
    assert np.isnan(solve(kernel, [[0.5]], [2.0]).summaries).all()


def test_a_change_on_a_very_early_last_day_adds_nothing_to_an_area():
    kernel = compile_model(DECAY, (Integral("x"),))
    schedule = Schedule.from_changes(DECAY, [[Change(1e-12, "x", "add", 1.0)]])
    found = solve(kernel, [[0.5]], [1e-12], schedule=schedule)
    assert found.summaries.item() == pytest.approx(1e-12, rel=1e-6)
    assert found.values.item() == pytest.approx(2.0)


@pytest.mark.parametrize("floor", [-1.0, np.nan, np.inf])
def test_an_unusable_floor_is_a_sentence(floor):
    with pytest.raises(InputError, match="floor of x"):
        compile_model(make_model(lambda day, y, p: {"x": -y.x}, floor=floor))


def test_an_infinite_start_is_not_finite_even_if_nothing_moves_it():
    model = make_model(lambda day, y, p: {"x": 0 * y.x}, start=lambda p: {"x": 1 / p.k})
    found = solve(compile_model(model), [[0.0], [0.5], [np.nan]], [1.0])
    assert found.failures == {0: Outcome.NOT_FINITE, 2: Outcome.NOT_FINITE}
    assert found.values[1].item() == 2.0


def test_models_without_parameters_or_with_a_row_of_zero_are_integrated():
    bare = make_model(lambda day, y, p: {"x": -y.x * y.z, "z": 0.0}, "x z", "", lambda p: {"x": 1.0, "z": 2.0})
    kernel = compile_model(bare)
    for parameters in ([], np.zeros((3, 0))):
        found = solve(kernel, parameters, [1.0], rtol=1e-9)
        np.testing.assert_allclose(found.at("x"), np.exp(-2.0), rtol=1e-8)
        assert (found.at("z") == 2.0).all()
    nothing = compile_model(bare, keep=[])
    assert solve(nothing, [], [1.0]).values.shape == (1, 1, 0)
