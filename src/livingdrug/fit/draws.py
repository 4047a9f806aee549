"""Draws from one patient's posterior: the Laplace mixture, corrected by weights, moved by Metropolis steps.

1. Draw from a mixture of Student-t distributions, one at each mode, with the Laplace covariances.
2. Weight each draw by posterior over proposal; their effective number says how far Laplace may be trusted.
3. Resample by the weights, then move all draws at once with differential-evolution Metropolis steps
   (ter Braak 2006), which leave the posterior unchanged. Every step is one engine call.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from livingdrug.fit.climb import FARTHEST, Mode
from livingdrug.fit.problem import Problem, compute_log_posterior

FREEDOM = 5.0
"""Degrees of freedom of the proposal: tails heavier than the posterior's keep weights bounded."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Equally weighted draws from the posterior, and how good they are.

    Parameters
    ----------
    z : (draw, free)
    effective : float
        Effective number of independent draws behind the importance weights (of ``proposed``).
    proposed : int
    acceptance : float
        Share of Metropolis proposals accepted; 0 when there were no moves.
    travelled : float
        Median distance that a draw moved after resampling, over the distance between two random draws.
    """

    z: np.ndarray
    effective: float
    proposed: int
    acceptance: float
    travelled: float


def compute_mode_shares(modes: tuple[Mode, ...]) -> np.ndarray:
    """Return the share of each mode under Laplace: height times volume, (mode,)."""
    log_mass = np.array([m.log_posterior + 0.5 * np.linalg.slogdet(m.covariance)[1] for m in modes])
    return np.asarray(np.exp(log_mass - logsumexp(log_mass)))


def propose_draws(modes: tuple[Mode, ...], count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw from the mixture at the modes.

    Returns
    -------
    z : (draw, free)
    log_density : (draw,)
    """
    shares = 0.9 * compute_mode_shares(modes) + 0.1 / len(modes)
    dimension = len(modes[0].z)
    which = np.searchsorted(np.cumsum(shares)[:-1], rng.random(count))
    normal = rng.standard_normal((count, dimension))
    scale = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, count))
    roots = np.array([np.linalg.cholesky(m.covariance) for m in modes])
    centres = np.array([m.z for m in modes])
    z = centres[which] + scale[:, None] * np.einsum("dfg,dg->df", roots[which], normal)
    constant = gammaln((FREEDOM + dimension) / 2) - gammaln(FREEDOM / 2) - dimension / 2 * np.log(FREEDOM * np.pi)
    terms = np.empty((len(modes), count))
    for k, (root, centre) in enumerate(zip(roots, centres, strict=True)):
        whitened = np.linalg.solve(root, (z - centre).T)
        log_root = np.log(np.diag(root)).sum()
        body = np.log1p((whitened * whitened).sum(axis=0) / FREEDOM)
        terms[k] = np.log(shares[k]) + constant - log_root - (FREEDOM + dimension) / 2 * body
    return z, np.asarray(logsumexp(terms, axis=0))


def compute_weights(log_ratio: np.ndarray) -> tuple[np.ndarray, float]:
    """Normalise importance weights; return them with the effective number of draws.

    Examples
    --------
    >>> weights, effective = compute_weights(np.log([1.0, 1.0, 2.0, 0.0 + 1e-300]))
    >>> weights.round(2).tolist(), round(effective, 2)
    ([0.25, 0.25, 0.5, 0.0], 2.67)
    """
    weights = np.exp(log_ratio - logsumexp(log_ratio))
    return weights, float(1 / np.sum(weights**2))


def resample(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` indices drawn by systematic resampling."""
    places = (np.arange(count) + rng.random()) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)


def move_draws(
    problem: Problem, z: np.ndarray, *, steps: int, rng: np.random.Generator, threads: int | None = None
) -> tuple[np.ndarray, float]:
    """Move all draws by differential evolution; each half proposes along differences of the other half.

    Returns
    -------
    z : (draw, free)
    acceptance : float
    """
    z = z.copy()
    value = compute_log_posterior(problem, z, with_gradient=False, threads=threads).value
    half = len(z) // 2
    halves = (np.arange(half), np.arange(half, len(z)))
    stride = 2.38 / np.sqrt(2 * z.shape[1])
    accepted = 0
    for step in range(steps):
        mine, other = halves[step % 2], halves[(step + 1) % 2]
        pair = rng.random((len(mine), len(other))).argpartition(2, axis=1)[:, :2]
        length = np.where(rng.random(len(mine)) < 0.1, 1.0, stride * rng.uniform(0.5, 1.0, len(mine)))
        jitter = 1e-3 * rng.standard_normal((len(mine), z.shape[1]))
        trial = z[mine] + length[:, None] * (z[other[pair[:, 0]]] - z[other[pair[:, 1]]]) + jitter
        there = compute_log_posterior(problem, trial, with_gradient=False, threads=threads).value
        there = np.where(np.abs(trial).max(axis=1) > FARTHEST, -np.inf, there)
        is_taken = np.log(rng.random(len(mine))) < there - value[mine]
        z[mine] = np.where(is_taken[:, None], trial, z[mine])
        value[mine] = np.where(is_taken, there, value[mine])
        accepted += int(is_taken.sum())
    return z, accepted / max(1, steps * half)


def compute_travel(before: np.ndarray, after: np.ndarray) -> float:
    """Return the median distance moved over the median distance between two different draws."""
    moved = np.sqrt(((after - before) ** 2).sum(axis=1))
    between = np.sqrt(((after - np.roll(after, len(after) // 2, axis=0)) ** 2).sum(axis=1))
    return float(np.median(moved) / max(float(np.median(between)), 1e-12))


def sample_posterior(
    problem: Problem,
    modes: tuple[Mode, ...],
    *,
    rng: np.random.Generator,
    count: int = 192,
    proposed: int = 512,
    steps: int = 32,
    threads: int | None = None,
) -> Draws:
    """Draw from the posterior around its modes.

    Parameters
    ----------
    modes : tuple of Mode
        At least one.
    count : int
        Draws returned.
    proposed : int
        Draws from the Laplace mixture that are weighted.
    steps : int
        Metropolis moves; each moves one half of the draws.

    Returns
    -------
    Draws
    """
    z, log_density = propose_draws(modes, proposed, rng)
    value = compute_log_posterior(problem, z, with_gradient=False, threads=threads).value
    value = np.where(np.abs(z).max(axis=1) > FARTHEST, -np.inf, value)
    if not np.isfinite(value).any():
        return Draws(np.tile(modes[0].z, (count, 1)), 0.0, proposed, 0.0, 0.0)
    weights, effective = compute_weights(value - log_density)
    chosen = z[resample(weights, count, rng)]
    moved, acceptance = move_draws(problem, chosen, steps=steps, rng=rng, threads=threads)
    return Draws(moved, effective, proposed, acceptance, compute_travel(chosen, moved))
