r"""CAR T cells, chronic lymphocytic leukaemia and three cytokines (Hardiansyah & Ng 2019).

Effector cells :math:`E` and memory cells :math:`M` move between blood and tissue (:math:`t`); the
leukaemia :math:`B` drives expansion and, together with the effectors, the cytokines.

.. math::
    \dot B = (r_B - d_B) B - K_{BC} E B, \qquad f = \frac{B}{B + h}

    \dot E = r_E B E - d_E E - k_{in} E + k_{out} E_t - a_E (1 - f) E + a_M f M, \qquad
    \dot E_t = k_{in} E - k_{out} E_t

    \dot M = (r_M - d_M) M - k_{in} M + k_{out} M_t + a_E (1 - f) E - a_M f M, \qquad
    \dot M_t = k_{in} M - k_{out} M_t

    \dot c = d_c (c_0 - c) + P_c B E\, F_c, \qquad
    F_{IFN} = a_G + (1 - a_G) \frac{b_G}{b_G + c_{IL10}}, \qquad F_{IL6} = F_{IL10} = 1

Infusions into :math:`E` are events of a schedule.

Cells are counted in units of 1e9 in every equation. The gain of memory cells is written
:math:`a_E (1 - f) E`, what the effectors lose; the printed equation 7 has :math:`M` in its place, with
which no memory cell could ever arise. How the printed units were read stands in the value files.

Source: hardiansyah2019. The file MODEL2009230001 has the same skeleton, but counts some cells one by
one, infuses without end and multiplies IL-10 by Avogadro's number; its numbers are no reference.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Model, Quantity


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Rates of change. Floats or symbols in, the same kind out."""
    B, E, M = y.leukaemic_cells, y.effector_blood, y.memory_blood
    f = B / (B + p.h)
    becoming_memory = p.a_E * (1 - f) * E - p.a_M * f * M
    leaving_E = p.k_in * E - p.k_out * y.effector_tissue
    leaving_M = p.k_in * M - p.k_out * y.memory_tissue
    inhibition = p.a_G + (1 - p.a_G) * p.b_G / (p.b_G + y.il10)
    return {
        "leukaemic_cells": (p.r_B - p.d_B) * B - p.K_BC * E * B,
        "effector_blood": (p.r_E * B - p.d_E) * E - leaving_E - becoming_memory,
        "effector_tissue": leaving_E,
        "memory_blood": (p.r_M - p.d_M) * M - leaving_M + becoming_memory,
        "memory_tissue": leaving_M,
        "il6": p.d_IL6 * (p.IL6_0 - y.il6) + p.P_IL6 * B * E,
        "il10": p.d_IL10 * (p.IL10_0 - y.il10) + p.P_IL10 * B * E,
        "ifn_gamma": p.d_IFN * (p.IFN_0 - y.ifn_gamma) + p.P_IFN * B * E * inhibition,
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Amounts before the first infusion: no CAR T cells, cytokines at their baselines."""
    return {"leukaemic_cells": p.B_0, "il6": p.IL6_0, "il10": p.IL10_0, "ifn_gamma": p.IFN_0}


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """All CAR T cells in blood."""
    return {"car_t_cells": y.effector_blood + y.memory_blood}


HARDIANSYAH2019 = Model(
    name="hardiansyah2019",
    states=(
        Quantity("leukaemic_cells", "1e9 cells", "leukaemic B cells in blood (B)", floor=1e-9),
        Quantity("effector_blood", "1e9 cells", "effector CAR T cells in blood (E)", floor=1e-9),
        Quantity("effector_tissue", "1e9 cells", "effector CAR T cells in tissue (E_t)", floor=1e-9),
        Quantity("memory_blood", "1e9 cells", "memory CAR T cells in blood (M)", floor=1e-9),
        Quantity("memory_tissue", "1e9 cells", "memory CAR T cells in tissue (M_t)", floor=1e-9),
        Quantity("il6", "pg/mL", "interleukin-6 in blood", floor=1e-3),
        Quantity("il10", "pg/mL", "interleukin-10 in blood", floor=1e-3),
        Quantity("ifn_gamma", "pg/mL", "interferon gamma in blood", floor=1e-3),
    ),
    parameters=(
        Quantity("r_B", "1/day", "growth rate of the leukaemia"),
        Quantity("d_B", "1/day", "death rate of the leukaemia"),
        Quantity("K_BC", "1/day/(1e9 cells)", "killing rate per effector cell"),
        Quantity("r_E", "1/day/(1e9 cells)", "growth rate of effector cells per leukaemic cell"),
        Quantity("d_E", "1/day", "loss rate of effector cells from blood"),
        Quantity("k_in", "1/day", "rate from blood to tissue"),
        Quantity("k_out", "1/day", "rate from tissue to blood"),
        Quantity("a_E", "1/day", "rate at which effector become memory cells without leukaemia"),
        Quantity("a_M", "1/day", "rate at which memory become effector cells under leukaemia"),
        Quantity("h", "1e9 cells", "leukaemic cells at half-maximal recall of memory cells"),
        Quantity("r_M", "1/day", "growth rate of memory cells"),
        Quantity("d_M", "1/day", "death rate of memory cells in blood"),
        Quantity(
            "P_IL6", "pg/mL/day/(1e9 cells)/(1e9 cells)", "production of interleukin-6 per leukaemic and effector cell"
        ),
        Quantity(
            "P_IL10",
            "pg/mL/day/(1e9 cells)/(1e9 cells)",
            "production of interleukin-10 per leukaemic and effector cell",
        ),
        Quantity(
            "P_IFN", "pg/mL/day/(1e9 cells)/(1e9 cells)", "production of interferon per leukaemic and effector cell"
        ),
        Quantity("d_IL6", "1/day", "loss rate of interleukin-6"),
        Quantity("d_IL10", "1/day", "loss rate of interleukin-10"),
        Quantity("d_IFN", "1/day", "loss rate of interferon gamma"),
        Quantity("a_G", "1", "interferon production left under full inhibition by interleukin-10"),
        Quantity("b_G", "pg/mL", "interleukin-10 at half-maximal inhibition"),
        Quantity("IL6_0", "pg/mL", "interleukin-6 without CAR T cells"),
        Quantity("IL10_0", "pg/mL", "interleukin-10 without CAR T cells"),
        Quantity("IFN_0", "pg/mL", "interferon gamma without CAR T cells"),
        Quantity("B_0", "1e9 cells", "leukaemic cells in blood at infusion"),
    ),
    rhs=rhs,
    initial=initial,
    outputs=(Quantity("car_t_cells", "1e9 cells", "CAR T cells in blood, all"),),
    observe=observe,
    source="hardiansyah2019",
)
