"""What iRECIST says besides a category: the trail of a confirmation, what is open, sums with new lesions, faults."""

import polars as pl
import pytest

from livingdrug.clinical.irecist import assess_irecist
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.core.ruleset import Truth
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("irecist/2017")
EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
SCHEMA = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String}
BASE = (-7, "target_lesion:A", 50)


def assess(*rows, **options):
    table = [
        (float(day), name, *((None, result) if isinstance(result, str) else (float(result), None)))
        for day, name, result in rows
    ]
    observations = pl.DataFrame(table, schema=SCHEMA, orient="row").with_columns(
        unit=pl.when(pl.col("value").is_not_null()).then(pl.lit("mm"))
    )
    return assess_irecist(SubjectTables({}, EVENTS, observations), RULES, **options)


def test_a_confirmation_names_the_two_sums_and_their_rows():
    last = assess(BASE, (42, "target_lesion:A", 60), (70, "target_lesion:A", 66)).verdicts[-1]
    (further,) = last.findings
    leaf = next(part for part in further.parts if part.truth == Truth.TRUE)
    assert (leaf.rows, leaf.values, leaf.threshold, leaf.unit) == ((1, 2), (60.0, 66.0), 5.0, "mm")


def test_an_open_confirmation_says_what_was_not_known():
    rows = (BASE, (42, "target_lesion:A", 50), (42, "new_lesion", "yes"), (70, "target_lesion:A", 50))
    last = assess(*rows, (70, "new_lesion:N", "yes")).verdicts[-1]
    assert last.time_point == "iUPD"
    assert last.unknowns == ("new_lesion",)
    assert "confirmed progression" in last.would_change[0]


def test_new_lesions_have_a_sum_of_their_own():
    found = assess(BASE, (42, "target_lesion:A", 40), (42, "new_target_lesion:N", 12), (42, "new_target_node:M", 11))
    last = found.details["sums"].row(1, named=True)
    assert (last["sum"], last["new_lesion_sum"]) == (40.0, 23.0)


def test_a_scan_that_cannot_be_evaluated_says_which_size_would_be_progression():
    rows = (BASE, (-7, "target_lesion:B", 10), (42, "target_lesion:A", 50))
    (verdict,) = assess(*rows).verdicts
    assert verdict.time_point == "NE"
    assert verdict.would_change[0] == "unconfirmed progression, if target_lesion:B measured 22 mm or more"


def test_the_first_progression_is_not_yet_a_day_of_progression():
    (course,) = assess(BASE, (42, "target_lesion:A", 60)).courses
    assert (course.progression_day, course.is_progression_presumptive) == (42.0, True)


def test_codes_that_are_none_of_irecist_are_refused_together():
    with pytest.raises(InputError, match="2 faults"):
        assess((42, "overall_response", "vgpr"), (84, "overall_response", "mr"))


def test_mixed_records_take_a_code_where_a_scan_has_no_lesions():
    rows = (BASE, (42, "target_lesion:A", 60), (70, "overall_response", "icpd"), (98, "target_lesion:A", 20))
    found = assess(*rows)
    assert [verdict.time_point for verdict in found.verdicts] == ["iUPD", "iCPD", "iCPD"]
    assert found.courses[0].progression_day == 42.0


def test_a_block_that_a_code_opened_is_not_confirmed_by_sizes_that_nobody_knows():
    rows = (BASE, (42, "overall_response", "iupd"), (70, "target_lesion:A", 90), (98, "target_lesion:A", 94))
    found = assess(*rows, (126, "target_lesion:A", 95))
    assert [verdict.time_point for verdict in found.verdicts] == ["iUPD", "iUPD", "iUPD", "iCPD"]


def test_clinical_instability_counts_from_the_scan_before_to_this_one():
    rows = (BASE, (42, "target_lesion:A", 50), (60, "clinical_status", "unstable"), (84, "target_lesion:A", 62))
    found = assess(*rows)
    assert [bool(verdict.note) for verdict in found.verdicts] == [False, True]
    assert [verdict.day for verdict in found.verdicts] == [42.0, 84.0]
