"""Sliders with their answers: the frames, one answer for each position, and the table for those who do not slide."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from livingdrug.report.page import read_template
from livingdrug.report.tables import Table, tabulate_rows
from livingdrug.report.what_if_frame import Frame, draw_frame, trace_band, trace_line
from livingdrug.report.wording import describe_variable, format_day, format_interval, format_percent
from livingdrug.study.what_if import WhatIf, WhatIfCurve
from livingdrug.study.what_if_grid import WhatIfGrid
from livingdrug.study.what_if_knobs import NEXT_THERAPY, Knob

if TYPE_CHECKING:
    from markupsafe import Markup

HALF = 0.5
LOGARITHMIC = {"car_t_cells": 1e-5, "antigen_density": 1e-3}
"""Variables on a logarithmic axis, and the share of its top that it reaches down to."""


@dataclass(frozen=True, slots=True)
class Slider:
    """One slider: where it may stand, in words, and where it starts."""

    name: str
    label: str
    meaning: str
    words: tuple[str, ...]
    start: int
    positions: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What the template needs."""

    sliders: tuple[Slider, ...]
    drawings: "tuple[Markup, ...]"
    sentence: str
    horizon: str
    table: Table
    curves: Table
    answers: "Markup"
    script: "Markup"
    has_converged: bool
    draws: int


def choose_frames(answers: Sequence[WhatIf], horizon: float) -> tuple[Frame, ...]:
    """Choose axes on which every answer fits."""
    frames = []
    for k, curve in enumerate(answers[0].curves):
        top = max(float(np.max(answer.curves[k].upper)) for answer in answers)
        if curve.variable == "progression":
            frames.append(Frame(curve.variable, "Progressed by this day (probability)", horizon, 0.0, 1.0))
        elif curve.variable in LOGARITHMIC and top > 0:
            frames.append(
                Frame(
                    curve.variable,
                    _write_title(curve),
                    horizon,
                    top * LOGARITHMIC[curve.variable],
                    2 * top,
                    is_log=True,
                )
            )
        else:
            frames.append(Frame(curve.variable, _write_title(curve), horizon, 0.0, 1.05 * (top or 1.0)))
    return tuple(frames)


def _write_title(curve: WhatIfCurve) -> str:
    unit = "" if curve.unit in {"", "1"} else f" ({curve.unit})"
    return f"{describe_variable(curve.variable).label}{unit}"


def find_median_day(answer: WhatIf) -> float | None:
    """Return the first day by which progression is as probable as not, or None."""
    reached = np.flatnonzero(answer.curves[0].median >= HALF)
    return float(answer.days[reached[0]]) if len(reached) else None


def write_answer(answer: WhatIf, as_it_was: WhatIf, horizon: float) -> str:
    """Say the answer in one sentence.

    A difference is said only where there is one; the draws are the same on both sides.
    """
    chance = format_interval(answer.failure, answer.lower, answer.upper)
    first = f"Probability of failure by {format_day(horizon)}: {chance}"
    if answer is as_it_was or not answer.knobs:
        first += ", as it was"
    else:
        first += f"; as it was: {format_percent(as_it_was.failure)}"
    return f"{first}. {_say_when(answer)}."


def _say_when(answer: WhatIf) -> str:
    day = find_median_day(answer)
    if day is None:
        return "Progression stays less probable than not"
    return f"Progression is more probable than not from {format_day(day)}"


def describe_answer(answer: WhatIf, as_it_was: WhatIf, frames: Sequence[Frame], horizon: float) -> dict[str, Any]:
    """Return an answer as a script needs it: one sentence, and the paths of each plot."""
    return {
        "text": write_answer(answer, as_it_was, horizon),
        "band": [trace_band(f, answer.days, c.lower, c.upper) for f, c in zip(frames, answer.curves, strict=True)],
        "line": [trace_line(f, answer.days, c.median) for f, c in zip(frames, answer.curves, strict=True)],
    }


def write_position(knob: Knob, position: float) -> str:
    """Say where a slider stands."""
    if knob.name == NEXT_THERAPY:
        return format_day(position) if position else "none"
    return "as it was" if position == knob.neutral else f"{position:g} times"


def draw_frames(frames: Sequence[Frame], answer: WhatIf, *, mark: float | None = None) -> "tuple[Markup, ...]":
    """Draw every plot with one answer in it."""
    from markupsafe import Markup

    return tuple(
        Markup(
            draw_frame(
                frame,
                trace_band(frame, answer.days, curve.lower, curve.upper),
                trace_line(frame, answer.days, curve.median),
                mark=mark,
            )
        )
        for frame, curve in zip(frames, answer.curves, strict=True)
    )


def list_sliders(knobs: Sequence[Knob]) -> tuple[Slider, ...]:
    """Describe the sliders."""
    return tuple(
        Slider(
            knob.name,
            knob.label,
            knob.meaning,
            tuple(write_position(knob, position) for position in knob.positions),
            knob.positions.index(knob.neutral),
            knob.positions,
        )
        for knob in knobs
    )


def tabulate_grid(grid: WhatIfGrid) -> Table:
    """List every position with its answer."""
    rows = []
    for knob, answers in grid.answers:
        for position, answer in zip(knob.positions, answers, strict=True):
            rows.append(
                {
                    "what_is_changed": knob.label,
                    "to": write_position(knob, position),
                    "probability_of_failure": format_interval(answer.failure, answer.lower, answer.upper),
                    "when": _say_when(answer),
                }
            )
    return tabulate_rows(rows, caption="Every position of every slider")


def tabulate_curves(answer: WhatIf) -> Table:
    """List the curves of one answer by day: the values behind the plots."""
    rows = [
        {"variable": c.variable, "unit": c.unit, "day": day, "lower": low, "median": middle, "upper": high}
        for c in answer.curves
        for day, low, middle, high in zip(
            answer.days.tolist(), c.lower.tolist(), c.median.tolist(), c.upper.tolist(), strict=True
        )
    ]
    return tabulate_rows(rows, caption="Values behind these plots, as it was")


def prepare_section(grid: WhatIfGrid, *, mark: float | None = None) -> Section:
    """Prepare the sliders of a report, with all their answers inside.

    Parameters
    ----------
    mark : float, optional [day]
        Day of failure, drawn in each plot.
    """
    from markupsafe import Markup

    horizon = grid.start.horizon
    frames = choose_frames(grid.all_answers, horizon)
    answers = {
        knob.name: [describe_answer(answer, grid.as_it_was, frames, horizon) for answer in row]
        for knob, row in grid.answers
    }
    words = json.dumps({"frames": [frame.name for frame in frames], "answers": answers}, separators=(",", ":"))
    return Section(
        sliders=list_sliders([knob for knob, _ in grid.answers]),
        drawings=draw_frames(frames, grid.as_it_was, mark=mark),
        sentence=write_answer(grid.as_it_was, grid.as_it_was, horizon),
        horizon=format_day(horizon),
        table=tabulate_grid(grid),
        curves=tabulate_curves(grid.as_it_was),
        answers=Markup(words.replace("<", "\\u003c")),
        script=Markup(read_template("what_if.js")),
        has_converged=grid.start.is_converged,
        draws=grid.as_it_was.draws,
    )
