"""What is free in one patient, on which scale, with which prior; and which data speak about it.

A free parameter is written as ``z``, its distance from the typical value in units of its spread
between patients. The prior of ``z`` is normal with mean 0, variance 1 and the correlations of the
parameter set, so an estimate reads directly as "1.5 spreads above the typical patient".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from scipy.special import expit, log_ndtr, logit, ndtri

from livingdrug.core.errors import InputError, SolverError
from livingdrug.core.model import Model
from livingdrug.core.parameters import ParameterSet
from livingdrug.engine.compile import Kernel
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import Solution, solve
from livingdrug.fit.likelihood import Likelihood, Noise, Rows, compute_log_likelihood
from livingdrug.fit.rows import create_rows

Scale = Literal["lognormal", "normal", "logitnormal", "exponential"]

SMALLEST_CHANCE = 1e-12
"""An exponential draw of exactly 0 would divide by 0."""

ACCURACY = 1e-3
"""Relative tolerance of the engine: the log posterior is off by less than 0.002, far below the noise of every assay."""
MOST_STEPS = 5_000
"""Steps of one candidate at most: many times what a plausible patient needs, so that an absurd one costs little."""


@dataclass(frozen=True, slots=True)
class Free:
    """One free parameter: its place in the model, scale, typical value and spread between patients.

    On the scale ``exponential`` it is a draw of chance with mean 1, and typical value and spread say nothing.
    """

    name: str
    column: int
    scale: Scale
    typical: float
    sd: float


@dataclass(frozen=True, slots=True)
class Problem:
    """One patient's estimation problem.

    Parameters
    ----------
    model, kernel
        The equations, and what the engine made of them.
    typical : (parameter,)
        Value of every parameter of this patient before the fit.
    free : tuple of Free
    precision : (free, free)
        Inverse of the prior covariance of ``z``.
    times : (time,) [day]
        Report times: the days of the data.
    outputs : tuple of str
        Outputs that the rows speak about.
    rows : Rows
    changes : tuple of Change
        The patient's doses and other changes.
    """

    model: Model
    kernel: Kernel
    typical: np.ndarray
    free: tuple[Free, ...]
    precision: np.ndarray
    times: np.ndarray
    outputs: tuple[str, ...]
    rows: Rows
    changes: tuple[Change, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters."""
        return tuple(f.name for f in self.free)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Log posterior density of many candidate patients, up to a constant.

    Parameters
    ----------
    value : (patient,)
        Minus infinity where the integration failed.
    gradient : (patient, free)
    precision : (patient, free, free)
        Gauss-Newton approximation of minus the second derivative, prior included; positive definite.
    outcome : (patient,) uint8
        How each integration ended.
    """

    value: np.ndarray
    gradient: np.ndarray
    precision: np.ndarray
    outcome: np.ndarray


def create_free(model: Model, values: ParameterSet, names: Sequence[str], typical: np.ndarray) -> tuple[Free, ...]:
    """Look up scale and spread of each free parameter.

    Raises
    ------
    InputError
        If a name is not a parameter of the model or has no spread between patients.
    """
    free = []
    for name in names:
        value = values.values.get(name)
        if name not in model.parameter_names or value is None or value.spread is None:
            raise InputError(
                f"a free parameter must be one of {model.name} with a spread in {values.name}, but was {name!r}. "
                "Hint: add a spread to the value file or leave the parameter out."
            )
        column = model.parameter_names.index(name)
        free.append(Free(name, column, value.spread.kind, float(typical[column]), value.spread.sd))
    return tuple(free)


def compute_prior_precision(values: ParameterSet, names: Sequence[str]) -> np.ndarray:
    """Return the inverse correlation matrix of the named parameters, (free, free)."""
    correlation = np.eye(len(names))
    for (a, b), r in values.correlations.items():
        if a in names and b in names:
            i, j = names.index(a), names.index(b)
            correlation[i, j] = correlation[j, i] = r
    return np.asarray(np.linalg.inv(correlation))


def create_problem(  # noqa: PLR0913 - one patient: model, values, data, what is free
    model: Model,
    kernel: Kernel,
    values: ParameterSet,
    typical: np.ndarray,
    observations: pl.DataFrame,
    noise: Mapping[str, Noise],
    *,
    free: Sequence[str],
    chances: Sequence[str] = (),
    changes: Sequence[Change] = (),
) -> Problem:
    """Set up one patient's estimation problem.

    Parameters
    ----------
    typical : (parameter,)
        The set bound to the model, with what is known of this patient (the dose, say) put in.
    observations : table
        One patient's rows: variable, day, value, lloq, censored.
    noise : mapping of variable to Noise
    free : names of parameters, each with a spread in ``values``
    chances : names of parameters that are exponential draws with mean 1, in the patient as in the simulator
    changes : the patient's schedule

    Raises
    ------
    InputError
        If a free parameter is unknown or has no spread.
    """
    rows, times, outputs = create_rows(observations, noise, (*model.state_names, *model.output_names))
    chosen = create_free(model, values, free, typical)
    places = [(name, model.parameter_names.index(name)) for name in chances]
    chosen += tuple(Free(name, column, "exponential", float(typical[column]), 1.0) for name, column in places)
    precision = compute_prior_precision(values, tuple(f.name for f in chosen))
    return Problem(model, kernel, typical, chosen, precision, times, outputs, rows, tuple(changes))


def compute_parameters(problem: Problem, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters of candidate patients and how each free one moves with its ``z``.

    Parameters
    ----------
    z : (patient, free)

    Returns
    -------
    parameters : (patient, parameter)
    stretch : (patient, free)
    """
    parameters = np.tile(problem.typical, (len(z), 1))
    stretch = np.empty_like(z)
    for j, free in enumerate(problem.free):
        if free.scale == "lognormal":
            value = free.typical * np.exp(free.sd * z[:, j])
            stretch[:, j] = free.sd * value
        elif free.scale == "logitnormal":
            value = expit(logit(free.typical) + free.sd * z[:, j])
            stretch[:, j] = free.sd * value * (1 - value)
        elif free.scale == "exponential":
            value = np.maximum(-log_ndtr(-z[:, j]), SMALLEST_CHANCE)
            stretch[:, j] = np.exp(-0.5 * z[:, j] ** 2 + value) / np.sqrt(2 * np.pi)
        else:
            value = free.typical + free.sd * z[:, j]
            stretch[:, j] = free.sd
        parameters[:, free.column] = value
    return parameters, stretch


