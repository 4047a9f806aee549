"""From several starts to the distinct modes of one patient's posterior, all starts in each engine call.

Levenberg-Marquardt: the Gauss-Newton precision of the log posterior, its diagonal raised by a damping
factor that grows when a step fails. One engine call per iteration evaluates every start's trial point
with its derivatives, which is why starts cost little more than one.
"""

from dataclasses import dataclass

import numpy as np

from livingdrug.fit.problem import Evaluation, Problem, compute_log_posterior

LONGEST_STEP = 2.0
"""Longest step in ``z``, in spreads: beyond it the linearisation says nothing."""
FARTHEST = 6.0
"""Bound of each ``z``: six spreads from the typical patient nobody is found."""
DECREMENT = 2e-3
"""A start has converged when a full Newton step would gain less than this in log posterior."""


PATIENCE = 12
"""After so many engine calls it is enough that half of the starts, the best among them, have converged."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One mode of the posterior and its Laplace approximation.

    Parameters
    ----------
    z : (free,)
    log_posterior : float
        Up to the constant that all modes share.
    covariance : (free, free)
        Inverse of the Gauss-Newton precision there.
    is_converged : bool
    """

    z: np.ndarray
    log_posterior: float
    covariance: np.ndarray
    is_converged: bool


@dataclass(frozen=True, slots=True)
class Climb:
    """Where every start ended, and how many engine calls it took."""

    z: np.ndarray
    evaluation: Evaluation
    is_converged: np.ndarray
    iterations: int


def select_patients(evaluation: Evaluation, index: np.ndarray) -> Evaluation:
    """Return a copy of some patients' evaluation."""
    return Evaluation(
        evaluation.value[index], evaluation.gradient[index], evaluation.precision[index], evaluation.outcome[index]
    )


def store_patients(evaluation: Evaluation, index: np.ndarray, new: Evaluation, which: np.ndarray) -> None:
    """Overwrite, in place, the patients ``index[which]`` by the patients ``which`` of a new evaluation."""
    evaluation.value[index[which]] = new.value[which]
    evaluation.gradient[index[which]] = new.gradient[which]
    evaluation.precision[index[which]] = new.precision[which]
    evaluation.outcome[index[which]] = new.outcome[which]


def compute_step(evaluation: Evaluation, damping: np.ndarray) -> np.ndarray:
    """Return the damped Newton step of every start, (start, free), no longer than `LONGEST_STEP`."""
    diagonal = np.einsum("pff->pf", evaluation.precision)
    raised = evaluation.precision + damping[:, None, None] * diagonal[:, :, None] * np.eye(diagonal.shape[1])
    step = np.linalg.solve(raised, evaluation.gradient[:, :, None])[:, :, 0]
    length = np.sqrt((step * step).sum(axis=1, keepdims=True))
    return np.asarray(step * np.minimum(1.0, LONGEST_STEP / np.maximum(length, 1e-300)))


def hold_parameters(evaluation: Evaluation, held: np.ndarray | None) -> Evaluation:
    """Return the evaluation as seen by a climb that leaves one parameter of each start where it is."""
    if held is None:
        return evaluation
    start, gradient, precision = np.arange(len(held)), evaluation.gradient.copy(), evaluation.precision.copy()
    gradient[start, held] = 0.0
    precision[start, held, :] = 0.0
    precision[start, :, held] = 0.0
    precision[start, held, held] = 1.0
    return Evaluation(evaluation.value, gradient, precision, evaluation.outcome)


def compute_decrement(evaluation: Evaluation) -> np.ndarray:
    """Return what a full Newton step would gain in log posterior, (start,)."""
    newton = np.linalg.solve(evaluation.precision, evaluation.gradient[:, :, None])[:, :, 0]
    return np.asarray(0.5 * (newton * evaluation.gradient).sum(axis=1))


def is_settled(value: np.ndarray, is_converged: np.ndarray) -> bool:
    """Tell whether half of the starts have converged and none of the others stands higher."""
    if 2 * is_converged.sum() < len(value):
        return False
    return bool(value[is_converged].max() >= value.max() - DECREMENT)


def climb_starts(
    problem: Problem,
    starts: np.ndarray,
    *,
    lower: np.ndarray | None = None,
    held: np.ndarray | None = None,
    iterations: int = 24,
    threads: int | None = None,
) -> Climb:
    """Climb from every start at once.

    Parameters
    ----------
    starts : (start, free)
    lower : (start, free), optional
        Bounds under which a start must not fall.
    held : (start,) int, optional
        One parameter of each start that stays where it is.
    iterations : int
        Engine calls at most.

    Returns
    -------
    Climb
        A start whose integration fails keeps its last good place and is not converged; one within
        `DECREMENT` of a converged start's height counts as converged.
    """
    floor = np.full(starts.shape, -FARTHEST) if lower is None else np.maximum(lower, -FARTHEST)
    z = np.clip(starts, floor, FARTHEST)
    here = hold_parameters(compute_log_posterior(problem, z, with_gradient=True, threads=threads), held)
    damping = np.full(len(z), 1e-2)
    is_done = ~np.isfinite(here.value)
    is_converged = np.zeros(len(z), dtype=bool)
    calls = 1
    while calls < iterations:
        is_converged |= ~is_done & (compute_decrement(here) < DECREMENT)
        is_done |= is_converged
        active = np.flatnonzero(~is_done)
        if len(active) == 0 or (held is None and calls >= PATIENCE and is_settled(here.value, is_converged)):
            break
        now = select_patients(here, active)
        trial = np.clip(z[active] + compute_step(now, damping[active]), floor[active], FARTHEST)
        there = compute_log_posterior(problem, trial, with_gradient=True, threads=threads)
        there = hold_parameters(there, None if held is None else held[active])
        calls += 1
        is_better = there.value > now.value
        z[active[is_better]] = trial[is_better]
        store_patients(here, active, there, is_better)
        damping[active] = np.where(is_better, damping[active] / 5, damping[active] * 6)
        is_done[active] |= damping[active] > 1e8
    if is_converged.any() and held is None:
        is_converged |= np.abs(here.value - here.value[is_converged].max()) < DECREMENT
    return Climb(z, here, is_converged, calls)


def find_modes(climb: Climb, *, drop: float = 10.0, apart: float = 1.0) -> tuple[Mode, ...]:
    """Return the distinct ends of a climb, best first.

    Once a start has converged, one that has not counts only where it stands higher.

    Parameters
    ----------
    drop : float
        An end whose log posterior is this much below the best does not count.
    apart : float
        Two ends are one mode when nearer than this, in standard deviations of the better one.

    Returns
    -------
    tuple of Mode
        Empty when every start failed.
    """
    modes: list[Mode] = []
    value = climb.evaluation.value
    if climb.is_converged.any():
        best = value[climb.is_converged].max()
        value = np.where(climb.is_converged | (value > best), value, -np.inf)
    for i in np.argsort(-value, kind="stable"):
        if not np.isfinite(value[i]) or (modes and value[i] < modes[0].log_posterior - drop):
            break
        gaps = [climb.z[i] - mode.z for mode in modes]
        near = [gap @ np.linalg.solve(mode.covariance, gap) for gap, mode in zip(gaps, modes, strict=True)]
        if not near or min(near) > apart**2:
            covariance = np.linalg.inv(climb.evaluation.precision[i])
            symmetric = 0.5 * (covariance + covariance.T)
            modes.append(Mode(climb.z[i].copy(), float(value[i]), symmetric, bool(climb.is_converged[i])))
    return tuple(modes)
