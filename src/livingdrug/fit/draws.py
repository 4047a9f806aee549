"""Draws from one patient's posterior: from the prior to the posterior in tempered stages.

Draws are carried from the prior, in which clones that few patients have are made more common than they are, to
the posterior through ``start^(1-t) * posterior^t``: raise ``t`` until half of the draws remain effective, resample,
and move every draw (sequential Monte Carlo; Del Moral 2006). A move is a step of
:mod:`livingdrug.fit.proposal`, learned from the other half of the draws, so it leaves the stage's distribution
unchanged. Moves go on until a draw has forgotten where it was resampled. The start has several times as many
draws as the end: a draw of the prior costs one course, and where few of many are kept, those few are different ones.

Starting at the prior, not at a mode, is a choice by measurement: a clone that most patients do not have is a
mode that no gradient finds, and a Laplace approximation at the best mode was effective for 1 to 6 in 100 draws only.
Every move is one engine call for all draws.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from livingdrug.fit.climb import FARTHEST
from livingdrug.fit.effective import compute_effective_draws
from livingdrug.fit.problem import Problem, compute_log_posterior
from livingdrug.fit.proposal import Proposal

LARGEST_SHARE = 0.5
"""Share of the draws that stays effective from one stage to the next."""
MOST_STAGES = 60
"""Stages at most; reaching it is reported as ``temperature`` below 1."""
WANTED_ACCEPTANCE = 0.25
REMEMBERED = 0.7
"""Moves of a stage go on until the parameters correlate less, on average, with where the draws were resampled."""
FEWEST_SWEEPS, LAST_SWEEPS = 3, 8
"""Moves of every draw in one stage, at least; and in the last, where twice the usual most are allowed."""
SWITCH_SPREAD = 3.0
"""A parameter whose spread is at least this is a switch: nearly absent in most patients, decisive in some."""
SWITCHED_ON, SWITCHED_SHARE = 2.5, 0.4
"""Where a switch is on, in spreads from typical, and in what share of the draws it starts there."""
ACCURACY = 1e-3
"""Relative tolerance of the engine: the log posterior is off by less than 0.002, far below the noise of every assay."""

LogDensity = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Draws:
    """Equally weighted draws from the posterior, and how good they are.

    Parameters
    ----------
    z : (draw, free)
    stages : int
        Tempered stages that were needed.
    temperature : float
        1 when the posterior was reached.
    acceptance : float
        Share of proposals accepted in the last stage.
    remembered : float
        Correlation of the draws with where they were resampled last, over all parameters.
    effective : float
        Effective number of independent draws, over all parameters, by what draws of one origin have in common.
    evaluations : int
        Courses that were computed.
    origin : (draw,) int
        Which draw of the start each comes from: draws of one origin may be alike.
    """

    z: np.ndarray
    stages: int
    temperature: float
    acceptance: float
    remembered: float
    effective: float
    evaluations: int
    origin: np.ndarray


@dataclass(slots=True)
class Population:
    """The draws on their way: places, log density of the start, of the posterior over the start, and origin."""

    z: np.ndarray
    prior: np.ndarray
    fit: np.ndarray
    origin: np.ndarray

    def take(self, index: np.ndarray) -> "Population":
        """Return a copy of some draws, with repetition."""
        return Population(self.z[index], self.prior[index], self.fit[index], self.origin[index])


def compute_effective(log_weights: np.ndarray) -> float:
    """Return the effective number of draws behind log weights.

    Examples
    --------
    >>> round(compute_effective(np.log([1.0, 1.0, 2.0])), 2)
    2.67
    """
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights * weights).sum())


def choose_temperature(fit: np.ndarray, now: float, target: float) -> float:
    """Return the highest next temperature at which so many draws are effective.

    Parameters
    ----------
    fit : (draw,)
        Log likelihood.
    target : float
        Effective draws, fewer than there are.
    """
    if compute_effective((1 - now) * fit) >= target:
        return 1.0
    low, high = now, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if compute_effective((middle - now) * fit) >= target else (low, middle)
    return max(low, now + 1e-9)


def resample(log_weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many indices drawn by systematic resampling, in random order."""
    weights = np.exp(log_weights - log_weights.max())
    places = (np.arange(count) + rng.random()) / count
    index = np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), places), len(weights) - 1)
    return np.asarray(rng.permutation(index))


def compute_memory(before: np.ndarray, after: np.ndarray) -> float:
    """Return the correlation between two places of the same draws, root mean square over parameters.

    Examples
    --------
    >>> before = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> compute_memory(before, before), compute_memory(before, before[[1, 3, 0, 2]])
    (1.0, 0.0)
    """
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    norm = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    correlation = (a * b).sum(axis=0) / np.maximum(norm, 1e-300)
    return float(np.sqrt(np.mean(np.maximum(correlation, 0.0) ** 2)))


