"""Rows to visits, baseline, and the involved light chain."""

import polars as pl
import pytest

from livingdrug.clinical.myeloma_baseline import SIDES, derive_baseline, find_side
from livingdrug.clinical.panel_reading import read_panel
from livingdrug.clinical.visits import build_visits
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("imwg/2016")
NAMES = ("day", "variable", "value", "text", "unit", "assay", "lloq", "censored")
SCHEMA = dict.fromkeys(NAMES, pl.String) | {"day": pl.Float64, "value": pl.Float64, "lloq": pl.Float64}


def build(*rows):
    table = [(*row, *([None] * (len(NAMES) - len(row)))) for row in rows]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def test_what_was_not_detected_is_zero_and_keeps_its_limit():
    table = build((28.0, "m_protein", 0.05, None, "g/dL", None, 0.05, "left"))
    found = build_visits(table, ["m_protein"])[0].measured["m_protein"]
    assert (found.value, found.limit) == (0.0, 0.05)


@pytest.mark.parametrize("unit", [None, "mmol/L", "mg/24h"])
def test_a_unit_that_is_missing_or_does_not_fit_leaves_the_value_unknown(unit):
    table = build((28.0, "m_protein", 1.0, None, unit))
    assert build_visits(table, ["m_protein"])[0].measured["m_protein"].value is None


def test_of_two_results_on_a_day_the_worse_counts_and_a_shift_assay_before_all():
    rows = [
        (28.0, "m_protein", 0.2, None, "g/dL", "a"),
        (28.0, "m_protein", 0.4, None, "g/dL", "b"),
        (28.0, "serum_immunofixation", None, "positive", None, "standard"),
        (28.0, "serum_immunofixation", None, "negative", None, "shift assay"),
    ]
    for table in (build(*rows), build(*reversed(rows))):
        measured = build_visits(table, ["m_protein", "serum_immunofixation"])[0].measured
        assert measured["m_protein"].value == 0.4
        assert measured["serum_immunofixation"].word == "negative"


def test_a_window_never_joins_two_results_of_one_thing_or_crosses_the_infusion():
    rows = [(day, "m_protein", 1.0, None, "g/dL") for day in (-1.0, 1.0, 3.0)]
    assert [visit.day for visit in build_visits(build(*rows), ["m_protein"], window_days=7.0)] == [-1.0, 1.0, 3.0]


def read(*rows):
    return read_panel(build(*rows), ["flc_kappa", "flc_lambda"])


def test_light_chains_of_different_days_make_no_baseline():
    rows = [(-9.0, "flc_kappa", 400.0, None, "mg/L"), (-7.0, "flc_lambda", 10.0, None, "mg/L")]
    assert derive_baseline(read(*rows), RULES).involved.tolist() == [0]


def find_place(kappa, chain_lambda, limits=(None, None)):
    rows = [
        (28.0, name, value, None, "mg/L", None, limit, "none" if limit is None else "left")
        for name, value, limit in zip(("flc_kappa", "flc_lambda"), (kappa, chain_lambda), limits, strict=True)
    ]
    panel = read(*rows)
    return SIDES[find_side(*panel.chains, RULES)[0, 0]]


@pytest.mark.parametrize(
    ("kappa", "chain_lambda", "place"),
    [(16.5, 10.0, "normal"), (16.6, 10.0, "high"), (2.6, 10.0, "normal"), (2.5, 10.0, "low"), (5.0, 0.0, "high")],
)
def test_both_ends_of_the_normal_ratio_are_normal(kappa, chain_lambda, place):
    assert find_place(kappa, chain_lambda) == place


def test_a_chain_below_its_limit_leaves_the_ratio_open_unless_both_ends_agree():
    assert find_place(2.0, None, (None, 1.5)) == "not known"
    assert find_place(3.0, None, (None, 1.5)) == "high"
    assert find_place(None, 10.0, (1.5, None)) == "low"
    assert find_place(None, 5.0, (1.5, None)) == "not known"
