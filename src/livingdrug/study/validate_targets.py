"""Hold the packaged values against every published result that is marked for calibration; hide none.

The people are others than those that were calibrated with. What the model cannot say is listed with the reason.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.targets import load_targets
from livingdrug.study.calibration_plan import CalibrationPlan, list_plans, load_plan
from livingdrug.study.target_results import change_values, compute_result, simulate_set
from livingdrug.study.write_calibration import is_inside

BATCHES = 8
PEOPLE = 2048
"""In each batch; the interval comes from the spread between batches."""
NOT_SIMULATED = (
    ("odds_ratio", "markers of inflammation at baseline are not in the model yet"),
    ("lineage_switch|relapse_share_cd19_positive", "lineage switch is not in the model"),
    ("lag_before", "the lag is fixed by its own parameter"),
    ("baseline_median", "an input of the value files"),
)
OTHER_PRODUCT = "this product, disease or line of therapy has no value file yet"
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
    sets = {name: change_values(load_parameters(name), plan.change) for name in plan.sets}
    for batch in range(BATCHES):
        seed = plan.seed + 1 + batch
        people = {
            name: simulate_set(values, PEOPLE, plan.question, seed=seed, threads=threads)
            for name, values in sets.items()
        }
        results[batch] = [compute_result(target, people) for target in plan.targets]
    mean = results.mean(axis=0)
    half = 1.96 * results.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    return [
        {
            "id": target.id,
            "what": f"{target.what} ({target.set.replace('unified_', '').replace('toxicity_', '')})",
            "quantity": target.quantity,
            "unit": target.unit,
            "value": target.value,
            "lower": target.lower,
            "upper": target.upper,
            "simulated": float(value),
            "sim_lower": float(value - width),
            "sim_upper": float(value + width),
            "inside": is_inside(target, float(value)),
            "note": target.note,
        }
        for target, value, width in zip(plan.targets, mean, half, strict=True)
    ]


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
