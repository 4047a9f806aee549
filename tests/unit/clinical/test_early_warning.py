"""First signals: each kind on both sides of its threshold, and the statistic over a cohort."""

import math

import polars as pl
import pytest

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.early_warning import compute_early_warning, derive_early_warning, tabulate_early_warning
from livingdrug.clinical.signals import find_signals
from livingdrug.core.assessment import ResponseCourse, SubjectTables
from livingdrug.core.ruleset import Truth
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("early-warning/1")
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String}
ROWS = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "censored": pl.String,
    "lloq": pl.Float64,
}


def build(variable, values, *more, events=(), product="other", disease="myeloma"):
    """Rows of one variable by day, and others; a text such as `<50` was not detected at that limit."""
    table = [(float(day), variable, value) for day, value in values.items()]
    table += [(float(day), name, value) for name, others in more for day, value in others.items()]
    rows = [
        (day, name, None, None, "left", float(value[1:]))
        if isinstance(value, str)
        else (day, name, value, None, "none", None)
        for day, name, value in table
    ]
    return SubjectTables(
        {"product": product, "disease": disease},
        pl.DataFrame(events, schema=EVENTS, orient="row"),
        pl.DataFrame(rows, schema=ROWS, orient="row"),
    )


def names(tables, *, signal_confirmation=False, **more):
    found = find_signals(tables, RULES, signal_confirmation=signal_confirmation, **more)
    return [(signal.name, signal.day) for signal in found]


RISE = math.exp(1.96 * math.sqrt(2.0) * 0.15)
"""How many times its lowest value an M-protein must be."""


def test_a_rise_counts_from_the_edge_of_noise():
    assert names(build("m_protein", {-7: 3.0, 28: 1.0, 56: RISE})) == [("rise_of_m_protein", 56.0)]
    assert names(build("m_protein", {-7: 3.0, 28: 1.0, 56: RISE - 0.001})) == []


def test_a_small_rise_from_next_to_nothing_is_no_signal():
    assert names(build("m_protein", {-7: 3.0, 28: 0.0, 56: 0.1})) == [("rise_of_m_protein", 56.0)]
    assert names(build("m_protein", {-7: 3.0, 28: 0.0, 56: 0.09})) == []


def test_a_rise_above_the_baseline_is_one_too_but_not_one_before_infusion():
    assert names(build("sbcma", {-7: 100.0, 28: 300.0})) == [("rise_of_sbcma", 28.0)]
    assert names(build("sbcma", {-30: 100.0, -7: 300.0, 28: 290.0})) == [("rise_of_sbcma", 28.0)]
    assert names(build("sbcma", {-30: 100.0, -7: 300.0})) == []


def test_a_rise_may_have_to_be_seen_twice():
    values = {-7: 3.0, 28: 0.5, 56: 0.9, 84: 0.5, 112: 0.9, 140: 1.2}
    assert names(build("m_protein", values)) == [("rise_of_m_protein", 56.0)]
    assert names(build("m_protein", values), signal_confirmation=True) == [("rise_of_m_protein", 140.0)]


def test_a_flare_may_be_left_out():
    values = {-7: 1000.0, 14: 2000.0, 28: 800.0, 56: 1500.0}
    assert names(build("tumour_spd", values)) == [("rise_of_tumour_spd", 14.0)]
    assert names(build("tumour_spd", values), signal_first_day=30.0) == [("rise_of_tumour_spd", 56.0)]


def test_the_chain_of_the_tumour_is_watched_and_the_ratio_that_leaves_normal():
    kappa = {-7: 500.0, 28: 12.0, 56: 13.0, 84: 40.0}
    light = {-7: 10.0, 28: 10.0, 56: 10.0, 84: 10.0}
    found = names(build("flc_kappa", kappa, ("flc_lambda", light)))
    assert found == [("flc_ratio", 84.0), ("rise_of_flc_involved", 84.0)]
    other = build("flc_kappa", {**kappa, 84: 13.0}, ("flc_lambda", {**light, 84: 100.0}))
    assert names(other) == [("flc_ratio", 84.0)]


def test_a_ratio_at_the_edge_of_normal_is_normal():
    light = {28: 10.0, 56: 10.0}
    assert names(build("flc_kappa", {28: 16.5, 56: 16.5}, ("flc_lambda", light))) == []
    assert names(build("flc_kappa", {28: 16.5, 56: 16.6}, ("flc_lambda", light))) == [("flc_ratio", 56.0)]


def test_residual_disease_must_have_been_gone():
    assert names(build("mrd", {28: "<1e-6", 90: 1e-5})) == [("residual_disease", 90.0)]
    assert names(build("mrd", {28: 1e-3, 90: 1e-4})) == []
    assert names(build("mrd", {28: "<1e-4", 90: 1e-3})) == []
    assert names(build("mrd", {28: "<1e-4", 90: 1e-3}, disease="b_all")) == [("residual_disease", 90.0)]


def test_what_needs_a_second_sample_is_known_with_it():
    lost = build("car_transgene", {14: 1e5, 60: "<50", 90: "<50"})
    assert names(lost) == [("car_loss", 90.0)]
    back = build("b_cells", {28: 0.0, 60: 120.0, 90: 130.0})
    assert names(back, target="CD19") == [("b_cell_return", 90.0)]
    assert names(back, target="BCMA") == names(back) == []


