"""RECIST 1.1 against 66 overall responses of three readers that another program's test data expect.

`recist_measurements.csv` and `recist_overall.csv` beside this file are converted from pharmaversesdtm; the second
test reads the original files where the team's library lies beside the checkout.
"""

import calendar
import csv
import datetime
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from livingdrug.clinical.recist import assess_recist
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

HERE = Path(__file__).parent
SHARED = Path(__file__).parents[3] / "shared" / "data" / "criteria" / "recist"
RULES = load_rules("recist/1.1")
NO_EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
SCHEMA = {
    "subject_id": pl.String,
    "reader": pl.String,
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "unit": pl.String,
}
COUNTS = {"SD": 22, "PR": 12, "CR": 9, "NON-CR/NON-PD": 9, "NE": 7, "PD": 7}


def assess(rows):
    """Return the overall response of every subject, reader and day."""
    found = {}
    table = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_row_index("row")
    for (subject,), own in table.partition_by("subject_id", as_dict=True).items():
        assessment = assess_recist(SubjectTables({"subject_id": subject}, NO_EVENTS, own), RULES)
        found |= {(subject, v.reader, v.day): v.time_point for v in assessment.verdicts}
    return found


def read_converted(name):
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_the_66_overall_responses_come_out():
    rows = []
    for row in read_converted("recist_measurements.csv"):
        number = (float(row["value"]), None) if row["unit"] else (None, row["value"])
        rows.append(
            (row["subject_id"], row["reader"], float(row["day"]), row["variable"], *number, row["unit"] or None)
        )
    overall = read_converted("recist_overall.csv")
    expected = {(row["subject_id"], row["reader"], float(row["day"])): row["response"] for row in overall}
    assert Counter(expected.values()) == COUNTS
    assert assess(rows) == expected


def read_original(domain):
    with (SHARED / f"{domain}_onco_recist.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        evaluator, name = (row[f"{domain.upper()}{part}"] for part in ("EVAL", "EVALID"))
        row["reader"] = evaluator if name == "NA" else name
    return rows


def read_day(text):
    """Days since year 1; a date without a day is the last of its month."""
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 2:
        parts.append(calendar.monthrange(*parts)[1])
    return float(datetime.date(*parts).toordinal())


@pytest.mark.needs_shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the team's library is not beside this checkout")
def test_the_66_overall_responses_come_out_of_the_original_files():
    measured = read_original("tr")
    place = {(row["USUBJID"], row["reader"], row["TULNKID"]): row["TULOC"] for row in read_original("tu")}
    start = {row["USUBJID"]: read_day(row["TRDTC"]) for row in measured if row["VISIT"] == "SCREENING"}
    rows = []
    for row in measured:
        subject, reader, lesion = row["USUBJID"], row["reader"], row["TRLNKID"]
        day = read_day(row["TRDTC"]) - start[subject]
        is_node = place[subject, reader, lesion] == "LYMPH NODE"
        if row["TRTESTCD"] == "TUMSTATE":
            rows.append((subject, reader, day, f"non_target_lesion:{lesion}", None, row["TRSTRESC"].lower(), None))
        elif row["TRTESTCD"] == ("LPERP" if is_node else "LDIAM"):
            name = "target_node" if is_node else "target_lesion"
            rows.append((subject, reader, day, f"{name}:{lesion}", float(row["TRSTRESN"]), None, "mm"))
    expected = {
        (row["USUBJID"], row["reader"], read_day(row["RSDTC"]) - start[row["USUBJID"]]): row["RSSTRESC"]
        for row in read_original("rs")
    }
    assert len(expected) == 66
    assert assess(rows) == expected
