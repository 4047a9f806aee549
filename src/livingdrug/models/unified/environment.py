r"""The tumour's environment: suppression that burden drives, and TGF-beta/IL-10 that killing drives.

.. math::
    \Phi = \frac{1}{1 + S + G}, \qquad \Psi = \frac{1}{1 + s_P (S + G)}

    \dot S = k_S \Big(S_0 + \frac{S_B B}{K_S + B} - S\Big), \qquad
    \dot G = k_G \Big(G_0 + \frac{G_K F}{K_G + F} - G\Big)

with :math:`F` the flux of killed cells. Suppression that grows with burden is why a larger tumour is
never the better one to have.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Quantity

STATES = (
    Quantity("suppression", "1", "suppressive cells of the environment, index (S)", 1e-3),
    Quantity("tgf_beta", "1", "TGF-beta and IL-10, index (G)", 1e-3),
)

PARAMETERS = (
    Quantity("kS", "1/day", "turnover of suppression"),
    Quantity("S0", "1", "suppression without tumour"),
    Quantity("SB", "1", "suppression added by a very large tumour"),
    Quantity("KS", "1e9 cells", "burden that adds half of it"),
    Quantity("kG", "1/day", "turnover of TGF-beta and IL-10"),
    Quantity("G0", "1", "TGF-beta and IL-10 at baseline"),
    Quantity("GK", "1", "TGF-beta and IL-10 added by intense killing"),
    Quantity("KG", "1e9 cells/day", "flux of killed cells that adds half of it"),
    Quantity("sP", "1", "share of suppression that slows proliferation"),
)


def compute_kill_permission(y: Any) -> Any:
    """Return Phi, the killing that the environment leaves, 0 to 1."""
    return 1 / (1 + y.suppression + y.tgf_beta)


def compute_growth_permission(y: Any, p: Any) -> Any:
    """Return Psi, the proliferation that the environment leaves, 0 to 1."""
    return 1 / (1 + p.sP * (y.suppression + y.tgf_beta))


def compute_initial(p: Any) -> Mapping[str, Any]:
    """Start in balance with the burden at infusion."""
    return {"suppression": p.S0 + p.SB * p.B0 / (p.KS + p.B0), "tgf_beta": p.G0}


def compute_rates(y: Any, p: Any, *, burden: Any, flux: Any) -> Mapping[str, Any]:
    """Return rates of change, given burden B and flux F of killed cells."""
    return {
        "suppression": p.kS * (p.S0 + p.SB * burden / (p.KS + burden) - y.suppression),
        "tgf_beta": p.kG * (p.G0 + p.GK * flux / (p.KG + flux) - y.tgf_beta),
    }
