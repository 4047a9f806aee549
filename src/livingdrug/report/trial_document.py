"""One trial to one file: HTML that opens from a disk, without network or script."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from livingdrug.report.figures import Figure
from livingdrug.report.page import prepare_figures, render_page
from livingdrug.report.tables import Table, tabulate_frame, tabulate_rows
from livingdrug.report.trial_figures import draw_failures, draw_phenotypes, draw_survival, draw_trial_flow
from livingdrug.report.wording import DISEASES, NOTHING, PRODUCTS, format_cell, spell
from livingdrug.study.trial_design import Arm
from livingdrug.study.trial_plausibility import WEIGHTED
from livingdrug.study.trial_result import TrialResult
from livingdrug.study.trial_result_targets import tabulate_targets

CURVES = ("progression_free_survival", "overall_survival", "duration_of_response")
SHARES = ("share",)
PLAUSIBLE = "plausible_patients"
P_VALUE = "log-rank p value"


def draw_trial(result: TrialResult) -> list[Figure]:
    """Draw every figure of a trial."""
    drawn = [draw_survival(result, endpoint) for endpoint in CURVES]
    drawn += [draw_failures(result), draw_trial_flow(result), draw_phenotypes(result)]
    return [figure for figure in drawn if figure is not None]


def collect_trial(result: TrialResult, figures: Sequence[Figure]) -> dict[str, Any]:
    """Collect what the templates of a trial fill in: figures drawn, tables written."""
    design, manifest, endpoints = result.design, result.manifest, result.endpoints
    disease = DISEASES.get(design.disease, design.disease)
    return {
        "title": design.name,
        "headline": f"{design.n} virtual patients with {disease}",
        "version": str(manifest.get("version", "")),
        "design": _tabulate_design(result),
        "responses": _tabulate_shares(endpoints),
        "times": _tabulate_times(endpoints),
        "tests": _tabulate_tests(endpoints),
        "weighted": _tabulate_weighted(endpoints),
        "figures": prepare_figures(figures),
        "targets": _tabulate_published(result),
        "everything": tabulate_frame(endpoints, caption="Every rate, median and landmark"),
        "run": _tabulate_run(result),
        "failures": sum((manifest.get("failures") or {}).values()),
        "assumed": tabulate_rows(manifest.get("assumed") or [], caption="Assumed values"),
        "sources": [str(source) for source in manifest.get("sources") or []],
    }


def render_trial_report(result: TrialResult) -> str:
    """Render one trial as one self-contained HTML document.

    Returns
    -------
    html : str
        Without the ``report`` extra, each figure is replaced by its table and a sentence that says what to install.
    """
    return render_page("trial.html.jinja", **collect_trial(result, draw_trial(result)))


def write_trial_report(result: TrialResult, path: Path) -> Path:
    """Write the report of one trial; the folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_trial_report(result), encoding="utf-8")
    return path


def _tabulate_design(result: TrialResult) -> Table:
    rows = [
        {
            "arm": arm.name,
            "product": PRODUCTS.get(arm.product, arm.product),
            "patients": arm.n,
            "dose": f"{arm.cells:.3g} cells" if arm.cells is not None else f"{arm.dose_factor:g} times the usual",
            "lymphodepletion": {0.0: "none", 1.0: "as usual"}.get(arm.lymphodepletion, f"{arm.lymphodepletion:g}"),
            "burden_at_infusion": f"{arm.burden_factor:g} times the usual",
            "later": _say_events(arm),
        }
        for arm in result.design.arms
    ]
    return tabulate_rows(rows, caption="Arms")


def _say_events(arm: Arm) -> str:
    said = []
    for event in arm.events:
        when = f"on day {event.day:g}" if event.day is not None else f"{event.after:g} days after progression"
        who = "" if event.share == 1 else f" in {100 * event.share:g} %"
        said.append(f"{spell(event.type).lower()} {when}{who}")
    return "; ".join(said) or NOTHING


def _percent(row: dict[str, Any]) -> str:
    return f"{100 * row['value']:.1f} % ({100 * row['lower']:.1f} to {100 * row['upper']:.1f})"


