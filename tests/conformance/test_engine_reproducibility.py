"""A patient's trajectory has the same bits alone, among others, on any number of threads and in any chunking."""

import _thread
import importlib
import signal
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from livingdrug.core.model import Model, Quantity
from livingdrug.core.parameters import bind
from livingdrug.engine import compile as compiling
from livingdrug.engine.compile import compile_model
from livingdrug.engine.emit import Target
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.engine.summary import FirstBelow, Integral, Maximum, TimeOfMaximum
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.model import UNIFIED

TIMES = np.array([7.0, 28, 90, 365, 730])
KEEP = ("car_t_cells", "tumour_cells")
PATIENTS = 10_000

LOGISTIC = Model(
    "logistic",
    (Quantity("x", "1", "amount", 1e-9), Quantity("z", "1", "follows", 1e-9)),
    tuple(Quantity(name, "1", name) for name in ("r", "k", "x0", "z0", "speed")),
    lambda day, y, p: {"x": p.r * y.x * (1 - y.x / p.k), "z": p.speed * (y.x - y.z)},
    lambda p: {"x": p.x0, "z": p.z0},
    "illustrative",
)
BLOW_UP = Model(
    "blow_up",
    (Quantity("x", "1", "amount", 1e-6),),
    (Quantity("a", "1/day", "rate"),),
    lambda day, y, p: {"x": p.a * y.x * y.x},
    lambda p: {"x": 1.0},
    "illustrative",
)


@pytest.fixture(scope="module")
def cohort():
    typical = bind(UNIFIED, load_parameters("unified_lbcl_axi_cel"))
    noise = np.random.default_rng(3).standard_normal((PATIENTS, len(typical)))
    return typical * np.exp(0.2 * np.where(typical < 1.0, noise, 0.5 * noise).clip(-2, 1))


@pytest.fixture(scope="module")
def kernel():
    return compile_model(UNIFIED)


@pytest.fixture(scope="module")
def together(kernel, cohort):
    return solve(kernel, cohort, TIMES, keep=KEEP, rtol=1e-4, threads=2)


def is_same(a, b):
    """Bit for bit, with not-a-number equal to itself."""
    return np.array_equal(np.ascontiguousarray(a).view(np.uint64), np.ascontiguousarray(b).view(np.uint64))


@pytest.mark.parametrize("threads", [1, 8])
def test_the_number_of_threads_does_not_change_a_bit(kernel, cohort, together, threads):
    assert is_same(solve(kernel, cohort, TIMES, keep=KEEP, rtol=1e-4, threads=threads).values, together.values)


@pytest.mark.parametrize("patient", [0, 1, 7, 255, 256, 4999, PATIENTS - 1])
def test_a_patient_alone_has_the_bits_that_it_has_among_ten_thousand(kernel, cohort, together, patient):
    alone = solve(kernel, cohort[patient], TIMES, keep=KEEP, rtol=1e-4)
    assert is_same(alone.values[0], together.values[patient])


@pytest.mark.parametrize("size", [1, 13, 1000])
def test_the_size_of_a_chunk_does_not_change_a_bit(kernel, cohort, together, size, monkeypatch):
    monkeypatch.setattr(importlib.import_module("livingdrug.engine.solve"), "CHUNK", size)
    some = slice(100, 1100)
    assert is_same(solve(kernel, cohort[some], TIMES, keep=KEEP, rtol=1e-4).values, together.values[some])


def test_the_order_of_patients_does_not_change_a_bit(kernel, cohort, together):
    order = np.random.default_rng(0).permutation(1000)
    assert is_same(solve(kernel, cohort[order], TIMES, keep=KEEP, rtol=1e-4).values, together.values[order])


