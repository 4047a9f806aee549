r"""CAR T cells: engraftment, expansion in the niche that lymphodepletion opened, memory, exhaustion.

.. math::
    C = T_M + T_E + T_R + T_X, \qquad
    Q_\infty = \frac{K_n^6}{K_n^6 + (N + w_C C)^6}

    p = u\, (r_N + r_E g)\, Q\, \Psi\, (1 - d)\, \frac{K_C}{K_C + C}, \qquad
    x = x_g (g + x_S S)

    \dot T_I = -(k_I + h) T_I

    \dot T_M = f_{eng} f_M k_I T_I - l_M a_M g T_M - (d_M + h) T_M + r_{EM} (1 - g)(T_E + T_R)

    \dot T_E = f_{eng} (1 - f_M) k_I T_I + p T_E - (\alpha_d + r_{EM} + x + h) T_E + v_P T_X

    \dot T_R = 4 a_M g T_M - (\alpha_d + r_{EM} + x + h) T_R, \qquad \alpha_d = \alpha (1 + e_D d)

    \dot T_X = x (T_E + T_R) - (d_X + v_P + h) T_X

    \dot N = a_N N (1 - N / K_N) / (N / K_N + s_N), \qquad \dot Q = k_Q (Q_\infty - Q)

The sixth power makes the niche close sharply, by host lymphocytes that return and by the CAR T cells
themselves; so the peak comes on its day whatever the dose. Effectors recalled from memory (:math:`T_R`)
have made their two divisions and do not multiply again: old cells do not re-expand when a later
lymphodepletion opens the niche, a second product does.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Quantity

STATES = (
    Quantity("cart_infused", "cells/uL", "infused CAR T cells not yet active (TI), blood equivalent", 1e-6),
    Quantity("cart_memory", "cells/uL", "memory CAR T cells (TM)", 1e-6),
    Quantity("cart_effector", "cells/uL", "effector CAR T cells that expand (TE)", 1e-6),
    Quantity("cart_recalled", "cells/uL", "effector CAR T cells recalled from memory (TR)", 1e-6),
    Quantity("cart_exhausted", "cells/uL", "exhausted CAR T cells (TX)", 1e-6),
    Quantity("host_lymphocytes", "cells/uL", "host T lymphocytes (N)", 1e-2),
    Quantity("niche", "1", "homeostatic cytokine niche, 1 is fully open (Q)", 1e-4),
)

PRODUCT = tuple(state for state in STATES if state.name.startswith("cart_"))
"""The states of the product itself."""

PARAMETERS = (
    Quantity("dose", "cells", "infused CAR T cells"),
    Quantity("blood_scale", "cells", "cells in the body for one cell per uL of blood"),
    Quantity("kI", "1/day", "activation of infused cells"),
    Quantity("feng", "1", "fraction of infused cells that engrafts"),
    Quantity("fM", "1", "memory fraction of the product"),
    Quantity("rN", "1/day", "niche-driven proliferation, no antigen needed"),
    Quantity("rE", "1/day", "antigen-driven proliferation, maximum"),
    Quantity("KC", "cells/uL", "CAR T count at half capacity"),
    Quantity("Kn", "cells/uL", "lymphocyte count that half closes the niche"),
    Quantity("wC", "1", "niche taken by a CAR T cell relative to a host lymphocyte"),
    Quantity("kQ", "1/day", "turnover of the niche"),
    Quantity("N0", "cells/uL", "host lymphocytes after lymphodepletion, day 0"),
    Quantity("KN", "cells/uL", "host lymphocytes when recovered"),
    Quantity("aN", "1/day", "recovery rate of host lymphocytes"),
    Quantity("sN", "1", "fraction of recovery above which lymphocyte growth slows"),
    Quantity("alpha", "1/day", "loss of effector cells"),
    Quantity("dM", "1/day", "loss of memory cells"),
    Quantity("rEM", "1/day", "effector to memory conversion without antigen"),
    Quantity("aM", "1/day", "memory to effector recall at full antigen"),
    Quantity("lM", "1", "share of recalled memory cells that are lost to memory"),
    Quantity("xg", "1/day", "exhaustion rate at full antigen"),
    Quantity("xS", "1", "weight of suppression in exhaustion"),
    Quantity("dX", "1/day", "loss of exhausted cells"),
    Quantity("eX", "1", "killing by an exhausted cell relative to an effector"),
    Quantity("vP", "1/day", "reinvigoration of exhausted cells, by PD-1 inhibition"),
    Quantity("h_cart", "1/day", "loss of all CAR T cells to another therapy"),
    Quantity("growth_drug", "1", "proliferation under a drug that is given now, relative to none (u)"),
    Quantity("ld_survival", "1", "fraction of T cells that survives a later lymphodepletion"),
)


def compute_total(y: Any) -> Any:
    """Return all active CAR T cells (C) [cells/uL]."""
    return y.cart_memory + y.cart_effector + y.cart_recalled + y.cart_exhausted


def compute_killers(y: Any, p: Any) -> Any:
    """Return effector equivalents (E) [cells/uL]."""
    return y.cart_effector + y.cart_recalled + p.eX * y.cart_exhausted


def _sixth(count: Any) -> Any:
    return (count**3) ** 2


def compute_initial(p: Any) -> Mapping[str, Any]:
    """Start with the dose not yet active and the niche as lymphodepletion left it."""
    return {
        "cart_infused": p.dose / p.blood_scale,
        "host_lymphocytes": p.N0,
        "niche": _sixth(p.Kn) / (_sixth(p.Kn) + _sixth(p.N0)),
    }


def compute_rates(
    y: Any, p: Any, *, drive: Any, permission: Any, suppression: Any, steroid: Any, others: Any = 0
) -> Mapping[str, Any]:
    """Return rates of change of the CAR T block.

    Parameters
    ----------
    others : CAR T cells of another product, which take the same room and niche [cells/uL]
    drive : antigen drive g, 0 to 1
    permission : suppression of proliferation Psi, 0 to 1
    suppression : index S
    steroid : occupancy d of the dexamethasone effect, 0 to 1
    """
    activated = p.feng * p.kI * y.cart_infused
    count = compute_total(y) + others
    growth = p.growth_drug * (p.rN + p.rE * drive) * y.niche * permission * (1 - steroid) * (p.KC / (p.KC + count))
    exhaustion = p.xg * (drive + p.xS * suppression)
    effector_loss = p.alpha * (1 + p.eD * steroid) + p.rEM + exhaustion + p.h_cart
    recall = p.aM * drive * y.cart_memory
    effectors = y.cart_effector + y.cart_recalled
    reinvigorated = p.vP * y.cart_exhausted
    recovered = y.host_lymphocytes / p.KN
    crowd = y.host_lymphocytes + p.wC * count
    crowd6 = _sixth(crowd)
    return {
        "cart_infused": -(p.kI + p.h_cart) * y.cart_infused,
        "cart_memory": p.fM * activated
        - p.lM * recall
        - (p.dM + p.h_cart) * y.cart_memory
        + p.rEM * (1 - drive) * effectors,
        "cart_effector": (1 - p.fM) * activated + (growth - effector_loss) * y.cart_effector + reinvigorated,
        "cart_recalled": 4 * recall - effector_loss * y.cart_recalled,
        "cart_exhausted": exhaustion * effectors - (p.dX + p.h_cart) * y.cart_exhausted - reinvigorated,
        "host_lymphocytes": p.aN * y.host_lymphocytes * (1 - recovered) / (recovered + p.sN),
        "niche": p.kQ * (_sixth(p.Kn) / (_sixth(p.Kn) + crowd6) - y.niche),
    }
