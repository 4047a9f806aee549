"""A broken record is refused with a sentence that names the file, the row and the fix; nothing passes silently."""

import re
import resource
import subprocess
import sys

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livingdrug.core.errors import InputError
from livingdrug.io.tables import read_record, write_record

SUBJECTS = "subject_id,disease,product,age_years,sex,weight_kg,source\nP1,myeloma,ide_cel,61,female,70,lab\n"
EVENTS = "subject_id,day,type,amount,unit,duration_days,note\nP1,-5,lymphodepletion,,,3,\nP1,0,car_t,4.5e8,cells,,\n"
HEADER = "subject_id,day,variable,value,unit,assay,lloq,censored,source\n"
ROWS = "P1,-3,m_protein,3.1,g/dL,,,none,lab\nP1,28,m_protein,1.2,g/dL,,,none,lab\n"
GOOD = {"subjects": SUBJECTS, "events": EVENTS, "observations": HEADER + ROWS}


def observation(row):
    return {"observations": HEADER + ROWS + row + "\n"}


def event(row):
    return {"events": EVENTS + row + "\n"}


# name: (what is changed, where the fault is, words of the rule or the fix)
BROKEN = {
    "wrong unit": (observation("P1,56,m_protein,1.0,mg/kg/m,,,,"), "observations.csv, row 4, column unit", "g/dL"),
    "unit of another quantity": (
        observation("P1,56,m_protein,1.0,U/L,,,,"),
        "observations.csv, row 4",
        "never guessed",
    ),
    "missing unit": (observation("P1,56,m_protein,1.0,,,,,"), "observations.csv, row 4, column unit", "write the unit"),
    "ambiguous power of ten": (observation("P1,56,platelets,150,10E9/L,,,,"), "observations.csv, row 4", "10*9/L"),
    "duplicate row": (observation("P1,28,m_protein,1.2,g/dL,,,none,lab"), "observations.csv, row 4", "row 3"),
    "conflicting duplicate": (observation("P1,28,m_protein,9,g/dL,,,none,lab"), "observations.csv, row 4", "row 3"),
    "date instead of a day": (observation("P1,2024-05-01,m_protein,1,g/dL,,,,"), "row 4, column day", "not dates"),
    "CAR T cells before infusion": (observation("P1,-7,car_t_cells,3,cells/uL,,,,"), "row 4, column day", "day 0"),
    "relapse before infusion": (event("P1,-30,relapse,,,,"), "events.csv, row 4, column day", "day 0 or later"),
    "next therapy before infusion": (event("P1,-30,next_therapy,,,,"), "events.csv, row 4", "prior_therapy"),
    "infusion not on day 0": (event("P1,3,car_t,1e8,cells,,"), "events.csv, row 4, column day", "second_infusion"),
    "negative value": (observation("P1,56,m_protein,-1,g/dL,,,,"), "row 4, column value", "at least 0"),
    "negative dose": (event("P1,90,second_infusion,-5,cells,,"), "events.csv, row 4, column amount", "at least 0"),
    "dose without a unit": (event("P1,90,second_infusion,1e8,,,"), "events.csv, row 4, column unit", "write the unit"),
    "dose per kilogram": (event("P1,90,second_infusion,2,1e6 cells/kg,,"), "events.csv, row 4", "multiply"),
    "unconverted light chains": (
        observation("P1,0,flc_kappa,40,mg/dL,,,,\nP1,28,flc_kappa,38,mg/L,,,,"),
        "observations.csv, row 5, column unit",
        "correct the unit",
    ),
    "comma decimal in quotes": (observation('P1,56,m_protein,"1,2",g/dL,,,,'), "row 4, column value", "decimal point"),
    "comma decimal": (observation("P1,56,m_protein,1,2,g/dL,,,,"), "observations.csv, row 4", "count the commas"),
    "empty file": ({"observations": ""}, "observations.csv", "header"),
    "only a blank line": ({"observations": "\n"}, "observations.csv, row 1", "header"),
    "binary file": ({"events": b"PK\x03\x04\x00\x00\x08\x00"}, "events.csv, row 1", "spreadsheet"),
    "UTF-16 file": ({"events": EVENTS.encode("utf-16")}, "events.csv, row 1", "UTF-8"),
    "Latin-1 file": (
        {"subjects": SUBJECTS.replace("lab", "h\xf4pital").encode("latin-1")},
        "subjects.csv, row 2",
        "UTF-8",
    ),
    "missing file": ({"events": None}, "events.csv", "add it"),
    "semicolons": ({"subjects": SUBJECTS.replace(",", ";")}, "subjects.csv, row 1", "semicolons"),
    "tabs": ({"subjects": SUBJECTS.replace(",", "\t")}, "subjects.csv, row 1", "tabs"),
    "renamed column": (
        {"observations": HEADER.replace("value", "Value") + ROWS},
        "row 1, column value",
        "rename 'Value'",
    ),
    "missing column": ({"events": "subject_id,day\nP1,0\n"}, "events.csv, row 1, column type", "add it"),
    "column twice": ({"events": EVENTS.replace("note", "day")}, "events.csv, row 1, column day", "rename or remove"),
    "not a number": (observation("P1,56,m_protein,pending,g/dL,,,,"), "row 4, column value", "not known"),
    "infinite value": (observation("P1,56,m_protein,inf,g/dL,,,,"), "row 4, column value", "finite"),
    "NaN value": (observation("P1,56,m_protein,NaN,g/dL,,,,"), "row 4, column value", "finite"),
    "value with a sign of limit": (observation("P1,56,m_protein,<0.1,g/dL,,,,"), "row 4, column value", "lloq"),
    "empty value": (observation("P1,56,m_protein,,g/dL,,,,"), "row 4, column value", "no row"),
    "unknown variable": (observation("P1,56,m_protien,1,g/dL,,,,"), "row 4, column variable", "'m_protein'"),
    "unknown event": (event("P1,9,tocilizumb,,,,"), "events.csv, row 4, column type", "'tocilizumab'"),
    "unknown word": (observation("P1,56,serum_immunofixation,maybe,,,,,"), "row 4, column value", "positive"),
    "unknown subject": (observation("P2,56,m_protein,1,g/dL,,,,"), "row 4, column subject_id", "subjects.csv"),
    "subject twice": ({"subjects": SUBJECTS + "P1,myeloma,ide_cel,,,,\n"}, "subjects.csv, row 3", "row 2"),
    "unknown disease": ({"subjects": SUBJECTS.replace("myeloma", "mieloma")}, "subjects.csv, row 2", "'myeloma'"),
    "unknown product": ({"subjects": SUBJECTS.replace("ide_cel", "ide-cel")}, "subjects.csv, row 2", "'ide_cel'"),
    "age of 610": ({"subjects": SUBJECTS.replace("61", "610")}, "subjects.csv, row 2, column age_years", "120"),
    "below a limit without it": (observation("P1,56,m_protein,,g/dL,,,left,"), "row 4, column lloq", "limit"),
    "limit above the value": (observation("P1,56,m_protein,1,g/dL,,2,none,"), "row 4, column value", "'left'"),
    "left but above the limit": (observation("P1,56,m_protein,3,g/dL,,2,left,"), "row 4, column value", "lloq"),
    "unknown censoring": (observation("P1,56,m_protein,1,g/dL,,,below,"), "row 4, column censored", "one of none"),
    "ragged row": (observation("P1,56,m_protein"), "observations.csv, row 4", "3 fields"),
    "open quote": (observation('P1,56,"m_protein,1,g/dL,,,,'), "observations.csv, row 4", "quotes"),
    "percent as a whole number": (
        observation("P1,56,marrow_plasma_cells,45,1,,,,"),
        "row 4, column value",
        "at most 100",
    ),
    "percent above 100": (observation("P1,56,spo2,940,%,,,,"), "row 4, column value", "at most 100"),
    "long line": (observation("P1,56,m_protein,1,g/dL,,,," + "x" * 70_000), "observations.csv, row 4", "lines end"),
}


