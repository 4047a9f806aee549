"""Values with their provenance, and the one place where they meet a model.

A :class:`Value` says what a number is, in which unit, where it comes from and how it was obtained.
A :class:`ParameterSet` is a named table of them. :func:`bind` joins a set to a model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.model import Model
from livingdrug.core.units import compute_factor

How = Literal["reported", "digitised", "derived", "fitted", "assumed"]


@dataclass(frozen=True, slots=True)
class Spread:
    """How a value varies between patients: ``kind`` is lognormal (``sd`` of the logarithm) or normal."""

    kind: Literal["lognormal", "normal", "logitnormal"]
    sd: float


@dataclass(frozen=True, slots=True)
class Value:
    """One number and what it rests on."""

    value: float
    unit: str
    source: str
    where: str
    how: How
    spread: Spread | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """A named set of values for one model; ``caveat`` says what it does not represent."""

    name: str
    model: str
    caveat: str
    values: Mapping[str, Value]
    disease: str = ""
    product: str = ""
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Names of the values that are assumed rather than measured or fitted."""
        return tuple(name for name, value in self.values.items() if value.how == "assumed")


def bind(model: Model, values: ParameterSet) -> np.ndarray:
    """Check a set against a model and return its typical values in the model's order and units.

    Returns
    -------
    typical : (parameter,)
        Each value converted to the unit that the model declares.

    Raises
    ------
    InputError
        With every name that is missing or unknown and every unit that does not fit.
    """
    faults = [
        Fault(f"{values.name}.{q.name}", "must have a value", "missing", f"add [{q.name}] with unit {q.unit}")
        for q in model.parameters
        if q.name not in values.values
    ]
    faults += [
        Fault(f"{values.name}.{name}", f"must be a parameter of {model.name}", "unknown", "remove or rename it")
        for name in values.values
        if name not in model.parameter_names
    ]
    typical = np.full(len(model.parameters), np.nan)
    for i, quantity in enumerate(model.parameters):
        if quantity.name not in values.values:
            continue
        value = values.values[quantity.name]
        factor = compute_factor(value.unit, quantity.unit)
        if factor is None:
            hint = "convert the value or correct the unit"
            where = f"{values.name}.{quantity.name}.unit"
            faults.append(Fault(where, f"must convert to {quantity.unit}", repr(value.unit), hint))
        else:
            typical[i] = value.value * factor
    if faults:
        raise InputError.from_faults(f"parameter set {values.name}", faults)
    return typical
