r"""How probable the data are, given what a model predicts: noise on the log or natural scale, and censoring.

On its scale, a row observed exactly adds the log density of a normal distribution. A row known only
to lie below a limit ``L`` adds the probability of that (method M3 for left-censored concentrations):

.. math::
    \ell = -\tfrac12 u^2 - \ln(\sigma \sqrt{2\pi}), \quad u = (y - g)/\sigma
    \qquad\text{or}\qquad \ell = \ln \Phi\big((L - g)/\sigma\big)

where ``g`` is the prediction, or its logarithm for multiplicative noise. A row known only to lie
above a limit is the mirror image.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import log_ndtr

HALF_LOG_TWO_PI = 0.5 * float(np.log(2 * np.pi))


@dataclass(frozen=True, slots=True)
class Noise:
    """How one variable is measured.

    Parameters
    ----------
    kind : "lognormal" or "additive"
        Multiplicative noise (``sd`` of the logarithm) or noise in the variable's own unit.
    sd : float
    limit : float
        Lower limit of quantification where a row brings none of its own; 0 for none.
    floor : float
        Added to a prediction before its logarithm is taken, in the variable's unit; far below ``limit``.
    """

    kind: Literal["lognormal", "additive"]
    sd: float
    limit: float = 0.0
    floor: float = 1e-12


@dataclass(frozen=True, slots=True)
class Rows:
    """Observations as arrays, each on the scale of its noise.

    Parameters
    ----------
    output, time : (row,) int
        Which output at which report time predicts the row.
    value : (row,)
        The observed value, or the limit of a censored row; a logarithm where ``is_log``.
    sd, floor : (row,)
    is_log : (row,) bool
    censored : (row,) int8
        0 observed, -1 the truth is below ``value``, +1 above.
    """

    output: np.ndarray
    time: np.ndarray
    value: np.ndarray
    sd: np.ndarray
    floor: np.ndarray
    is_log: np.ndarray
    censored: np.ndarray

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Log-likelihood of many patients, and how it changes with each predicted value.

    Parameters
    ----------
    value : (patient,)
        Minus infinity where a prediction is not a number.
    slope, curvature : (patient, row)
        First derivative with respect to the prediction, and the Gauss-Newton part of minus the second.
    """

    value: np.ndarray
    slope: np.ndarray
    curvature: np.ndarray


def compute_censored_terms(margin: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``ln Phi(u)``, its first derivative and minus its second, without overflow for very negative ``u``.

    Examples
    --------
    >>> value, slope, curvature = compute_censored_terms(np.array([0.0, -40.0]))
    >>> value.round(4).tolist(), slope.round(3).tolist(), curvature.round(3).tolist()
    ([-0.6931, -804.6084], [0.798, 40.025], [0.637, 0.999])
    """
    value = log_ndtr(margin)
    slope = np.exp(-0.5 * margin * margin - HALF_LOG_TWO_PI - value)
    return value, slope, slope * (slope + margin)


def compute_log_likelihood(rows: Rows, predicted: np.ndarray) -> Likelihood:
    """Compare predictions with the rows.

    Parameters
    ----------
    rows : Rows
    predicted : (patient, row) [unit of the row's variable]
        Noise-free predictions; small negative values from rounding count as 0.

    Returns
    -------
    Likelihood

    Examples
    --------
    >>> one = np.array([0])
    >>> rows = Rows(one, one, np.log([2.0]), np.array([0.5]), np.array([0.0]), one == 0, one)
    >>> at_truth = compute_log_likelihood(rows, np.array([[2.0]]))
    >>> at_truth.value.round(4).tolist(), at_truth.slope.tolist(), at_truth.curvature.tolist()
    ([-0.2258], [[0.0]], [[1.0]])
    """
    bounded = np.maximum(predicted, 0.0) + rows.floor
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(rows.is_log, np.log(bounded), predicted)
        stretch = np.where(rows.is_log, np.where(predicted > 0, 1.0 / bounded, 0.0), 1.0)
        u = (rows.value - scaled) / rows.sd
        sign = np.where(rows.censored > 0, -1.0, 1.0)
        log_phi, slope_phi, curvature_phi = compute_censored_terms(sign * u)
    is_exact = rows.censored == 0
    terms = np.where(is_exact, -0.5 * u * u - np.log(rows.sd) - HALF_LOG_TWO_PI, log_phi)
    slope = np.where(is_exact, u, -sign * slope_phi) / rows.sd * stretch
    curvature = np.where(is_exact, 1.0, curvature_phi) * (stretch / rows.sd) ** 2
    is_usable = np.isfinite(terms).all(axis=1)
    value = np.where(is_usable, np.where(np.isfinite(terms), terms, 0.0).sum(axis=1), -np.inf)
    keep = is_usable[:, None]
    return Likelihood(value, np.where(keep, slope, 0.0), np.where(keep, curvature, 0.0))
