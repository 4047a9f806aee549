r"""How probable the data are, given what a model predicts: noise on the log or natural scale, and censoring.

On its scale, a row observed exactly adds the log density of a normal distribution. A row known only
to lie below a limit ``L`` adds the probability of that (method M3 for left-censored concentrations):

.. math::
    \ell = -\tfrac12 u^2 - \ln(\sigma \sqrt{2\pi}), \quad u = (y - g)/\sigma
    \qquad\text{or}\qquad \ell = \ln \Phi\big((L - g)/\sigma\big)

where ``g`` is the prediction, its logarithm for multiplicative noise, or its logit for shares. A row known only to lie
above a limit is the mirror image.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import log_ndtr, logit

HALF_LOG_TWO_PI = 0.5 * float(np.log(2 * np.pi))
SMALLEST_SHARE = 1e-6
"""A share is kept at least this far from 0 and 1, so that its logit is finite."""

Kind = Literal["additive", "lognormal", "logitnormal"]
KINDS: tuple[Kind, ...] = ("additive", "lognormal", "logitnormal")


@dataclass(frozen=True, slots=True)
class Noise:
    """How one variable is measured.

    Parameters
    ----------
    kind : "additive", "lognormal" or "logitnormal"
        Noise in the variable's own unit, on its logarithm, or on the logit of a share.
    sd : float
        On that scale.
    limit : float
        Lower limit of quantification where a row brings none of its own; 0 for none.
    floor : float
        Added to a prediction before its logarithm is taken, in the variable's unit and far below ``limit``;
        a share is kept that far from 0 and 1, where an assay no longer resolves it.
    """

    kind: Kind
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
        The observed value, or the limit of a censored row, on the scale of the noise.
    sd, floor : (row,)
    kind : (row,) int8
        Place in `KINDS`.
    censored : (row,) int8
        0 observed, -1 the truth is below ``value``, +1 above.
    """

    output: np.ndarray
    time: np.ndarray
    value: np.ndarray
    sd: np.ndarray
    floor: np.ndarray
    kind: np.ndarray
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


def compute_scaled(values: np.ndarray, kind: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put values on the scale of their noise.

    Parameters
    ----------
    values : (..., row)
    kind, floor : (row,)

    Returns
    -------
    scaled, stretch : (..., row)
        The value on its scale, and how it moves there when the value moves.

    Examples
    --------
    >>> scaled, stretch = compute_scaled(np.array([2.0, 1.0, 0.5]), np.array([0, 1, 2]), np.zeros(3))
    >>> scaled.tolist(), stretch.tolist()
    ([2.0, 0.0, 0.0], [1.0, 1.0, 4.0])
    """
    positive = np.maximum(values, 0.0) + floor
    edge = np.maximum(floor, SMALLEST_SHARE)
    share = np.clip(values, edge, 1 - edge)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.choose(kind, (values, np.log(positive), logit(share)))
        by_log = np.where(values > 0, 1 / positive, 0.0)
        by_logit = np.where(share == values, 1 / (share * (1 - share)), 0.0)
    return scaled, np.choose(kind, (np.ones_like(values), by_log, by_logit))


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
    >>> rows = Rows(one, one, np.log([2.0]), np.array([0.5]), np.array([0.0]), one + 1, one)
    >>> at_truth = compute_log_likelihood(rows, np.array([[2.0]]))
    >>> at_truth.value.round(4).tolist(), at_truth.slope.tolist(), at_truth.curvature.tolist()
    ([-0.2258], [[0.0]], [[1.0]])
    """
    scaled, stretch = compute_scaled(predicted, rows.kind, rows.floor)
    with np.errstate(invalid="ignore"):
        u = (rows.value - scaled) / rows.sd
        sign = np.where(rows.censored > 0, -1.0, 1.0)
        log_phi, slope_phi, curvature_phi = compute_censored_terms(sign * u)
    is_exact = rows.censored == 0
    terms = np.where(is_exact, -0.5 * u * u - np.log(rows.sd) - HALF_LOG_TWO_PI, log_phi)
    slope = np.where(is_exact, u, -sign * slope_phi) / rows.sd * stretch
    curvature = np.where(is_exact, 1.0, curvature_phi) * (stretch / rows.sd) ** 2
    is_usable = np.asarray(np.isfinite(terms).all(axis=1))
    value = np.where(is_usable, np.where(np.isfinite(terms), terms, 0.0).sum(axis=1), -np.inf)
    keep = is_usable[:, None]
    return Likelihood(value, np.where(keep, slope, 0.0), np.where(keep, curvature, 0.0))
