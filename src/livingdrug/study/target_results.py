"""One door to what a set of values gives: its population and the numbers that publications print of it."""

from collections.abc import Mapping

from livingdrug.core.parameters import ParameterSet
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.study.population_outcomes import Population, simulate_population
from livingdrug.study.target_quantities import QUANTITIES
from livingdrug.study.toxicity_outcomes import ToxicityPopulation, simulate_toxicity
from livingdrug.study.toxicity_quantities import TOXICITY_QUANTITIES

AnyPopulation = Population | ToxicityPopulation


def simulate_set(values: ParameterSet, count: int, *, seed: int, threads: int | None = None) -> AnyPopulation:
    """Simulate a population of a set: years of outcomes, or weeks of toxicity, as the set's model says.

    Parameters
    ----------
    values : ParameterSet
    count : int
    seed : int
        The same people whatever the values.
    """
    simulate = simulate_toxicity if values.model == UNIFIED_TOXICITY.name else simulate_population
    return simulate(values, count, seed=seed, threads=threads)


def compute_result(quantity: str, found: AnyPopulation, settings: Mapping[str, float]) -> float:
    """Return a published quantity of a population, in the unit of the published row."""
    if isinstance(found, ToxicityPopulation):
        return TOXICITY_QUANTITIES[quantity](found, settings)
    return QUANTITIES[quantity](found, settings)
