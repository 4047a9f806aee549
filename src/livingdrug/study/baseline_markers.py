"""C-reactive protein, ferritin and lactate dehydrogenase before infusion, and what they foretell of response.

The markers are observations: they say something of burden, environment and product, which decide, and change nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from types import MappingProxyType

import numpy as np
import polars as pl

from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.knowledge.parameters import find_parameters, load_parameters
from livingdrug.models.inflammation import INFLAMMATION, compute_inflammation, compute_ldh, compute_marker
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import draw_blocks, sample_parameters
from livingdrug.study.population_outcomes import COMPLETE, simulate_population
from livingdrug.study.synthetic_record import name_subject
from livingdrug.study.visit_plans import BASELINE

REFERENCE = 4096
"""People, always the same, whose mean and spread of suppression make the standard scores."""
LOOK = 90.0
"""Day on which response is looked at."""
UNITS: Mapping[str, str] = MappingProxyType({"crp": "mg/L", "ferritin": "ng/mL", "ldh": "U/L"})
STEPS = 25
"""Of Newton's method, more than a regression on one number needs."""


@dataclass(frozen=True, slots=True)
class MarkerPopulation:
    """People with their markers before infusion and their response on day 90.

    Parameters
    ----------
    courses : mapping of marker to (patient,)
        ``crp`` [mg/L], ``ferritin`` [ng/mL], ``ldh`` [U/L].
    is_complete : (patient,) bool
        Alive without progression and in complete response.
    """

    courses: dict[str, np.ndarray]
    is_complete: np.ndarray


MarkerQuantity = Callable[[MarkerPopulation, Mapping[str, float]], float]


def compute_markers(
    values: ParameterSet, cells: ParameterSet, parameters: np.ndarray, first: int, *, seed: int
) -> dict[str, np.ndarray]:
    """Return the markers of virtual patients before infusion, by name (patient,).

    Parameters
    ----------
    values : ParameterSet
        Of the markers.
    cells : ParameterSet
        That the patients were drawn from.
    parameters : (patient, parameter)
        Of the unified model.
    first : int
        Number of the first patient, from 0.

    Examples
    --------
    >>> sets = [load_parameters(f"{block}_lbcl_axi_cel") for block in ("inflammation", "unified")]
    >>> people = sample_parameters(UNIFIED, sets[1], 0, 3, seed=1)
    >>> {name: marker.shape for name, marker in compute_markers(*sets, people, 0, seed=1).items()}
    {'crp': (3,), 'ferritin': (3,), 'ldh': (3,)}
    """
    strength, crp, crp_spread, crp_noise, iron, iron_spread, iron_noise, *enzyme = bind(INFLAMMATION, values)
    normal, per_turnover, enzyme_noise = enzyme
    draws = draw_blocks(seed, "baseline markers", first, len(parameters), lambda g, n: g.standard_normal((n, 4)))
    mean, spread = _find_reference(cells.name)
    suppression = (_log_suppression(parameters) - mean) / spread
    killing = _score(cells, parameters, "gB")
    inflammation = compute_inflammation(strength, suppression, killing, draws[:, 0])
    turnover = _take(parameters, "r") * _take(parameters, "B0")
    return {
        "crp": compute_marker(crp, crp_spread, crp_noise, inflammation, draws[:, 1]),
        "ferritin": compute_marker(iron, iron_spread, iron_noise, inflammation, draws[:, 2]),
        "ldh": compute_ldh(normal, per_turnover, enzyme_noise, turnover, draws[:, 3]),
    }


def find_marker_values(cells: ParameterSet) -> ParameterSet | None:
    """Return the values of the markers for a set of the unified model; None where there are none.

    Examples
    --------
    >>> find_marker_values(load_parameters("unified_lbcl_axi_cel")).name
    'inflammation_lbcl_axi_cel'
    """
    return find_parameters(f"inflammation_{cells.disease}_{cells.product}")


