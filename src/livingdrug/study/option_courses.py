"""Courses of the tumour after a failure: the draws that they start from, and what an option changes in each.

A draw is one way in which this patient may be: the posterior of the patient's own record where the disease can be
fitted, else virtual patients of the same disease and product whose tumour came back at about the same time. Every
option is run in the same draws with the same quantiles of its strength, so that differences are its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from livingdrug.core.model import Model
from livingdrug.core.ruleset import Ruleset
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.fit.problem import MOST_STEPS
from livingdrug.knowledge.parameters import find_parameters, list_parameters, load_parameters
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.two_targets import SUFFIX, TWO_TARGETS
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.fit_patient import PatientFit

TUMOUR = "tumour_cells"
STEP = 7.0
"""Days between the looks at a course."""
MOST_DRAWS = 80
POPULATION, SCREEN_STEP = 1200, 14.0
"""Virtual patients among whom those are looked for whose tumour came back at the time of this one."""
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of the strength of a drug, the same for every draw and option."""
RTOL = 1e-4


@dataclass(frozen=True, slots=True)
class Start:
    """Where every option starts from.

    Parameters
    ----------
    parameters : (draw, parameter)
        Of the unified model.
    changes : tuple of Change
        What was given up to the decision.
    day : float [day]
        Of the decision.
    disease, product : str
    basis : ``patient`` or ``population``
    seed : int
    """

    parameters: np.ndarray
    changes: tuple[Change, ...]
    day: float
    disease: str
    product: str
    basis: str
    seed: int


@dataclass(frozen=True, slots=True)
class Courses:
    """Tumour cells of each draw and strength, from the day on which treatment starts.

    Parameters
    ----------
    times : (time,) [day]
        After the start.
    tumour : (draw, strength, time)
    start : float [day]
        After the infusion of the first product.
    """

    times: np.ndarray
    tumour: np.ndarray
    start: float


def start_from_patient(fit: PatientFit, day: float, disease: str, product: str, *, seed: int) -> Start:
    """Start from the posterior of one patient on the day of failure; which clones live on is part of a draw."""
    parameters = fit.posterior.parameters
    taken = np.unique(np.linspace(0, len(parameters) - 1, min(MOST_DRAWS, len(parameters))).astype(int))
    before = tuple(change for change in fit.problem.changes if change.day <= day)
    return Start(parameters[taken], before, max(day, 1.0), disease, product, "patient", seed)


def start_from_population(
    disease: str,
    product: str,
    day: float,
    settings: Ruleset,
    *,
    seed: int,
    jobs: int | None = None,
    draws: int = MOST_DRAWS,
) -> Start | None:
    """Start from virtual patients whose tumour came back at about the same time; None without values.

    Parameters
    ----------
    draws : int
        Patients at most: the nearest in time, of fifteen times as many.
    """
    values = find_parameters(f"unified_{disease}_{product}")
    if values is None:
        return None
    people = draws * POPULATION // MOST_DRAWS
    parameters = sample_parameters(UNIFIED, values, 0, people, seed=seed, exponential=EXTINCTION_DRAWS)
    times = np.arange(0.0, day + 4 * SCREEN_STEP, SCREEN_STEP)
    kernel = compile_model(UNIFIED, keep=(TUMOUR,))
    tumour = solve(kernel, parameters, times, keep=(TUMOUR,), rtol=RTOL, threads=jobs, max_steps=MOST_STEPS).at(TUMOUR)
    known = np.isfinite(tumour).all(axis=1)
    found = find_progression(times, tumour, tumour[:, 0], disease, settings)
    distance = np.where(known & np.isfinite(found), np.abs(np.log((found + STEP) / (day + STEP))), np.inf)
    order = np.argsort(distance, kind="stable")[:draws]
    order = np.sort(order[np.isfinite(distance[order])])
    if not len(order):
        return None
    return Start(parameters[order], (), max(day, 1.0), disease, product, "population", seed)


def _find_threshold(settings: Ruleset, name: str, disease: str) -> float:
    """Return a threshold of the disease's own where it has one."""
    own = f"{name}_{disease}"
    return settings.threshold(own if own in settings.thresholds else name)


def find_progression(
    times: np.ndarray, tumour: np.ndarray, start: np.ndarray, disease: str, settings: Ruleset
) -> np.ndarray:
    """Return the first time at which a course has progressed from its nadir; infinite where it has not.

    Parameters
    ----------
    times : (time,)
    tumour : (..., time)
    start : (...)
        Tumour on the day that treatment starts.
    """
    nadir = np.minimum.accumulate(tumour, axis=-1)
    rise, amount = _find_threshold(settings, "progression_rise", disease), settings.threshold("progression_amount")
    limit = np.maximum((1 + rise) * nadir, nadir + amount * start[..., None])
    met = tumour >= limit
    return np.asarray(np.where(met.any(axis=-1), times[np.argmax(met, axis=-1)], np.inf))


