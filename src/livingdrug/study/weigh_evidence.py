"""How much each piece of evidence moved the answer: the posterior without its rows, by reweighting the draws."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from livingdrug.explain.evidence import Evidence
from livingdrug.fit.draws import compute_effective
from livingdrug.fit.likelihood import Rows, compute_log_likelihood
from livingdrug.study.find_cause import Cause
from livingdrug.study.fit_patient import PatientFit, solve_draws
from livingdrug.study.patient_data import PatientData

FEWEST = 8.0
"""Effective draws below which another posterior (without some rows, or with another spread) is too far to be told."""


def select_rows(rows: Rows, which: np.ndarray) -> Rows:
    """Return some of the rows."""
    return Rows(**{name.name: getattr(rows, name.name)[which] for name in fields(rows)})


def weigh_evidence(
    fit: PatientFit, data: PatientData, cause: Cause, evidence: tuple[Evidence, ...], *, jobs: int | None = None
) -> Mapping[tuple[int, ...], float | None]:
    """Return, for the rows of each piece of evidence, the fall of the first reason's probability without them.

    None where the rows are no part of the fit, or where too few draws stand for the posterior without them.
    """
    attribution, problem = cause.attribution, fit.problem
    if attribution.draws == 0:
        return {}
    rows = problem.rows
    draws = cause.draws[attribution.kept]
    predicted = solve_draws(fit, draws, problem.times, problem.outputs, jobs=jobs)[:, rows.time, rows.output]
    named = data.named_observations
    first = int(np.argmax(attribution.reasons.mean(axis=1)))
    moved: dict[tuple[int, ...], float | None] = {}
    for item in evidence:
        used = {(named["variable"][row], max(0.0, float(named["day"][row]))) for row in item.rows}
        which = np.array(
            [
                (problem.outputs[o], float(problem.times[t])) in used
                for o, t in zip(rows.output, rows.time, strict=True)
            ],
            dtype=bool,
        )
        moved[item.rows] = None
        if not which.any():
            continue
        log_weight = -compute_log_likelihood(select_rows(rows, which), predicted[:, which]).value
        if not np.isfinite(log_weight).all() or compute_effective(log_weight) < FEWEST:
            continue
        weight = np.exp(log_weight - log_weight.max())
        without = float((attribution.reasons[first] * weight).sum() / weight.sum())
        moved[item.rows] = float(attribution.reasons[first].mean()) - without
    return moved
