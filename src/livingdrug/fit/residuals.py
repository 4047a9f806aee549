"""How far a prediction is from what was measured, in standard deviations of the noise and with a sign.

The square of a residual is twice the log likelihood that the prediction loses against a perfect one, so a course is
as probable as its residuals are short. A row known only to lie below or above a limit, or a count of zero, has a
likelihood that is flat on one side; it has no such residual and is left out.
"""

import numpy as np
from scipy.special import ndtri, stdtr

from livingdrug.fit.likelihood import COUNT, INTERVAL, Rows, compute_count_terms, compute_scaled


def find_two_sided(rows: Rows) -> np.ndarray:
    """Return the places of the rows that a prediction can miss on either side."""
    is_measured = (rows.censored == 0) | (rows.censored == INTERVAL)
    return np.flatnonzero(is_measured & ~((rows.kind == COUNT) & (rows.value == 0)))


class Ruler:
    """Measures residuals of one patient's rows; what does not depend on the prediction is prepared once.

    Parameters
    ----------
    rows : Rows

    Examples
    --------
    >>> one = np.array([0])
    >>> rows = Rows(one, one, np.log([2.0]), np.array([0.5]), np.array([0.0]), one + 1, one)
    >>> Ruler(rows).measure(np.array([[2.0], [1.0]])).round(2).tolist()
    [[0.0], [1.39]]
    """

    def __init__(self, rows: Rows) -> None:
        self.kept = kept = find_two_sided(rows)
        self.kind, self.floor = rows.kind[kept], rows.floor[kept]
        value, sd, is_interval = rows.value[kept], rows.sd[kept], rows.censored[kept] == INTERVAL
        half = 0.5 * (value - rows.lower[kept]) if is_interval.any() else np.zeros(len(kept))
        self.middle = np.where(is_interval, value - half, value)
        self.width = np.where(is_interval, np.maximum(half, sd), sd)
        self.freedom = rows.freedom[kept] if len(rows.freedom) else np.full(len(kept), np.inf)
        self.counts = np.flatnonzero(self.kind == COUNT)
        place = kept[self.counts]
        self.exposure = rows.exposure[place] if len(rows.exposure) else np.ones(len(place))
        self.least, self.count, self.spread = rows.floor[place], rows.value[place], rows.sd[place]

    def measure(self, predicted: np.ndarray) -> np.ndarray:
        """Return the residuals.

        Parameters
        ----------
        predicted : (patient, row) [unit of the row's variable]

        Returns
        -------
        residual : (patient, two-sided row)
            Positive where more was measured than predicted; 0 where the prediction is not a number. Of an interval
            the distance from its middle, in units of its half width or of the noise, whichever is larger.
        """
        own = predicted[:, self.kept]
        with np.errstate(invalid="ignore", over="ignore"):
            residual = (self.middle - compute_scaled(own, self.kind, self.floor)[0]) / self.width
            if not np.isinf(self.freedom).all():
                residual = shorten_residuals(residual, self.freedom)
            if len(self.counts):
                residual[:, self.counts] = self.measure_counts(own[:, self.counts])
        return np.where(np.isfinite(residual), residual, 0.0)

    def measure_counts(self, predicted: np.ndarray) -> np.ndarray:
        """Return the deviance residuals of counts, (patient, count)."""
        expected = np.maximum(predicted, 0.0) * self.exposure + self.least
        best = compute_count_terms(self.count, self.count, self.spread)[0]
        loss = best - compute_count_terms(self.count, expected, self.spread)[0]
        return np.asarray(np.sign(self.count - expected) * np.sqrt(2 * np.maximum(loss, 0.0)))


def shorten_residuals(residual: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Return residuals of rows whose noise follows a Student t, (patient, row): an outlier is less far away.

    Examples
    --------
    >>> shorten_residuals(np.array([[-2.0, -2.0]]), np.array([np.inf, 4.0])).round(3).tolist()
    [[-2.0, -1.862]]
    """
    nu = np.where(np.isinf(freedom), 1.0, freedom)
    tailed = np.sign(residual) * np.sqrt((nu + 1) * np.log1p(residual * residual / nu))
    return np.where(np.isinf(freedom), residual, tailed)


def normalise_residuals(residual: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Return residuals (draw, row) as normal ones that are as improbable as they are under their rows' Student t.

    Examples
    --------
    >>> normalise_residuals(np.array([[-2.0, -2.0, 40.0]]), np.array([np.inf, 4.0, 4.0])).round(3).tolist()
    [[-2.0, -1.571, 4.722]]
    """
    tailed = np.isfinite(freedom)
    if not tailed.any():
        return residual
    own = residual[:, tailed]
    normal = residual.copy()
    normal[:, tailed] = -np.sign(own) * ndtri(stdtr(freedom[tailed], -np.abs(own)))
    return normal


def list_freedom(rows: Rows) -> np.ndarray:
    """Return the degrees of freedom of each row; infinite where its noise is normal or it is below or above a limit."""
    own = rows.freedom if len(rows.freedom) else np.full(len(rows), np.inf)
    return np.where((rows.censored == 0) & (rows.kind != COUNT), own, np.inf)
