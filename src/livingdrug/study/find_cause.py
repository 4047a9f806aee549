"""Switch off every mechanism in every posterior draw of one subject, and choose the answer that this supports."""

from dataclasses import dataclass

import numpy as np

from livingdrug.core.randomness import derive_generator
from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.attribution import Answer, Attribution, attribute_failure, choose_answer
from livingdrug.explain.mechanisms import CATALOGUE
from livingdrug.explain.progression import MarkerRule, choose_horizon, compute_failure, draw_thresholds
from livingdrug.study.fit_patient import PatientFit, solve_draws
from livingdrug.study.patient_data import PatientData
from livingdrug.study.plans import list_landmarks, list_levels

STEP = 14.0
"""Days between the predicted visits at which a counterfactual course is judged."""
CLONES = ("high", "low", "negative")


@dataclass(frozen=True, slots=True)
class Cause:
    """What the switched-off mechanisms say: the attribution, the answer, and the day by which they were judged."""

    attribution: Attribution
    answer: Answer
    horizon: float


def draw_extinction(
    fit: PatientFit, parameters: np.ndarray, day: float, rng: np.random.Generator, *, jobs: int | None
) -> np.ndarray:
    """Put into each draw the chance by which its clones die out, given that the relapse was seen.

    The clone that makes up most of the tumour on the day of failure is known to have survived. The
    others may have died out as chance has it. A draw keeps its chances in every counterfactual.
    """
    keep = (*(f"tumour_{clone}" for clone in CLONES), *(f"survival_{clone}" for clone in CLONES))
    state = solve_draws(fit, parameters, np.array([max(day, 1.0)]), keep, jobs=jobs)[:, 0]
    burden = np.nan_to_num(state[:, : len(CLONES)])
    is_known = np.arange(len(CLONES)) == np.argmax(burden, axis=1)[:, None]
    thresholds = draw_thresholds(state[:, len(CLONES) :], is_known, rng)
    changed = parameters.copy()
    for k, clone in enumerate(CLONES):
        changed[:, fit.problem.model.parameter_names.index(f"extinct_{clone}")] = thresholds[:, k]
    return changed


def find_cause(
    fit: PatientFit,
    data: PatientData,
    marker: MarkerRule,
    day: float,
    *,
    settings: Ruleset,
    seed: int,
    jobs: int | None = None,
) -> Cause:
    """Switch off every mechanism in turn and choose the answer that the posterior supports.

    Parameters
    ----------
    marker : MarkerRule
        Thresholds by which a course is judged.
    day : float [day]
        When the treatment failed.
    settings : Ruleset
        Landmarks, reference quantiles, and the probability at which an answer is given.
    """
    horizon = choose_horizon(day, list_landmarks(settings))
    times = np.unique(np.concatenate([np.arange(0.0, horizon, STEP), [horizon]]))
    rng = derive_generator(seed, "explain", data.subject_id, "extinction")
    draws = draw_extinction(fit, fit.posterior.parameters, day, rng, jobs=jobs)

    def assess(parameters: np.ndarray) -> np.ndarray:
        return compute_failure(solve_draws(fit, parameters, times, (marker.marker,), jobs=jobs)[:, :, 0], marker)

    attribution = attribute_failure(
        draws,
        fit.problem.model.parameter_names,
        fit.problem.free,
        CATALOGUE,
        assess,
        effective=fit.posterior.draws.effective,
        levels=list_levels(settings),
        tie=settings.threshold("tie"),
    )
    observed = data.named_observations["variable"].unique().to_list()
    answer = choose_answer(attribution, CATALOGUE, observed, enough=settings.threshold("answer_probability"))
    return Cause(attribution, answer, horizon)
