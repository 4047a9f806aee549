r"""Will a clone die out? The survival probability of one cell's family, beside the mean burden.

A clone of cells that divide at rate :math:`b(t)` and die at rate :math:`d(t)` has mean size :math:`B`.
The mean size :math:`m` of a family that still has members obeys :math:`\dot m = (b - d) m + d`
(Kendall 1948), so its inverse :math:`q = 1 / m`, with :math:`q(0) = 1`, obeys

.. math::
    \dot q = -(b - d)\, q - d\, q^2 + \frac{\sigma}{B} (1 - q)

The last term is a source of new single cells (:math:`\sigma`). The expected number of surviving families is
:math:`F = f_c B q` (:math:`f_c`: the fraction of cells that can regrow a tumour), and

.. math::
    \dot F = -d\, q F \; (+ f_c \sigma), \qquad P(\text{extinct}) = e^{-F}, \qquad
    B^* = \frac{B}{1 - e^{-F}}

:math:`q` stays between 0 and 1: it can neither overflow when a clone regrows for years
(:math:`m = e^{rt}` does) nor be divided by a burden that has underflown, as :math:`\dot F = -d F^2 / B`
would. It decays slowly, so a relative tolerance keeps all its digits.

**Realised extinction.** A patient's clone is gone when :math:`F` has fallen below a threshold
:math:`W`: an exponential draw of that patient (then clones die out exactly as often as
:math:`e^{-F}` says), or ln 2 (then the likelier course is shown). From there on the clone is removed,

.. math::
    \chi = \frac{k_x r}{1 + (F / W)^8}

which is smooth, needs no event, and is beyond the digits of a double while the clone is alive. Without it the
mean burden of a cured patient, 1e-20 cells, would grow back into a relapse.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Quantity

CELLS = 1e9
"""Cells in the unit of burden."""

CLONES = ("high", "low", "negative")

STATES = tuple(
    Quantity(f"lineage_{clone}", "1", f"probability that a family of the {clone} clone survives, per cell (q)", 1e-18)
    for clone in CLONES
)

PARAMETERS = (
    Quantity("mu0", "1/day", "turnover of tumour cells: death without therapy"),
    Quantity("fc", "1", "fraction of tumour cells that can regrow a tumour"),
    Quantity("kx", "1", "removal of a clone that has died out, relative to its growth rate"),
    Quantity("extinct_high", "1", "surviving families below which the high clone is gone (W)"),
    Quantity("extinct_low", "1", "surviving families below which the low clone is gone (W)"),
    Quantity("extinct_negative", "1", "surviving families below which the negative clone is gone (W)"),
)


def compute_families(y: Any, p: Any) -> tuple[Any, Any, Any]:
    """Return the expected number of surviving families F of each clone."""
    scale = p.fc * CELLS
    return (
        scale * y.tumour_high * y.lineage_high,
        scale * y.tumour_low * y.lineage_low,
        scale * y.tumour_negative * y.lineage_negative,
    )


def compute_removal(families: tuple[Any, Any, Any], p: Any) -> tuple[Any, Any, Any]:
    """Return the removal hazard chi of each clone [1/day]: 0 while it lives."""
    high, low, negative = families
    return (
        p.kx * p.r / (1 + (high / p.extinct_high) ** 8),
        p.kx * p.r / (1 + (low / p.extinct_low) ** 8),
        p.kx * p.r / (1 + (negative / p.extinct_negative) ** 8),
    )


def _show(burden: Any, lineage: Any, families: Any, p: Any) -> Any:
    # F/(1 - exp(-F)) = F + F/(exp(F) - 1), and the last is 1 / (1 + F/2 + F^2/6 + F^3/24 + ...)
    x = families
    return burden + 1 / (p.fc * CELLS * lineage * (1 + x * (1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120))))))


def compute_shown(y: Any, p: Any, families: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
    """Return the burden of each clone given that it survives, B* [1e9 cells].

    The series stands for the exponential (within 0.5 % of the burden), so that it stays rational.
    A clone that has died out shows a few cells.
    """
    return (
        _show(y.tumour_high, y.lineage_high, families[0], p),
        _show(y.tumour_low, y.lineage_low, families[1], p),
        _show(y.tumour_negative, y.lineage_negative, families[2], p),
    )


def compute_initial() -> Mapping[str, Any]:
    """Start with every cell a family of its own."""
    return {state.name: 1.0 for state in STATES}


def compute_rates(y: Any, p: Any, *, growth: Any, deaths: tuple[Any, Any, Any]) -> Mapping[str, Any]:
    """Return rates of change of q of each clone.

    Parameters
    ----------
    growth : net growth without therapy
    deaths : hazard of therapy and removal of each clone
    """
    rates: dict[str, Any] = {}
    for clone, q, death in zip(CLONES, (y.lineage_high, y.lineage_low, y.lineage_negative), deaths, strict=True):
        rates[f"lineage_{clone}"] = (death - growth) * q - (p.mu0 + death) * q * q
    # a negative cell that is born founds a family of its own; a thousandth of a cell keeps 0/0 away
    born = p.mu * y.tumour_high / (y.tumour_negative + 1e-3 / CELLS)
    rates["lineage_negative"] = rates["lineage_negative"] + born * (1 - y.lineage_negative)
    return rates
