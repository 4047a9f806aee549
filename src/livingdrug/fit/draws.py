"""Draws from one patient's posterior: from the Laplace mixture to the posterior itself, in tempered stages.

1. Draw from a mixture of Student-t distributions ``q``, one at each mode, with the Laplace covariances.
2. Weight the draws by posterior over ``q``. Their effective number says how far Laplace alone may be
   trusted, and it is reported; with many correlated parameters it is often small.
3. So walk from ``q`` to the posterior through ``q^(1-t) posterior^t``: raise ``t`` until half of the
   draws remain effective, resample, and move every draw with differential-evolution Metropolis steps
   (ter Braak 2006), which leave the stage's distribution unchanged (sequential Monte Carlo; Del Moral 2006).

Every move is one engine call for half of the draws.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from livingdrug.fit.climb import FARTHEST, Mode
from livingdrug.fit.problem import Problem, compute_log_posterior

FREEDOM = 5.0
"""Degrees of freedom of the mixture: tails heavier than the posterior's keep weights bounded."""
LARGEST_SHARE = 0.5
"""Share of the draws that stays effective from one stage to the next."""
MOST_STAGES = 30
"""Stages at most; reaching it is reported as ``temperature`` below 1."""

LogDensity = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Draws:
    """Equally weighted draws from the posterior, and how good they are.

    Parameters
    ----------
    z : (draw, free)
    laplace_effective : float
        Effective share of the Laplace mixture's own draws, 0 to 1: how far Laplace may be trusted alone.
    stages : int
        Tempered stages that were needed.
    temperature : float
        1 when the posterior was reached.
    acceptance : float
        Share of Metropolis proposals accepted in the last stage.
    travelled : float
        Median distance that a draw moved in the last stage, over the distance between two draws.
    effective : float
        Estimated effective number of independent draws: the count, reduced by how little they travelled.
    """

    z: np.ndarray
    laplace_effective: float
    stages: int
    temperature: float
    acceptance: float
    travelled: float
    effective: float


@dataclass(frozen=True, slots=True)
class Mixture:
    """A mixture of Student-t distributions at the modes of a posterior.

    Parameters
    ----------
    shares : (mode,)
    centres : (mode, free)
    roots : (mode, free, free)
        Cholesky factors of the covariances.
    """

    shares: np.ndarray
    centres: np.ndarray
    roots: np.ndarray

    @classmethod
    def from_modes(cls, modes: tuple[Mode, ...]) -> "Mixture":
        """Weigh each mode by height times volume; a tenth is shared out equally."""
        log_mass = np.array([m.log_posterior + 0.5 * np.linalg.slogdet(m.covariance)[1] for m in modes])
        shares = 0.9 * np.exp(log_mass - logsumexp(log_mass)) + 0.1 / len(modes)
        roots = np.array([np.linalg.cholesky(m.covariance) for m in modes])
        return cls(shares, np.array([m.z for m in modes]), roots)

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw from the mixture, (draw, free)."""
        which = np.searchsorted(np.cumsum(self.shares)[:-1], rng.random(count))
        normal = rng.standard_normal((count, self.centres.shape[1]))
        scale = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, count))
        return np.asarray(self.centres[which] + scale[:, None] * np.einsum("dfg,dg->df", self.roots[which], normal))

    def compute_log_density(self, z: np.ndarray) -> np.ndarray:
        """Return the log density, (draw,)."""
        size = z.shape[1]
        constant = gammaln((FREEDOM + size) / 2) - gammaln(FREEDOM / 2) - size / 2 * np.log(FREEDOM * np.pi)
        terms = np.empty((len(self.shares), len(z)))
        for k, (share, centre, root) in enumerate(zip(self.shares, self.centres, self.roots, strict=True)):
            whitened = np.linalg.solve(root, (z - centre).T)
            body = np.log1p((whitened * whitened).sum(axis=0) / FREEDOM)
            terms[k] = np.log(share) + constant - np.log(np.diag(root)).sum() - (FREEDOM + size) / 2 * body
        return np.asarray(logsumexp(terms, axis=0))


@dataclass(slots=True)
class Population:
    """The draws on their way: places and both log densities."""

    z: np.ndarray
    start: np.ndarray
    goal: np.ndarray

    def take(self, index: np.ndarray) -> "Population":
        """Return a copy of some draws, with repetition."""
        return Population(self.z[index], self.start[index], self.goal[index])


def compute_effective(log_weights: np.ndarray) -> float:
    """Return the effective number of draws behind log weights.

    Examples
    --------
    >>> round(compute_effective(np.log([1.0, 1.0, 2.0])), 2)
    2.67
    """
    return float(np.exp(2 * logsumexp(log_weights) - logsumexp(2 * log_weights)))


def choose_temperature(gap: np.ndarray, now: float) -> float:
    """Return the highest next temperature that keeps `LARGEST_SHARE` of the draws effective.

    Parameters
    ----------
    gap : (draw,)
        Log posterior minus log density of the start.
    """
    target = LARGEST_SHARE * len(gap)
    if compute_effective((1 - now) * gap) >= target:
        return 1.0
    low, high = now, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if compute_effective((middle - now) * gap) >= target else (low, middle)
    return max(low, now + 1e-6)


def resample(log_weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return indices drawn by systematic resampling, as many as there are weights."""
    weights = np.exp(log_weights - logsumexp(log_weights))
    places = (np.arange(len(weights)) + rng.random()) / len(weights)
    return np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)


