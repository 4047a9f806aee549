"""Simulation-based calibration of one patient's fit: are true values uniform among the draws?

Run from the repository root: ``python benchmarks/calibration_of_fits.py [--pair myeloma/ide_cel] [--fits N] [--draws N]
[--effective N] [--seed N] [--jobs N] [--kept FILE]``. Every fit is kept in FILE as soon as it is done, and a run of the
same seed goes on from there.

True values are drawn from the prior, data from the model with the fit's own noise and limits, and each is fitted. If
the draws are the posterior, the rank of a true value among them is uniform (Talts 2018): a chi-square test over 20
bins for every free parameter, and the share of true values inside 90 % intervals.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl
from scipy.stats import chi2

from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.fit.individual import fit_individual, sample_prior
from livingdrug.fit.problem import compute_parameters, create_problem
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.explain_failure import QUICK_DRAWS
from livingdrug.study.fit_patient import Effort
from livingdrug.study.plans import PLANS, SETTINGS, choose_free, create_noise

DESIGNS = {
    ("myeloma", "ide_cel"): {
        "car_transgene": (7, 14, 21, 28, 60, 90, 180),
        "m_protein": (0, *range(28, 365, 28)),
        "flc_involved": (0, *range(28, 365, 28)),
    },
    ("lbcl", "axi_cel"): {
        "car_transgene": (7, 14, 21, 28, 60, 90, 180),
        "tumour_spd": (0, *range(28, 365, 28)),
    },
    ("b_all", "tisa_cel"): {
        "car_transgene": (7, 14, 21, 28, 60, 90, 180),
        "marrow_plasma_cells": (0, *range(28, 365, 28)),
    },
}
SCHEMA = {"variable": pl.String, "day": pl.Float64, "value": pl.Float64, "lloq": pl.Float64, "censored": pl.String}
BINS = 20
RICH = 50


def observe(design, values, noise, rng):
    """Return the noisy rows of a course (time, output), those below their limit censored."""
    days = sorted({day for own in design.values() for day in own})
    rows = []
    for place, (variable, own) in enumerate(design.items()):
        for day in own:
            value = values[days.index(day), place] * np.exp(noise[variable].sd * rng.standard_normal())
            is_low = value < noise[variable].limit
            limit = noise[variable].limit
            rows.append((variable, float(day), None if is_low else value, limit, "left" if is_low else "none"))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def fit_one(pair, design, *, rng, draws, effective, jobs):
    """Draw one patient, fit it; return ranks in [0, 1), whether inside 90 %, effective draws and seconds."""
    values, noise = load_parameters("unified_{}_{}".format(*pair)), create_noise(load_rules(SETTINGS))
    kernel, typical = compile_model(UNIFIED), bind(UNIFIED, values)
    free = choose_free(PLANS[pair[0]], values, set(design))
    empty = pl.DataFrame(schema=SCHEMA)
    options = {"free": free, "chances": EXTINCTION_DRAWS}
    prior = create_problem(UNIFIED, kernel, values, typical, empty, noise, **options)
    truth = sample_prior(prior, 1, rng)
    days = np.array(sorted({day for own in design.values() for day in own}), dtype=float)
    course = solve(kernel, compute_parameters(prior, truth)[0], days, keep=tuple(design), rtol=1e-6).values[0]
    problem = create_problem(UNIFIED, kernel, values, typical, observe(design, course, noise, rng), noise, **options)
    start = time.process_time()
    fit = fit_individual(
        problem,
        rng=rng,
        draws=draws,
        most=Effort(draws, effective).most,
        with_mode=False,
        effective=effective,
        threads=jobs,
    )
    found = fit.draws
    seconds = time.process_time() - start
    low, high = np.quantile(found.z, [0.05, 0.95], axis=0)
    inside = (truth[0] > low) & (truth[0] < high)
    return {
        "names": list(problem.names),
        "ranks": (found.z < truth).mean(axis=0).tolist(),
        "inside": inside.tolist(),
        "effective": found.effective,
        "runs": found.runs,
        "seconds": seconds,
    }


def fit_all(options):
    """Fit patient after patient, each from its own stream; those already kept are read."""
    pair, kept = tuple(options.pair.split("/")), options.kept
    results = [] if kept is None or not kept.exists() else [json.loads(line) for line in kept.read_text().splitlines()]
    for k in range(len(results), options.fits):
        rng = np.random.default_rng([options.seed, k])
        results.append(
            fit_one(pair, DESIGNS[pair], rng=rng, draws=options.draws, effective=options.effective, jobs=options.jobs)
        )
        if kept is not None:
            with kept.open("a") as file:
                file.write(json.dumps(results[-1]) + "\n")
        sys.stderr.write(f"\r{k + 1} of {options.fits}")
    return results[: options.fits]


def test_uniform(ranks):
    """Return the p value of a chi-square test of uniform ranks."""
    counts = np.histogram(ranks, bins=np.linspace(0, 1, BINS + 1))[0]
    expected = len(ranks) / BINS
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), BINS - 1))


def summarise(options, results):
    """Return what the fits add up to, over all and over those with many effective draws."""
    names = results[0]["names"]
    ranks, inside = (np.array([one[key] for one in results]) for key in ("ranks", "inside"))
    effective, seconds = (np.array([one[key] for one in results]) for key in ("effective", "seconds"))
    is_rich = effective >= RICH
    p = np.array([test_uniform(ranks[:, j]) for j in range(len(names))])
    return {
        "pair": options.pair,
        "fits": len(results),
        "draws": options.draws,
        "coverage_90": float(inside.mean()),
        f"coverage_90_of_{RICH}_effective": float(inside[is_rich].mean()) if is_rich.any() else None,
        "coverage_90_of_fewer": float(inside[~is_rich].mean()) if not is_rich.all() else None,
        "worst_p": float(p.min()),
        "p_above_0.01": int((p > 0.01).sum()),
        "parameters_tested": len(names),
        "effective_quartiles": np.quantile(effective, [0.25, 0.5, 0.75]).round(1).tolist(),
        "effective_200": float((effective >= 200).mean()),
        "runs_median": float(np.median([one.get("runs", 1) for one in results])),
        "processor_seconds_quartiles": np.quantile(seconds, [0.25, 0.5, 0.75]).round(2).tolist(),
        "parameters": {
            name: {"p": round(float(p[j]), 4), "coverage_90": round(float(inside[:, j].mean()), 3)}
            for j, name in enumerate(names)
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=500)
    parser.add_argument("--draws", type=int, default=QUICK_DRAWS)
    parser.add_argument("--effective", type=float, help="repeat each fit until its draws are worth so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--pair", default="myeloma/ide_cel", choices=["/".join(pair) for pair in DESIGNS])
    parser.add_argument("--kept", type=Path, help="file of fits already done")
    options = parser.parse_args()
    sys.stdout.write(json.dumps(summarise(options, fit_all(options)), indent=2) + "\n")


if __name__ == "__main__":
    main()
