"""Options compared: what the simulator expects of each, with intervals, beside no further therapy.

Options stand in the order of their bands, never in the order of their results: a simulation moves nothing.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from livingdrug.report import palette
from livingdrug.report.figures import Figure, configure
from livingdrug.report.wording import format_percent, spell
from livingdrug.study.option_list import OptionList

BANDS = ("supported", "plausible", "needs_data")
SHAPES = ("circle", "square", "triangle-up", "cross")
COLOURS = (palette.BLUE, palette.NAVY, palette.OLIVE, palette.INK)
NOTHING = "No further therapy"
LABELS = 300
LONGEST = 42
"""Characters of a label; the table has the whole title."""
SCHEMA = {
    "option": pl.String,
    "band": pl.String,
    "strength": pl.String,
    **dict.fromkeys(("response", "response_lower", "response_upper"), pl.Float64),
    **dict.fromkeys(("months", "months_lower", "months_upper", "crs_grade3", "horizon_months"), pl.Float64),
}


def tabulate_options(found: OptionList) -> pl.DataFrame:
    """Return a row for no further therapy and one for each option that was simulated, by band and rank."""
    rows = [] if found.nothing is None else [_read(NOTHING, "", "", found.nothing)]
    for band in BANDS:
        own = [one for one in found.options if one["band"] == band and one["simulated"] is not None]
        rows += [_read(str(one["title"]), band, str(one["simulated"]["strength"]), one["simulated"]) for one in own]
    return pl.DataFrame(rows, schema=SCHEMA)


def _read(title: str, band: str, strength: str, said: Mapping[str, Any]) -> dict[str, Any]:
    low, high = said["intervals"]["response"]
    first, last = said["intervals"]["pfs_months"]
    return {
        "option": title,
        "band": spell(band) if band else "",
        "strength": strength,
        "response": said["response"],
        "response_lower": low,
        "response_upper": high,
        "months": said["pfs_months"],
        "months_lower": first,
        "months_upper": last,
        "crs_grade3": said.get("crs_grade3"),
        "horizon_months": said.get("horizon_months"),
    }


def draw_options(found: OptionList) -> Figure | None:
    """Draw response and time without progression of each simulated option.

    Returns
    -------
    figure : Figure or None
        None where nothing was simulated.
    """
    table = tabulate_options(found)
    if table.filter(pl.col("option") != NOTHING).is_empty():
        return None
    values = [{**row, "label": _shorten(row["option"]), "band": row["band"] or NOTHING} for row in table.to_dicts()]
    order = [row["label"] for row in values]
    months = [row["horizon_months"] for row in values if row["horizon_months"] is not None]
    horizon = max([*months, *(row["months_upper"] for row in values)])
    percent = {"labelExpr": "format(100 * datum.value, 'd') + ' %'", "values": [0, 0.25, 0.5, 0.75, 1]}
    panels = [
        _panel(values, order, "response", "Probability of a response", [-0.02, 1.02], percent, with_labels=True),
        _panel(
            values,
            order,
            "months",
            "Months without progression",
            [-0.02 * horizon, horizon * 1.04],
            {},
            with_labels=False,
        ),
    ]
    spec = {"hconcat": panels, "spacing": 24, "resolve": {"scale": {"color": "shared", "shape": "shared"}}}
    return Figure("options", "Options compared", _describe(table, horizon), configure(spec), table)


def _shorten(title: str) -> str:
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"


def _panel(
    values: list[dict[str, Any]],
    order: list[str],
    name: str,
    title: str,
    domain: list[float],
    axis: Mapping[str, Any],
    *,
    with_labels: bool,
) -> dict[str, Any]:
    bands = [band for band in (*(spell(b) for b in BANDS), NOTHING) if any(row["band"] == band for row in values)]
    places = [(*(spell(b) for b in BANDS), NOTHING).index(band) for band in bands]
    labels = {"labelLimit": LABELS, "ticks": False, "domain": False} if with_labels else None
    y = {"field": "label", "type": "nominal", "sort": order, "title": None, "axis": labels}
    x = {"type": "quantitative", "title": title, "scale": {"domain": domain, "nice": False}, "axis": dict(axis)}
    field = {"field": "band", "type": "nominal"}
    legend = {"columns": 4} if with_labels else None
    colour = {**field, "scale": {"domain": bands, "range": [COLOURS[k] for k in places]}, "legend": legend}
    shape = {**field, "scale": {"domain": bands, "range": [SHAPES[k] for k in places]}, "legend": legend}
    return {
        "width": 230,
        "height": {"step": 24},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "y": y,
                    "x": {"field": f"{name}_lower", **x},
                    "x2": {"field": f"{name}_upper"},
                    "color": colour,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"y": y, "x": {"field": name, **x}, "color": colour, "shape": shape},
            },
        ],
    }


def _describe(table: pl.DataFrame, horizon: float) -> str:
    options = table.filter(pl.col("option") != NOTHING)
    nothing = table.filter(pl.col("option") == NOTHING)
    against = ""
    if len(nothing):
        row = nothing.row(0, named=True)
        against = (
            f", beside no further therapy (response {format_percent(row['response'])}, {row['months']:.1f} months)"
        )
    chances = options.sort("response")["response"]
    span = f"responses from {format_percent(chances[0])} to {format_percent(chances[-1])}"
    return (
        f"{len(options)} options were simulated{against}: {span}; the simulation ends after {horizon:.0f} months. "
        "Lines are 90 % intervals over the draws of this patient; they leave out what the model does not know. Options "
        "stand by band and rank, not by these results: no simulation moves an option."
    )