def write(folder, changes):
    for name, text in (GOOD | changes).items():
        if text is not None:
            (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_the_record_that_is_broken_below_is_sound(tmp_path):
    record = read_record(write(tmp_path, {}))
    assert record.observations["value"].to_list() == [3.1, 1.2]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_record_names_file_row_and_fix(name, tmp_path):
    changes, where, words = BROKEN[name]
    with pytest.raises(InputError) as caught:
        read_record(write(tmp_path, changes))
    message = str(caught.value)
    assert where in message
    assert words in message
    assert caught.value.faults
    assert all(fault.hint for fault in caught.value.faults)


def test_all_faults_of_three_files_come_at_once(tmp_path):
    changes = {
        "subjects": SUBJECTS.replace("myeloma", "x"),
        "events": EVENTS + "P9,soon,relapse,,,,\n",
        **observation("P1,56,m_protein,-1,g/dl,,,,\nP1,57,m_proteins,1,,,,,\nP1,58,crp,1,,,,,"),
    }
    with pytest.raises(InputError) as caught:
        read_record(write(tmp_path, changes))
    assert len({re.match(r"[a-z]+", fault.where)[0] for fault in caught.value.faults}) == 3
    assert len(caught.value.faults) >= 6


@pytest.mark.parametrize("target", ["missing", "file"])
def test_what_is_not_a_folder_is_refused(target, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="must be a folder"):
        read_record(tmp_path / target)


def test_a_line_of_a_gigabyte_is_refused_quickly_and_in_little_memory(tmp_path):
    write(tmp_path, {})
    with (tmp_path / "observations.csv").open("ab") as stream:
        stream.truncate(2**30)
    program = (
        "import sys, resource, time\nfrom livingdrug.io.tables import read_record\n"
        "from livingdrug.core.errors import InputError\nstart = time.monotonic()\n"
        "try:\n    read_record(sys.argv[1])\nexcept InputError as error:\n    print(error)\n"
        "print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    *message, figures = done.stdout.strip().splitlines()
    seconds, kibibytes = map(float, figures.split())
    assert "observations.csv, row 4" in "\n".join(message)
    assert kibibytes < 400 * 1024
    assert seconds < 30
    assert resource.getpagesize() > 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["subjects", "events", "observations"]), content=st.binary(max_size=300))
