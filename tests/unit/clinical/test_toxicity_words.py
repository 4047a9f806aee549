"""Words of a record, words of the rules and orders from bad to mild name the same things."""

import polars as pl
import pytest

from livingdrug.clinical import crs, crs_axes, hscore, hyperinflammation, icans
from livingdrug.clinical.crs import assess_crs
from livingdrug.clinical.hyperinflammation import assess_iec_hs
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.variables import EVENT_TYPES, VARIABLES
from livingdrug.io.tables import read_record
from livingdrug.knowledge.rules import load_rules

ORDERS = {
    "crs": crs_axes.CRS_WORST,
    "icans": icans._WORST,
    "hscore": hscore._WORST,
    "iec-hs": hyperinflammation._WORST,
}
GRADED = {
    "astct-crs/2019": ("oxygen",),
    "astct-icans/2019": (
        "consciousness",
        "seizure",
        "motor_weakness",
        "cerebral_oedema",
        "raised_intracranial_pressure",
    ),
}
UNGRADED = {"none", "awake", "mild"}


@pytest.mark.parametrize("name", ORDERS)
def test_every_word_has_its_place_in_the_order_from_bad_to_mild(name):
    for variable, order in ORDERS[name].items():
        words = VARIABLES[variable].words
        assert bool(words) == isinstance(order, tuple), variable
        assert set(words) <= set(order) or not words, variable


@pytest.mark.parametrize("name", GRADED)
def test_every_word_has_its_grade_in_the_value_file_and_nothing_else_has(name):
    rules = load_rules(name)
    for variable in GRADED[name]:
        words = {word for word in VARIABLES[variable].words if word not in UNGRADED}
        graded = {key.removeprefix(f"{variable}_") for key in rules.thresholds if key.startswith(f"{variable}_")}
        assert graded == words


@pytest.mark.parametrize("name", GRADED)
def test_the_order_of_words_is_that_of_their_grades(name):
    rules, order = load_rules(name), {**crs_axes.CRS_WORST, **icans._WORST}
    for variable in GRADED[name]:
        known = (rules.thresholds.get(f"{variable}_{word}") for word in order[variable])
        grades = [0.0 if value is None else value.value for value in known]
        assert grades == sorted(grades, reverse=True)


def test_treatments_are_types_of_events():
    assert set(crs.TREATMENTS) <= set(EVENT_TYPES)


def write(folder, name, lines):
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(folder):
    record = read_record(folder)
    return SubjectTables(
        record.subjects.row(0, named=True),
        record.events.with_row_index("row"),
        record.observations.with_row_index("row"),
    )


def test_a_record_as_a_hospital_writes_it_can_be_graded(tmp_path):
    write(tmp_path, "subjects", ["subject_id,disease,product,age_years", "a,lbcl,axi_cel,61"])
    write(tmp_path, "events", ["subject_id,day,type,note", "a,0,car_t,", "a,3,tocilizumab,"])
    write(
        tmp_path,
        "observations",
        [
            "subject_id,day,variable,value,unit",
            "a,2,temperature,102.2,[degF]",
            "a,2,oxygen,none,",
            "a,2,hypotension,no,",
            "a,3,temperature,37,Cel",
            "a,3,hypotension,yes,",
            "a,3,vasopressors,1,",
            "a,3,oxygen,nasal_cannula,",
            "a,3,oxygen_flow,2,L/min",
        ],
    )
    found = assess_crs(read(tmp_path), load_rules("astct-crs/2019"))
    assert [v.time_point for v in found.verdicts] == ["1", "3"]
    assert {row for f in found.verdicts[1].findings for row in f.rows} >= {5}


def test_limits_of_normal_are_read_in_the_unit_of_their_row(tmp_path):
    write(tmp_path, "subjects", ["subject_id,disease,product", "a,lbcl,axi_cel"])
    write(tmp_path, "events", ["subject_id,day,type", "a,0,car_t"])
    write(
        tmp_path,
        "observations",
        [
            "subject_id,day,variable,value,unit,lower_limit_of_normal,upper_limit_of_normal",
            "a,12,ferritin,0.7,mg/L,0.03,0.3",
            "a,12,fibrinogen,1.9,g/L,2,4",
        ],
    )
    (verdict,) = assess_iec_hs(read(tmp_path), load_rules("iec-hs/2023")).verdicts
    assert verdict.time_point == "screen_positive"


def test_findings_name_rows_of_the_table_they_come_from():
    table = pl.DataFrame(
        {
            "day": [1.0, 1.0],
            "variable": ["temperature", "crp"],
            "value": [39.0, 9.0],
            "unit": ["Cel", "mg/L"],
            "row": [41, 42],
        }
    )
    events = pl.DataFrame({"day": [2.0], "type": ["death"], "note": ["CRS"], "row": [7]})
    found = assess_crs(SubjectTables({}, events, table), load_rules("astct-crs/2019"))
    assert found.verdicts[0].findings[0].rows == (41,)
    assert found.verdicts[1].findings[0].event_rows == (7,)
