r"""Antagonists given for toxicity: tocilizumab at the interleukin-6 receptor, anakinra at the interleukin-1 receptor.

.. math::
    \dot T_C = -\Big(k_{10} + \frac{V_m}{K_m + T_C}\Big) T_C - k_{12} (T_C - T_P), \qquad
    \dot T_P = k_{21} (T_C - T_P), \qquad RO = \frac{T_C}{K_T + T_C}

    \dot A_D = -k_a A_D, \qquad \dot A = k_a A_D / V - k_A A, \qquad
    IL1_{eff} = \frac{IL1}{1 + A / K_A}

Both drugs are amounts that events add. Clearances over volumes are written as one rate each.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Quantity

STATES = (
    Quantity("tocilizumab", "ug/mL", "tocilizumab in serum (TC)", 1e-3),
    Quantity("tocilizumab_tissue", "ug/mL", "tocilizumab in tissue (TP)", 1e-3),
    Quantity("anakinra_depot", "mg", "anakinra under the skin (AD)", 1e-3),
    Quantity("anakinra", "ug/mL", "anakinra in plasma (A)", 1e-5),
)

PARAMETERS = (
    Quantity("weight", "kg", "body weight"),
    Quantity("tocilizumab_dose", "mg/kg", "usual dose of tocilizumab"),
    Quantity("tocilizumab_clearance", "L/day", "linear clearance of tocilizumab"),
    Quantity("tocilizumab_saturable", "ug/mL/day", "saturable elimination of tocilizumab, maximum (Vm)"),
    Quantity("tocilizumab_half", "ug/mL", "tocilizumab at half of it (Km)"),
    Quantity("tocilizumab_exchange", "L/day", "exchange of tocilizumab with tissue"),
    Quantity("tocilizumab_volume", "L", "central volume of tocilizumab"),
    Quantity("tocilizumab_tissue_volume", "L", "peripheral volume of tocilizumab"),
    Quantity("tocilizumab_affinity", "ug/mL", "tocilizumab that half occupies the receptor (KT)"),
    Quantity("anakinra_dose", "mg", "usual daily dose of anakinra"),
    Quantity("anakinra_uptake", "1/day", "uptake of anakinra from under the skin (ka)"),
    Quantity("anakinra_clearance", "L/day", "clearance of anakinra over bioavailability"),
    Quantity("anakinra_volume", "L", "volume of anakinra over bioavailability (V)"),
    Quantity("anakinra_affinity", "ug/mL", "anakinra that halves the effect of interleukin-1 (KA)"),
)


def compute_occupancy(y: Any, p: Any) -> Any:
    """Return the share of interleukin-6 receptors that tocilizumab holds (RO), 0 to 1."""
    return y.tocilizumab / (p.tocilizumab_affinity + y.tocilizumab)


def compute_block(y: Any, p: Any) -> Any:
    """Return the share of interleukin-1 that anakinra leaves to act, 0 to 1."""
    return p.anakinra_affinity / (p.anakinra_affinity + y.anakinra)


def compute_rates(y: Any, p: Any) -> Mapping[str, Any]:
    """Return rates of change of both drugs."""
    shifted = p.tocilizumab_exchange * (y.tocilizumab - y.tocilizumab_tissue)
    saturable = p.tocilizumab_saturable * y.tocilizumab / (p.tocilizumab_half + y.tocilizumab)
    absorbed = p.anakinra_uptake * y.anakinra_depot
    return {
        "tocilizumab": -(p.tocilizumab_clearance * y.tocilizumab + shifted) / p.tocilizumab_volume - saturable,
        "tocilizumab_tissue": shifted / p.tocilizumab_tissue_volume,
        "anakinra_depot": -absorbed,
        "anakinra": (absorbed - p.anakinra_clearance * y.anakinra) / p.anakinra_volume,
    }
