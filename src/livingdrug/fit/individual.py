"""One patient's fit: scan, climb, Laplace, draws; and what it says about itself."""

from dataclasses import dataclass

import numpy as np

from livingdrug.fit.climb import Mode, climb_starts, find_modes
from livingdrug.fit.draws import Draws, sample_posterior
from livingdrug.fit.problem import Problem, compute_log_posterior, compute_parameters


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


def choose_starts(
    problem: Problem, *, rng: np.random.Generator, scan: int, starts: int, threads: int | None = None
) -> np.ndarray:
    """Choose where to climb from: the typical patient and the best of a scan of the prior, (start, free)."""
    candidates = np.vstack([np.zeros((1, len(problem.free))), sample_prior(problem, scan, rng)])
    value = compute_log_posterior(problem, candidates, with_gradient=False, rtol=1e-4, threads=threads).value
    best = np.argsort(-value, kind="stable")
    chosen = [i for i in best if i != 0 and np.isfinite(value[i])][: starts - 1]
    return candidates[[0, *chosen]]


def fit_individual(
    problem: Problem,
    *,
    rng: np.random.Generator,
    starts: int = 6,
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
        Climbs, and prior draws among which their starts are chosen.
    draws, sweeps : int
        Posterior draws, and Metropolis moves of each in every stage.
    threads : int, optional
        Workers of the engine; the result does not depend on it.

    Returns
    -------
    IndividualFit
        Without a usable start (or without data) the draws are the prior's and ``is_converged`` tells which.
    """
    begin = choose_starts(problem, rng=rng, scan=scan, starts=starts, threads=threads)
    climb = climb_starts(problem, begin, threads=threads)
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
