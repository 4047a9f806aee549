"""Gradients of a log-likelihood with respect to the logarithms of twelve parameters.

Twenty days, CAR-T and tumour, log-normal noise of the amount plus one cell. Every engine runs at its loosest
tolerance (half decades, absolute: times the floor of each state) for which the median over patients of the gradient's
relative error (Euclidean norm) is below ``TARGET``. The share of patients beyond ``FAR`` is told beside it, because a
median hides them. The reference is this project's engine at 1e-10, which the tests check against central differences.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reference import Workload

TARGET = 1e-3
FAR = 1e-2
NOISE = 0.3
RTOLS = (1e-3, 3.16e-4, 1e-4, 3.16e-5, 1e-5, 3.16e-6, 1e-6, 3.16e-7, 1e-7, 3.16e-8, 1e-8)
COUNT = 12
DAYS = np.array([1, 3, 5, 7, 9, 11, 14, 17, 21, 28, 35, 45, 60, 75, 90, 120, 150, 180, 270, 365], dtype=float)


class Engine(Protocol):
    """What every engine answers."""

    def compute(self, work: Workload, measured: np.ndarray, rtol: float) -> tuple[np.ndarray, float]:
        """Return the gradient, (patient, name), and the seconds it took."""


@dataclass(frozen=True)
class Task:
    """The patients, what was measured of them, and the parameters that are free."""

    work: Workload
    measured: np.ndarray
    names: tuple[str, ...]

    def take(self, count: int) -> "Task":
        """Return the first patients."""
        return Task(self.work.take(slice(0, count)), self.measured[:count], self.names)


def build_task(work: Workload, look: Callable[[Workload], np.ndarray], patients: int, seed: int = 7) -> Task:
    """Make data from each patient's own trajectory; the free parameters are the first twelve that vary."""
    part = Workload(work.equations, work.parameters[:patients], DAYS, work.looked_at, work.cell)
    varies = np.flatnonzero(np.ptp(np.log(np.abs(work.parameters) + 1e-300), axis=0) > 1e-9)
    seen = look(part) + part.cell
    matters = [i for i in varies if is_felt(part, look, seen, int(i))]
    names = tuple(work.equations.model.parameter_names[i] for i in matters[:COUNT])
    noise = NOISE * np.random.default_rng(seed).standard_normal(seen.shape)
    return Task(part, seen * np.exp(noise), names)


def is_felt(part: Workload, look: Callable[[Workload], np.ndarray], seen: np.ndarray, column: int) -> bool:
    """Return whether a parameter changes what is measured."""
    moved = part.parameters[:8].copy()
    moved[:, column] *= 1.01
    few = Workload(part.equations, moved, part.times, part.looked_at, part.cell)
    return bool(np.median(np.abs((look(few) + part.cell) / seen[:8] - 1).max(axis=(1, 2))) > 1e-4)


def combine(seen: np.ndarray, derivative: np.ndarray, measured: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return the gradient, (patient, name).

    Parameters
    ----------
    seen : (patient, time, 2)
        Amount plus one cell.
    derivative : (patient, time, 2, name)
        With respect to the parameters themselves.
    measured : (patient, time, 2)
    scale : (patient, name)
        The parameters' values: the derivative is taken to their logarithms.
    """
    weight = np.log(measured / seen) / NOISE**2 / seen
    return np.einsum("ptq,ptqn->pn", weight, derivative) * scale


def compute_errors(gradient: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the relative error of each patient's gradient, (patient,); infinite where it failed."""
    difference = np.linalg.norm(gradient - reference, axis=1) / np.linalg.norm(reference, axis=1)
    return np.where(np.isfinite(difference), difference, np.inf)


def find_tolerance(engine: Engine, task: Task, reference: np.ndarray) -> dict[str, float]:
    """Return the loosest tolerance that meets the target, the median error and the share of patients far off."""
    few = task.take(len(reference))
    for rtol in RTOLS:
        errors = compute_errors(engine.compute(few.work, few.measured, rtol)[0], reference)
        if np.median(errors) <= TARGET:
            break
    return {"rtol": rtol, "error": float(np.median(errors)), "far": float(np.mean(errors > FAR))}


def measure(engine: Engine, task: Task, rtol: float, count: int) -> float:
    """Return gradients per second."""
    part = task.take(count)
    return count / engine.compute(part.work, part.measured, rtol)[1]
