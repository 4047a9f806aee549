r"""Standard errors of population values from weighted draws of every patient.

The information about all values together is what complete data would hold less what is missing (Louis 1982),

.. math::
    I = \sum_i \big(E_i[B] - \mathrm{Cov}_i[S]\big)

with the score :math:`S` and the negative Hessian :math:`B` of one patient's complete data, under the patient's
conditional distribution. Means, logarithms of spreads and of noises are taken together: where a mean is known from a
part of the patients only, it hangs on its spread. Draws are finite in number; what that adds is added,

.. math::
    V = I^{-1} + I^{-1} \Big(\sum_i \sum_d w_{id}^2 (S_{id} - \bar S_i)(S_{id} - \bar S_i)^T\Big) I^{-1}
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from livingdrug.fit.likelihood import HALF_LOG_TWO_PI
from livingdrug.fit.population import PopulationRows, PopulationValues, compute_squares


@dataclass(frozen=True, slots=True)
class PatientDraws:
    """Weighted draws of every patient and what they predict.

    Parameters
    ----------
    z : (patient, draw, free)
    weights : (patient, draw)
        Each patient's sum to 1.
    patient : (patient * draw,) int
    predicted : (patient * draw, row)
        On the scale of the noise.
    """

    z: np.ndarray
    weights: np.ndarray
    patient: np.ndarray
    predicted: np.ndarray

    def average(self, of_draws: np.ndarray) -> np.ndarray:
        """Return the weighted mean of each patient's draws (patient, draw, ...)."""
        return np.asarray(np.einsum("pd,pd...->p...", self.weights, of_draws))


def compute_errors(
    rows: PopulationRows, values: PopulationValues, draws: PatientDraws
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return standard errors of means, and of the logarithms of spreads and noises.

    Infinite where the data do not inform about every direction. Correlations between parameters are taken as known:
    where they are estimated too, the errors are somewhat larger than said here.
    """
    free = len(values.mean)
    by_noise, curvature = compute_noise_terms(rows, values, draws)
    scores = np.concatenate([compute_prior_scores(draws.z, values), by_noise], axis=2)
    scores = np.where(draws.weights[:, :, None] > 0, scores, 0.0)
    gap = scores - draws.average(scores)[:, None]
    weights = draws.weights
    missing = np.einsum("pd,pds,pdt->pst", weights, gap, gap)
    # a few draws show too little of their spread
    missing = missing / np.maximum(1 - (weights**2).sum(axis=1), 1 / weights.shape[1])[:, None, None]
    information = -missing.sum(axis=0)
    information[: 2 * free, : 2 * free] += compute_prior_curvature(draws, values)
    information[2 * free :, 2 * free :] += np.diag(curvature)
    information = 0.5 * (information + information.T)
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0:
        errors = np.full(len(information), np.inf)
    else:
        inverse = np.linalg.inv(information)
        by_draws = np.einsum("pd,pds,pdt->st", weights**2, gap, gap)
        errors = np.sqrt(np.diag(inverse + inverse @ by_draws @ inverse))
    return errors[:free], errors[free : 2 * free], errors[2 * free :]


def compute_prior_scores(z: np.ndarray, values: PopulationValues) -> np.ndarray:
    """Return slopes of the log density between patients in means and log spreads, (..., 2 * free).

    Correlations are held.

    Examples
    --------
    >>> values = PopulationValues(np.zeros(1), np.array([[4.0]]), np.ones(1))
    >>> compute_prior_scores(np.array([[4.0]]), values).tolist()
    [[1.0, 3.0]]
    """
    gap, inverse = _standardise(z, values)
    pull = gap @ inverse
    return np.concatenate([pull / values.spread, gap * pull - 1], axis=-1)


def compute_prior_curvature(draws: PatientDraws, values: PopulationValues) -> np.ndarray:
    """Return the negative Hessian of the log density between patients, expected and summed (2 * free, 2 * free)."""
    gap, inverse = _standardise(draws.z, values)
    first = draws.average(gap).sum(axis=0)
    second = np.einsum("pd,pdf,pdg->fg", draws.weights, gap, gap)
    of_means = inverse / np.outer(values.spread, values.spread) * len(draws.z)
    across = (np.diag(first @ inverse) + inverse * first) / values.spread[:, None]
    of_spreads = np.diag((second * inverse).sum(axis=1)) + second * inverse
    return np.block([[of_means, across], [across.T, of_spreads]])


def compute_noise_terms(
    rows: PopulationRows, values: PopulationValues, draws: PatientDraws
) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes in log noises (patient, draw, kind), and the negative curvatures, expected and summed (kind,)."""
    shape = (*draws.weights.shape, -1)
    sd = values.noise[rows.kind[draws.patient]]
    squares = compute_squares(rows, draws.patient, draws.predicted, values.noise) / sd**2
    is_row, is_below = rows.is_row[draws.patient], rows.is_below[draws.patient]
    slope = np.where(is_row, squares - 1, 0.0).reshape(shape)
    u = np.where(is_below, (rows.value[draws.patient] - draws.predicted) / sd, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.exp(-0.5 * u * u - HALF_LOG_TWO_PI - log_ndtr(u))
        below = u * ratio * (u * (u + ratio) - 1)
    bend = np.where(is_row, np.where(is_below, np.nan_to_num(below), 2 * squares), 0.0).reshape(shape)
    bend = np.where(draws.weights[:, :, None] > 0, bend, 0.0)
    kinds = np.eye(rows.kinds)[rows.kind]
    return np.einsum("pdr,prk->pdk", slope, kinds), np.einsum("pd,pdr,prk->k", draws.weights, bend, kinds)


def _standardise(z: np.ndarray, values: PopulationValues) -> tuple[np.ndarray, np.ndarray]:
    """Return gaps to the mean in spreads (..., free), and the inverse of the correlations (free, free)."""
    correlation = values.covariance / np.outer(values.spread, values.spread)
    return np.asarray((z - values.mean) / values.spread), np.asarray(np.linalg.inv(correlation))
