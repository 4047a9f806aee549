"""One subject's assessment by the myeloma criteria: trail, readers, flags, baseline, warnings."""

import polars as pl
import pytest

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.imwg import assess_imwg
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("imwg/2016")
ROWS = ("day", "variable", "value", "text", "assay", "reader")
SCHEMA = dict.fromkeys(ROWS, pl.String) | {"day": pl.Float64, "value": pl.Float64}
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String, "duration_days": pl.Float64}


def assess(rows, events=(), **options):
    full = [(*row, *([None] * (len(ROWS) - len(row)))) for row in rows]
    table = pl.DataFrame(full, schema=SCHEMA, orient="row").with_row_index("row", offset=2)
    table = table.with_columns(pl.col("row").cast(pl.Int64))
    happened = pl.DataFrame([(*e, None) for e in events], schema=EVENTS, orient="row")
    return assess_imwg(SubjectTables({"subject_id": "one"}, happened, table), RULES, **options)


SERUM = [(-7.0, "m_protein", 3.0), (28.0, "m_protein", 0.2), (56.0, "m_protein", 0.2)]


def test_what_could_change_a_verdict_is_said_in_a_sentence():
    verdict = assess(SERUM).verdicts[0]
    assert verdict.time_point == "PR"
    sentence = "very good partial response, if this were known to hold: urine M-protein below 100 mg/24h"
    assert sentence in verdict.would_change
    assert "urine_m_protein" in verdict.unknowns


def test_findings_name_rows_of_the_record_and_can_be_recomputed():
    for verdict in assess(SERUM).verdicts:
        assert verdict.findings[0].rows == (2, 3 if verdict.day == 28.0 else 4)
        assert all(recompute(finding) == finding.truth for finding in verdict.findings)


def test_a_subject_without_rows_has_no_verdict_and_a_missing_best_response():
    found = assess([])
    assert found.verdicts == ()
    assert found.courses[0].best == "MISSING"


def test_progression_without_a_response_is_the_best_response():
    rows = [(-7.0, "m_protein", 3.0), (28.0, "m_protein", 4.0), (56.0, "m_protein", 5.0)]
    course = assess(rows).courses[0]
    assert (course.best, course.best_day, course.progression_day) == ("PD", 28.0, 28.0)


def test_a_progression_after_new_therapy_is_told_to_the_endpoints():
    rows = [*SERUM, (120.0, "m_protein", 2.0), (150.0, "m_protein", 2.5)]
    course = assess(rows, [(100.0, "next_therapy", "")]).courses[0]
    assert (course.progression_day, course.is_progression_presumptive, course.best) == (120.0, False, "PR")


def test_two_readers_of_codes_have_a_course_each():
    rows = [
        (28.0, "overall_response", None, "pr", "IMWG", "site"),
        (28.0, "overall_response", None, "cr", "IMWG", "irc"),
    ]
    rows += [(56.0, "overall_response", None, word, "IMWG", who) for word, who in (("pr", "site"), ("cr", "irc"))]
    found = assess(rows)
    assert {course.reader: course.best for course in found.courses} == {"site": "PR", "irc": "CR"}
    assert {verdict.reader for verdict in found.verdicts} == {"site", "irc"}


def test_codes_first_even_where_values_were_measured():
    rows = [*SERUM, (28.0, "overall_response", None, "sd", "IMWG"), (56.0, "overall_response", None, "sd", "IMWG")]
    assert [verdict.time_point for verdict in assess(rows, codes="first").verdicts] == ["SD", "SD"]
    assert [verdict.time_point for verdict in assess(rows, codes="never").verdicts] == ["PR", "PR"]


def test_a_code_that_is_none_of_these_criteria_is_not_evaluable():
    found = assess([(28.0, "overall_response", None, "non-cr/non-pd", "IMWG")])
    assert [(v.time_point, v.unknowns) for v in found.verdicts] == [("NE", ("overall_response",))]


@pytest.mark.parametrize(
    ("flag", "route"),
    [("x_pdifl", "imaging"), ("x_pdofl", "next sample"), ("x_dthpdfl", "death from myeloma")],
)
def test_the_flags_of_a_progression_confirm_it(flag, route):
    rows = [*SERUM, (84.0, "m_protein", 0.9), (84.0, flag, None, "Y"), (112.0, "m_protein", 0.2)]
    verdict = assess(rows).verdicts[2]
    assert (verdict.time_point, verdict.confirmed, verdict.first_day) == ("PD", "PD", 84.0)
    assert route in verdict.note


def test_the_baseline_before_leukapheresis_is_told_beside_the_one_that_counts():
    rows = [(-40.0, "m_protein", 4.0), (-6.0, "m_protein", 2.0), (28.0, "m_protein", 1.0)]
    events = [(-35.0, "leukapheresis", ""), (-5.0, "lymphodepletion", "")]
    table = assess(rows, events).details["baseline"]
    row = table.filter(pl.col("variable") == "m_protein").row(0, named=True)
    assert (row["value"], row["day"], row["value_before_leukapheresis"], row["is_followed"]) == (2.0, -6.0, 4.0, True)


def test_a_label_of_relapse_names_its_rows():
    rows = [*SERUM, (84.0, "calcium", 12.0), (84.0, "albumin", 4.0)]
    found = assess(rows)
    row = found.details["relapses"].filter(pl.col("truth") == "true").row(0, named=True)
    assert (row["label"], row["day"], row["rows"]) == ("relapse_clinical", 84.0, "5, 6")


def test_an_option_that_the_rules_do_not_have_is_refused():
    with pytest.raises(InputError, match="did you mean nadir"):
        assess(SERUM, nadirs="raw_min")
