r"""Encephalopathy (ICANS): barrier, interleukin-6 of the cerebrospinal fluid, microglia, ICE score.

**A design of this project.** No mechanistic model of CAR T-cell neurotoxicity was published when it was made. It is
held against order of onset, rates, the ratio of cerebrospinal fluid to serum, and the difference between drugs, no
more.

.. math::
    \dot P = k_P V (1 - P) - k_R P, \qquad
    z = P \Big(\frac{G_I}{K_{ZG}} + \frac{I_1}{K_{Z1}}\Big)

    \dot Z = a_Z z (1 - Z) - d_Z (1 + e_Z d) Z, \qquad
    \dot I_C = p_S P (I_6 - I_C) + p_Z Z - k_S I_C

    \dot N = k_N (Z - N), \qquad ICE = ICE_0 \frac{K_I^2}{K_I^2 + N^2}

:math:`V` is the activated endothelium, :math:`P` the permeability of the barrier, :math:`Z` activated microglia,
:math:`N` impaired neurons, :math:`d` the occupancy of dexamethasone. What drives microglia is interferon and
interleukin-1 that cross an open barrier, so anakinra acts and tocilizumab hardly does.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Quantity

STATES = (
    Quantity("barrier", "1", "permeability of the blood-brain barrier (P)", 1e-4),
    Quantity("csf_interleukin_6", "pg/mL", "interleukin-6 in cerebrospinal fluid (IC)", 1e-1),
    Quantity("microglia", "1", "activated myeloid cells of the brain (Z)", 1e-4),
    Quantity("neurons_impaired", "1", "impaired neurons (N)", 1e-4),
)

PARAMETERS = (
    Quantity("barrier_opening", "1/day", "opening of the barrier by fully activated vessels (kP)"),
    Quantity("barrier_repair", "1/day", "repair of the barrier (kR)"),
    Quantity("microglia_activation", "1/day", "activation of microglia (aZ)"),
    Quantity("microglia_half_interferon", "pg/mL", "interferon gamma of half-maximal signal behind an open barrier"),
    Quantity("microglia_half_1", "pg/mL", "interleukin-1 of half-maximal signal behind an open barrier"),
    Quantity("microglia_loss", "1/day", "return of microglia to rest (dZ)"),
    Quantity("steroid_brain", "1", "extra return at full effect of dexamethasone, relative to none (eZ)"),
    Quantity("csf_exchange", "1/day", "exchange of interleukin-6 across a fully open barrier (pS)"),
    Quantity("csf_production", "pg/mL/day", "interleukin-6 made by activated microglia (pZ)"),
    Quantity("csf_clearance", "1/day", "clearance of interleukin-6 from cerebrospinal fluid (kS)"),
    Quantity("impairment_rate", "1/day", "how fast neurons follow microglia (kN)"),
    Quantity("impairment_half", "1", "impaired neurons at half the ICE score (KI)"),
    Quantity("ice_full", "score", "ICE score of a healthy person"),
)


def compute_initial(p: Any, *, vessels: Any) -> Mapping[str, Any]:
    """Start in balance with resting vessels."""
    opening = p.barrier_opening * vessels
    barrier = opening / (opening + p.barrier_repair)
    passed = p.csf_exchange * barrier
    return {"barrier": barrier, "csf_interleukin_6": p.interleukin_6_0 * passed / (passed + p.csf_clearance)}


def compute_rates(y: Any, p: Any, *, acting_1: Any, steroid: Any) -> Mapping[str, Any]:
    """Return rates of change, given interleukin-1 that acts [pg/mL] and the occupancy of dexamethasone."""
    reached = y.barrier * (y.interferon / p.microglia_half_interferon + acting_1 / p.microglia_half_1)
    return {
        "barrier": p.barrier_opening * y.vessels * (1 - y.barrier) - p.barrier_repair * y.barrier,
        "microglia": p.microglia_activation * reached * (1 - y.microglia)
        - p.microglia_loss * (1 + p.steroid_brain * steroid) * y.microglia,
        "csf_interleukin_6": p.csf_exchange * y.barrier * (y.interleukin_6 - y.csf_interleukin_6)
        + p.csf_production * y.microglia
        - p.csf_clearance * y.csf_interleukin_6,
        "neurons_impaired": p.impairment_rate * (y.microglia - y.neurons_impaired),
    }


def observe(y: Any, p: Any) -> Mapping[str, Any]:
    """Return the ICE score, not rounded."""
    half = p.impairment_half**2
    return {"ice_score": p.ice_full * half / (half + y.neurons_impaired**2)}
