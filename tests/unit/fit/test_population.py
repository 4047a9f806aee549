"""Population estimates by two algorithms, against a closed form and against each other."""

import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.fit.population import PopulationProblem, PopulationRows, PopulationValues
from livingdrug.fit.population_importance import fit_by_importance, judge_by_importance
from livingdrug.fit.population_markov import fit_by_markov_chains

PATIENTS, REPEATS = 120, 4
START = PopulationValues(np.array([0.0]), np.eye(1) * 4, np.array([2.0]))


def repeat(z, patient):
    return np.repeat(z, REPEATS, axis=1)


@pytest.fixture(scope="module")
def rows():
    """Repeated measurements of one quantity: a random intercept, whose best estimate is known."""
    rng = np.random.default_rng(5)
    value = 1.5 + 0.8 * rng.standard_normal((PATIENTS, 1)) + 0.4 * rng.standard_normal((PATIENTS, REPEATS))
    return PopulationRows(value, np.zeros(value.shape, dtype=bool), np.zeros(value.shape, dtype=int))


@pytest.fixture(scope="module")
def markov(rows):
    return fit_by_markov_chains(PopulationProblem(rows, repeat), START, rng=np.random.default_rng(1))


def solve_exactly(value):
    inside = value.var(axis=1).sum() / (PATIENTS * (REPEATS - 1)) * REPEATS
    between = value.mean(axis=1).var() - inside / REPEATS
    return value.mean(), np.sqrt(between), np.sqrt(inside)


def test_importance_sampling_finds_the_most_probable_random_intercept(rows, markov):
    found = fit_by_importance(PopulationProblem(rows, repeat), markov.values, markov.moments, seed=1)
    mean, spread, noise = solve_exactly(rows.value)
    assert found.values.mean[0] == pytest.approx(mean, abs=2e-3)
    assert found.values.spread[0] == pytest.approx(spread, rel=5e-3)
    assert found.values.noise[0] == pytest.approx(noise, rel=5e-3)
    assert found.mean_error[0] == pytest.approx(np.sqrt((spread**2 + noise**2 / REPEATS) / PATIENTS), rel=0.02)
    assert found.spread_error[0] == pytest.approx(0.07, rel=0.3)


def test_values_are_judged_as_they_are(rows, markov):
    problem = PopulationProblem(rows, repeat)
    judged = judge_by_importance(problem, markov.values, markov.moments, seed=1)
    found = fit_by_importance(problem, markov.values, markov.moments, seed=1)
    assert judged.values is markov.values
    assert judged.mean_error == pytest.approx(found.mean_error, rel=0.05)
    assert judged.log_likelihood == pytest.approx(found.log_likelihood, abs=0.5)
    assert judged.effective.mean() > 100


def test_the_likelihood_is_that_of_the_closed_form(rows, markov):
    found = fit_by_importance(PopulationProblem(rows, repeat), markov.values, markov.moments, seed=1, iterations=20)
    covariance = found.values.covariance[0, 0] + np.diag(np.full(REPEATS, found.values.noise[0] ** 2))
    gap = rows.value - found.values.mean
    quadratic = np.einsum("pi,ij,pj->p", gap, np.linalg.inv(covariance), gap)
    exact = -0.5 * (quadratic + np.linalg.slogdet(covariance)[1] + REPEATS * np.log(2 * np.pi)).sum()
    assert found.log_likelihood == pytest.approx(exact, abs=0.01 * PATIENTS)


def test_markov_chains_find_the_same(rows, markov):
    mean, spread, noise = solve_exactly(rows.value)
    assert markov.values.mean[0] == pytest.approx(mean, abs=0.03)
    assert markov.values.spread[0] == pytest.approx(spread, rel=0.03)
    assert markov.values.noise[0] == pytest.approx(noise, rel=0.03)


def test_values_below_a_limit_keep_the_estimates_where_they_were(rows, markov):
    limit = 1.2
    is_below = rows.value < limit
    cut = PopulationRows(np.where(is_below, limit, rows.value), is_below, rows.kind)
    problem = PopulationProblem(cut, repeat)
    found = fit_by_importance(problem, markov.values, markov.moments, seed=1, iterations=50)
    mean, spread, noise = solve_exactly(rows.value)
    assert is_below.mean() > 0.3
    assert found.values.mean[0] == pytest.approx(mean, abs=0.12)
    assert found.values.spread[0] == pytest.approx(spread, rel=0.15)
    assert found.values.noise[0] == pytest.approx(noise, rel=0.1)


def test_a_seed_gives_the_same_bits(rows, markov):
    again = fit_by_markov_chains(PopulationProblem(rows, repeat), START, rng=np.random.default_rng(1))
    assert again.values.mean.tobytes() == markov.values.mean.tobytes()


def test_first_values_that_do_not_fit_are_refused(rows):
    start = PopulationValues(np.zeros(1), np.eye(2), np.array([1.0]))
    with pytest.raises(InputError, match="covariance of 1 x 1"):
        fit_by_markov_chains(PopulationProblem(rows, repeat), start, rng=np.random.default_rng(1))