def test_gradients_and_scheduled_patients_keep_their_bits_too(kernel, cohort):
    changes = [[Change(40.5 + i % 5, "cart_effector", "add", 0.1)] if i % 3 else [] for i in range(60)]
    schedule = Schedule.from_changes(UNIFIED, changes)
    wrt = UNIFIED.parameter_names[:3]
    many = solve(kernel, cohort[:60], TIMES, keep=KEEP, wrt=wrt, rtol=1e-4, schedule=schedule, threads=8)
    for patient in (0, 1, 31, 59):
        own = Schedule.from_changes(UNIFIED, [changes[patient]])
        alone = solve(kernel, cohort[patient], TIMES, keep=KEEP, wrt=wrt, rtol=1e-4, schedule=own)
        assert is_same(alone.values[0], many.values[patient])
        assert is_same(alone.gradient[0], many.gradient[patient])


def test_a_patient_that_is_not_a_number_does_not_touch_its_neighbours(kernel, cohort, together):
    ill = cohort[:64].copy()
    ill[9] = np.nan
    ill[20, 0] = np.inf
    solution = solve(kernel, ill, TIMES, keep=KEEP, rtol=1e-4)
    assert Outcome(solution.outcome[9]) is Outcome.NOT_FINITE
    assert np.isnan(solution.values[9]).all()
    well = [i for i in range(64) if i not in (9, 20)]
    assert (solution.outcome[well] == Outcome.DONE).all()
    assert is_same(solution.values[well], together.values[well])


def test_no_odd_value_of_any_parameter_touches_a_neighbour(kernel, cohort, together):
    odd = (np.nan, np.inf, -np.inf, 5e-324, -1.0, 1e300, 0.0, 1e-310, -1e300)
    count = cohort.shape[1]
    ill = cohort[: 4 * count].copy()
    for parameter in range(count):
        ill[4 * parameter, parameter] = odd[parameter % len(odd)]
    solution = solve(kernel, ill, TIMES, keep=KEEP, rtol=1e-4)
    well = np.arange(4 * count) % 4 != 0
    assert (solution.outcome[well] == Outcome.DONE).all()
    assert is_same(solution.values[well], together.values[: 4 * count][well])
    done = solution.outcome == Outcome.DONE
    assert np.isfinite(solution.values[done]).all()
    assert np.isnan(solution.values[~done, -1]).all()


def test_computations_that_share_a_kernel_do_not_touch_each_other(kernel, cohort, together):
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda n: solve(kernel, cohort[:600], TIMES, keep=KEEP, rtol=1e-4, threads=n).values, (1, 2, 3, 1))
        )
    assert all(is_same(values, together.values[:600]) for values in found)


def test_the_width_of_the_vectors_does_not_change_a_bit(monkeypatch):
    found = []
    monkeypatch.setenv(compiling.CACHE_VARIABLE, "")
    for width in (8, 4, 2):
        monkeypatch.setattr(compiling, "_COMPILED", {})
        monkeypatch.setattr(compiling, "find_target", lambda width=width: Target(width, has_reciprocal=False))
        summaries = (Maximum("x"), TimeOfMaximum("z"), Integral("x", 1, 9), FirstBelow("z", 1.0))
        kernel = compile_model(LOGISTIC, summaries)
        assert kernel.width == width
        people = np.linspace([0.1, 5.0, 0.5, 9.0, 0.1], [0.9, 50.0, 60.0, 1.0, 300.0], 37)
        changes = [[Change(4.5 + i % 5, "x", "multiply", 0.1)] if i % 3 else [] for i in range(37)]
        schedule = Schedule.from_changes(LOGISTIC, changes)
        found.append(solve(kernel, people, [1.0, 5.0, 20.0], schedule=schedule, wrt=["r", "x0"]))
    for other in found[1:]:
        assert is_same(other.values, found[0].values)
        assert is_same(other.gradient, found[0].gradient)
        assert is_same(other.summaries, found[0].summaries)


