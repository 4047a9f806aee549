"""Comparison of survival between groups: the log-rank test, and Cox regression.

Two groups are compared with SciPy. More groups, and regression, need the extra ``survival``.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import polars as pl
from scipy import stats

from livingdrug.clinical.survival import Estimate, check_times
from livingdrug.core.errors import InputError

EXTRA = 'Hint: install livingdrug with its extra "survival"'


@dataclass(frozen=True, slots=True)
class LogRank:
    """Result of a log-rank test: chi-square, its degrees of freedom, two-sided p value."""

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, slots=True)
class HazardRatio:
    """Effect of one covariate in a Cox regression.

    Parameters
    ----------
    name : str
    log_ratio, standard_error : float
    ratio : Estimate
        Of the hazards, for one unit more of the covariate.
    p_value : float
        Two-sided, Wald.
    """

    name: str
    log_ratio: float
    standard_error: float
    ratio: Estimate
    p_value: float


def compute_log_rank(time: np.ndarray, is_event: np.ndarray, group: Sequence[str] | np.ndarray) -> LogRank:
    """Compare the survival of groups by the log-rank test.

    Where at no event somebody else was at risk, as when all have theirs on one day, nothing tells two groups apart:
    the statistic is 0 and p is 1.

    Parameters
    ----------
    time : (subject,) [day]
    is_event : (subject,) bool
    group : (subject,)

    Raises
    ------
    InputError
        If there are not at least two groups, if nobody had an event, or if an extra is missing.

    Examples
    --------
    >>> time = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    >>> result = compute_log_rank(time, np.ones(6, dtype=bool), ["a", "a", "a", "b", "b", "b"])
    >>> round(result.statistic, 3), result.degrees
    (5.052, 1)
    """
    time, is_event = check_times(time, is_event)
    labels = np.asarray(group)
    names = np.unique(labels)
    if labels.shape != time.shape or names.size < 2:
        raise InputError(
            f"`group` must name at least two groups, one entry a subject, but names {names.size}. "
            "Hint: a single curve needs no test."
        )
    if not is_event.any():
        raise InputError("`is_event` must hold an event, but holds none. Hint: without events nothing can be compared.")
    if names.size == 2:
        first, second = (_censor(time[labels == name], is_event[labels == name]) for name in names)
        with np.errstate(invalid="ignore"):
            found = stats.logrank(first, second)
        if np.isnan(found.statistic):
            return LogRank(0.0, 1, 1.0)
        return LogRank(float(found.statistic) ** 2, 1, float(found.pvalue))
    found = _import_lifelines("statistics").multivariate_logrank_test(time, labels, is_event)
    return LogRank(float(found.test_statistic), int(names.size) - 1, float(found.p_value))


def _censor(time: np.ndarray, is_event: np.ndarray) -> stats.CensoredData:
    return stats.CensoredData(uncensored=time[is_event], right=time[~is_event])


def fit_cox(
    time: np.ndarray, is_event: np.ndarray, covariates: Mapping[str, np.ndarray], *, confidence: float = 0.95
) -> tuple[HazardRatio, ...]:
    """Fit a proportional hazards model, ties by Efron; needs the extra ``survival``.

    Parameters
    ----------
    time : (subject,) [day]
    is_event : (subject,) bool
    covariates : mapping of name to (subject,)

    Raises
    ------
    InputError
        If a covariate is missing somewhere or is the same for everybody, if nobody had an event, or if the
        fit does not converge, as when a covariate separates those with an event from the others.

    Source
    ------
    Cox, 1972
    """
    time, is_event = check_times(time, is_event)
    columns = {name: np.asarray(values, dtype=float) for name, values in covariates.items()}
    _check_covariates(columns, time.size)
    if not is_event.any():
        raise InputError("`is_event` must hold an event, but holds none. Hint: without events no hazard can be fitted.")
    lifelines = _import_lifelines()
    spread = {name: float(np.std(values)) for name, values in columns.items()}
    scaled = {f"x{place}": values / spread[name] for place, (name, values) in enumerate(columns.items())}
    table = pl.DataFrame({"time": time, "is_event": is_event, **scaled}).to_pandas()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", lifelines.exceptions.ConvergenceWarning)
            fitted = lifelines.CoxPHFitter().fit(table, "time", "is_event", fit_options={"precision": 1e-9})
    except (lifelines.exceptions.ConvergenceError, lifelines.exceptions.ConvergenceWarning) as error:
        raise InputError(
            f"`covariates` must let the regression converge, but {', '.join(columns)} did not. "
            "Hint: look for a covariate that separates those with an event from the others."
        ) from error
    wide = float(stats.norm.ppf(0.5 + confidence / 2.0))
    return tuple(
        _report(
            name,
            float(fitted.params_[f"x{place}"]) / spread[name],
            float(fitted.standard_errors_[f"x{place}"]) / spread[name],
            wide,
        )
        for place, name in enumerate(columns)
    )


def _report(name: str, log_ratio: float, error: float, wide: float) -> HazardRatio:
    bounds = (float(np.exp(log_ratio + shift * error)) for shift in (0.0, -wide, wide))
    return HazardRatio(name, log_ratio, error, Estimate(*bounds), float(2.0 * stats.norm.sf(abs(log_ratio / error))))


def _check_covariates(columns: Mapping[str, np.ndarray], count: int) -> None:
    if not columns:
        raise InputError("`covariates` must hold at least one, but holds none. Hint: name what may change the hazard.")
    for name, values in columns.items():
        if values.shape != (count,) or not np.all(np.isfinite(values)):
            raise InputError(
                f"`covariates` must hold one number for each of {count} subjects, but {name!r} does not. "
                "Hint: leave out subjects in whom it is not known."
            )
        if np.ptp(values) == 0.0:
            raise InputError(
                f"`covariates` must differ between subjects, but {name!r} is {float(values[0])!r} everywhere. "
                "Hint: leave it out."
            )


def _import_lifelines(part: str = "") -> ModuleType:
    """Import lifelines or one of its modules when it is needed, not before."""
    try:
        import lifelines
        import lifelines.exceptions
        import lifelines.statistics
    except ImportError as error:
        raise InputError(f"lifelines must be installed for this, but is not. {EXTRA}.") from error
    module: ModuleType = getattr(lifelines, part) if part else lifelines
    return module