def move_population(
    population: Population,
    evaluate: Callable[[np.ndarray], Population],
    temperature: float,
    stride: float,
    rng: np.random.Generator,
) -> float:
    """Move every draw once, in place; each half by what the other half looks like. Return the acceptance."""
    z, half = population.z, len(population.z) // 2
    halves = (np.arange(half), np.arange(half, len(z)))
    trial, correction = np.empty_like(z), np.empty(len(z))
    for mine, other in (halves, halves[::-1]):
        trial[mine], correction[mine] = Proposal.learn(z[other]).propose(z[mine], stride, rng)
    there = evaluate(trial)
    change = temperature * (there.fit - population.fit) + there.prior - population.prior + correction
    taken = np.flatnonzero(np.log(rng.random(len(z))) < change)
    z[taken], population.prior[taken], population.fit[taken] = trial[taken], there.prior[taken], there.fit[taken]
    return len(taken) / len(z)


def move_until_forgotten(
    population: Population,
    evaluate: Callable[[np.ndarray], Population],
    temperature: float,
    stride: float,
    rng: np.random.Generator,
    *,
    most: int,
) -> tuple[float, float, float, int]:
    """Move the draws of one stage until they have forgotten where they were; adapt the stride.

    The halves are moved by the same call, each by a map of the other as it was before; that map does not
    depend on where a draw of this half goes.

    Returns
    -------
    stride, acceptance, remembered : float
    sweeps : int
    """
    before = population.z.copy()
    fewest, most = (LAST_SWEEPS, 2 * most) if temperature == 1 else (FEWEST_SWEEPS, most)
    remembered, acceptance, sweeps = 1.0, 0.0, 0
    while sweeps < fewest or (remembered > REMEMBERED and sweeps < most):
        acceptance = move_population(population, evaluate, temperature, stride, rng)
        stride = float(np.clip(stride * np.exp(0.8 * (acceptance - WANTED_ACCEPTANCE)), 0.05, 0.99))
        remembered = compute_memory(before, population.z)
        sweeps += 1
    return stride, acceptance, remembered, sweeps


def find_switches(problem: Problem) -> list[int]:
    """Return the places of free parameters that are nearly absent in most patients and decisive in some."""
    return [j for j, free in enumerate(problem.free) if free.scale != "exponential" and free.sd >= SWITCH_SPREAD]


def sample_start(problem: Problem, prior: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn some of the switches on in draws of the prior (draw, free), more often than the prior does."""
    z = prior.copy()
    for j in find_switches(problem):
        is_on = rng.random(len(z)) < SWITCHED_SHARE
        z[is_on, j] = SWITCHED_ON + rng.standard_normal(int(is_on.sum()))
    return z


def compute_start(problem: Problem, z: np.ndarray) -> np.ndarray:
    """Return the log density of `sample_start` at ``z`` (draw, free), up to a constant."""
    value = -0.5 * np.einsum("pf,fg,pg->p", z, problem.precision, z)
    for j in find_switches(problem):
        # ratio of the two normal densities: exp(a z - a^2 / 2)
        on = np.log(SWITCHED_SHARE) + SWITCHED_ON * z[:, j] - 0.5 * SWITCHED_ON**2
        value = value + np.logaddexp(np.log(1 - SWITCHED_SHARE), on)
    return np.asarray(value)


def sample_posterior(
    problem: Problem,
    prior: np.ndarray,
    count: int,
    *,
    rng: np.random.Generator,
    most: int = 16,
    threads: int | None = None,
) -> Draws:
    """Carry draws of the prior to the posterior.

    Parameters
    ----------
    prior : (start, free)
        Independent draws, `count` or several times as many.
    count : int
        Draws from the posterior; an even number, and many more than free parameters.
    most : int
        Moves of every draw in one stage, at most.

    Returns
    -------
    Draws
    """

    def evaluate(z: np.ndarray) -> Population:
        log_start = compute_start(problem, z)
        inside = np.clip(z, -2 * FARTHEST, 2 * FARTHEST)
        value = compute_log_posterior(problem, inside, with_gradient=False, rtol=ACCURACY, threads=threads).value
        is_near = np.abs(z).max(axis=1) <= FARTHEST
        return Population(z.copy(), log_start, np.where(is_near, value - log_start, -np.inf), np.arange(len(z)))

    population = evaluate(sample_start(problem, prior, rng))
    if np.isfinite(population.fit).sum() < LARGEST_SHARE * count:
        return Draws(prior[:count], 0, 0.0, 0.0, 1.0, 1.0, len(prior), np.arange(count))
    temperature, stages, stride, sweeps = 0.0, 0, 0.7, 0
    acceptance, remembered = 0.0, 1.0
    while temperature < 1 and stages < MOST_STAGES:
        following = choose_temperature(population.fit, temperature, LARGEST_SHARE * count)
        weights = (following - temperature) * population.fit
        population = population.take(resample(weights, count, rng))
        temperature, stages = following, stages + 1
        stride, acceptance, remembered, moves = move_until_forgotten(
            population, evaluate, temperature, stride, rng, most=most
        )
        sweeps += moves
    effective = compute_effective_draws(population.z, population.origin) if temperature == 1 else 1.0
    evaluations = len(prior) + sweeps * count
    return Draws(population.z, stages, temperature, acceptance, remembered, effective, evaluations, population.origin)
