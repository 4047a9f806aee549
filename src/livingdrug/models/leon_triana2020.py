r"""CAR T cells, leukaemia and healthy B cells with the same antigen (León-Triana 2020).

CAR T cells :math:`C` expand on leukaemic cells :math:`L` and healthy B cells :math:`B` alike and kill
both; nothing but antigen limits them.

.. math::
    I = \frac{I_0}{1 + C / C_{50}}, \qquad
    \dot C = \rho_C (L + B + \beta I) C - \frac{C}{\tau_C}

    \dot L = \rho_L L - \alpha L C, \qquad
    \dot B = \frac{I}{\tau_I} - \alpha B C - \frac{B}{\tau_B}

with :math:`I` the B-cell progenitors that the marrow holds against the CAR T cells. With
:math:`I_0 = 0` this is the paper's reduced model, in which lost B cells do not return.

Early on, losses are slow and :math:`C + (\rho_C / \alpha) (L + B)` is nearly constant, so CAR T cells
cannot exceed :math:`C_0 + (\rho_C / \alpha) (L_0 + B_0)` by more than what grows meanwhile.

The file BIOMD0000001012 adds the progenitors' share to the CAR T cells without multiplying by
:math:`C`, so that its unit is not cells per day; that is a slip of the file, and not done here.

Source: leontriana2020; the reduced model is BIOMD0000001011, the full one BIOMD0000001012.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Model, Quantity


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Rates of change. Floats or symbols in, the same kind out."""
    C, L, B = y.car_t_cells, y.leukaemic_cells, y.b_cells
    progenitors = p.I_0 / (1 + C / p.C_50)
    return {
        "car_t_cells": p.rho_C * (L + B + p.beta * progenitors) * C - C / p.tau_C,
        "leukaemic_cells": p.rho_L * L - p.alpha * L * C,
        "b_cells": progenitors / p.tau_I - p.alpha * B * C - B / p.tau_B,
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Amounts at infusion."""
    return {"car_t_cells": p.C_0, "leukaemic_cells": p.L_0, "b_cells": p.B_0}


LEON_TRIANA2020 = Model(
    name="leon_triana2020",
    states=(
        Quantity("car_t_cells", "cells", "CAR T cells (C)", floor=1),
        Quantity("leukaemic_cells", "cells", "leukaemic cells (L)", floor=1),
        Quantity("b_cells", "cells", "healthy B cells (B)", floor=1),
    ),
    parameters=(
        Quantity("rho_C", "1/(cells*day)", "growth rate of CAR T cells per target cell"),
        Quantity("tau_C", "day", "mean life of CAR T cells"),
        Quantity("rho_L", "1/day", "growth rate of the leukaemia"),
        Quantity("alpha", "1/(cells*day)", "killing rate per CAR T cell"),
        Quantity("tau_B", "day", "mean life of B cells"),
        Quantity("I_0", "cells", "B-cell progenitors without CAR T cells"),
        Quantity("tau_I", "day", "time a progenitor takes to become a B cell"),
        Quantity("beta", "1", "share of the progenitors that carries the antigen"),
        Quantity("C_50", "cells", "CAR T cells that halve the progenitors"),
        Quantity("C_0", "cells", "CAR T cells at infusion"),
        Quantity("L_0", "cells", "leukaemic cells at infusion"),
        Quantity("B_0", "cells", "B cells at infusion"),
    ),
    rhs=rhs,
    initial=initial,
    source="leontriana2020",
)
