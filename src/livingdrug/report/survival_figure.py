"""Kaplan-Meier curves with censoring ticks and, aligned below them, the number at risk."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from livingdrug.clinical.survival import compute_at_risk, compute_kaplan_meier, compute_quantile
from livingdrug.report import palette
from livingdrug.report.figures import Figure, configure
from livingdrug.report.wording import format_percent

WIDTH = 560
MOST_STEPS = 400
"""Steps of a curve that are drawn; a million patients have more."""
MOST_TICKS = 200
"""Marks of censoring that are drawn of one group."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [10, 4], [1, 3])
LABELS = 150
"""Room left of both panels, the same, so that numbers stand under their days."""
PERCENT = {"labelExpr": "format(100 * datum.value, 'd') + ' %'"}
CURVE = ("time", "survival", "lower", "upper", "at_risk", "events", "censored")


def choose_ticks(days: float) -> list[float]:
    """Return the days of the axis and of the numbers at risk: months in steps that leave room.

    >>> choose_ticks(400.0)
    [0.0, 91.0, 182.0, 273.0, 364.0]
    """
    step = next((s for s in (7.0, 30.0, 91.0, 182.0, 365.0, 730.0) if days / s <= 9), 1826.0)
    return [float(day) for day in np.arange(0.0, days + 1, step)]


def thin_curve(table: pl.DataFrame, by: str = "group") -> pl.DataFrame:
    """Keep at most some steps of each curve, its last one among them."""
    kept = []
    for own in table.partition_by(by, maintain_order=True):
        places = np.unique(np.linspace(0, len(own) - 1, min(len(own), MOST_STEPS)).round().astype(int))
        kept.append(own[places.tolist()])
    return pl.concat(kept) if kept else table


def colour_groups(groups: Sequence[str], field: str = "group") -> dict[str, Any]:
    """Return the encoding that gives each group its colour."""
    colours = [palette.CATEGORIES[i % len(palette.CATEGORIES)] for i in range(len(groups))]
    shown = {"symbolType": "stroke", "symbolStrokeWidth": 2.5, "symbolOpacity": 1, "symbolSize": 300}
    legend = {"legend": None if len(groups) < 2 else shown}
    return {"field": field, "type": "nominal", "scale": {"domain": list(groups), "range": colours}, **legend}


def dash_groups(groups: Sequence[str], field: str = "group") -> dict[str, Any]:
    """Return the encoding that gives each group its dash, so that nothing rests on colour alone."""
    dashes = [DASHES[i % len(DASHES)] for i in range(len(groups))]
    legend = {"legend": None} if len(groups) < 2 else {}
    return {"field": field, "type": "nominal", "scale": {"domain": list(groups), "range": dashes}, **legend}


def tabulate_curves(times: pl.DataFrame) -> pl.DataFrame:
    """Return the curve of each group from time 0, with its interval, number at risk, events and censored."""
    tables = []
    for own in times.drop_nulls().partition_by("group", maintain_order=True):
        curve = compute_kaplan_meier(own["time"].to_numpy(), own["is_event"].to_numpy())
        table = pl.DataFrame({name: getattr(curve, name) for name in CURVE})
        if curve.time[0] > 0:
            first = (0.0, 1.0, 1.0, 1.0, int(curve.at_risk[0]), 0, 0)
            table = pl.concat([pl.DataFrame([first], schema=table.schema, orient="row"), table])
        tables.append(table.select(pl.lit(own["group"][0]).alias("group"), pl.all()))
    return pl.concat(tables)


def layer_curves(
    table: pl.DataFrame, groups: Sequence[str], ticks: Sequence[float], last: float, title: str
) -> dict[str, Any]:
    """Draw curves with bands and a short upright mark where somebody is censored."""
    x = {"field": "time", "type": "quantitative", "title": None, "scale": {"domain": [0, last], "nice": False}}
    x["axis"] = {"values": list(ticks)}
    axis = {**PERCENT, "values": [0, 0.25, 0.5, 0.75, 1], "minExtent": LABELS, "maxExtent": LABELS}
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "title": None, "axis": axis}
    inside = table.filter(pl.col("time") <= last)
    colour = colour_groups(groups)
    area = {"type": "area", "interpolate": "step-after", "opacity": 0.18}
    layers: list[dict[str, Any]] = [
        {
            "mark": area,
            "encoding": {"x": x, "y": {"field": "lower", **y}, "y2": {"field": "upper"}, "color": colour},
        },
        {
            "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
            "encoding": {"x": x, "y": {"field": "survival", **y}, "color": colour, "strokeDash": dash_groups(groups)},
        },
    ]
    censored = inside.filter(pl.col("censored") > 0) if "censored" in inside.columns else inside.clear()
    if 0 < len(censored) <= MOST_TICKS * len(groups):
        tick = {"type": "point", "shape": "stroke", "angle": 90, "size": 50, "strokeWidth": 1.4, "opacity": 1}
        along = {"x": x, "y": {"field": "survival", **y}, "color": colour}
        layers.append({"data": {"values": censored.to_dicts()}, "mark": tick, "encoding": along})
    values = inside.select("group", "time", "survival", "lower", "upper").to_dicts()
    heading = {"text": title, "anchor": "start", "fontSize": 12, "fontWeight": "normal"}
    return {"width": WIDTH, "height": 260, "title": heading, "data": {"values": values}, "layer": layers}