def move_population(
    population: Population,
    start: LogDensity,
    goal: LogDensity,
    temperature: float,
    *,
    sweeps: int,
    rng: np.random.Generator,
) -> float:
    """Move all draws in place; each half proposes along differences of the other half. Return the acceptance."""
    z = population.z
    half = len(z) // 2
    halves = (np.arange(half), np.arange(half, len(z)))
    stride = 2.38 / np.sqrt(2 * z.shape[1])
    accepted = 0
    for step in range(2 * sweeps):
        mine, other = halves[step % 2], halves[(step + 1) % 2]
        first = rng.integers(len(other), size=len(mine))
        second = (first + rng.integers(1, len(other), size=len(mine))) % len(other)
        length = np.where(rng.random(len(mine)) < 0.1, 1.0, stride * rng.uniform(0.4, 1.0, len(mine)))
        jitter = 1e-3 * rng.standard_normal((len(mine), z.shape[1]))
        trial = z[mine] + length[:, None] * (z[other[first]] - z[other[second]]) + jitter
        trial_goal, trial_start = goal(trial), start(trial)
        change = temperature * (trial_goal - population.goal[mine])
        change += (1 - temperature) * (trial_start - population.start[mine])
        taken = mine[np.log(rng.random(len(mine))) < change]
        chosen = taken - mine[0]
        z[taken], population.goal[taken], population.start[taken] = (
            trial[chosen],
            trial_goal[chosen],
            trial_start[chosen],
        )
        accepted += len(taken)
    return accepted / max(1, sweeps * len(z))


def compute_travel(before: np.ndarray, after: np.ndarray) -> float:
    """Return the median distance moved over the median distance between two different draws, at most 1."""
    moved = np.sqrt(((after - before) ** 2).sum(axis=1))
    between = np.sqrt(((after - np.roll(after, len(after) // 2, axis=0)) ** 2).sum(axis=1))
    return float(min(1.0, np.median(moved) / max(float(np.median(between)), 1e-12)))


def sample_posterior(
    problem: Problem,
    modes: tuple[Mode, ...],
    *,
    rng: np.random.Generator,
    count: int = 256,
    sweeps: int = 5,
    threads: int | None = None,
) -> Draws:
    """Draw from the posterior around its modes.

    Parameters
    ----------
    modes : tuple of Mode
        At least one.
    count : int
        Draws.
    sweeps : int
        Metropolis moves of every draw in each stage; three times as many in the last.

    Returns
    -------
    Draws
    """
    mixture = Mixture.from_modes(modes)

    def goal(z: np.ndarray) -> np.ndarray:
        value = compute_log_posterior(problem, z, with_gradient=False, threads=threads).value
        return np.where(np.abs(z).max(axis=1) > FARTHEST, -np.inf, value)

    z = mixture.sample(count, rng)
    population = Population(z, mixture.compute_log_density(z), goal(z))
    if not np.isfinite(population.goal).any():
        return Draws(np.tile(modes[0].z, (count, 1)), 0.0, 0, 0.0, 0.0, 0.0, 1.0)
    laplace = compute_effective(population.goal - population.start) / count
    temperature, stages, acceptance = 0.0, 0, 0.0
    before = population.z
    while temperature < 1 and stages < MOST_STAGES:
        gap = population.goal - population.start
        following = choose_temperature(gap, temperature)
        index = resample((following - temperature) * gap, rng)
        temperature, stages = following, stages + 1
        population = population.take(index)
        before = population.z.copy()
        moves = 3 * sweeps if temperature == 1 else sweeps
        acceptance = move_population(population, mixture.compute_log_density, goal, temperature, sweeps=moves, rng=rng)
    travelled = compute_travel(before, population.z)
    effective = max(1.0, count * travelled**2)
    return Draws(population.z, laplace, stages, temperature, acceptance, travelled, effective)
