"""Fit one subject of a record and say how well: draws, diagnostics, predictions beside the data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtri, stdtrit

from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record
from livingdrug.fit.likelihood import COUNT, Rows, compute_scaled
from livingdrug.fit.pool import Progress
from livingdrug.fit.profile import compute_profiles
from livingdrug.fit.residuals import list_freedom
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.explain_failure import QUICK_DRAWS, describe_misfit, fit_subject
from livingdrug.study.find_cause import find_misfit
from livingdrug.study.fit_patient import Effort, PatientFit, describe_fit, solve_draws
from livingdrug.study.patient_data import select_patient
from livingdrug.study.plans import SETTINGS

KINDS = {0: "none", -1: "left", 1: "right", 2: "interval"}


@dataclass(frozen=True, slots=True)
class RecordFit:
    """One subject's fit as tables.

    Parameters
    ----------
    posterior : table
        One row a draw, one column a free parameter, in the model's units.
    diagnostics : mapping
        Convergence, effective draws, misfit; of each parameter contraction, shrinkage and profile likelihood.
    predictive : table
        ``variable, day, observed, censored, lower, median, upper, percentile``: each row of the data within what the
        posterior would give again, on the scale of its noise.
    """

    posterior: pl.DataFrame
    diagnostics: Mapping[str, Any]
    predictive: pl.DataFrame


def fit_record(
    record: Record,
    *,
    subject_id: str | None = None,
    seed: int = 1,
    draws: int = QUICK_DRAWS,
    effective: float | None = None,
    robust: bool = False,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> RecordFit:
    """Fit one subject of a record.

    Parameters
    ----------
    subject_id : str, optional
        May be left out where the record holds one subject.
    draws : int
        Of one run.
    effective : float, optional
        Runs are repeated until their draws are worth so many independent ones, or 32 are done; one run where it is
        left out.
    robust : bool
        Whether the noise of measured values has the tails of a Student t, so that an outlier pulls less.
    progress : function of runs and effective draws, optional

    Raises
    ------
    InputError
        If the subject is not in the record, or no model covers its disease and product.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> result = fit_record(load_example("myeloma_primary_resistance"), draws=128)
    >>> result.posterior.height, result.predictive.columns[:2]
    (128, ['variable', 'day'])
    """
    data = select_patient(record, subject_id)
    effort = Effort(draws, effective, with_mode=True, progress=progress)
    fit = fit_subject(data, seed=seed, effort=effort, robust=robust, jobs=jobs)
    if fit is None:
        raise InputError(
            f"`record` must be of a disease and product with a model, but was {data.disease} and {data.product}. "
            "Hint: myeloma with ide_cel or cilta_cel, lbcl with axi_cel, tisa_cel or liso_cel, b_all with tisa_cel."
        )
    misfit = find_misfit(fit, settings=load_rules(SETTINGS), jobs=jobs)
    described = describe_fit(fit)
    profiles = describe_profiles(fit, jobs=jobs)
    for item in described["parameters"]:
        # contraction: 1 - posterior variance over prior variance, in the scale of the spread
        item["contraction"] = item["shrinkage"]
        item["profile"] = profiles.get(item["name"])
    diagnostics = {
        "subject_id": data.subject_id,
        "disease": data.disease,
        "product": data.product,
        "seed": seed,
        "robust": robust,
        **described,
        "misfit": describe_misfit(misfit),
    }
    free = [f for f in fit.problem.free if f.scale != "exponential"]
    posterior = pl.DataFrame({f.name: fit.posterior.parameters[:, f.column] for f in free})
    return RecordFit(posterior, diagnostics, tabulate_predictions(fit, jobs=jobs))


def describe_profiles(fit: PatientFit, *, jobs: int | None = None) -> dict[str, dict[str, Any]]:
    """Return each parameter's profile likelihood as plain values, in spreads from typical; none without a mode.

    ``lower`` and ``upper`` bound it by the data alone, None where they do not: what bounds it there is the prior.
    """
    if not fit.posterior.modes:
        return {}
    return {
        one.name: {
            "z": one.z.tolist(),
            "fall": [float(value) if np.isfinite(value) else None for value in one.fall],
            "lower": one.lower if np.isfinite(one.lower) else None,
            "upper": one.upper if np.isfinite(one.upper) else None,
        }
        for one in compute_profiles(fit.problem, fit.posterior.modes[0], threads=jobs)
    }


def tabulate_predictions(fit: PatientFit, *, jobs: int | None = None) -> pl.DataFrame:
    """Return the data with the 90 % predictive interval of each row, noise included."""
    problem, rows = fit.problem, fit.problem.rows
    schema = dict.fromkeys(("day", "observed", "lower", "median", "upper", "percentile"), pl.Float64)
    names = ("variable", "day", "observed", "censored", "lower", "median", "upper", "percentile")
    if len(rows) == 0:
        return pl.DataFrame(schema={name: schema.get(name, pl.String) for name in names})
    course = solve_draws(fit, fit.posterior.parameters, problem.times, problem.outputs, jobs=jobs)
    predicted = course[:, rows.time, rows.output]
    predicted = predicted[np.isfinite(predicted).all(axis=1)]
    observed = unscale(rows, rows.value[None])[0]
    # the same quantiles of noise for every draw: no random numbers in a table that people compare
    noise = quantify_noise((np.arange(len(predicted)) * 0.6180339887 + 0.5) % 1.0, list_freedom(rows))
    made = add_noise(rows, predicted, noise)
    low, middle, high = np.quantile(made, [0.05, 0.5, 0.95], axis=0)
    return pl.DataFrame(
        {
            "variable": [problem.outputs[output] for output in rows.output],
            "day": problem.times[rows.time],
            "observed": observed,
            "censored": [KINDS[int(code)] for code in rows.censored],
            "lower": low,
            "median": middle,
            "upper": high,
            "percentile": 100 * (made <= observed).mean(axis=0),
        }
    )


def quantify_noise(chance: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Return quantiles of each row's noise (draw, row), in its standard deviations: normal, or of a Student t.

    >>> quantify_noise(np.array([0.5, 0.975]), np.array([np.inf, 4.0])).round(2).tolist()
    [[0.0, 0.0], [1.96, 2.78]]
    """
    normal = np.tile(ndtri(chance)[:, None], len(freedom))
    tailed = np.isfinite(freedom)
    normal[:, tailed] = stdtrit(freedom[tailed], chance[:, None])
    return normal


