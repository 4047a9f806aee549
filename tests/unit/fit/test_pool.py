import numpy as np
import pytest
from scipy.special import logsumexp
from tests.unit.fit.test_individual import make_problem, simulate

from livingdrug.fit.draws import Draws
from livingdrug.fit.individual import fit_individual
from livingdrug.fit.pool import FEWEST_RUNS, compute_effective_runs, join_runs, sample_until
from livingdrug.fit.problem import compute_log_posterior


def make_run(z, *, log_evidence=0.0, temperature=1.0, effective=None):
    count = len(z)
    return Draws(z, 3, temperature, 0.3, 0.1, float(effective or count), 5, np.arange(count), log_evidence)


def test_a_run_weighs_as_much_as_its_evidence():
    low, high = (make_run(np.full((50, 2), end), log_evidence=np.log(weight)) for end, weight in ((0.0, 1), (1.0, 3)))
    joint = join_runs([low, high], np.random.default_rng(0))
    assert joint.z.mean() == pytest.approx(0.75, abs=0.02)
    assert joint.log_evidence == pytest.approx(np.log(2))
    assert joint.runs == 2
    assert joint.evaluations == 10


def test_origins_of_different_runs_stay_different():
    one, two = make_run(np.zeros((20, 1))), make_run(np.ones((20, 1)))
    joint = join_runs([one, two], np.random.default_rng(0))
    assert set(joint.origin[joint.z[:, 0] == 0]).isdisjoint(joint.origin[joint.z[:, 0] == 1])
    assert len(set(joint.origin)) == 40


def test_runs_that_stick_are_worth_one_draw_each_whatever_they_say_of_themselves():
    rng = np.random.default_rng(1)
    stuck = [make_run(np.tile(rng.standard_normal(10), (64, 1)), effective=64) for _ in range(200)]
    assert compute_effective_runs(stuck) == pytest.approx(200, rel=0.15)


def test_runs_of_unequal_weight_are_worth_less():
    rng = np.random.default_rng(2)
    uneven = [make_run(rng.standard_normal((50, 10)), log_evidence=2 * rng.standard_normal()) for _ in range(100)]
    even = [make_run(run.z) for run in uneven]
    assert compute_effective_runs(uneven) < 0.5 * compute_effective_runs(even)


def test_a_biased_sampler_is_right_in_the_limit_of_many_runs():
    def sample(rng):
        # nine draws from twice too wide, weighed and resampled: a single run is biased towards the middle
        wide = 2 * rng.standard_normal(9) + 1
        log_weights = -0.5 * wide**2 + 0.5 * ((wide - 1) / 2) ** 2
        weights = np.exp(log_weights - logsumexp(log_weights))
        z = rng.choice(wide, 64, p=weights)[:, None]
        return make_run(z, log_evidence=float(logsumexp(log_weights)), effective=4)

    rng = np.random.default_rng(3)
    joint = sample_until(sample, effective=1e9, rng=rng, most=2000, workers=1)
    assert joint.z.mean() == pytest.approx(0.0, abs=0.06)
    assert joint.z.std() == pytest.approx(1.0, abs=0.06)


def test_it_stops_when_there_are_enough_and_tells_how_many():
    told = []
    joint = sample_until(
        lambda rng: make_run(rng.standard_normal((50, 4)), effective=25),
        effective=140,
        rng=np.random.default_rng(4),
        progress=lambda runs, worth: told.append((runs, worth)),
    )
    assert joint.runs == len(told) >= FEWEST_RUNS
    assert told[-1][1] >= 140 > told[-2][1]
    assert [runs for runs, _ in told] == list(range(1, joint.runs + 1))
    assert joint.effective == told[-1][1]


def test_runs_that_did_not_arrive_count_for_nothing():
    good, bad = make_run(np.zeros((20, 1)), effective=7), make_run(np.ones((20, 1)), temperature=0.3)
    joint = join_runs([bad, good, bad], np.random.default_rng(0))
    assert (joint.z == 0).all()
    assert (joint.runs, joint.effective) == (1, 7)
    nobody = join_runs([bad, bad], np.random.default_rng(0))
    assert nobody is bad
    assert compute_effective_runs([bad]) == 1.0


def test_a_fault_in_a_run_is_not_swallowed():
    def sample(rng):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        sample_until(sample, effective=10, rng=np.random.default_rng(0), workers=2)


def test_repeated_fits_have_the_same_bits_on_any_number_of_workers_and_more_effective_draws():
    problem = make_problem(simulate(np.array([0.2, 0.1, -0.4, 0.6, 0.0]), 5))
    options = {"draws": 64, "with_mode": False}
    once = fit_individual(problem, rng=np.random.default_rng(0), threads=1, **options)
    one, three = (
        fit_individual(problem, rng=np.random.default_rng(0), effective=100, threads=threads, **options)
        for threads in (1, 3)
    )
    assert np.array_equal(one.parameters, three.parameters)
    assert one.draws.runs == three.draws.runs >= FEWEST_RUNS
    assert one.draws.effective >= 100 > once.draws.effective
    assert one.draws.z.mean(axis=0) == pytest.approx(once.draws.z.mean(axis=0), abs=0.4)


def test_the_evidence_is_that_of_a_quadrature():
    # one free parameter: what two patients' data are worth, up to the constant that both share
    estimated, exact = [], []
    for truth, seed in ((0.0, 1), (1.5, 2)):
        problem = make_problem(simulate(np.array([truth, 0, 0, 0, 0]), seed), free=("rho",))
        found = fit_individual(problem, rng=np.random.default_rng(0), draws=512, with_mode=False)
        estimated.append(found.draws.log_evidence)
        grid = np.linspace(-6, 6, 4001)[:, None]
        exact.append(logsumexp(compute_log_posterior(problem, grid, with_gradient=False).value))
    assert estimated[0] - estimated[1] == pytest.approx(exact[0] - exact[1], abs=0.15)
    assert abs(exact[0] - exact[1]) > 1
