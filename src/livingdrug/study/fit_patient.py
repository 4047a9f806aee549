"""One subject's posterior of the unified model, and the bands of its fitted course."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from livingdrug.core.model import Model
from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.core.randomness import derive_generator
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.fit.individual import IndividualFit, fit_individual
from livingdrug.fit.likelihood import Noise
from livingdrug.fit.pool import Progress
from livingdrug.fit.problem import MOST_STEPS, Problem, create_problem
from livingdrug.models.unified.interventions import DOSE, EXTINCTION_DRAWS, LEVERS
from livingdrug.simulate.protocol import Event, create_changes
from livingdrug.study.patient_data import PatientData, derive_model_observations, find_dose, find_end
from livingdrug.study.plans import Plan, choose_free

DRAWS = 1024
"""Posterior draws."""
BAND_DAYS = 60
"""Report days of a band."""
BAND_DRAWS = 512
"""Draws behind a band, at most."""
BAND_SCHEMA = {
    "variable": pl.String,
    "unit": pl.String,
    "day": pl.Float64,
    "lower": pl.Float64,
    "median": pl.Float64,
    "upper": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class PatientFit:
    """One subject's estimation problem and its posterior."""

    problem: Problem
    posterior: IndividualFit
    values: ParameterSet


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a fit may be.

    Parameters
    ----------
    draws : int
        Of one run.
    effective : float, optional
        Runs are repeated until they are worth so many independent draws; one run where it is left out.
    with_mode : bool
        Whether to climb to the maximum a posteriori too.
    progress : function of runs and effective draws, optional

    Examples
    --------
    >>> Effort(draws=512).most, Effort(draws=1024).most, Effort(draws=512, effective=200).most
    (3, 6, 8)
    """

    draws: int = DRAWS
    effective: float | None = None
    with_mode: bool = False
    progress: Progress | None = None

    @property
    def most(self) -> int:
        """Long steps in one stage at most: few in a quick fit, which somebody waits for; most where it is repeated.

        Where the posterior is thinnest, runs of eight steps are worth twice as many draws a second as runs of three.
        """
        if self.effective is not None:
            return 8
        return 3 if self.draws < DRAWS else 6


FULL = Effort()


def set_known_values(model: Model, typical: np.ndarray, known: Mapping[str, float | None]) -> np.ndarray:
    """Return the typical values with what is known of this subject put in; None is unknown."""
    changed = typical.copy()
    for name, value in known.items():
        if value is not None:
            changed[model.parameter_names.index(name)] = value
    return changed


def find_levels(observations: pl.DataFrame, plan: Plan) -> dict[str, float | None]:
    """Return the measured baseline of each marker whose level is a parameter of its own."""
    levels: dict[str, float | None] = {}
    for output, parameter in plan.scales.items():
        rows = observations.filter((pl.col("variable") == output) & (pl.col("day") == 0) & (pl.col("value") > 0))
        levels[parameter] = None if rows.is_empty() else float(rows["value"][0])
    return levels


def list_events(data: PatientData) -> list[Event]:
    """Return the events that act on the model: those after infusion, up to a new therapy."""
    end = find_end(data)
    rows = data.events.filter((pl.col("day") > 0) & (pl.col("day") < end))
    columns = ("day", "type", "amount", "duration_days")
    return [
        Event(float(day), kind, amount, "", duration)
        for day, kind, amount, duration in rows.select(columns).iter_rows()
    ]


def fit_patient(
    data: PatientData,
    plan: Plan,
    model: Model,
    values: ParameterSet,
    noise: Mapping[str, Noise],
    *,
    seed: int,
    effort: Effort,
    jobs: int | None = None,
) -> PatientFit:
    """Fit one subject; the result depends on the seed and the subject, not on the number of workers.

    Parameters
    ----------
    noise : mapping of output to Noise
    effort : Effort
    jobs : int, optional
        Workers of the engine.
    """
    observations = derive_model_observations(data)
    measured = set(observations["variable"].unique().to_list())
    known = {DOSE: find_dose(data.events), **find_levels(observations, plan)}
    typical = set_known_values(model, bind(model, values), known)
    changes = create_changes(model, list_events(data), LEVERS, typical)
    problem = create_problem(
        model,
        compile_model(model),
        values,
        typical,
        observations,
        noise,
        free=choose_free(plan, values, measured),
        chances=EXTINCTION_DRAWS,
        changes=changes,
    )
    posterior = fit_individual(
        problem,
        rng=derive_generator(seed, "explain", data.subject_id, "fit"),
        draws=effort.draws,
        most=effort.most,
        with_mode=effort.with_mode,
        effective=effort.effective,
        threads=jobs,
        progress=effort.progress,
    )
    return PatientFit(problem, posterior, values)


def solve_draws(
    fit: PatientFit,
    parameters: np.ndarray,
    times: np.ndarray,
    keep: Sequence[str],
    *,
    rtol: float = 1e-4,
    jobs: int | None = None,
    schedule: Schedule | None = None,
) -> np.ndarray:
    """Return the courses of full parameter vectors, (draw, time, kept).

    They go under the subject's own changes, or under a schedule that holds these and more.
    """
    problem = fit.problem
    if schedule is None and problem.changes:
        schedule = Schedule.from_changes(problem.model, [problem.changes]).repeat(len(parameters))
    solution = solve(
        problem.kernel,
        parameters,
        times,
        schedule=schedule,
        keep=tuple(keep),
        rtol=rtol,
        threads=jobs,
        max_steps=MOST_STEPS,
    )
    return solution.values


def compute_bands(fit: PatientFit, data: PatientData, *, jobs: int | None = None) -> pl.DataFrame:
    """Return the 90 % band of every fitted variable over the days of the record, under the record's names.

    Returns
    -------
    bands : table
        ``variable, unit, day, lower, median, upper``.
    """
    outputs = fit.problem.outputs
    if not outputs:
        return pl.DataFrame(schema=BAND_SCHEMA)
    last = float(fit.problem.times[-1])
    days = np.unique(np.concatenate([np.linspace(0, max(last, 1.0), BAND_DAYS).round(1), fit.problem.times]))
    step = -(-len(fit.posterior.parameters) // BAND_DRAWS)
    course = solve_draws(fit, fit.posterior.parameters[::step], days, outputs, jobs=jobs)
    course = course[np.isfinite(course).all(axis=(1, 2))]
    if len(course) == 0:
        return pl.DataFrame(schema=BAND_SCHEMA)
    low, middle, high = np.quantile(course, [0.05, 0.5, 0.95], axis=0)
    names = {new: old for old, new in data.renamed.items()}
    units = {q.name: q.unit for q in (*fit.problem.model.states, *fit.problem.model.outputs)}
    frames = [
        pl.DataFrame(
            {
                "variable": [names.get(output, output)] * len(days),
                "unit": [units[output]] * len(days),
                "day": days,
                "lower": low[:, k],
                "median": middle[:, k],
                "upper": high[:, k],
            },
            schema=BAND_SCHEMA,
        )
        for k, output in enumerate(outputs)
    ]
    return pl.concat(frames)


def describe_fit(fit: PatientFit) -> dict[str, Any]:
    """Say how the fit went and where each free parameter stands; plain values, ready for JSON."""
    posterior = fit.posterior
    draws = posterior.draws
    parameters = [
        {
            "name": free.name,
            "unit": next(q.unit for q in fit.problem.model.parameters if q.name == free.name),
            "typical": free.typical,
            "estimate": float(np.median(posterior.parameters[:, free.column])),
            "lower": float(np.quantile(posterior.parameters[:, free.column], 0.05)),
            "upper": float(np.quantile(posterior.parameters[:, free.column], 0.95)),
            "spreads_from_typical": float(np.mean(draws.z[:, j])),
            "shrinkage": float(1 - np.var(draws.z[:, j])),
        }
        for j, free in enumerate(fit.problem.free)
        if free.scale != "exponential"
    ]
    return {
        "converged": posterior.is_converged and draws.temperature == 1.0,
        "rows": posterior.rows,
        "modes": len(posterior.modes),
        "failed_starts": posterior.failed_starts,
        "draws": len(draws.z),
        "effective_draws": draws.effective,
        "runs": draws.runs,
        "tempered_stages": draws.stages,
        "evaluations": draws.evaluations,
        "acceptance": draws.acceptance,
        "parameter_set": fit.values.name,
        "parameters": parameters,
    }
