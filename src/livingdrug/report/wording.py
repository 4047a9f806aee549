"""How the record's words are shown to a reader: labels, axes, numbers.

Examples
--------
>>> describe_variable("m_protein").label, describe_variable("new_marker").label
('Serum M-protein', 'New marker')
>>> format_number(12345.678), format_number(0.0004567), format_number(4.5e8), format_number(None)
('12,300', '0.000457', '4.5 × 10⁸', '–')
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

Scale = Literal["linear", "log"]
Panel = Literal["car_t", "tumour", "other"]


@dataclass(frozen=True, slots=True)
class VariableWords:
    """What a measured variable is called, how its axis runs, and in which figure it belongs."""

    label: str
    scale: Scale
    panel: Panel


VARIABLES = {
    "car_transgene": VariableWords("CAR transgene in blood", "log", "car_t"),
    "car_t_cells": VariableWords("CAR T cells in blood", "log", "car_t"),
    "m_protein": VariableWords("Serum M-protein", "linear", "tumour"),
    "urine_m_protein": VariableWords("Urine M-protein", "linear", "tumour"),
    "flc_kappa": VariableWords("Free light chain kappa", "log", "tumour"),
    "flc_lambda": VariableWords("Free light chain lambda", "log", "tumour"),
    "flc_involved": VariableWords("Involved free light chain", "log", "tumour"),
    "flc_uninvolved": VariableWords("Uninvolved free light chain", "log", "tumour"),
    "sbcma": VariableWords("Soluble BCMA", "log", "tumour"),
    "marrow_plasma_cells": VariableWords("Plasma cells in marrow", "linear", "tumour"),
    "marrow_blasts": VariableWords("Blasts in marrow", "linear", "tumour"),
    "mrd": VariableWords("Measurable residual disease", "log", "tumour"),
    "tumour_spd": VariableWords("Sum of products of lesion diameters", "linear", "tumour"),
    "metabolic_tumour_volume": VariableWords("Metabolic tumour volume", "linear", "tumour"),
    "tumour_volume": VariableWords("Tumour volume", "linear", "tumour"),
    "target_lesion_sum": VariableWords("Sum of target lesions", "linear", "tumour"),
    "plasmacytoma_spd": VariableWords("Plasmacytoma, sum of products", "linear", "tumour"),
    "b_cells": VariableWords("B cells in blood", "log", "other"),
    "antigen_positive_fraction": VariableWords("Antigen-positive tumour cells", "linear", "other"),
    "antigen_density": VariableWords("Antigen density", "log", "other"),
    "pd1_tim3_fraction": VariableWords("CAR T cells with PD-1 and TIM-3", "linear", "other"),
    "crp": VariableWords("C-reactive protein", "log", "other"),
    "ferritin": VariableWords("Ferritin", "log", "other"),
    "il6": VariableWords("Interleukin 6", "log", "other"),
}

DISEASES = {
    "myeloma": "multiple myeloma",
    "lbcl": "large B-cell lymphoma",
    "b_all": "B-cell acute lymphoblastic leukaemia",
    "mcl": "mantle cell lymphoma",
}

PRODUCTS = {
    "ide_cel": "idecabtagene vicleucel",
    "cilta_cel": "ciltacabtagene autoleucel",
    "axi_cel": "axicabtagene ciloleucel",
    "tisa_cel": "tisagenlecleucel",
    "liso_cel": "lisocabtagene maraleucel",
    "brexu_cel": "brexucabtagene autoleucel",
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

NOTHING = "–"
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def spell(name: str) -> str:
    """Turn a name of the code into words: ``antigen_low`` becomes ``Antigen low``."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def describe_variable(variable: str) -> VariableWords:
    """Return the words for a variable; an unknown one is spelled out and shown among the others."""
    return VARIABLES.get(variable.partition(":")[0]) or VariableWords(spell(variable), "linear", "other")


def describe_event(kind: str) -> str:
    """Return the words for a type of event."""
    return EVENTS.get(kind) or spell(kind)


def describe_reason(name: str) -> str:
    """Return the words for a mechanism or a group of mechanisms.

    >>> describe_reason("antigen_low"), describe_reason("quantity")
    ('Antigen low', 'Number of CAR T cells')
    """
    return GROUPS.get(name) or spell(name)


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
    """Write a probability as whole percent, or a dash; small but possible is never shown as 0.

    >>> format_percent(0.617), format_percent(0.004), format_percent(float("nan"))
    ('62 %', '<1 %', '–')
    """
    if probability is None or not math.isfinite(probability):
        return NOTHING
    if 0 < probability < 0.01:
        return "<1 %"
    if 0.99 < probability < 1:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def format_day(day: float | None) -> str:
    """Write a day, or a dash."""
    return NOTHING if day is None or not math.isfinite(day) else f"day {day:g}"
