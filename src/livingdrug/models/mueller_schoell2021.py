r"""Four CAR T-cell phenotypes and metabolic tumour volume (Mueller-Schoell 2021).

Naive (1), central memory (2), effector memory (3) and effector (4) cells :math:`T_i` form a chain; the
first three expand on the tumour :math:`V`, saturating in their own number, and all four kill it.

.. math::
    \dot T_i = V_1 V \frac{T_i}{K_{M1} + T_i} + k_{p,i} T_i + k_{i-1,i} T_{i-1} - k_{i,i+1} T_i - k_{e,i} T_i,
    \qquad i = 1, 2, 3

    \dot T_4 = k_{34} T_3 - k_{e,4} T_4, \qquad
    \dot V = k_5 \Big(1 - \frac{V}{K_0}\Big) V - \sum_{i=1}^{4} V_{5,i} T_i \frac{V}{K_{M5} + V}

Patients fall into two classes of expansion. With :math:`a = 1` after an autologous transplant and
:math:`r` the ratio of CD4 to CD8 CAR T cells on day 7,

.. math::
    V_1 = \begin{cases} V_{1,ref} (1 + c_a a)\, r^{c_r} & \text{reference class} \\
                        V_{1,low} (1 + c_a a) & \text{low expansion} \end{cases}

There is no infusion: the model starts after distribution with a few cells of every phenotype.

Source: muellerschoell2021
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.arithmetic import power
from livingdrug.core.model import Model, Quantity


def expansion(p: Any) -> Any:
    """Maximal expansion rate per tumour volume of this patient (parameters only)."""
    reference = p.V_1_ref * power(p.cd4_cd8_ratio, p.ratio_exponent)
    base = p.low_expansion * p.V_1_low + (1 - p.low_expansion) * reference
    return base * (1 + p.transplant_effect * p.transplant)


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Rates of change. Floats or symbols in, the same kind out."""
    TN, TCM, TEM, TEFF, V = y.naive, y.central_memory, y.effector_memory, y.effector, y.tumour_volume
    stimulus = expansion(p) * V
    killing = p.V_5_1 * TN + p.V_5_2 * TCM + p.V_5_3 * TEM + p.V_5_4 * TEFF
    return {
        "naive": stimulus * TN / (p.K_M1 + TN) + (p.k_p1 - p.k_12 - p.k_e1) * TN,
        "central_memory": stimulus * TCM / (p.K_M1 + TCM) + (p.k_p2 - p.k_23 - p.k_e2) * TCM + p.k_12 * TN,
        "effector_memory": stimulus * TEM / (p.K_M1 + TEM) + (p.k_p3 - p.k_34 - p.k_e3) * TEM + p.k_23 * TCM,
        "effector": p.k_34 * TEM - p.k_e4 * TEFF,
        "tumour_volume": p.k_5 * (1 - V / p.K_0) * V - killing * V / (p.K_M5 + V),
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Amounts after distribution: the same of every phenotype."""
    return {
        "naive": p.T_0,
        "central_memory": p.T_0,
        "effector_memory": p.T_0,
        "effector": p.T_0,
        "tumour_volume": p.V_0,
    }


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """All CAR T cells in blood."""
    return {"car_t_cells": y.naive + y.central_memory + y.effector_memory + y.effector}


MUELLER_SCHOELL2021 = Model(
    name="mueller_schoell2021",
    states=(
        Quantity("naive", "cells/uL", "naive CAR T cells (TN)", floor=1e-3),
        Quantity("central_memory", "cells/uL", "central memory CAR T cells (TCM)", floor=1e-3),
        Quantity("effector_memory", "cells/uL", "effector memory CAR T cells (TEM)", floor=1e-3),
        Quantity("effector", "cells/uL", "effector CAR T cells (TEff)", floor=1e-3),
        Quantity("tumour_volume", "mL", "metabolic tumour volume with the target (V)", floor=1e-6),
    ),
    parameters=(
        Quantity("V_1_ref", "cells/(uL*day*mL)", "maximal expansion rate per tumour volume, reference class"),
        Quantity("V_1_low", "cells/(uL*day*mL)", "maximal expansion rate per tumour volume, low expansion"),
        Quantity("low_expansion", "1", "1 for a patient of the class of low expansion, 0 for the reference class"),
        Quantity("transplant", "1", "1 after an autologous stem-cell transplant, else 0 (a)"),
        Quantity("transplant_effect", "1", "relative gain of expansion after a transplant (c_a)"),
        Quantity("cd4_cd8_ratio", "1", "CD4 to CD8 ratio of CAR T cells on day 7 (r)"),
        Quantity("ratio_exponent", "1", "power of the ratio in the reference class (c_r)"),
        Quantity("K_M1", "cells/uL", "cells of a phenotype at half-maximal expansion"),
        Quantity("k_12", "1/day", "rate at which naive become central memory cells"),
        Quantity("k_23", "1/day", "rate at which central memory become effector memory cells"),
        Quantity("k_34", "1/day", "rate at which effector memory become effector cells"),
        Quantity("k_p1", "1/day", "homeostatic growth rate of naive cells"),
        Quantity("k_p2", "1/day", "homeostatic growth rate of central memory cells"),
        Quantity("k_p3", "1/day", "homeostatic growth rate of effector memory cells"),
        Quantity("k_e1", "1/day", "death rate of naive cells"),
        Quantity("k_e2", "1/day", "death rate of central memory cells"),
        Quantity("k_e3", "1/day", "death rate of effector memory cells"),
        Quantity("k_e4", "1/day", "death rate of effector cells"),
        Quantity("V_5_1", "mL*uL/(cells*day)", "maximal killing rate by naive cells"),
        Quantity("V_5_2", "mL*uL/(cells*day)", "maximal killing rate by central memory cells"),
        Quantity("V_5_3", "mL*uL/(cells*day)", "maximal killing rate by effector memory cells"),
        Quantity("V_5_4", "mL*uL/(cells*day)", "maximal killing rate by effector cells"),
        Quantity("K_M5", "mL", "tumour volume at half-maximal killing"),
        Quantity("k_5", "1/day", "tumour growth rate"),
        Quantity("K_0", "mL", "largest tumour volume"),
        Quantity("T_0", "cells/uL", "cells of each phenotype after distribution"),
        Quantity("V_0", "mL", "metabolic tumour volume at infusion"),
    ),
    rhs=rhs,
    initial=initial,
    outputs=(Quantity("car_t_cells", "cells/uL", "CAR T cells in blood, all phenotypes"),),
    observe=observe,
    source="muellerschoell2021",
)
