"""Switch off the mechanisms in the posterior draws of one subject, and choose the answer that this supports."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.answer import Answer, choose_answer
from livingdrug.explain.attribution import Attribution, attribute_failure
from livingdrug.explain.mechanisms import ANTIGEN, CATALOGUE
from livingdrug.explain.misfit import Misfit, check_fit
from livingdrug.explain.progression import MarkerRule, choose_horizon, compute_failure
from livingdrug.fit.problem import ACCURACY
from livingdrug.study.fit_patient import PatientFit, list_events, solve_draws
from livingdrug.study.patient_data import PatientData, find_end
from livingdrug.study.plans import list_landmarks, list_levels
from livingdrug.study.two_phases import TwoPhases, find_peak_day

STEP = 14.0
"""Days between the predicted visits at which a counterfactual course is judged."""
FIRST = 28.0
"""First predicted visit after infusion: before it, a rise does not count."""
ATTRIBUTED = 128
"""Posterior draws in which mechanisms are switched off, at most."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What the switched-off mechanisms say: the attribution, the answer, and the day by which they were judged.

    ``draws`` (draw, parameter) are those that were attributed.
    """

    attribution: Attribution
    answer: Answer
    horizon: float
    draws: np.ndarray


def list_visits(horizon: float) -> np.ndarray:
    """Return the days on which a counterfactual course is looked at.

    >>> list_visits(60.0).tolist()
    [0.0, 28.0, 42.0, 56.0, 60.0]
    """
    return np.unique(np.concatenate([[0.0], np.arange(FIRST, horizon, STEP), [horizon]]))


def find_misfit(fit: PatientFit, *, settings: Ruleset, jobs: int | None = None) -> Misfit:
    """Check whether the model can reproduce the subject's data."""
    problem, rows = fit.problem, fit.problem.rows
    if len(rows) == 0:
        return Misfit(flag=False, why="", probability=1.0)
    draws = thin_draws(fit.posterior.parameters)
    course = solve_draws(fit, draws, problem.times, problem.outputs, jobs=jobs)
    predicted = course[:, rows.time, rows.output]
    return check_fit(rows, predicted, problem.outputs, problem.times, least=settings.threshold("misfit_probability"))


def thin_draws(draws: np.ndarray) -> np.ndarray:
    """Return every so manieth draw, `ATTRIBUTED` at most, of anything that has one row a draw."""
    step = -(-len(draws) // ATTRIBUTED)
    return draws[::step]


def withhold_answer(fit: PatientFit, misfit: Misfit, settings: Ruleset) -> str:
    """Say why no answer may be given whatever the attribution says; empty where one may."""
    least = int(settings.threshold("answer_rows"))
    later = int((fit.problem.times[fit.problem.rows.time] > 0).sum())
    if later < least:
        return f"only {later} usable measurements after infusion, and at least {least} are asked for"
    if misfit.flag:
        return f"the model cannot reproduce the data ({misfit.why})"
    return ""


def list_observed(data: PatientData) -> list[str]:
    """Return the variables that were measured up to a new therapy; antigen on tumour cells only after infusion."""
    is_measured = pl.col("value").is_not_null() | (pl.col("censored") == "left")
    is_told = (pl.col("day") > 0) | ~pl.col("variable").is_in(ANTIGEN)
    rows = data.named_observations.filter(is_measured & is_told & (pl.col("day") <= find_end(data)))
    return sorted(rows["variable"].unique().to_list())


def find_cause(
    fit: PatientFit,
    data: PatientData,
    marker: MarkerRule,
    day: float,
    *,
    settings: Ruleset,
    misfit: Misfit,
    jobs: int | None = None,
) -> Cause:
    """Switch off the mechanisms and choose the answer that the posterior supports.

    Parameters
    ----------
    marker : MarkerRule
        Thresholds by which a course is judged.
    day : float [day]
        When the treatment failed.
    settings : Ruleset
        Landmarks, reference quantiles, and the probability at which an answer is given.
    misfit : Misfit
        Where the model cannot reproduce the data no answer is given.
    """
    horizon = choose_horizon(day, list_landmarks(settings))
    times = list_visits(horizon)
    draws = thin_draws(fit.posterior.parameters)
    model = fit.problem.model
    phases = TwoPhases(model, find_peak_day(model, fit.values), fit.problem.changes)

    def assess(split: np.ndarray) -> np.ndarray:
        parameters, schedule = phases.join(split)
        course = solve_draws(fit, parameters, times, (marker.marker,), rtol=ACCURACY, jobs=jobs, schedule=schedule)
        return compute_failure(course[:, :, 0], marker)

    attribution = attribute_failure(
        phases.split(draws),
        phases.names,
        phases.list_free(fit.problem.free),
        CATALOGUE,
        assess,
        origin=thin_draws(fit.posterior.draws.origin),
        effective=fit.posterior.draws.effective,
        levels=list_levels(settings),
        tie=settings.threshold("tie"),
        events=[event.type for event in list_events(data)],
    )
    observed = list_observed(data)
    withheld = withhold_answer(fit, misfit, settings)
    answer = choose_answer(
        attribution,
        CATALOGUE,
        observed,
        enough=settings.threshold("answer_probability"),
        enough_group=settings.threshold("answer_probability_group"),
        withheld=withheld,
    )
    return Cause(attribution, answer, horizon, draws)