def _tabulate_shares(endpoints: pl.DataFrame) -> Table:
    """Put the shares of the arms side by side."""
    rows: dict[str, dict[str, Any]] = {}
    for row in endpoints.filter(pl.col("statistic").is_in(SHARES)).iter_rows(named=True):
        rows.setdefault(row["endpoint"], {"endpoint": spell(row["endpoint"])})[row["arm"]] = _percent(row)
    for row in endpoints.filter(pl.col("endpoint") == "failure").iter_rows(named=True):
        name = f"failure: {row['statistic'].replace('_', ' ')}"
        rows.setdefault(name, {"endpoint": spell(name)})[row["arm"]] = _percent(row)
    return tabulate_rows(list(rows.values()), caption="Share of patients, with exact 95 % intervals")


def _tabulate_times(endpoints: pl.DataFrame) -> Table:
    rows: dict[str, dict[str, Any]] = {}
    wanted = endpoints.filter(pl.col("statistic").str.starts_with("at ") | (pl.col("statistic") == "median"))
    for row in wanted.iter_rows(named=True):
        name = f"{spell(row['endpoint'])}, {row['statistic']}"
        rows.setdefault(name, {"endpoint": name})[row["arm"]] = (
            _months(row) if row["unit"] == "month" else _percent(row)
        )
    return tabulate_rows(list(rows.values()), caption="Times to events, with 95 % intervals")


def _months(row: dict[str, Any]) -> str:
    value, *bounds = ("not reached" if row[k] is None else f"{row[k]:.1f}" for k in ("value", "lower", "upper"))
    return f"{value} ({bounds[0]} to {bounds[1]}) months"


def _tabulate_tests(endpoints: pl.DataFrame) -> Table:
    rows = [
        {
            "arms": row["arm"],
            "endpoint": spell(row["endpoint"]),
            "log_rank_p_value": row["value"],
            "events": row["events"],
        }
        for row in endpoints.filter(pl.col("statistic") == P_VALUE).iter_rows(named=True)
    ]
    return tabulate_rows(rows, caption="Comparisons with the first arm")


def _tabulate_weighted(endpoints: pl.DataFrame) -> Table:
    """Put the results weighted by plausibility side by side, after the patients that they count as."""
    rows: dict[str, dict[str, Any]] = {}
    wanted = endpoints.filter(pl.col("statistic").str.starts_with(WEIGHTED) | (pl.col("endpoint") == PLAUSIBLE))
    for row in wanted.iter_rows(named=True):
        name = f"{spell(row['endpoint'])}{row['statistic'].removeprefix(WEIGHTED).removeprefix('count')}"
        own = rows.setdefault(name, {"endpoint": name})
        if row["endpoint"] == PLAUSIBLE:
            own[row["arm"]] = f"{row['value']:.0f} of {row['n']}"
        elif row["endpoint"] == "effective_sample_size":
            own[row["arm"]] = f"{row['value']:.1f} of {row['n']}"
        else:
            own[row["arm"]] = f"{100 * row['value']:.1f} %" if row["lower"] is None else _percent(row)
    return tabulate_rows(list(rows.values()), caption="Weighted by plausibility")


def _tabulate_published(result: TrialResult) -> Table:
    told = tabulate_targets(result).filter(pl.col("simulated").is_not_null())
    rows = [
        {
            "arm": row["arm"],
            "published_in": row["trial"],
            "quantity": row["quantity"],
            "unit": row["unit"],
            "published": _interval(row["value"], row["lower"], row["upper"]),
            "simulated": _interval(row["simulated"], row["sim_lower"], row["sim_upper"]),
            "met": row["inside"],
        }
        for row in told.iter_rows(named=True)
    ]
    return tabulate_rows(rows, caption="Published results of the same products and disease")


def _interval(value: float | None, lower: float | None, upper: float | None) -> str:
    bounds = "" if lower is None and upper is None else f" ({format_cell(lower)} to {format_cell(upper)})"
    return f"{format_cell(value)}{bounds}"


def _tabulate_run(result: TrialResult) -> Table:
    manifest = result.manifest
    names = ("version", "python", "seed", "criteria", "design_hash", "content_hash")
    rows = [{"name": spell(name), "value": str(manifest.get(name, NOTHING))} for name in names]
    rows += [{"name": name, "value": value} for name, value in (manifest.get("packages") or {}).items()]
    rows += [{"name": name, "value": format_cell(value)} for name, value in (manifest.get("options") or {}).items()]
    return tabulate_rows(rows, caption="The run")
