import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test

from livingdrug.core.errors import InputError
from livingdrug.report.trial_document import render_trial_report
from livingdrug.study.operating_characteristics import compute_power, compute_type_one_error
from livingdrug.study.run_trial import run_trial
from livingdrug.study.trial_result_rates import compute_share, read_curve
from livingdrug.study.trial_result_targets import tabulate_targets
from livingdrug.study.write_trial import write_trial

DESIGN = {
    "trial": {"name": "Two <arms>", "disease": "lbcl", "days": 400},
    "arm": [{"name": "axi", "product": "axi_cel", "n": 80}, {"name": "tisa", "product": "tisa_cel", "n": 70}],
    "deaths": {"per_year": 0.05, "after_progression_per_year": 0.5},
    "dropout": {"per_year": 0.1},
}


@pytest.fixture(scope="module")
def result():
    return run_trial(DESIGN, jobs=1, seed=11)


@pytest.mark.parametrize("endpoint", ["progression_free_survival", "overall_survival", "duration_of_response"])
def test_curves_and_intervals_are_those_of_lifelines(result, endpoint):
    name = {"progression_free_survival": "pfs", "overall_survival": "os", "duration_of_response": "dor"}[endpoint]
    own = result.of("axi").drop_nulls([f"{name}_time", f"{name}_event"])
    fitted = KaplanMeierFitter().fit(own[f"{name}_time"].to_numpy(), own[f"{name}_event"].to_numpy())
    ours = result.km("axi", endpoint)
    theirs = fitted.survival_function_["KM_estimate"]
    assert np.allclose(ours["survival"], theirs.loc[ours["time"].to_numpy()], atol=1e-12)
    lower = fitted.confidence_interval_["KM_estimate_lower_0.95"].loc[ours["time"].to_numpy()]
    assert np.allclose(ours["lower"], lower, atol=1e-9)
    assert ours["at_risk"][0] == len(own)


def test_the_log_rank_test_is_that_of_lifelines(result):
    arms = [result.of(arm).drop_nulls(["pfs_time", "pfs_event"]) for arm in ("axi", "tisa")]
    theirs = logrank_test(*(own["pfs_time"].to_numpy() for own in arms), *(own["pfs_event"].to_numpy() for own in arms))
    ours = result.endpoints.filter(
        (pl.col("statistic") == "log-rank p value") & (pl.col("endpoint") == "progression_free_survival")
    )
    assert ours["value"][0] == pytest.approx(theirs.p_value, rel=1e-9)


def test_rates_are_counts_of_the_outcomes(result):
    row = result.endpoints.row(
        by_predicate=(pl.col("arm") == "tisa") & (pl.col("endpoint") == "overall_response"), named=True
    )
    assert row["events"] == (result.of("tisa")["response"] == "Y").sum()
    assert row["n"] == 70
    assert row["lower"] < row["value"] == row["events"] / 70 < row["upper"]


def test_a_share_of_nobody_and_of_everybody_has_an_open_bound():
    assert compute_share(0, 20)[1] == 0.0
    assert compute_share(20, 20)[2] == 1.0
    assert np.isnan(compute_share(0, 0)).all()


def test_classes_of_failure_never_fall_and_never_exceed_everybody(result):
    last = result.failures.group_by("arm", "failure", maintain_order=True).last()
    for own in result.failures.partition_by("arm", "failure"):
        assert (own["incidence"].diff().drop_nulls() >= -1e-12).all()
    assert (last.group_by("arm").agg(pl.col("incidence").sum())["incidence"] <= 1.0 + 1e-9).all()


def test_a_curve_is_not_read_beyond_what_was_observed(result):
    curve = result.km("axi")
    from livingdrug.study.trial_result_rates import compute_curve

    found = compute_curve(result.of("axi"), "pfs")
    assert found is not None
    assert read_curve(found, 5000.0) is None
    assert read_curve(found, 0.0)[0] == curve["survival"][0]


