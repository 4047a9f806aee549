"""What a reader may turn: the product, the target, the environment, the preparation, the next therapy.

A knob multiplies parameters of this patient, draw by draw, so that what is not known stays not known; at 1
it leaves the patient as fitted. The day of a next therapy is the one knob that adds an event instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from livingdrug.core.errors import Fault, InputError

NEXT_THERAPY = "next_therapy_day"
NEVER = 0.0
"""Position of the next therapy at which none is given."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One thing to change.

    Parameters
    ----------
    name, label, meaning, unit : str
        ``unit`` follows the number: ``"times"`` or ``"day"``.
    positions : tuple of float
        What a slider offers; any number between the first and the last is allowed.
    parameters : tuple of str
        What is multiplied.
    most : float
        The parameters never rise above this.
    neutral : float
        Position that leaves the patient as fitted.
    """

    name: str
    label: str
    meaning: str
    unit: str
    positions: tuple[float, ...]
    parameters: tuple[str, ...] = ()
    most: float = np.inf
    neutral: float = 1.0


MARKERS = ("m_protein_0", "flc_involved_0", "sbcma_0")
"""A larger tumour makes more of each marker."""

KNOBS: tuple[Knob, ...] = (
    Knob(
        "expansion",
        "Expansion of the product",
        "share of infused cells that engraft and multiply, times that of this patient",
        "times",
        (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0),
        ("feng",),
        most=1.0,
    ),
    Knob(
        "potency",
        "Killing by each CAR T cell",
        "rate at which a CAR T cell kills, times that of this patient",
        "times",
        (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0),
        ("gB",),
    ),
    Knob(
        "antigen",
        "Target on the tumour",
        "target molecules on each tumour cell, high and low alike, times those of this patient",
        "times",
        (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0),
        ("antigen_density_high",),
    ),
    Knob(
        "environment",
        "Suppression around the tumour",
        "suppressing cells and signals before treatment, times those of this patient",
        "times",
        (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0),
        ("S0", "G0"),
    ),
    Knob(
        "lymphodepletion",
        "Lymphocytes left by lymphodepletion",
        "the patient's own lymphocytes on day 0, times those after the usual preparation; about 80 is none given",
        "times",
        (0.25, 0.5, 1.0, 3.0, 10.0, 30.0, 80.0),
        ("N0",),
    ),
    Knob(
        "burden",
        "Tumour burden at infusion",
        "tumour cells on day 0, times those of this patient: below 1 as if treated earlier",
        "times",
        (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0),
        ("B0", *MARKERS),
    ),
    Knob(
        NEXT_THERAPY,
        "Day of a next therapy",
        "day on which a next therapy starts that kills tumour cells and CAR T cells alike; 0: none",
        "day",
        (NEVER, 60.0, 120.0, 180.0, 240.0, 300.0, 360.0),
        neutral=NEVER,
    ),
)


def check_knobs(knobs: Mapping[str, float]) -> None:
    """Refuse what is no knob, and positions outside its range.

    Raises
    ------
    InputError
        With every fault.

    Examples
    --------
    >>> check_knobs({"expansion": 2.0})
    >>> check_knobs({"expansion": 20.0})
    Traceback (most recent call last):
    ...
    livingdrug.core.errors.InputError: knobs has 1 fault:
      knobs, expansion: must be from 0.1 to 10, but was 20.0. Hint: move the slider back.
    """
    known = {knob.name: knob for knob in KNOBS}
    faults = []
    for name, value in knobs.items():
        knob = known.get(name)
        if knob is None:
            faults.append(Fault("knobs", f"must be of {', '.join(known)}", repr(name), "correct the name"))
        elif not knob.positions[0] <= value <= knob.positions[-1]:
            span = f"must be from {knob.positions[0]:g} to {knob.positions[-1]:g}"
            faults.append(Fault(f"knobs, {name}", span, f"{value}", "move the slider back"))
    if faults:
        raise InputError.from_faults("knobs", faults)


def turn_knobs(parameters: np.ndarray, names: tuple[str, ...], knobs: Mapping[str, float]) -> np.ndarray:
    """Return the draws with every knob turned.

    Parameters
    ----------
    parameters : (draw, parameter)

    Examples
    --------
    >>> turn_knobs(np.array([[0.3, 2.0]]), ("feng", "gB"), {"expansion": 10.0}).tolist()
    [[1.0, 2.0]]
    """
    changed = parameters.copy()
    for knob in KNOBS:
        factor = knobs.get(knob.name, knob.neutral)
        if factor == knob.neutral:
            continue
        for name in knob.parameters:
            column = names.index(name)
            changed[:, column] = np.minimum(changed[:, column] * factor, knob.most)
    return changed
