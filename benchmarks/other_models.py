"""Patients of *other people's* models with a planted cause: does an explanation find it, or say that it cannot?

``python benchmarks/other_models.py [--patients 10] [--seed 1] [--kept FILE] [--json]``. The CAR transgene follows Stein
2019 with its spreads; the tumour grows and is killed as in Kimmel 2021, with a clone that is not killed; markers follow
the tumour. Neither knows memory, suppression or room for CAR T cells as the unified model does. One cause is planted in
each patient: its value is off by a stated factor. Kept are patients who fail with it and, as far as their record tells,
not within two years without it. Counted: the cause or its group answered, another one answered, "cannot tell", and
flagged as misfit.
"""

import argparse
import json
import os
from collections import Counter
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl
from scipy.integrate import solve_ivp

from livingdrug.core.parameters import bind
from livingdrug.core.randomness import derive_generator
from livingdrug.core.tables import Record
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.assess_response import assess_response
from livingdrug.study.benchmark_cases import Case, explain_all, name_group
from livingdrug.study.benchmark_patients import KINETICS, KnownFailure
from livingdrug.study.explain_failure import QUICK_DRAWS
from livingdrug.study.patient_data import select_patient
from livingdrug.study.plans import SETTINGS

COHORTS = (("lbcl", "axi_cel", "CD19"), ("b_all", "tisa_cel", "CD19"), ("myeloma", "ide_cel", "BCMA"))
VISITS = (-7.0, *np.arange(28.0, 730.0, 28.0))
PLANTED = {
    "expansion": {"C_max": 0.01},
    "persistence": {"F_B": 0.01, "alpha": 2.0},
    "potency": {"g_B": 0.12},
    "antigen_negative": {"negative": 1e9},
    "tumour_growth": {"r_B": 6.0},
}
"""Factors by which a cause is off."""
SPREADS = {"r_B": 0.3, "g_B": 0.3, "B_0": 0.5}
"""Between patients, of what Kimmel 2021 gives as one value; Stein 2019 gives its own."""
NEGATIVE = 1e-12
"""Share of tumour cells without the target: less than one."""
CELL = 1e-9
"""Volume of one cell [mL]."""
ROOM = 20
"""Burdens at infusion that there is room for; chosen here, Kimmel 2021 has no limit."""
STAINED, BACKGROUND = 0.97, 0.002
"""Share of antigen-positive cells that stain, and of others that seem to; chosen here."""


def draw_patient(rng: np.random.Generator, peak: float, growth: float) -> dict[str, float]:
    """Draw one patient: Stein's kinetics, Kimmel's tumour, at a disease's own growth and an assay's own level."""
    kinetics, tumour = load_parameters("stein2019").values, load_parameters("kimmel2021").values
    own = {}
    for name in ("foldx", "C_max", "T_max", "alpha", "F_B", "beta"):
        own[name] = kinetics[name].value * np.exp(kinetics[name].spread.sd * rng.standard_normal())
    own["C_max"] *= peak / kinetics["C_max"].value
    for name, typical in (("r_B", growth), ("g_B", tumour["g_B"].value), ("B_0", tumour["B_0"].value)):
        own[name] = typical * np.exp(SPREADS[name] * rng.standard_normal())
    own["half"] = peak * tumour["k_B"].value / tumour["K_C"].value
    own["negative"] = NEGATIVE
    return own


def compute_transgene(day, p):
    """Return Stein's transgene: up to the peak along an exponential, down along two."""
    after = np.maximum(day - p["T_max"], 0.0)
    down = (1 - p["F_B"]) * np.exp(-p["alpha"] * after) + p["F_B"] * np.exp(-p["beta"] * after)
    up = np.exp(np.log(p["foldx"]) * np.minimum(day / p["T_max"] - 1, 0.0))
    return p["C_max"] * up * down


def simulate_tumour(days, p):
    """Return tumour with and without the target [mL] on days after infusion; less than one cell is none."""

    def rates(day, state):
        cart = compute_transgene(day, p)
        alive = np.where(np.exp(state) > CELL, 1.0, 0.0)
        killing = p["g_B"] * cart / (p["half"] + cart)
        room = 1 - np.exp(state).sum() / (ROOM * p["B_0"])
        return alive * (p["r_B"] * room - np.array([killing, 0.0]))

    start = np.log(p["B_0"] * np.array([1 - min(p["negative"], 0.5), min(p["negative"], 0.5)]))
    found = solve_ivp(rates, (0.0, days[-1]), start, t_eval=days, rtol=1e-6, max_step=1.0)
    return np.exp(found.y)


