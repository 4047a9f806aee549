"""Re-estimate known populations from simulated patients: how far off, and how often the intervals hold the truth.

``python benchmarks/population_fit.py [--replicates 50] [--patients 100] [--only stein2019] [--json]``. Patients are
drawn from a packaged set, measured with noise and a limit of quantification, and estimated again from a start that is
off by half a spread; the bias of each typical value and the coverage of its 90 % interval come out, beside the second
algorithm's answer. Not a test: fifty replicates take the night.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.core.randomness import derive_generator
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.fit.likelihood import Noise
from livingdrug.fit.population_predict import read_scaled, write_scaled
from livingdrug.fit.problem import create_free
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models import ALL
from livingdrug.study.fit_population import fit_population, switch_on_day

CASES = {
    "stein2019": {
        "free": ("foldx", "T_max", "C_max", "alpha", "F_B", "beta"),
        "days": (1, 3, 5, 7, 9, 11, 14, 17, 21, 28, 60, 90, 180, 270, 365, 540),
        "noise": {"car_transgene": Noise("lognormal", 0.3, 10.0)},
        "switch": ("contracting", "T_max"),
    },
    "unified_myeloma_ide_cel": {
        "free": ("feng", "fM", "alpha", "dM", "r", "m_protein_0"),
        "days": (3, 7, 10, 14, 21, 28, 60, 90, 120, 180, 270, 365),
        "noise": {"car_transgene": Noise("lognormal", 0.3, 10.0), "m_protein": Noise("lognormal", 0.1, 0.05)},
        "switch": None,
    },
}


def simulate(values: ParameterSet, case: dict, patients: int, rng: np.random.Generator) -> pl.DataFrame:
    """Draw patients and measure them."""
    model = next(one for one in ALL if one.name == values.model)
    typical = bind(model, values)
    parameters = np.tile(typical, (patients, 1))
    for one in create_free(model, values, case["free"], typical):
        z = write_scaled(one.typical, one) + one.sd * rng.standard_normal(patients)
        parameters[:, one.column] = read_scaled(z, one)
    schedule = (
        None if case["switch"] is None else switch_on_day(model, *case["switch"])(parameters, np.arange(patients))
    )
    names = tuple(case["noise"])
    found = solve(compile_model(model), parameters, case["days"], schedule=schedule, keep=names, rtol=1e-6).values
    tables = []
    for k, (name, rule) in enumerate(case["noise"].items()):
        seen = found[:, :, k] * np.exp(rule.sd * rng.standard_normal(found.shape[:2]))
        tables.append(
            pl.DataFrame(
                {
                    "subject_id": np.repeat([f"P{i}" for i in range(patients)], len(case["days"])),
                    "day": np.tile(np.array(case["days"], dtype=float), patients),
                    "variable": name,
                    "value": np.maximum(seen, rule.limit).ravel(),
                    "lloq": rule.limit,
                    "censored": np.where(seen.ravel() < rule.limit, "left", "none"),
                }
            )
        )
    return pl.concat(tables)


def shift(values: ParameterSet, names: tuple[str, ...]) -> ParameterSet:
    """Move the start away from the truth: half a spread up."""
    moved = dict(values.values)
    for name in names:
        one = moved[name]
        if one.spread is not None and one.spread.kind == "lognormal":
            moved[name] = replace(one, value=one.value * float(np.exp(0.5 * one.spread.sd)))
    return replace(values, values=moved)


def run(name: str, replicates: range, patients: int, seed: int, kept: Path | None) -> list[dict]:
    """Estimate one case again and again; a replicate that is on file is not estimated again."""
    values, case = load_parameters(name), CASES[name]
    model = next(one for one in ALL if one.name == values.model)
    rows = [] if kept is None or not kept.exists() else [json.loads(line) for line in kept.read_text().splitlines()]
    own = (name, seed, patients)
    rows = [
        row for row in rows if (row["case"], row["seed"], row["patients"]) == own and row["replicate"] in replicates
    ]
    for replicate in replicates:
        if any(row["replicate"] == replicate for row in rows):
            continue
        observations = simulate(values, case, patients, derive_generator(seed, name, replicate))
        arrange = None if case["switch"] is None else switch_on_day(model, *case["switch"])
        found = fit_population(
            shift(values, case["free"]), observations, case["noise"], free=case["free"], seed=seed, arrange=arrange
        )
        truth, fresh = {one: values.values[one] for one in case["free"]}, []
        is_known = np.isfinite([*found.judged.mean_error, *found.judged.spread_error]).all()
        for row in found.table.iter_rows(named=True):
            true = truth[row["parameter"]].value
            fresh.append(
                {
                    "case": name,
                    "seed": seed,
                    "patients": patients,
                    "replicate": replicate,
                    "effective": float(np.median(found.judged.effective)),
                    "effective_importance": float(np.median(found.importance.effective)),
                    "parameter": row["parameter"],
                    "true": true,
                    "ratio": row["typical"] / true,
                    "ratio_importance": row["typical_importance"] / true,
                    "is_covered": bool(is_known and row["typical_lower"] <= true <= row["typical_upper"]),
                    "spread_ratio": row["spread"] / truth[row["parameter"]].spread.sd,
                    "is_spread_covered": bool(is_known)
                    and row["spread_lower"] <= truth[row["parameter"]].spread.sd <= row["spread_upper"],
                }
            )
        rows += fresh
        if kept is not None:
            with kept.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in fresh)
        print(f"{name}: {replicate + 1} of {replicates.stop}", flush=True)
    return rows


def summarise(rows: list[dict]) -> pl.DataFrame:
    """Return one row a parameter."""
    table = pl.DataFrame(rows)
    return table.group_by("parameter", maintain_order=True).agg(
        pl.first("true"),
        bias_percent=100 * (pl.col("ratio").log().mean().exp() - 1),
        bias_importance_percent=100 * (pl.col("ratio_importance").log().mean().exp() - 1),
        standard_error_percent=100 * pl.col("ratio").log().std() / pl.len().sqrt(),
        replicates=pl.len(),
        coverage=pl.col("is_covered").mean(),
        spread_bias_percent=100 * (pl.col("spread_ratio").mean() - 1),
        spread_coverage=pl.col("is_spread_covered").mean(),
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=50)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--only", choices=list(CASES), nargs="*", default=list(CASES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first replicate: for several processes")
    parser.add_argument("--kept", type=Path, help="file of what is done, one line a parameter and replicate")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    arguments = parser.parse_args()
    replicates = range(arguments.first, arguments.first + arguments.replicates)
    found = {
        name: summarise(run(name, replicates, arguments.patients, arguments.seed, arguments.kept))
        for name in arguments.only
    }
    pl.Config.set_tbl_cols(-1)
    pl.Config.set_tbl_width_chars(140)
    for name, table in found.items():
        print(name, table, sep="\n")
    if arguments.json:
        print(json.dumps({name: table.to_dicts() for name, table in found.items()}))


if __name__ == "__main__":
    main()
