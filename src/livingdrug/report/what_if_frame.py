"""A small plot whose axes stand still while its curve moves: axes as SVG once, a curve as path data.

The same frame serves the slider of a report, whose curves are computed beforehand, and that of the web
page, whose curves come from the server.
"""

import math
from dataclasses import dataclass
from html import escape

import numpy as np

from livingdrug.report import palette

WIDTH, HEIGHT = 360, 210
LEFT, RIGHT, TOP, BOTTOM = 56, 10, 26, 34
TICKS = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """What a plot shows and over which values.

    Parameters
    ----------
    name : str
        Of the variable; the ids inside the SVG begin with it.
    title : str
    last : float [day]
    low, high : float
    is_log : bool
    """

    name: str
    title: str
    last: float
    low: float
    high: float
    is_log: bool = False

    def place(self, values: np.ndarray) -> np.ndarray:
        """Return the height of values in the drawing, clipped to the frame."""
        bounded = np.clip(values, self.low, self.high)
        ends = np.array([self.low, self.high])
        if self.is_log:
            bounded, ends = np.log10(bounded), np.log10(ends)
        share = (bounded - ends[0]) / (ends[1] - ends[0])
        return np.asarray(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP))

    def stretch(self, days: np.ndarray) -> np.ndarray:
        """Return the place of days along the drawing."""
        return np.asarray(LEFT + days / self.last * (WIDTH - LEFT - RIGHT))


def trace_line(frame: Frame, days: np.ndarray, values: np.ndarray) -> str:
    """Return the path of a line.

    Examples
    --------
    >>> trace_line(Frame("x", "x", 10.0, 0.0, 1.0), np.array([0.0, 10.0]), np.array([0.0, 1.0]))
    'M56,176L350,26'
    """
    return "M" + "L".join(_list_points(frame, days, values))


def trace_band(frame: Frame, days: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> str:
    """Return the path of the area between two lines."""
    there, back = _list_points(frame, days, lower), _list_points(frame, days[::-1], upper[::-1])
    return "M" + "L".join([*there, *back]) + "Z"


def _list_points(frame: Frame, days: np.ndarray, values: np.ndarray) -> list[str]:
    return [f"{x:g},{y:g}" for x, y in zip(frame.stretch(days).round(1), frame.place(values).round(1), strict=True)]


def choose_ticks(frame: Frame) -> list[float]:
    """Return round values along the upright axis: whole decades, or steps of 1, 2 or 5.

    >>> choose_ticks(Frame("x", "x", 10.0, 0.0, 3.2))
    [0.0, 1.0, 2.0, 3.0]
    >>> choose_ticks(Frame("x", "x", 10.0, 0.5, 2000.0, is_log=True))
    [1.0, 10.0, 100.0, 1000.0]
    """
    if frame.is_log:
        decades = range(math.ceil(math.log10(frame.low)), math.floor(math.log10(frame.high)) + 1)
        return [10.0**k for k in decades]
    return _list_round(frame.low, frame.high)


def _list_round(low: float, high: float) -> list[float]:
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(k * step, 10) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def draw_frame(frame: Frame, band: str, line: str, *, mark: float | None = None) -> str:
    """Return the plot as SVG with a curve in it; ``band-`` and ``line-`` and the name are the ids of its paths.

    Parameters
    ----------
    mark : float, optional [day]
        Where an upright line stands: the day of failure.
    """
    inner_right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<svg role="img" aria-label="{escape(frame.title)}" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="system-ui, sans-serif" font-size="11" fill="{palette.MUTED}">',
        f'<text x="4" y="14" font-size="12.5" font-weight="600" fill="{palette.INK}">{escape(frame.title)}</text>',
    ]
    for tick in choose_ticks(frame):
        y = float(frame.place(np.array([tick]))[0])
        parts.append(f'<path d="M{LEFT},{y:.1f}H{inner_right}" stroke="#e6e6e0" fill="none"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_write_tick(tick, frame)}</text>')
    for day in _list_round(0.0, frame.last):
        x = float(frame.stretch(np.array([day]))[0])
        parts.append(f'<text x="{x:.1f}" y="{floor + 15}" text-anchor="middle">{day:g}</text>')
    parts.append(f'<text x="{(LEFT + inner_right) / 2:.0f}" y="{HEIGHT - 4}" text-anchor="middle">days</text>')
    if mark is not None and 0 <= mark <= frame.last:
        x = float(frame.stretch(np.array([mark]))[0])
        parts.append(f'<path d="M{x:.1f},{TOP}V{floor}" stroke="{palette.ORANGE}" stroke-dasharray="4 3" fill="none"/>')
    ghost = f'stroke="{palette.INK}" stroke-width="1.2" stroke-dasharray="2 3" fill="none"'
    parts.append(f'<path id="band-{frame.name}" d="{band}" fill="{palette.BLUE}" fill-opacity="0.2"/>')
    parts.append(f'<path d="{line}" {ghost}/>')
    parts.append(f'<path id="line-{frame.name}" d="{line}" stroke="{palette.BLUE}" stroke-width="2" fill="none"/>')
    parts.append(f'<path d="M{LEFT},{TOP}V{floor}H{inner_right}" stroke="#888" fill="none"/></svg>')
    return "".join(parts)


def _write_tick(tick: float, frame: Frame) -> str:
    if frame.name == "progression":
        return f"{100 * tick:.0f} %"
    return f"{tick:,.0f}" if tick >= 1 else f"{tick:g}"
