r"""Effector and memory CAR T cells against a xenograft, with re-challenge (Barros 2021, CARTmath).

Effectors :math:`C_T` kill and become memory cells :math:`C_M`; the tumour :math:`T` turns memory cells
back into effectors and inhibits effectors.

.. math::
    \dot C_T = \phi C_T - \pi C_T + \theta T C_M - \alpha T C_T

    \dot C_M = \varepsilon C_T - \theta T C_M - \mu C_M, \qquad
    \dot T = \rho T (1 - \beta T) - \gamma C_T T

**Bookkeeping of** :math:`\pi` **and** :math:`\varepsilon`: :math:`\pi` is everything that leaves the
effectors, memory formation included, so :math:`\varepsilon C_T` is gained by memory and *not* taken
from the effectors once more. Nothing ties :math:`\varepsilon` to :math:`\pi`: in one of the paper's two
cell lines more memory is formed than effectors leave, so cells are not conserved and the two rates
must be read as fitted.

The infusion and the second tumour graft are events: amounts set or added on their day by a schedule.

Source: barros2021; the same equations are BIOMD0000001019 (HDLM-2) and BIOMD0000001020 (Raji).
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Model, Quantity


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Rates of change. Floats or symbols in, the same kind out."""
    C_T, C_M, T = y.effector_cells, y.memory_cells, y.tumour_cells
    recalled = p.theta * T * C_M
    return {
        "effector_cells": (p.phi - p.pi - p.alpha * T) * C_T + recalled,
        "memory_cells": p.epsilon * C_T - recalled - p.mu * C_M,
        "tumour_cells": p.rho * T * (1 - p.beta * T) - p.gamma * C_T * T,
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Amounts when the tumour is engrafted; the CAR T cells come later."""
    return {"tumour_cells": p.T_0}


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """All CAR T cells."""
    return {"car_t_cells": y.effector_cells + y.memory_cells}


BARROS2021 = Model(
    name="barros2021",
    states=(
        Quantity("effector_cells", "cells", "effector CAR T cells (C_T)", floor=1),
        Quantity("memory_cells", "cells", "memory CAR T cells (C_M)", floor=1),
        Quantity("tumour_cells", "cells", "tumour cells (T)", floor=1),
    ),
    parameters=(
        Quantity("phi", "1/day", "growth rate of effectors"),
        Quantity("pi", "1/day", "rate at which effectors die or become memory cells"),
        Quantity("epsilon", "1/day", "memory cells formed per effector"),
        Quantity("theta", "1/(cells*day)", "recall of memory cells per tumour cell"),
        Quantity("alpha", "1/(cells*day)", "inhibition of effectors per tumour cell"),
        Quantity("mu", "1/day", "death rate of memory cells"),
        Quantity("rho", "1/day", "tumour growth rate"),
        Quantity("beta", "1/cells", "inverse of the tumour's carrying capacity"),
        Quantity("gamma", "1/(cells*day)", "tumour killing rate per effector"),
        Quantity("T_0", "cells", "tumour cells engrafted"),
    ),
    rhs=rhs,
    initial=initial,
    outputs=(Quantity("car_t_cells", "cells", "CAR T cells, all"),),
    observe=observe,
    source="barros2021",
)
