"""A broken record is refused with a sentence that names the file, the row and the fix; nothing passes silently."""

import re
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
    "no cells given": (
        {"events": EVENTS.replace("4.5e8", "0")},
        "column amount",
        "leave it empty",
    ),
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
    "day as a serial number of a spreadsheet": (
        observation("P1,45350,crp,1,mg/L,,,,"),
        "row 4, column day",
        "not dates",
    ),
    "thousands apart": (observation('P1,56,ferritin,"1,250.5",ng/mL,,,,'), "row 4, column value", "between thousands"),
    "unit within the value": (observation("P1,56,crp,3 mg/L,mg/L,,,,"), "row 4, column value", "its unit has a column"),
    "MRD as a word": (observation("P1,56,mrd,negative,1,NGF,1e-5,,"), "row 4, column value", "'left' in censored"),
    "not available": (observation("P1,56,crp,NA,mg/L,,,,"), "row 4, column value", "leave out"),
    "haemoglobin in g/L": (observation("P1,56,haemoglobin,135,g/dL,,,,"), "row 4, column value", "its unit"),
    "calcium in mmol/L": (observation("P1,56,calcium,2.4,mg/dL,,,,"), "row 4, column value", "its unit"),
    "neutrophils per microlitre": (observation("P1,56,neutrophils,1500,10*9/L,,,,"), "row 4, column value", "its unit"),
    "fraction as percent": (observation("P1,56,pd1_tim3_fraction,45,1,,,,"), "row 4, column value", "at most 1"),
    "fraction without a unit": (observation("P1,56,mrd,0.001,,,,,"), "row 4, column unit", "write the unit"),
    "half a score": (observation("P1,56,ecog,1.5,,,,,"), "row 4, column value", "whole number"),
    "word with a unit": (observation("P1,56,new_lesion,yes,mm,,,,"), "row 4, column unit", "must be empty"),
    "detail that a variable has not": (observation("P1,56,crp:serum,1,mg/L,,,,"), "row 4, column variable", "assay"),
    "word below a limit": (observation("P1,56,new_lesion,no,,,,left,"), "row 4, column censored", "'none' for a word"),
    "interval without its limit": (observation("P1,56,crp,1,mg/L,,,interval,"), "row 4, column lloq", "limit"),
    "negative limit": (observation("P1,56,crp,1,mg/L,,-1,,"), "row 4, column lloq", "at least 0"),
    "observed after death": (
        event("P1,20,death,,,,"),
        "observations.csv, row 3, column day",
        "after death on day 20",
    ),
    "treated after death": (
        event("P1,90,death,,,,\nP1,95,tocilizumab,,,,"),
        "events.csv, row 5, column day",
        "after death on day 90",
    ),
    "steroid per kilogram": (event("P1,3,corticosteroid,2,mg/kg,,"), "events.csv, row 4, column unit", "weight"),
    "negative duration": (event("P1,3,corticosteroid,10,mg,-1,"), "row 4, column duration_days", "at least 0"),
    "event twice": (event("P1,0.0,car_t,4.5e8,cells,,"), "events.csv, row 4, column day", "row 3"),
    "event without a type": (event("P1,3,,,,,"), "events.csv, row 4, column type", "must be filled"),
    "subject almost known": (observation("p1,56,crp,1,mg/L,,,,"), "row 4, column subject_id", "did you mean 'P1'"),
    "no subject": ({"subjects": SUBJECTS.splitlines()[0] + "\n"}, "subjects.csv", "one row for each subject"),
    "no header": ({"observations": ROWS}, "observations.csv, row 1", "write subject_id,day,variable"),
    "optional column misspelled": (
        {"observations": HEADER.replace("lloq", "LLOQ") + ROWS},
        "row 1, column lloq",
        "rename 'LLOQ'",
    ),
    "column without a name": ({"events": EVENTS.replace("note", "")}, "events.csv, row 1", "delete the column"),
    "column with a name used inside": (
        {"observations": HEADER.replace("source", "text") + ROWS},
        "row 1, column text",
        "rename the column",
    ),
    "line ends of an old Mac": ({"events": EVENTS.replace("\n", "\r")}, "events.csv, row 1", "LF"),
    "quote within a field": (event('P1,3,"bri"dging,,,,'), "events.csv, row 4", "quotes"),
    "spreadsheet renamed to csv": ({"events": b"PK\x03\x04 and so on"}, "events.csv, row 1", "spreadsheet"),
    "UTF-16 without a mark": ({"events": EVENTS.encode("utf-16-le")}, "events.csv, row 1", "UTF-8"),
    "unit that overflows": (observation("P1,56,crp,1,km9.km9.km9.km9.km9.km9.km9,,,,"), "row 4, column unit", "mg/L"),
    "unit of a thousand brackets": (
        observation(f"P1,56,crp,1,{'(' * 1000},,,,"),
        "observations.csv, row 4, column unit",
        "mg/L",
    ),
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
        "import re, sys, time\nfrom pathlib import Path\nfrom livingdrug.io.tables import read_record\n"
        "from livingdrug.core.errors import InputError\nstart = time.monotonic()\n"
        "try:\n    read_record(sys.argv[1])\nexcept InputError as error:\n    print(error)\n"
        # the peak of this program alone: what getrusage tells begins with the memory of the process that started it
        "status = Path('/proc/self/status')\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1] if status.exists() else 0\n"
        "print(time.monotonic() - start, peak)"
    )
    with (tmp_path / "events.csv").open("ab") as stream:
        for _ in range(64):
            stream.write(b"x" * 2**20)
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    *message, figures = done.stdout.strip().splitlines()
    seconds, kibibytes = map(float, figures.split())
    assert "observations.csv, row 4: must be UTF-8 text" in "\n".join(message)
    assert "events.csv, row 4: must be a line of at most 65536 bytes" in "\n".join(message)
    assert kibibytes < 400 * 1024
    assert seconds < 30


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
    rows = (
        "P1,1,temperature,100.4,[degF],,,,\nP1,2,serum_immunofixation,Positive,,,,,x\n"
        "P1,60,car_transgene,,copies/ug,q,50,left,"
    )
    extra = observation(rows) | {"subjects": SUBJECTS.replace("source\n", "source,ldh\n").replace("lab\n", "lab,250\n")}
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


