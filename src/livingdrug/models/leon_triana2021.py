r"""Dual-target CAR T cells: fed by B cells, inactivated by the tumour (León-Triana 2021).

Cells of one product meet two antigens. Off the tumour, :math:`\bar C` expand on healthy B cells
:math:`B`; at rate :math:`k` they move to the tumour :math:`T`, where :math:`C` expand, kill, and are
inactivated.

.. math::
    \dot C = \rho_C \frac{T}{g_T + T} C + k \bar C - \alpha_1 \frac{C}{g_C + C} T - \frac{C}{\tau_C}, \qquad
    \dot T = \rho_T T - \alpha_2 C T

    \dot{\bar C} = \bar\rho_C \frac{B}{g_B + B} \bar C - \Big(\frac{1}{\tau_C} + k\Big) \bar C, \qquad
    \dot B = -\alpha_B B \bar C - \frac{B}{\tau_B}

Without off-tumour cells this is the paper's single-target model. B cells have no inflow, so they are
not replaced once lost.

Source: leontriana2021; the same equations are BIOMD0000001014 and, with one target, BIOMD0000001013.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Model, Quantity


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Rates of change. Floats or symbols in, the same kind out."""
    C, T, C_off, B = y.on_tumour_cells, y.tumour_cells, y.off_tumour_cells, y.b_cells
    arriving = p.k * C_off
    inactivated = p.alpha_1 * C / (p.g_C + C) * T
    return {
        "on_tumour_cells": p.rho_C * T / (p.g_T + T) * C + arriving - inactivated - C / p.tau_C,
        "off_tumour_cells": p.rho_off * B / (p.g_B + B) * C_off - C_off / p.tau_C - arriving,
        "tumour_cells": p.rho_T * T - p.alpha_2 * C * T,
        "b_cells": -p.alpha_B * B * C_off - B / p.tau_B,
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Amounts at infusion."""
    return {"on_tumour_cells": p.C_0, "off_tumour_cells": p.C_off_0, "tumour_cells": p.T_0, "b_cells": p.B_0}


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """All CAR T cells, wherever they are."""
    return {"car_t_cells": y.on_tumour_cells + y.off_tumour_cells}


LEON_TRIANA2021 = Model(
    name="leon_triana2021",
    states=(
        Quantity("on_tumour_cells", "cells", "CAR T cells at the tumour (C)", floor=1),
        Quantity("off_tumour_cells", "cells", "CAR T cells off the tumour (C bar)", floor=1),
        Quantity("tumour_cells", "cells", "tumour cells (T)", floor=1),
        Quantity("b_cells", "cells", "healthy B cells (B)", floor=1),
    ),
    parameters=(
        Quantity("rho_C", "1/day", "maximal growth rate of CAR T cells on the tumour"),
        Quantity("g_T", "cells", "tumour cells at half-maximal growth of CAR T cells"),
        Quantity("alpha_1", "1/day", "rate at which a tumour cell inactivates CAR T cells"),
        Quantity("g_C", "cells", "CAR T cells at half-maximal inactivation"),
        Quantity("tau_C", "day", "mean life of CAR T cells"),
        Quantity("rho_T", "1/day", "tumour growth rate"),
        Quantity("alpha_2", "1/(cells*day)", "tumour killing rate per CAR T cell"),
        Quantity("rho_off", "1/day", "maximal growth rate of CAR T cells on B cells (rho_C bar)"),
        Quantity("g_B", "cells", "B cells at half-maximal growth of CAR T cells"),
        Quantity("k", "1/day", "rate of moving to the tumour"),
        Quantity("alpha_B", "1/(cells*day)", "B-cell killing rate per CAR T cell"),
        Quantity("tau_B", "day", "mean life of B cells"),
        Quantity("C_0", "cells", "CAR T cells at the tumour at infusion"),
        Quantity("C_off_0", "cells", "CAR T cells off the tumour at infusion"),
        Quantity("T_0", "cells", "tumour cells at infusion"),
        Quantity("B_0", "cells", "B cells at infusion"),
    ),
    rhs=rhs,
    initial=initial,
    outputs=(Quantity("car_t_cells", "cells", "CAR T cells, all"),),
    observe=observe,
    source="leontriana2021",
)
