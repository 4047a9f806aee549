r"""Tumour clones by antigen density, and the healthy cells that carry the antigen.

.. math::
    e(a) = \frac{a^n}{A_{50k}^n + a^n}, \qquad x(a) = \frac{a^n}{A_{50x}^n + a^n}

    A = x_P B_P + x_L B_L + w_H H, \qquad g = A / (K_A + A)

    K = \frac{acc\; g_B \Phi E}{k_B + E + q_B B}, \qquad \rho = r (1 - B / K_{max})

    \dot B_i = (\rho - K e_i - h - \chi_i) B_i - \mu_i, \qquad i = P, L, N

    \dot H = k_H (1 - H) - K e_H H

The negative clone is killed by bystander killing only (:math:`e_N = w_{by}`) and receives the cells that
the high clone loses (:math:`\mu B_P`). :math:`h` is the hazard of a next therapy, :math:`\chi_i` the
removal of a clone that has died out (see :mod:`livingdrug.models.unified.extinction`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from livingdrug.core.arithmetic import power
from livingdrug.core.model import Quantity

STATES = (
    Quantity("tumour_high", "1e9 cells", "tumour cells with usual antigen density (BP)", 1e-12),
    Quantity("tumour_low", "1e9 cells", "tumour cells with low antigen density (BL)", 1e-12),
    Quantity("tumour_negative", "1e9 cells", "tumour cells without the antigen (BN)", 1e-12),
    Quantity("healthy_antigen", "1", "healthy cells with the antigen relative to normal (H)", 1e-4),
)

PARAMETERS = (
    Quantity("B0", "1e9 cells", "tumour cells at infusion"),
    Quantity("fraction_low", "1", "share of low density among tumour cells with the antigen, at infusion"),
    Quantity("fraction_negative", "1", "share of the tumour without the antigen at infusion"),
    Quantity("r", "1/day", "net growth rate of the tumour"),
    Quantity("Kmax", "1e9 cells", "carrying capacity of the tumour"),
    Quantity("acc", "1", "access of CAR T cells to the disease"),
    Quantity("gB", "1/day", "potency: maximal kill hazard of a fully antigen-positive cell"),
    Quantity("kB", "cells/uL", "effectors at half-maximal killing"),
    Quantity("qB", "cells/uL/(1e9 cells)", "effectors engaged per tumour cell (effector to target limit)"),
    Quantity("mu", "1/day", "irreversible antigen loss per cell"),
    Quantity("antigen_density_high", "molecules/cell", "antigen density of the high clone"),
    Quantity("density_low_ratio", "1", "density of the low clone relative to the high clone"),
    Quantity("A50_kill", "molecules/cell", "antigen density of half-maximal killing"),
    Quantity("A50_expand", "molecules/cell", "antigen density of half-maximal expansion"),
    Quantity("hill_antigen", "1", "steepness of both density responses"),
    Quantity("wby", "1", "bystander killing of antigen-negative cells relative to positive ones"),
    Quantity("KA", "1e9 cells", "antigen-bearing cells of half-maximal antigen drive"),
    Quantity("wH", "1e9 cells", "antigen drive of all healthy antigen-positive cells"),
    Quantity("kH", "1/day", "return of healthy antigen-positive cells"),
    Quantity("eH", "1", "killing of healthy cells relative to tumour cells"),
    Quantity("H0", "1", "healthy antigen-positive cells at infusion relative to normal"),
)


def compute_efficiency(density: Any, half: Any, steepness: Any) -> Any:
    """Return the effect of an antigen density, 0 to 1 (parameters only).

    Examples
    --------
    >>> compute_efficiency(3000.0, 3000.0, 1.5)
    0.5
    """
    relative = power(density / half, steepness)
    return relative / (1 + relative)


def compute_killing(p: Any) -> tuple[Any, Any, Any]:
    """Return the kill efficiency on the high, low and negative clone."""
    low = p.antigen_density_high * p.density_low_ratio
    return (
        compute_efficiency(p.antigen_density_high, p.A50_kill, p.hill_antigen),
        compute_efficiency(low, p.A50_kill, p.hill_antigen),
        p.wby,
    )


def compute_drive(shown: Sequence[Any], y: Any, p: Any) -> Any:
    """Return the antigen drive g, 0 to 1, given the shown burden of each clone."""
    high = compute_efficiency(p.antigen_density_high, p.A50_expand, p.hill_antigen)
    low = compute_efficiency(p.antigen_density_high * p.density_low_ratio, p.A50_expand, p.hill_antigen)
    antigen = high * shown[0] + low * shown[1] + p.wH * y.healthy_antigen
    return antigen / (p.KA + antigen)


def compute_hazard(p: Any, *, killers: Any, permission: Any, burden: Any) -> Any:
    """Return the kill hazard K of a fully antigen-positive cell [1/day]."""
    return p.acc * p.gB * permission * killers / (p.kB + killers + p.qB * burden)


def compute_growth(burden: Any, p: Any) -> Any:
    """Return net growth rho without therapy [1/day]."""
    return p.r * (1 - burden / p.Kmax)


def compute_initial(p: Any) -> Mapping[str, Any]:
    """Split the burden at infusion into its clones."""
    positive = p.B0 * (1 - p.fraction_negative)
    return {
        "tumour_high": positive * (1 - p.fraction_low),
        "tumour_low": positive * p.fraction_low,
        "tumour_negative": p.B0 * p.fraction_negative,
        "healthy_antigen": p.H0,
    }


def compute_rates(y: Any, p: Any, *, growth: Any, deaths: Sequence[Any], hazard: Any) -> Mapping[str, Any]:
    """Return rates of change of the clones and of healthy cells.

    Parameters
    ----------
    growth : net growth rho without therapy
    deaths : hazard of therapy and removal of each clone (high, low, negative)
    hazard : kill hazard K
    """
    high, low, negative = deaths
    lost = p.mu * y.tumour_high
    return {
        "tumour_high": (growth - high) * y.tumour_high - lost,
        "tumour_low": (growth - low) * y.tumour_low,
        "tumour_negative": (growth - negative) * y.tumour_negative + lost,
        "healthy_antigen": p.kH * (1 - y.healthy_antigen) - p.eH * hazard * y.healthy_antigen,
    }
