"""Figures that check a model: measurements within their predictive intervals, and stated against observed chances."""

from typing import Any

import polars as pl

from livingdrug.report import palette
from livingdrug.report.figures import MAX_PANELS, Figure, configure
from livingdrug.report.wording import describe_variable

INSIDE, OUTSIDE, BELOW = "within the interval", "outside", "below the limit of quantification"
LEVEL = 0.9
WIDTH, SIDE = 560, 300


def draw_predictive_check(predictive: pl.DataFrame) -> Figure | None:
    """Draw each measurement beside the 90 % interval that the fitted model would give again.

    Parameters
    ----------
    predictive : table
        ``variable, day, observed, censored, lower, median, upper``.

    Returns
    -------
    figure : Figure or None
        None where nothing was fitted.
    """
    if predictive.is_empty():
        return None
    is_below = pl.col("censored") == "left"
    is_inside = pl.col("observed").is_between("lower", "upper")
    within = pl.when(is_below).then(pl.col("lower") <= pl.col("observed")).otherwise(is_inside)
    shown = pl.when(within).then(pl.when(is_below).then(pl.lit(BELOW)).otherwise(pl.lit(INSIDE)))
    table = predictive.with_columns(what=shown.otherwise(pl.lit(OUTSIDE)))
    counts = table.group_by("variable").len().sort("len", "variable", descending=[True, False])
    panels = [
        _panel(table.filter(pl.col("variable") == name), name) for name in counts["variable"].to_list()[:MAX_PANELS]
    ]
    inside = int((table["what"] != OUTSIDE).sum())
    caption = (
        f"{inside} of {len(table)} measurements ({100 * inside / len(table):.0f} %) lie within their 90 % intervals, "
        "noise included; about 90 % would if model and noise are right. A value below its limit counts as within "
        "where the interval reaches below the limit."
    )
    spec = {"vconcat": panels, "spacing": 14, "resolve": {"legend": {"shape": "shared", "fill": "shared"}}}
    return Figure("predictive-check", "Predictive check", caption, configure(spec), table)


def _panel(own: pl.DataFrame, name: str) -> dict[str, Any]:
    words = describe_variable(name)
    columns = ("observed", "lower", "median", "upper")
    finite = own.filter(pl.all_horizontal(pl.col(columns).is_finite()))
    is_log = words.scale == "log" and not finite.is_empty() and finite["upper"].min() > 0  # type: ignore[operator]
    scale: dict[str, Any] = {"zero": False, "nice": True}
    if is_log:
        floor = float(finite["observed"].filter(finite["observed"] > 0).min() or 1.0) / 10  # type: ignore[arg-type]
        finite = finite.with_columns(pl.col(columns).clip(lower_bound=floor))
        scale = {"type": "log", "nice": True}
    axis = {"tickCount": 4, "minExtent": 58, "format": ",.4~g"}
    y = {"type": "quantitative", "title": None, "scale": scale, "axis": axis}
    x = {"field": "day", "type": "quantitative", "title": "days after infusion"}
    kinds, what = [INSIDE, BELOW, OUTSIDE], {"field": "what", "type": "nominal"}
    shape = {**what, "scale": {"domain": kinds, "range": ["circle", palette.SHAPE_BELOW_LIMIT, "diamond"]}}
    fill = {**what, "scale": {"domain": kinds, "range": [palette.INK, palette.PAPER, palette.ORANGE]}}
    return {
        "width": WIDTH,
        "height": 110,
        "title": {"text": words.label, "anchor": "start", "fontSize": 12},
        "data": {"values": finite.select("day", "what", *columns).to_dicts()},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.3, "color": palette.BLUE},
                "encoding": {"x": x, "y": {"field": "lower", **y}, "y2": {"field": "upper"}},
            },
            {
                "mark": {"type": "point", "size": 34, "opacity": 1, "stroke": palette.INK, "strokeWidth": 0.8},
                "encoding": {"x": x, "y": {"field": "observed", **y}, "shape": shape, "fill": fill},
            },
        ],
    }


def draw_calibration(
    table: pl.DataFrame, *, title: str = "Calibration", of: str = "the stated reason"
) -> Figure | None:
    """Draw stated chances against how often they came true; on the diagonal both are the same.

    Parameters
    ----------
    table : table
        See :func:`livingdrug.study.reliability.tabulate_reliability`.
    of : str
        What the chances are of.
    """
    if table.is_empty():
        return None
    percent = {"labelExpr": "format(100 * datum.value, 'd') + ' %'", "values": [0, 0.25, 0.5, 0.75, 1]}
    unit = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": percent}
    x = {"field": "stated", **unit, "title": f"Stated chance of {of}"}
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "axis": percent, "title": "How often it was so"}
    ends = [{"stated": 0, "observed": 0}, {"stated": 1, "observed": 1}]
    diagonal = {"type": "line", "strokeDash": list(palette.DASH_THRESHOLD), "color": palette.MUTED}
    along = {"x": x, "y": {"field": "observed", **y}}
    size = {"field": "count", "type": "quantitative", "legend": None, "scale": {"range": [40, 260]}}
    layers: list[dict[str, Any]] = [
        {"data": {"values": ends}, "mark": diagonal, "encoding": along},
        {
            "mark": {"type": "rule", "color": palette.BLUE, "strokeWidth": 2},
            "encoding": {"x": x, "y": {"field": "lower", **y}, "y2": {"field": "upper"}},
        },
        {
            "mark": {"type": "point", "filled": True, "color": palette.BLUE, "opacity": 1},
            "encoding": {**along, "size": size},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 9, "fontSize": 11},
            "encoding": {**along, "text": {"field": "count"}},
        },
    ]
    n = int(table["count"].sum())
    gap = float((table["count"] * (table["stated"] - table["observed"]).abs()).sum()) / n
    caption = (
        f"{n} statements in {len(table)} groups of about the same chance; the numbers are how many. On average the "
        f"stated chance is {100 * gap:.0f} points from how often it was so. Lines are exact 95 % intervals."
    )
    spec = {"width": SIDE, "height": SIDE, "data": {"values": table.to_dicts()}, "layer": layers}
    return Figure("calibration", title, caption, configure(spec), table)
