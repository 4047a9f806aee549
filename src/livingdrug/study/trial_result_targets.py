"""Published results of the product and disease of each arm beside those of the virtual trial."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from livingdrug.clinical.survival import compute_quantile
from livingdrug.knowledge.targets import load_targets
from livingdrug.study.calibration_plan import NOT_AN_INTERVAL
from livingdrug.study.trial_design import DAYS_PER_MONTH
from livingdrug.study.trial_result import TrialResult
from livingdrug.study.trial_result_rates import COLUMNS, compute_curve, compute_share, read_curve
from livingdrug.study.write_calibration import WITHIN

DISEASES = {"myeloma": "MM", "lbcl": "LBCL", "b_all": "B-ALL", "mcl": "MCL"}
"""The record's word to that of the table of published results."""
RESPONSES = {
    "orr": "response",
    "orr_cr_cri": "response",
    "cr_cri": "response",
    "cr_scr": "complete_response",
    "scr": "complete_response",
    "cr": "complete_response",
}
OF_TIMES = re.compile(r"(pfs|os|dor|efs|rfs)_(median|\d+mo)")
KINETICS = {"cmax_median": "car_t_cells_max", "tmax_median": "car_t_cells_max_day"}
SCHEMA = {
    "arm": pl.String,
    "id": pl.String,
    "trial": pl.String,
    "quantity": pl.String,
    "unit": pl.String,
    "evidence": pl.String,
    "use": pl.String,
    "published_n": pl.Float64,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "simulated": pl.Float64,
    "sim_lower": pl.Float64,
    "sim_upper": pl.Float64,
    "inside": pl.Boolean,
    "note": pl.String,
}
Interval = tuple[float | None, float | None, float | None]
NOT_COMPARED = "not an outcome of this trial"
AS_REPORTED = "by the criteria and visits of this trial, not by the rules of the calibration"


def tabulate_targets(result: TrialResult) -> pl.DataFrame:
    """Return every published result of the product and disease of each arm; none is left out.

    Returns
    -------
    table
        ``arm, id, trial, quantity, unit, evidence, use, published_n, value, lower, upper, simulated, sim_lower,
        sim_upper, inside, note``; ``inside``: in the published interval, or within 15 % where none was printed.
    """
    rows = []
    for arm in result.design.arms:
        disease, product = DISEASES.get(result.design.disease, ""), arm.product.replace("_", "-")
        published = load_targets().filter((pl.col("disease") == disease) & (pl.col("product") == product))
        own = result.of(arm.name, *COLUMNS, "rfs_time", "rfs_event")
        note = AS_REPORTED if _is_usual(result, arm.name) else f"{AS_REPORTED}; the arm is treated otherwise"
        rows += [_compare(arm.name, own, row, note) for row in published.iter_rows(named=True)]
    return pl.DataFrame(rows, schema=SCHEMA)


def _is_usual(result: TrialResult, name: str) -> bool:
    arm = result.design.arm(name)
    changes = (arm.dose_factor, arm.lymphodepletion, arm.burden_factor)
    return all(change == 1 for change in changes) and arm.cells is None and not arm.events


def _compare(arm: str, own: pl.DataFrame, row: Mapping[str, Any], note: str) -> dict[str, Any]:
    is_interval = row["lower"] is not None and not (row["spread"] or "").startswith(NOT_AN_INTERVAL)
    lower, upper = (row["lower"], row["upper"]) if is_interval else (None, None)
    value, low, high = _simulate(own, row["quantity"], row["unit"])
    inside = None
    if value is not None:
        near = abs(value - row["value"]) <= WITHIN * abs(row["value"])
        inside = near if lower is None or upper is None else lower <= value <= upper
    found = {name: row[name] for name in ("id", "trial", "quantity", "unit", "evidence", "use")}
    return {
        "arm": arm,
        **found,
        "published_n": row["n"],
        "value": row["value"],
        "lower": lower,
        "upper": upper,
        "simulated": value,
        "sim_lower": low,
        "sim_upper": high,
        "inside": inside,
        "note": note if value is not None else NOT_COMPARED,
    }


def _simulate(own: pl.DataFrame, quantity: str, unit: str) -> Interval:
    """Return what the virtual arm gives for a published quantity, with its interval; None where it does not."""
    if quantity in RESPONSES:
        events = int(own[RESPONSES[quantity]].eq("Y").sum())
        return tuple(100 * bound for bound in compute_share(events, len(own)))  # type: ignore[return-value]
    times = OF_TIMES.fullmatch(quantity)
    if times is not None:
        return _read_times(own, times[1], times[2])
    if quantity in KINETICS and unit in ("cells/uL", "day"):
        return _read_median(own[KINETICS[quantity]].drop_nulls().to_numpy())
    return None, None, None


def _read_times(own: pl.DataFrame, name: str, what: str) -> Interval:
    curve = compute_curve(own, name)
    if curve is None:
        return None, None, None
    if what == "median":
        found = compute_quantile(curve)
        bounds = (bound / DAYS_PER_MONTH for bound in (found.value, found.lower, found.upper))
        return tuple(bound if np.isfinite(bound) else None for bound in bounds)  # type: ignore[return-value]
    read = read_curve(curve, float(what.removesuffix("mo")) * DAYS_PER_MONTH)
    return (None, None, None) if read is None else tuple(100 * bound for bound in read)  # type: ignore[return-value]


def _read_median(values: np.ndarray) -> Interval:
    """Return the median with the order statistics that bound it."""
    if not values.size:
        return None, None, None
    half = 0.98 * np.sqrt(values.size) / values.size
    middle = np.quantile(values, [0.5, max(0.5 - half, 0.0), min(0.5 + half, 1.0)])
    return tuple(middle.tolist())
