"""How far a prediction is from what was measured, in standard deviations of the noise and with a sign.

The square of a residual is twice the log likelihood that the prediction loses against a perfect one, so a course is
as probable as its residuals are short. A row known only to lie below or above a limit, or a count of zero, has a
likelihood that is flat on one side; it has no such residual and is left out.
"""

import numpy as np

from livingdrug.fit.likelihood import COUNT, INTERVAL, Rows, compute_count_terms, compute_scaled


def find_two_sided(rows: Rows) -> np.ndarray:
    """Return the places of the rows that a prediction can miss on either side."""
    is_measured = (rows.censored == 0) | (rows.censored == INTERVAL)
    return np.flatnonzero(is_measured & ~((rows.kind == COUNT) & (rows.value == 0)))


def compute_residuals(rows: Rows, predicted: np.ndarray) -> np.ndarray:
    """Return the residuals of the rows that `find_two_sided` finds.

    Parameters
    ----------
    predicted : (patient, row) [unit of the row's variable]

    Returns
    -------
    residual : (patient, two-sided row)
        Positive where more was measured than predicted; 0 where the prediction is not a number. Of an interval the
        distance from its middle, in units of its half width or of the noise, whichever is larger.

    Examples
    --------
    >>> one = np.array([0])
    >>> rows = Rows(one, one, np.log([2.0]), np.array([0.5]), np.array([0.0]), one + 1, one)
    >>> compute_residuals(rows, np.array([[2.0], [1.0]])).round(2).tolist()
    [[0.0], [1.39]]
    """
    kept = find_two_sided(rows)
    kind, sd, value = rows.kind[kept], rows.sd[kept], rows.value[kept]
    scaled = compute_scaled(predicted[:, kept], kind, rows.floor[kept])[0]
    is_interval = rows.censored[kept] == INTERVAL
    half = 0.5 * (value - rows.lower[kept]) if is_interval.any() else np.zeros(len(kept))
    with np.errstate(invalid="ignore", over="ignore"):
        middle, width = np.where(is_interval, value - half, value), np.where(is_interval, np.maximum(half, sd), sd)
        residual = (middle - scaled) / width
        if len(rows.freedom):
            residual = shorten_residuals(residual, rows.freedom[kept])
        is_count = kind == COUNT
        if is_count.any():
            residual[:, is_count] = compute_count_residuals(rows, predicted, kept[is_count])
    return np.where(np.isfinite(residual), residual, 0.0)


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


def compute_count_residuals(rows: Rows, predicted: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the deviance residuals of counts, (patient, place)."""
    exposure = rows.exposure[places] if len(rows.exposure) else np.ones(len(places))
    expected = np.maximum(predicted[:, places], 0.0) * exposure + rows.floor[places]
    count = np.broadcast_to(rows.value[places], expected.shape)
    spread = np.broadcast_to(rows.sd[places], expected.shape)
    loss = compute_count_terms(count, count, spread)[0] - compute_count_terms(count, expected, spread)[0]
    return np.asarray(np.sign(count - expected) * np.sqrt(2 * np.maximum(loss, 0.0)))
