"""A record assessed by named criteria: tables, trail, options and everything that may be wrong with them."""

import json

import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record
from livingdrug.io.tables import read_record
from livingdrug.study.assess_record import assess, choose_criteria, list_criteria
from livingdrug.study.assessment import ENDPOINT_SCHEMA, VERDICT_SCHEMA
from livingdrug.study.describe_criteria import describe_criteria
from livingdrug.study.examples import load_example
from livingdrug.study.write_assessment import write_assessment

SUBJECTS = "subject_id,disease,product\ns1,solid,other\ns2,solid,other\n"
EVENTS = "subject_id,day,type,note\ns1,0,car_t,\ns2,0,car_t,\ns2,200,death,progression\n"
OBSERVATIONS = """subject_id,day,variable,value,unit
s1,-3,target_lesion:T1,30,mm
s1,-3,target_lesion:T2,2,cm
s1,28,target_lesion:T1,15,mm
s1,28,target_lesion:T2,12,mm
s1,56,target_lesion:T1,14,mm
s1,56,target_lesion:T2,12,mm
s1,120,target_lesion:T1,24,mm
s1,120,target_lesion:T2,14,mm
s2,-3,target_lesion:T1,30,mm
s2,28,target_lesion:T1,36,mm
"""


def write(folder, observations=OBSERVATIONS):
    for name, text in (("subjects", SUBJECTS), ("events", EVENTS), ("observations", observations)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def record(tmp_path):
    return read_record(write(tmp_path))


def find(assessment, subject, endpoint):
    own = assessment.endpoints.filter((pl.col("subject_id") == subject) & (pl.col("endpoint") == endpoint))
    return own.row(0, named=True)


def test_a_cohort_gets_a_verdict_a_visit_and_endpoints(record):
    assessment = assess(record, "recist/1.1")
    rows = assessment.verdicts.select("subject_id", "day", "time_point", "confirmed").rows()
    assert rows == [
        ("s1", 28.0, "PR", "NE"),
        ("s1", 56.0, "PR", "PR"),
        ("s1", 120.0, "PD", "PD"),
        ("s2", 28.0, "PD", "PD"),
    ]
    assert dict(assessment.verdicts.schema) == VERDICT_SCHEMA
    assert dict(assessment.endpoints.schema) == ENDPOINT_SCHEMA
    survival = find(assessment, "s1", "progression_free_survival")
    assert (survival["status"], survival["day"], survival["value"]) == ("event", 120.0, "120")
    assert find(assessment, "s2", "overall_survival")["status"] == "event"
    assert set(assessment.endpoints["status"]) <= {"event", "censored"}


def test_every_row_of_the_trail_is_a_line_of_its_file(record, tmp_path):
    lines = OBSERVATIONS.splitlines()
    found = list(assess(record, "recist/1.1").trace())
    assert len(found) == 4
    for verdict in found:
        assert verdict["rows"]
        for row in verdict["rows"]:
            assert row["file"] == "observations.csv"
            assert lines[row["row"] - 1].startswith(verdict["subject_id"])
    assert [r["row"] for r in found[3]["rows"]] == [10, 11]


def test_the_trail_is_a_table_too(record):
    trail = assess(record, "recist/1.1").trail
    assert trail["time_point"].to_list() == ["PR", "PR", "PD", "PD"]
    assert all(json.loads(text) for text in trail["findings"])


def test_an_option_changes_the_verdict_and_stands_in_the_provenance(record):
    late = assess(record, "recist/1.1", new_therapy="censor", ref_confirm="100")
    assert late.provenance["options"]["recist/1.1.ref_confirm"] == 100.0
    assert late.provenance["options"]["endpoints/1.new_therapy"] == "censor"
    assert find(late, "s1", "confirmed_best_overall_response")["value"] != "PR"


def test_wrong_options_are_all_named_with_what_there_is(record):
    with pytest.raises(InputError, match="did you mean ref_confirm") as caught:
        assess(record, "recist/1.1", ref_confirn=28, nonsense="x")
    assert "nonsense" in str(caught.value)
    with pytest.raises(InputError, match="must be a number"):
        assess(record, "recist/1.1", ref_confirm="soon")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("recist/2.0", "did you mean recist/1.1"),
        ("ctcae", "ctcae/4.03 or ctcae/5.0"),
        ("x", "Known are"),
        ("", "Known are"),
    ],
)
def test_unknown_criteria_are_answered_with_the_known_ones(name, said):
    with pytest.raises(InputError, match=said):
        choose_criteria(name)


def test_a_name_without_a_version_is_enough_where_there_is_one():
    assert choose_criteria("recist").name == "recist/1.1"