def test_a_signal_can_be_recomputed_from_its_trail():
    for tables in (
        build("m_protein", {-7: 3.0, 28: 0.5, 56: 0.9}),
        build("b_cells", {28: 0.0, 60: 120.0, 90: 130.0}),
    ):
        signals = find_signals(tables, RULES, target="CD19", signal_confirmation=False)
        assert signals
        for signal in signals:
            assert signal.finding.rows
            assert recompute(signal.finding) == Truth.TRUE


def course(progression=None, assessed=(28.0, 56.0, 84.0)):
    return ResponseCourse("PR", 28.0, "PR", 28.0, 28.0, None, progression, assessed_days=assessed)


def derive(tables, progression=None, **more):
    found = derive_early_warning(course(progression), tables, RULES, signal_confirmation=False, **more)
    return {e.name: e for e in found}


MARKER = {-7: 3.0, 28: 0.5, 56: 0.8, 84: 1.2}


def test_the_lead_runs_from_the_first_signal_to_progression():
    found = derive(build("m_protein", MARKER), 84.0)
    assert (found["first_signal"].value, found["first_signal"].day) == ("rise_of_m_protein", 56.0)
    lead = found["lead_time"]
    assert (lead.status, lead.day, lead.value, lead.start_day) == ("event", 84.0, "28", 56.0)


def test_a_signal_on_the_day_of_progression_warned_of_nothing():
    lead = derive(build("m_protein", {-7: 3.0, 28: 0.5, 84: 1.2}), 84.0)["lead_time"]
    assert (lead.status, lead.value) == ("event", "0")


def test_a_signal_after_new_treatment_is_none():
    tables = build("m_protein", MARKER, events=[(40.0, "next_therapy", None)])
    assert derive(tables, 84.0)["first_signal"].status == "censored"


def test_without_progression_a_signal_is_false_so_far_and_without_a_marker_nothing_is_said():
    lead = derive(build("m_protein", MARKER))["lead_time"]
    assert (lead.status, lead.value, lead.day) == ("censored", "28", 84.0)
    nothing = derive(build("crp", {28: 3.0}), 84.0)
    assert nothing["lead_time"].day is None
    assert "nothing that may signal" in nothing["lead_time"].reason


def tabulate(*subjects):
    rows = [
        (place, e.name, e.day, e.status, e.value, e.reason, e.start_day)
        for place, found in enumerate(subjects)
        for e in found.values()
    ]
    names = ["subject_id", "endpoint", "day", "status", "value", "reason", "start_day"]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def test_the_statistic_of_a_cohort_reports_both_sides():
    quiet = {-7: 3.0, 28: 0.5, 56: 0.5, 84: 0.5}
    table = tabulate(
        derive(build("m_protein", MARKER), 84.0),
        derive(build("m_protein", quiet), 84.0),
        derive(build("m_protein", MARKER)),
        derive(build("m_protein", quiet)),
        derive(build("m_protein", quiet)),
        derive(build("crp", {28: 3.0}), 84.0),
    )
    found = compute_early_warning(table)
    assert (found.progressed, found.warned, found.lead.value) == (2, 1, 28.0)
    assert (found.free, found.false_signals, found.not_watched) == (3, 1, 1)
    assert found.share_warned.value == 0.5
    assert found.share_false.value == pytest.approx(1 / 3)


def test_a_cohort_without_progression_has_no_lead():
    found = compute_early_warning(tabulate(derive(build("m_protein", {-7: 3.0, 28: 0.5}))))
    assert (found.progressed, found.warned) == (0, 0)
    assert math.isnan(found.share_warned.value)
    assert math.isnan(found.lead.value)


def test_a_surrogate_is_a_first_signal_only_if_so_chosen_but_is_told_anyway():
    tables = build("m_protein", MARKER, ("car_transgene", {14: 1e5, 28: 0.0, 35: 0.0}))
    found = derive(tables)
    assert found["first_signal"].value == "rise_of_m_protein"
    assert (found["signal_car_loss"].status, found["signal_car_loss"].day) == ("event", 35.0)
    assert derive(tables, signals="all")["first_signal"].value == "car_loss"
    assert derive(tables, signals="surrogates")["first_signal"].value == "car_loss"


def test_each_kind_of_signal_is_judged_by_itself():
    lost = ("car_transgene", {14: 1e5, 28: 0.0, 35: 0.0})
    quiet = {-7: 3.0, 28: 0.5, 56: 0.5, 84: 0.5}
    table = tabulate(
        derive(build("m_protein", MARKER, lost), 84.0),
        derive(build("m_protein", quiet), 84.0),
        derive(build("m_protein", quiet, lost)),
    )
    found = {row["signal"]: row for row in tabulate_early_warning(table).to_dicts()}
    rise, loss = found["rise_of_m_protein"], found["car_loss"]
    assert (rise["progressed"], rise["warned"], rise["median_lead"]) == (2, 1, 28.0)
    assert (rise["free"], rise["false_signals"]) == (1, 0)
    assert (loss["progressed"], loss["warned"], loss["median_lead"]) == (1, 1, 49.0)
    assert (loss["free"], loss["false_signals"], loss["share_false"]) == (1, 1, 1.0)
