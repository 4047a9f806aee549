"""One patient's fit: scan, climb, Laplace, draws; and what it says about itself."""

from dataclasses import dataclass

import numpy as np

from livingdrug.fit.climb import FARTHEST, Mode, climb_starts, find_modes
from livingdrug.fit.draws import (
    Draws,
    Population,
    choose_temperature,
    move_population,
    resample,
    sample_posterior,
)
from livingdrug.fit.problem import Problem, compute_log_posterior, compute_parameters

SWITCH_SPREAD = 3.0
"""A parameter whose spread is at least this is a switch: nearly absent in most patients, decisive in some."""
SWITCHED_ON, SWITCH_RANGE = 0.8, 1.7
"""From where on, in spreads from typical, a switch counts as turned on, and over which range it is tried."""
WARMING_STAGES, WARMING_SWEEPS = 6, 2
"""Tempered stages and moves of each that lead from the prior towards good starts."""


@dataclass(frozen=True, slots=True)
class IndividualFit:
    """One patient's posterior.

    Parameters
    ----------
    names : tuple of str
        Free parameters.
    modes : tuple of Mode
        Distinct modes, best first; empty if every start failed.
    draws : Draws
    parameters : (draw, parameter)
        The draws as full parameter vectors of the model.
    is_converged : bool
        Whether the best mode was reached to tolerance.
    failed_starts : int
        Starts that could not be integrated.
    calls : int
        Engine calls of the climb.
    rows : int
        Data rows used.
    """

    names: tuple[str, ...]
    modes: tuple[Mode, ...]
    draws: Draws
    parameters: np.ndarray
    is_converged: bool
    failed_starts: int
    calls: int
    rows: int

    @property
    def mode(self) -> np.ndarray:
        """The maximum a posteriori estimate in spreads from typical, (free,); not a number if there is none."""
        return self.modes[0].z if self.modes else np.full(len(self.names), np.nan)


def sample_prior(problem: Problem, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw from the prior, (draw, free)."""
    root = np.linalg.cholesky(np.linalg.inv(problem.precision))
    return np.asarray(np.clip(rng.standard_normal((count, len(problem.free))) @ root.T, -4.0, 4.0))


def anneal_prior(
    problem: Problem, lower: np.ndarray, *, count: int, rng: np.random.Generator, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from the prior above bounds and warm the draws towards the posterior for a few stages.

    Parameters
    ----------
    lower : (free,)
        Lower bound of each ``z``; minus infinity for none.
    count : int
        Draws.

    Returns
    -------
    z : (draw, free)
    value : (draw,)
        Log posterior; minus infinity where the integration failed.
    """

    def prior(z: np.ndarray) -> np.ndarray:
        return np.asarray(-0.5 * np.einsum("pf,fg,pg->p", z, problem.precision, z))

    def goal(z: np.ndarray) -> np.ndarray:
        value = compute_log_posterior(problem, z, with_gradient=False, rtol=1e-4, threads=threads).value
        return np.where((z < lower).any(axis=1) | (np.abs(z).max(axis=1) > FARTHEST), -np.inf, value)

    z = sample_prior(problem, count, rng)
    is_bound = np.isfinite(lower)
    z[:, is_bound] = rng.uniform(lower[is_bound], lower[is_bound] + SWITCH_RANGE, (count, int(is_bound.sum())))
    population = Population(z, prior(z), goal(z))
    temperature = 0.0
    for _ in range(WARMING_STAGES):
        gap = population.goal - population.start
        if temperature == 1.0 or np.isfinite(gap).sum() < 2:
            break
        following = choose_temperature(gap, temperature)
        population = population.take(resample((following - temperature) * gap, rng))
        temperature = following
        move_population(population, prior, goal, temperature, sweeps=WARMING_SWEEPS, rng=rng)
    return population.z, population.goal


def choose_starts(
    problem: Problem, *, rng: np.random.Generator, scan: int, starts: int, threads: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Choose where to climb from: the typical patient and the best of each family.

    The first family is unbounded. A parameter with a very wide spread (the share of a clone that most
    patients do not have) leaves the data untouched over most of its range, so that no gradient leads to where
    it matters: each such switch has a family of its own in which it is turned on.

    Returns
    -------
    z : (start, free)
    lower : (start, free)
        Bound under which each start must not fall while it climbs.
    """
    nothing = np.full(len(problem.free), -np.inf)
    families = [nothing]
    for j, free in enumerate(problem.free):
        if free.sd >= SWITCH_SPREAD:
            families.append(np.where(np.arange(len(problem.free)) == j, SWITCHED_ON, nothing))
    each = max(1, (starts - 1) // len(families))
    chosen, bounds = [np.zeros((1, len(problem.free)))], [nothing[None]]
    for lower in families:
        z, value = anneal_prior(problem, lower, count=scan // len(families), rng=rng, threads=threads)
        order = np.argsort(-value, kind="stable")
        different = np.unique(value[order[np.isfinite(value[order])]], return_index=True)[1]
        best = order[np.sort(different)][:each]
        chosen.append(z[best])
        bounds.append(np.tile(lower, (len(best), 1)))
    return np.vstack(chosen), np.vstack(bounds)


def fit_individual(
    problem: Problem,
    *,
    rng: np.random.Generator,
    starts: int = 7,
    scan: int = 256,
    draws: int = 256,
    sweeps: int = 5,
    threads: int | None = None,
) -> IndividualFit:
    """Fit one patient: maximum a posteriori from several starts, then draws from the posterior.

    Parameters
    ----------
    problem : Problem
    rng : numpy.random.Generator
    starts, scan : int
        Climbs, and draws among which their starts are chosen.
    draws, sweeps : int
        Posterior draws, and Metropolis moves of each in every stage.
    threads : int, optional
        Workers of the engine; the result does not depend on it.

    Returns
    -------
    IndividualFit
        Without a usable start (or without data) the draws are the prior's and ``is_converged`` tells which.
    """
    begin, lower = choose_starts(problem, rng=rng, scan=scan, starts=starts, threads=threads)
    climb = climb_starts(problem, begin, lower=lower, threads=threads)
    modes = find_modes(climb)
    if modes and len(problem.rows) > 0:
        sample = sample_posterior(problem, modes, rng=rng, count=draws, sweeps=sweeps, threads=threads)
    else:
        sample = Draws(sample_prior(problem, draws, rng), 1.0, 0, 1.0, 1.0, 1.0, float(draws))
    return IndividualFit(
        names=problem.names,
        modes=modes,
        draws=sample,
        parameters=compute_parameters(problem, sample.z)[0],
        is_converged=bool(modes) and modes[0].is_converged,
        failed_starts=int(np.sum(~np.isfinite(climb.evaluation.value))),
        calls=climb.iterations,
        rows=len(problem.rows),
    )
