"""Population values by stochastic approximation: expectation-maximisation with Markov chains (SAEM).

Every patient has a few chains. In each iteration they make Metropolis steps under the present values: from the
population, then along each parameter by itself, then along differences between other chains. What they show goes into
running averages of the sufficient statistics, from which new values follow in closed form. The averages forget
everything until the burn-in ends and nothing after it (Delyon 1999, Kuhn and Lavielle 2005). During the burn-in no
spread may shrink faster than a twentieth an iteration, so that the chains see the whole landscape first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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

SLOWEST = 0.95
"""Share of a variance that is kept at least in an iteration of the burn-in."""
LONGEST = 1.2
"""Longest step along a difference between chains, in differences."""
WANTED = 0.35
"""Share of Metropolis steps that should be taken; their length follows it."""


@dataclass(frozen=True, slots=True)
class MarkovFit:
    """Estimates, and where each patient was found.

    Parameters
    ----------
    values : PopulationValues
    moments : PatientMoments
        First approximations.
    history : (iteration, free)
        The means, to see whether they settled.
    """

    values: PopulationValues
    moments: PatientMoments
    history: np.ndarray


class _Chains:
    """All chains of all patients, and how long their steps are."""

    def __init__(self, problem: PopulationProblem, chains: int, rng: np.random.Generator) -> None:
        self.rows, self.predict, self.rng = problem.rows, problem.predict, rng
        self.patient = np.repeat(np.arange(len(self.rows.value)), chains)
        self.count = chains

    def begin(self, values: PopulationValues) -> None:
        """Start every chain at the typical patient."""
        free = len(values.mean)
        self.z = np.tile(values.mean, (len(self.patient), 1))
        self.predicted = self.predict(self.z, self.patient)
        self.length = np.full(free, 0.5)
        self.jump = float(1.7 / np.sqrt(free))

    def walk(self, values: PopulationValues) -> None:
        """Make one round of steps under some values."""
        root = np.linalg.cholesky(values.covariance)
        self.fit = compute_row_terms(self.rows, self.patient, self.predicted, values.noise).sum(axis=1)
        self.prior = compute_normal(self.z, values.mean, root)
        fresh = values.mean + self.rng.standard_normal(self.z.shape) @ root.T
        self._step(fresh, values, root, is_from_population=True)
        for j, spread in enumerate(values.spread):
            trial = self.z.copy()
            trial[:, j] += self.length[j] * spread * self.rng.standard_normal(len(trial))
            taken = self._step(trial, values, root)
            self.length[j] *= np.exp(0.3 * (taken - WANTED))
        for half in range(2):
            taken = self._step(self.z + self.jump * self._differ(half), values, root)
            self.jump = min(self.jump * float(np.exp(0.3 * (2 * taken - 1 - WANTED))), LONGEST)

    def _differ(self, half: int) -> np.ndarray:
        """Return, for one half of each patient's chains, differences between two of the other half; 0 for the rest.

        What a step is made of must stay where it is while the step is judged, hence the halves.
        """
        grouped = self.z.reshape(-1, self.count, self.z.shape[1])
        patients, middle = len(grouped), self.count // 2
        moving = np.arange(middle) if half == 0 else np.arange(middle, self.count)
        resting = np.setdiff1d(np.arange(self.count), moving)
        first = self.rng.integers(len(resting), size=(patients, len(moving)))
        second = (first + self.rng.integers(1, len(resting), size=first.shape)) % len(resting)
        own = np.arange(patients)[:, None]
        steps = np.zeros_like(grouped)
        steps[:, moving] = grouped[own, resting[first]] - grouped[own, resting[second]]
        return np.asarray(steps.reshape(self.z.shape))

    def _step(
        self, trial: np.ndarray, values: PopulationValues, root: np.ndarray, *, is_from_population: bool = False
    ) -> float:
        predicted = self.predict(trial, self.patient)
        fit = compute_row_terms(self.rows, self.patient, predicted, values.noise).sum(axis=1)
        prior = compute_normal(trial, values.mean, root)
        change = fit - self.fit if is_from_population else fit + prior - self.fit - self.prior
        with np.errstate(invalid="ignore"):
            is_taken = np.log(self.rng.random(len(trial))) < np.where(np.isfinite(fit), change, -np.inf)
        is_taken |= ~np.isfinite(self.fit) & np.isfinite(fit)
        for own, new in ((self.z, trial), (self.predicted, predicted), (self.fit, fit), (self.prior, prior)):
            own[is_taken] = new[is_taken]
        return float(is_taken.mean())


def fit_by_markov_chains(
    problem: PopulationProblem,
    start: PopulationValues,
    *,
    rng: np.random.Generator,
    chains: int = 4,
    burn_in: int = 150,
    iterations: int = 150,
    progress: Callable[[int, int], None] | None = None,
) -> MarkovFit:
    """Estimate population values.

    Parameters
    ----------
    start : PopulationValues
        Where to begin; wide spreads are safe.
    chains : int
        Of each patient, 4 or more.
    burn_in, iterations : int
        Without and with averaging.

    Raises
    ------
    InputError
        If ``start`` does not fit the rows.
    """
    rows = problem.rows
    check_start(rows, start)
    walk = _Chains(problem, chains, rng)
    walk.begin(start)
    values, history = start, []
    sums: tuple[np.ndarray, ...] = ()
    for iteration in range(burn_in + iterations):
        walk.walk(values)
        now = _summarise(walk, values)
        weight = 1.0 if iteration < burn_in else 1.0 / (iteration - burn_in + 1)
        sums = tuple(a + weight * (b - a) for a, b in zip(sums, now, strict=True)) if sums else now
        fresh = _maximise(rows, sums, with_correlations=problem.with_correlations)
        values = _hold(values, fresh) if iteration < burn_in else fresh
        history.append(values.mean)
        if progress is not None:
            progress(iteration + 1, burn_in + iterations)
    means, seconds, _ = sums
    moments = PatientMoments(means, seconds - means[:, :, None] * means[:, None, :])
    return MarkovFit(values, moments, np.array(history))


def _summarise(walk: _Chains, values: PopulationValues) -> tuple[np.ndarray, ...]:
    """Return each patient's mean, mean of products, and squared noise, over its chains."""
    z = walk.z.reshape(-1, walk.count, walk.z.shape[1])
    squares = compute_squares(walk.rows, walk.patient, walk.predicted, values.noise)
    products = np.einsum("pcf,pcg->pfg", z, z) / walk.count
    return z.mean(axis=1), products, squares.reshape(len(z), walk.count, -1).mean(axis=1)


def _maximise(rows: PopulationRows, sums: tuple[np.ndarray, ...], *, with_correlations: bool) -> PopulationValues:
    means, products, squares = sums
    mean = means.mean(axis=0)
    covariance = products.mean(axis=0) - np.outer(mean, mean)
    variances = np.maximum(np.diag(covariance), SMALLEST_SPREAD**2)
    covariance = covariance + np.diag(variances - np.diag(covariance)) if with_correlations else np.diag(variances)
    noise = np.sqrt(sum_by_kind(rows, squares) / np.maximum(count_by_kind(rows), 1))
    return PopulationValues(mean, covariance, np.maximum(noise, SMALLEST_SPREAD))


def _hold(before: PopulationValues, after: PopulationValues) -> PopulationValues:
    """Let variances fall by a twentieth at most."""
    least = np.maximum(np.diag(after.covariance), SLOWEST * np.diag(before.covariance))
    covariance = after.covariance + np.diag(least - np.diag(after.covariance))
    return PopulationValues(after.mean, covariance, np.maximum(after.noise, np.sqrt(SLOWEST) * before.noise))