def layer_risk(at_risk: pl.DataFrame, groups: Sequence[str], ticks: Sequence[float], last: float) -> dict[str, Any]:
    """Write the numbers at risk under the days that they belong to."""
    axis = {"title": None, "ticks": False, "domain": False, "labelLimit": LABELS - 25, "labelPadding": 22}
    title = {"text": "Number at risk", "anchor": "start", "fontSize": 12, "fontWeight": "normal"}
    x = {"field": "day", "type": "quantitative", "title": "Days", "axis": {"values": list(ticks), "grid": False}}
    return {
        "width": WIDTH,
        "height": {"step": 18},
        "title": title,
        "data": {"values": at_risk.to_dicts()},
        "mark": {"type": "text", "fontSize": 12},
        "encoding": {
            "x": {**x, "scale": {"domain": [0, last], "nice": False}},
            "y": {
                "field": "group",
                "type": "nominal",
                "sort": list(groups),
                "axis": {**axis, "minExtent": LABELS, "maxExtent": LABELS},
            },
            "text": {"field": "at_risk"},
        },
    }


def draw_survival_curves(times: pl.DataFrame, *, name: str, title: str, last: float | None = None) -> Figure | None:
    """Draw the Kaplan-Meier curve of each group with its band, censoring and number at risk.

    Parameters
    ----------
    times : table
        ``group, time, is_event``, one row a subject; one without a time is left out and said in the caption.
    last : float, optional [day]
        End of the axis; the last time by default.

    Returns
    -------
    figure : Figure or None
        None where nobody has a time.

    Examples
    --------
    >>> times = pl.DataFrame({"group": ["all"] * 3, "time": [30.0, 90.0, 200.0], "is_event": [True, True, False]})
    >>> figure = draw_survival_curves(times, name="pfs", title="Progression-free survival")
    >>> figure.table.filter(pl.col("day") == 90)["at_risk"].to_list()
    [2]
    """
    known = times.drop_nulls()
    if known.is_empty():
        return None
    groups = list(dict.fromkeys(known["group"].to_list()))
    end = max(last or float(known["time"].max()), 1.0)  # type: ignore[arg-type]
    ticks = choose_ticks(end)
    curves = tabulate_curves(known)
    at_risk = _count(known, groups, ticks)
    panels = [layer_curves(thin_curve(curves), groups, ticks, end, title), layer_risk(at_risk, groups, ticks, end)]
    left_out = len(times) - len(known)
    said = f" {left_out} without a time are left out." if left_out else ""
    caption = (
        f"{_describe(known, groups)}.{said} Bands are pointwise 95 % intervals; short marks are censored subjects."
    )
    return Figure(name, title, caption, configure({"vconcat": panels, "spacing": 6}), _read(curves, at_risk))


def _count(known: pl.DataFrame, groups: Sequence[str], ticks: Sequence[float]) -> pl.DataFrame:
    rows = []
    for group in groups:
        counts = compute_at_risk(known.filter(pl.col("group") == group)["time"].to_numpy(), np.array(ticks))
        rows += [(group, day, int(count)) for day, count in zip(ticks, counts.tolist(), strict=True)]
    return pl.DataFrame(rows, schema={"group": pl.String, "day": pl.Float64, "at_risk": pl.Int64}, orient="row")


def _read(curves: pl.DataFrame, at_risk: pl.DataFrame) -> pl.DataFrame:
    """Put the curve's value beside each number at risk; where nobody is left it is not known."""
    curve = curves.select("group", pl.col("time").alias("day"), "survival", "lower", "upper").sort("day")
    found = at_risk.sort("day").join_asof(curve, on="day", by="group", check_sortedness=False)
    known = [pl.when(pl.col("at_risk") > 0).then(pl.col(c)).alias(c) for c in ("survival", "lower", "upper")]
    return found.with_columns(known).sort("group", "day")


def _describe(known: pl.DataFrame, groups: Sequence[str]) -> str:
    parts = []
    for group in groups:
        own = known.filter(pl.col("group") == group)
        curve = compute_kaplan_meier(own["time"].to_numpy(), own["is_event"].to_numpy())
        median = compute_quantile(curve).value
        when = f"median {median:.0f} days" if np.isfinite(median) else "median not reached"
        end = f"{format_percent(float(curve.survival[-1]))} at day {curve.time[-1]:g}"
        label = f"{group}: " if len(groups) > 1 else ""
        parts.append(f"{label}{int(curve.events.sum())} events in {len(own)} subjects, {when}, {end}")
    return "; ".join(parts)