def test_no_published_result_of_the_products_is_left_out(result):
    table = tabulate_targets(result)
    told = table.filter(pl.col("simulated").is_not_null())
    assert {"orr", "cr", "pfs_6mo"} <= set(told.filter(pl.col("arm") == "tisa")["quantity"])
    assert table.filter(pl.col("simulated").is_null())["note"].unique().to_list() == ["not an outcome of this trial"]
    assert {"crs_any", "os_60mo"} <= set(table["quantity"])


def test_unknown_arms_and_endpoints_are_refused(result):
    with pytest.raises(InputError, match="`arm` must be one of the trial"):
        result.km("placebo")
    with pytest.raises(InputError, match="`endpoint` must be a time to an event"):
        result.km(endpoint="happiness")


def test_the_files_hold_what_the_result_holds(result, tmp_path):
    written = {path.name for path in write_trial(result, tmp_path / "new")}
    assert written == {"outcomes.parquet", "endpoints.csv", "km.csv", "failures.csv", "targets.csv", "manifest.json"}
    assert pl.read_parquet(tmp_path / "new" / "outcomes.parquet").equals(result.outcomes)
    km = pl.read_csv(tmp_path / "new" / "km.csv")
    assert km.columns[:7] == ["arm", "endpoint", "time", "survival", "lower", "upper", "at_risk"]
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text())
    assert manifest["seed"] == 11
    assert manifest["assumed"]
    assert manifest["packages"]["polars"] == pl.__version__


def test_the_report_stands_alone_and_escapes_names(result):
    html = render_trial_report(result)
    assert "<title>Two &lt;arms&gt;</title>" in html
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert "Number at risk" in html
    assert html.count("<figure") >= 5


def test_the_summary_names_arms_and_rates(result):
    text = result.summary()
    assert "axi (n = 80)" in text
    assert "Progression free survival " in text
    assert "between tisa and axi: median" in text
    assert "(log-rank p = " in text


def test_two_arms_from_one_population_differ_as_often_as_the_level_says(result):
    found = compute_type_one_error(result, 40, trials=400)
    assert found.lower <= 0.05 <= found.upper


def test_power_grows_with_patients(result):
    power = compute_power(result, [20, 200], trials=100)["share"].to_list()
    assert power[0] < power[1]


def test_patients_are_not_used_again_where_that_is_asked(result):
    assert compute_type_one_error(result, 4, trials=10, with_reuse=False).trials == 10
    with pytest.raises(InputError, match="`trials` must be 10 or fewer"):
        compute_type_one_error(result, 4, trials=11, with_reuse=False)


def test_dask_is_not_imported_unless_it_is_asked_for():
    code = "import sys, livingdrug.study.run_trial; sys.exit('distributed' in sys.modules or 'dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_death_without_failure_competes_with_the_classes_of_failure():
    design = {**DESIGN, "deaths": {"per_year": 0.4, "after_progression_per_year": 0.0}}
    found = run_trial(design, jobs=1, seed=11)
    last = found.failures.group_by("arm", "failure", maintain_order=True).last()
    died = last.filter(failure="death_without_failure")
    shares = found.endpoints.filter(endpoint="death_without_failure")
    for arm in found.arms:
        total = last.filter(arm=arm)["incidence"].sum()
        incidence = died.filter(arm=arm)["incidence"].item()
        assert 0 < incidence < total <= 1
        assert incidence == pytest.approx(shares.filter(arm=arm)["value"].item(), abs=0.08)


def test_a_stated_hazard_after_progression_is_of_death_from_any_cause():
    design = {**DESIGN, "deaths": {"per_year": 2.0, "after_progression_per_year": 0.0}}
    outcomes = run_trial(design, jobs=1, seed=11).outcomes
    died = outcomes.filter(pl.col("death_day").is_not_null() & pl.col("progression_day").is_not_null())
    assert outcomes["death_day"].is_not_null().any()
    assert died.filter(pl.col("death_day") > pl.col("progression_day")).is_empty()
