r"""What to measure next: how much doubt about the reason each possible measurement would take away.

For each draw the measurement is made up with its noise; the draws are weighed by how well they predict it; and the
doubt that is left is the entropy of the weighed reasons. Averaged over draws and compared with the doubt now, this is
the mutual information between measurement and reason,

.. math::
    I = H(\text{reason}) - \mathrm{E}_y\, H(\text{reason} \mid y) \quad [\text{bit}]
"""

import numpy as np

REPLICATES = 2
"""Measurements made up for each draw."""


def compute_doubt(reasons: np.ndarray) -> np.ndarray:
    """Return the entropy of reasons, in bits.

    Parameters
    ----------
    reasons : (reason, ...)
        Probabilities that sum to 1 over the first axis.

    Examples
    --------
    >>> compute_doubt(np.array([[1.0, 0.5], [0.0, 0.5]])).tolist()
    [0.0, 1.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(reasons > 0, -reasons * np.log2(reasons), 0.0)
    return np.asarray(terms.sum(axis=0))


def compute_gain(predicted: np.ndarray, sd: float, reasons: np.ndarray, rng: np.random.Generator) -> float:
    """Return the expected reduction of doubt by one measurement, in bits.

    Parameters
    ----------
    predicted : (draw,)
        On the scale of the noise.
    sd : float
    reasons : (reason, draw)

    Examples
    --------
    >>> told = np.repeat([0.0, 10.0], 50)
    >>> reasons = np.array([told == 0, told > 0], dtype=float)
    >>> round(compute_gain(told, 0.1, reasons, np.random.default_rng(0)), 2)
    1.0
    >>> round(compute_gain(np.zeros(100), 0.1, reasons, np.random.default_rng(0)), 2)
    0.0
    """
    seen = np.tile(predicted, REPLICATES) + sd * rng.standard_normal(REPLICATES * len(predicted))
    log_weight = -0.5 * ((seen[:, None] - predicted[None]) / sd) ** 2
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    after = reasons @ (weight / weight.sum(axis=1, keepdims=True)).T
    return float(max(0.0, compute_doubt(reasons.mean(axis=1)) - compute_doubt(after).mean()))
