"""Schedules: odd days, odd arrays, and other models than they were made for."""

import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model, Quantity
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve

CHAIN = Model(
    "chain",
    tuple(Quantity(name, "1", name) for name in ("a", "x", "b")),
    (Quantity("k", "1/day", "loss"),),
    lambda day, y, p: {"a": -p.k * y.a, "x": -p.k * y.x, "b": 1 / y.a},
    lambda p: {"a": 1.0, "x": 1.0},
    "illustrative",
)
DECAY = Model(
    "decay",
    (Quantity("x", "1", "amount"),),
    (Quantity("k", "1/day", "loss"),),
    lambda day, y, p: {"x": -p.k * y.x},
    lambda p: {"x": 1.0},
    "illustrative",
)
K = 0.5


@pytest.mark.parametrize(
    "change",
    [
        Change(-1.0, "x", "add", 1.0),
        Change(np.nan, "x", "add", 1.0),
        Change(np.inf, "x", "add", 1.0),
        Change("soon", "x", "add", 1.0),
        Change(1.0, "x", "set", np.nan),
        Change(1.0, "x", "set", "much"),
        Change(1.0, "x", "set", None),
        Change(1.0, "y", "set", 1.0),
        Change(1.0, "x", "drop", 1.0),
    ],
)
def test_an_unusable_change_is_a_sentence_with_its_own_number(change):
    with pytest.raises(InputError, match="patient 1, change 2"):
        Schedule.from_changes(DECAY, [[], [Change(9.0, "x", "add", 1.0), Change(8.0, "x", "add", 1.0), change]])


def test_changes_that_are_not_listed_by_patient_are_a_sentence():
    with pytest.raises(InputError, match="list of changes a patient"):
        Schedule.from_changes(DECAY, [Change(1.0, "x", "add", 1.0)])


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (([0, 2], [1.5, 0.5], [0, 0], [0, 0], [1, 1]), "sorted within a patient"),
        (([0, 1], [-1.0], [0], [0], [1]), "0 or later"),
        (([0, 1], [np.nan], [0], [0], [1]), "0 or later"),
        (([0, 10], [0.5], [0], [0], [1]), "rise from 0"),
        (([1, 1], [0.5], [0], [0], [1]), "rise from 0"),
        (([0, 2, 1], [0.5], [0], [0], [1]), "rise from 0"),
        (([], [0.5], [0], [0], [1]), "rise from 0"),
        (([0, 1], [0.5], [9], [0], [1]), "known codes"),
        (([0, 1], [0.5], [0], [-1], [1]), "known codes"),
        (([0, 1], [0.5], [0, 0], [0], [1]), "equally long"),
        (([0, 1], ["soon"], [0], [0], [1]), "must be numbers"),
    ],
)
def test_arrays_that_do_not_fit_together_are_a_sentence_and_no_crash(arrays, words):
    with pytest.raises(InputError, match=words):
        Schedule(*arrays)


@pytest.mark.parametrize("action", [0, 3])
def test_a_target_that_the_model_does_not_have_is_a_sentence_and_no_crash(action):
    wild = Schedule([0, 1], [0.5], [action], [2_000_000_000], [1.0])
    with pytest.raises(InputError, match="too large"):
        solve(compile_model(DECAY), [[K]], [1.0], schedule=wild)


def test_arrays_of_any_kind_and_layout_mean_the_same():
    spread = Schedule(
        np.array([0, 2], dtype=np.int32),
        np.array([0.5, 9.0, 1.5, 9.0], dtype=np.float32)[::2],
        np.array([0, 1], dtype=np.int64),
        [0, 0],
        np.array([1.0, 7.0, 2.0, 7.0])[::2],
    )
    named = Schedule.from_changes(DECAY, [[Change(1.5, "x", "multiply", 2.0), Change(0.5, "x", "add", 1.0)]])
    kernel = compile_model(DECAY)
    one, other = (solve(kernel, [[K]], [1.0, 2.0], schedule=s).values for s in (spread, named))
    assert np.array_equal(one, other)


