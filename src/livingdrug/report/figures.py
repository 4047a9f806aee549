"""Tidy tables to figures: each function returns a specification, its words and the table behind it.

A specification is a plain Vega-Lite dictionary (see :mod:`livingdrug.report.rendering`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from livingdrug.report import palette
from livingdrug.report.course import Span, draw_panel
from livingdrug.report.wording import Panel, describe_reason, describe_variable, format_interval, format_number

MAX_PANELS = 6
WIDTH = 640


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with the words a reader needs and the table it was drawn from.

    Parameters
    ----------
    name : str
        Stable identifier, unique in a document.
    title, caption : str
        ``caption`` says in words what can be seen; it is also what a screen reader reads.
    spec : mapping
        Vega-Lite specification.
    table : DataFrame
        Every value that is drawn.
    """

    name: str
    title: str
    caption: str
    spec: Mapping[str, Any]
    table: pl.DataFrame


def configure(spec: dict[str, Any]) -> dict[str, Any]:
    """Complete a specification with fonts, colours and grid that every figure shares."""
    text = {"labelColor": palette.INK, "titleColor": palette.INK, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": palette.PAPER,
        "padding": {"left": 16, "top": 5, "right": 16, "bottom": 5},
        **spec,
        "config": {
            "font": "Helvetica, Arial, sans-serif",
            "view": {"stroke": None},
            "axis": {**text, "titleFontWeight": "normal", "gridColor": "#E6E6E0", "domainColor": palette.MUTED},
            "legend": {
                **text,
                "orient": "top",
                "title": None,
                "symbolSize": 70,
                "columnPadding": 28,
                "labelLimit": 400,
            },
            "text": {"color": palette.INK, "fontSize": 12},
        },
    }


def _compute_span(observations: pl.DataFrame, bands: pl.DataFrame) -> Span:
    days = [float(day) for day in (*observations["day"], *bands["day"]) if day is not None]
    return Span(min([0.0, *days]), max([1.0, *days]))


def _select_variables(observations: pl.DataFrame, bands: pl.DataFrame, panel: Panel) -> list[str]:
    """List the variables of a panel that were measured with numbers, most measured first."""
    seen = observations.filter(pl.col("value").is_not_null())["variable"].to_list()
    seen += [name for name in bands["variable"].unique(maintain_order=True) if name not in seen]
    fitted = set(bands["variable"].to_list())
    names = sorted(set(seen), key=lambda name: (name not in fitted, -seen.count(name), name))
    return [name for name in names if describe_variable(name).panel == panel][:MAX_PANELS]


def _tabulate_course(observations: pl.DataFrame, bands: pl.DataFrame, variables: Sequence[str]) -> pl.DataFrame:
    """Put measurements and band into one table, sorted by variable and day."""
    measured = observations.filter(pl.col("variable").is_in(variables)).select(
        "variable", "unit", "day", pl.col("value").alias("measured"), "censored", "lloq"
    )
    fitted = bands.filter(pl.col("variable").is_in(variables)).select(
        "variable", "unit", "day", "lower", "median", "upper"
    )
    return pl.concat([measured, fitted], how="diagonal_relaxed").sort("variable", "day", maintain_order=True)


def _add_prior(table: pl.DataFrame, prior: pl.DataFrame) -> pl.DataFrame:
    """Put the prior's band behind the others, under names of its own."""
    bounds = [pl.col(name).alias(f"prior_{name}") for name in ("lower", "median", "upper")]
    before = prior.select("variable", "unit", "day", *bounds)
    return pl.concat([table, before], how="diagonal_relaxed").sort("variable", "day", maintain_order=True)


def _say(row: pl.DataFrame) -> str:
    under = "below " if row["censored"][0] == "left" else ""
    return f"{under}{format_number(row['measured'][0])} on day {row['day'][0]:g}"


def _describe_course(table: pl.DataFrame, variables: Sequence[str]) -> str:
    """Say in words how each variable ran: first, lowest, highest and last measurement."""
    parts = []
    for variable in variables:
        rows = table.filter((pl.col("variable") == variable) & pl.col("measured").is_not_null()).sort("day")
        if rows.is_empty():
            parts.append(f"{describe_variable(variable).label} was not measured; only the fitted course is shown.")
            continue
        ranked = rows.sort("measured", maintain_order=True)
        first, low, top, last = (_say(row) for row in (rows[0], ranked[0], ranked[-1], rows[-1]))
        unit = "" if rows["unit"][0] in {None, "", "1"} else f" ({rows['unit'][0]})"
        label = f"{describe_variable(variable).label}{unit}"
        parts.append(f"{label}: first {first}, lowest {low}, highest {top}, last {last}.")
    return " ".join(parts)


