"""Do the data look like the model at all? Posterior predictive checks of every row and every variable.

For each posterior draw, what was observed is compared with what that patient would give again: the residual of each
row, the sum of squares of each variable, and whether neighbouring residuals of a variable go the same way
(a course of another shape). Each probability is averaged over the draws. Such averages are conservative, because
the draws were fitted to the same data: a small one is a strong sign.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr

from livingdrug.fit.likelihood import COUNT, Rows, compute_scaled
from livingdrug.fit.residuals import list_freedom, normalise_residuals

FEWEST = 5
"""Rows of a variable below which the shape of its course is not judged."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """What the predictive checks say.

    Parameters
    ----------
    flag : bool
        Whether the model cannot reproduce the data.
    why : str
        In words; empty where nothing stands out.
    probability : float
        The smallest predictive probability, corrected for how many were looked at.
    """

    flag: bool
    why: str
    probability: float


def compute_row_probabilities(rows: Rows, residual: np.ndarray) -> np.ndarray:
    """Return the predictive probability of a row as extreme as each, (row,); 1 for counts and intervals.

    Parameters
    ----------
    residual : (draw, row)
        Observed less predicted, in standard deviations of the noise.
    """
    both = 2 * ndtr(-np.abs(residual))
    each = np.select(
        [rows.censored == 0, rows.censored == -1, rows.censored == 1], [both, ndtr(residual), ndtr(-residual)], 1.0
    )
    return np.asarray(np.where(rows.kind == COUNT, 1.0, each.mean(axis=0)))


def compute_course_probability(residual: np.ndarray) -> tuple[float, float]:
    """Return the predictive probabilities of a variable's sum of squares and of how neighbours go together.

    Parameters
    ----------
    residual : (draw, row)
        Of one variable, in order of day.

    Examples
    --------
    >>> [round(p, 3) for p in compute_course_probability(np.array([[1.0, -1.0, 1.0, -1.0, 1.0]]))]
    [0.416, 0.046]
    """
    count = residual.shape[1]
    squares = float(chdtrc(count, (residual * residual).sum(axis=1)).mean())
    if count < FEWEST:
        return squares, 1.0
    together = (residual[:, 1:] * residual[:, :-1]).sum(axis=1) / np.sqrt(count - 1)
    return squares, float((2 * ndtr(-np.abs(together))).mean())


def check_fit(rows: Rows, predicted: np.ndarray, outputs: Sequence[str], times: np.ndarray, *, least: float) -> Misfit:
    """Compare the rows with what the posterior predicts.

    Parameters
    ----------
    predicted : (draw, row) [unit of the row's variable]
    outputs : names of the outputs that ``rows.output`` counts
    times : (time,) [day]
    least : float
        Predictive probability below which the data do not look like the model.
    """
    known = predicted[np.isfinite(predicted).all(axis=1)]
    if len(rows) == 0 or len(known) == 0:
        return Misfit(len(rows) > 0, "no draw could be integrated" if len(rows) > 0 else "", 1.0)
    residual = (rows.value - compute_scaled(known, rows.kind, rows.floor)[0]) / rows.sd
    residual = normalise_residuals(residual, list_freedom(rows))
    each = compute_row_probabilities(rows, residual)
    worst = int(np.argmin(each))
    name, day = outputs[rows.output[worst]], times[rows.time[worst]]
    found = [(float(each[worst]) * len(rows), f"{name} on day {day:g} lies outside of what the model can give")]
    for place, output in enumerate(outputs):
        of_it = (rows.output == place) & (rows.censored == 0) & (rows.kind != COUNT)
        if not of_it.any():
            continue
        squares, together = compute_course_probability(residual[:, of_it])
        found.append((squares * len(outputs), f"{output} scatters more around the model than its assay explains"))
        found.append((together * len(outputs), f"the course of {output} has another shape than the model can give"))
    probability, why = min(found)
    is_flagged = probability < least
    return Misfit(is_flagged, why if is_flagged else "", min(1.0, probability))
