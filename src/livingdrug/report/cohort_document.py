"""A cohort as figures and tables: survival, failure over time, course, best change, flow, and a row a subject."""

from typing import Any

import polars as pl

from livingdrug.clinical.survival import compute_cumulative_incidence
from livingdrug.report.cohort_figures import draw_swimmer, draw_waterfall
from livingdrug.report.figures import Figure, configure
from livingdrug.report.flow_figure import PHENOTYPES, count_flow, draw_failure_flow
from livingdrug.report.palette import CATEGORIES
from livingdrug.report.survival_figure import (
    DASHES,
    PERCENT,
    WIDTH,
    choose_ticks,
    draw_survival_curves,
    thin_curve,
)
from livingdrug.report.tables import Table, tabulate_rows
from livingdrug.report.wording import DISEASES, PRODUCTS, format_percent, spell
from livingdrug.study.assess_cohort import Cohort
from livingdrug.study.trial_result_rates import FAILURES

TIMES = {"pfs": "Progression-free survival", "os": "Overall survival", "dor": "Duration of response"}
MOST_GROUPS = 6
"""Products that get a curve of their own; more are put together."""
ALL = "All subjects"


def draw_cohort(cohort: Cohort) -> list[Figure]:
    """Draw every figure of a cohort that its data allow."""
    subjects = cohort.subjects
    drawn = [draw_failures_over_time(subjects), draw_failure_flow(count_flow(subjects))]
    for name, title in TIMES.items():
        times = subjects.select(_group(subjects), time=f"{name}_time", is_event=f"{name}_event")
        drawn.append(draw_survival_curves(times, name=name, title=title))
    drawn += [draw_swimmer(subjects), draw_waterfall(subjects)]
    return [figure for figure in drawn if figure is not None]


def _group(subjects: pl.DataFrame) -> pl.Expr:
    """Give each product a group, or put everybody into one."""
    count = subjects["product"].n_unique()
    if not 1 < count <= MOST_GROUPS:
        return pl.lit(ALL).alias("group")
    return pl.col("product").replace(PRODUCTS).alias("group")


def tabulate_failures(subjects: pl.DataFrame) -> pl.DataFrame:
    """Return the cumulative incidence of each class of failure: ``failure, time, incidence, lower, upper, at_risk``.

    A subject that has not failed is censored when it was last assessed; one whose failure is unknown and that has no
    time is left out.
    """
    known = subjects.select(
        time=pl.coalesce("failure_day", "pfs_time"),
        cause=pl.col("failure").replace_strict(
            list(FAILURES), list(range(1, len(FAILURES) + 1)), default=0, return_dtype=pl.Int64
        ),
    ).drop_nulls()
    columns = ("time", "incidence", "lower", "upper", "at_risk")
    if known.is_empty():
        return pl.DataFrame(schema={"failure": pl.String, **dict.fromkeys(columns, pl.Float64)})
    tables = []
    for number, name in enumerate(FAILURES, start=1):
        curve = compute_cumulative_incidence(known["time"].to_numpy(), known["cause"].to_numpy(), number)
        table = pl.DataFrame({column: getattr(curve, column) for column in columns}).cast({"at_risk": pl.Float64})
        start = pl.DataFrame([(0.0, 0.0, 0.0, 0.0, float(len(known)))], schema=table.schema, orient="row")
        tables.append(pl.concat([start, table]).select(pl.lit(name).alias("failure"), pl.all()))
    return pl.concat(tables)


def draw_failures_over_time(subjects: pl.DataFrame) -> Figure | None:
    """Draw how many subjects have failed by each day, by class, death and loss to follow-up taken into account.

    Returns
    -------
    figure : Figure or None
        None where nobody was assessed.
    """
    table = tabulate_failures(subjects)
    if table.is_empty():
        return None
    last = float(table["time"].max())  # type: ignore[arg-type]
    named = {name: spell(name) for name in FAILURES}
    shown = thin_curve(table, "failure").with_columns(pl.col("failure").replace(named))
    scale = {"domain": list(named.values())}
    x = {
        "field": "time",
        "type": "quantitative",
        "title": "Days after infusion",
        "axis": {"values": choose_ticks(last)},
    }
    y = {"field": "incidence", "type": "quantitative", "title": "Subjects who have failed", "axis": PERCENT}
    classes = {"field": "failure", "type": "nominal"}
    encoding: dict[str, Any] = {
        "x": {**x, "scale": {"domain": [0, last], "nice": False}},
        "y": y,
        "color": {**classes, "scale": {**scale, "range": list(CATEGORIES[:4])}},
        "strokeDash": {**classes, "scale": {**scale, "range": list(DASHES[:4])}},
    }
    spec = {
        "width": WIDTH,
        "height": 240,
        "data": {"values": shown.select("failure", "time", "incidence").to_dicts()},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": encoding,
    }
    ends = table.group_by("failure", maintain_order=True).last()
    said = [f"{spell(row['failure']).lower()} {format_percent(row['incidence'])}" for row in ends.iter_rows(named=True)]
    unknown = int((subjects["failure"] == "unknown").sum())
    caption = f"By day {last:g}: {', '.join(said)}; the others are censored when they were last assessed."
    caption += f" Of {unknown} subjects the record does not tell." if unknown else ""
    return Figure("failures", "Classes of failure over time", caption, configure(spec), table)


def tabulate_counts(cohort: Cohort) -> Table:
    """Count subjects by class of failure, with when it happened."""
    subjects = cohort.subjects
    order = [*FAILURES, "none", "unknown"]
    rows = []
    for name in order:
        own = subjects.filter(pl.col("failure") == name)
        if own.is_empty():
            continue
        day = own["failure_day"].median()
        words = {"none": "no failure so far", "unknown": "the record does not tell"}
        share = format_percent(len(own) / len(subjects)) if len(own) < len(subjects) else "100 %"
        rows.append({"class": words.get(name, spell(name)), "subjects": len(own), "share": share, "median_day": day})
    return tabulate_rows(rows, caption="Classes of failure")


def tabulate_cohort(cohort: Cohort, *, most: int) -> Table:
    """List the subjects, one row each."""
    rows = []
    for row in cohort.subjects.head(most).iter_rows(named=True):
        rows.append(
            {
                "subject": row["subject_id"],
                "disease": DISEASES.get(row["disease"], row["disease"]),
                "product": PRODUCTS.get(row["product"], row["product"]),
                "best_response": row["best_response"],
                "failure": spell(row["failure"]),
                "day": row["failure_day"],
                "at_failure": PHENOTYPES.get(row["mechanism"] or ""),
                "without_progression": _say_time(row, "pfs"),
                "survival": _say_time(row, "os"),
            }
        )
    return tabulate_rows(rows, caption="Every subject")


def _say_time(row: dict[str, Any], name: str) -> str | None:
    if row[f"{name}_time"] is None:
        return None
    return f"{row[f'{name}_time']:g} days{'' if row[f'{name}_event'] else ' or more'}"
