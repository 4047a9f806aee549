r"""What one patient's data say about each parameter by themselves: profile likelihoods.

A parameter is held at values around the mode while all others climb to their best, so that

.. math::
    \ell_j(v) = \max_{z: z_j = v} \ln p(y, z) + \tfrac12 v^2

is the likelihood of ``z_j = v``, the others being held by the population and the data only. Where it falls by less
than 1.35 on one side, however far one goes, the data do not bound the parameter there, and what bounds it in the
posterior is the prior.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from livingdrug.fit.climb import FARTHEST, Mode, climb_starts
from livingdrug.fit.problem import Problem

OFFSETS = np.array([-4.0, -2.0, -1.0, 1.0, 2.0, 4.0])
"""Values at which a parameter is held, in its Laplace standard deviations from the mode."""
FALL = 0.5 * float(ndtri(0.95)) ** 2
"""Fall of the log likelihood at the ends of a 90 % interval: half the 90th percentile of chi-square with one degree."""
ITERATIONS = 12


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile likelihood of one parameter.

    Parameters
    ----------
    name : str
    z : (value,)
        Where it was held, in spreads from typical, the mode among them; rising.
    fall : (value,)
        By how much the log likelihood is below its highest there; not a number where the others could not follow.
    lower, upper : float
        The 90 % interval of ``z``; infinite where the data do not bound it within what was looked at.
    """

    name: str
    z: np.ndarray
    fall: np.ndarray
    lower: float
    upper: float


def compute_profiles(problem: Problem, mode: Mode, *, threads: int | None = None) -> tuple[Profile, ...]:
    """Return the profile likelihood of every free parameter.

    Parameters
    ----------
    mode : Mode
        The maximum a posteriori estimate with its covariance.
    """
    free, spread = len(problem.free), np.sqrt(np.diag(mode.covariance))
    held = np.repeat(np.arange(free), len(OFFSETS))
    step = np.tile(OFFSETS, free) * spread[held]
    step = np.clip(mode.z[held] + step, -FARTHEST, FARTHEST) - mode.z[held]
    # the others start where a normal posterior would have them
    starts = mode.z + step[:, None] * mode.covariance[held] / np.diag(mode.covariance)[held][:, None]
    starts = np.clip(starts, -FARTHEST, FARTHEST)
    starts[np.arange(len(held)), held] = mode.z[held] + step
    climb = climb_starts(problem, starts, held=held, iterations=ITERATIONS, threads=threads)
    value = climb.evaluation.value.reshape(free, -1)
    return tuple(
        create_profile(name, float(mode.z[j]), mode.log_posterior, starts[held == j, j], value[j])
        for j, name in enumerate(problem.names)
    )


def create_profile(name: str, centre: float, best: float, z: np.ndarray, value: np.ndarray) -> Profile:
    """Put the mode among the values held, take the prior of the parameter off, and find where the likelihood falls.

    Examples
    --------
    >>> z = np.array([-2.0, 2.0])
    >>> one = create_profile("kill", 0.0, 0.0, z, -0.5 * z**2 - 0.5 * z**2 / 0.5**2)
    >>> round(one.lower, 2), round(one.upper, 2)
    (-0.34, 0.34)
    """
    z, value = np.append(z, centre), np.append(np.where(np.isfinite(value), value, np.nan), best)
    order = np.argsort(z)
    z, likelihood = z[order], value[order] + 0.5 * z[order] ** 2
    fall = np.nanmax(likelihood) - likelihood
    top = int(np.nanargmin(fall))
    return Profile(name, z, fall, -find_end(-z[top::-1], fall[top::-1]), find_end(z[top:], fall[top:]))


def find_end(z: np.ndarray, fall: np.ndarray) -> float:
    """Return where, going up ``z``, the fall reaches `FALL`; infinite where it does not.

    Examples
    --------
    >>> find_end(np.array([0.0, 1.0]), np.array([0.0, 2 * FALL])), find_end(np.array([0.0, 1.0]), np.array([0.0, 0.4]))
    (0.5, inf)
    """
    beyond = np.flatnonzero(fall >= FALL)
    if len(beyond) == 0 or np.isnan(fall[: beyond[0]]).any():
        return float("inf")
    k = int(beyond[0])
    return float(z[k - 1] + (z[k] - z[k - 1]) * (FALL - fall[k - 1]) / (fall[k] - fall[k - 1]))
