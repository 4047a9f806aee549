"""Visits and assays: what a hospital writes down about the patients of a simulation.

A trajectory becomes rows of the tidy table ``observations``: measured on the visit's day, with the
assay's noise, missed now and then, and below the limit of quantification given as that limit, censored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import expit, logit

from livingdrug.simulate.cohort import draw_blocks

SMALLEST = 1e-12
"""Share beside 0 and 1 that keeps a logit finite."""


@dataclass(frozen=True, slots=True)
class Assay:
    """How one variable is measured.

    Parameters
    ----------
    variable, unit : str
        As the record names them.
    output : str
        Of the model.
    days : tuple of float
        Visits, from infusion.
    noise : float
        Standard deviation, on the scale of ``kind``.
    kind : {"log", "logit", "label"}
        Noise is added to the logarithm, or to the logit of a share of ``whole``; a ``label`` is read off a
        value with noise on its logarithm.
    lloq : float, optional
        Lower limit of quantification, in ``unit``.
    name : str
        Name of the assay in the record.
    factor : float
        Units of the record in one of the model's.
    labels : (below, from, threshold), optional
        Of a ``label``.
    needs : (output, minimum), optional
        Measured only where another output reaches a minimum: antigen on tumour cells needs tumour cells.
    alternative : str
        Name of the variable in patients of the other type: lambda instead of kappa.
    whole : float
        What a share is a share of: 1, or 100 where it is given in percent.
    above : float
        Of the model's output only what lies above this is measured.
    """

    variable: str
    unit: str
    output: str
    days: tuple[float, ...]
    noise: float
    kind: Literal["log", "logit", "label"] = "log"
    lloq: float | None = None
    name: str = ""
    factor: float = 1.0
    labels: tuple[str, str, float] | None = None
    needs: tuple[str, float] | None = None
    alternative: str = ""
    whole: float = 1.0
    above: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """When follow-up under this therapy ends: the tumour has grown back, and another therapy begins.

    That is the first visit on which ``output`` is at least ``share`` of its baseline and ``rise`` times its
    nadir; ``lag`` days later the last rows are written, so that a progression can be confirmed.
    """

    output: str
    share: float
    rise: float
    lag: float


def list_days(assays: Sequence[Assay], end: float) -> np.ndarray:
    """Return every visit up to ``end``, and the end itself, (time,) [day]."""
    days = {day for assay in assays for day in assay.days if 0 <= day <= end}
    return np.array(sorted(days | {0.0, end}))


def list_outputs(assays: Sequence[Assay], stop: Stop | None = None) -> tuple[str, ...]:
    """Return the outputs that are looked at."""
    names = [assay.output for assay in assays] + [assay.needs[0] for assay in assays if assay.needs]
    return tuple(dict.fromkeys(names + ([stop.output] if stop else [])))


def compute_follow_up(values: np.ndarray, times: np.ndarray, stop: Stop) -> np.ndarray:
    """Return the day after which nothing is written down any more, (patient,) [day].

    Parameters
    ----------
    values : (patient, time)
        Of the output that decides.
    times : (time,) [day]
        From day 0.

    Examples
    --------
    >>> course = np.array([[100.0, 1.0, 5.0, 60.0, 300.0], [100.0, 1.0, 0.0, 0.0, 0.0]])
    >>> compute_follow_up(course, np.array([0.0, 28.0, 56.0, 84.0, 112.0]), Stop("tumour", 0.5, 2.0, 28.0)).tolist()
    [112.0, inf]
    """
    nadir = np.minimum.accumulate(values, axis=1)
    is_over = values >= np.maximum(stop.share * values[:, :1], stop.rise * nadir)
    is_over[:, 0] = False
    first = np.where(is_over.any(axis=1), times[is_over.argmax(axis=1)], np.inf)
    return np.asarray(first + stop.lag)


def observe_cohort(
    courses: Mapping[str, np.ndarray],
    times: np.ndarray,
    assays: Sequence[Assay],
    *,
    first: int,
    seed: int,
    attendance: float = 1.0,
    follow_up: np.ndarray | None = None,
    is_alternative: np.ndarray | None = None,
) -> pl.DataFrame:
    """Measure a cohort.

    Parameters
    ----------
    courses : mapping of output to (patient, time)
        True courses; not a number from where a patient's integration failed, which gives no rows.
    times : (time,) [day]
        Must hold every visit.
    first : int
        Number of the first subject, from 0: its random numbers belong to it.
    attendance : float
        Chance that a visit takes place; the baseline always does.
    follow_up : (patient,) [day], optional
        Last day of each patient.
    is_alternative : (patient,) bool, optional
        Patients in whom an assay goes by its alternative name.

    Returns
    -------
    observations : table
        subject (number), day, variable, value, text, unit, assay, lloq, censored; by subject, day, variable.
    """
    patients = len(next(iter(courses.values())))
    end = np.full(patients, np.inf) if follow_up is None else follow_up
    other = np.zeros(patients, dtype=bool) if is_alternative is None else is_alternative
    visits = np.array(sorted({day for assay in assays for day in assay.days if day <= times[-1]}))
    came = draw_blocks(seed, "attendance", first, patients, lambda g, n: g.random((n, len(visits)))) < attendance
    came[:, visits <= 0] = True
    tables = []
    for assay in assays:
        days = np.array([day for day in assay.days if day <= times[-1]])
        if not len(days):
            continue
        place = np.searchsorted(times, np.maximum(days, 0.0))
        is_row = came[:, np.searchsorted(visits, days)] & (days[None, :] <= end[:, None])
        if assay.needs:
            is_row &= courses[assay.needs[0]][:, place] >= assay.needs[1]
        tables.append(_measure(assay, courses[assay.output][:, place], days, is_row, other, first, seed))
    # one frame per assay is sorted already; the whole is put in the order of a record
    return pl.concat(tables).sort("subject", "day", "variable", maintain_order=True)


def _measure(
    assay: Assay,
    truth: np.ndarray,
    days: np.ndarray,
    is_row: np.ndarray,
    other: np.ndarray,
    first: int,
    seed: int,
) -> pl.DataFrame:
    patients = len(truth)
    stream = f"assay {assay.variable} {assay.output}"
    noise = assay.noise * draw_blocks(
        seed, stream, first, patients, lambda g, n: g.standard_normal((n, len(assay.days)))
    )
    seen = np.maximum(truth - assay.above, 0.0) if assay.above else truth
    value = _add_noise(assay, seen * assay.factor, noise[:, : len(days)])
    is_row = is_row & np.isfinite(value)
    subject, visit = np.nonzero(is_row)
    measured = value[subject, visit]
    limit = assay.lloq
    is_below = np.zeros(len(measured), dtype=bool) if limit is None else measured < limit
    names = np.where(other, assay.alternative or assay.variable, assay.variable)[subject]
    is_label = assay.kind == "label"
    return pl.DataFrame(
        {
            "subject": first + subject,
            "day": days[visit],
            "variable": pl.Series(names, dtype=pl.String),
            "value": pl.Series(np.where(is_below, 0.0 if limit is None else limit, measured), dtype=pl.Float64)
            if not is_label
            else pl.Series([None] * len(measured), dtype=pl.Float64),
            "text": pl.Series(_label(assay, measured), dtype=pl.String),
        }
    ).with_columns(
        unit=pl.lit(None if is_label else assay.unit, dtype=pl.String),
        assay=pl.lit(assay.name),
        lloq=pl.lit(None if is_label else limit, dtype=pl.Float64),
        censored=pl.Series(np.where(is_below & (not is_label), "left", "none"), dtype=pl.String),
    )


def _add_noise(assay: Assay, truth: np.ndarray, noise: np.ndarray) -> np.ndarray:
    if assay.kind == "logit":
        share = np.clip(truth / assay.whole, SMALLEST, 1 - SMALLEST)
        return np.asarray(assay.whole * expit(logit(share) + noise))
    return np.asarray(np.maximum(truth, 0.0) * np.exp(noise))


def _label(assay: Assay, measured: np.ndarray) -> list[str | None]:
    if assay.labels is None:
        return [None] * len(measured)
    below, above, threshold = assay.labels
    return [above if value >= threshold else below for value in measured.tolist()]
