r"""Cytokines: CAR T cells that meet antigen activate myeloid cells, and these make most of the storm.

.. math::
    u = g (E + w_I T_I), \qquad b = \frac{B^*}{K_b + B^*}, \qquad
    c = b \frac{u}{K_c + u}, \qquad c_G = b \frac{u}{K_{cG} + u}

    a = \Big(a_F \frac{F}{K_F + F} + a_C\, c + a_G \frac{G_I}{K_G + G_I}\Big)
        \Big(1 + e_1 \frac{I_1}{K_1 + I_1}\Big) (1 - s_M d)

    \dot M = d_M (M_0 - M) - a M

    \dot M_A = a M - d_A M_A - r_{10} \frac{I_{10}}{K_{10} + I_{10}} M_A

    \dot G_I = p_G\, c_G (1 - s_T d) - k_G G_I, \qquad \dot L_1 = p_1 M_A (1 - s_M d) - k_1 L_1, \qquad
    I_1 = \frac{L_1}{1 + A / K_A}

    \dot I_6 = k_6 I_6^0 + p_6 M_A (1 - s_M d) - k_6 (1 - f\, RO)\, I_6, \qquad S_6 = I_6 (1 - RO)

    \dot I_{10} = p_{10} M_A + p_{10T}\, c_G - k_{10} I_{10}

:math:`g` is the antigen drive, :math:`F` the flux of killed cells, :math:`d` the occupancy of dexamethasone,
:math:`RO` that of tocilizumab. A fraction :math:`f` of interleukin-6 is cleared
by its receptor: where that is blocked, serum interleukin-6 rises to :math:`1/(1 - f)` and its effect
:math:`S_6` falls. Few CAR T cells are enough for contact, many are needed for interferon; so fever comes early and what
follows expansion comes later. Interleukin-1 amplifies what antigen begins and begins nothing, for otherwise a
storm would feed itself in a patient with many myeloid cells. Dexamethasone slows activation and silences cells that
are active already. Responsive ones are used up, so that a storm ends even
where the tumour stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from livingdrug.core.model import Quantity

STATES = (
    Quantity("myeloid_resting", "1", "responsive myeloid cells (M)", 1e-4),
    Quantity("myeloid_active", "1", "activated myeloid cells (MA)", 1e-4),
    Quantity("interferon", "pg/mL", "interferon gamma above its baseline (GI)", 1e-1),
    Quantity("interleukin_1", "pg/mL", "interleukin-1 (L1)", 1e-2),
    Quantity("interleukin_6", "pg/mL", "interleukin-6 (I6)", 1e-1),
    Quantity("interleukin_10", "pg/mL", "interleukin-10 above its baseline (I10)", 1e-1),
)

PARAMETERS = (
    Quantity("infused_weight", "1", "signal of an infused cell not yet active relative to an effector (wI)"),
    Quantity("contact_half", "cells/uL", "engaged CAR T cells at half-maximal contact (Kc)"),
    Quantity("secretion_half", "cells/uL", "engaged CAR T cells at half-maximal secretion (KcG)"),
    Quantity("load_half", "1e9 cells", "tumour at half-maximal load (Kb)"),
    Quantity("flux_half", "1e9 cells/day", "killed cells at half-maximal danger signal (KF)"),
    Quantity("activation_flux", "1/day", "activation of myeloid cells by killed cells, maximum (aF)"),
    Quantity("activation_contact", "1/day", "activation by CAR T cells, maximum (aC)"),
    Quantity("activation_interferon", "1/day", "activation by interferon gamma, maximum (aG)"),
    Quantity("amplification", "1", "activation that very much interleukin-1 adds, relative to none (e1)"),
    Quantity("interferon_half", "pg/mL", "interferon gamma at half of it (KG)"),
    Quantity("interleukin_1_half", "pg/mL", "interleukin-1 that adds half of it (K1)"),
    Quantity("myeloid_0", "1", "responsive myeloid cells of the patient relative to a typical one (M0)"),
    Quantity("myeloid_return", "1/day", "return of responsive myeloid cells (dM)"),
    Quantity("myeloid_loss", "1/day", "loss of activated myeloid cells (dA)"),
    Quantity("restraint", "1/day", "loss of activated myeloid cells through interleukin-10, maximum (r10)"),
    Quantity("restraint_half", "pg/mL", "interleukin-10 at half of it (K10)"),
    Quantity("steroid_myeloid", "1", "share of myeloid activation that dexamethasone can stop (sM)"),
    Quantity("steroid_t_cell", "1", "share of interferon production that dexamethasone can stop (sT)"),
    Quantity("interferon_production", "pg/mL/day", "interferon gamma made at full secretion and load (pG)"),
    Quantity("interferon_clearance", "1/day", "clearance of interferon gamma (kG)"),
    Quantity("interferon_0", "pg/mL", "interferon gamma without CAR T cells"),
    Quantity("interleukin_1_production", "pg/mL/day", "interleukin-1 per activated myeloid cell (p1)"),
    Quantity("interleukin_1_clearance", "1/day", "clearance of interleukin-1 (k1)"),
    Quantity("interleukin_6_production", "pg/mL/day", "interleukin-6 per activated myeloid cell (p6)"),
    Quantity("interleukin_6_clearance", "1/day", "clearance of interleukin-6 (k6)"),
    Quantity("interleukin_6_0", "pg/mL", "interleukin-6 without CAR T cells"),
    Quantity("receptor_clearance", "1", "fraction of it through the receptor (f)"),
    Quantity("interleukin_10_production", "pg/mL/day", "interleukin-10 per activated myeloid cell (p10)"),
    Quantity("interleukin_10_t_cell", "pg/mL/day", "interleukin-10 of CAR T cells at full secretion and load (p10T)"),
    Quantity("interleukin_10_clearance", "1/day", "clearance of interleukin-10 (k10)"),
    Quantity("interleukin_10_0", "pg/mL", "interleukin-10 without CAR T cells"),
)


@dataclass(frozen=True, slots=True)
class Signal:
    """What CAR T cells and drugs tell the myeloid cells: numbers or symbols.

    Parameters
    ----------
    contact, secretion : of engaged CAR T cells, times load (c and cG), 0 to 1
    flux : killed cells [1e9 cells/day]
    occupancy : of the interleukin-6 receptor by tocilizumab (RO)
    free : share of interleukin-1 that anakinra leaves
    steroid : occupancy d of the dexamethasone effect
    """

    contact: Any
    secretion: Any
    flux: Any
    occupancy: Any
    free: Any
    steroid: Any


def compute_contact(y: Any, p: Any, *, killers: Any, drive: Any, burden: Any) -> tuple[Any, Any]:
    """Return contact c and secretion cG of engaged CAR T cells, 0 to 1."""
    engaged = drive * (killers + p.infused_weight * y.cart_infused)
    load = burden / (p.load_half + burden)
    return load * engaged / (p.contact_half + engaged), load * engaged / (p.secretion_half + engaged)


def compute_acting_6(y: Any, occupancy: Any) -> Any:
    """Return interleukin-6 that finds its receptor free (S6) [pg/mL]."""
    return y.interleukin_6 * (1 - occupancy)


def compute_initial(p: Any) -> Mapping[str, Any]:
    """Start at rest; interferon, interleukin-10 and interleukin-1 are counted above their baselines."""
    return {"myeloid_resting": p.myeloid_0, "interleukin_6": p.interleukin_6_0}


def compute_activation(y: Any, p: Any, signal: Signal) -> Any:
    """Return the activation a of resting myeloid cells, after steroid [1/day]."""
    acting_1 = y.interleukin_1 * signal.free
    activation = (
        p.activation_flux * signal.flux / (p.flux_half + signal.flux)
        + p.activation_contact * signal.contact
        + p.activation_interferon * y.interferon / (p.interferon_half + y.interferon)
    )
    amplified = 1 + p.amplification * acting_1 / (p.interleukin_1_half + acting_1)
    return activation * amplified * (1 - p.steroid_myeloid * signal.steroid)


def compute_rates(y: Any, p: Any, signal: Signal) -> Mapping[str, Any]:
    """Return rates of change of myeloid cells and cytokines."""
    activated = compute_activation(y, p, signal) * y.myeloid_resting
    restrained = p.restraint * y.interleukin_10 / (p.restraint_half + y.interleukin_10)
    made_by_t_cells = signal.secretion * (1 - p.steroid_t_cell * signal.steroid)
    secreting = (1 - p.steroid_myeloid * signal.steroid) * y.myeloid_active
    cleared_6 = p.interleukin_6_clearance * (1 - p.receptor_clearance * signal.occupancy)
    return {
        "myeloid_resting": p.myeloid_return * (p.myeloid_0 - y.myeloid_resting) - activated,
        "myeloid_active": activated - (p.myeloid_loss + restrained) * y.myeloid_active,
        "interferon": p.interferon_production * made_by_t_cells - p.interferon_clearance * y.interferon,
        "interleukin_1": p.interleukin_1_production * secreting - p.interleukin_1_clearance * y.interleukin_1,
        "interleukin_6": p.interleukin_6_clearance * p.interleukin_6_0
        + p.interleukin_6_production * secreting
        - cleared_6 * y.interleukin_6,
        "interleukin_10": p.interleukin_10_production * y.myeloid_active
        + p.interleukin_10_t_cell * made_by_t_cells
        - p.interleukin_10_clearance * y.interleukin_10,
    }
