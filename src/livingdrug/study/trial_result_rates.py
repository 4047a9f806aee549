"""Rates, medians and landmarks of the arms of a trial, each with its 95 % interval."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy import stats

from livingdrug.clinical.survival import SurvivalCurve, compute_kaplan_meier, compute_quantile
from livingdrug.study.trial_design import DAYS_PER_MONTH

CONFIDENCE = 0.95
LANDMARKS = (6, 12, 18, 24, 36, 48, 60)
"""Months."""
NEAR = 14.0
"""Days by which follow-up may end before a landmark that is still read: 24 months are 730.5 days."""
VERY_GOOD = ("VGPR", "CR", "sCR")
OPTIONAL = {
    "very_good_partial_response_or_better": ("best_response", *VERY_GOOD[:1]),
    "mrd_negative": ("mrd_negative", "Y", "N"),
}
"""Rows that only some diseases have: the column, and the words of which one must stand in it."""
SCHEMA = {
    "arm": pl.String,
    "endpoint": pl.String,
    "statistic": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "unit": pl.String,
    "n": pl.Int64,
    "events": pl.Int64,
}
SURVIVAL = {
    "pfs": "progression_free_survival",
    "os": "overall_survival",
    "dor": "duration_of_response",
    "efs": "event_free_survival",
    "ttnt": "time_to_next_treatment",
}
KINETICS = {
    "car_t_cells_max": "cells/uL",
    "car_t_cells_max_day": "day",
    "car_t_cells_auc_0_28": "day*cells/uL",
}
COLUMNS = (
    *("response", "complete_response", "best_response", "mrd_negative", "dropout_day", "outcome"),
    *("death_day", "next_therapy_day"),
    *("failure", "failure_mechanism", *KINETICS),
    *(f"{name}_{part}" for name in SURVIVAL for part in ("time", "event")),
)
"""Of the outcomes, what the rows of an arm are made of."""
Row = tuple[object, ...]
FAILURES = ("primary_resistance", "incomplete_response", "early_relapse", "late_relapse")
DIED_FIRST = pl.col("death_day").is_not_null() & ~pl.col("failure").is_in(FAILURES).fill_null(value=False)
"""Death of a patient in whom the therapy had not failed."""


def compute_share(events: int, n: int) -> tuple[float, float, float]:
    """Return a share with its exact interval (Clopper and Pearson).

    Examples
    --------
    >>> [round(bound, 3) for bound in compute_share(5, 10)]
    [0.5, 0.187, 0.813]
    """
    if n == 0:
        return float("nan"), float("nan"), float("nan")
    tail = (1 - CONFIDENCE) / 2
    lower = float(stats.beta.ppf(tail, events, n - events + 1)) if events else 0.0
    upper = float(stats.beta.ppf(1 - tail, events + 1, n - events)) if events < n else 1.0
    return events / n, lower, upper


def take_times(own: pl.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return time and event of the subjects in whom an endpoint is defined."""
    rows = own.select(f"{name}_time", f"{name}_event").drop_nulls()
    return rows[f"{name}_time"].to_numpy(), rows[f"{name}_event"].to_numpy()


def compute_curve(own: pl.DataFrame, name: str) -> SurvivalCurve | None:
    """Return the Kaplan-Meier curve of an endpoint; None where it is defined in nobody."""
    time, is_event = take_times(own, name)
    return compute_kaplan_meier(time, is_event, confidence=CONFIDENCE) if time.size else None


def read_curve(curve: SurvivalCurve, day: float) -> tuple[float, float, float] | None:
    """Return the curve on a day with its interval; None beyond what was observed."""
    if day > curve.time[-1] + NEAR and curve.survival[-1] > 0:
        return None
    place = int(np.searchsorted(curve.time, day, side="right")) - 1
    if place < 0:
        return 1.0, 1.0, 1.0
    return float(curve.survival[place]), float(curve.lower[place]), float(curve.upper[place])


def tabulate_arm(arm: str, own: pl.DataFrame, days: float) -> Iterator[Row]:
    """Yield the rows of one arm."""
    n = len(own)
    yield arm, "patients", "count", float(n), None, None, "1", n, None
    shares = {
        "overall_response": own["response"].eq("Y"),
        "complete_response": own["complete_response"].eq("Y"),
        "very_good_partial_response_or_better": own["best_response"].is_in(VERY_GOOD),
        "mrd_negative": own["mrd_negative"].eq("Y"),
        "death": own["death_day"].is_not_null(),
        "death_without_failure": own.select(DIED_FIRST).to_series(),
        "dropout": own["dropout_day"].is_not_null(),
        "not_integrated": own["outcome"].ne("done"),
    }
    for name, is_it in shares.items():
        if name in OPTIONAL and not own[OPTIONAL[name][0]].is_in(OPTIONAL[name][1:]).any():
            continue
        yield _say_share(arm, name, "share", int(is_it.sum()), n)
    yield from _tabulate_words(arm, own, "failure", n)
    failed = own.filter(pl.col("failure_mechanism").is_not_null())
    yield from _tabulate_words(arm, failed, "failure_mechanism", len(failed))
    for name in SURVIVAL:
        if name == "ttnt" and own["next_therapy_day"].is_null().all():
            continue  # where no next treatment is given, time to it would be survival by another name
        yield from _tabulate_survival(arm, own, name, days)
    for name, unit in KINETICS.items():
        known = own[name].drop_nulls()
        parts = [known.quantile(q, "linear") for q in (0.5, 0.25, 0.75)]
        yield arm, name, "median, interquartile range", *parts, unit, len(known), None


def _say_share(arm: str, endpoint: str, statistic: str, events: int, n: int) -> Row:
    return arm, endpoint, statistic, *compute_share(events, n), "1", n, events


def _tabulate_words(arm: str, own: pl.DataFrame, column: str, n: int) -> Iterator[Row]:
    counts = own[column].drop_nulls().value_counts().sort("count", column, descending=[True, False])
    for word, events in counts.iter_rows():
        yield _say_share(arm, column, word, events, n)


def _tabulate_survival(arm: str, own: pl.DataFrame, name: str, days: float) -> Iterator[Row]:
    curve = compute_curve(own, name)
    if curve is None:
        return
    n, events = int(curve.at_risk[0]), int(curve.events.sum())
    median = compute_quantile(curve)
    months = (_finite(bound / DAYS_PER_MONTH) for bound in (median.value, median.lower, median.upper))
    yield arm, SURVIVAL[name], "median", *months, "month", n, events
    for month in LANDMARKS:
        if month * DAYS_PER_MONTH > days + 1:
            break
        found = read_curve(curve, month * DAYS_PER_MONTH)
        if found is not None:
            yield arm, SURVIVAL[name], f"at {month} months", *found, "1", n, events


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
