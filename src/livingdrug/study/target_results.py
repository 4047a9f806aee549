"""One door to what a set of values gives: its population and the numbers that publications print of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from livingdrug.core.parameters import ParameterSet
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.inflammation import INFLAMMATION
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.study.after_failure import simulate_after_failure
from livingdrug.study.baseline_markers import MARKER_QUANTITIES, MarkerPopulation, simulate_markers
from livingdrug.study.calibration_plan import CalibrationPlan, Case, Target
from livingdrug.study.population_outcomes import Population, simulate_population
from livingdrug.study.target_quantities import QUANTITIES
from livingdrug.study.toxicity_outcomes import ToxicityPopulation, simulate_toxicity
from livingdrug.study.toxicity_quantities import TOXICITY_QUANTITIES

AnyPopulation = Population | ToxicityPopulation | MarkerPopulation
SIMULATE: Mapping[str, Callable[..., AnyPopulation]] = MappingProxyType(
    {UNIFIED_TOXICITY.name: simulate_toxicity, INFLAMMATION.name: simulate_markers}
)
"""What is simulated for a set, by its model."""


def simulate_outcome(values: ParameterSet, count: int, *, seed: int, threads: int | None = None) -> AnyPopulation:
    """Simulate what becomes of a population: years of outcomes, weeks of toxicity, markers, as the set's model says."""
    return SIMULATE.get(values.model, simulate_population)(values, count, seed=seed, threads=threads)


QUESTIONS: Mapping[str, Callable[..., AnyPopulation]] = MappingProxyType(
    {"outcome": simulate_outcome, "after_failure": simulate_after_failure}
)
"""How the people of a plan are simulated, by the name that the plan gives."""


def load_sets(plan: CalibrationPlan) -> Mapping[str, ParameterSet | Case]:
    """Return what a plan simulates by name: packaged value sets with the plan's changes, or its cases."""
    if plan.cases:
        return {case.name: case for case in plan.cases}
    return {name: change_values(load_parameters(name), plan.change) for name in plan.sets}


def simulate_set(
    values: ParameterSet | Case, count: int, question: str = "outcome", *, seed: int, threads: int | None = None
) -> AnyPopulation:
    """Simulate a population of a set, or of a case.

    Parameters
    ----------
    values : ParameterSet or Case
    count : int
    question : str
        One of :data:`QUESTIONS`.
    seed : int
        The same people whatever the values.
    """
    return QUESTIONS[question](values, count, seed=seed, threads=threads)


def change_values(values: ParameterSet, change: Mapping[str, float]) -> ParameterSet:
    """Return a set with other typical values, such as another dose."""
    changed = {name: replace(values.values[name], value=value) for name, value in change.items()}
    return replace(values, values={**values.values, **changed})


def compute_result(target: Target, populations: Mapping[str, AnyPopulation]) -> float:
    """Return the quantity of a target from the populations of its sets, in the unit of the published row."""
    found = pool_populations([(populations[name], weight) for name, weight in target.mixture.items()])
    if isinstance(found, ToxicityPopulation):
        return TOXICITY_QUANTITIES[target.quantity](found, target.settings)
    if isinstance(found, MarkerPopulation):
        return MARKER_QUANTITIES[target.quantity](found, target.settings)
    return QUANTITIES[target.quantity](found, target.settings)


def pool_populations(parts: Sequence[tuple[AnyPopulation, float]]) -> AnyPopulation:
    """Return one population that takes people from each in proportion to the weights.

    Parameters
    ----------
    parts : of population and weight
        Populations of one kind.
    """
    first = parts[0][0]
    if len(parts) == 1:
        return first
    most = max(weight for _, weight in parts)
    taken = [(part, round(_count(part) * weight / most)) for part, weight in parts]
    changes: dict[str, Any] = {}
    for field in fields(first):
        values = [getattr(part, field.name) for part, _ in taken]
        if isinstance(values[0], dict):
            changes[field.name] = {
                key: np.concatenate([part[key][:count] for part, (_, count) in zip(values, taken, strict=True)])
                for key in values[0]
            }
        elif field.name != "days":
            changes[field.name] = np.concatenate([part[:count] for part, (_, count) in zip(values, taken, strict=True)])
    return replace(first, **changes)


def _count(part: AnyPopulation) -> int:
    return len(next(iter(part.courses.values())))
