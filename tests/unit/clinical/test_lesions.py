"""Rows of images as baselines and scans, one set a reader."""

import polars as pl
import pytest

from livingdrug.clinical.lesions import CODES, Scan, confirm_equivocal, read_lesions
from livingdrug.clinical.visits import Measured
from livingdrug.core.errors import InputError

BASES = ("target_lesion", "target_node", "non_target_lesion", "new_lesion", "overall_response")
SCHEMA = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "text": pl.String,
    "censored": pl.String,
    "reader": pl.String,
}


def lesion(day, value, reader=None, name="target_lesion:T1", unit="mm", censored="none"):
    return (day, name, value, unit, None, censored, reader)


def word(day, text, name="non_target_lesion:NT1", reader=None):
    return (day, name, None, None, text, "none", reader)


def read(rows, baseline_day=0.0, window_days=0.0):
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return read_lesions(table, BASES, baseline_day=baseline_day, window_days=window_days, too_small=5.0)


def test_each_reader_has_a_baseline_and_scans_of_one_s_own():
    rows = [lesion(-7, 30, "A"), lesion(-6, 28, "B"), lesion(42, 20, "A"), lesion(43, 19, "B")]
    first, second = read(rows)
    assert (first.reader, second.reader) == ("A", "B")
    assert first.baseline["target_lesion:T1"].value == 30
    assert [scan.day for scan in second.scans] == [43]


def test_rows_without_a_reader_are_one_reader_s():
    (reading,) = read([lesion(-7, 30), lesion(42, 20)])
    assert reading.reader == ""


def test_a_new_lesion_that_nobody_signed_is_seen_by_every_reader():
    rows = [lesion(-7, 30, "A"), lesion(-7, 28, "B"), word(42, "yes", "new_lesion")]
    assert [list(reading.scans[0].measured) for reading in read(rows)] == [["new_lesion"]] * 2


def test_centimetres_are_converted_and_a_unit_that_is_missing_leaves_a_diameter_unknown():
    (reading,) = read([lesion(-7, 3, unit="cm"), lesion(42, 20, unit=None), lesion(84, 20, unit="kg")])
    assert reading.baseline["target_lesion:T1"].value == pytest.approx(30)
    assert [scan.measured["target_lesion:T1"].value for scan in reading.scans] == [None, None]


def test_the_last_known_value_before_the_infusion_is_the_baseline():
    (reading,) = read([lesion(-40, 20), lesion(-7, 30), lesion(-1, None), lesion(42, 20)])
    assert reading.baseline["target_lesion:T1"].value == 30


def test_a_lesion_too_small_to_measure_has_the_size_that_the_criteria_give_it():
    (reading,) = read([lesion(-7, 30), lesion(42, None, censored="left")])
    assert reading.scans[0].measured["target_lesion:T1"].value == 5


def test_of_two_results_on_one_day_the_worse_counts_in_any_order():
    for rows in ([lesion(42, 20), lesion(42, 25)], [lesion(42, 25), lesion(42, 20)]):
        (reading,) = read([lesion(-7, 30), *rows])
        assert reading.scans[0].measured["target_lesion:T1"].value == 25
        assert "rows 1 and 2" in reading.warnings[0]


def test_the_same_row_twice_is_no_contradiction():
    (reading,) = read([lesion(-7, 30), lesion(-7, 30), word(42, "present"), word(42, "present")])
    assert reading.warnings == ()


@pytest.mark.parametrize(
    ("texts", "worse"),
    [
        (("present", "absent"), "present"),
        (("absent", "not_evaluable"), "not_evaluable"),
        (("not_evaluable", "present"), "present"),
        (("increased", "unequivocal_progression"), "unequivocal_progression"),
    ],
)
def test_words_have_an_order_from_worst_to_best(texts, worse):
    (reading,) = read([lesion(-7, 30), *(word(42, text) for text in texts)])
    assert reading.scans[0].measured["non_target_lesion:NT1"].word == worse


def test_every_diameter_that_is_none_is_refused_at_once():
    rows = [lesion(-7, -1), lesion(42, float("inf")), (84, "target_lesion:T1", None, "mm", "20 mm", "none", None)]
    with pytest.raises(InputError, match="3 faults") as error:
        read(rows)
    assert [fault.was for fault in error.value.faults] == ["-1", "inf", "'20 mm'"]


def test_days_close_together_are_one_scan_unless_a_lesion_was_measured_twice():
    rows = [lesion(-7, 30), lesion(42, 20), lesion(44, 10, name="target_node:N1"), lesion(45, 21)]
    assert [scan.day for scan in read(rows, window_days=3)[0].scans] == [42, 45]
    assert [scan.day for scan in read(rows)[0].scans] == [42, 44, 45]


def test_a_code_on_the_day_of_the_baseline_is_a_response_and_a_lesion_is_not():
    (reading,) = read([lesion(0, 30), word(0, "pr", "overall_response"), word(-1, "cr", "overall_response")])
    assert [list(scan.measured) for scan in reading.scans] == [["overall_response"]]
    assert "before day 0" in reading.warnings[0]


def test_a_chain_of_equivocal_scans_is_dated_to_the_first():
    texts = {28.0: "no", 42.0: "equivocal", 70.0: "equivocal", 98.0: "yes"}
    scans = [Scan(day, {"new_lesion": Measured(None, text, 0, day)}) for day, text in texts.items()]
    changed, notes = confirm_equivocal(scans)
    assert [scan.measured["new_lesion"].word for scan in changed] == ["no", "yes", "yes", "yes"]
    assert len(notes) == 2


def test_a_result_that_the_site_accepted_goes_before_a_worse_one():
    table = pl.DataFrame(
        {
            "day": [42.0, 42.0, 84.0],
            "variable": ["overall_response"] * 3,
            "text": ["pr", "pd", "sd"],
            "value": [None] * 3,
            "accepted": ["yes", None, None],
        }
    )
    (reading,) = read_lesions(table, CODES, baseline_day=0.0, window_days=0.0, too_small=5.0)
    assert [scan.measured["overall_response"].word for scan in reading.scans] == ["pr", "sd"]
    assert reading.warnings == ()
