import polars as pl
import pytest

from livingdrug.clinical.limits_of_normal import find_limits, find_limits_at, read_limits_of_row
from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record, check_record, encode_record
from livingdrug.io.tables import read_record

SUBJECTS = "subject_id,disease,product\nP1,myeloma,ide_cel\n"
EVENTS = "subject_id,day,type,amount,unit\nP1,0,car_t,4.5e8,cells\n"
HEAD = "subject_id,day,variable,value,unit,lower_limit_of_normal,upper_limit_of_normal\n"


def read(folder, rows):
    for name, text in (("subjects", SUBJECTS), ("events", EVENTS), ("observations", HEAD + rows)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return read_record(folder)


def test_limits_are_read_in_the_unit_of_their_row(tmp_path):
    record = read(tmp_path, "P1,9,haemoglobin,90,g/L,120,170\nP1,9,deauville,3,,,\nP1,9,new_lesion,no,,,\n")
    row = record.observations.row(0, named=True)
    assert [row[name] for name in ("value", "lower_limit_of_normal", "upper_limit_of_normal")] == [9.0, 12.0, 17.0]
    assert record.observations["lower_limit_of_normal"].to_list()[1:] == [None, None]


def test_a_record_with_limits_is_the_same_after_writing_and_reading(tmp_path):
    record = read(tmp_path, "P1,9,creatinine,100,umol/L,60,110\n")
    check_record(record)
    assert encode_record(record)["observations"]["unit"].to_list() == ["mg/dL"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("P1,9,ldh,300,U/L,250,100\n", "row 2, column lower_limit_of_normal: must not be above"),
        ("P1,9,ldh,300,U/L,<100,250\n", "row 2, column lower_limit_of_normal: must be a finite number"),
        ("P1,9,new_lesion,no,,1,\n", "row 2, column lower_limit_of_normal: must be empty for a word"),
    ],
)
def test_a_limit_that_cannot_be_right_is_refused_with_its_row(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, rows)


def test_a_record_without_these_columns_has_no_limits(tmp_path):
    record = read(tmp_path, "P1,9,ldh,300,U/L,,\n")
    plain = Record(record.subjects, record.events, record.observations.drop("lower_limit_of_normal"))
    check_record(plain)
    assert find_limits(plain.observations) == {}


def test_of_several_limits_of_a_day_the_narrower_count():
    table = pl.DataFrame(
        {
            "day": [9.0, 9.0],
            "variable": ["ldh", "ldh"],
            "unit": ["U/L", "U/L"],
            "lower_limit_of_normal": [100.0, 120.0],
            "upper_limit_of_normal": [250.0, 240.0],
        }
    )
    found = find_limits(table)["ldh", 9.0]
    assert (found.lower, found.upper) == (120.0, 240.0)
    assert find_limits_at(find_limits(table), "ldh", 200.0) == found


def test_limits_that_contradict_each_other_are_not_known():
    found = read_limits_of_row({"variable": "ldh", "lower_limit_of_normal": 300.0, "upper_limit_of_normal": 200.0})
    assert (found.lower, found.upper) == (None, None)


def test_limits_of_a_table_in_other_units_are_converted():
    row = {"variable": "ldh", "unit": "g", "upper_limit_of_normal": 200.0}
    assert read_limits_of_row(row).upper is None
    row = {"variable": "haemoglobin", "unit": "g/L", "upper_limit_of_normal": 170.0}
    assert read_limits_of_row(row).upper == 17.0
