"""Figures of cohorts and checks: what is drawn, what their tables hold, and that each is a file without a browser."""

import math
import re

import polars as pl
import pytest

from livingdrug.report.check_figures import draw_calibration, draw_predictive_check
from livingdrug.report.cohort_document import draw_cohort, tabulate_failures
from livingdrug.report.cohort_figures import draw_swimmer, draw_waterfall
from livingdrug.report.flow_figure import count_flow, draw_failure_flow
from livingdrug.report.survival_figure import draw_survival_curves
from livingdrug.report.write_figures import write_figures
from livingdrug.study.assess_cohort import Cohort, assess_cohort
from livingdrug.study.reliability import tabulate_reliability
from livingdrug.study.simulate_cohort import simulate_cohort


@pytest.fixture(scope="module")
def cohort():
    return assess_cohort(simulate_cohort("myeloma", "ide_cel", n=24, days=365, seed=3, jobs=1).record)


@pytest.fixture(scope="module")
def subjects(cohort):
    return cohort.subjects


def test_survival_and_numbers_at_risk_are_those_of_lifelines(subjects):
    from lifelines import KaplanMeierFitter

    times = subjects.select(pl.lit("all").alias("group"), time="pfs_time", is_event="pfs_event")
    figure = draw_survival_curves(times, name="pfs", title="Progression-free survival")
    known = times.drop_nulls()
    fitter = KaplanMeierFitter().fit(known["time"].to_numpy(), known["is_event"].to_numpy())
    for row in figure.table.iter_rows(named=True):
        assert row["at_risk"] == (known["time"] >= row["day"]).sum()
        assert row["survival"] == pytest.approx(float(fitter.predict(row["day"])))


def test_numbers_at_risk_stand_under_their_days(subjects):
    times = subjects.select(pl.lit("all").alias("group"), time="pfs_time", is_event="pfs_event")
    curves, risk = draw_survival_curves(times, name="pfs", title="PFS").spec["vconcat"]
    above, below = curves["layer"][0]["encoding"], risk["encoding"]
    assert above["x"]["scale"] == below["x"]["scale"]
    assert (curves["width"], above["y"]["axis"]["minExtent"]) == (risk["width"], below["y"]["axis"]["minExtent"])


def test_incidences_of_all_classes_and_survival_add_up_to_one(subjects):
    table = tabulate_failures(subjects)
    ends = table.group_by("failure").last()
    last = float(table["time"].max())
    known = subjects.select(time=pl.coalesce("failure_day", "pfs_time"), failed=pl.col("failure_day").is_not_null())
    figure = draw_survival_curves(
        known.select(pl.lit("all").alias("group"), "time", is_event="failed"), name="x", title="x", last=last
    )
    alive = figure.table.drop_nulls("survival")["survival"].to_list()[-1]
    assert ends["incidence"].sum() <= 1.0
    assert ends["incidence"].sum() + alive == pytest.approx(1.0, abs=0.05)


def test_the_lanes_of_a_swimmer_are_as_long_as_the_follow_up(subjects):
    spec = draw_swimmer(subjects).spec
    lanes = pl.DataFrame(spec["layer"][0]["data"]["values"])
    length = lanes.group_by("subject").agg((pl.col("last") - pl.col("first")).sum())
    both = length.join(subjects, left_on="subject", right_on="subject_id")
    assert both["last"].to_list() == pytest.approx(both["last_day"].to_list())


def test_a_waterfall_falls_and_counts_whom_it_leaves_out(subjects):
    some = subjects.with_columns(
        best_change=pl.when(pl.col("subject_id") == "SIM-0000001").then(None).otherwise(pl.col("best_change"))
    )
    figure = draw_waterfall(some)
    drawn = [row["change"] for row in figure.spec["data"]["values"]]
    assert drawn == sorted(drawn, reverse=True)
    assert figure.table.height == 23
    assert "1 without a value before and after" in figure.caption


def test_every_subject_flows_once_through_each_stage(subjects):
    counts = count_flow(subjects)
    figure = draw_failure_flow(counts)
    assert counts["subjects"].sum() == len(subjects)
    bands = pl.DataFrame(figure.spec["layer"][0]["data"]["values"])
    start = (
        bands.group_by("flow").agg((pl.col("high") - pl.col("low")).first()).filter(pl.col("flow").str.starts_with("0"))
    )
    stages = counts["best_response"].n_unique()
    assert start["high"].sum() == pytest.approx(1 - 0.025 * (stages - 1))


def test_what_is_not_known_is_a_group_of_its_own_and_never_no_failure():
    unknown = pl.DataFrame({"best_response": ["CR"], "failure": [None], "mechanism": [None]}).cast(pl.String)
    assert count_flow(unknown).row(0) == ("CR", "unknown", "unknown", 1)


def test_a_predictive_check_counts_what_lies_outside():
    rows = {"variable": ["m_protein"] * 3, "day": [1.0, 2.0, 3.0], "observed": [1.0, 5.0, 0.5]}
    rows |= {
        "censored": ["none", "none", "left"],
        "lower": [0.5, 1.0, 0.1],
        "median": [1.0] * 3,
        "upper": [2.0, 2.0, 0.3],
    }
    figure = draw_predictive_check(pl.DataFrame(rows))
    assert figure.caption.startswith("2 of 3 measurements (67 %)")


def test_a_calibrated_forecast_lies_on_the_diagonal():
    stated = [k / 100 for k in range(5, 100, 10) for _ in range(100)]
    happened = [i % 100 < round(100 * chance) for i, chance in enumerate(stated)]
    table = tabulate_reliability(stated, happened)
    assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(table["stated"], table["observed"], strict=True))
    assert "0 points" in draw_calibration(table).caption


def test_nobody_makes_no_figure(cohort):
    assert draw_cohort(Cohort(cohort.subjects.clear())) == []


def test_every_figure_is_svg_pdf_and_a_table_without_a_browser(cohort, tmp_path):
    pytest.importorskip("vl_convert")
    figures = draw_cohort(cohort)
    assert {"pfs", "os", "dor", "swimmer", "waterfall", "failures", "failure-flow"} == {one.name for one in figures}
    for path in write_figures(figures, tmp_path):
        head = path.read_bytes()[:5]
        assert head == {".svg": b"<svg ", ".pdf": b"%PDF-"}.get(path.suffix, head)
        assert path.stat().st_size > 100
    assert all(re.search(r"\d", one.caption) for one in figures)