def test_criteria_of_another_disease_are_said_to_be(record):
    warnings = assess(record, "lugano/2014").warnings
    assert any("lugano/2014 is for" in warning and "solid" in warning for warning in warnings)
    assert any("nothing that lugano/2014 looks at" in warning for warning in warnings)


def test_tables_in_memory_are_checked_as_files_are(record):
    tables = {"subjects": record.subjects, "events": record.events, "observations": record.observations}
    assert assess(tables, "recist/1.1").verdicts.equals(assess(record, "recist/1.1").verdicts)
    wrong = {**tables, "observations": record.observations.with_columns(unit=pl.lit(None, dtype=pl.String))}
    with pytest.raises(InputError, match="unit"):
        assess(wrong, "recist/1.1")
    with pytest.raises(InputError, match="events is missing"):
        assess({"subjects": record.subjects, "observations": record.observations}, "recist/1.1")


def test_rows_that_contradict_each_other_are_reported_and_both_kept(tmp_path):
    folder = write(tmp_path, OBSERVATIONS + "s2,28,target_lesion:T1,31,mm\n")
    with pytest.raises(InputError, match="in conflict with row 11"):
        read_record(folder)
    record = read_record(folder, keep_conflicts=True)
    assert len(record.observations) == 11
    assessment = assess(record, "recist/1.1")
    assert any("row 11 and row 12" in warning for warning in assessment.warnings)
    assert assessment.verdicts["time_point"].to_list()[-1] == "PD"


def test_an_empty_record_has_no_verdicts_and_says_so(record):
    empty = Record(record.subjects, record.events, record.observations.clear())
    assessment = assess(empty, "recist/1.1")
    assert assessment.verdicts.is_empty()
    assert len(assessment.warnings) == 2
    assert find(assessment, "s1", "progression_free_survival")["status"] == "censored"


def test_the_files_hold_what_the_tables_hold(record, tmp_path):
    assessment = assess(record, "recist/1.1")
    written = {path.name for path in write_assessment(assessment, record, tmp_path / "out")}
    assert {"verdicts.csv", "endpoints.csv", "trail.jsonl", "km.csv", "swimmer.csv", "waterfall.csv"} <= written
    head = (tmp_path / "out" / "verdicts.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head.startswith("subject_id,day,ruleset,time_point,confirmed,first_day,unknowns")
    head = (tmp_path / "out" / "endpoints.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head.startswith("subject_id,endpoint,day,status,value,reason")
    trail = [json.loads(line) for line in (tmp_path / "out" / "trail.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all({"clause", "rows", "missing", "would_change"} <= set(found) for found in trail)
    waterfall = pl.read_csv(tmp_path / "out" / "waterfall.csv")
    assert dict(waterfall.select("subject_id", "change_percent").rows())["s1"] == pytest.approx(-48.0)


def test_grades_have_files_too_although_they_have_no_survival(tmp_path):
    record = read_record(write(tmp_path, "subject_id,day,variable,value,unit\ns1,3,temperature,39,C\n"))
    assessment = assess(record, "astct-crs/2019")
    written = {path.name for path in write_assessment(assessment, record, tmp_path / "out")}
    assert {"verdicts.csv", "endpoints.csv", "trail.jsonl", "grades.csv"} <= written
    assert "km.csv" not in written


def test_every_set_of_criteria_says_what_it_looks_at_and_what_it_leaves_open():
    described = {found["name"]: found for found in describe_criteria()}
    assert set(list_criteria()) < set(described)
    for name in list_criteria():
        assert described[name]["variables"]
        assert all(option["meaning"] for option in described[name]["options"])


def test_capitals_of_criteria_do_not_matter():
    assert choose_criteria(" IMWG/2016").name == choose_criteria("imwg").name == "imwg/2016"


def test_an_option_of_days_is_not_negative():
    with pytest.raises(InputError, match=r"visit_window_days: must be a number of days, 0 or more, but was -3"):
        assess(load_example("myeloma_late_relapse"), "imwg/2016", visit_window_days=-3)


def test_tables_in_memory_are_decoded_as_files_are_and_repeated_rows_change_nothing():
    record = load_example("myeloma_late_relapse")
    tables = {"subjects": record.subjects, "events": record.events, "observations": record.observations}
    doubled = tables | {"observations": pl.concat([record.observations, record.observations[-5:]])}
    found, again = (assess(each, "imwg/2016") for each in (tables, doubled))
    assert again.verdicts.equals(found.verdicts)
    assert again.endpoints.equals(found.endpoints)
    assert sum("it counts once" in warning for warning in again.warnings) == 5


def test_tables_that_are_not_polars_are_refused_with_a_way_out():
    with pytest.raises(InputError, match=r"must hold polars tables, but subjects was list"):
        assess({"subjects": [], "events": pl.DataFrame(), "observations": pl.DataFrame()}, "imwg/2016")
