r"""Probability that a predicted course fails by a given day, from the clinical thresholds of its marker.

A marker meets progression when it has risen from its nadir by a relative *and* an absolute amount, and
response when it has fallen by a share of its baseline. A measured marker carries noise, so that a
predicted course meets a threshold ``L`` with probability

.. math::
    p(t) = \Phi\big(\ln(M(t) / L(t)) / \sigma\big)

and fails when it progresses, or is never in response, by the horizon. A clone of tumour cells that has
died out cannot progress: a course whose regrowth is carried by a clone counts by the probability that
the clone survived its nadir.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr


@dataclass(frozen=True, slots=True)
class MarkerRule:
    """Thresholds of one marker, from a ruleset.

    Parameters
    ----------
    marker : str
        Output of the model that the rule looks at.
    rise : float
        Relative rise from nadir that is progression (0.25: a quarter).
    absolute : float
        Absolute rise that must be reached as well, in the marker's unit.
    response : float
        Share of baseline that the marker must fall below to be in response (0.5: half).
    noise : float
        Standard deviation of the logarithm of a measured marker.
    level : float
        Where response is a level of the marker itself: below it is response, at or above it the disease has come
        back. 0 where response is a share of baseline.
    """

    marker: str
    rise: float
    absolute: float
    response: float
    noise: float
    level: float = 0.0


def compute_progression(marker: np.ndarray, rule: MarkerRule) -> np.ndarray:
    """Return the probability of having met progression by each time.

    Parameters
    ----------
    marker : (patient, time)
        Predicted course; not a number where the integration failed.

    Returns
    -------
    probability : (patient, time)
        Never falls with time.

    Examples
    --------
    >>> rule = MarkerRule("m_protein", 0.25, 0.5, 0.5, 0.1)
    >>> compute_progression(np.array([[3.0, 1.0, 1.2, 1.5, 3.0]]), rule).round(2).tolist()
    [[0.0, 0.0, 0.01, 0.5, 1.0]]
    """
    nadir = np.minimum.accumulate(marker, axis=1)
    limit = np.maximum(np.maximum((1 + rule.rise) * nadir, nadir + rule.absolute), rule.level)
    is_after = np.maximum.accumulate(marker > nadir, axis=1)
    met = np.where(is_after, ndtr(np.log(np.maximum(marker, 1e-300) / limit) / rule.noise), 0.0)
    return np.asarray(np.maximum.accumulate(met, axis=1))


def compute_failure(marker: np.ndarray, rule: MarkerRule, survival: np.ndarray | None = None) -> np.ndarray:
    """Return the probability of failing by the last time: progression, or no response at all.

    Parameters
    ----------
    marker : (patient, time)
    rule : MarkerRule
    survival : (patient,), optional
        Probability that the clones which carry the regrowth survived; 1 where it is left out.

    Returns
    -------
    failure : (patient,)
        Not a number where the integration failed.
    """
    progression = compute_progression(marker, rule)[:, -1]
    if survival is not None:
        progression = progression * survival
    enough = rule.level if rule.level > 0 else rule.response * marker[:, 0]
    no_response = ndtr(np.log(np.maximum(np.min(marker, axis=1), 1e-300) / enough) / rule.noise)
    failure = 1 - (1 - progression) * (1 - no_response)
    return np.asarray(np.where(np.isfinite(marker).all(axis=1), failure, np.nan))


def choose_horizon(day: float, landmarks: tuple[float, ...], *, factor: float = 1.5, gap: float = 60.0) -> float:
    """Return the landmark by which the counterfactual patient must still be free of failure.

    Judging at the day of failure itself would count a delay of one visit as a rescue; so the first
    landmark is taken that lies both ``factor`` times and ``gap`` days beyond it.

    Examples
    --------
    >>> choose_horizon(240.0, (90.0, 180.0, 365.0, 730.0)), choose_horizon(28.0, (90.0, 180.0, 365.0, 730.0))
    (365.0, 90.0)
    """
    least = max(factor * day, day + gap)
    return next((mark for mark in landmarks if mark >= least), least)
