"""Tables behind figures: swimmers, waterfall, survival and incidence."""

import polars as pl
import pytest

from livingdrug.clinical.cohort_tables import (
    select_times,
    tabulate_at_risk,
    tabulate_cumulative_incidence,
    tabulate_kaplan_meier,
    tabulate_swimmer,
    tabulate_waterfall,
)
from livingdrug.core.errors import InputError

COLUMNS = {
    "subject_id": pl.String,
    "endpoint": pl.String,
    "day": pl.Float64,
    "status": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "start_day": pl.Float64,
    "reader": pl.String,
}


def endpoints(*rows):
    """Rows of subject, endpoint, day, status, and perhaps value and reader."""
    table = [(*row[:4], row[4] if len(row) > 4 else "", "", 0.0, row[5] if len(row) > 5 else "") for row in rows]
    return pl.DataFrame(table, schema=COLUMNS, orient="row")


def verdicts(*rows):
    schema = {"subject_id": pl.String, "day": pl.Float64, "confirmed": pl.String, "reader": pl.String}
    return pl.DataFrame([(*row, "") for row in rows], schema=schema, orient="row")


TABLE = endpoints(
    ("a", "overall_survival", 400.0, "censored"),
    ("a", "confirmed_response", 28.0, "event"),
    ("a", "progression", 200.0, "event"),
    ("a", "time_to_next_treatment", 230.0, "event"),
    ("b", "overall_survival", 100.0, "event"),
    ("b", "time_to_next_treatment", 100.0, "event"),
)


def test_a_swimmer_has_a_bar_its_states_and_its_marks():
    table = tabulate_swimmer(
        verdicts(("a", 28.0, "PR"), ("a", 56.0, "PR"), ("a", 90.0, "CR"), ("a", 200.0, "PD")), TABLE
    )
    first = table.filter(pl.col("subject_id") == "a")
    assert first.filter(pl.col("kind") == "bar").select("order", "start_day", "end_day").row(0) == (0, 0.0, 400.0)
    states = first.filter(pl.col("kind") == "state").select("label", "start_day", "end_day").rows()
    assert states == [("PR", 28.0, 90.0), ("CR", 90.0, 200.0), ("PD", 200.0, 400.0)]
    marks = first.filter(pl.col("kind") == "mark").select("label", "start_day").rows()
    assert marks == [("response", 28.0), ("progression", 200.0), ("new treatment", 230.0), ("alive", 400.0)]


def test_a_death_that_ends_the_time_to_next_treatment_is_no_treatment():
    table = tabulate_swimmer(verdicts(), TABLE).filter(pl.col("subject_id") == "b")
    assert table.filter(pl.col("kind") == "mark")["label"].to_list() == ["death"]


def test_the_waterfall_stops_at_progression_and_goes_from_worst_to_best():
    rows = [
        ("a", -7.0, "tumour_spd", 1000.0),
        ("a", 28.0, "tumour_spd", 400.0),
        ("a", 200.0, "tumour_spd", 600.0),
        ("a", 250.0, "tumour_spd", 0.0),
        ("b", -7.0, "tumour_spd", 500.0),
        ("b", 28.0, "tumour_spd", 650.0),
        ("c", 28.0, "tumour_spd", 650.0),
        ("d", -7.0, "tumour_spd", 0.0),
        ("d", -7.0, "m_protein", 2.0),
        ("d", 28.0, "m_protein", 0.0),
    ]
    table = pl.DataFrame(rows, schema=["subject_id", "day", "variable", "value"], orient="row")
    best = endpoints(("a", "best_overall_response", 28.0, "event", "PR"))
    found = tabulate_waterfall(table, pl.concat([TABLE, best]))
    assert found.select("subject_id", "variable", "change_percent", "best_response").rows() == [
        ("b", "tumour_spd", 30.0, None),
        ("a", "tumour_spd", -60.0, "PR"),
        ("d", "m_protein", -100.0, None),
    ]
    assert found["best_day"].to_list() == [28.0, 28.0, 28.0]


