"""Survival curves, their medians and areas, and competing risks.

The number at risk at a time counts those with ``time >= t``, before the events at that time.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from livingdrug.core.errors import InputError


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A Kaplan-Meier curve at each distinct time of an event or of a censoring.

    Parameters
    ----------
    time : (time,) [day]
        Increasing.
    survival, lower, upper : (time,)
        Probability of surviving past each time, and its pointwise confidence interval.
    at_risk, events, censored : (time,)
    """

    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its confidence interval; infinite where a median is not reached."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class IncidenceCurve:
    """Cumulative incidence of one cause in the presence of others, at each distinct time.

    Parameters
    ----------
    time : (time,) [day]
    incidence, lower, upper : (time,)
        Probability that the cause has struck by each time, and its pointwise confidence interval.
    at_risk : (time,)
    """

    time: np.ndarray
    incidence: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    at_risk: np.ndarray


def compute_kaplan_meier(time: np.ndarray, is_event: np.ndarray, *, confidence: float = 0.95) -> SurvivalCurve:
    """Estimate the survival curve, with the confidence interval on the log-log scale.

    Where nobody has had an event yet the interval is [1, 1]; where everybody has, [0, 0]: the formula says
    nothing there.

    Parameters
    ----------
    time : (subject,) [day]
        From the start to the event or to censoring.
    is_event : (subject,) bool
        True where the event happened; False where the subject was censored.

    Raises
    ------
    InputError
        If there is nobody, or if a time is negative or not finite.

    Source
    ------
    Kaplan and Meier, 1958

    Examples
    --------
    >>> curve = compute_kaplan_meier(np.array([30.0, 90.0, 90.0, 200.0]), np.array([True, True, False, False]))
    >>> curve.time.tolist(), curve.survival.tolist(), curve.at_risk.tolist()
    ([30.0, 90.0, 200.0], [0.75, 0.5, 0.5], [4, 3, 1])
    """
    time, is_event = check_times(time, is_event)
    days, events, censored, at_risk = _count(time, is_event)
    sample = stats.CensoredData(uncensored=time[is_event], right=time[~is_event])
    survival = np.asarray(stats.ecdf(sample).sf.probabilities, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        spread = np.sqrt(greenwood) / np.log(survival)
        lower, upper = _bound(survival, spread, confidence)
    is_sure = (survival == 1.0) | (survival == 0.0)
    lower, upper = np.where(is_sure, survival, lower), np.where(is_sure, survival, upper)
    return SurvivalCurve(days, survival, lower, upper, at_risk, events, censored)


def check_times(time: np.ndarray, is_event: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times and events as arrays of one length.

    Raises
    ------
    InputError
        If there is nobody, if the lengths differ, or if a time is negative or not finite.
    """
    time, is_event = np.asarray(time, dtype=float), np.asarray(is_event, dtype=bool)
    if time.shape != is_event.shape or time.ndim != 1 or time.size == 0:
        raise InputError(
            "`time` and `is_event` must have one entry for each subject, "
            f"but have shapes {time.shape} and {is_event.shape}. Hint: leave out subjects without a time."
        )
    is_bad = ~(np.isfinite(time) & (time >= 0))
    if is_bad.any():
        worst = float(time[is_bad][0])
        raise InputError(f"`time` must be finite and not negative, but was {worst!r}. Hint: count days from the start.")
    return time, is_event


def _count(time: np.ndarray, is_event: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return distinct times, and at each of them events, censorings, and subjects at risk before both."""
    days, place = np.unique(time, return_inverse=True)
    total = np.bincount(place, minlength=days.size)
    events = np.bincount(place, weights=is_event, minlength=days.size).astype(np.int64)
    return days, events, total - events, np.cumsum(total[::-1])[::-1]


def _bound(share: np.ndarray, spread: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval ``share ** exp(+- z spread)``; ``spread`` is the error of ``log(-log(share))``."""
    wide = float(stats.norm.ppf(0.5 + confidence / 2.0)) * np.abs(spread)
    return share ** np.exp(wide), share ** np.exp(-wide)


def compute_at_risk(time: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Count the subjects at risk on given days: those with ``time >= day``.

    Examples
    --------
    >>> compute_at_risk(np.array([30.0, 90.0, 200.0]), np.array([0.0, 90.0, 91.0])).tolist()
    [3, 2, 1]
    """
    waiting = np.sort(np.asarray(time, dtype=float))
    reached = np.searchsorted(waiting, np.asarray(days, dtype=float), side="left")
    return np.asarray(waiting.size - reached, dtype=np.int64)


def compute_quantile(curve: SurvivalCurve, share: float = 0.5) -> Estimate:
    """Return the first time at which the curve has fallen to a share, the median by default.

    The bounds are the times at which the bounds of the curve reach it; each is infinite if not reached.

    Examples
    --------
    >>> curve = compute_kaplan_meier(np.array([30.0, 90.0, 90.0, 200.0]), np.array([True, True, False, False]))
    >>> compute_quantile(curve).value, compute_quantile(curve, 0.25).value
    (90.0, inf)
    """
    first = [_find_first(curve.time, bound, share) for bound in (curve.survival, curve.lower, curve.upper)]
    return Estimate(*first)


def _find_first(time: np.ndarray, bound: np.ndarray, share: float) -> float:
    reached = np.flatnonzero(bound <= share * (1.0 + 1e-12))
    return float(time[reached[0]]) if reached.size else float("inf")


def compute_restricted_mean(
    time: np.ndarray, is_event: np.ndarray, horizon: float, *, confidence: float = 0.95
) -> Estimate:
    """Return the mean time to the event up to a horizon: the area under the survival curve.

    Parameters
    ----------
    horizon : float [day]
        Not beyond the last time observed, unless that was an event: nothing is extrapolated.

    Raises
    ------
    InputError
        If the horizon lies beyond what was observed.

    Examples
    --------
    >>> time, is_event = np.array([10.0, 20.0, 40.0]), np.array([True, True, False])
    >>> round(compute_restricted_mean(time, is_event, 30.0).value, 3)
    20.0
    """
    curve = compute_kaplan_meier(time, is_event, confidence=confidence)
    last = float(curve.time[-1])
    if not 0 < horizon <= last and not (horizon > last and curve.survival[-1] == 0.0):
        raise InputError(
            f"`horizon` must lie within the {last:g} days observed, but was {horizon!r}. Hint: use {last:g} or less."
        )
    inside = curve.time < horizon
    starts = np.concatenate([[0.0], curve.time[inside]])
    heights = np.concatenate([[1.0], curve.survival[inside]])
    areas = heights * np.diff(np.append(starts, horizon))
    mean = float(areas.sum())
    # Greenwood: each event weighs the area that lies after it
    after = np.cumsum(areas[::-1])[::-1][1:]
    at_risk, events = curve.at_risk[inside], curve.events[inside]
    left = at_risk - events
    safe = np.where(left > 0, at_risk * left, 1)
    variance = float(np.sum(np.where(left > 0, after**2 * events / safe, 0.0)))
    wide = float(stats.norm.ppf(0.5 + confidence / 2.0)) * variance**0.5
    return Estimate(mean, mean - wide, mean + wide)


def compute_cumulative_incidence(
    time: np.ndarray, cause: np.ndarray, of: int, *, confidence: float = 0.95
) -> IncidenceCurve:
    """Estimate the cumulative incidence of one cause beside others (Aalen-Johansen), ties and all.

    Written out here because the estimator of lifelines moves tied times apart at random; the tests compare
    with it where there are no ties, and with scikit-survival where there are.

    Parameters
    ----------
    time : (subject,) [day]
    cause : (subject,) int
        0 where the subject was censored, otherwise the number of the cause.
    of : int
        Number of the cause that is asked for.

    Source
    ------
    Aalen and Johansen, 1978

    Examples
    --------
    >>> time, cause = np.array([10.0, 20.0, 30.0, 40.0]), np.array([1, 2, 1, 0])
    >>> compute_cumulative_incidence(time, cause, 1).incidence.tolist()
    [0.25, 0.25, 0.5, 0.5]
    """
    cause = np.asarray(cause, dtype=np.int64)
    time, is_event = check_times(time, cause > 0)
    days, events, _, at_risk = _count(time, is_event)
    own = _count(time, cause == of)[1]
    before = np.concatenate([[1.0], np.cumprod(1.0 - events / at_risk)[:-1]])
    incidence = np.cumsum(before * own / at_risk)
    variance = _compute_variance(incidence, before, at_risk.astype(float), events, own)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(variance) / (incidence * np.log(incidence))
        lower, upper = _bound(incidence, spread, confidence)
    is_sure = (incidence == 0.0) | (incidence >= 1.0)
    lower, upper = np.where(is_sure, incidence, lower), np.where(is_sure, incidence, upper)
    return IncidenceCurve(days, incidence, lower, upper, at_risk)


def _compute_variance(
    incidence: np.ndarray, before: np.ndarray, at_risk: np.ndarray, events: np.ndarray, own: np.ndarray
) -> np.ndarray:
    """Return the variance by the delta method, in running sums so that it takes linear time and memory."""
    left = at_risk - events
    hazard = np.where(left > 0, events / (at_risk * np.where(left > 0, left, 1.0)), 0.0)
    cross = before * own / at_risk**2
    squares = incidence**2 * np.cumsum(hazard) - 2.0 * incidence * np.cumsum(hazard * incidence)
    squares += np.cumsum(hazard * incidence**2)
    own_part = np.cumsum(before**2 * (at_risk - own) * own / at_risk**3)
    crossed = incidence * np.cumsum(cross) - np.cumsum(cross * incidence)
    variance: np.ndarray = np.maximum(squares + own_part - 2.0 * crossed, 0.0)
    return variance
