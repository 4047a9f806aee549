"""What the fitted model says beside the data: before them, after them, and of what nobody measured.

The prior (what was expected before this record was read), the forecast after the last measurement, the make-up of the
tumour by its target, how much of the CAR T cells is exhausted, and the check of every measurement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.core.randomness import derive_generator
from livingdrug.fit.problem import compute_parameters
from livingdrug.study.fit_patient import BAND_SCHEMA, PatientFit, solve_draws
from livingdrug.study.fit_record import tabulate_predictions
from livingdrug.study.patient_data import PatientData

DRAWS = 200
DAYS = 60
"""Report days of a band."""
AHEAD = 90.0
"""Days that are forecast after the last day of the record."""
QUANTILES = (0.05, 0.5, 0.95)
CLONES = {
    "tumour_high": "Target as at the start",
    "tumour_low": "Target low",
    "tumour_negative": "Target lost",
}
ALIVE = {"tumour_high": "survival_high", "tumour_low": "survival_low", "tumour_negative": "survival_negative"}
CAR_T = ("cart_infused", "cart_memory", "cart_effector", "cart_recalled", "cart_exhausted")
EXHAUSTED = "cart_exhausted"


@dataclass(frozen=True, slots=True)
class BeyondData:
    """Tables beside the data, each in the form of the bands of an explanation.

    Parameters
    ----------
    prior, forecast : table
        ``variable, unit, day, lower, median, upper``: 90 % of virtual patients of the disease and product before the
        record was read; 90 % band after its last day.
    composition : table
        ``clone, day, share``: mean share of the tumour by its target.
    exhaustion : table
        As ``prior``, of the share of CAR T cells that is exhausted.
    predictive : table
        See :func:`livingdrug.study.fit_record.tabulate_predictions`.
    last_day : float
    """

    prior: pl.DataFrame
    forecast: pl.DataFrame
    composition: pl.DataFrame
    exhaustion: pl.DataFrame
    predictive: pl.DataFrame
    last_day: float


def compute_beyond_data(fit: PatientFit, data: PatientData, *, seed: int, jobs: int | None = None) -> BeyondData:
    """Compute prior, forecast, composition, exhaustion and predictive check of one fitted subject.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> from livingdrug.study.explain_failure import fit_subject
    >>> from livingdrug.study.fit_patient import Effort
    >>> from livingdrug.study.patient_data import select_patient
    >>> data = select_patient(load_example("myeloma_primary_resistance"), None)
    >>> beyond = compute_beyond_data(fit_subject(data, seed=1, effort=Effort(128), jobs=1), data, seed=1, jobs=1)
    >>> bool(beyond.forecast["day"].min() >= beyond.last_day), beyond.composition["clone"].n_unique()
    (True, 3)
    """
    last = max(float(fit.problem.times[-1]) if len(fit.problem.times) else 1.0, 1.0)
    days = np.unique(np.linspace(0.0, last, DAYS).round(1))
    every = fit.posterior.parameters
    posterior = every[np.unique(np.linspace(0, len(every) - 1, min(DRAWS, len(every))).round().astype(int))]
    outputs = fit.problem.outputs
    names = {new: old for old, new in data.renamed.items()}
    prior = _solve(fit, draw_prior(fit, seed), days, outputs, jobs)
    ahead = np.unique(np.concatenate([[last], np.linspace(last, last + AHEAD, 20).round(1)]))
    later = _solve(fit, posterior, ahead, outputs, jobs)
    hidden = _solve(fit, posterior, days, (*CLONES, *ALIVE.values(), *CAR_T), jobs)
    return BeyondData(
        prior=_tabulate(fit, prior, days, outputs, names),
        forecast=_tabulate(fit, later, ahead, outputs, names),
        composition=_tabulate_composition(hidden, days),
        exhaustion=_tabulate_exhaustion(hidden[:, :, -len(CAR_T) :], days),
        predictive=_rename(tabulate_predictions(fit, jobs=jobs), names),
        last_day=last,
    )


def draw_prior(fit: PatientFit, seed: int) -> np.ndarray:
    """Draw virtual patients from what was expected before the record was read, (draw, parameter)."""
    rng = derive_generator(seed, "report", fit.values.name, "prior")
    z = rng.multivariate_normal(np.zeros(len(fit.problem.free)), np.linalg.inv(fit.problem.precision), size=DRAWS)
    return compute_parameters(fit.problem, z)[0]


def _solve(
    fit: PatientFit, parameters: np.ndarray, days: np.ndarray, keep: Sequence[str], jobs: int | None
) -> np.ndarray:
    course = solve_draws(fit, parameters, days, tuple(keep), jobs=jobs)
    return np.asarray(course[np.isfinite(course).all(axis=(1, 2))])


def _tabulate(
    fit: PatientFit, course: np.ndarray, days: np.ndarray, outputs: Sequence[str], names: Mapping[str, str]
) -> pl.DataFrame:
    if len(course) == 0 or not outputs:
        return pl.DataFrame(schema=BAND_SCHEMA)
    low, middle, high = np.quantile(course, QUANTILES, axis=0)
    units = {q.name: q.unit for q in (*fit.problem.model.states, *fit.problem.model.outputs)}
    frames = [
        _frame(names.get(output, output), units[output], days, (low[:, k], middle[:, k], high[:, k]))
        for k, output in enumerate(outputs)
    ]
    return pl.concat(frames)


def _frame(variable: str, unit: str, days: np.ndarray, bands: tuple[np.ndarray, ...]) -> pl.DataFrame:
    columns = dict(zip(("lower", "median", "upper"), bands, strict=True))
    return pl.DataFrame({"variable": variable, "unit": unit, "day": days, **columns}, schema=BAND_SCHEMA)


def _tabulate_composition(hidden: np.ndarray, days: np.ndarray) -> pl.DataFrame:
    """Return the mean share of each clone, a clone counted as far as it is alive; None where no tumour is left."""
    clones = len(CLONES)
    cells = np.maximum(hidden[:, :, :clones], 0.0) * hidden[:, :, clones : 2 * clones]
    total = cells.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, cells / total, np.nan)
    known = np.isfinite(share).any(axis=(0, 2))
    mean = np.full(share.shape[1:], np.nan)
    mean[known] = np.nanmean(share[:, known], axis=0)
    rows = {
        "clone": np.repeat(list(CLONES.values()), len(days)),
        "day": np.tile(days, clones),
        "share": mean.T.ravel(),
    }
    return pl.DataFrame(rows).with_columns(pl.col("share").fill_nan(None))


def _tabulate_exhaustion(cells: np.ndarray, days: np.ndarray) -> pl.DataFrame:
    total = cells.sum(axis=2)
    share = np.where(total > 0, cells[:, :, CAR_T.index(EXHAUSTED)] / np.maximum(total, np.finfo(float).tiny), 0.0)
    if len(share) == 0:
        return pl.DataFrame(schema=BAND_SCHEMA)
    low, middle, high = np.quantile(share, QUANTILES, axis=0)
    return _frame("exhausted_fraction", "1", days, (low, middle, high))


def _rename(table: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    return table.with_columns(pl.col("variable").replace(dict(names)))
