"""What must not matter for a record from SDTM: when it was, in which unit, in which order, under which letters."""

from datetime import date, timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livingdrug.io.sdtm import read_sdtm

START = date(2024, 3, 1)
HEAD = "USUBJID,LBSEQ,LBTESTCD,LBSTRESN,LBSTRESC,LBSTRESU,LBDTC,LBDY\n"
UNITS = {"g/dL": 1.0, "g/L": 10.0, "mg/dL": 1000.0}
LAWS = {"max_examples": 40, "deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@st.composite
def visits(draw):
    days = draw(st.lists(st.integers(-60, 400), min_size=1, max_size=6, unique=True))
    return [(day, draw(st.integers(1, 80)) / 10) for day in days]


def read(folder, rows, *, shift=0, unit="g/dL", with_dates=True, letters=str.lower):
    """Write a study of one subject and read it."""
    zero = START + timedelta(days=shift)
    lines = []
    for number, (day, value) in enumerate(rows, start=1):
        when = (zero + timedelta(days=day)).isoformat() if with_dates else ""
        study_day = day + 1 if day >= 0 else day
        text = f"{value * UNITS[unit]:.6g}"
        lines.append(f"S-1,{number},MCPROT,{text},{text},{unit},{when},{study_day}\n")
    files = {
        "dm": f"USUBJID,RFSTDTC\nS-1,{zero.isoformat()}\n",
        "ex": f"USUBJID,EXTRT,EXSTDTC\nS-1,IDE-CEL,{zero.isoformat()}\n",
        "lb": HEAD + "".join(lines),
    }
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / f"{letters(name)}.csv").write_text(content)
    record = read_sdtm(folder, disease="myeloma")
    found = record.observations.select("day", "variable", pl.col("value").round_sig_figs(9), "unit")
    return found.sort("day")


@settings(**LAWS)
@given(rows=visits(), shift=st.integers(-4000, 4000))
def test_a_shift_of_all_dates_changes_nothing(rows, shift, tmp_path):
    assert read(tmp_path / "a", rows, shift=shift).equals(read(tmp_path / "b", rows))


@settings(**LAWS)
@given(rows=visits(), unit=st.sampled_from(sorted(UNITS)))
def test_another_unit_changes_nothing(rows, unit, tmp_path):
    assert read(tmp_path / "a", rows, unit=unit).equals(read(tmp_path / "b", rows))


@settings(**LAWS)
@given(rows=visits(), turned=st.randoms())
def test_the_order_of_rows_changes_nothing(rows, turned, tmp_path):
    other = list(rows)
    turned.shuffle(other)
    assert read(tmp_path / "a", other).equals(read(tmp_path / "b", rows))


@settings(**LAWS)
@given(rows=visits())
def test_study_days_say_what_dates_say(rows, tmp_path):
    assert read(tmp_path / "a", rows, with_dates=False).equals(read(tmp_path / "b", rows))


@settings(**LAWS)
@given(rows=visits())
def test_a_row_that_stands_twice_changes_nothing(rows, tmp_path):
    assert read(tmp_path / "a", rows + rows[:1]).equals(read(tmp_path / "b", rows))


@settings(**LAWS)
@given(rows=visits(), letters=st.sampled_from([str.upper, str.lower, str.title]))
def test_the_letters_of_file_names_change_nothing(rows, letters, tmp_path):
    assert read(tmp_path / "a", rows, letters=letters).equals(read(tmp_path / "b", rows))
