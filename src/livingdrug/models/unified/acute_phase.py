r"""What cytokines do to a body: acute phase, fever, leaking vessels, blood pressure, oxygen.

.. math::
    \phi = \frac{1 + e_C\, S_6 / (K_C + S_6)}{1 + e_C\, I_6^0 / (K_C + I_6^0)}, \qquad
    \dot x_1 = k_x (C_0 \phi - x_1), \quad \dot x_2 = k_x (x_1 - x_2), \quad \dot C = k_C (x_2 - C)

    \dot F = k_F \Big(F_0 \big(1 + e_F \frac{M_A}{K_F + M_A}\big) - F\Big)

    P = \frac{S_6}{K_{P6}} + \frac{I_1}{K_{P1}}, \qquad
    \dot \theta = k_\theta \Big(\theta_0 + \Delta \frac{P^2}{1 + P^2} - \theta\Big)

    X = \frac{S_6}{K_{X6}} + \frac{G_I}{K_{XG}} + \frac{I_1}{K_{X1}}, \qquad
    \dot V = k_V \Big(\frac{X}{1 + X} - V\Big)

    \text{pressure} = \frac{p_0}{1 + c_V V + c_N\, G_I / (K_N + G_I)}, \qquad
    \text{saturation} = \frac{o_0}{1 + c_O V}

:math:`S_6` is the interleukin-6 that finds its receptor free, :math:`I_1` the interleukin-1 that anakinra leaves,
:math:`V` a surrogate of angiopoietin-2 and von Willebrand factor, 0 to 1. Pressure and saturation are those
without vasopressors and oxygen: how low they are says what a patient needs.
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Quantity

STATES = (
    Quantity("crp_transit_1", "mg/L", "synthesis of CRP, first step (x1)", 1e-2),
    Quantity("crp_transit_2", "mg/L", "synthesis of CRP, second step (x2)", 1e-2),
    Quantity("crp_serum", "mg/L", "C-reactive protein (C)", 1e-2),
    Quantity("ferritin_serum", "ng/mL", "ferritin (F)", 1e0),
    Quantity("body_temperature", "Cel", "body temperature", 1e-1),
    Quantity("vessels", "1", "activated endothelium (V)", 1e-4),
)

PARAMETERS = (
    Quantity("crp_0", "mg/L", "CRP without CAR T cells (C0)"),
    Quantity("crp_rise", "1", "CRP that very much interleukin-6 adds, relative to none (eC)"),
    Quantity("crp_half", "pg/mL", "interleukin-6 that adds half of it (KC)"),
    Quantity("crp_delay", "1/day", "rate of either step of synthesis (kx)"),
    Quantity("crp_clearance", "1/day", "clearance of CRP (kC)"),
    Quantity("ferritin_0", "ng/mL", "ferritin without CAR T cells (F0)"),
    Quantity("ferritin_rise", "1", "ferritin that very many activated myeloid cells add, relative to none (eF)"),
    Quantity("ferritin_half", "1", "activated myeloid cells that add half of it (KF)"),
    Quantity("ferritin_clearance", "1/day", "clearance of ferritin (kF)"),
    Quantity("temperature_0", "Cel", "body temperature without fever"),
    Quantity("fever_rise", "Cel", "highest fever above it"),
    Quantity("fever_rate", "1/day", "how fast temperature follows (kt)"),
    Quantity("fever_half_6", "pg/mL", "interleukin-6 of half the highest fever"),
    Quantity("fever_half_1", "pg/mL", "interleukin-1 of half the highest fever"),
    Quantity("vessel_half_6", "pg/mL", "interleukin-6 that half activates vessels"),
    Quantity("vessel_half_interferon", "pg/mL", "interferon gamma that half activates vessels"),
    Quantity("vessel_half_1", "pg/mL", "interleukin-1 that half activates vessels"),
    Quantity("vessel_rate", "1/day", "turnover of endothelial activation (kV)"),
    Quantity("pressure_0", "mmHg", "systolic blood pressure without CAR T cells"),
    Quantity("pressure_leak", "1", "fall of pressure by fully activated vessels (cV)"),
    Quantity("pressure_interferon", "1", "fall of pressure by very much interferon gamma (cN)"),
    Quantity("pressure_half", "pg/mL", "interferon gamma of half that fall (KN)"),
    Quantity("saturation_0", "%", "oxygen saturation without CAR T cells"),
    Quantity("saturation_leak", "1", "fall of saturation by fully activated vessels (cO)"),
)


def _compute_crp(acting: Any, p: Any) -> Any:
    """Return the CRP that interleukin-6 would sustain [mg/L]."""
    rest = 1 + p.crp_rise * p.interleukin_6_0 / (p.crp_half + p.interleukin_6_0)
    return p.crp_0 * (1 + p.crp_rise * acting / (p.crp_half + acting)) / rest


def _compute_temperature(acting_6: Any, acting_1: Any, p: Any) -> Any:
    """Return the temperature that the cytokines would sustain [Cel]."""
    pyrogen = (acting_6 / p.fever_half_6 + acting_1 / p.fever_half_1) ** 2
    return p.temperature_0 + p.fever_rise * pyrogen / (1 + pyrogen)


def _compute_activated(acting_6: Any, acting_1: Any, interferon: Any, p: Any) -> Any:
    """Return the endothelial activation that the cytokines would sustain, 0 to 1."""
    drive = acting_6 / p.vessel_half_6 + acting_1 / p.vessel_half_1 + interferon / p.vessel_half_interferon
    return drive / (1 + drive)


def compute_initial(p: Any) -> Mapping[str, Any]:
    """Start in balance with interleukin-6 as it is without CAR T cells."""
    return {
        "crp_transit_1": p.crp_0,
        "crp_transit_2": p.crp_0,
        "crp_serum": p.crp_0,
        "ferritin_serum": p.ferritin_0,
        "body_temperature": _compute_temperature(p.interleukin_6_0, 0, p),
        "vessels": _compute_activated(p.interleukin_6_0, 0, 0, p),
    }


def compute_rates(y: Any, p: Any, *, acting_6: Any, acting_1: Any) -> Mapping[str, Any]:
    """Return rates of change, given interleukin-6 and interleukin-1 that act [pg/mL]."""
    ferritin = p.ferritin_0 * (1 + p.ferritin_rise * y.myeloid_active / (p.ferritin_half + y.myeloid_active))
    return {
        "crp_transit_1": p.crp_delay * (_compute_crp(acting_6, p) - y.crp_transit_1),
        "crp_transit_2": p.crp_delay * (y.crp_transit_1 - y.crp_transit_2),
        "crp_serum": p.crp_clearance * (y.crp_transit_2 - y.crp_serum),
        "ferritin_serum": p.ferritin_clearance * (ferritin - y.ferritin_serum),
        "body_temperature": p.fever_rate * (_compute_temperature(acting_6, acting_1, p) - y.body_temperature),
        "vessels": p.vessel_rate * (_compute_activated(acting_6, acting_1, y.interferon, p) - y.vessels),
    }


def observe(y: Any, p: Any) -> Mapping[str, Any]:
    """Return what a hospital measures; pressure and saturation without support."""
    nitric_oxide = p.pressure_interferon * y.interferon / (p.pressure_half + y.interferon)
    return {
        "crp": y.crp_serum,
        "ferritin": y.ferritin_serum,
        "temperature": y.body_temperature,
        "systolic_bp": p.pressure_0 / (1 + p.pressure_leak * y.vessels + nitric_oxide),
        "spo2": p.saturation_0 / (1 + p.saturation_leak * y.vessels),
    }
