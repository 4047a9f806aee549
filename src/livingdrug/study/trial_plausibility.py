r"""Weights that make virtual patients resemble those who are known: plausible values, stated means.

A patient outside a stated range has weight 0. Of the rest, the weights are as even as they can be (of least relative
entropy) with the means that are stated:

.. math::
    w_i \propto \exp(\lambda \cdot (f_i - m)), \qquad \sum_i w_i (f_i - m) = 0

so that :math:`\lambda` minimises a convex function. The effective sample size, :math:`(\sum w)^2 / \sum w^2`, says
how many patients of equal weight would tell as much (Kish).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from livingdrug.core.errors import InputError
from livingdrug.study.trial_design import DAYS_PER_MONTH, Plausible
from livingdrug.study.trial_result_rates import CONFIDENCE, LANDMARKS, NEAR, SURVIVAL, Row

CLOSE = 1e-6
"""Of a spread: how far a weighted mean may be from the one that is stated."""
ROUNDS = 100
LONGEST = 2.0
"""Spreads: the longest step of a slope."""
WEIGHTED = "weighted by plausibility"
SHARES = {"overall_response": "response", "complete_response": "complete_response"}


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the patients of an arm, with mean 1 over all of them.

    Parameters
    ----------
    weight : (patient,)
    plausible : int
        Patients within every stated range.
    effective_n : float
    """

    weight: np.ndarray
    plausible: int
    effective_n: float


def compute_weights(own: pl.DataFrame, rules: Sequence[Plausible], arm: str = "") -> Weights:
    """Weigh the patients of one arm.

    Parameters
    ----------
    own : table
        Outcomes of the arm; an unknown value in a column of the rules is not plausible.
    rules : sequence of Plausible
    arm : str
        What an error calls the arm.

    Raises
    ------
    InputError
        If nobody is plausible, or no weights give the means that are stated.

    Examples
    --------
    >>> own = pl.DataFrame({"age_years": [40.0, 50.0, 60.0, 70.0]})
    >>> even = compute_weights(own, [Plausible("age_years", lower=45.0)])
    >>> even.weight.round(2).tolist(), even.effective_n
    ([0.0, 1.33, 1.33, 1.33], 3.0)
    >>> older = compute_weights(own, [Plausible("age_years", mean=60.0)])
    >>> round(float(np.average(own["age_years"], weights=older.weight)), 3), round(older.effective_n, 2)
    (60.0, 3.31)
    """
    is_inside = np.ones(len(own), dtype=bool)
    for rule in rules:
        is_inside &= _find_inside(own, rule)
    if not is_inside.any():
        raise InputError(
            f"`plausible` must leave patients of arm {arm!r}, but nobody is within every range. Hint: widen them."
        )
    weight = np.zeros(len(own))
    weight[is_inside] = _tilt(own.filter(pl.Series(is_inside)), [rule for rule in rules if rule.mean is not None], arm)
    weight *= len(own) / weight.sum()
    return Weights(weight, int(is_inside.sum()), float(weight.sum() ** 2 / (weight**2).sum()))


