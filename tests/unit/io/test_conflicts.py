"""Rows that contradict each other: refused as a rule, kept and named on request."""

import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.tables import check_record
from livingdrug.io.tables import read_record

HEADER = "subject_id,day,variable,value,unit,assay,lloq,censored,reader\n"


def write(folder, rows):
    (folder / "subjects.csv").write_text("subject_id,disease,product\nP1,myeloma,ide_cel\n")
    (folder / "events.csv").write_text("subject_id,day,type\nP1,0,car_t\n")
    (folder / "observations.csv").write_text(HEADER + rows)
    return folder


TWO = "P1,28,m_protein,1.2,g/dL,,,,\nP1,28,m_protein,9,g/L,,,,\n"


def test_two_values_of_one_day_are_refused_unless_asked_for(tmp_path):
    with pytest.raises(InputError, match=r"row 3.*in conflict with row 2"):
        read_record(write(tmp_path, TWO))


def test_both_values_are_kept_and_named_with_their_rows(tmp_path):
    record = read_record(write(tmp_path, TWO), keep_conflicts=True)
    assert record.observations["value"].to_list() == [1.2, 0.9]
    assert record.conflicts == (
        "observations.csv, row 2 and row 3: m_protein of P1 on day 28 is 1.2 g/dL and 9 g/L; both are kept",
    )
    check_record(record)


def test_an_exact_repetition_is_named_where_conflicts_are_kept_and_refused_otherwise(tmp_path):
    folder = write(tmp_path, TWO + "P1,28,m_protein,1.20,g/dL,,,,\n")
    record = read_record(folder, keep_conflicts=True)
    assert record.conflicts[1] == "observations.csv, row 4 repeats row 2; it counts once"
    with pytest.raises(InputError, match="in conflict with row 2"):
        read_record(folder)


def test_the_same_amount_in_another_unit_is_a_repetition(tmp_path):
    rows = "P1,28,m_protein,1.2,g/dL,,,,\nP1,28,m_protein,12,g/L,,,,\n"
    with pytest.raises(InputError, match="a repetition of row 2"):
        read_record(write(tmp_path, rows))


def test_two_words_of_one_day_contradict_each_other(tmp_path):
    rows = "P1,28,new_lesion:N1,yes,,,,,a\nP1,28,new_lesion:N1,no,,,,,a\nP1,28,new_lesion:N1,no,,,,,b\n"
    record = read_record(write(tmp_path, rows), keep_conflicts=True)
    assert len(record.observations) == 3
    assert [text.count("by a is yes and no") for text in record.conflicts] == [1]


def test_a_value_and_a_limit_contradict_each_other(tmp_path):
    rows = "P1,28,sbcma,5,ng/mL,,2,none,\nP1,28,sbcma,,ng/mL,,2,left,\n"
    assert len(read_record(write(tmp_path, rows), keep_conflicts=True).conflicts) == 1


def test_readers_do_not_contradict_each_other(tmp_path):
    rows = "P1,28,target_lesion:T1,20,mm,,,,a\nP1,28,target_lesion:T1,25,mm,,,,b\n"
    record = read_record(write(tmp_path, rows))
    assert record.observations["reader"].to_list() == ["a", "b"]
    assert record.conflicts == ()


def test_everything_else_stays_a_fault(tmp_path):
    with pytest.raises(InputError) as caught:
        read_record(write(tmp_path, TWO + "P1,30,m_protein,1,,,,,\n"), keep_conflicts=True)
    assert [fault.where for fault in caught.value.faults] == ["observations.csv, row 4, column unit"]