def test_one_bad_row_does_not_hide_what_else_is_wrong(tmp_path):
    bad = observation('P1,56\nP1,57,"crp,1,mg/L,,,,\nP1,58,crp,-1,mg/L,,,,\nP1,59,crp,1,g,,,,')
    with pytest.raises(InputError) as caught:
        read_record(write(tmp_path, bad | event("P1,-3,relapse,,,,")))
    rows = [re.search(r"^(\w+).csv, row (\d+)", fault.where).groups() for fault in caught.value.faults]
    assert rows == [("events", "4"), *(("observations", str(row)) for row in (4, 5, 6, 7))]


def test_a_million_rows_with_one_fault_are_told_in_a_few_lines(tmp_path):
    rows = "".join(f"P1,{day / 100},crp,1,,,,,\n" for day in range(2000))
    with pytest.raises(InputError, match=r"rows 27 to 2001 \(1975 more\)") as caught:
        read_record(write(tmp_path, {"observations": HEADER + rows}))
    assert len(caught.value.faults) == 26


def test_lines_are_counted_as_an_editor_shows_them(tmp_path):
    text = EVENTS + '\nP1,3,tocilizumab,,,,"given twice,\nsee chart"\n\n\nP1,soon,relapse,,,,\n'
    with pytest.raises(InputError) as caught:
        read_record(write(tmp_path, {"events": text}))
    assert [fault.where for fault in caught.value.faults] == ["events.csv, row 9, column day"]


def test_subjects_are_not_called_unknown_when_their_file_could_not_be_read(tmp_path):
    with pytest.raises(InputError) as caught:
        read_record(write(tmp_path, {"subjects": SUBJECTS.encode("utf-16")}))
    assert len(caught.value.faults) == 1


def test_a_file_of_almost_the_right_name_is_pointed_out(tmp_path):
    write(tmp_path, {"events": None})
    (tmp_path / "Event.csv").write_text(EVENTS)
    with pytest.raises(InputError, match=r"did you mean 'Event.csv'"):
        read_record(tmp_path)
