"""One panel of a course: a variable over days with its band, limits, thresholds and marked days."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from livingdrug.report import palette
from livingdrug.report.wording import describe_variable

HEIGHT = 170
MAX_BAND_DAYS = 160
MEASURED = "measured"
BELOW = "below the limit of quantification"


class Span(NamedTuple):
    """First and last day of an axis."""

    first: float
    last: float


def _collect_points(observations: pl.DataFrame) -> list[dict[str, Any]]:
    """List what to draw as points; a value below its limit stands at the limit."""
    points = []
    for row in observations.iter_rows(named=True):
        is_below = row.get("censored") == "left"
        value = row["lloq"] if is_below and row.get("lloq") is not None else row["value"]
        if value is not None and math.isfinite(value):
            points.append({"day": row["day"], "value": value, "what": BELOW if is_below else MEASURED})
    return points


def _thin(bands: pl.DataFrame) -> list[dict[str, Any]]:
    """Keep at most ``MAX_BAND_DAYS`` days of a band, the first and last among them."""
    rows = bands.select("day", "lower", "median", "upper").drop_nulls().sort("day").to_dicts()
    if len(rows) <= MAX_BAND_DAYS:
        return rows
    step = (len(rows) - 1) / (MAX_BAND_DAYS - 1)
    return [rows[round(i * step)] for i in range(MAX_BAND_DAYS)]


def _compute_scale(
    variable: str, points: list[dict[str, Any]], band: list[dict[str, Any]], lines: list[float]
) -> dict[str, Any]:
    """Choose the axis: from zero on a linear scale; a decade below what can be measured on a logarithmic one."""
    tops = [p["value"] for p in points] + [b["upper"] for b in band] + lines
    top = max([value for value in tops if math.isfinite(value)], default=1.0) or 1.0
    if describe_variable(variable).scale == "linear" or top <= 0:
        return {"type": "linear", "domain": [0, 1.08 * top], "nice": False}
    seen = [value for value in (*(p["value"] for p in points), *lines) if value > 0]
    floor = min(seen) / 3 if seen else top * 1e-4
    lowest = min([b["lower"] for b in band if b["lower"] > 0], default=floor)
    return {"type": "log", "domain": [max(min(lowest, floor), floor / 4), 1.5 * top], "nice": False}


def _lift(band: list[dict[str, Any]], floor: float) -> list[dict[str, Any]]:
    """Raise what a logarithmic axis cannot show to below its floor, where it is clipped."""
    names = ("lower", "median", "upper")
    return [{"day": row["day"], **{name: max(row[name], floor / 10) for name in names}} for row in band]


def _layer_band(band: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any]) -> list[dict[str, Any]]:
    data = {"values": band}
    area = {"type": "area", "color": palette.BLUE, "opacity": 0.2, "clip": True}
    line = {"type": "line", "color": palette.BLUE, "strokeWidth": 1.8, "clip": True}
    across = {"x": x, "y": {"field": "lower", **y}, "y2": {"field": "upper"}}
    along = {"x": x, "y": {"field": "median", **y}}
    return [{"data": data, "mark": area, "encoding": across}, {"data": data, "mark": line, "encoding": along}]


def _layer_prior(
    prior: pl.DataFrame, x: dict[str, Any], y: dict[str, Any], floor: float | None
) -> list[dict[str, Any]]:
    """Draw what was expected before the record was read: a pale area with dotted edges, behind everything."""
    rows = _thin(prior)
    if not rows:
        return []
    data = {"values": rows if floor is None else _lift(rows, floor)}
    edge = {"type": "line", "color": palette.OLIVE, "strokeWidth": 1.2, "strokeDash": [1, 3], "clip": True}
    area = {"type": "area", "color": palette.OLIVE, "opacity": 0.16, "clip": True}
    across = {"x": x, "y": {"field": "lower", **y}, "y2": {"field": "upper"}}
    edges = [{"data": data, "mark": edge, "encoding": {"x": x, "y": {"field": f, **y}}} for f in ("lower", "upper")]
    return [{"data": data, "mark": area, "encoding": across}, *edges]


def _choose_axis(scale: Mapping[str, Any]) -> dict[str, Any]:
    """Tick whole decades where the logarithmic scale has room for them."""
    axis: dict[str, Any] = {"tickCount": 5, "minExtent": 58}
    if scale["type"] == "log":
        axis["format"] = "~g"
        low, high = (math.log10(end) for end in scale["domain"])
        decades = [10.0**k for k in range(math.ceil(low), math.floor(high) + 1)]
        if len(decades) > 1:
            axis["values"] = decades
    return axis


def _layer_level(value: float, label: str, y: dict[str, Any], *, is_limit: bool) -> list[dict[str, Any]]:
    """Draw a horizontal line: limits are named inside the panel, thresholds to its right."""
    data = {"values": [{"level": value, "label": label}]}
    level = {"field": "level", **y}
    dash = palette.DASH_LIMIT if is_limit else palette.DASH_THRESHOLD
    place = {"align": "right", "dx": -4, "dy": -6} if is_limit else {"align": "left", "dx": 5}
    text = {"type": "text", "fontSize": 11, "color": palette.MUTED, **place}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "strokeDash": list(dash), "color": palette.MUTED},
            "encoding": {"y": level},
        },
        {
            "data": data,
            "mark": text,
            "encoding": {"y": level, "x": {"value": "width"}, "text": {"field": "label"}},
        },
    ]


def _layer_marks(marks: Mapping[str, float], x: dict[str, Any]) -> list[dict[str, Any]]:
    """Draw vertical lines for marked days, labelled at the top."""
    values = [{"day": day, "label": label} for label, day in marks.items()]
    text = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "fontSize": 11, "color": palette.ORANGE}
    return [
        {"data": {"values": values}, "mark": {"type": "rule", "color": palette.ORANGE}, "encoding": {"x": x}},
        {
            "data": {"values": values},
            "mark": {**text, "color": palette.BROWN},
            "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "label"}},
        },
    ]


def _layer_points(points: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = [MEASURED, BELOW]  # in every panel: panels share their scale, and the first one would decide for all
    shapes = {MEASURED: palette.SHAPE_MEASURED, BELOW: palette.SHAPE_BELOW_LIMIT}
    fills = {MEASURED: palette.INK, BELOW: palette.PAPER}
    shape = {"domain": kinds, "range": [shapes[kind] for kind in kinds]}
    fill = {"domain": kinds, "range": [fills[kind] for kind in kinds]}
    what = {"field": "what", "type": "nominal"}
    return [
        {
            "data": {"values": points},
            "mark": {"type": "point", "size": 42, "stroke": palette.INK, "strokeWidth": 1.2, "opacity": 1},
            "encoding": {
                "x": x,
                "y": {"field": "value", **y},
                "shape": {**what, "scale": shape},
                "fill": {**what, "scale": fill},
            },
        }
    ]


def draw_panel(
    variable: str,
    observations: pl.DataFrame,
    bands: pl.DataFrame,
    *,
    span: Span,
    marks: Mapping[str, float],
    thresholds: pl.DataFrame | None,
    width: int,
    prior: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """Draw one variable over days.

    Parameters
    ----------
    observations, bands : DataFrame
        The rows of this variable.
    span : Span [day]
    marks : mapping of label to day
    thresholds : DataFrame, optional
        ``value, label``.
    prior : DataFrame, optional
        In the form of ``bands``: what was expected before.

    Returns
    -------
    panel : dict
        A layered Vega-Lite view.
    """
    points, band = _collect_points(observations), _thin(bands)
    limits = sorted({float(v) for v in observations["lloq"].drop_nulls()})
    levels = [] if thresholds is None else thresholds.select("value", "label").rows()
    scale = _compute_scale(variable, points, band, limits + [float(value) for value, _ in levels])
    band = _lift(band, scale["domain"][0]) if scale["type"] == "log" else band
    units = (observations["unit"].to_list() + bands["unit"].to_list()) or [""]
    unit = "" if units[0] in {None, "", "1"} else f" ({units[0]})"
    y = {"type": "quantitative", "scale": scale, "axis": _choose_axis(scale), "title": None}
    days = {"domain": list(span), "nice": False}
    x = {"field": "day", "type": "quantitative", "scale": days, "title": "days after infusion"}
    floor = scale["domain"][0] if scale["type"] == "log" else None
    layers = [] if prior is None else _layer_prior(prior, x, y, floor)
    layers += _layer_band(band, x, y) if band else []
    for limit in limits[:2]:
        has_room = scale["type"] == "log" or limit > 0.1 * scale["domain"][1]
        layers += _layer_level(limit, f"limit of quantification {limit:g}" if has_room else "", y, is_limit=True)
    for value, label in levels:
        layers += _layer_level(float(value), label, y, is_limit=False)
    shown = {label: day for label, day in marks.items() if span.first <= day <= span.last}
    layers += _layer_marks(shown, x) if shown else []
    layers += _layer_points(points, x, y) if points else []
    title = {"text": describe_variable(variable).label + unit, "anchor": "start", "fontSize": 13}
    resolve = {"legend": {"shape": "shared"}}
    return {"width": width, "height": HEIGHT, "title": title, "layer": layers, "resolve": resolve}