def write_observations(p, disease, rng):
    """Return the rows that a clinic would have."""
    days = np.array([d for d in VISITS if d > 0])
    tumour = simulate_tumour(np.concatenate([[0.0], days]), p)
    total = tumour.sum(axis=0)
    rows = [("car_transgene", d, compute_transgene(d, p) * np.exp(0.3 * rng.standard_normal()), 50.0) for d in KINETICS]
    if disease == "myeloma":  # the protein follows the tumour, with a half-life of three weeks
        grid = np.arange(0.0, days[-1] + 1)
        cells = np.interp(grid, np.concatenate([[0.0], days]), np.log(total))
        level, rate = [3.0], np.log(2) / 21
        for one in np.exp(cells)[1:]:
            level.append(level[-1] + rate * (3.0 * one / p["B_0"] - level[-1]))
        marker = np.interp(days, grid, level)
        name, first, noise, limit = "m_protein", 3.0, 0.06, 0.05
    elif disease == "lbcl":  # three spheres
        spd = 300 * (6 * np.concatenate([[p["B_0"]], total[1:]]) / (3 * np.pi)) ** (2 / 3)
        name, first, marker, noise, limit = "tumour_spd", spd[0], spd[1:], 0.1, 100.0
    else:
        name, first, marker, noise, limit = "marrow_blasts", 50.0, 100 * total[1:] / (total[1:] + p["B_0"]), 0.15, 0.1
    values = np.concatenate([[first], marker]) * np.exp(noise * rng.standard_normal(len(days) + 1))
    rows += [
        (name, d, min(v, 99.0) if name == "marrow_blasts" else v, limit) for d, v in zip(VISITS, values, strict=True)
    ]
    table = pl.DataFrame(rows, schema=["variable", "day", "value", "lloq"], orient="row")
    positive = tumour[0, 1:] / total[1:]
    units = {"car_transgene": "copies/ug", "m_protein": "g/dL", "tumour_spd": "mm2", "marrow_blasts": "%"}
    table = table.with_columns(
        censored=pl.when(pl.col("value") < pl.col("lloq")).then(pl.lit("left")).otherwise(pl.lit("none")),
        value=pl.max_horizontal("value", "lloq"),
        unit=pl.col("variable").replace_strict(units),
    )
    return table, {d: max(f * STAINED, BACKGROUND) for d, f in zip(days, positive, strict=True)}


def write_record(subject, disease, product, antigen, table, biopsy):
    """Return a record."""
    subjects = pl.DataFrame({"subject_id": [subject], "disease": [disease], "product": [product], "source": ["other"]})
    events = pl.DataFrame(
        {
            "subject_id": [subject] * 2,
            "day": [-5.0, 0.0],
            "type": ["lymphodepletion", "car_t"],
            "amount": [None, 2e8 if disease != "myeloma" else 4.5e8],
            "unit": [None, "cells"],
            "duration_days": [3.0, None],
            "note": pl.Series([None, None], dtype=pl.String),
        }
    )
    rows = table
    if biopsy is not None:
        extra = pl.DataFrame(
            {"variable": [f"antigen_positive_fraction:{antigen}"], "day": [biopsy[0]], "value": [biopsy[1]]}
        ).with_columns(lloq=pl.lit(None, dtype=pl.Float64), censored=pl.lit("none"), unit=pl.lit("1"))
        rows = pl.concat([table, extra.select(table.columns)])
    rows = rows.select(
        pl.lit(subject).alias("subject_id"),
        "day",
        "variable",
        "value",
        pl.lit(None, dtype=pl.String).alias("text"),
        "unit",
        pl.lit(None, dtype=pl.String).alias("assay"),
        "lloq",
        "censored",
        pl.lit("other").alias("source"),
    ).sort("variable", "day")
    return Record(subjects, events, rows, source="another model")


def find_levels(disease, product):
    """Return the typical transgene at its peak, and growth of the tumour: neither is part of the question."""
    values = load_parameters(f"unified_{disease}_{product}")
    typical = bind(UNIFIED, values)
    course = solve(compile_model(UNIFIED), typical[None], list(range(1, 41)), keep=("car_transgene",), rtol=1e-4)
    return float(course.values.max()), values.values["r"].value


def list_failures(cause, cohort, patients, seed):
    """Yield patients who fail with the cause, and in whom no failure is found in two years without it."""
    disease, product, antigen = cohort
    levels, found = find_levels(disease, product), 0
    for place in range(20 * patients):
        if found == patients:
            return
        healthy = draw_patient(derive_generator(seed, cause, disease, place), *levels)
        ill = {name: value * PLANTED[cause].get(name, 1.0) for name, value in healthy.items()}
        answers = []
        for p in (healthy, ill):
            rng = derive_generator(seed, "noise", cause, disease, place)
            table, positive = write_observations(p, disease, rng)
            subject = f"{seed}-{cause}-{disease}-{place}"
            record = write_record(subject, disease, product, antigen, table, None)
            answers.append((assess_response(select_patient(record)), table, positive))
        without, (assessment, table, positive) = answers[0][0], answers[1]
        if without.failed or not assessment.failed or assessment.failure_day is None:
            continue
        day = min(positive, key=lambda d: abs(d - assessment.failure_day))
        seen = table.filter(pl.col("day") <= max(assessment.failure_day, 28.0))
        record = write_record(subject, disease, product, antigen, seen, (day, positive[day]) if place % 2 else None)
        assessment = assess_response(select_patient(record))
        if assessment.failed and assessment.marker is not None and assessment.failure_day is not None:
            found += 1
            yield KnownFailure(subject, disease, product, record, assessment, {cause: 1.0}, {cause: 1.0})


def judge(case: Case) -> str:
    """Return right, group, wrong, cannot tell, or misfit."""
    (cause,) = case.truth
    if case.is_misfit:
        return "misfit"
    if case.answered is None:
        return "cannot tell"
    if case.answered == cause:
        return "right"
    return "group right" if case.answered == name_group(cause) else "wrong"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10, help="of each cause and cohort")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=list(PLANTED))
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    settings, table = load_rules(SETTINGS), {}
    for cause in arguments.only:
        for cohort in COHORTS:
            failures = list(list_failures(cause, cohort, arguments.patients, arguments.seed))
            cases = list(
                explain_all(failures, settings, seed=arguments.seed, draws=QUICK_DRAWS, jobs=1, kept=arguments.kept)
            )
            verdicts = Counter(judge(case) for case in cases)
            named = Counter(case.answered for case in cases)
            first = Counter(max(case.eight, key=case.eight.get) for case in cases)
            table[f"{cause} {cohort[0]}"] = {"n": len(cases), **verdicts}
            print(
                cause, cohort[0], len(cases), dict(verdicts), "answered", dict(named), "first", dict(first), flush=True
            )
    if arguments.json:
        print(json.dumps(table))


if __name__ == "__main__":
    main()
