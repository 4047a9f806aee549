r"""Anti-BCMA CAR T cells in blood and marrow, binding, killing and markers (Singh 2021, clinical model).

Effector and memory cells in blood (:math:`E_b, M_b`) and marrow (:math:`E_t, M_t`), CAR-BCMA complexes
:math:`X` and tumour :math:`T` per litre of marrow, M-protein :math:`P` and soluble BCMA :math:`S`.

.. math::
    \dot E_b &= -(k_{12} + k_{el,e}) E_b + k_{21} E_t, \qquad
    \dot M_b = -(k_{12} + k_{el,m}) M_b + k_{21} M_t \\
    \dot E_t &= k_{12} E_b + (k_{exp} - k_{21} - R_m) E_t, \qquad
    \dot M_t = k_{12} M_b - k_{21} M_t + R_m E_t \\
    \dot X &= k_{on} (A_{CAR} c - X)(A_{T} T - X) - k_{off} X, \qquad c = (E_t + M_t) / V_t \\
    \dot T &= (k_g - k_{kill}) T \\
    \dot P &= P_m T_0 (T/T_0)^{\gamma_m} - K_m P, \qquad \dot S = P_b T_0 (T/T_0)^{\gamma_b} - K_b S

    k_{exp} = k_{exp,max} \frac{X/c}{EC_{50} + X/c}, \qquad k_{kill} = k_{kill,max} \frac{X/T}{KC_{50} + X/T}

Killing multiplies the tumour, as in the authors' code; the printed supplementary equation 18 does not.
The absolute M-protein is about a hundred times too low because cells are counted per litre of marrow:
only its relative change means something. The dose is infused into ``E_b`` at day 0.

Source: singh2021
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.arithmetic import power
from livingdrug.core.model import Model, Quantity


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return rates of change. Floats or symbols in, the same kind out."""
    cart = (y.effector_marrow + y.memory_marrow) / p.V_marrow
    per_cart = y.complexes / cart
    per_tumour = y.complexes / y.tumour
    expansion = p.k_exp_max * per_cart / (p.EC50_exp + per_cart)
    killing = p.k_kill_max * per_tumour / (p.KC50_kill + per_tumour)
    binding = p.k_on * (p.A_car * cart - y.complexes) * (p.A_bcma * y.tumour - y.complexes)
    return {
        "effector_blood": -(p.k_12 + p.k_el_e) * y.effector_blood + p.k_21 * y.effector_marrow,
        "memory_blood": -(p.k_12 + p.k_el_m) * y.memory_blood + p.k_21 * y.memory_marrow,
        "effector_marrow": p.k_12 * y.effector_blood + (expansion - p.k_21 - p.R_m) * y.effector_marrow,
        "memory_marrow": p.k_12 * y.memory_blood - p.k_21 * y.memory_marrow + p.R_m * y.effector_marrow,
        "complexes": binding - p.k_off * y.complexes,
        "tumour": (p.k_g - killing) * y.tumour,
        "m_protein": p.P_m * p.T_0 * power(y.tumour / p.T_0, p.gamma_m) - p.K_m * y.m_protein,
        "sbcma": p.P_b * p.T_0 * power(y.tumour / p.T_0, p.gamma_b) - p.K_b * y.sbcma,
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Return amounts at infusion: the dose in blood, markers at their steady state."""
    return {
        "effector_blood": p.dose,
        "effector_marrow": p.E_t0 * p.V_marrow,
        "tumour": p.T_0,
        "m_protein": p.P_m * p.T_0 / p.K_m,
        "sbcma": p.P_b * p.T_0 / p.K_b,
    }


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return the transgene in blood, and the markers relative to infusion."""
    return {
        "car_transgene": p.copies_per_cell * (y.effector_blood + y.memory_blood) / p.V_blood,
        "m_protein_change": y.m_protein * p.K_m / (p.P_m * p.T_0) - 1,
        "sbcma_change": y.sbcma * p.K_b / (p.P_b * p.T_0) - 1,
    }


SINGH2021 = Model(
    name="singh2021",
    states=(
        Quantity("effector_blood", "cells", "effector CAR T cells in blood (E_b)", floor=1.0),
        Quantity("memory_blood", "cells", "memory CAR T cells in blood (M_b)", floor=1.0),
        Quantity("effector_marrow", "cells", "effector CAR T cells in marrow (E_t)", floor=1.0),
        Quantity("memory_marrow", "cells", "memory CAR T cells in marrow (M_t)", floor=1.0),
        Quantity("complexes", "1/L", "CAR-BCMA complexes per litre of marrow (X)", floor=1.0),
        Quantity("tumour", "cells/L", "myeloma cells per litre of marrow (T)", floor=1.0),
        Quantity("m_protein", "g/L", "serum M-protein (P), on the paper's scale", floor=1e-6),
        Quantity("sbcma", "ug/L", "soluble BCMA in serum (S)", floor=1e-6),
    ),
    parameters=(
        Quantity("k_exp_max", "1/day", "maximal expansion rate in marrow"),
        Quantity("EC50_exp", "1/cell", "complexes per CAR T cell at half-maximal expansion"),
        Quantity("R_m", "1/day", "net conversion of effector to memory cells"),
        Quantity("k_el_e", "1/day", "loss of effector cells from blood"),
        Quantity("k_el_m", "1/day", "loss of memory cells from blood"),
        Quantity("k_12", "1/day", "blood to marrow"),
        Quantity("k_21", "1/day", "marrow to blood"),
        Quantity("k_kill_max", "1/day", "maximal killing rate"),
        Quantity("KC50_kill", "1/cell", "complexes per tumour cell at half-maximal killing"),
        Quantity("k_g", "1/day", "tumour growth rate"),
        Quantity("k_on", "L/day", "association of one CAR with one BCMA molecule"),
        Quantity("k_off", "1/day", "dissociation of a complex"),
        Quantity("A_car", "1/cell", "CAR molecules per CAR T cell"),
        Quantity("A_bcma", "1/cell", "BCMA molecules per tumour cell"),
        Quantity("V_blood", "L", "blood volume"),
        Quantity("V_marrow", "L", "marrow volume"),
        Quantity("T_0", "cells/L", "tumour per litre of marrow at infusion"),
        Quantity("E_t0", "cells/L", "effector cells per litre of marrow at infusion, for a finite ratio"),
        Quantity("K_m", "1/day", "loss of M-protein"),
        Quantity("P_m", "g/(cell*day)", "M-protein production per tumour cell"),
        Quantity("gamma_m", "1", "exponent of the relative burden in M-protein production"),
        Quantity("K_b", "1/day", "loss of soluble BCMA"),
        Quantity("P_b", "ug/(cell*day)", "soluble BCMA production per tumour cell"),
        Quantity("gamma_b", "1", "exponent of the relative burden in soluble BCMA production"),
        Quantity("copies_per_cell", "copies*L/(ug*cell)", "transgene signal per CAR T cell per litre of blood"),
        Quantity("dose", "cells", "CAR T cells infused"),
    ),
    rhs=rhs,
    initial=initial,
    outputs=(
        Quantity("car_transgene", "copies/ug", "transgene in blood by qPCR"),
        Quantity("m_protein_change", "1", "M-protein relative to infusion, minus one"),
        Quantity("sbcma_change", "1", "soluble BCMA relative to infusion, minus one"),
    ),
    observe=observe,
    source="singh2021",
)