def test_a_schedule_of_the_whole_model_fits_a_kernel_that_leaves_states_out():
    changes = [Change(1.0, "x", "add", 1.0), Change(1.0, "a", "add", 5.0), Change(1.5, "k", "set", 0.0)]
    schedule = Schedule.from_changes(CHAIN, [changes, [], changes[:1]])
    parameters = np.full((3, 1), K)
    whole = solve(compile_model(CHAIN), parameters, [2.0], keep=["x"], schedule=schedule, rtol=1e-9).values
    part = solve(compile_model(CHAIN, keep=["x"]), parameters, [2.0], schedule=schedule, rtol=1e-9).values
    e = np.exp
    expected = [(e(-K) + 1) * e(-K / 2), e(-2 * K), (e(-K) + 1) * e(-K)]
    np.testing.assert_allclose(whole.ravel(), expected, rtol=1e-7)
    np.testing.assert_allclose(part.ravel(), expected, rtol=1e-7)


def test_a_schedule_of_another_model_is_a_sentence():
    schedule = Schedule.from_changes(DECAY, [[Change(1.0, "x", "add", 1.0)]])
    with pytest.raises(InputError, match="made for another model"):
        solve(compile_model(CHAIN), [[K]], [2.0], schedule=schedule)


def test_odd_days_are_exact_stops():
    beside = float(np.nextafter(1.0, 2.0))
    changes = [
        [Change(0.0, "x", "add", 1.0), Change(0.0, "x", "multiply", 3.0)],
        [Change(1.0, "x", "set", 2.0), Change(beside, "x", "multiply", 3.0)],
        [Change(2.0, "x", "set", 2.0), Change(2.0, "x", "add", 3.0)],
        [Change(2.0000001, "x", "set", 2.0), Change(1e9, "x", "set", 2.0)],
        [Change(1.0, "x", "set", -4.0)],
    ]
    schedule = Schedule.from_changes(DECAY, changes)
    found = solve(compile_model(DECAY), np.full((5, 1), K), [0.0, 1.0, 2.0], schedule=schedule, rtol=1e-10).at("x")
    e = np.exp
    expected = [
        [6.0, 6 * e(-K), 6 * e(-2 * K)],
        [1.0, 2.0, 6 * e(-K)],
        [1.0, e(-K), 5.0],
        [1.0, e(-K), e(-2 * K)],
        [1.0, -4.0, -4 * e(-K)],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_thousands_of_changes_in_one_patient_leave_the_others_alone():
    count = 5000
    many = [Change(2 * i / count, "x", "add", 1e-3) for i in range(count)]
    schedule = Schedule.from_changes(DECAY, [[], many, []])
    kernel = compile_model(DECAY)
    found = solve(kernel, np.full((3, 1), K), [1.0, 2.0], schedule=schedule)
    alone = solve(kernel, [[K]], [1.0, 2.0])
    assert np.array_equal(found.values[0], alone.values[0])
    assert np.array_equal(found.values[2], alone.values[0])
    expected = np.exp(-2 * K) + 1e-3 * np.sum(np.exp(-K * (2 - 2 * np.arange(count) / count)))
    assert found.values[1, 1, 0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("action", ["add", "multiply", "set"])
def test_a_derivative_with_respect_to_a_parameter_that_a_schedule_changes(action):
    schedule = Schedule.from_changes(DECAY, [[Change(1.0, "k", action, 0.3)]] * 3)
    step = 1e-5
    kernel = compile_model(DECAY)
    found = solve(kernel, [[K], [K + step], [K - step]], [0.5, 3.0], schedule=schedule, wrt=["k"], rtol=1e-12)
    difference = (found.values[1] - found.values[2]) / (2 * step)
    np.testing.assert_allclose(found.gradient[0, :, :, 0], difference, rtol=1e-8)


def test_a_change_on_a_day_too_early_to_step_to_is_a_sentence():
    with pytest.raises(InputError, match="day must be 0 or 1e-100 or later"):
        Schedule.from_changes(CHAIN, [[Change(5e-324, "x", "add", 1.0)]])


@pytest.mark.parametrize("own", [[[]], [[Change(1.0, "x", "add", 2.0), Change(0.5, "k", "set", 3.0)], []]])
def test_a_repeated_schedule_is_that_of_the_repeated_patients(own):
    one, many = Schedule.from_changes(DECAY, own).repeat(3), Schedule.from_changes(DECAY, own * 3)
    for name in ("offsets", "day", "action", "target", "value", "names"):
        assert np.array_equal(getattr(one, name), getattr(many, name))
