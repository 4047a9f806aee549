"""What a clinical event does to the unified model: each lever turns one event into steps on states and parameters.

A step is ``(day, target, action, value)``: add to or multiply a state, or set a parameter from then on.
Whoever runs a protocol is given :data:`LEVERS` and need not know the model. ``p`` are the parameters of
the patient (numbers) or of a whole cohort (arrays). Events before day 0 do nothing: the model starts after
lymphodepletion, with the dose of day 0 as a parameter (:data:`DOSE`).
"""

from collections.abc import Callable, Mapping
from typing import Any

Step = tuple[float, str, str, Any]
Lever = Callable[[float, float | None, float | None, Any], tuple[Step, ...]]
"""``f(day, amount, duration_days, p)``."""

CAR_T = ("cart_infused", "cart_memory", "cart_effector", "cart_recalled", "cart_exhausted")

SECOND = tuple(name.replace("cart", "second", 1) for name in CAR_T)
"""The same states of a second product, in the model with two targets."""

DOSE = "dose"
"""Parameter that holds the cells infused on day 0."""

EXTINCTION_DRAWS = ("extinct_high", "extinct_low", "extinct_negative")
"""Parameters that are exponential draws with mean 1 in a simulated patient."""


def infuse(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:  # noqa: ARG001
    """Infuse CAR T cells; ``amount`` in cells, the first dose again where it is not known."""
    cells = p.dose if amount is None else amount
    return ((day, "cart_infused", "add", cells / p.blood_scale),)


def deplete(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:  # noqa: ARG001
    """Kill host lymphocytes and old CAR T cells alike."""
    return tuple((day, name, "multiply", p.ld_survival) for name in ("host_lymphocytes", *CAR_T))


def give_steroid(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:
    """Give dexamethasone, ``amount`` mg on each day of the course."""
    doses = range(max(1, round(duration or 1)))
    return tuple((day + dose, "dexamethasone", "add", (amount or 0) / p.VD) for dose in doses)


def treat_next(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:  # noqa: ARG001
    """Kill tumour cells and CAR T cells while a next therapy is given."""
    start = ((day, "h_next", "set", p.next_kill), (day, "h_cart", "set", p.next_cart_kill))
    if duration is None:
        return start
    return (*start, (day + duration, "h_next", "set", 0), (day + duration, "h_cart", "set", 0))


def release_checkpoint(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:  # noqa: ARG001
    """Reinvigorate exhausted CAR T cells while PD-1 is inhibited."""
    start = ((day, "vP", "set", p.reinvigoration),)
    return start if duration is None else (*start, (day + duration, "vP", "set", 0))


def block_interleukin_6(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:  # noqa: ARG001
    """Change proliferation as far as was seen under tocilizumab, for as long as a dose acts."""
    end = day + (p.tocilizumab_days if duration is None else duration)
    return ((day, "growth_drug", "set", p.tocilizumab_growth), (end, "growth_drug", "set", 1))


def replace_marrow(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:  # noqa: ARG001
    """Remove every CAR T cell, as the conditioning of an allogeneic transplant does."""
    return tuple((day, name, "multiply", 0) for name in CAR_T)


LEVERS: Mapping[str, Lever] = {
    "car_t": infuse,
    "second_infusion": infuse,
    "lymphodepletion": deplete,
    "corticosteroid": give_steroid,
    "next_therapy": treat_next,
    "radiation": treat_next,
    "checkpoint_inhibitor": release_checkpoint,
    "tocilizumab": block_interleukin_6,
    "transplant": replace_marrow,
}
"""Event type to lever; an event of another type changes nothing in the model."""


def infuse_other(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:  # noqa: ARG001
    """Infuse the second product; ``amount`` in cells, as many as of the first where it is not known."""
    cells = p.dose if amount is None else amount
    return ((day, "second_infused", "add", cells / p.blood_scale),)


def deplete_both(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:
    """Kill host lymphocytes and the CAR T cells of both products."""
    second = ((day, name, "multiply", p.ld_survival) for name in SECOND)
    return (*deplete(day, amount, duration, p), *second)


def replace_marrow_of_both(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:
    """Remove every CAR T cell of both products."""
    return (*replace_marrow(day, amount, duration, p), *((day, name, "multiply", 0) for name in SECOND))


TWO_PRODUCT_LEVERS: Mapping[str, Lever] = {
    **LEVERS,
    "other_car_t": infuse_other,
    "lymphodepletion": deplete_both,
    "transplant": replace_marrow_of_both,
}
"""The levers of the model with two targets."""


def block_receptor(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:
    """Give tocilizumab, ``amount`` in mg/kg, with what it does to proliferation."""
    milligrams = (p.tocilizumab_dose if amount is None else amount) * p.weight
    dose = (day, "tocilizumab", "add", milligrams / p.tocilizumab_volume)
    return (dose, *block_interleukin_6(day, amount, duration, p))


def block_interleukin_1(day: float, amount: float | None, duration: float | None, p: Any) -> tuple[Step, ...]:
    """Give anakinra under the skin, ``amount`` mg on each day of the course."""
    milligrams = p.anakinra_dose if amount is None else amount
    return tuple((day + dose, "anakinra_depot", "add", milligrams) for dose in range(max(1, round(duration or 1))))


TOXICITY_LEVERS: Mapping[str, Lever] = {**LEVERS, "tocilizumab": block_receptor, "anakinra": block_interleukin_1}
"""The levers of the model with toxicity; a corticosteroid acts through dexamethasone, as in the others."""
