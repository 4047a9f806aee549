"""How the record's words are shown to a reader: labels, axes, numbers.

Examples
--------
>>> describe_variable("m_protein").label, describe_variable("new_marker").label
('Serum M-protein, electrophoresis', 'New marker')
>>> format_number(12345.678), format_number(0.0004567), format_number(4.5e8), format_number(None)
('12,300', '0.000457', '4.5 × 10⁸', '–')
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from livingdrug.core.variables import VARIABLES
from livingdrug.explain.words import MECHANISMS

Scale = Literal["linear", "log"]
Panel = Literal["car_t", "tumour", "other"]


@dataclass(frozen=True, slots=True)
class VariableWords:
    """What a measured variable is called, how its axis runs, and in which figure it belongs."""

    label: str
    scale: Scale
    panel: Panel


CAR_T = {"car_transgene", "car_t_cells"}
TUMOUR = {
    *("m_protein", "urine_m_protein", "flc_kappa", "flc_lambda", "flc_involved", "flc_uninvolved", "sbcma"),
    *("marrow_plasma_cells", "marrow_blasts", "circulating_plasma_cells", "mrd"),
    *("tumour_spd", "tumour_volume", "metabolic_tumour_volume", "target_lesion_sum", "plasmacytoma_spd"),
}
LOGARITHMIC = {
    *("car_transgene", "car_t_cells", "b_cells", "flc_kappa", "flc_lambda", "flc_involved", "flc_uninvolved"),
    *("sbcma", "mrd", "circulating_plasma_cells", "antigen_density", "crp", "ferritin", "il6"),
}
"""What spans decades is drawn on a logarithmic axis."""

MODEL_WORDS = {
    "flc_involved": "involved serum free light chain",
    "flc_uninvolved": "uninvolved serum free light chain",
}
"""Outputs of the model that no record holds under this name."""

DISEASES = {
    "myeloma": "multiple myeloma",
    "lbcl": "large B-cell lymphoma",
    "b_all": "B-cell acute lymphoblastic leukaemia",
    "mcl": "mantle cell lymphoma",
    "cll": "chronic lymphocytic leukaemia",
    "follicular": "follicular lymphoma",
    "solid": "a solid tumour",
}

PRODUCTS = {
    "ide_cel": "idecabtagene vicleucel",
    "cilta_cel": "ciltacabtagene autoleucel",
    "axi_cel": "axicabtagene ciloleucel",
    "tisa_cel": "tisagenlecleucel",
    "liso_cel": "lisocabtagene maraleucel",
    "brexu_cel": "brexucabtagene autoleucel",
    "obe_cel": "obecabtagene autoleucel",
    "other": "another CAR T-cell product",
}

EVENTS = {
    "car_t": "CAR T-cell infusion",
    "second_infusion": "Second CAR T-cell infusion",
    "next_therapy": "Next therapy",
}

GROUPS = {
    "quantity": "Number of CAR T cells",
    "quality": "Quality of CAR T cells",
    "antigen": "Target antigen",
    "environment": "Environment of the tumour",
    "tumour": "The tumour itself",
    "treatment": "Treatment",
}

SHORT = {"suppression": "Suppression"}
"""Mechanisms whose words are too long for a label."""

NOTHING = "–"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def spell(name: str) -> str:
    """Turn a name of the code into words: ``antigen_low`` becomes ``Antigen low``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def describe_variable(variable: str) -> VariableWords:
    """Return the words for a variable; one that the vocabulary does not know is spelled out."""
    name = variable.partition(":")[0]
    meaning = VARIABLES[name].meaning if name in VARIABLES else MODEL_WORDS.get(name, name)
    panel: Panel = "car_t" if name in CAR_T else "tumour" if name in TUMOUR else "other"
    return VariableWords(spell(meaning), "log" if name in LOGARITHMIC else "linear", panel)


def describe_event(kind: str) -> str:
    """Return the words for a type of event."""
    return EVENTS.get(kind) or spell(kind)


def describe_reason(name: str) -> str:
    """Return the words for a mechanism or a group of mechanisms.

    >>> describe_reason("persistence"), describe_reason("quantity")
    ('Lost persistence', 'Number of CAR T cells')
    """
    return GROUPS.get(name) or SHORT.get(name) or spell(MECHANISMS.get(name, name).removeprefix("a "))


def describe_direction(direction: str | None, mechanism: str | None) -> str:
    """Say for or against which reason a finding speaks.

    >>> describe_direction("for", "antigen_low"), describe_direction("against", None)
    ('for antigen-low escape', 'against')
    """
    words = describe_reason(mechanism) if mechanism else ""
    return " ".join(part for part in (direction or "", words[:1].lower() + words[1:]) if part)


def format_number(value: float | None) -> str:
    """Write a number with three significant digits, or a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    magnitude = abs(value)
    if magnitude >= 1e7 or magnitude < 1e-4:
        digits, _, exponent = f"{value:.2e}".partition("e")
        return f"{float(digits):g} × 10{str(int(exponent)).translate(_RAISED)}"
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if magnitude >= 100 else f"{rounded:g}"


def format_cell(value: Any) -> str:
    """Write a table cell: numbers rounded, lists joined, missing values as a dash."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value}"
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, list | tuple):
        return ", ".join(format_cell(item) for item in value) or NOTHING
    return str(value)


def format_percent(probability: float | None) -> str:
    """Write a probability as whole percent, or a dash; a limited number of draws never shows 0 or 100.

    >>> format_percent(0.617), format_percent(0.0), format_percent(float("nan"))
    ('62 %', '<1 %', '–')
    """
    if probability is None or not math.isfinite(probability):
        return NOTHING
    if probability < 0.01:
        return "<1 %"
    if probability > 0.99:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def format_interval(probability: float, lower: float, upper: float) -> str:
    """Write a probability with its interval, or once where all three read alike.

    >>> format_interval(0.6, 0.4, 0.8), format_interval(0.002, 0.0, 0.004)
    ('60 % (40 % to 80 %)', '<1 %')
    """
    middle, low, high = (format_percent(value) for value in (probability, lower, upper))
    return middle if middle == low == high else f"{middle} ({low} to {high})"


def format_day(day: float | None) -> str:
    """Write a day, or a dash."""
    return NOTHING if day is None or not math.isfinite(day) else f"day {day:g}"