def judge_courses(courses: Courses, disease: str, settings: Ruleset) -> tuple[np.ndarray, np.ndarray]:
    """Tell of each course whether it is a response, and when it has progressed.

    Returns
    -------
    responds : (draw, strength) bool
    progression : (draw, strength) [day]
        After the start of treatment; infinite where there is none.

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> courses = Courses(np.array([0.0, 28.0, 56.0]), np.array([[[4.0, 1.0, 4.0], [4.0, 5.0, 9.0]]]), 0.0)
    >>> responds, progression = judge_courses(courses, "lbcl", load_rules("options/1"))
    >>> responds.tolist(), progression.tolist()
    ([[True, False]], [[56.0, 56.0]])
    """
    tumour, times = courses.tumour, courses.times
    begin = tumour[:, :, 0]
    until = times <= settings.threshold("response_until")
    responds = tumour[:, :, until].min(axis=2) <= _find_threshold(settings, "response_share", disease) * begin
    return responds, find_progression(times, tumour, begin, disease, settings)


def compute_strengths(median: float, spread: float) -> np.ndarray:
    """Return the strengths of a drug at the quantiles that every option shares.

    Examples
    --------
    >>> compute_strengths(0.1, 0.0).tolist()
    [0.1, 0.1, 0.1, 0.1, 0.1]
    """
    return np.asarray(median * np.exp(spread * ndtri(np.array(QUANTILES))))


Steps = Sequence[tuple[float, str, str, np.ndarray | float]]
"""Day after the start, target, action, value: a number, or one for each draw and strength (draw, strength)."""


def make_change(day: float, target: str, action: str, value: Any, draw: int, strength: int) -> Change:
    """Return the change of one draw and strength; a value may be one number, one a draw, or one for each strength."""
    table = np.atleast_2d(np.asarray(value, dtype=float))
    number = table[min(draw, len(table) - 1), min(strength, table.shape[1] - 1)]
    return Change(day, target, action, float(number))  # type: ignore[arg-type]


def run_courses(
    start: Start,
    steps: Steps,
    settings: Ruleset,
    *,
    delay: float = 0.0,
    strengths: int = 1,
    model: Model = UNIFIED,
    parameters: np.ndarray | None = None,
    jobs: int | None = None,
) -> Courses:
    """Run what an option changes in every draw.

    Parameters
    ----------
    steps : what it changes
    delay : float [day]
        From the decision to the start of treatment.
    strengths : int
        How many strengths each draw is run with.
    parameters : (draw, parameter), optional
        Of another model than the unified one.
    """
    own = start.parameters if parameters is None else parameters
    draws = len(own)
    begin = start.day + delay
    times = begin + np.arange(0.0, settings.threshold("horizon") + STEP, STEP)
    patients: list[list[Change]] = []
    for draw in range(draws):
        for strength in range(strengths):
            changes = list(start.changes)
            for day, target, action, value in steps:
                changes.append(make_change(begin + day, target, action, value, draw, strength))
            patients.append(changes)
    rows = np.repeat(own, strengths, axis=0)
    solution = solve(
        compile_model(model, keep=(TUMOUR,)),
        rows,
        times,
        schedule=Schedule.from_changes(model, patients),
        keep=(TUMOUR,),
        rtol=RTOL,
        threads=jobs,
        max_steps=MOST_STEPS,
    )
    tumour = solution.at(TUMOUR).reshape(draws, strengths, len(times))
    return Courses(times - begin, tumour, begin)


def extend_to_two_targets(start: Start, sees: Mapping[str, float], densities: Mapping[str, float]) -> np.ndarray | None:
    """Give the draws a second product; None where no values of one are packaged for the disease.

    Parameters
    ----------
    sees : mapping of ``sees_1_second`` and ``sees_2_second``
    densities : mapping of parameter to a measured density
    """
    wanted = f"two_targets_{start.disease}_{start.product}"
    found = [name for name in list_parameters() if name.startswith(f"two_targets_{start.disease}_")]
    if not found:
        return None
    values = load_parameters(wanted if wanted in found else found[0])
    draws = len(start.parameters)
    whole = sample_parameters(
        TWO_TARGETS, values, 0, draws, seed=start.seed, exponential=(*EXTINCTION_DRAWS, "extinct_double")
    )
    place = TWO_TARGETS.parameter_names.index
    for column, name in enumerate(UNIFIED.parameter_names):
        whole[:, place(name)] = start.parameters[:, column]
    for name, value in {**sees, **densities}.items():
        whole[:, place(name)] = value
    return whole


def give_natural_killers(start: Start, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Make the second product of the draws CAR-NK cells; None where no values of these are packaged for the disease.

    Parameters
    ----------
    whole : (draw, parameter)
        Of the model with two products.

    Returns
    -------
    parameters : (draw, parameter)
    cells : (draw, 1) [cells/uL]
        That are infused.
    """
    values = find_parameters(f"unified_{start.disease}_car_nk")
    if values is None:
        return None
    drawn = sample_parameters(UNIFIED, values, 0, len(whole), seed=start.seed, exponential=EXTINCTION_DRAWS)
    changed = whole.copy()
    for column, parameter in enumerate(UNIFIED.parameter_names):
        if parameter + SUFFIX in TWO_TARGETS.parameter_names:
            changed[:, TWO_TARGETS.parameter_names.index(parameter + SUFFIX)] = drawn[:, column]
    dose, scale = (drawn[:, [UNIFIED.parameter_names.index(key)]] for key in ("dose", "blood_scale"))
    return changed, dose / scale
