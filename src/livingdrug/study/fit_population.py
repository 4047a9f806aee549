"""Estimate a population: from a record of many patients to typical values and spreads, by two algorithms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model
from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.core.randomness import derive_generator
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import PARAMETER_ACTIONS, Schedule
from livingdrug.fit.likelihood import KINDS, Noise, compute_scaled
from livingdrug.fit.population import PopulationProblem, PopulationRows, PopulationValues
from livingdrug.fit.population_importance import PopulationFit, fit_by_importance, judge_by_importance
from livingdrug.fit.population_markov import MarkovFit, fit_by_markov_chains
from livingdrug.fit.population_predict import Arrange, Prediction, read_scaled, write_scaled
from livingdrug.fit.problem import Free, create_free
from livingdrug.fit.rows import UsedRow, read_row
from livingdrug.models import ALL

WIDE = 1.5
"""First spreads, over those of the set: wide is safe."""
Progress = Callable[[str, int, int], None]
_Where = tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, slots=True)
class PopulationEstimate:
    """A population estimated twice.

    Parameters
    ----------
    free : tuple of Free
    variables : names of what was measured, one noise each
    markov : MarkovFit
        By stochastic approximation: the estimate.
    judged : PopulationFit
        The same values with their likelihood, standard errors and patients.
    importance : PopulationFit
        By importance sampling, begun where the first ended: the cross-check. Where few of its draws are effective it
        wanders, and says so by their number.
    """

    free: tuple[Free, ...]
    variables: tuple[str, ...]
    markov: MarkovFit
    judged: PopulationFit
    importance: PopulationFit

    @property
    def table(self) -> pl.DataFrame:
        """One row a parameter.

        ``typical`` with its 90 % interval, ``spread`` on the scale on which it is normal, with its own; what the other
        algorithm found, and ``shrinkage``.
        """
        rows = []
        for j, one in enumerate(self.free):
            found, error = self.judged.values, NINETY * self.judged.mean_error[j]
            middle, spread = found.mean[j], found.spread[j]
            width = np.exp(NINETY * self.judged.spread_error[j])
            rows.append(
                {
                    "parameter": one.name,
                    **_say("typical", [_read(z, one) for z in (middle, middle - error, middle + error)]),
                    **_say("spread", [spread, spread / width, spread * width]),
                    "typical_importance": _read(self.importance.values.mean[j], one),
                    "spread_importance": float(self.importance.values.spread[j]),
                    "shrinkage": float(self.judged.shrinkage[j]),
                }
            )
        return pl.DataFrame(rows)


NINETY = 1.6448536269514722
"""Standard normal quantile of a 90 % interval."""


def _read(z: float, free: Free) -> float:
    return float(read_scaled(np.array([z]), free)[0])


def _say(name: str, three: Sequence[float]) -> dict[str, float]:
    return dict(zip((name, f"{name}_lower", f"{name}_upper"), map(float, three), strict=True))


def fit_population(
    values: ParameterSet,
    observations: pl.DataFrame,
    noise: Mapping[str, Noise],
    *,
    free: Sequence[str],
    seed: int = 1,
    known: Mapping[str, Mapping[str, float]] | None = None,
    arrange: Arrange | None = None,
    progress: Progress | None = None,
) -> PopulationEstimate:
    """Estimate typical values, spreads and noises of a population.

    Parameters
    ----------
    values : ParameterSet
        Of a packaged model: where to begin, and what is not free.
    observations : table
        ``subject_id, day, variable, value, lloq, censored`` of all patients; variables are outputs of the model.
    noise : mapping of variable to Noise
        Its ``sd`` is where to begin.
    free : names of parameters with a spread in ``values``
    known : mapping of subject to parameters
        What is known of single patients, such as the dose.
    arrange : function, optional
        The schedule of candidates; none by default.

    Raises
    ------
    InputError
        If nothing can be used, or a free parameter is unknown or has no spread.

    Examples
    --------
    >>> from livingdrug.knowledge.parameters import load_parameters
    >>> rows = pl.DataFrame({"subject_id": ["a", "b", "c"] * 3, "day": [1.0] * 3 + [4.0] * 3 + [8.0] * 3,
    ...     "variable": ["car_transgene"] * 9, "value": [20.0, 15, 30, 200, 150, 310, 2000, 1500, 3000],
    ...     "lloq": [10.0] * 9, "censored": ["none"] * 9})
    >>> found = fit_population(load_parameters("stein2019"), rows,
    ...     {"car_transgene": Noise("lognormal", 0.5)}, free=["foldx"])
    >>> found.table["parameter"].to_list()
    ['foldx']
    """
    model = next(one for one in ALL if one.name == values.model)
    typical = bind(model, values)
    chosen = create_free(model, values, free, typical)
    subjects = observations["subject_id"].unique(maintain_order=True).to_list()
    table, prediction_rows = _arrange_rows(observations, noise, (*model.state_names, *model.output_names), subjects)
    people = np.tile(typical, (len(subjects), 1))
    for subject, own in (known or {}).items():
        for name, value in own.items():
            people[subjects.index(subject), model.parameter_names.index(name)] = value
    outputs, times, (time, output, how) = prediction_rows
    predict = Prediction(
        compile_model(model), people, chosen, times, outputs, time, output, how, arrange or _change_nothing
    )
    problem = PopulationProblem(table, predict)
    start = PopulationValues(
        np.array([write_scaled(one.typical, one) for one in chosen]),
        np.diag([(WIDE * one.sd) ** 2 for one in chosen]),
        np.array([WIDE * noise[name].sd for name in outputs]),
    )
    markov = fit_by_markov_chains(
        problem,
        start,
        rng=derive_generator(seed, "population"),
        progress=None if progress is None else lambda done, count: progress("Markov chains", done, count),
    )
    importance = fit_by_importance(
        problem,
        markov.values,
        markov.moments,
        seed=seed,
        progress=None if progress is None else lambda done, count: progress("Importance sampling", done, count),
    )
    judged = judge_by_importance(problem, markov.values, markov.moments, seed=seed)
    return PopulationEstimate(chosen, outputs, markov, judged, importance)


def _change_nothing(parameters: np.ndarray, patient: np.ndarray) -> None:  # noqa: ARG001
    return None


def _arrange_rows(
    observations: pl.DataFrame, noise: Mapping[str, Noise], known: Sequence[str], subjects: Sequence[str]
) -> tuple[PopulationRows, tuple[tuple[str, ...], np.ndarray, _Where]]:
    """Return the rows as arrays; and the outputs, the times, and what predicts each row."""
    used: list[list[UsedRow]] = []
    wanted = [name for name in noise if name in known]
    for subject in subjects:
        own = observations.filter(
            (pl.col("subject_id") == subject) & pl.col("variable").is_in(wanted) & (pl.col("day") >= 0)
        )
        read = (read_row(row, noise[row["variable"]]) for row in own.sort("day").iter_rows(named=True))
        used.append([row for row in read if row is not None and row.censored <= 0])
    outputs = tuple(name for name in wanted if any(row.variable == name for rows in used for row in rows))
    if not outputs:
        raise InputError(
            f"`observations` must hold rows of {', '.join(noise)} from day 0 on, but holds none. "
            "Hint: name variables as the model's outputs."
        )
    times = np.unique([row.day for rows in used for row in rows])
    shape = (len(subjects), max(map(len, used)))
    value, floor = np.full(shape, np.nan), np.zeros(shape)
    is_below, (time, output) = np.zeros(shape, dtype=bool), np.zeros((2, *shape), dtype=int)
    scale = np.zeros(shape, dtype=np.int8)
    for i, rows in enumerate(used):
        for j, row in enumerate(rows):
            rule = noise[row.variable]
            scale[i, j], floor[i, j] = KINDS.index(rule.kind), rule.floor
            value[i, j] = compute_scaled(np.array([row.level]), scale[i, j : j + 1], floor[i, j : j + 1])[0][0]
            is_below[i, j], output[i, j] = row.censored < 0, outputs.index(row.variable)
            time[i, j] = np.searchsorted(times, row.day)
    return PopulationRows(value, is_below, output), (outputs, times, (time, output, (scale, floor)))


def switch_on_day(model: Model, parameter: str, day: str) -> Arrange:
    """Return what sets a parameter to 1 on each candidate's own day: the peak of Stein 2019, say."""
    column, target = (model.parameter_names.index(name) for name in (day, parameter))
    names = (*model.state_names, *model.parameter_names)

    def arrange(parameters: np.ndarray, patient: np.ndarray) -> Schedule:
        count = len(patient)
        action, targets = np.full(count, PARAMETER_ACTIONS["set"]), np.full(count, target)
        return Schedule(np.arange(count + 1), parameters[:, column], action, targets, np.ones(count), names=names)

    return arrange
