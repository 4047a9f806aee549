r"""Will a clone die out? The survival probability of one cell's family, beside the mean burden.

A clone of cells that divide at rate :math:`b(t)` and die at rate :math:`d(t)` has mean size :math:`B`.
The mean size :math:`m` of a family that still has members obeys :math:`\dot m = (b - d) m + d`
(Kendall 1948), so its inverse :math:`q = 1 / m`, with :math:`q(0) = 1`, obeys

.. math::
    \dot q = -(b - d)\, q - d\, q^2 + \frac{\sigma}{B} (1 - q)

The last term is a source of new single cells (:math:`\sigma`). The expected number of surviving families is
:math:`F = f_c B q` (:math:`f_c`: the fraction of cells that can regrow a tumour), and

.. math::
    \dot F = -d\, q F \; (+ f_c \sigma), \qquad P(\text{extinct}) = e^{-F}

:math:`q` stays between 0 and 1: it can neither overflow when a clone regrows for years
(:math:`m = e^{rt}` does) nor be divided by a burden that has underflown, as :math:`\dot F = -d F^2 / B`
would. It decays slowly, so a relative tolerance keeps all its digits.

**Realised extinction.** A patient's clone is gone when :math:`F` has fallen below a threshold
:math:`W`: an exponential draw of that patient (then clones die out exactly as often as
:math:`e^{-F}` says), or ln 2 (then the likelier course is shown). From there on the clone is removed,

.. math::
    \chi = k_x r (1 - \alpha)

where :math:`\alpha(F, W)` is a steep but smooth function that needs no event. Without it the mean burden of a cured
patient, 1e-20 cells, would grow back into a relapse.

**Realised size.** The burden that is seen and that cells react to is the one of this patient,

.. math::
    B^* = \frac{Z(F, W)}{f_c\, q}

with the same draw :math:`W`: a patient whose clone barely survives has few cells, and relapses late. It is the mean
burden where many families are left, and has the distribution of a sum of random families where few are.
:math:`\alpha` and :math:`Z` are in :mod:`livingdrug.core.surviving_families`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from livingdrug.core.model import Quantity
from livingdrug.core.surviving_families import compute_alive as compute_clone_alive
from livingdrug.core.surviving_families import compute_clone_size

CLONES = ("high", "low", "negative")

STATES = tuple(
    Quantity(f"lineage_{clone}", "1", f"probability that a family of the {clone} clone survives, per cell (q)", 1e-18)
    for clone in CLONES
)

PARAMETERS = (
    Quantity("cell_unit", "cells", "cells in the unit of burden"),
    Quantity("mu0", "1/day", "turnover of tumour cells: death without therapy"),
    Quantity("fc", "1", "fraction of tumour cells that can regrow a tumour"),
    Quantity("kx", "1", "removal of a clone that has died out, relative to its growth rate"),
    Quantity("extinct_high", "1", "surviving families below which the high clone is gone (W)"),
    Quantity("extinct_low", "1", "surviving families below which the low clone is gone (W)"),
    Quantity("extinct_negative", "1", "surviving families below which the negative clone is gone (W)"),
)


def compute_families(y: Any, p: Any, clones: Sequence[str] = CLONES) -> tuple[Any, ...]:
    """Return the expected number of surviving families F of each clone."""
    scale = p.fc * p.cell_unit
    return tuple(scale * getattr(y, f"tumour_{clone}") * getattr(y, f"lineage_{clone}") for clone in clones)


def compute_alive(families: Sequence[Any], p: Any, clones: Sequence[str] = CLONES) -> tuple[Any, ...]:
    """Return whether each clone is alive: 1 far above its threshold W, 0 below, and smooth between."""
    return tuple(
        compute_clone_alive(count, getattr(p, f"extinct_{clone}"))
        for count, clone in zip(families, clones, strict=True)
    )


def compute_shown(
    y: Any, p: Any, families: Sequence[Any], alive: Sequence[Any], clones: Sequence[str] = CLONES
) -> tuple[Any, ...]:
    """Return the burden of each clone of this patient, B* [1e9 cells]; nearly nothing once it is gone."""
    return tuple(
        compute_clone_size(
            count, getattr(p, f"extinct_{clone}"), is_alive, p.fc * p.cell_unit * getattr(y, f"lineage_{clone}")
        )
        for clone, count, is_alive in zip(clones, families, alive, strict=True)
    )


def compute_initial() -> Mapping[str, Any]:
    """Start with every cell a family of its own."""
    return {state.name: 1 for state in STATES}


def compute_rates(
    y: Any,
    p: Any,
    *,
    growth: Any,
    deaths: Sequence[Any],
    births: Mapping[str, Any],
    clones: Sequence[str] = CLONES,
) -> Mapping[str, Any]:
    """Return rates of change of q of each clone.

    Parameters
    ----------
    growth : net growth without therapy
    deaths : hazard of therapy and removal of each clone
    births : cells that join a clone by loss of an antigen [1e9 cells/day]; each founds a family of its own
    """
    rates: dict[str, Any] = {}
    for clone, death in zip(clones, deaths, strict=True):
        q = getattr(y, f"lineage_{clone}")
        rates[f"lineage_{clone}"] = (death - growth) * q - (p.mu0 + death) * q * q
        if clone in births:
            # one cell keeps 0/0 away
            joined = births[clone] / (getattr(y, f"tumour_{clone}") + 1 / p.cell_unit)
            rates[f"lineage_{clone}"] = rates[f"lineage_{clone}"] + joined * (1 - q)
    return rates