def test_random_bytes_never_crash(name, content, tmp_path):
    try:
        read_record(write(tmp_path, {name: content}))
    except InputError as error:
        assert error.faults  # noqa: PT017 - either a record or a refusal is right


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.lists(
        st.sampled_from(
            ["", "P1", "0", "28", "m_protein", "1.5", "g/dL", "left", '"', "é", "1e400", "-", "car_t", " "]
        ),
        min_size=9,
        max_size=9,
    )
)
def test_random_rows_never_crash(cells, tmp_path):
    try:
        record = read_record(write(tmp_path, observation(",".join(cells))))
    except InputError as error:
        assert error.faults  # noqa: PT017 - either a record or a refusal is right
    else:
        assert len(record.observations) in {2, 3}


def test_writing_and_reading_again_loses_nothing(tmp_path):
    rows = "P1,1,temperature,100.4,[degF],,,,\nP1,2,serum_immunofixation,Positive,,,,,x\nP1,60,car_transgene,,copies/ug,q,50,left,\n"
    extra = observation(rows.rstrip("\n")) | {
        "subjects": SUBJECTS.replace("source\n", "source,ldh\n").replace("lab\n", "lab,250\n")
    }
    record = read_record(write(tmp_path, extra))
    write_record(record, tmp_path / "again")
    again = read_record(tmp_path / "again")
    for table in ("subjects", "events", "observations"):
        assert getattr(record, table).equals(getattr(again, table))
    assert record.subjects["ldh"].to_list() == [250.0]
    assert record.observations.filter(pl.col("variable") == "temperature")["value"].round(6).to_list() == [38.0]


def test_a_byte_order_mark_and_windows_line_ends_are_no_fault(tmp_path):
    text = (HEADER + ROWS).replace("\n", "\r\n")
    record = read_record(write(tmp_path, {"observations": b"\xef\xbb\xbf" + text.encode()}))
    assert len(record.observations) == 2
