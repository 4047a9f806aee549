"""What RECIST 1.1 says besides a category: the trail, what was missing, sums, readers, faults."""

import polars as pl
import pytest

from livingdrug.clinical.recist import assess_recist
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.core.ruleset import Truth
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("recist/1.1")
EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
SCHEMA = {"row": pl.Int64, "day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String}


def assess(*rows, **options):
    """Assess rows of day, variable, and a number of mm or a word; row numbers start at 100."""
    table = [
        (100 + place, float(day), name, *((None, result) if isinstance(result, str) else (float(result), None)))
        for place, (day, name, result) in enumerate(rows)
    ]
    observations = pl.DataFrame(table, schema=SCHEMA, orient="row").with_columns(
        unit=pl.when(pl.col("value").is_not_null()).then(pl.lit("mm"))
    )
    return assess_recist(SubjectTables({}, EVENTS, observations), RULES, **options)


def test_a_verdict_names_its_rows_values_and_threshold():
    (verdict,) = assess(
        (-7, "target_lesion:A", 30),
        (-7, "target_lesion:B", 20),
        (42, "target_lesion:A", 40),
        (42, "target_lesion:B", 25),
    ).verdicts
    (progression,) = verdict.findings
    rise = progression.parts[0].parts[0]
    assert verdict.time_point == "PD"
    assert (rise.rows, rise.values, rise.threshold, rise.unit) == ((100, 101, 102, 103), (50.0, 65.0), 20.0, "%")


def test_what_was_not_measured_is_named_with_the_size_that_would_be_progression():
    (verdict,) = assess((-7, "target_lesion:A", 30), (-7, "target_lesion:B", 20), (42, "target_lesion:A", 30)).verdicts
    assert verdict.unknowns == ("target_lesion:B",)
    assert verdict.would_change[0] == "progressive disease, if target_lesion:B measured 30 mm or more"


def test_a_lesion_that_was_not_looked_at_could_make_a_response_complete():
    rows = (-7, "target_lesion:A", 30), (-7, "non_target_lesion:C", "present"), (42, "target_lesion:A", 0)
    (verdict,) = assess(*rows).verdicts
    assert verdict.time_point == "PR"
    assert "complete response, if non_target_lesion:C were known to be gone" in verdict.would_change


def test_silence_of_a_reader_who_states_new_lesions_is_an_open_question():
    rows = [(-7, "target_lesion:A", 30), (42, "target_lesion:A", 30), (42, "new_lesion", "no")]
    verdicts = assess(*rows, (84, "target_lesion:A", 30)).verdicts
    assert [verdict.unknowns for verdict in verdicts] == [(), ("new_lesion",)]


def test_sums_tell_change_from_baseline_and_from_the_nadir_before():
    found = assess((-7, "target_lesion:A", 50), (42, "target_lesion:A", 40), (84, "target_lesion:A", 44))
    sums = found.details["sums"]
    assert sums["day"].to_list() == [-7.0, 42.0, 84.0]
    assert sums["sum"].to_list() == [50.0, 40.0, 44.0]
    assert sums["nadir"].to_list() == [50.0, 50.0, 40.0]
    assert sums["change_from_baseline"].to_list() == pytest.approx([0.0, -20.0, -12.0])
    assert sums["change_from_nadir"].to_list() == pytest.approx([0.0, -20.0, 10.0])


def test_an_incomplete_scan_has_no_sum():
    found = assess((-7, "target_lesion:A", 50), (-7, "target_lesion:B", 10), (42, "target_lesion:A", 10))
    last = found.details["sums"].row(1, named=True)
    assert (last["sum"], last["measured_part"], last["is_complete"]) == (None, 10.0, False)
    assert last["change_from_baseline"] is None


def test_every_unknown_code_is_named_at_once():
    with pytest.raises(InputError) as error:
        assess((42, "overall_response", "vgpr"), (84, "overall_response", "iupd"), (126, "overall_response", "pr"))
    assert [fault.where for fault in error.value.faults] == [
        "observations, row 100, overall_response",
        "observations, row 101, overall_response",
    ]


def test_a_code_of_other_criteria_is_left_to_them():
    rows = pl.DataFrame(
        {
            "day": [42.0, 42.0, 42.0],
            "variable": ["overall_response"] * 3,
            "value": [None] * 3,
            "text": ["scr", "iupd", "SD"],
            "assay": ["IMWG 2016", "iRECIST", "RECIST 1.1"],
        },
        schema_overrides={"value": pl.Float64},
    )
    found = assess_recist(SubjectTables({}, EVENTS, rows), RULES)
    assert [verdict.time_point for verdict in found.verdicts] == ["SD"]
    assert found.verdicts[0].findings[0].rows == (2,)


def test_a_new_measured_lesion_of_irecist_is_a_new_lesion():
    found = assess((-7, "target_lesion:A", 50), (42, "target_lesion:A", 10), (42, "new_target_lesion:N", 12))
    assert found.verdicts[0].time_point == "PD"


def test_a_subject_without_any_image_has_the_endpoints_too():
    found = assess()
    assert found.verdicts == ()
    assert {e.value for e in found.endpoints} == {"MISSING", "NE"}
    assert found.details["sums"].is_empty()


def test_a_baseline_that_lies_after_the_infusion_is_pointed_out():
    found = assess((3, "target_lesion:A", 50), (42, "target_lesion:A", 10))
    assert "set baseline_day" in found.warnings[0]
    assert [
        v.time_point for v in assess((3, "target_lesion:A", 50), (42, "target_lesion:A", 10), baseline_day=3).verdicts
    ] == ["PR"]


def test_an_equivocal_new_lesion_keeps_progression_open_in_the_trail():
    rows = (-7, "target_lesion:A", 50), (42, "target_lesion:A", 20), (42, "new_lesion:N", "equivocal")
    (verdict,) = assess(*rows).verdicts
    assert verdict.findings[-1].truth == Truth.UNKNOWN
    assert verdict.would_change == ("progressive disease, if new_lesion:N were confirmed",)


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="min_sd_days"):
        assess(min_sd_day=28)
