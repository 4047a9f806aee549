"""Lesions of TU and TR become observations: which diameter, which reader, what a word means."""

from pathlib import Path

import polars as pl
import pytest

from livingdrug.clinical.recist import assess_recist
from livingdrug.core.assessment import SubjectTables
from livingdrug.io.sdtm import SdtmConventions, import_sdtm, read_sdtm
from livingdrug.knowledge.rules import load_rules

SHARED = Path(__file__).parents[4] / "shared" / "data" / "criteria" / "recist"
FILES = {"TR": "tr_onco_recist.csv", "TU": "tu_onco_recist.csv", "RS": "rs_onco_recist.csv"}
TU = (
    "USUBJID,TULNKID,TUTESTCD,TUSTRESC,TULOC,TUEVAL,TUEVALID,TUDTC\n"
    "S-1,T01,TUMIDENT,TARGET,LUNG,INVESTIGATOR,,\nS-1,T02,TUMIDENT,TARGET,MEDIASTINAL LYMPH NODE,INVESTIGATOR,,\n"
    "S-1,NT01,TUMIDENT,NON-TARGET,BONE,INVESTIGATOR,,\nS-1,NEW01,TUMIDENT,NEW,LIVER,INVESTIGATOR,,2024-06-01\n"
    "S-1,NEW02,TUMIDENT,NEW,LYMPH NODE,INVESTIGATOR,,2024-06-01\n"
)
TR = "USUBJID,TRLNKID,TRTESTCD,TRSTRESN,TRSTRESC,TRSTRESU,TRSTAT,TREVAL,TREVALID,TRACPTFL,VISITNUM,TRDTC\n"


@pytest.fixture
def lesions(write):
    def read(rows, tu=TU, **conventions):
        text = TR + "".join(f"S-1,{row}\n" for row in rows)
        record = read_sdtm(write(tr=text, tu=tu), disease="solid", conventions=SdtmConventions(**conventions))
        found = record.observations.filter(pl.col("source").str.starts_with("t")).sort("day", "variable")
        return found.select("day", "variable", "value", "text", "reader")

    return read


def measure(link, test, number, unit="mm", day="2024-02-20", visit="1"):
    return f"{link},{test},{number},{number},{unit},,INVESTIGATOR,,Y,{visit},{day}"


def state(link, word, day="2024-02-20", visit="1"):
    return f"{link},TUMSTATE,,{word},,,INVESTIGATOR,,,{visit},{day}"


def values(table, base):
    return table.filter(pl.col("variable").str.starts_with(base))["value"].to_list()


def words(table, base):
    return table.filter(pl.col("variable").str.starts_with(f"{base}:"))["text"].to_list()


def test_a_node_is_measured_across_and_another_lesion_along(lesions):
    rows = [measure(link, test, size) for link in ("T01", "T02") for test, size in (("LDIAM", 30), ("LPERP", 20))]
    table = lesions(rows)
    assert values(table, "target_lesion:T01") == [30.0]
    assert values(table, "target_node:T02") == [20.0]
    assert values(table, "extranodal_shortest_diameter:T01") == [20.0]
    assert values(table, "node_longest_diameter:T02") == [30.0]
    assert set(table["reader"]) == {"INVESTIGATOR"}


def test_centimetres_are_converted(lesions):
    assert values(lesions([measure("T01", "LDIAM", 3.2, "cm")]), "target_lesion") == [32.0]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ABSENT", "absent"),
        ("PRESENT", "present"),
        ("STABLE", "present"),
        ("INCREASED", "increased"),
        ("UNEQUIVOCAL PROGRESSION", "unequivocal_progression"),
        ("NOT EVALUABLE", "not_evaluable"),
    ],
)
def test_words_for_lesions_that_are_not_measured(word, meant, lesions):
    assert words(lesions([state("NT01", word)]), "non_target_lesion") == [meant]


@pytest.mark.parametrize(("word", "meant"), [("UNEQUIVOCAL", "yes"), ("EQUIVOCAL", "equivocal"), ("ABSENT", "no")])
def test_a_new_lesion_is_there_or_may_be(word, meant, lesions):
    table = lesions([state("NEW01", word, "2024-06-01")])
    assert words(table, "new_lesion") == [meant, "yes"]


def test_a_new_lesion_that_only_tu_dates_is_there_that_day(lesions):
    table = lesions([measure("T01", "LDIAM", 20)])
    new = table.filter(pl.col("variable") == "new_lesion:NEW01")
    assert new.select("day", "text").rows() == [(92.0, "yes")]