def compute_positions(problem: Problem, parameters: np.ndarray) -> np.ndarray:
    """Return ``z`` (patient, free) of given parameters (patient, parameter): the inverse of `compute_parameters`."""
    z = np.empty((len(parameters), len(problem.free)))
    for j, free in enumerate(problem.free):
        value = parameters[:, free.column]
        if free.scale == "lognormal":
            z[:, j] = np.log(value / free.typical) / free.sd
        elif free.scale == "logitnormal":
            z[:, j] = (logit(value) - logit(free.typical)) / free.sd
        elif free.scale == "exponential":
            z[:, j] = -ndtri(np.exp(-value))
        else:
            z[:, j] = (value - free.typical) / free.sd
    return z


def create_schedule(problem: Problem, patients: int) -> Schedule | None:
    """Give every candidate the patient's own changes; None where there are none."""
    if not problem.changes:
        return None
    return Schedule.from_changes(problem.model, [problem.changes]).repeat(patients)


def solve_candidates(
    problem: Problem, parameters: np.ndarray, *, wrt: Sequence[str] = (), rtol: float, threads: int | None
) -> tuple[np.ndarray, Solution]:
    """Run the course of every candidate; return what it predicts for every row, (patient, row), and the solution."""
    solution = solve(
        problem.kernel,
        parameters,
        problem.times,
        schedule=create_schedule(problem, len(parameters)),
        keep=problem.outputs,
        wrt=wrt,
        rtol=rtol,
        threads=threads,
        max_steps=MOST_STEPS,
    )
    return solution.values[:, problem.rows.time, problem.rows.output], solution


def predict_rows(problem: Problem, z: np.ndarray, *, rtol: float = ACCURACY, threads: int | None = None) -> np.ndarray:
    """Return what candidates ``z`` (patient, free) predict for every row, (patient, row)."""
    return solve_candidates(problem, compute_parameters(problem, z)[0], rtol=rtol, threads=threads)[0]


def compute_log_prior(problem: Problem, z: np.ndarray) -> np.ndarray:
    """Return the log density of the prior at candidates ``z`` (patient, free), up to a constant, (patient,)."""
    return np.asarray(-0.5 * np.einsum("pf,pf->p", z @ problem.precision, z))


def compute_log_posterior(
    problem: Problem, z: np.ndarray, *, with_gradient: bool, rtol: float = 1e-5, threads: int | None = None
) -> Evaluation:
    """Evaluate the log posterior of candidate patients in one call of the engine.

    Parameters
    ----------
    z : (patient, free)
    with_gradient : bool
        Without it ``gradient`` and ``precision`` hold the prior's part only.
    """
    pull = z @ problem.precision
    prior = compute_log_prior(problem, z)
    precision = np.broadcast_to(problem.precision, (len(z), *problem.precision.shape))
    if len(problem.rows) == 0:
        return Evaluation(prior, -pull, precision.copy(), np.zeros(len(z), dtype=np.uint8))
    parameters, stretch = compute_parameters(problem, z)
    wrt = problem.names if with_gradient else ()
    predicted, solution = solve_candidates(problem, parameters, wrt=wrt, rtol=rtol, threads=threads)
    rows = problem.rows
    fit: Likelihood = compute_log_likelihood(rows, predicted)
    if not with_gradient:
        return Evaluation(prior + fit.value, -pull, precision, solution.outcome)
    if solution.gradient is None:
        raise SolverError("`solve` must return derivatives when asked for them, but returned none.")
    jacobian = solution.gradient[:, rows.time, rows.output, :] * stretch[:, None, :]
    jacobian = np.where(np.isfinite(jacobian), jacobian, 0.0)
    gradient = np.einsum("pr,prf->pf", fit.slope, jacobian) - pull
    weighted = jacobian * fit.curvature[:, :, None]
    return Evaluation(
        prior + fit.value, gradient, precision + np.einsum("prf,prg->pfg", weighted, jacobian), solution.outcome
    )
