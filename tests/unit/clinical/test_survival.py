"""Survival statistics, compared with lifelines, scikit-survival and sums by hand."""

import importlib
import sys

import numpy as np
import pytest

from livingdrug.clinical.survival import (
    compute_at_risk,
    compute_cumulative_incidence,
    compute_kaplan_meier,
    compute_quantile,
    compute_restricted_mean,
)
from livingdrug.clinical.survival_comparison import compute_log_rank, fit_cox
from livingdrug.core.errors import InputError


def import_or_skip(name):
    return pytest.importorskip(name, reason=f"compares with {name}, which is not installed")


def draw(seed, count=80, *, with_ties=True):
    """Times with censoring; whole days have ties."""
    rng = np.random.default_rng(seed)
    time = rng.exponential(200.0, count)
    return (np.ceil(time / 20.0) * 20.0 if with_ties else time), rng.random(count) < 0.7


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_and_its_interval_are_those_of_lifelines(seed):
    lifelines = import_or_skip("lifelines")
    time, is_event = draw(seed)
    curve = compute_kaplan_meier(time, is_event)
    fitted = lifelines.KaplanMeierFitter().fit(time, is_event)
    theirs = fitted.survival_function_["KM_estimate"].loc[curve.time].to_numpy()
    np.testing.assert_allclose(curve.survival, theirs, atol=1e-8)
    table = fitted.event_table.loc[curve.time]
    np.testing.assert_array_equal(curve.at_risk, table["at_risk"].to_numpy())
    np.testing.assert_array_equal(curve.events, table["observed"].to_numpy())
    bounds = fitted.confidence_interval_.loc[curve.time].to_numpy()
    is_open = (curve.survival > 0) & (curve.survival < 1)
    np.testing.assert_allclose(np.column_stack([curve.lower, curve.upper])[is_open], bounds[is_open], atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_and_its_interval_are_those_of_scikit_survival(seed):
    theirs = import_or_skip("sksurv.nonparametric")
    time, is_event = draw(seed)
    curve = compute_kaplan_meier(time, is_event)
    days, survival, interval = theirs.kaplan_meier_estimator(is_event, time, conf_type="log-log")
    np.testing.assert_allclose(curve.time, days)
    np.testing.assert_allclose(curve.survival, survival, atol=1e-8)
    is_open = (survival > 0) & (survival < 1)
    np.testing.assert_allclose(curve.lower[is_open], interval[0][is_open], atol=1e-8)
    np.testing.assert_allclose(curve.upper[is_open], interval[1][is_open], atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_the_median_and_its_interval_are_those_of_lifelines(seed):
    lifelines = import_or_skip("lifelines")
    utils = importlib.import_module("lifelines.utils")
    time, is_event = draw(seed)
    ours = compute_quantile(compute_kaplan_meier(time, is_event))
    fitted = lifelines.KaplanMeierFitter().fit(time, is_event)
    bounds = utils.median_survival_times(fitted.confidence_interval_).to_numpy().ravel()
    assert ours.value == fitted.median_survival_time_
    assert [ours.lower, ours.upper] == bounds.tolist()


@pytest.mark.parametrize("horizon", [60.0, 150.0, 300.0])
def test_the_restricted_mean_is_that_of_lifelines(horizon):
    lifelines = import_or_skip("lifelines")
    utils = importlib.import_module("lifelines.utils")
    time, is_event = draw(3)
    fitted = lifelines.KaplanMeierFitter().fit(time, is_event)
    ours = compute_restricted_mean(time, is_event, horizon)
    assert ours.value == pytest.approx(utils.restricted_mean_survival_time(fitted, t=horizon), abs=1e-8)


def test_without_censoring_the_restricted_mean_is_the_mean_and_its_error_the_usual_one():
    time, everybody = np.array([10.0, 20.0, 40.0, 90.0]), np.ones(4, dtype=bool)
    ours = compute_restricted_mean(time, everybody, 90.0)
    assert ours.value == pytest.approx(time.mean())
    assert (ours.upper - ours.value) / 1.959963984540054 == pytest.approx(time.std() / 2.0)


def test_a_restricted_mean_beyond_what_was_observed_is_refused():
    time = np.array([10.0, 20.0])
    with pytest.raises(InputError, match="within the 20 days observed"):
        compute_restricted_mean(time, np.array([True, False]), 30.0)
    assert compute_restricted_mean(time, np.array([True, True]), 30.0).value == 15.0


@pytest.mark.parametrize("seed", range(4))
def test_the_log_rank_test_of_two_groups_is_that_of_lifelines(seed):
    theirs = import_or_skip("lifelines.statistics")
    time, is_event = draw(seed)
    group = np.where(np.arange(time.size) % 2, "a", "b")
    ours = compute_log_rank(time, is_event, group)
    found = theirs.multivariate_logrank_test(time, group, is_event)
    assert ours.statistic == pytest.approx(float(found.test_statistic), rel=1e-8)
    assert ours.p_value == pytest.approx(float(found.p_value), rel=1e-8)


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_the_log_rank_test_is_that_of_scikit_survival(groups):
    theirs = import_or_skip("sksurv.compare")
    tools = importlib.import_module("sksurv.util")
    time, is_event = draw(11)
    group = np.arange(time.size) % groups
    ours = compute_log_rank(time, is_event, group)
    statistic, p_value = theirs.compare_survival(tools.Surv.from_arrays(is_event, time), group)
    assert (ours.statistic, ours.degrees) == (pytest.approx(statistic, rel=1e-8), groups - 1)
    assert ours.p_value == pytest.approx(p_value, rel=1e-8)


def test_cox_regression_is_that_of_scikit_survival():
    import_or_skip("lifelines")
    theirs = import_or_skip("sksurv.linear_model")
    tools = importlib.import_module("sksurv.util")
    time, is_event = draw(5)
    rng = np.random.default_rng(1)
    table = {"burden": rng.normal(50.0, 20.0, time.size), "is_male": (rng.random(time.size) < 0.5).astype(float)}
    fitted = theirs.CoxPHSurvivalAnalysis(ties="efron", tol=1e-12)
    fitted.fit(np.column_stack(list(table.values())), tools.Surv.from_arrays(is_event, time))
    ours = fit_cox(time, is_event, table)
    np.testing.assert_allclose([effect.log_ratio for effect in ours], fitted.coef_, atol=1e-8)
    assert all(effect.ratio.lower < effect.ratio.value < effect.ratio.upper for effect in ours)


def test_the_error_of_a_cox_regression_is_that_of_lifelines():
    lifelines = import_or_skip("lifelines")
    pandas = importlib.import_module("pandas")
    time, is_event = draw(6)
    burden = np.random.default_rng(1).normal(5.0, 2.0, time.size)
    table = pandas.DataFrame({"time": time, "event": is_event, "burden": burden})
    fitted = lifelines.CoxPHFitter().fit(table, "time", "event", fit_options={"precision": 1e-9})
    ours = fit_cox(time, is_event, {"burden": burden})[0]
    row = fitted.summary.loc["burden"]
    assert ours.standard_error == pytest.approx(row["se(coef)"], abs=1e-8)
    assert ours.p_value == pytest.approx(row["p"], abs=1e-8)
    assert ours.ratio.upper == pytest.approx(row["exp(coef) upper 95%"], abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_the_cumulative_incidence_is_that_of_lifelines_where_no_times_are_tied(seed):
    lifelines = import_or_skip("lifelines")
    time, is_event = draw(seed, with_ties=False)
    cause = np.where(is_event, 1 + np.arange(time.size) % 2, 0)
    curve = compute_cumulative_incidence(time, cause, 1)
    fitted = lifelines.AalenJohansenFitter(calculate_variance=True).fit(time, cause, event_of_interest=1)
    theirs = fitted.cumulative_density_.loc[curve.time].to_numpy().ravel()
    np.testing.assert_allclose(curve.incidence, theirs, atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_the_cumulative_incidence_is_that_of_scikit_survival_with_tied_times(seed):
    theirs = import_or_skip("sksurv.nonparametric")
    time, is_event = draw(seed)
    time = np.append(time, time.max() + 1.0)
    is_event = np.append(is_event, False)
    cause = np.where(is_event, 1 + np.arange(time.size) % 2, 0)
    days, incidence, interval = theirs.cumulative_incidence_competing_risks(
        cause, time, conf_type="log-log", var_type="Dinse_Approx"
    )
    for of in (1, 2):
        curve = compute_cumulative_incidence(time, cause, of)
        np.testing.assert_allclose(curve.time, days)
        np.testing.assert_allclose(curve.incidence, incidence[of], atol=1e-8)
        is_open = curve.incidence > 0
        np.testing.assert_allclose(curve.lower[is_open], interval[of, 0][is_open], atol=1e-8)
        np.testing.assert_allclose(curve.upper[is_open], interval[of, 1][is_open], atol=1e-8)


def test_incidences_of_all_causes_and_survival_add_up():
    time, is_event = draw(2)
    cause = np.where(is_event, 1 + np.arange(time.size) % 3, 0)
    total = sum(compute_cumulative_incidence(time, cause, of).incidence for of in (1, 2, 3))
    np.testing.assert_allclose(total + compute_kaplan_meier(time, is_event).survival, 1.0)


def test_those_who_leave_at_a_time_are_at_risk_then():
    time = np.array([30.0, 90.0, 90.0, 200.0])
    curve = compute_kaplan_meier(time, np.array([True, True, False, False]))
    assert curve.at_risk.tolist() == compute_at_risk(time, curve.time).tolist() == [4, 3, 1]
    assert compute_at_risk(time, np.array([0.0, 201.0])).tolist() == [4, 0]


def test_where_nobody_or_everybody_had_an_event_the_interval_is_a_point():
    curve = compute_kaplan_meier(np.array([10.0, 20.0]), np.array([False, False]))
    assert curve.survival.tolist() == curve.lower.tolist() == curve.upper.tolist() == [1.0, 1.0]
    curve = compute_kaplan_meier(np.array([10.0, 20.0]), np.array([True, True]))
    assert (curve.survival[-1], curve.lower[-1], curve.upper[-1]) == (0.0, 0.0, 0.0)
    assert compute_quantile(curve).value == 10.0


@pytest.mark.parametrize(
    ("time", "is_event", "message"),
    [
        ([-1.0], [True], "finite and not negative, but was -1.0"),
        ([float("nan")], [True], "but was nan"),
        ([], [], "one entry for each subject"),
        ([1.0, 2.0], [True], "one entry for each subject"),
    ],
)
def test_times_that_cannot_be_used_are_named(time, is_event, message):
    with pytest.raises(InputError, match=message):
        compute_kaplan_meier(np.array(time), np.array(is_event, dtype=bool))


def test_groups_and_covariates_that_cannot_be_compared_are_named():
    time, is_event = np.array([10.0, 20.0, 30.0]), np.array([True, True, False])
    with pytest.raises(InputError, match="at least two groups"):
        compute_log_rank(time, is_event, ["a", "a", "a"])
    with pytest.raises(InputError, match="must hold an event"):
        compute_log_rank(time, np.zeros(3, dtype=bool), ["a", "b", "a"])
    with pytest.raises(InputError, match="must hold an event"):
        fit_cox(time, np.zeros(3, dtype=bool), {"x": np.array([1.0, 2.0, 3.0])})
    with pytest.raises(InputError, match=r"'x' is 1\.0 everywhere"):
        fit_cox(time, is_event, {"x": np.ones(3)})
    with pytest.raises(InputError, match="'x' does not"):
        fit_cox(time, is_event, {"x": np.array([1.0, np.nan, 2.0])})
    with pytest.raises(InputError, match="must hold at least one"):
        fit_cox(time, is_event, {})


def test_a_covariate_that_separates_is_an_error_in_words():
    import_or_skip("lifelines")
    time = np.arange(1.0, 21.0)
    with pytest.raises(InputError, match="separates"):
        fit_cox(time, time <= 10, {"x": (time <= 10).astype(float)})


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "lifelines", None)
    with pytest.raises(InputError, match='extra "survival"'):
        fit_cox(np.array([1.0, 2.0]), np.array([True, True]), {"x": np.array([0.0, 1.0])})


@pytest.mark.parametrize(("time", "is_event"), [([5.0, 5.0], [True, True]), ([3.0, 5.0], [False, True])])
def test_groups_that_were_never_at_risk_together_are_not_told_apart(time, is_event):
    found = compute_log_rank(np.array(time), np.array(is_event), ["a", "b"])
    assert (found.statistic, found.p_value) == (0.0, 1.0)