def test_a_new_lesion_that_is_measured_has_its_diameter_too(lesions):
    rows = [measure("NEW01", "LDIAM", 15, day="2024-06-01"), measure("NEW02", "LPERP", 12, day="2024-06-01")]
    table = lesions(rows)
    assert values(table, "new_target_lesion:NEW01") == [15.0]
    assert values(table, "new_target_node:NEW02") == [12.0]
    assert words(table, "new_lesion") == ["yes", "yes"]


def test_a_target_that_is_absent_measures_nothing(lesions):
    table = lesions(
        [measure("T01", "LDIAM", 20), state("T01", "ABSENT", "2024-06-01"), state("T02", "ABSENT", "2024-06-01")]
    )
    assert values(table, "target_lesion:T01") == [20.0, 0.0]
    assert values(table, "target_node:T02") == [0.0]


def test_a_lesion_too_small_to_measure_is_below_the_limit_that_recist_has(write):
    rows = "S-1,T01,LDIAM,,TOO SMALL TO MEASURE,,,INVESTIGATOR,,,1,2024-06-01\n"
    record = read_sdtm(write(tr=TR + rows, tu=TU), disease="solid")
    row = record.observations.filter(pl.col("variable") == "target_lesion:T01").row(0, named=True)
    assert (row["value"], row["lloq"], row["censored"]) == (None, 5.0, "left")


def test_what_was_not_measured_has_no_row(lesions):
    rows = [measure("T01", "LDIAM", 20), "T01,LDIAM,,,mm,NOT DONE,INVESTIGATOR,,,2,2024-06-01"]
    assert values(lesions(rows), "target_lesion") == [20.0]


def test_sums_are_left_out_for_they_are_computed_again(write):
    rows = "S-1,,SUMDIAM,50,50,mm,,INVESTIGATOR,,,1,2024-06-01\n"
    found = import_sdtm(write(tr=TR + rows, tu=TU), disease="solid")
    assert "left out" in found.tests.filter(pl.col("test") == "SUMDIAM")["note"][0]
    assert not found.record.observations["variable"].str.contains("sum").any()


def test_a_measurement_that_has_no_variable_is_kept(lesions):
    assert values(lesions([measure("NT01", "LDIAM", 9)]), "x_ldiam:NT01") == [9.0]


@pytest.mark.parametrize(
    ("convention", "expected"), [("as_dated", [92.0, 94.0]), ("first", [92.0] * 2), ("last", [94.0] * 2)]
)
def test_images_of_one_visit_may_be_put_on_one_day(convention, expected, lesions):
    rows = [measure("T01", "LDIAM", 20, day="2024-06-01"), measure("T02", "LPERP", 20, day="2024-06-03")]
    table = lesions(rows, visit_day=convention)
    assert table.filter(pl.col("variable").str.starts_with("target_"))["day"].to_list() == expected


def test_a_visit_number_of_visits_far_apart_joins_nothing(lesions):
    rows = [measure("T01", "LDIAM", 20, day="2024-06-01"), measure("T01", "LDIAM", 25, day="2024-08-01")]
    assert lesions(rows, visit_day="first").filter(pl.col("variable") == "target_lesion:T01")["day"].n_unique() == 2


def test_readers_that_tu_does_not_name_share_its_lesions(lesions):
    tu = "USUBJID,TULNKID,TUSTRESC,TULOC\nS-1,T01,TARGET,LUNG\n"
    rows = [f"T01,LDIAM,2{n},2{n},mm,,INDEPENDENT ASSESSOR,R{n},,1,2024-02-20" for n in (1, 2)]
    table = lesions(rows, tu=tu).filter(pl.col("variable") == "target_lesion:T01").sort("reader")
    assert table.select("reader", "value").rows() == [("R1", 21.0), ("R2", 22.0)]


@pytest.mark.needs_shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared library with the RECIST files is not beside the checkout")
def test_every_overall_response_of_the_shared_study_follows_from_its_lesions():
    conventions = SdtmConventions(day_zero="first_assessment")
    record = read_sdtm(SHARED, disease="solid", product="other", files=FILES, conventions=conventions)
    rules = load_rules("recist/1.1")
    observations = record.observations.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    is_code = pl.col("variable") == "overall_response"
    derived = {}
    for subject in record.subjects.iter_rows(named=True):
        own = observations.filter((pl.col("subject_id") == subject["subject_id"]) & ~is_code)
        events = record.events.clear().with_row_index("row")
        for verdict in assess_recist(SubjectTables(subject, events, own), rules).verdicts:
            derived[subject["subject_id"], verdict.reader, verdict.day] = verdict.time_point.lower()
    expected = {
        row[:3]: row[3] for row in observations.filter(is_code).select("subject_id", "reader", "day", "text").rows()
    }
    assert len(expected) == 66
    assert {key: derived.get(key) for key in expected} == expected
