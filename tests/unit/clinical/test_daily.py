"""A subject's rows by day: units, ranges, the worst of several."""

import polars as pl
import pytest

from livingdrug.clinical.daily import (
    Result,
    ask_value,
    ask_word,
    ask_yes,
    convert_range,
    find_lymphodepletion,
    find_standing,
    find_worst,
    list_conflicts,
    list_event_rows,
    read_results,
)
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Truth


def read(**columns):
    return read_results(pl.DataFrame({name: [value] for name, value in columns.items()}), [columns["variable"]])[0]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"variable": "temperature", "value": 104.0, "unit": "[degF]"}, (40.0, 40.0)),
        ({"variable": "temperature", "value": 40.0, "unit": None}, (None, None)),
        ({"variable": "temperature", "value": 40.0, "unit": "mg/L"}, (None, None)),
        ({"variable": "temperature", "value": 385.0, "unit": "Cel"}, (None, None)),
        ({"variable": "temperature", "value": None, "unit": "Cel"}, (None, None)),
        ({"variable": "temperature", "value": float("nan"), "unit": "Cel"}, (None, None)),
        ({"variable": "ice_score", "value": 8.0, "unit": None}, (8.0, 8.0)),
        ({"variable": "ice_score", "value": 11.0, "unit": None}, (None, None)),
        ({"variable": "crp", "value": 3.0, "unit": "mg/dL"}, (30.0, 30.0)),
        ({"variable": "crp", "value": None, "unit": "mg/dL", "lloq": 0.5, "censored": "left"}, (0.0, 5.0)),
        ({"variable": "crp", "value": 5.0, "unit": "mg/L", "lloq": None, "censored": "left"}, (0.0, 5.0)),
        ({"variable": "crp", "value": 300.0, "unit": "mg/L", "censored": "right"}, (300.0, float("inf"))),
        ({"variable": "crp", "value": 6.0, "unit": "mg/L", "lloq": 5.0, "censored": "interval"}, (5.0, 6.0)),
    ],
)
def test_a_value_is_read_in_its_canonical_unit_or_stays_unknown(row, expected):
    found = read(day=3.0, **row)
    assert found.low == pytest.approx(expected[0])
    assert found.high == pytest.approx(expected[1])


def test_a_table_without_units_is_in_canonical_ones():
    assert read(day=3.0, variable="crp", value=3.0).low == 3.0


def test_a_word_that_is_none_of_the_variable_is_unknown():
    assert not read(day=3.0, variable="oxygen", value=None, text="helium").is_known


def test_hours_of_a_day_are_one_day():
    assert [read(day=d, variable="crp", value=3.0).day for d in (3.0, 3.99, -0.5)] == [3.0, 3.0, -1.0]


@pytest.mark.parametrize(("worst", "row"), [("highest", 2), ("lowest", 1)])
def test_the_worst_of_several_values_counts_and_a_known_one_first(worst, row):
    rows = [Result("crp", 3.0, n, value, value) for n, value in ((1, 3.0), (2, 8.0), (3, None))]
    assert find_worst({"crp": rows}, {"crp": worst})["crp"].row == row


def test_of_equal_rows_the_first_counts_so_that_duplicates_change_nothing():
    rows = [Result("crp", 3.0, n, 8.0, 8.0) for n in (4, 2)]
    assert find_worst({"crp": rows}, {"crp": "highest"})["crp"].row == 2


def test_a_range_is_compared_at_both_ends():
    limit = Value(3.0, "mg/dL", "memory", "none", "assumed")
    inside, above = Result("crp", 1.0, 0, 0.0, 50.0), Result("crp", 1.0, 0, 40.0, float("inf"))
    assert ask_value("CRP", "crp", inside, ">=", limit).truth == Truth.UNKNOWN
    assert "between 0 and 5 mg/dL" in ask_value("CRP", "crp", inside, ">=", limit).note
    assert ask_value("CRP", "crp", above, ">=", limit).truth == Truth.TRUE
    assert ask_value("CRP", "crp", None, ">=", limit).missing == ("crp",)


def test_a_threshold_in_a_foreign_unit_is_a_fault_of_the_program():
    with pytest.raises(ValueError, match="'Cel'"):
        convert_range(Result("crp", 1.0, 0, 1.0, 1.0), "Cel")


def test_an_open_word_is_unknown_and_one_without_a_grade_is_none():
    grades = {"seizure_brief": Value(3.0, "score", "memory", "none", "assumed")}
    brief, none = (Result("seizure", 1.0, 0, word=word) for word in ("brief", "none"))
    assert ask_word("seizure", brief, "seizure", grades, 3).truth == Truth.TRUE
    assert ask_word("seizure", brief, "seizure", grades, 4).truth == Truth.FALSE
    assert ask_word("seizure", none, "seizure", grades, 1).truth == Truth.FALSE
    assert ask_yes("other", Result("hypoxia", 1.0, 0, word="indeterminate"), "hypoxia").truth == Truth.UNKNOWN


def test_a_result_stands_for_its_days_and_the_latest_goes_first():
    days = {d: {"crp": Result("crp", d, int(d), d, d)} for d in (1.0, 3.0)}
    assert find_standing(days, 4.0, ["crp"], 5.0)["crp"].row == 3
    assert find_standing(days, 2.0, ["crp"], {"crp": 1.0})["crp"].row == 1
    assert find_standing(days, 9.0, ["crp"], 5.0) == {}


def test_equal_values_are_no_conflict():
    rows = [Result("crp", 3.0, n, value, value) for n, value in ((1, 3.0), (2, 3.0))]
    assert list_conflicts({3.0: {"crp": rows}}, ["crp"]) == []


def test_without_lymphodepletion_the_given_day_stands():
    assert find_lymphodepletion([], -5.0) == (-5.0, None)
    after = [{"day": 40.0, "type": "lymphodepletion", "row": 0}]
    assert find_lymphodepletion(after, -5.0) == (-5.0, None)


def test_events_come_by_day_with_their_rows():
    table = pl.DataFrame({"day": [3.0, 1.0], "type": ["death", "tocilizumab"], "row": [8, 9]})
    assert [(e["type"], e["row"], e["note"]) for e in list_event_rows(table)] == [
        ("tocilizumab", 9, None),
        ("death", 8, None),
    ]
