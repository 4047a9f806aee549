r"""Drugs beside the CAR T cells: dexamethasone, and the levers of a next therapy.

.. math::
    d = \frac{D}{K_D + D}, \qquad \dot D = -k_D D

Dexamethasone stops proliferation and shortens the life of effectors. A next therapy is a hazard ``h_next``
on every tumour clone (and ``h_cart`` on CAR T cells) that an event sets; PD-1 inhibition is ``vP``; tocilizumab
changes proliferation a little (``growth_drug``). ``next_kill`` and the like are the strengths that an event sets.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Quantity

STATES = (Quantity("dexamethasone", "ug/mL", "dexamethasone in plasma (D)", 1e-4),)

PARAMETERS = (
    Quantity("kD", "1/day", "clearance of dexamethasone"),
    Quantity("KD", "ug/mL", "dexamethasone of half effect"),
    Quantity("eD", "1", "extra loss of effectors at full steroid effect, relative to alpha"),
    Quantity("VD", "L", "volume of distribution of dexamethasone"),
    Quantity("h_next", "1/day", "kill hazard of a next therapy now, on every tumour cell"),
    Quantity("next_kill", "1/day", "kill hazard of a next therapy while it is given"),
    Quantity("next_cart_kill", "1/day", "loss of CAR T cells while a next therapy is given"),
    Quantity("reinvigoration", "1/day", "reinvigoration of exhausted cells under PD-1 inhibition"),
    Quantity("tocilizumab_growth", "1", "proliferation of CAR T cells under tocilizumab, relative to none"),
    Quantity("tocilizumab_days", "day", "how long one dose of tocilizumab acts"),
)


def compute_steroid(y: Any, p: Any) -> Any:
    """Return the occupancy d of the dexamethasone effect, 0 to 1."""
    return y.dexamethasone / (p.KD + y.dexamethasone)


def compute_rates(y: Any, p: Any) -> Mapping[str, Any]:
    """Return the rate of change of dexamethasone."""
    return {"dexamethasone": -p.kD * y.dexamethasone}
