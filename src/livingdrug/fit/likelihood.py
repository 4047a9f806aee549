r"""How probable the data are, given what a model predicts: noise, censoring, counts, outliers.

On its scale, a row observed exactly adds the log density of a normal distribution. A row known only
to lie below a limit ``L`` adds the probability of that (method M3 for left-censored concentrations), a row known to
lie between two limits the probability of the interval:

.. math::
    \ell = -\tfrac12 u^2 - \ln(\sigma \sqrt{2\pi}), \quad u = (y - g)/\sigma
    \qquad\text{or}\qquad \ell = \ln \Phi\big((L - g)/\sigma\big)
    \qquad\text{or}\qquad \ell = \ln\Big(\Phi\big((U - g)/\sigma\big) - \Phi\big((L - g)/\sigma\big)\Big)

where ``g`` is the prediction, its logarithm for multiplicative noise, or its logit for shares. A row known only to lie
above a limit is the mirror image. With finite degrees of freedom an exact row follows a Student t instead, so
that an outlier counts less. A count follows a negative binomial distribution: Poisson at heart, with an
overdispersion ``sigma`` on the log scale, :math:`\mathrm{var} = \lambda + (\sigma \lambda)^2`.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Literal

import numpy as np
from scipy.special import gammaln, log_ndtr, logit

HALF_LOG_TWO_PI = 0.5 * float(np.log(2 * np.pi))
SMALLEST_SHARE = 1e-6
"""A share is kept at least this far from 0 and 1, so that its logit is finite."""

Kind = Literal["additive", "lognormal", "logitnormal", "count"]
KINDS: tuple[Kind, ...] = ("additive", "lognormal", "logitnormal", "count")
COUNT = KINDS.index("count")
INTERVAL = 2
"""Code in ``Rows.censored`` of a row that is known to lie between ``lower`` and ``value``."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How one variable is measured.

    Parameters
    ----------
    kind : "additive", "lognormal", "logitnormal" or "count"
        Noise in the variable's own unit, on its logarithm, on the logit of a share, or of counted cells.
    sd : float
        On that scale; of a count the overdispersion.
    limit : float
        Lower limit of quantification where a row brings none of its own; 0 for none. A count is the value in
        units of its limit: what one cell among those looked at would give.
    floor : float
        Added to a prediction before its logarithm is taken, in the variable's unit and far below ``limit``;
        a share is kept that far from 0 and 1, where an assay no longer resolves it.
    output : str
        Of the model, where it is called otherwise than the variable.
    factor : float
        The output's units in one of the variable's.
    freedom : float
        Degrees of freedom of exact rows; infinite is the normal distribution.
    """

    kind: Kind
    sd: float
    limit: float = 0.0
    floor: float = 1e-12
    output: str = ""
    factor: float = 1.0
    freedom: float = inf


@dataclass(frozen=True, slots=True)
class Rows:
    """Observations as arrays, each on the scale of its noise.

    Parameters
    ----------
    output, time : (row,) int
        Which output at which report time predicts the row.
    value : (row,)
        The observed value, the limit of a censored row, or the upper limit of an interval, on the scale of the noise.
    sd, floor : (row,)
    kind : (row,) int8
        Place in `KINDS`.
    censored : (row,) int8
        0 observed, -1 the truth is below ``value``, +1 above, 2 between ``lower`` and ``value``.
    lower : (row,), optional
        Lower limits of intervals, on the scale of the noise.
    freedom : (row,), optional
        Degrees of freedom; all infinite where left out.
    exposure : (row,), optional
        Counts in one unit of the output.
    """

    output: np.ndarray
    time: np.ndarray
    value: np.ndarray
    sd: np.ndarray
    floor: np.ndarray
    kind: np.ndarray
    censored: np.ndarray
    lower: np.ndarray = field(default_factory=lambda: np.zeros(0))
    freedom: np.ndarray = field(default_factory=lambda: np.zeros(0))
    exposure: np.ndarray = field(default_factory=lambda: np.zeros(0))

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
    scaled, stretch = np.array(values, dtype=float), np.ones_like(values, dtype=float)
    by_log, by_logit = kind == KINDS.index("lognormal"), kind == KINDS.index("logitnormal")
    if by_log.any():
        own = values[..., by_log]
        positive = np.maximum(own, 0.0) + floor[by_log]
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled[..., by_log] = np.log(positive)
            stretch[..., by_log] = np.where(own > 0, 1 / positive, 0.0)
    if by_logit.any():
        own, edge = values[..., by_logit], np.maximum(floor[by_logit], SMALLEST_SHARE)
        share = np.clip(own, edge, 1 - edge)
        scaled[..., by_logit] = logit(share)
        stretch[..., by_logit] = np.where(share == own, 1 / (share * (1 - share)), 0.0)
    return scaled, stretch


def compute_interval_terms(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``ln(Phi(high) - Phi(low))``, its derivative when both rise, and minus its second.

    Examples
    --------
    >>> value, slope, curvature = compute_interval_terms(np.array([-1.0, 30.0]), np.array([1.0, 31.0]))
    >>> value.round(4).tolist(), slope.round(3).tolist()
    ([-0.3817, -454.3212], [0.0, -30.033])
    """
    is_high = low > 0
    near, far = np.where(is_high, -low, high), np.where(is_high, -high, low)
    log_near, log_far = log_ndtr(near), log_ndtr(far)
    value = log_near + np.log(-np.expm1(np.minimum(log_far - log_near, -1e-12)))
    at_high, at_low = (np.exp(-0.5 * edge * edge - HALF_LOG_TWO_PI - value) for edge in (high, low))
    slope = at_high - at_low
    return value, slope, np.maximum(at_high * high - at_low * low + slope * slope, 0.0)