def test_a_subject_whom_nobody_read_is_in_the_cohort_of_every_reader():
    table = endpoints(
        ("a", "overall_survival", 400.0, "censored", "", "R2"),
        ("a", "overall_survival", 400.0, "censored", "", "R1"),
        ("b", "overall_survival", 30.0, "event", "", ""),
    )
    assert select_times(table, "overall_survival")["subject_id"].to_list() == ["a", "b"]
    assert select_times(table, "overall_survival", reader="R2")["subject_id"].to_list() == ["a", "b"]


def test_the_waterfall_is_that_of_one_reader():
    rows = [
        ("a", -7.0, "target_lesion_sum", 50.0, "R1"),
        ("a", 28.0, "target_lesion_sum", 40.0, "R1"),
        ("a", -7.0, "target_lesion_sum", 60.0, "R2"),
        ("a", 28.0, "target_lesion_sum", 20.0, "R2"),
    ]
    table = pl.DataFrame(rows, schema=["subject_id", "day", "variable", "value", "reader"], orient="row")
    best = endpoints(*(("a", "best_overall_response", 28.0, "event", "PR", by) for by in ("R1", "R2")))
    assert tabulate_waterfall(table, best)["change_percent"].to_list() == [-20.0]
    assert tabulate_waterfall(table, best, reader="R2")["change_percent"].to_list() == [pytest.approx(-200 / 3)]


def test_what_was_not_detected_is_gone():
    rows = [("a", -7.0, "m_protein", 2.0, "none"), ("a", 28.0, "m_protein", None, "left")]
    table = pl.DataFrame(rows, schema=["subject_id", "day", "variable", "value", "censored"], orient="row")
    assert tabulate_waterfall(table, endpoints())["change_percent"].to_list() == [-100.0]


def test_survival_by_group_starts_at_one_and_counts_those_at_risk():
    table = tabulate_kaplan_meier(TABLE, "overall_survival", groups={"a": "x", "b": "y"})
    assert table.select("group", "time", "survival", "at_risk").rows() == [
        ("x", 0.0, 1.0, 1),
        ("x", 400.0, 1.0, 1),
        ("y", 0.0, 1.0, 1),
        ("y", 100.0, 0.0, 1),
    ]
    assert tabulate_at_risk(TABLE, "overall_survival", [0, 100, 101])["at_risk"].to_list() == [2, 2, 1]


def test_a_subject_in_whom_an_endpoint_is_not_defined_is_left_out():
    rows = endpoints(("a", "duration_of_response", 300.0, "event"), ("b", "duration_of_response", None, "censored"))
    assert select_times(rows, "duration_of_response")["subject_id"].to_list() == ["a"]


def test_one_reader_is_taken_at_a_time():
    rows = endpoints(
        ("a", "progression_free_survival", 100.0, "event", "", "central"),
        ("a", "progression_free_survival", 80.0, "event", "", "site"),
    )
    assert select_times(rows, "progression_free_survival")["time"].to_list() == [100.0]
    assert select_times(rows, "progression_free_survival", reader="site")["time"].to_list() == [80.0]


def test_an_endpoint_that_the_table_does_not_have_is_named():
    with pytest.raises(InputError, match="use one of confirmed_response, overall_survival"):
        tabulate_kaplan_meier(TABLE, "overal_survival")


def test_incidences_of_competing_endpoints_add_up():
    rows = endpoints(
        ("a", "progression_incidence", 10.0, "event"),
        ("a", "non_relapse_mortality", 10.0, "censored"),
        ("b", "progression_incidence", 20.0, "censored"),
        ("b", "non_relapse_mortality", 20.0, "event"),
        ("c", "progression_incidence", 30.0, "censored"),
        ("c", "non_relapse_mortality", 30.0, "censored"),
        ("d", "progression_incidence", 40.0, "censored"),
        ("d", "non_relapse_mortality", 40.0, "censored"),
    )
    table = tabulate_cumulative_incidence(rows)
    last = table.filter(pl.col("time") == 40.0)
    assert dict(zip(last["cause"], last["incidence"], strict=True)) == {
        "progression_incidence": 0.25,
        "non_relapse_mortality": 0.25,
    }


def test_tables_of_nobody_have_their_columns():
    assert tabulate_swimmer(verdicts(), endpoints()).is_empty()
    empty = pl.DataFrame(
        schema={"subject_id": pl.String, "day": pl.Float64, "variable": pl.String, "value": pl.Float64}
    )
    assert tabulate_waterfall(empty, endpoints()).columns[0] == "order"
