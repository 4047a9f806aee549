"""What nobody measured: the make-up of the tumour by its target, and how much of the CAR T cells is exhausted."""

from typing import Any

import polars as pl

from livingdrug.report import palette
from livingdrug.report.figures import Figure, configure
from livingdrug.report.wording import format_percent
from livingdrug.study.beyond_data import CLONES, BeyondData

WIDTH = 640
HEIGHT = 170
COLOURS = (palette.BLUE, palette.OLIVE, palette.ORANGE)
PERCENT = {"labelExpr": "format(100 * datum.value, 'd') + ' %'", "values": [0, 0.25, 0.5, 0.75, 1], "minExtent": 58}


def _axes(last: float) -> tuple[dict[str, Any], dict[str, Any]]:
    days = {"domain": [0, last], "nice": False}
    x = {
        "field": "day",
        "type": "quantitative",
        "scale": days,
        "title": "days after infusion",
        "axis": {"tickCount": 9},
    }
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": PERCENT, "title": None}
    return x, y


def draw_composition(beyond: BeyondData) -> Figure | None:
    """Draw the share of the tumour by what is left of the target, stacked.

    Returns
    -------
    figure : Figure or None
        None where no tumour is left, or nothing was fitted.
    """
    table = beyond.composition.drop_nulls("share")
    if table.is_empty():
        return None
    clones = list(CLONES.values())
    x, y = _axes(beyond.last_day)
    colour = {"field": "clone", "type": "nominal", "scale": {"domain": clones, "range": list(COLOURS)}}
    order = {"field": "place", "type": "quantitative"}
    legend = {"legend": {"symbolType": "square", "columns": 3}}
    places = table.with_columns(place=pl.col("clone").replace_strict(clones, list(range(len(clones)))))
    encoding = {"x": x, "y": {"field": "share", "stack": "zero", **y}, "color": {**colour, **legend}, "order": order}
    mark = {"type": "area", "fillOpacity": 0.6, "line": {"strokeWidth": 1}}
    spec = {"width": WIDTH, "height": HEIGHT, "data": {"values": places.to_dicts()}, "mark": mark, "encoding": encoding}
    said = [_say_change(table.filter(pl.col("clone") == name), name) for name in clones]
    caption = f"Mean over the draws of the fitted model, not a measurement. {'; '.join(said)}."
    return Figure("composition", "Make-up of the tumour by its target", caption, configure(spec), table)


def _say_change(own: pl.DataFrame, name: str) -> str:
    first, last = format_percent(own["share"][0]), format_percent(own["share"][-1])
    return f"{name}: {first} on day {own['day'][0]:g}, {last} on day {own['day'][-1]:g}"


def draw_exhaustion(beyond: BeyondData) -> Figure | None:
    """Draw the share of the CAR T cells that is exhausted, with its band."""
    table = beyond.exhaustion
    if table.is_empty():
        return None
    x, y = _axes(beyond.last_day)
    layers = [
        {
            "mark": {"type": "area", "color": palette.VIOLET, "opacity": 0.2},
            "encoding": {"x": x, "y": {"field": "lower", **y}, "y2": {"field": "upper"}},
        },
        {
            "mark": {"type": "line", "color": palette.VIOLET, "strokeWidth": 1.8},
            "encoding": {"x": x, "y": {"field": "median", **y}},
        },
    ]
    spec = {"width": WIDTH, "height": HEIGHT, "data": {"values": table.to_dicts()}, "layer": layers}
    top = table.sort("median", descending=True).row(0, named=True)
    caption = (
        f"90 % band of the fitted model, not a measurement. The median is highest on day {top['day']:g}: "
        f"{format_percent(top['median'])} ({format_percent(top['lower'])} to {format_percent(top['upper'])})."
    )
    return Figure("exhaustion", "Share of CAR T cells that is exhausted", caption, configure(spec), table)