def draw_course(
    observations: pl.DataFrame,
    bands: pl.DataFrame,
    panel: Panel,
    *,
    title: str,
    marks: Mapping[str, float],
    thresholds: pl.DataFrame | None = None,
    prior: pl.DataFrame | None = None,
) -> Figure | None:
    """Draw measurements over time with limits of quantification, the fitted band and response thresholds.

    Parameters
    ----------
    observations : DataFrame
        ``variable, day, value, unit, lloq, censored``.
    bands : DataFrame
        ``variable, unit, day, lower, median, upper``.
    panel : "car_t", "tumour" or "other"
        Which variables to draw.
    marks : mapping of label to day
        Vertical lines, such as the day of failure.
    thresholds : DataFrame, optional
        ``variable, value, label``: horizontal lines on the clinical scale.
    prior : DataFrame, optional
        In the form of ``bands``: what was expected before the record was read.

    Returns
    -------
    figure : Figure or None
        None where nothing of this panel was measured or fitted.
    """
    variables = _select_variables(observations, bands, panel)
    if not variables:
        return None
    span = _compute_span(observations, bands)
    panels = [
        draw_panel(
            variable,
            observations.filter(pl.col("variable") == variable),
            bands.filter(pl.col("variable") == variable),
            span=span,
            marks=marks,
            thresholds=None if thresholds is None else thresholds.filter(pl.col("variable") == variable),
            width=WIDTH,
            prior=None if prior is None else prior.filter(pl.col("variable") == variable),
        )
        for variable in variables
    ]
    table = _tabulate_course(observations, bands, variables)
    if prior is not None and not prior.is_empty():
        table = _add_prior(table, prior.filter(pl.col("variable").is_in(variables)))
    return Figure(
        name=f"course-{panel.replace('_', '-')}",
        title=title,
        caption=_describe_course(table, variables),
        spec=configure({"vconcat": panels, "spacing": 18}),
        table=table,
    )


def _tabulate_mechanisms(mechanisms: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    rows = [
        {
            "mechanism": describe_reason(str(item["name"])),
            "group": describe_reason(str(item["group"])),
            "probability": float(item["probability"]),
            "lower": float(item["lower"]),
            "upper": float(item["upper"]),
        }
        for item in mechanisms
    ]
    columns = {"mechanism": pl.String, "group": pl.String, "probability": pl.Float64}
    schema = {**columns, "lower": pl.Float64, "upper": pl.Float64}
    return pl.DataFrame(rows, schema=schema).sort("probability", descending=True, maintain_order=True)


def _layer_mechanisms(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Build bars, their intervals and the numbers written beside them."""
    groups = list(dict.fromkeys(row["group"] for row in values))
    spare = iter(palette.CATEGORIES)
    known = {describe_reason(group): colour for group, colour in palette.GROUP_COLOURS.items()}
    colours = [known.get(group) or next(spare) for group in groups]
    labels = {"labelLimit": 260, "ticks": False, "domain": False}
    y = {"field": "label", "type": "nominal", "sort": None, "title": None, "axis": labels}
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}, "title": "Probability that this was the reason"}
    colour = {"field": "group", "type": "nominal", "scale": {"domain": groups, "range": colours}}
    axis = {"labelExpr": "format(100 * datum.value, 'd') + ' %'", "values": [0, 0.25, 0.5, 0.75, 1]}
    return [
        {
            "mark": {"type": "bar", "height": 16, "fillOpacity": 0.55},
            "encoding": {
                "y": y,
                "x": {"field": "probability", **x, "axis": axis},
                "color": {**colour, "legend": {"symbolType": "square", "columns": 3}},
                "stroke": {**colour, "legend": None},
            },
        },
        {
            "mark": {"type": "rule", "color": palette.INK, "strokeWidth": 2},
            "encoding": {"y": y, "x": {"field": "lower", **x}, "x2": {"field": "upper"}},
        },
        {
            "mark": {"type": "text", "align": "left", "baseline": "middle"},
            "encoding": {"y": y, "x": {"value": 430}, "text": {"field": "written"}},
        },
    ]


def draw_attribution(mechanisms: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw how probable each mechanism is as the reason, with its interval.

    Parameters
    ----------
    mechanisms : sequence of mapping
        ``name, group, probability, lower, upper``.

    Examples
    --------
    >>> one = {"name": "antigen_low", "group": "antigen", "probability": 0.6, "lower": 0.4, "upper": 0.8}
    >>> figure = draw_attribution([one])
    >>> figure.caption
    'Antigen-low escape 60 % (40 % to 80 %).'
    """
    if not mechanisms:
        return None
    table = _tabulate_mechanisms(mechanisms)
    values, parts = [], []
    for row in table.iter_rows(named=True):
        written = format_interval(row["probability"], row["lower"], row["upper"])
        values.append({**row, "label": row["mechanism"], "written": written})
        parts.append(f"{row['mechanism']} {written}")
    spec = {"width": 420, "height": {"step": 26}, "data": {"values": values}, "layer": _layer_mechanisms(values)}
    return Figure("attribution", "Why it failed", "; ".join(parts) + ".", configure(spec), table)
