r"""The unified model with a second target: a dual CAR, or a second product against another antigen.

Four clones carry both antigens (high or low in the first), the second only (negative), or neither
(double negative, :math:`D`). A product sees the first antigen, the second, or both, as its switches
:math:`s_1, s_2` say; a cell is killed through either,

.. math::
    e_k = 1 - (1 - s_1 e_{k1})(1 - s_2 e_{k2}), \qquad x_k = 1 - (1 - s_1 x_{k1})(1 - s_2 x_{k2})

so that from a dual CAR only the double negative clone escapes. Cells lose the first antigen at
:math:`\mu` and the second at :math:`\mu_2`:

.. math::
    \dot B_N = (\rho - \dots) B_N + \mu (B_P + B_L) - \mu_2 B_N, \qquad \dot B_D = (\rho - \dots) B_D + \mu_2 B_N

The second product has states and rates of its own and shares the niche, the room and the environment with the
first; their kill hazards add. Everything else is the unified model, block by block.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from livingdrug.core.model import Model, Quantity
from livingdrug.models.unified import antigen, cart, drugs, environment, extinction, markers
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.observe import OUTPUTS, observe_blood, observe_tumour

CLONES = (*extinction.CLONES, "double")
SUFFIX = "_second"
OWN = ("kI", "feng", "fM", "rE", "alpha", "dM", "rEM", "xg", "gB")
"""Parameters that the second product has of its own."""

STATES = (
    *(
        Quantity(s.name.replace("cart", "second"), s.unit, f"second product: {s.meaning}", s.floor)
        for s in cart.PRODUCT
    ),
    Quantity("tumour_double", "1e9 cells", "tumour cells without either antigen (BD)", 1e-12),
    Quantity("lineage_double", "1", "probability that a family of the double negative clone survives (q)", 1e-18),
)
PARAMETERS = (
    *(
        Quantity(f"{q.name}{SUFFIX}", q.unit, f"second product: {q.meaning}")
        for q in (*cart.PARAMETERS, *antigen.PARAMETERS)
        if q.name in OWN
    ),
    Quantity("sees_1", "1", "1 where the first product recognises the first antigen, else 0"),
    Quantity("sees_2", "1", "1 where the first product recognises the second antigen, else 0"),
    Quantity("sees_1_second", "1", "1 where the second product recognises the first antigen, else 0"),
    Quantity("sees_2_second", "1", "1 where the second product recognises the second antigen, else 0"),
    Quantity("antigen_density_2", "molecules/cell", "density of the second antigen where it is present"),
    Quantity("A50_kill_2", "molecules/cell", "density of the second antigen of half-maximal killing"),
    Quantity("A50_expand_2", "molecules/cell", "density of the second antigen of half-maximal expansion"),
    Quantity("mu_2", "1/day", "irreversible loss of the second antigen per cell"),
    Quantity(
        "fraction_double", "1", "share without the second antigen among tumour cells without the first, at infusion"
    ),
    Quantity("extinct_double", "1", "surviving families below which the double negative clone is gone (W)"),
)


class SecondProduct:
    """States or parameters as the second product has them: its own where it has some, else those of all.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> p = SecondProduct(SimpleNamespace(kI=0.5, kI_second=0.4, kQ=0.8))
    >>> p.kI, p.kQ
    (0.4, 0.8)
    """

    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        if name.startswith("cart_"):
            return getattr(self._whole, name.replace("cart", "second", 1))
        return getattr(self._whole, f"{name}{SUFFIX}" if name in OWN else name)


def _join(first: Any, second: Any) -> Any:
    """Return the effect through either of two antigens."""
    return 1 - (1 - first) * (1 - second)


def compute_efficiencies(p: Any, half: str, sees: tuple[Any, Any]) -> tuple[Any, Any, Any]:
    """Return the effect of the high, low and negative clone on a product; the double negative has none.

    Parameters
    ----------
    half : ``A50_kill`` or ``A50_expand``
    sees : whether the product recognises the first and the second antigen
    """
    second = sees[1] * antigen.compute_efficiency(p.antigen_density_2, getattr(p, f"{half}_2"), p.hill_antigen)
    high, low = (
        sees[0] * antigen.compute_efficiency(density, getattr(p, half), p.hill_antigen)
        for density in (p.antigen_density_high, p.antigen_density_high * p.density_low_ratio)
    )
    return _join(high, second), _join(low, second), second


def _compute_drive(p: Any, sees: tuple[Any, Any], shown: Sequence[Any], y: Any) -> Any:
    efficiency = compute_efficiencies(p, "A50_expand", sees)
    carried = sum(e * burden for e, burden in zip(efficiency, shown, strict=False))
    signal = carried + p.wH * y.healthy_antigen
    return signal / (p.KA + signal)


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return rates of change. Floats or symbols in, the same kind out."""
    families = extinction.compute_families(y, p, CLONES)
    alive = extinction.compute_alive(families, p, CLONES)
    shown = extinction.compute_shown(y, p, families, alive, CLONES)
    burden = shown[0] + shown[1] + shown[2] + shown[3]
    growth = antigen.compute_growth(burden, p)
    products = ((y, p, (p.sees_1, p.sees_2)), (SecondProduct(y), SecondProduct(p), (p.sees_1_second, p.sees_2_second)))
    permission = environment.compute_kill_permission(y)
    hazards = [
        antigen.compute_hazard(own_p, killers=cart.compute_killers(own_y, own_p), permission=permission, burden=burden)
        for own_y, own_p, _ in products
    ]
    bystander = p.wby * (hazards[0] + hazards[1])
    effects = [compute_efficiencies(p, "A50_kill", sees) for _, _, sees in products]
    kills = [hazards[0] * effects[0][k] + hazards[1] * effects[1][k] for k in range(3)]
    kills = [kills[0], kills[1], kills[2] + bystander, bystander]
    deaths = [kill + p.h_next + p.kx * p.r * (1 - is_alive) for kill, is_alive in zip(kills, alive, strict=True)]
    lost = {"negative": p.mu * (y.tumour_high + y.tumour_low), "double": p.mu_2 * y.tumour_negative}
    flux = sum(kill * amount for kill, amount in zip(kills, shown, strict=True))
    first, second = (
        cart.compute_rates(
            own_y,
            own_p,
            drive=_compute_drive(own_p, sees, shown, y),
            permission=environment.compute_growth_permission(y, p),
            suppression=y.suppression,
            steroid=drugs.compute_steroid(y, p),
            others=cart.compute_total(other),
        )
        for (own_y, own_p, sees), other in zip(products, (SecondProduct(y), y), strict=True)
    )
    return {
        **first,
        **{name.replace("cart", "second", 1): rate for name, rate in second.items() if name.startswith("cart_")},
        "tumour_high": (growth - deaths[0] - p.mu) * y.tumour_high,
        "tumour_low": (growth - deaths[1] - p.mu) * y.tumour_low,
        "tumour_negative": (growth - deaths[2] - p.mu_2) * y.tumour_negative + lost["negative"],
        "tumour_double": (growth - deaths[3]) * y.tumour_double + lost["double"],
        "healthy_antigen": p.kH * (1 - y.healthy_antigen) - p.eH * (hazards[0] + hazards[1]) * y.healthy_antigen,
        **extinction.compute_rates(y, p, growth=growth, deaths=deaths, births=lost, clones=CLONES),
        **environment.compute_rates(y, p, burden=burden, flux=flux),
        **markers.compute_rates(y, p, shown=(shown[0], shown[1], shown[2] + shown[3])),
        **drugs.compute_rates(y, p),
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Return the states at infusion (day 0): of the second product there is nothing yet."""
    split = UNIFIED.initial(p)
    return {
        **split,
        "tumour_negative": split["tumour_negative"] * (1 - p.fraction_double),
        "tumour_double": split["tumour_negative"] * p.fraction_double,
        "lineage_double": 1,
    }


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:  # noqa: ARG001
    """Return every output."""
    return {
        **observe_tumour(y, p, CLONES),
        **observe_blood(y, p),
        "second_car_t_cells": cart.compute_total(SecondProduct(y)),
    }


TWO_TARGETS = Model(
    name="unified_two_targets",
    states=(*UNIFIED.states, *STATES),
    parameters=(*UNIFIED.parameters, *PARAMETERS),
    outputs=(
        *OUTPUTS,
        Quantity("survival_double", "1", "probability that the double negative clone is alive"),
        Quantity("second_car_t_cells", "cells/uL", "CAR T cells of the second product in blood"),
    ),
    rhs=rhs,
    initial=initial,
    observe=observe,
    source="livingdrug_prototype",
)
