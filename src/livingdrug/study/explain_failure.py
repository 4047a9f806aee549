"""Why did the treatment of this subject fail? Response, fit, attribution and evidence, joined."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from livingdrug.core.randomness import derive_generator
from livingdrug.core.ruleset import Ruleset
from livingdrug.core.tables import Record
from livingdrug.explain.attribution import Answer, Attribution, attribute_failure, choose_answer
from livingdrug.explain.evidence import Evidence, find_evidence
from livingdrug.explain.mechanisms import CATALOGUE
from livingdrug.explain.narrative import Facts, write_sentences
from livingdrug.explain.progression import MarkerRule, choose_horizon, compute_failure, draw_thresholds
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.explanation import Explanation
from livingdrug.study.fit_patient import BAND_SCHEMA, PatientFit, compute_bands, describe_fit, fit_patient, solve_draws
from livingdrug.study.patient_data import PatientData, select_patient
from livingdrug.study.plans import PLANS, Plan, create_limits, create_marker_rule, create_noise
from livingdrug.study.provenance import create_provenance

STEP = 14.0
"""Days between the predicted visits at which a counterfactual course is judged."""
CLONES = ("high", "low", "negative")


@dataclass(frozen=True, slots=True)
class Cause:
    """What the switched-off mechanisms say: the attribution, the answer, and the horizon they were judged by."""

    attribution: Attribution
    answer: Answer
    horizon: float
    marker: MarkerRule


def compute_extinction(
    fit: PatientFit, parameters: np.ndarray, day: float, rng: np.random.Generator, *, jobs: int | None
) -> np.ndarray:
    """Put into each draw the chance by which its clones die out, given that the relapse was seen.

    The clone that makes up most of the tumour on the day of failure is known to have survived. The
    others may have died out as chance has it. Each draw keeps its chances in every counterfactual.
    """
    keep = (*(f"tumour_{clone}" for clone in CLONES), *(f"survival_{clone}" for clone in CLONES))
    state = solve_draws(fit, parameters, np.array([max(day, 1.0)]), keep, jobs=jobs)[:, 0]
    is_known = np.arange(len(CLONES)) == np.argmax(state[:, : len(CLONES)], axis=1)[:, None]
    thresholds = draw_thresholds(state[:, len(CLONES) :], is_known, rng)
    changed = parameters.copy()
    for k, clone in enumerate(CLONES):
        changed[:, fit.problem.model.parameter_names.index(f"extinct_{clone}")] = thresholds[:, k]
    return changed


def find_cause(
    fit: PatientFit, data: PatientData, marker: MarkerRule, day: float, settings: Ruleset, *, seed: int, jobs: int | None
) -> Cause:
    """Switch off every mechanism in turn and choose the answer that the posterior supports."""
    horizon = choose_horizon(day, LANDMARKS)
    times = np.unique(np.concatenate([np.arange(0.0, horizon, STEP), [horizon]]))
    rng = derive_generator(seed, "explain", data.subject_id, "extinction")
    draws = compute_extinction(fit, fit.posterior.parameters, day, rng, jobs=jobs)

    def assess(parameters: np.ndarray) -> np.ndarray:
        return compute_failure(solve_draws(fit, parameters, times, (marker.marker,), jobs=jobs)[:, :, 0], marker)

    attribution = attribute_failure(
        draws, fit.problem.model.parameter_names, fit.problem.free, CATALOGUE, assess, effective=fit.posterior.draws.effective
    )
    observed = data.observations["variable"].str.split(":").list.first().unique().to_list()
    return Cause(attribution, choose_answer(attribution, CATALOGUE, observed), horizon, marker)