@pytest.fixture
def heeded():
    """A process that a shell started in the background ignores interrupts, and the loop below would never end."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_long_computation_can_be_interrupted_and_the_kernel_used_again(threads):
    kernel = compile_model(LOGISTIC)
    people = np.tile([1e-3, 50.0, 0.5, 9.0, 1e-3], (20_000, 1))

    def go_on():
        while True:
            solve(kernel, people, [9e3], keep=["x"], rtol=1e-10, threads=threads)

    timer = threading.Timer(0.1, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        go_on()
    timer.join()
    assert solve(kernel, people[0], [0.1]).at("x")[0, 0] > 0.5


def test_a_solution_that_ends_in_finite_time_is_an_outcome_and_keeps_what_came_before():
    solution = solve(compile_model(BLOW_UP), [[1.0], [0.1]], [0.5, 2.0])
    assert Outcome(solution.outcome[0]) in (Outcome.STEP_TOO_SMALL, Outcome.NOT_FINITE)
    assert solution.values[0, 0, 0] == pytest.approx(2.0, rel=1e-5)
    assert np.isnan(solution.values[0, 1, 0])
    assert list(solution.failures) == [0]
    assert solution.values[1, 1, 0] == pytest.approx(1.25, rel=1e-5)


def test_too_few_steps_allowed_is_an_outcome(kernel, cohort):
    solution = solve(kernel, cohort[:3], TIMES, keep=KEEP, max_steps=5)
    assert [Outcome(code) for code in solution.outcome] == [Outcome.TOO_MANY_STEPS] * 3


def test_changes_equal_piecewise_restarts():
    kernel = compile_model(LOGISTIC)
    start = {"r": 0.3, "k": 50.0, "x0": 0.5, "z0": 2.0, "speed": 200.0}
    changes = [
        Change(10.0, "x", "multiply", 0.01), Change(10.0, "z", "add", 3.0), Change(17.25, "r", "set", 1.1),
        Change(25.0, "x", "set", 4.0), Change(25.0, "speed", "multiply", 0.5),
    ]  # fmt: skip
    schedule = Schedule.from_changes(LOGISTIC, [changes])
    times = [5.0, 10.0, 12.0, 17.25, 20.0, 25.0, 40.0]
    found = solve(kernel, list(start.values()), times, rtol=1e-9, schedule=schedule).values[0]
    expected, now, day = {}, dict(start), 0.0
    for stop in (10.0, 17.25, 25.0, 40.0):
        inside = [t for t in times if day < t < stop]
        piece = solve(kernel, list(now.values()), [t - day for t in (*inside, stop)], rtol=1e-9).values[0]
        expected.update(zip(inside, piece, strict=False))
        now["x0"], now["z0"] = piece[-1]
        for change in changes:
            if change.day == stop:
                name = {"x": "x0", "z": "z0"}.get(change.target, change.target)
                before = {"add": now[name] + change.value, "multiply": now[name] * change.value, "set": change.value}
                now[name] = before[change.action]
        expected[stop], day = np.array([now["x0"], now["z0"]]), stop
    np.testing.assert_allclose(found, [expected[t] for t in times], rtol=1e-7)


def test_a_changed_equation_or_floor_is_another_kernel():
    before = compile_model(LOGISTIC)
    changed = replace(LOGISTIC, rhs=lambda day, y, p: {"x": -p.r * y.x, "z": p.speed * (y.x - y.z)})
    finer = replace(LOGISTIC, states=tuple(replace(q, floor=1e-15) for q in LOGISTIC.states))
    p = [0.3, 50.0, 0.5, 0.5, 1.0]
    assert solve(compile_model(changed), p, [2.0], rtol=1e-9).at("x")[0, 0] == pytest.approx(0.5 * np.exp(-0.6))
    assert solve(before, p, [2.0]).at("x")[0, 0] > 0.5
    assert solve(compile_model(finer), p, [2.0]).at("x")[0, 0] == pytest.approx(solve(before, p, [2.0]).at("x")[0, 0])


def test_summaries_of_a_stream_need_memory_for_the_summaries_only(cohort):
    streaming = compile_model(UNIFIED, (Maximum("car_t_cells"), Integral("car_t_cells", 0, 28)))
    few = solve(streaming, cohort[:16], [730.0], keep=(), rtol=1e-3)
    assert np.isfinite(few.summaries).all()
    tracemalloc.start()
    solve(streaming, cohort, [730.0], keep=(), rtol=1e-3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20  # ten thousand trajectories of every state at 100 times would be 160 MiB
