"""Hold the packaged values against every published result that is marked for calibration; hide none.

The people are others than those that were calibrated with. What the model cannot say is listed with the reason.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from livingdrug.knowledge.targets import load_targets
from livingdrug.study.calibration_plan import CalibrationPlan, Target, list_plans, load_plan, name_people
from livingdrug.study.target_results import compute_result, load_sets, simulate_set
from livingdrug.study.write_calibration import is_inside

BATCHES = 8
PEOPLE = 2048
"""In each batch, or as few as a plan says; the interval comes from the spread between batches."""
NOT_SIMULATED = (("crs_grade5", "deaths are drawn without regard to the severity of cytokine release"),)
OTHER_PRODUCT = "this product, disease or line of therapy has no value file yet"
UNEXPLAINED = "within the spread that the values leave; no cause was found"
SCHEMA = {
    "id": pl.String,
    "what": pl.String,
    "quantity": pl.String,
    "unit": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "simulated": pl.Float64,
    "sim_lower": pl.Float64,
    "sim_upper": pl.Float64,
    "inside": pl.Boolean,
    "note": pl.String,
}


def validate_targets(*, threads: int | None = None, progress: Callable[[str], None] | None = None) -> pl.DataFrame:
    """Return every result marked for calibration with what the packaged values give.

    Returns
    -------
    table
        ``id, what, quantity, unit, value, lower, upper, simulated, sim_lower, sim_upper, inside, note``; where a
        result is not simulated, the last numbers are null and the note says why.
    """
    rows: list[dict[str, Any]] = []
    for plan in map(load_plan, list_plans()):
        if progress is not None:
            progress(f"Simulating {', '.join(plan.sets)}")
        rows += _compare(plan, threads)
    simulated = {row["id"] for row in rows}
    wanted = load_targets().filter(pl.col("use") == "calibrate").rows(named=True)
    rows += [_leave_open(row) for row in wanted if row["id"] not in simulated]
    return pl.DataFrame(rows, schema=SCHEMA).sort("id", maintain_order=True)


def _compare(plan: CalibrationPlan, threads: int | None) -> list[dict[str, Any]]:
    results = np.empty((BATCHES, len(plan.targets)))
    sets = load_sets(plan)
    count = min(PEOPLE, plan.patients)
    for batch in range(BATCHES):
        seed = plan.seed + 1 + batch
        people = {
            name: simulate_set(values, count, plan.question, seed=seed, threads=threads)
            for name, values in sets.items()
        }
        results[batch] = [compute_result(target, people) for target in plan.targets]
    mean, half = _pool(results)
    return [
        {
            "id": target.id,
            "what": f"{target.what} ({name_people(target.set)})",
            "quantity": target.quantity,
            "unit": target.unit,
            "value": target.value,
            "lower": target.lower,
            "upper": target.upper,
            "simulated": float(value),
            "sim_lower": float(value - width) if np.isfinite(width) else None,
            "sim_upper": float(value + width) if np.isfinite(width) else None,
            "inside": is_inside(target, float(value)),
            "note": explain(target, is_met=is_inside(target, float(value))),
        }
        for target, value, width in zip(plan.targets, mean, half, strict=True)
    ]


def _pool(results: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over batches and half its interval; where a median is not reached, the median over batches.

    Parameters
    ----------
    results : (batch, target)
        A median time is infinite where fewer than half have the event; it then has no interval.
    """
    is_finite = np.isfinite(results).all(axis=0)
    known = np.where(is_finite, results, 0.0)
    half = 1.96 * known.std(axis=0, ddof=1) / np.sqrt(len(results))
    return np.where(is_finite, known.mean(axis=0), np.median(results, axis=0)), np.where(is_finite, half, np.nan)


def explain(target: Target, *, is_met: bool) -> str:
    """Return what is to be known about a comparison; of a miss also why."""
    missed = "" if is_met else f"missed: {target.missed or UNEXPLAINED}"
    return "; ".join(part for part in (target.note, missed) if part)


def _leave_open(row: dict[str, Any]) -> dict[str, Any]:
    quantity = str(row["quantity"])
    reasons = [reason for words, reason in NOT_SIMULATED if any(word in quantity for word in words.split("|"))]
    return {
        "id": row["id"],
        "what": f"{row['product']} {row['disease']}, {row['trial']}: {quantity}",
        "quantity": quantity,
        "unit": row["unit"],
        "value": row["value"],
        "lower": row["lower"],
        "upper": row["upper"],
        "note": f"not simulated: {reasons[0] if reasons else OTHER_PRODUCT}",
    }
