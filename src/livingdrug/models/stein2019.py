r"""Expansion, contraction and persistence of a CAR transgene with a switch at its peak (Stein 2019).

.. math::
    \dot E = \begin{cases} \rho E & t < T_{max} \\ -\alpha E & t \ge T_{max} \end{cases}, \qquad
    \dot M = \begin{cases} 0 & t < T_{max} \\ k E - \beta M & t \ge T_{max} \end{cases}

    E(0) = C_{max} / f, \qquad \rho = \ln(f) / T_{max}, \qquad k = F_B (\alpha - \beta)

with :math:`f` the fold expansion. The signal is :math:`E + M`; after the peak it is
:math:`C_{max} [(1 - F_B) e^{-\alpha (t - T_{max})} + F_B e^{-\beta (t - T_{max})}]`.

The switch is an event, not a formula: ``contracting`` is 0 at infusion, and a schedule sets it to 1
on the patient's own day ``T_max``, where the integration stops exactly. The effects of tocilizumab
and corticosteroids on the expansion rate that the paper tried are left out.

Source: stein2019
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.arithmetic import log
from livingdrug.core.model import Model, Quantity


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return rates of change. Floats or symbols in, the same kind out."""
    rho = log(p.foldx) / p.T_max
    k = p.F_B * (p.alpha - p.beta)
    return {
        "effector": ((1 - p.contracting) * rho - p.contracting * p.alpha) * y.effector,
        "memory": p.contracting * (k * y.effector - p.beta * y.memory),
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Return amounts back-extrapolated to infusion."""
    return {"effector": p.C_max / p.foldx}


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return what the assay sees: both phases together."""
    return {"car_transgene": y.effector + y.memory}


STEIN2019 = Model(
    name="stein2019",
    states=(
        Quantity("effector", "copies/ug", "transgene in expanding, then contracting cells (E)", floor=1e-3),
        Quantity("memory", "copies/ug", "transgene in persisting cells (M)", floor=1e-3),
    ),
    parameters=(
        Quantity("foldx", "1", "fold expansion from the back-extrapolated start to the peak"),
        Quantity("T_max", "day", "day of the peak"),
        Quantity("C_max", "copies/ug", "transgene at the peak"),
        Quantity("alpha", "1/day", "contraction rate"),
        Quantity("F_B", "1", "share of the peak that declines slowly"),
        Quantity("beta", "1/day", "terminal decline rate"),
        Quantity("contracting", "1", "0 before the peak, 1 from day T_max on (set by the schedule)"),
    ),
    rhs=rhs,
    initial=initial,
    outputs=(Quantity("car_transgene", "copies/ug", "transgene in blood by qPCR"),),
    observe=observe,
    source="stein2019",
)
