"""Where the draws of one patient are on their way from the prior to the posterior, and what is known of each place."""

from dataclasses import dataclass, field

import numpy as np

from livingdrug.fit.climb import FARTHEST
from livingdrug.fit.likelihood import compute_log_likelihood
from livingdrug.fit.problem import Problem, compute_log_prior, predict_rows
from livingdrug.fit.residuals import Ruler

SWITCH_SPREAD = 3.0
"""A parameter whose spread is at least this is a switch: nearly absent in most patients, decisive in some."""
SWITCHED_ON, SWITCHED_SHARE = 2.5, 0.4
"""Where a switch is on, in spreads from typical, and in what share of the draws it starts there."""


@dataclass(slots=True)
class Places:
    """Draws on their way; everything is changed in place where a draw moves.

    Parameters
    ----------
    z : (draw, free)
    start : (draw,)
        Log density of the start.
    fit : (draw,)
        Log density of the posterior over that of the start; minus infinity where the integration failed.
    residual : (draw, two-sided row)
        By how much the course of each place misses what was measured.
    origin : (draw,) int
        Draw of the start each comes from.
    """

    z: np.ndarray
    start: np.ndarray
    fit: np.ndarray
    residual: np.ndarray
    origin: np.ndarray

    def take(self, index: np.ndarray) -> "Places":
        """Return a copy of some draws, with repetition."""
        return Places(*(part[index] for part in (self.z, self.start, self.fit, self.residual, self.origin)))

    def put(self, index: np.ndarray, others: "Places", which: np.ndarray) -> None:
        """Move the draws ``index`` to the places ``which`` of others; where they come from stays as it is."""
        self.z[index], self.start[index] = others.z[which], others.start[which]
        self.fit[index], self.residual[index] = others.fit[which], others.residual[which]


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
    value = compute_log_prior(problem, z)
    for j in find_switches(problem):
        # ratio of the two normal densities: exp(a z - a^2 / 2)
        on = np.log(SWITCHED_SHARE) + SWITCHED_ON * z[:, j] - 0.5 * SWITCHED_ON**2
        value = value + np.logaddexp(np.log(1 - SWITCHED_SHARE), on)
    return np.asarray(value)


def is_near(z: np.ndarray) -> np.ndarray:
    """Tell which places (draw, free) are near enough to the typical patient to be anybody's."""
    return np.asarray(np.abs(z).max(axis=1) <= FARTHEST)


@dataclass(slots=True)
class Survey:
    """How places of one patient are looked at, one engine call each time.

    Parameters
    ----------
    problem : Problem
    threads : int, optional
        Workers of the engine; nothing depends on it.
    courses : int
        Courses computed so far.
    """

    problem: Problem
    threads: int | None = None
    courses: int = 0
    ruler: Ruler = field(init=False)

    def __post_init__(self) -> None:
        self.ruler = Ruler(self.problem.rows)

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Return what places (draw, free) predict for every row, (draw, row)."""
        self.courses += len(z)
        inside = np.clip(z, -2 * FARTHEST, 2 * FARTHEST)
        return predict_rows(self.problem, inside, threads=self.threads)

    def evaluate(self, z: np.ndarray) -> Places:
        """Return all that is known of places (draw, free)."""
        return self.judge(z, self.predict(z))

    def judge(self, z: np.ndarray, predicted: np.ndarray) -> Places:
        """Return all that is known of places (draw, free) whose courses predict ``predicted`` (draw, row)."""
        start = compute_start(self.problem, z)
        value = compute_log_prior(self.problem, z) + compute_log_likelihood(self.problem.rows, predicted).value - start
        fit = np.where(is_near(z), value, -np.inf)
        return Places(z.copy(), start, fit, self.ruler.measure(predicted), np.arange(len(z)))
