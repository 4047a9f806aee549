"""Age, sex and weight of virtual patients: what a record says about them, not what the model needs."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.simulate.cohort import draw_blocks


@dataclass(frozen=True, slots=True)
class Population:
    """Who is treated: age (mean, sd, youngest, oldest) [year], share of women, weight (mean, sd) [kg] of an adult."""

    age: tuple[float, float, float, float]
    female: float
    weight: tuple[float, float]


def sample_people(population: Population, first: int, count: int, *, seed: int) -> pl.DataFrame:
    """Draw age, sex and weight of subjects ``first`` to ``first + count``.

    Examples
    --------
    >>> sample_people(Population((61.0, 9.0, 30.0, 80.0), 0.4, (75.0, 12.0)), 0, 3, seed=1).columns
    ['age_years', 'sex', 'weight_kg']
    """
    z = draw_blocks(seed, "people", first, count, lambda g, n: g.standard_normal((n, 2)))
    is_female = draw_blocks(seed, "sex", first, count, lambda g, n: g.random(n)) < population.female
    mean, sd, youngest, oldest = population.age
    age = np.clip(mean + sd * z[:, 0], youngest, oldest)
    # a child of 0 years weighs about 4 kg and is grown at 16
    grown = np.clip((age + 1) / 17, 0.06, 1.0)
    weight = np.maximum(population.weight[0] + population.weight[1] * z[:, 1], 40.0) * grown
    return pl.DataFrame(
        {
            "age_years": np.round(age, 1),
            "sex": np.where(is_female, "female", "male"),
            "weight_kg": np.round(weight, 1),
        }
    )
