"""The few directions in which a patient's data say more than the prior, and the many in which they do not.

With a prior that is standard normal in ``w = L^T z`` (precision ``L L^T``), a direction is informed as far as the
residuals change along it: the eigenvectors of the mean of ``log(1 + J^T J)`` over draws, ``J`` being the residuals'
derivatives (likelihood-informed subspace; Cui 2014, with the logarithm because one direction may outweigh all others
by four orders of magnitude in one draw and not in the next).
"""

from dataclasses import dataclass

import numpy as np

from livingdrug.fit.places import Places, Survey

STEP = 0.03
"""Step of the difference by which residuals are differentiated, in standard deviations of the prior."""
INFORMED = 0.25
"""A direction counts as informed when its mean ``log(1 + J^T J)`` is at least this."""
FEWEST, MOST = 2, 9
"""Informed directions, at least and at most."""
LEARNED_FROM = 32
"""Draws that the directions are learned from."""


@dataclass(frozen=True, slots=True)
class InformedDirections:
    """Coordinates ``a`` along informed directions, and ``b`` along the others.

    Parameters
    ----------
    whiten, colour : (free, free)
        ``w = z @ whiten`` and back, ``z = w @ colour``.
    informed : (free, informed)
    rest : (free, others)
    """

    whiten: np.ndarray
    colour: np.ndarray
    informed: np.ndarray
    rest: np.ndarray

    def split(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ``a`` and ``b`` of ``z`` (draw, free)."""
        w = z @ self.whiten
        return w @ self.informed, w @ self.rest

    def join(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return ``z`` of ``a`` and ``b``: the inverse of `split`."""
        return np.asarray((a @ self.informed.T + b @ self.rest.T) @ self.colour)

    def differentiate(self, places: Places, survey: Survey) -> np.ndarray:
        """Return how the residuals change along each informed direction, (draw, row, informed)."""
        return differentiate(places, self.informed.T @ self.colour, survey)


def differentiate(places: Places, directions: np.ndarray, survey: Survey) -> np.ndarray:
    """Return the residuals' derivatives along directions (direction, free) by forward differences."""
    count = len(directions)
    ahead = np.repeat(places.z, count, axis=0) + STEP * np.tile(directions, (len(places.z), 1))
    predicted = survey.predict(ahead)
    change = survey.ruler.measure(predicted) - np.repeat(places.residual, count, axis=0)
    # where a course cannot be followed nothing is known of its change
    change[~np.isfinite(predicted).all(axis=1)] = 0.0
    change = change.reshape(len(places.z), count, -1)
    return np.asarray(np.swapaxes(change, 1, 2) / STEP)


def learn_directions(
    places: Places, survey: Survey, temperature: float, rng: np.random.Generator
) -> InformedDirections:
    """Learn which directions are informed at a temperature, from some of the draws."""
    whiten = np.linalg.cholesky(survey.problem.precision)
    colour = np.linalg.inv(whiten)
    chosen = rng.choice(len(places.z), min(LEARNED_FROM, len(places.z)), replace=False)
    derivatives = differentiate(places.take(chosen), colour, survey)
    value, vector = np.linalg.eigh(temperature * np.swapaxes(derivatives, 1, 2) @ derivatives)
    mean = np.mean((vector * np.log1p(np.maximum(value, 0.0))[:, None, :]) @ np.swapaxes(vector, 1, 2), axis=0)
    value, vector = np.linalg.eigh(mean)
    most = max(1, min(MOST, len(value) - 1))
    count = int(np.clip((value > INFORMED).sum(), min(FEWEST, most), most))
    order = np.arange(len(value))[::-1]
    return InformedDirections(whiten, colour, vector[:, order[:count]], vector[:, order[count:]])
