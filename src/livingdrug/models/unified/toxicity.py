r"""The unified model with cytokine release and encephalopathy.

The states of the unified model, and beside them those of
:mod:`~livingdrug.models.unified.cytokines`, :mod:`~livingdrug.models.unified.acute_phase`,
:mod:`~livingdrug.models.unified.encephalopathy` and :mod:`~livingdrug.models.unified.antagonists`. These read the
courses of CAR T cells and tumour and never feed back on them: whoever does not ask about toxicity does not pay for it
and gets the same course. What a drug against toxicity does to CAR T cells is an event
(:data:`~livingdrug.models.unified.interventions.TOXICITY_LEVERS`).
"""

from collections.abc import Mapping
from typing import Any

from livingdrug.core.model import Model, Quantity
from livingdrug.models.unified import (
    acute_phase,
    antagonists,
    antigen,
    cart,
    cytokines,
    drugs,
    encephalopathy,
    environment,
    extinction,
)
from livingdrug.models.unified import observe as unified_observe
from livingdrug.models.unified.model import UNIFIED

OUTPUTS = (
    Quantity("il6", "pg/mL", "interleukin-6 in serum"),
    Quantity("interferon_gamma", "pg/mL", "interferon gamma in serum"),
    Quantity("il10", "pg/mL", "interleukin-10 in serum"),
    Quantity("crp", "mg/L", "C-reactive protein"),
    Quantity("ferritin", "ng/mL", "ferritin"),
    Quantity("temperature", "Cel", "body temperature without antipyretics"),
    Quantity("systolic_bp", "mmHg", "systolic blood pressure without vasopressors"),
    Quantity("spo2", "%", "oxygen saturation in room air"),
    Quantity("ice_score", "score", "ICE score, not rounded"),
)


def compute_signal(y: Any, p: Any) -> cytokines.Signal:
    """Return what CAR T cells, tumour and drugs tell the myeloid cells."""
    families = extinction.compute_families(y, p)
    shown = extinction.compute_shown(y, p, families, extinction.compute_alive(families, p))
    burden = shown[0] + shown[1] + shown[2]
    killers = cart.compute_killers(y, p)
    hazard = antigen.compute_hazard(
        p, killers=killers, permission=environment.compute_kill_permission(y), burden=burden
    )
    kills = tuple(hazard * efficiency for efficiency in antigen.compute_killing(p))
    drive = antigen.compute_drive(shown, y, p)
    contact, secretion = cytokines.compute_contact(y, p, killers=killers, drive=drive, burden=burden)
    return cytokines.Signal(
        contact=contact,
        secretion=secretion,
        flux=kills[0] * shown[0] + kills[1] * shown[1] + kills[2] * shown[2],
        occupancy=antagonists.compute_occupancy(y, p),
        free=antagonists.compute_block(y, p),
        steroid=drugs.compute_steroid(y, p),
    )


def rhs(day: Any, y: Any, p: Any) -> Mapping[str, Any]:
    """Return rates of change. Floats or symbols in, the same kind out."""
    signal = compute_signal(y, p)
    acting_1 = y.interleukin_1 * signal.free
    return {
        **UNIFIED.rhs(day, y, p),
        **cytokines.compute_rates(y, p, signal),
        **acute_phase.compute_rates(y, p, acting_6=cytokines.compute_acting_6(y, signal.occupancy), acting_1=acting_1),
        **encephalopathy.compute_rates(y, p, acting_1=acting_1, steroid=signal.steroid),
        **antagonists.compute_rates(y, p),
    }


def initial(p: Any) -> Mapping[str, Any]:
    """Return the states at infusion (day 0)."""
    resting = acute_phase.compute_initial(p)
    return {
        **UNIFIED.initial(p),
        **cytokines.compute_initial(p),
        **resting,
        **encephalopathy.compute_initial(p, vessels=resting["vessels"]),
    }


def observe(day: Any, y: Any, p: Any) -> Mapping[str, Any]:
    """Return every output."""
    return {
        **unified_observe.observe(day, y, p),
        "il6": y.interleukin_6,
        "interferon_gamma": y.interferon + p.interferon_0,
        "il10": y.interleukin_10 + p.interleukin_10_0,
        **acute_phase.observe(y, p),
        **encephalopathy.observe(y, p),
    }


UNIFIED_TOXICITY = Model(
    name="unified_toxicity",
    states=(
        *UNIFIED.states,
        *cytokines.STATES,
        *acute_phase.STATES,
        *encephalopathy.STATES,
        *antagonists.STATES,
    ),
    parameters=(
        *UNIFIED.parameters,
        *cytokines.PARAMETERS,
        *acute_phase.PARAMETERS,
        *encephalopathy.PARAMETERS,
        *antagonists.PARAMETERS,
    ),
    outputs=(*UNIFIED.outputs, *OUTPUTS),
    rhs=rhs,
    initial=initial,
    observe=observe,
    source="design",
)
