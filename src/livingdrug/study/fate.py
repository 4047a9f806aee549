"""What becomes of virtual patients beside the model: death without progression and after it, switch of lineage.

Each is drawn from a named stream of the patient's own, so that it is the same whatever else is simulated. A death is
drawn without regard to the patient's own toxicity: publications give rates, not what they depend on.
"""

from dataclasses import dataclass

import numpy as np

from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.knowledge.parameters import find_parameters
from livingdrug.models.fate import FATE, compute_death
from livingdrug.simulate.cohort import draw_blocks


@dataclass(frozen=True, slots=True)
class Fates:
    """What was drawn for patients: infinite, or false, where nothing is known of their disease and product.

    Parameters
    ----------
    death_day : (patient,) [day]
        Death without progression, if the disease does not progress before.
    survival_after : (patient,) [day]
        From progression to death.
    can_switch : (patient,) bool
        A relapse without the antigen is one of another lineage.
    """

    death_day: np.ndarray
    survival_after: np.ndarray
    can_switch: np.ndarray


def find_fate(disease: str, product: str) -> ParameterSet | None:
    """Return the hazards of a disease and product; None where there are none.

    Examples
    --------
    >>> find_fate("lbcl", "axi_cel").name, find_fate("mcl", "brexu_cel")
    ('fate_lbcl_axi_cel', None)
    """
    return find_parameters(f"fate_{disease}_{product}")


def draw_fates(fate: ParameterSet | None, first: int, count: int, *, seed: int) -> Fates:
    """Draw what becomes of patients ``first`` to ``first + count``.

    Examples
    --------
    >>> whole = draw_fates(find_fate("lbcl", "axi_cel"), 0, 600, seed=1)
    >>> part = draw_fates(find_fate("lbcl", "axi_cel"), 300, 300, seed=1)
    >>> bool(np.array_equal(whole.death_day[300:], part.death_day))
    True
    """
    if fate is None:
        never = np.full(count, np.inf)
        return Fates(never, never, np.zeros(count, dtype=bool))
    early, days, late, after, switch = bind(FATE, fate)
    deaths = draw_blocks(seed, "death without progression", first, count, lambda g, n: g.standard_exponential((n, 2)))
    waits = draw_blocks(seed, "survival after progression", first, count, lambda g, n: g.standard_exponential(n))
    chance = draw_blocks(seed, "lineage plasticity", first, count, lambda g, n: g.random(n))
    return Fates(compute_death(early, days, late, deaths), waits / after, chance < switch)