def observe_markers(
    values: ParameterSet, cells: ParameterSet, parameters: np.ndarray, first: int, *, seed: int
) -> pl.DataFrame:
    """Return the rows of ``observations`` of the markers before infusion, by subject and variable.

    Parameters
    ----------
    values, cells, parameters, first, seed
        As for :func:`compute_markers`.
    """
    found = compute_markers(values, cells, parameters, first, seed=seed)
    subjects = pl.DataFrame({"subject": np.arange(first, first + len(parameters))}).select(name_subject())
    tables = [
        subjects.with_columns(
            day=pl.lit(BASELINE),
            variable=pl.lit(name),
            value=pl.Series(found[name]),
            text=pl.lit(None, dtype=pl.String),
            unit=pl.lit(unit),
            assay=pl.lit("serum chemistry"),
            lloq=pl.lit(None, dtype=pl.Float64),
            censored=pl.lit("none"),
            source=pl.lit("simulated"),
        )
        for name, unit in UNITS.items()
    ]
    return pl.concat(tables)


def simulate_markers(values: ParameterSet, count: int, *, seed: int, threads: int | None = None) -> MarkerPopulation:
    """Simulate people of a disease and product with their markers before infusion.

    Parameters
    ----------
    values : ParameterSet
        Of the markers.
    count : int
    seed : int
        The same people whatever the values.
    """
    cells = load_parameters(f"unified_{values.disease}_{values.product}")
    parameters, is_complete = _simulate(cells.name, count, seed, threads)
    return MarkerPopulation(compute_markers(values, cells, parameters, 0, seed=seed), is_complete)


@lru_cache(maxsize=4)
def _simulate(name: str, count: int, seed: int, threads: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the people and their response on day 90; markers change neither."""
    cells = load_parameters(name)
    found = simulate_population(cells, count, seed=seed, threads=threads)
    parameters = sample_parameters(UNIFIED, cells, 0, count, seed=seed, exponential=EXTINCTION_DRAWS)
    return parameters, (found.at("tumour_cells", LOOK) < COMPLETE) & (found.event_day > LOOK)


@cache
def _find_reference(name: str) -> tuple[float, float]:
    logs = _log_suppression(sample_parameters(UNIFIED, load_parameters(name), 0, REFERENCE, seed=0))
    return float(logs.mean()), float(logs.std())


def _take(parameters: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(parameters[:, UNIFIED.parameter_names.index(name)])


def _log_suppression(parameters: np.ndarray) -> np.ndarray:
    """Return the logarithm of suppression in balance with the burden, with which the model begins."""
    added, half, burden = (_take(parameters, name) for name in ("SB", "KS", "B0"))
    return np.asarray(np.log(_take(parameters, "S0") + added * burden / (half + burden)))


def _score(cells: ParameterSet, parameters: np.ndarray, name: str) -> np.ndarray:
    """Return how many spreads each patient lies from the typical value, on the logarithm."""
    value = cells.values[name]
    if value.spread is None:
        return np.zeros(len(parameters))
    return np.asarray(np.log(_take(parameters, name) / value.value) / value.spread.sd)


def compute_odds_ratio(marker: np.ndarray, is_true: np.ndarray) -> float:
    """Return the odds ratio of an outcome for an interquartile range of the marker's logarithm.

    By logistic regression, solved with Newton's method.

    Examples
    --------
    >>> marker = np.exp(np.repeat([0.0, 1.0], 100))
    >>> is_true = np.concatenate([np.arange(100) < 50, np.arange(100) < 20])
    >>> round(compute_odds_ratio(marker, is_true), 4)
    0.25
    """
    logs = np.log(marker)
    low, high = np.quantile(logs, [0.25, 0.75])
    design = np.column_stack([np.ones(len(logs)), (logs - logs.mean()) / (high - low)])
    slopes = np.zeros(2)
    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-design @ slopes))
        information = design.T @ (design * (share * (1 - share))[:, None])
        slopes = slopes + np.linalg.solve(information, design.T @ (is_true - share))
    return float(np.exp(slopes[1]))


def _find_odds_ratio(found: MarkerPopulation, _: Mapping[str, float], *, marker: str) -> float:
    return compute_odds_ratio(found.courses[marker], found.is_complete)


MARKER_QUANTITIES: Mapping[str, MarkerQuantity] = MappingProxyType(
    {f"odds_ratio_{name}": partial(_find_odds_ratio, marker=name) for name in UNITS}
)
"""Odds ratio of complete response on day 90 for an interquartile range of each marker."""
