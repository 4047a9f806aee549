"""Figures of a trial: survival with the number at risk, failure over time, relapse phenotype."""

import numpy as np
import polars as pl

from livingdrug.clinical.survival import compute_at_risk
from livingdrug.report import palette
from livingdrug.report.figures import Figure, configure
from livingdrug.report.flow_figure import count_flow, draw_failure_flow
from livingdrug.report.survival_figure import (
    DASHES,
    WIDTH,
    choose_ticks,
    colour_groups,
    layer_curves,
    layer_risk,
    thin_curve,
)
from livingdrug.report.wording import format_percent, spell
from livingdrug.study.trial_result import COMPETING, TrialResult
from livingdrug.study.trial_result_rates import SURVIVAL, compute_curve, read_curve, take_times

SHORT = {name: short for short, name in SURVIVAL.items()}


def _columns(name: str) -> tuple[str, str]:
    return f"{name}_time", f"{name}_event"


def _name(endpoint: str) -> str:
    return spell(endpoint).replace(" free ", "-free ")


def draw_survival(result: TrialResult, endpoint: str) -> Figure | None:
    """Draw Kaplan-Meier curves with bands and, below them, the number at risk.

    Returns
    -------
    figure : Figure or None
        None where the endpoint is defined in nobody.
    """
    table = result.km(endpoint=endpoint)
    if table.is_empty():
        return None
    last = result.design.days
    ticks = choose_ticks(last)
    at_risk = _count_at_risk(result, SHORT[endpoint], ticks)
    thin = thin_curve(table.rename({"arm": "group"}))
    panels = [
        layer_curves(thin, result.arms, ticks, last, _name(endpoint)),
        layer_risk(at_risk.rename({"arm": "group"}), result.arms, ticks, last),
    ]
    return Figure(
        name=SHORT[endpoint],
        title=_name(endpoint),
        caption=_describe(result, endpoint),
        spec=configure({"vconcat": panels, "spacing": 6}),
        table=at_risk.join(_read_at(result, SHORT[endpoint], ticks), on=["arm", "day"], how="left"),
    )


def _count_at_risk(result: TrialResult, name: str, ticks: list[float]) -> pl.DataFrame:
    rows = []
    for arm in result.arms:
        counts = compute_at_risk(take_times(result.of(arm, *_columns(name)), name)[0], np.array(ticks))
        rows += [(arm, day, int(count)) for day, count in zip(ticks, counts.tolist(), strict=True)]
    return pl.DataFrame(rows, schema={"arm": pl.String, "day": pl.Float64, "at_risk": pl.Int64}, orient="row")


def _read_at(result: TrialResult, name: str, ticks: list[float]) -> pl.DataFrame:
    rows = []
    for arm in result.arms:
        curve = compute_curve(result.of(arm, *_columns(name)), name)
        found = [None if curve is None else read_curve(curve, day) for day in ticks]
        rows += [(arm, day, *one) for day, one in zip(ticks, found, strict=True) if one is not None]
    schema = {"arm": pl.String, **dict.fromkeys(("day", "survival", "lower", "upper"), pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _describe(result: TrialResult, endpoint: str) -> str:
    table = result.endpoints.filter((pl.col("endpoint") == endpoint) & (pl.col("statistic") == "median"))
    parts = []
    for row in table.iter_rows(named=True):
        median = "not reached" if row["value"] is None else f"{row['value']:.1f} months"
        parts.append(f"{row['arm']}: {row['events']} events in {row['n']} patients, median {median}")
    return "; ".join(parts) + ". Bands are pointwise 95 % intervals; at risk: those with at least that time."


def draw_failures(result: TrialResult) -> Figure | None:
    """Draw the cumulative incidence of each class of failure and of death without one, one panel an arm."""
    table = result.failures
    if table.is_empty():
        return None
    order = [spell(name) for name in COMPETING]
    thin = thin_curve(table.with_columns(arm=pl.format("{}|{}", "arm", "failure")), "arm").with_columns(
        arm=pl.col("arm").str.split("|").list.first(),
        failure=pl.col("failure").map_elements(spell, return_dtype=pl.String),
    )
    last = table.group_by("arm", "failure", maintain_order=True).last()
    said = [
        f"{r['arm']}, {spell(r['failure']).lower()}: {format_percent(r['incidence'])}"
        for r in last.iter_rows(named=True)
    ]
    percent = {"labelExpr": "format(100 * datum.value, 'd') + ' %'"}
    colours, dashes = (list(choices[: len(order)]) for choices in (palette.CATEGORIES, DASHES))
    colour = {"field": "failure", "type": "nominal", "scale": {"domain": order, "range": colours}}
    dash = {"field": "failure", "type": "nominal", "scale": {"domain": order, "range": dashes}}
    panels = [
        {
            "title": {"text": arm, "anchor": "start", "fontSize": 12},
            "width": WIDTH,
            "height": 180,
            "data": {"values": thin.filter(pl.col("arm") == arm).select("failure", "time", "incidence").to_dicts()},
            "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
            "encoding": {
                "x": {
                    "field": "time",
                    "type": "quantitative",
                    "title": "Day",
                    "scale": {"domain": [0, result.design.days]},
                },
                "y": {"field": "incidence", "type": "quantitative", "title": "Patients", "axis": percent},
                "color": colour,
                "strokeDash": dash,
            },
        }
        for arm in result.arms
    ]
    caption = "By the end of follow-up, " + "; ".join(said) + "."
    return Figure("failures", "Classes of failure over time", caption, configure({"vconcat": panels}), last)


def draw_phenotypes(result: TrialResult) -> Figure | None:
    """Draw what relapsed: the share of each phenotype among failures, one row an arm and phenotype."""
    table = result.endpoints.filter(pl.col("endpoint") == "failure_mechanism").select(
        "arm", pl.col("statistic").alias("phenotype"), pl.col("value").alias("share"), "lower", "upper", "events"
    )
    if table.is_empty():
        return None
    values = table.with_columns(pl.col("phenotype").map_elements(spell, return_dtype=pl.String)).to_dicts()
    y = {
        "field": "phenotype",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 260, "ticks": False},
    }
    axis = {"labelExpr": "format(100 * datum.value, 'd') + ' %'"}
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}, "title": "Share of failures", "axis": axis}
    offset = {"field": "arm", "type": "nominal", "sort": list(result.arms)}
    spec = {
        "width": 380,
        "height": {"step": 16},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "bar", "fillOpacity": 0.55},
                "encoding": {
                    "y": y,
                    "yOffset": offset,
                    "x": {"field": "share", **x},
                    "color": {**colour_groups(result.arms, "arm"), "legend": {"symbolType": "square"}},
                },
            },
            {
                "mark": {"type": "rule", "color": palette.INK},
                "encoding": {"y": y, "yOffset": offset, "x": {"field": "lower", **x}, "x2": {"field": "upper"}},
            },
        ],
    }
    said = [f"{r['arm']}, {r['phenotype'].lower()}: {format_percent(r['share'])}" for r in values]
    return Figure("phenotypes", "Phenotype of relapse", "; ".join(said) + ".", configure(spec), table)


def draw_trial_flow(result: TrialResult) -> Figure | None:
    """Draw how patients of all arms flow from best response to class of failure and its phenotype."""
    columns = ("best_response", "failure", pl.col("failure_mechanism").alias("mechanism"))
    return draw_failure_flow(count_flow(result.frame.select(*columns).collect()))
