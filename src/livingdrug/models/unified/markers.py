r"""Serum markers: each follows what the tumour makes, at the speed of its own clearance.

.. math::
    \dot M = k_{M} (B^* / B_0 - M), \qquad \dot L = k_{L} (B^* / B_0 - L), \qquad
    \dot s = k_{s} \big((B_P^* + \rho B_L^*) / B_0 - s\big)

All are relative to the tumour's contribution at infusion; :math:`B^*` is the burden given that a clone
survives, :math:`\rho` the antigen density of the low clone relative to the high one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from livingdrug.core.model import Quantity

STATES = (
    Quantity("m_protein_ratio", "1", "M-protein relative to infusion", 1e-4),
    Quantity("flc_ratio", "1", "tumour's free light chains relative to infusion", 1e-4),
    Quantity("sbcma_ratio", "1", "tumour's soluble antigen relative to infusion", 1e-4),
)

PARAMETERS = (
    Quantity("kMP", "1/day", "clearance of M-protein"),
    Quantity("kFLC", "1/day", "clearance of free light chains"),
    Quantity("kSB", "1/day", "clearance of soluble BCMA"),
)


def compute_initial(p: Any) -> Mapping[str, Any]:
    """Start in balance: what is made is cleared."""
    return {
        "m_protein_ratio": 1,
        "flc_ratio": 1,
        "sbcma_ratio": (1 - p.fraction_negative) * (1 - p.fraction_low + p.density_low_ratio * p.fraction_low),
    }


def compute_rates(y: Any, p: Any, *, shown: Sequence[Any]) -> Mapping[str, Any]:
    """Return rates of change, given the shown burden of each clone [1e9 cells]."""
    high, low, negative = shown
    burden = (high + low + negative) / p.B0
    shed = (high + p.density_low_ratio * low) / p.B0
    return {
        "m_protein_ratio": p.kMP * (burden - y.m_protein_ratio),
        "flc_ratio": p.kFLC * (burden - y.flc_ratio),
        "sbcma_ratio": p.kSB * (shed - y.sbcma_ratio),
    }