def unscale(rows: Rows, values: np.ndarray) -> np.ndarray:
    """Return values on the scale of the noise in the unit of the output."""
    positive = np.exp(np.minimum(values, 700.0)) - rows.floor
    exposure = rows.exposure if len(rows.exposure) else np.ones(len(rows))
    return np.asarray(np.choose(rows.kind, (values, positive, 1 / (1 + np.exp(-values)), values / exposure)))


def add_noise(rows: Rows, predicted: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return predictions with the noise of each row added on its scale; a count gets its spread on the logarithm."""
    scaled = compute_scaled(predicted, rows.kind, rows.floor)[0] + rows.sd * noise
    counted = np.maximum(predicted, 0.0) * np.exp(rows.sd * noise)
    return np.where(rows.kind == COUNT, counted, unscale(rows, scaled))


def write_fit(result: RecordFit, folder: Path) -> tuple[Path, ...]:
    """Write ``posterior.parquet``, ``diagnostics.json`` and ``predictive.csv``; the folder is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = (folder / "posterior.parquet", folder / "diagnostics.json", folder / "predictive.csv")
    result.posterior.write_parquet(paths[0])
    paths[1].write_text(json.dumps(result.diagnostics, indent=2) + "\n", encoding="utf-8")
    result.predictive.write_csv(paths[2])
    return paths
