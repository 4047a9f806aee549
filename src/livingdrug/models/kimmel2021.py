r"""Competition of CAR T cells with returning host T cells, and tumour killing (Kimmel 2021).

Host T cells :math:`N` and CAR T cells :math:`C` share one homeostatic space; the tumour :math:`B`
neither feeds nor exhausts the CAR T cells.

.. math::
    \dot N = -r_N N \ln\frac{N + C}{K_N}, \qquad
    \dot C = -r_C(T)\, C \ln\frac{N + C}{K_C}, \qquad
    \dot B = r_B B - g_B \frac{C}{k_B + C} B

    T = N + C, \qquad r_C(T) = \rho_C + \frac{b (T - K_N)^2}{a T^2 + (T - K_N)^2}

The paper's cure is a chance extinction of the last tumour cells; the deterministic equations here
let the tumour fall below one cell and grow back.

Source: kimmel2021; the same equations are BIOMD0000001041.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.arithmetic import log
from livingdrug.core.model import Model, Quantity


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return rates of change. Floats or symbols in, the same kind out."""
    total = y.normal_t_cells + y.car_t_cells
    distance = (total - p.K_N) ** 2
    r_C = p.rho_C + p.b * distance / (p.a * total**2 + distance)
    killing = p.g_B * y.car_t_cells / (p.k_B + y.car_t_cells)
    return {
        "normal_t_cells": -p.r_N * y.normal_t_cells * log(total / p.K_N),
        "car_t_cells": -r_C * y.car_t_cells * log(total / p.K_C),
        "tumour_volume": (p.r_B - killing) * y.tumour_volume,
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Return amounts at infusion, after lymphodepletion."""
    return {"normal_t_cells": p.N_0, "car_t_cells": p.C_0, "tumour_volume": p.B_0}


KIMMEL2021 = Model(
    name="kimmel2021",
    states=(
        Quantity("normal_t_cells", "cells/uL", "host T cells in blood (N)", floor=1e-3),
        Quantity("car_t_cells", "cells/uL", "CAR T cells in blood (C)", floor=1e-3),
        Quantity("tumour_volume", "mL", "tumour (B); 1 mL holds 1e9 cells", floor=1e-9),
    ),
    parameters=(
        Quantity("K_N", "cells/uL", "carrying capacity that host T cells feel"),
        Quantity("K_C", "cells/uL", "carrying capacity that CAR T cells feel"),
        Quantity("r_N", "1/day", "growth rate of host T cells"),
        Quantity("rho_C", "1/day", "growth rate of CAR T cells when the space is full"),
        Quantity("a", "1", "shape of the loss of the CAR T cells' growth advantage"),
        Quantity("b", "1/day", "growth advantage of CAR T cells in empty space"),
        Quantity("r_B", "1/day", "tumour growth rate"),
        Quantity("g_B", "1/day", "maximal tumour killing rate"),
        Quantity("k_B", "cells/uL", "CAR T cells at half-maximal killing"),
        Quantity("N_0", "cells/uL", "host T cells at infusion"),
        Quantity("C_0", "cells/uL", "CAR T cells at infusion"),
        Quantity("B_0", "mL", "tumour at infusion"),
    ),
    rhs=rhs,
    initial=initial,
    source="kimmel2021",
)
