"""One patient's fit: scan, climb, Laplace, draws; and what it says about itself."""

from dataclasses import dataclass

import numpy as np

from livingdrug.fit.climb import Mode, climb_starts, find_modes
from livingdrug.fit.draws import Draws, sample_posterior
from livingdrug.fit.problem import Problem, compute_log_posterior, compute_parameters

SWITCH_SPREAD = 3.0
"""A parameter whose spread is at least this is a switch: nearly absent in most patients, decisive in some."""
SWITCHED_ON = (0.8, 2.5)
"""Range, in spreads from typical, in which a switch is tried as turned on."""


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


def scan_prior(problem: Problem, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw candidates for starts: from the prior, and again with each switch parameter turned on.

    A parameter with a very wide spread (the share of a clone that most patients do not have) leaves the
    data untouched over most of its range, so no gradient leads to where it matters.

    Returns
    -------
    z : (candidate, free)
    family : (candidate,) int
        0 for the prior; then one for each switch.
    """
    switches = [j for j, free in enumerate(problem.free) if free.sd >= SWITCH_SPREAD]
    families = [sample_prior(problem, count, rng)]
    for j in switches:
        turned = sample_prior(problem, count // 2, rng)
        turned[:, j] = rng.uniform(*SWITCHED_ON, len(turned))
        families.append(turned)
    sizes = [len(family) for family in families]
    return np.vstack(families), np.repeat(np.arange(len(families)), sizes)


def choose_starts(
    problem: Problem, *, rng: np.random.Generator, scan: int, starts: int, threads: int | None = None
) -> np.ndarray:
    """Choose where to climb from: the typical patient and the best candidates of each family, (start, free)."""
    z, family = scan_prior(problem, scan, rng)
    value = compute_log_posterior(problem, z, with_gradient=False, rtol=1e-4, threads=threads).value
    each = max(1, (starts - 1) // (family[-1] + 1))
    chosen = [np.zeros((1, len(problem.free)))]
    for member in range(family[-1] + 1):
        index = np.flatnonzero((family == member) & np.isfinite(value))
        chosen.append(z[index[np.argsort(-value[index], kind="stable")[:each]]])
    return np.vstack(chosen)


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