def _find_inside(own: pl.DataFrame, rule: Plausible) -> np.ndarray:
    values = own[rule.column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    is_inside = np.isfinite(values) & ((values > 0) | (not rule.with_logarithm))
    if rule.lower is not None:
        is_inside &= values >= rule.lower
    if rule.upper is not None:
        is_inside &= values <= rule.upper
    return np.asarray(is_inside)


def _tilt(inside: pl.DataFrame, rules: Sequence[Plausible], arm: str) -> np.ndarray:
    """Return the most even weights with the stated means."""
    if not rules:
        return np.ones(len(inside))
    columns = []
    for rule in rules:
        values, mean = inside[rule.column].to_numpy(), float(rule.mean or 0.0)
        apart = np.log(values) - np.log(mean) if rule.with_logarithm else values - mean
        spread = float(apart.std())
        columns.append(apart / (spread if spread > 0 else 1.0))
    apart = np.stack(columns, axis=1)

    weight = _balance(apart)
    if np.abs(weight @ apart / weight.sum()).max() > CLOSE:
        names = ", ".join(f"{rule.column} {rule.mean:g}" for rule in rules)
        raise InputError(
            f"`plausible` must state means that patients of arm {arm!r} can have, but none do with {names}. "
            "Hint: state means closer to those of the arm, or widen the ranges."
        )
    return weight


def _balance(apart: np.ndarray) -> np.ndarray:
    """Return weights with which every column has mean 0, by Newton's method; where it fails, those it came to."""
    slope = np.zeros(apart.shape[1])
    weight, height = _weigh(apart, slope)
    for _ in range(ROUNDS):
        mean = weight @ apart / weight.sum()
        if np.abs(mean).max() < CLOSE / 10:
            break
        centred = apart - mean
        curvature = (centred.T * weight) @ centred / weight.sum()
        step = np.linalg.lstsq(curvature, -mean, rcond=None)[0]
        step *= min(1.0, LONGEST / float(np.abs(step).max()))
        for _ in range(ROUNDS):
            tried, new = _weigh(apart, slope + step)
            if new <= height:
                break
            step = step / 2
        slope, weight, height = slope + step, tried, new
    return weight


def _weigh(apart: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the weights of a slope, the largest 1, and the convex function whose gradient is the weighted mean."""
    power = apart @ slope
    top = power.max()
    weight = np.exp(power - top)
    return weight, float(top + np.log(weight.sum()))


def tabulate_weighted(arm: str, own: pl.DataFrame, weights: Weights) -> list[Row]:
    """Return rows of the endpoints: how many patients count, and the main results weighted."""
    n, size = len(own), weights.effective_n
    rows: list[Row] = [
        (arm, "plausible_patients", "count", float(weights.plausible), None, None, "1", n, None),
        (arm, "effective_sample_size", WEIGHTED, size, None, None, "1", n, None),
    ]
    for name, column in SHARES.items():
        is_it = own[column].eq("Y").fill_null(value=False).to_numpy()
        rows.append(
            (arm, name, WEIGHTED, *_wilson(float(np.average(is_it, weights=weights.weight)), size), "1", n, None)
        )
    rows += _tabulate_survival(arm, own, weights)
    return rows


def _wilson(share: float, n: float) -> tuple[float, float, float]:
    """Return a share with its score interval, as of that many patients."""
    z = float(stats.norm.ppf(0.5 + CONFIDENCE / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return share, max(float(middle - half), 0.0), min(float(middle + half), 1.0)


def _tabulate_survival(arm: str, own: pl.DataFrame, weights: Weights) -> list[Row]:
    """Return weighted survival without progression at landmarks that were reached; without interval."""
    known = own.with_columns(weight=pl.Series(weights.weight)).select("pfs_time", "pfs_event", "weight").drop_nulls()
    time, is_event, weight = (known[name].to_numpy() for name in known.columns)
    rows: list[Row] = []
    for month in LANDMARKS:
        day = month * DAYS_PER_MONTH
        if not (time[weight > 0] >= day - NEAR).any():
            break
        share = compute_weighted_survival(time, is_event, weight, day)
        rows.append((arm, SURVIVAL["pfs"], f"{WEIGHTED}, at {month} months", share, None, None, "1", len(known), None))
    return rows


def compute_weighted_survival(time: np.ndarray, is_event: np.ndarray, weight: np.ndarray, day: float) -> float:
    """Return the weighted product-limit estimate on a day.

    Examples
    --------
    >>> time, is_event = np.array([10.0, 20.0, 30.0]), np.array([True, False, True])
    >>> round(compute_weighted_survival(time, is_event, np.array([1.0, 1.0, 1.0]), 15.0), 3)
    0.667
    >>> compute_weighted_survival(time, is_event, np.array([2.0, 1.0, 1.0]), 15.0)
    0.5
    """
    order = np.argsort(time, kind="stable")
    time, lost = time[order], (weight * is_event)[order]
    at_risk = np.cumsum(weight[order][::-1])[::-1]
    days, starts = np.unique(time, return_index=True)
    gone = np.add.reduceat(lost, starts)
    is_before = (days <= day) & (at_risk[starts] > 0)
    return float(np.prod(1 - gone[is_before] / at_risk[starts][is_before]))
