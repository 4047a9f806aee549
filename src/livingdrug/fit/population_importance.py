r"""Population values by expectation-maximisation with importance sampling, their likelihood and standard errors.

Each patient's conditional distribution is sampled from a Student-t distribution at its present mean and covariance
(a tenth of the draws from the population instead, so that weights stay bounded), and its courses are computed once: the
iterations weigh the same draws again by other values, so each raises the same likelihood, and they settle. Draws that
followed the weights of every iteration shrank with them, and the spreads after them. Means, covariances and noises
follow in closed form (Wei and Tanner 1990; Bauer and Guzy 2004).

Standard errors are those of :mod:`livingdrug.fit.population_errors`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp, ndtri
from scipy.stats import chi2, qmc

from livingdrug.fit.population import (
    SMALLEST_SPREAD,
    PatientMoments,
    PopulationProblem,
    PopulationRows,
    PopulationValues,
    check_start,
    compute_normal,
    compute_row_terms,
    compute_squares,
    count_by_kind,
    sum_by_kind,
)
from livingdrug.fit.population_errors import PatientDraws, compute_errors

FREEDOM = 5.0
"""Degrees of freedom of the draws: tails heavier than the patient's keep weights bounded."""
WIDER = 1.5
"""Factor on the standard deviations that draws are made with."""
SHARE = 0.1
"""Of the draws, those from the population."""
SETTLED = 5e-4
"""Iterations end when means (in spreads), and spreads and noises (as shares) change by less."""
LEAST = 0.5
"""A round ends early when fewer of its effective draws are left: its likelihood is that of chance from there on."""
ROUNDS = 2
"""How often draws are made: where the Markov chains left each patient, and where the first round did."""


@dataclass(frozen=True, slots=True)
class PopulationFit:
    """Estimates with their uncertainty.

    Parameters
    ----------
    values : PopulationValues
    mean_error : (free,)
        Standard errors of the means; infinite where the data do not inform about them.
    spread_error, noise_error : (free,), (kind,)
        Standard errors of the logarithms of spreads and noises.
    log_likelihood : float
        Of all data, by importance sampling.
    effective : (patient,)
        Effective number of draws behind each patient.
    moments : PatientMoments
    history : (iteration,)
        The log-likelihood.
    """

    values: PopulationValues
    mean_error: np.ndarray
    spread_error: np.ndarray
    noise_error: np.ndarray
    log_likelihood: float
    effective: np.ndarray
    moments: PatientMoments
    history: np.ndarray

    @property
    def shrinkage(self) -> np.ndarray:
        """How far the patients' means are drawn together, 0 to 1 (free,): one less spread of means over spread."""
        return np.asarray(1 - self.moments.means.std(axis=0) / self.values.spread)


@dataclass(frozen=True, slots=True)
class _Expectation:
    """What the draws of one expectation step show."""

    z: np.ndarray
    weights: np.ndarray
    squares: np.ndarray
    log_likelihood: np.ndarray

    @property
    def effective(self) -> np.ndarray:
        """Effective number of draws (patient,)."""
        return np.asarray(1 / (self.weights**2).sum(axis=1))

    @property
    def means(self) -> np.ndarray:
        return np.asarray(np.einsum("pd,pdf->pf", self.weights, self.z))

    @property
    def covariances(self) -> np.ndarray:
        gap = self.z - self.means[:, None, :]
        return np.asarray(np.einsum("pdf,pdg->pfg", self.weights[:, :, None] * gap, gap))


class _Sample:
    """Draws of every patient around its mean, and what they predict: made once, weighed again for other values.

    A share of the draws comes from the population, so that weights stay bounded.
    """

    def __init__(
        self, problem: PopulationProblem, values: PopulationValues, moments: PatientMoments, draws: int, seed: int
    ) -> None:
        self.rows, free = problem.rows, len(values.mean)
        patients, wide = len(self.rows.value), round(SHARE * draws)
        points = _spread_points(draws - wide, free + 1, seed)
        normal, stretch = ndtri(points[:, :free]), np.sqrt(FREEDOM / chi2.ppf(points[:, free], FREEDOM))
        far = ndtri(_spread_points(wide, free, seed + 1))
        root, own = np.linalg.cholesky(values.covariance), WIDER * _factor(moments.covariances, values.covariance)
        near = moments.means[:, None, :] + np.einsum("pfg,dg->pdf", own, normal * stretch[:, None])
        self.z = np.concatenate([near, np.broadcast_to(values.mean + far @ root.T, (patients, *far.shape))], axis=1)
        self.patient, self.shape = np.repeat(np.arange(patients), draws), (patients, draws)
        self.predicted = problem.predict(self.z.reshape(-1, free), self.patient)
        by_own = _compute_student(self.z, moments.means, own) + np.log(1 - wide / draws)
        prior = compute_normal(self.z.reshape(-1, free), values.mean, root).reshape(self.shape)
        self.by_draw = np.logaddexp(by_own, prior + np.log(wide / draws))

    def weigh(self, values: PopulationValues) -> _Expectation:
        """Weigh the draws by values, and return what they show."""
        free, root = len(values.mean), np.linalg.cholesky(values.covariance)
        rows = compute_row_terms(self.rows, self.patient, self.predicted, values.noise)
        prior = compute_normal(self.z.reshape(-1, free), values.mean, root)
        log_weights = (rows.sum(axis=1) + prior).reshape(self.shape) - self.by_draw
        total = logsumexp(log_weights, axis=1)
        weights = np.exp(log_weights - total[:, None])
        squares = compute_squares(self.rows, self.patient, self.predicted, values.noise).reshape(*self.shape, -1)
        shown = np.einsum("pd,pdr->pr", weights, squares)
        return _Expectation(self.z, weights, shown, total - np.log(self.shape[1]))


