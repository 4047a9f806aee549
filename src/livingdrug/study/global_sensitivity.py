"""Which properties of a patient decide an outcome: global sensitivity over the spread between patients.

Every property that differs between patients is varied over the middle of its spread, all of them at once, and each
outcome is told apart by what moves it: elementary effects (Morris) to find the few that matter, or shares of the
variance (Sobol) to weigh them. Sampling and estimators are those of SALib.

Correlations between properties are left out: shares of a variance are defined for independent ones.

A run that could not be integrated, or whose outcome is not a number, is never replaced by a number: the whole block
of runs to which it belongs (a path of Morris, a radial set of Sobol) is left out, and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from livingdrug.core.errors import InputError
from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import Solution, solve
from livingdrug.engine.summary import AnySummary, Integral, Maximum, Minimum, TimeOfMaximum
from livingdrug.simulate.cohort import vary
from livingdrug.study.global_sensitivity_estimates import MAIN, check_method, estimate_effects, sample_points
from livingdrug.study.trial_chunk_treatment import (
    ArmModel,
    choose_model,
    draw_given,
    schedule_given,
    treat_at_infusion,
)
from livingdrug.study.trial_design import Arm, TrialDesign

RTOL = 1e-6
MIDDLE = 0.95
"""Of the spread between patients: the part over which a property is varied."""
ALIKE = 1.0
"""The chance that a last cell dies out, as exponential draws with mean 1: the same in every run."""
SUMMARIES: Mapping[str, AnySummary] = {
    "log10_car_t_cells_max": Maximum("car_t_cells", 0.0, 90.0),
    "car_t_cells_max_day": TimeOfMaximum("car_t_cells", 0.0, 90.0),
    "log10_car_t_cells_auc_0_28": Integral("car_t_cells", 0.0, 28.0),
    "log10_tumour_cells_min": Minimum("tumour_cells"),
}
ENDS = {"log10_tumour_cells_end": "tumour_cells", "cure_probability": "cure_probability"}
"""Outcomes read on the last day, and the output of the model that they are."""
LOGARITHM = "log10_"
SMALLEST = 1e-3
"""A logarithm is taken of this at least: a thousandth of a cell."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What moves each outcome.

    Parameters
    ----------
    table
        ``outcome, property, statistic, value, lower, upper, blocks, blocks_left_out``. ``mean_effect`` (Morris) is the
        mean size of an elementary effect, in units of the outcome; ``total`` and ``first`` (Sobol) are shares of the
        variance, with and without interactions.
    method : str
    runs, failed : int
        Patients simulated, and those of them that could not be integrated.
    meanings : mapping
        What each property is, in words.
    """

    table: pl.DataFrame
    method: str
    runs: int
    failed: int
    meanings: Mapping[str, str]

    def rank(self, outcome: str) -> pl.DataFrame:
        """Return the properties of one outcome, the one that matters most first."""
        chosen = (pl.col("outcome") == outcome) & (pl.col("statistic") == MAIN[self.method])
        return self.table.filter(chosen).sort("value", descending=True, nulls_last=True)


def compute_global_sensitivity(
    design: TrialDesign,
    arm: str | None = None,
    *,
    method: str = "morris",
    blocks: int = 64,
    seed: int | None = None,
    threads: int | None = None,
) -> Sensitivity:
    """Find which properties of the patients of an arm decide their outcomes.

    Parameters
    ----------
    design : TrialDesign
    arm : str, optional
        The first by default, with its dose, lymphodepletion and events of a stated day.
    method : str
        ``morris`` needs ``blocks * (properties + 1)`` runs, ``sobol`` ``blocks * (properties + 2)``.
    blocks : int
        A power of two for ``sobol``.
    seed : int, optional
        In place of the design's.
    threads : int, optional
        All processors by default; they do not change the result.

    Raises
    ------
    InputError
        If the method is not known, SALib is not installed, or there is no such arm.
    SolverError
        If more than half of the blocks hold a run that failed.
    """
    check_method(method, blocks)
    own = design.arms[0] if arm is None else _find_arm(design, arm)
    chosen, number = choose_model(design.disease, own), design.seed if seed is None else seed
    names = [name for name in chosen.model.parameter_names if chosen.values.values[name].spread is not None]
    points = sample_points(names, method=method, blocks=blocks, seed=number)
    parameters = treat_at_infusion(chosen, own, _place(chosen, names, points))
    given = draw_given(own, 0, len(points), number, np.full(len(points), np.nan))
    solution = solve(
        compile_model(chosen.model, tuple(SUMMARIES.values())),
        parameters,
        [design.days],
        schedule=schedule_given(chosen, parameters, given),
        keep=tuple(ENDS.values()),
        rtol=RTOL,
        threads=threads,
    )
    outcomes = _read_outcomes(solution)
    table = estimate_effects(names, points, outcomes, method=method, seed=number)
    meanings = {one.name: one.meaning for one in chosen.model.parameters if one.name in names}
    return Sensitivity(table, method, len(points), len(solution.failures), meanings)


def _find_arm(design: TrialDesign, name: str) -> Arm:
    known = [arm.name for arm in design.arms]
    if name not in known:
        raise InputError(f"`arm` must be one of the trial, but was {name!r}. Hint: use one of {', '.join(known)}.")
    return design.arm(name)


def _place(chosen: ArmModel, names: Sequence[str], points: np.ndarray) -> np.ndarray:
    """Turn points of the unit cube into patients, (patient, parameter): quantiles of the middle of each spread."""
    typical = bind(chosen.model, chosen.values)
    parameters = np.tile(typical, (len(points), 1))
    z = stats.norm.ppf(0.5 + MIDDLE * (points - 0.5))
    for column, name in enumerate(names):
        place, spread = chosen.model.parameter_names.index(name), chosen.values.values[name].spread
        parameters[:, place] = vary(typical[place], spread, z[:, column])
    for name in chosen.draws:
        parameters[:, chosen.model.parameter_names.index(name)] = ALIKE
    return parameters


def _read_outcomes(solution: Solution) -> dict[str, np.ndarray]:
    """Return each outcome, (patient,); not a number where the patient could not be integrated."""
    found = {name: solution.summaries[:, i] for i, name in enumerate(SUMMARIES)}
    found |= {name: solution.at(output)[:, -1] for name, output in ENDS.items()}
    is_done = solution.outcome == 0
    for name, values in found.items():
        told = np.log10(np.maximum(values, SMALLEST)) if name.startswith(LOGARITHM) else values
        found[name] = np.where(is_done, told, np.nan)
    return found
