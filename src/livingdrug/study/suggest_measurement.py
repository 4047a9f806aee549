"""The assay and the day that would most reduce the doubt about why this subject's treatment failed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from livingdrug.core.randomness import derive_generator
from livingdrug.explain.attribution import Attribution
from livingdrug.explain.next_measurement import compute_doubt, compute_gain
from livingdrug.fit.likelihood import KINDS, Noise, compute_scaled
from livingdrug.study.fit_patient import PatientFit, solve_draws
from livingdrug.study.patient_data import PatientData

AT_FAILURE = ("antigen_positive_fraction", "antigen_density", "car_transgene", "b_cells")
"""Variables that can still be measured when the treatment has failed."""
FROM_STORE = {"pd1_tim3_fraction": (14.0, 28.0), "car_transgene": (7.0, 14.0, 28.0), "car_t_cells": (14.0, 28.0)}
"""Variables that a stored sample can still give, and the days of such samples."""
NEAR = 7.0
"""Days within which a variable that was measured is not asked for again."""
MOST = 3
LEAST = 0.01
"""Suggestions at most, and the least gain [bit] that is worth one."""


def suggest_measurements(
    fit: PatientFit,
    data: PatientData,
    attribution: Attribution,
    draws: np.ndarray,
    noise: Mapping[str, Noise],
    *,
    day: float,
    seed: int,
    jobs: int | None = None,
) -> list[dict[str, Any]]:
    """Return the measurements with the largest expected reduction of doubt, best first.

    Parameters
    ----------
    draws : (draw, parameter)
        Those that were attributed.
    day : float [day]
        When the treatment failed.
    """
    if attribution.draws == 0:
        return []
    asked = [(name, day) for name in AT_FAILURE]
    asked += [(name, float(then)) for name, days in FROM_STORE.items() for then in days if then < day]
    asked = [(name, then) for name, then in asked if name in noise and not is_measured(data, name, then)]
    outputs = tuple(dict.fromkeys(name for name, _ in asked))
    times = np.unique(np.array([then for _, then in asked]))
    if not outputs:
        return []
    course = solve_draws(fit, draws[attribution.kept], times, outputs, jobs=jobs)
    rng = derive_generator(seed, "explain", data.subject_id, "next")
    now = float(compute_doubt(attribution.reasons.mean(axis=1)))
    found = []
    for name, then in asked:
        predicted = course[:, int(np.searchsorted(times, then)), outputs.index(name)]
        if not np.isfinite(predicted).all():
            continue
        rule = noise[name]
        kind, floor = np.array([KINDS.index(rule.kind)]), np.array([max(rule.floor, rule.limit)])
        scaled = compute_scaled(predicted[:, None], kind, floor)[0][:, 0]
        gain = compute_gain(scaled, rule.sd, attribution.reasons, rng)
        words = "a biopsy or blood sample now" if then == day else "a stored sample"
        found.append({"assay": name, "day": then, "gain_bits": gain, "doubt_bits": now, "from": words})
    found.sort(key=lambda item: -float(str(item["gain_bits"])))
    return [item for item in found[:MOST] if float(str(item["gain_bits"])) >= LEAST]


def is_measured(data: PatientData, name: str, day: float) -> bool:
    """Tell whether a variable was measured near a day."""
    near = (pl.col("day") - day).abs() <= NEAR
    return not data.named_observations.filter((pl.col("variable") == name) & near).is_empty()
