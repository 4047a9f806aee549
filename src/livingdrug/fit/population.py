r"""A population of patients: what is measured, what is estimated, and how probable the data are.

Each patient's parameters, on the scale on which they are normal between patients, are

.. math::
    z_i \sim N(\mu, \Omega), \qquad y_{ij} = g_{ij}(z_i) + \sigma_{k(j)} \epsilon_{ij}

with ``y`` on the scale of its noise (a logarithm, say) and a standard deviation for each kind of measurement.
A row below its limit adds the probability of lying there. Estimated are :math:`\mu`, :math:`\Omega`, and each
:math:`\sigma_k`: by stochastic approximation (:mod:`livingdrug.fit.population_markov`) and by importance sampling
(:mod:`livingdrug.fit.population_importance`), two algorithms that share nothing but this page.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from livingdrug.core.errors import InputError
from livingdrug.fit.likelihood import HALF_LOG_TWO_PI

Predict = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""``predict(z, patient)``: (draw, free) and (draw,) to predictions (draw, row) on the scale of the noise."""

SMALLEST_SPREAD = 1e-3
"""A spread between patients, or a noise, below this cannot be told from none."""


@dataclass(frozen=True, slots=True)
class PopulationRows:
    """Measurements of many patients, on the scale of their noise.

    Parameters
    ----------
    value : (patient, row)
        The value, or the limit of a row below it; NaN where a patient has fewer rows.
    is_below : (patient, row) bool
    kind : (patient, row) int
        Which noise a row has.
    """

    value: np.ndarray
    is_below: np.ndarray
    kind: np.ndarray

    def __post_init__(self) -> None:
        shapes = {self.value.shape, self.is_below.shape, self.kind.shape}
        if len(shapes) != 1 or self.value.ndim != 2 or not len(self.value):
            raise InputError(
                f"rows of a population must be three arrays of one shape (patient, row), but were {sorted(shapes)}. "
                "Hint: fill up short patients with NaN."
            )

    @property
    def is_row(self) -> np.ndarray:
        """Where there is a measurement (patient, row)."""
        return np.asarray(~np.isnan(self.value))

    @property
    def kinds(self) -> int:
        """Number of noises."""
        return int(self.kind.max()) + 1


@dataclass(frozen=True, slots=True)
class PopulationProblem:
    """Measurements, and what predicts them; ``with_correlations`` estimates those between parameters too."""

    rows: PopulationRows
    predict: Predict
    with_correlations: bool = False


@dataclass(frozen=True, slots=True)
class PatientMoments:
    """Each patient's conditional mean (patient, free) and covariance (patient, free, free)."""

    means: np.ndarray
    covariances: np.ndarray


@dataclass(frozen=True, slots=True)
class PopulationValues:
    """What is estimated.

    Parameters
    ----------
    mean : (free,)
    covariance : (free, free)
        Between patients.
    noise : (kind,)
        Standard deviation of each kind of measurement.
    """

    mean: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation between patients (free,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))


def compute_row_terms(
    rows: PopulationRows, patient: np.ndarray, predicted: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Return the log density of each row (draw, row); 0 where there is none, minus infinity if not predicted."""
    sd = noise[rows.kind[patient]]
    u = (rows.value[patient] - predicted) / sd
    with np.errstate(invalid="ignore"):
        terms = np.where(rows.is_below[patient], log_ndtr(u), -0.5 * u * u - np.log(sd) - HALF_LOG_TWO_PI)
    terms = np.where(np.isfinite(terms), terms, -np.inf)
    return np.where(rows.is_row[patient], terms, 0.0)


def compute_squares(rows: PopulationRows, patient: np.ndarray, predicted: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return the expected squared noise of each row (draw, row), given what was seen of it; 0 where there is no row.

    Below a limit it is that of a normal distribution cut off there.

    Examples
    --------
    >>> rows = PopulationRows(np.array([[1.0, 0.0]]), np.array([[False, True]]), np.zeros((1, 2), dtype=int))
    >>> compute_squares(rows, np.array([0]), np.array([[3.0, 0.0]]), np.array([0.5])).tolist()
    [[4.0, 0.25]]
    """
    sd = noise[rows.kind[patient]]
    u = (rows.value[patient] - predicted) / sd
    with np.errstate(invalid="ignore", over="ignore"):
        slope = np.exp(-0.5 * u * u - HALF_LOG_TWO_PI - log_ndtr(u))
        squares = np.where(rows.is_below[patient], 1 - u * slope, u * u) * sd**2
    return np.where(rows.is_row[patient], np.nan_to_num(squares), 0.0)


def compute_normal(z: np.ndarray, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return the log density of normal distributions (draw,), with a mean and Cholesky factor each, or for all."""
    whitened = np.linalg.solve(root, (z - mean)[..., None])[..., 0]
    log_volume = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    return np.asarray(-0.5 * (whitened**2).sum(axis=-1) - log_volume - HALF_LOG_TWO_PI * z.shape[-1])


def sum_by_kind(rows: PopulationRows, squares: np.ndarray) -> np.ndarray:
    """Return squares (patient, row) added up over patients, one sum a kind."""
    return np.bincount(rows.kind.ravel(), weights=squares.ravel(), minlength=rows.kinds)


def count_by_kind(rows: PopulationRows) -> np.ndarray:
    """Return the number of rows of each kind."""
    return sum_by_kind(rows, rows.is_row.astype(float))


def check_start(rows: PopulationRows, start: PopulationValues) -> None:
    """Check that first values fit the rows.

    Raises
    ------
    InputError
        If shapes do not fit, or a spread or noise is not positive.
    """
    free = len(start.mean)
    if start.covariance.shape != (free, free) or start.noise.shape != (rows.kinds,):
        raise InputError(
            f"first values must have a covariance of {free} x {free} and {rows.kinds} noises, but had "
            f"{start.covariance.shape} and {start.noise.shape}. Hint: one noise for each kind of measurement."
        )
    if not (np.all(np.isfinite(start.mean)) and np.all(np.diag(start.covariance) > 0) and np.all(start.noise > 0)):
        raise InputError(
            "first values must be finite, with spreads and noises above 0, but were not. Hint: start wide."
        )
