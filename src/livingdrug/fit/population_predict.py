"""From candidate parameters of a population's patients to what their rows should read, by the engine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from livingdrug.engine.compile import Kernel
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.fit.likelihood import compute_scaled
from livingdrug.fit.problem import ACCURACY, MOST_STEPS, Free

Arrange = Callable[[np.ndarray, np.ndarray], Schedule | None]
"""``arrange(parameters, patient)``: the schedule of candidates (draw, parameter) of some patients (draw,)."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What predicts a population's rows; called as ``predict(z, patient)``.

    Parameters
    ----------
    kernel : Kernel
    typical : (patient, parameter)
        What is known of each patient; the free parameters are put in.
    free : tuple of Free
        Their scale; ``z`` is the logarithm, the logit or the value itself.
    times : (time,) [day]
    outputs : names
    time, output : (patient, row) int
        What predicts each row.
    noise : (patient, row) int8, (patient, row)
        Kind of each row's noise, and floor, as in :class:`livingdrug.fit.likelihood.Rows`.
    arrange : function
    threads : int, optional
    """

    kernel: Kernel
    typical: np.ndarray
    free: tuple[Free, ...]
    times: np.ndarray
    outputs: tuple[str, ...]
    time: np.ndarray
    output: np.ndarray
    noise: tuple[np.ndarray, np.ndarray]
    arrange: Arrange
    threads: int | None = None

    def __call__(self, z: np.ndarray, patient: np.ndarray) -> np.ndarray:
        """Return predictions (draw, row) on the scale of the noise; NaN where an integration failed."""
        parameters = self.typical[patient]
        for j, free in enumerate(self.free):
            parameters[:, free.column] = read_scaled(z[:, j], free)
        solution = solve(
            self.kernel,
            parameters,
            self.times,
            schedule=self.arrange(parameters, patient),
            keep=self.outputs,
            rtol=ACCURACY,
            threads=self.threads,
            max_steps=MOST_STEPS,
        )
        draw = np.arange(len(z))[:, None]
        values = solution.values[draw, self.time[patient], self.output[patient]]
        kind, floor = self.noise
        return np.asarray(compute_scaled(values, kind[patient], floor[patient])[0])


MOST = 600.0
"""Bound of a logarithm, so that a wild candidate is a large number and not an infinite one."""


def read_scaled(z: np.ndarray, free: Free) -> np.ndarray:
    """Return parameters from their own scale."""
    if free.scale == "lognormal":
        return np.asarray(np.exp(np.clip(z, -MOST, MOST)))
    return np.asarray(expit(z)) if free.scale == "logitnormal" else z


def write_scaled(value: float, free: Free) -> float:
    """Return a parameter on its own scale.

    Examples
    --------
    >>> write_scaled(0.5, Free("share", 0, "logitnormal", 0.1, 1.0))
    0.0
    """
    if free.scale == "lognormal":
        return float(np.log(value))
    return float(logit(value)) if free.scale == "logitnormal" else value
