"""One patient's fit: draws from the posterior, the mode among them, and what the fit says about itself."""

from dataclasses import dataclass

import numpy as np

from livingdrug.fit.climb import FARTHEST, Mode, climb_starts, find_modes
from livingdrug.fit.draws import Draws, sample_posterior
from livingdrug.fit.pool import Progress, sample_until
from livingdrug.fit.problem import Problem, compute_log_posterior, compute_parameters

START = 8
"""Draws of the prior for every draw of the posterior."""
POLISHED, POLISHING = 2, 12
"""Draws from which the mode is climbed to, and engine calls at most."""


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
        Whether the draws reached the posterior and the climb found a mode.
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
    return np.asarray(np.clip(rng.standard_normal((count, len(problem.free))) @ root.T, -FARTHEST, FARTHEST))


def choose_starts(problem: Problem, z: np.ndarray) -> np.ndarray:
    """Return where to climb from: the highest among a few draws and the centre of all, (start, free)."""
    few = np.vstack([z.mean(axis=0), z[:: max(1, len(z) // 64)]])
    value = compute_log_posterior(problem, few, with_gradient=False).value
    return np.asarray(few[np.argsort(-value, kind="stable")[:POLISHED]])


def fit_individual(
    problem: Problem,
    *,
    rng: np.random.Generator,
    draws: int = 1024,
    most: int = 6,
    with_mode: bool = True,
    effective: float | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> IndividualFit:
    """Fit one patient: draws from the posterior, and the maximum a posteriori climbed to from the best of them.

    Parameters
    ----------
    problem : Problem
    rng : numpy.random.Generator
    draws : int
        Posterior draws; even.
    most : int
        Steps of every draw in one tempered stage that cost some twenty courses, at most.
    with_mode : bool
        Whether to climb to the mode, which the draws do not need.
    effective : float, optional
        Runs of so many draws are repeated until they are worth so many independent ones; one run where it is left
        out.
    threads : int, optional
        Workers of the engine; the result does not depend on it.
    progress : function of runs and effective draws, optional

    Returns
    -------
    IndividualFit
        Without data, or where nothing can be integrated, the draws are the prior's; ``is_converged`` tells which.
    """

    def run(stream: np.random.Generator, threads: int | None = threads) -> Draws:
        start = sample_prior(problem, START * draws, stream)
        return sample_posterior(problem, start, draws, rng=stream, most=most, threads=threads)

    if len(problem.rows) > 0 and effective is not None:
        sample = sample_until(
            lambda stream: run(stream, 1),
            effective=effective,
            rng=rng,
            workers=threads,
            progress=progress,
        )
    elif len(problem.rows) > 0:
        sample = run(rng)
    else:
        prior = sample_prior(problem, draws, rng)
        sample = Draws(prior, 0, 1.0, 1.0, 0.0, float(draws), 0, np.arange(draws))
    modes: tuple[Mode, ...] = ()
    calls, failed = 0, 0
    if with_mode:
        climb = climb_starts(problem, choose_starts(problem, sample.z), iterations=POLISHING, threads=threads)
        modes, calls = find_modes(climb), climb.iterations
        failed = int(np.sum(~np.isfinite(climb.evaluation.value)))
    return IndividualFit(
        names=problem.names,
        modes=modes,
        draws=sample,
        parameters=compute_parameters(problem, sample.z)[0],
        is_converged=sample.temperature == 1.0 and (bool(modes) or not with_mode),
        failed_starts=failed,
        calls=calls,
        rows=len(problem.rows),
    )