def compute_exact_terms(u: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the log density of a standard Student t at ``u``, minus its slope, and the weight of a row.

    Examples
    --------
    >>> value, slope, weight = compute_exact_terms(np.array([2.0, 2.0]), np.array([np.inf, 4.0]))
    >>> value.round(4).tolist(), slope.tolist(), weight.tolist()
    ([-2.9189, -2.7137], [2.0, 1.25], [1.0, 0.625])
    """
    is_normal = np.isinf(freedom)
    if is_normal.all():
        return -0.5 * u * u - HALF_LOG_TWO_PI, u, np.ones_like(u)
    nu = np.where(is_normal, 1.0, freedom)
    weight = np.where(is_normal, 1.0, (nu + 1) / (nu + u * u))
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    tailed = constant - (nu + 1) / 2 * np.log1p(u * u / nu)
    return np.where(is_normal, -0.5 * u * u - HALF_LOG_TWO_PI, tailed), u * weight, weight


def compute_count_terms(
    count: np.ndarray, expected: np.ndarray, overdispersion: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the log probability of a count, its derivative by what is expected, and the expected curvature.

    Examples
    --------
    >>> value, slope, curvature = compute_count_terms(np.array([0.0, 3.0]), np.array([1.0, 3.0]), np.full(2, 1e-4))
    >>> value.round(3).tolist(), slope.round(3).tolist(), curvature.round(3).tolist()
    ([-1.0, -1.496], [-1.0, 0.0], [1.0, 0.333])
    """
    size = 1 / np.maximum(overdispersion, 1e-4) ** 2
    mean = np.maximum(expected, 1e-300)
    value = gammaln(count + size) - gammaln(size) - gammaln(count + 1) + count * (np.log(mean) - np.log(mean + size))
    value = value - size * np.log1p(mean / size)
    information = 1 / (mean * (1 + mean / size))
    return value, (count - mean) * information, information


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
    freedom = rows.freedom if len(rows.freedom) else np.full(len(rows), inf)
    is_exact = rows.censored == 0
    terms, slope, curvature = np.empty_like(scaled), np.empty_like(scaled), np.empty_like(scaled)
    with np.errstate(invalid="ignore", over="ignore"):
        u = (rows.value - scaled) / rows.sd
        exact, weighted, weight = compute_exact_terms(u[:, is_exact], freedom[is_exact])
        side = np.where(rows.censored[~is_exact] == 1, -1.0, 1.0)
        log_phi, slope_phi, curvature_phi = compute_censored_terms(side * u[:, ~is_exact])
        terms[:, is_exact], terms[:, ~is_exact] = exact - np.log(rows.sd[is_exact]), log_phi
        slope[:, is_exact], slope[:, ~is_exact] = weighted, -side * slope_phi
        curvature[:, is_exact], curvature[:, ~is_exact] = weight, curvature_phi
        slope *= stretch / rows.sd
        curvature *= (stretch / rows.sd) ** 2
    for place in np.flatnonzero((rows.censored == INTERVAL) | (rows.kind == COUNT)):
        terms[:, place], slope[:, place], curvature[:, place] = compute_special_row(
            rows, int(place), predicted[:, place], scaled[:, place], stretch[:, place]
        )
    is_usable = np.asarray(np.isfinite(terms).all(axis=1))
    value = np.where(is_usable, np.where(np.isfinite(terms), terms, 0.0).sum(axis=1), -np.inf)
    keep = is_usable[:, None]
    return Likelihood(value, np.where(keep, slope, 0.0), np.where(keep, curvature, 0.0))


def compute_special_row(
    rows: Rows, place: int, predicted: np.ndarray, scaled: np.ndarray, stretch: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the terms of one row that is a count or an interval: value, slope and curvature, (patient,)."""
    if rows.kind[place] == COUNT:
        exposure = rows.exposure[place] if len(rows.exposure) else 1.0
        expected = np.maximum(predicted, 0.0) * exposure + rows.floor[place]
        value, slope, curvature = compute_count_terms(rows.value[place], expected, rows.sd[place])
        return value, slope * exposure, curvature * exposure**2
    with np.errstate(invalid="ignore"):
        low, high = ((edge - scaled) / rows.sd[place] for edge in (rows.lower[place], rows.value[place]))
        value, slope, curvature = compute_interval_terms(low, high)
    return value, -slope / rows.sd[place] * stretch, curvature * (stretch / rows.sd[place]) ** 2
