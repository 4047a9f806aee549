import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_ndtr, logsumexp

from livingdrug.fit.likelihood import HALF_LOG_TWO_PI
from livingdrug.fit.population import PatientMoments, PopulationProblem, PopulationRows, PopulationValues
from livingdrug.fit.population_errors import PatientDraws, compute_errors
from livingdrug.fit.population_importance import fit_by_importance

PATIENTS, REPEATS, LIMIT = 100, 4, 0.3
NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(80)


def measure(limit):
    rng = np.random.default_rng(0)
    level = 1 + 0.7 * rng.standard_normal((PATIENTS, 1))
    value = level + 0.5 * rng.standard_normal((PATIENTS, REPEATS))
    return PopulationRows(np.maximum(value, limit), value < limit, np.zeros(value.shape, dtype=int))


def compute_log_likelihood(rows, mean, log_spread, log_noise):
    """Return the likelihood of all rows by quadrature over the level, to many digits."""
    level = mean + np.exp(log_spread) * NODES
    u = (rows.value[:, :, None] - level) / np.exp(log_noise)
    terms = np.where(rows.is_below[:, :, None], log_ndtr(u), -0.5 * u * u - log_noise - HALF_LOG_TWO_PI)
    return logsumexp(terms.sum(axis=1) + np.log(NODE_WEIGHTS / NODE_WEIGHTS.sum()), axis=1).sum()


def differentiate_twice(function, place, step=1e-3):
    moves = np.eye(len(place)) * step
    return np.array(
        [
            [sum(a * b * function(place + a * one + b * other) for a in (-1, 1) for b in (-1, 1)) for other in moves]
            for one in moves
        ]
    ) / (4 * step**2)


@pytest.mark.parametrize("limit", [-np.inf, LIMIT])
def test_errors_are_those_of_the_exact_likelihood(limit):
    rows = measure(limit)
    problem = PopulationProblem(rows, lambda z, _: np.repeat(z, REPEATS, axis=1))
    start = PopulationValues(np.array([0.9]), np.array([[0.5]]), np.array([0.5]))
    moments = PatientMoments(rows.value.mean(axis=1, keepdims=True), np.full((PATIENTS, 1, 1), 0.06))
    found = fit_by_importance(problem, start, moments, seed=1)

    def lack(place):
        return -compute_log_likelihood(rows, *place)

    best = minimize(lack, [0.9, -0.3, -0.7], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8}).x
    exact = np.sqrt(np.diag(np.linalg.inv(differentiate_twice(lack, best))))
    assert [*found.mean_error, *found.spread_error, *found.noise_error] == pytest.approx(exact, rel=0.02)


def test_two_parameters_have_the_errors_of_the_closed_form():
    days = np.array([0.0, 1.0, 2.0, 4.0])
    rng = np.random.default_rng(4)
    levels = np.array([1.0, 0.5]) + np.array([0.7, 0.3]) * rng.standard_normal((PATIENTS, 2))
    value = levels[:, :1] + levels[:, 1:] * days + 0.5 * rng.standard_normal((PATIENTS, len(days)))
    rows = PopulationRows(value, np.zeros(value.shape, dtype=bool), np.zeros(value.shape, dtype=int))
    design = np.column_stack([np.ones(4), days])

    def lack(place):
        mean, spread, noise = place[:2], np.exp(place[2:4]), np.exp(place[4])
        covariance = design @ np.diag(spread**2) @ design.T + noise**2 * np.eye(4)
        gap = value - design @ mean
        quadratic = np.einsum("pi,ij,pj->", gap, np.linalg.inv(covariance), gap)
        return 0.5 * (quadratic + PATIENTS * np.linalg.slogdet(covariance)[1])

    best = minimize(lack, [1.0, 0.5, -0.4, -1.2, -0.7], method="BFGS", options={"gtol": 1e-6}).x
    values = PopulationValues(best[:2], np.diag(np.exp(2 * best[2:4])), np.exp(best[4:]))
    inside = np.linalg.inv(np.linalg.inv(values.covariance) + design.T @ design / values.noise[0] ** 2)
    middle = (values.mean @ np.linalg.inv(values.covariance) + value @ design / values.noise[0] ** 2) @ inside
    z = middle[:, None] + rng.standard_normal((PATIENTS, 4096, 2)) @ np.linalg.cholesky(inside).T
    draws = PatientDraws(
        z, np.full(z.shape[:2], 1 / 4096), np.repeat(np.arange(PATIENTS), 4096), (z @ design.T).reshape(-1, 4)
    )
    exact = np.sqrt(np.diag(np.linalg.inv(differentiate_twice(lack, best))))
    assert np.concatenate(compute_errors(rows, values, draws)) == pytest.approx(exact, rel=0.03)


def test_few_draws_add_to_the_errors():
    rows, rng = measure(-np.inf), np.random.default_rng(1)
    values = PopulationValues(np.array([1.0]), np.array([[0.49]]), np.array([0.5]))
    exact = 1 / (1 / 0.49 + REPEATS / 0.25)
    middle = exact * (1 / 0.49 + rows.value.sum(axis=1) / 0.25)

    def estimate(count):
        z = (middle[:, None] + np.sqrt(exact) * rng.standard_normal((PATIENTS, count)))[:, :, None]
        patient = np.repeat(np.arange(PATIENTS), count)
        predicted = np.repeat(z.reshape(-1, 1), REPEATS, axis=1)
        return compute_errors(rows, values, PatientDraws(z, np.full((PATIENTS, count), 1 / count), patient, predicted))

    # what a mean of so many draws of each patient is off by
    added = np.sqrt(exact / 8 * PATIENTS) / 0.49 * (0.49 + 0.25 / REPEATS) / PATIENTS
    many, few = estimate(4096)[0][0], estimate(8)[0][0]
    assert many == pytest.approx(np.sqrt((0.49 + 0.25 / REPEATS) / PATIENTS), rel=0.02)
    assert few == pytest.approx(np.hypot(many, added), rel=0.05)


def test_values_that_nothing_informs_about_have_infinite_errors():
    rows = measure(-np.inf)
    values = PopulationValues(np.array([1.0]), np.array([[0.49]]), np.array([0.5]))
    z = np.random.default_rng(2).normal(1.0, 0.9, (PATIENTS, 64, 1))
    draws = PatientDraws(
        z, np.full((PATIENTS, 64), 1 / 64), np.repeat(np.arange(PATIENTS), 64), np.ones((PATIENTS * 64, REPEATS))
    )
    assert np.isinf(compute_errors(rows, values, draws)[0]).all()