def _spread_points(count: int, size: int, seed: int) -> np.ndarray:
    """Return quasi-random points inside the unit cube (count, size)."""
    whole = 1 << (count - 1).bit_length()
    points = qmc.Sobol(size, rng=np.random.default_rng(seed)).random(whole)[:count]
    return np.asarray(np.clip(points, SMALLEST_SPREAD**4, 1 - SMALLEST_SPREAD**4))


def _factor(covariances: np.ndarray, between: np.ndarray) -> np.ndarray:
    """Return Cholesky factors, kept away from flat by a little of the spread between patients."""
    return np.asarray(np.linalg.cholesky(covariances + 1e-4 * np.diag(np.diag(between))))


def _compute_student(z: np.ndarray, means: np.ndarray, roots: np.ndarray) -> np.ndarray:
    """Return the log density of the proposals (patient, draw)."""
    free = z.shape[-1]
    whitened = np.linalg.solve(roots, np.swapaxes(z - means[:, None, :], 1, 2))
    body = np.log1p((whitened**2).sum(axis=1) / FREEDOM)
    constant = gammaln((FREEDOM + free) / 2) - gammaln(FREEDOM / 2) - free / 2 * np.log(FREEDOM * np.pi)
    volume = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(constant - volume[:, None] - (FREEDOM + free) / 2 * body)


def fit_by_importance(
    problem: PopulationProblem,
    start: PopulationValues,
    moments: PatientMoments,
    *,
    seed: int,
    draws: int = 512,
    iterations: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> PopulationFit:
    """Estimate population values.

    Parameters
    ----------
    start : PopulationValues
    moments : PatientMoments
        Roughly right, as :func:`fit_by_markov_chains` returns them.
    draws : int
        Of each patient.
    iterations : int
        Of each round, at most; fewer where the values settle.

    Raises
    ------
    InputError
        If ``start`` does not fit the rows.
    """
    check_start(problem.rows, start)
    values, history = start, []
    for round_ in range(ROUNDS):
        sample = _Sample(problem, values, moments, draws, seed)
        found = sample.weigh(values)
        least = LEAST * np.median(found.effective)
        for iteration in range(iterations):
            history.append(found.log_likelihood.sum())
            before, values = values, _maximise(problem.rows, found, with_correlations=problem.with_correlations)
            found = sample.weigh(values)
            if progress is not None:
                progress(round_ * iterations + iteration + 1, ROUNDS * iterations)
            if _compute_change(before, values) < SETTLED or np.median(found.effective) < least:
                break
        moments = PatientMoments(found.means, found.covariances)
    return _describe(sample, values, found, np.array(history))


def judge_by_importance(
    problem: PopulationProblem, values: PopulationValues, moments: PatientMoments, *, seed: int, draws: int = 512
) -> PopulationFit:
    """Return values as they are with their likelihood, standard errors and patients; arguments as above."""
    check_start(problem.rows, values)
    sample = _Sample(problem, values, moments, draws, seed)
    return _describe(sample, values, sample.weigh(values), np.zeros(0))


def _describe(sample: _Sample, values: PopulationValues, found: _Expectation, history: np.ndarray) -> PopulationFit:
    draws = PatientDraws(sample.z, found.weights, sample.patient, sample.predicted)
    return PopulationFit(
        values,
        *compute_errors(sample.rows, values, draws),
        float(found.log_likelihood.sum()),
        found.effective,
        PatientMoments(found.means, found.covariances),
        history,
    )


def _maximise(rows: PopulationRows, found: _Expectation, *, with_correlations: bool) -> PopulationValues:
    mean = found.means.mean(axis=0)
    gap = found.means - mean
    covariance = (found.covariances + gap[:, :, None] * gap[:, None, :]).mean(axis=0)
    if not with_correlations:
        covariance = np.diag(np.maximum(np.diag(covariance), SMALLEST_SPREAD**2))
    noise = np.sqrt(sum_by_kind(rows, found.squares) / np.maximum(count_by_kind(rows), 1))
    return PopulationValues(mean, covariance, np.maximum(noise, SMALLEST_SPREAD))


def _compute_change(before: PopulationValues, after: PopulationValues) -> float:
    """Return the largest change of any value: of means in spreads, of spreads and noises as a share."""
    mean = np.abs(after.mean - before.mean) / before.spread
    shares = np.concatenate([after.spread / before.spread, after.noise / before.noise])
    return float(max(mean.max(), np.abs(shares - 1).max()))
