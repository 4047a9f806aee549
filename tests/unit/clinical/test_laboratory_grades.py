import polars as pl
import pytest

from livingdrug.clinical.laboratory_grades import VARIABLES, assess_ctcae
from livingdrug.clinical.term_grades import combine_directions, compute_grade
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.core.variables import VARIABLES as KNOWN
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("ctcae/5.0")
SCHEMA = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "lower_limit_of_normal": pl.Float64,
    "upper_limit_of_normal": pl.Float64,
    "lloq": pl.Float64,
    "censored": pl.String,
}


def assess(*rows, began=-5.0, version="ctcae/5.0", **options):
    """Rows are day, variable, value, lower limit, upper limit; a value may be written `<0.1`."""
    full = []
    for day, variable, value, lower, upper in rows:
        is_below = isinstance(value, str)
        number = float(value[1:]) if is_below else value
        limit = number if is_below else None
        unit = KNOWN[variable].unit
        full.append((float(day), variable, number, unit, lower, upper, limit, "left" if is_below else "none"))
    events = pl.DataFrame({"day": [began], "type": ["lymphodepletion"]})
    table = pl.DataFrame(full, schema=SCHEMA, orient="row").with_row_index("row")
    return assess_ctcae(SubjectTables({"subject_id": "P1"}, events, table), load_rules(version), **options)


def only(assessment, day):
    (verdict,) = [verdict for verdict in assessment.verdicts if verdict.day == day]
    return verdict


def test_the_variables_are_those_of_the_terms_of_every_version():
    versions = [load_rules(f"ctcae/{name}") for name in ("4.03", "5.0", "6.0")]
    named = {name for rules in versions for term in rules.terms for name in term.variables}
    assert named | {"albumin"} == set(VARIABLES)


@pytest.mark.parametrize(("version", "count"), [("4.03", 43), ("5.0", 40), ("6.0", 43)])
def test_a_version_says_which_terms_it_covers(version, count):
    assert len(load_rules(f"ctcae/{version}").terms) == count


def test_a_verdict_names_its_term_and_its_row():
    verdict = only(assess((9, "neutrophils", 0.3, 1.8, 7.0)), 9)
    assert (verdict.time_point, verdict.note) == (
        "4",
        "neutrophils: Neutrophil count decreased; below 0.5 10*9/L (0.3)",
    )
    assert verdict.findings[0].rows == (0,)


def test_both_directions_must_be_known_for_a_grade_of_0():
    both = assess((9, "haemoglobin", 14.0, 12.0, 17.0), (10, "haemoglobin", 14.0, 12.0, None))
    assert [verdict.time_point for verdict in both.verdicts] == ["0", "NE"]
    assert both.verdicts[1].unknowns == ("upper_limit_of_normal",)


def test_a_grade_in_one_direction_needs_no_limit_of_the_other():
    assert only(assess((9, "haemoglobin", 7.0, None, None)), 9).time_point == "3"


def test_a_low_grade_carries_a_minus_sign_where_it_is_asked_for():
    rows = ((9, "sodium", 118.0, 135.0, 145.0), (9, "potassium", 7.5, 3.5, 5.0))
    assert [v.time_point for v in assess(*rows, signed=True).verdicts] == ["-4", "4"]
    assert assess(*rows).details["ctcae_grades"].sort("term")["signed_grade"].to_list() == [4, 0, 0, -4]


def test_baseline_is_the_value_before_lymphodepletion():
    rows = ((-6, "alt", 80.0, None, 40.0), (-1, "alt", 30.0, None, 40.0), (9, "alt", 130.0, None, 40.0))
    assert only(assess(*rows), 9).time_point == "1"
    assert only(assess(*rows, baseline="infusion"), 9).time_point == "2"
    assert 0 in only(assess(*rows), 9).findings[0].rows


def test_without_a_value_before_lymphodepletion_the_first_one_up_to_infusion_is_baseline():
    rows = ((-3, "alt", 80.0, None, 40.0), (-1, "alt", 30.0, None, 40.0), (9, "alt", 130.0, None, 40.0))
    assert only(assess(*rows), 9).time_point == "1"


def test_a_baseline_without_its_own_limit_is_judged_by_that_of_the_row():
    rows = ((-6, "alt", 30.0, None, None), (9, "alt", 130.0, None, 40.0))
    assert only(assess(*rows), 9).time_point == "2"


def test_the_worst_row_of_a_day_counts_and_the_contradiction_is_reported():
    found = assess((9, "platelets", 60.0, 150.0, None), (9, "platelets", 20.0, 150.0, None))
    assert only(found, 9).time_point == "4"
    assert "rows 0 and 1" in found.warnings[0]


def test_calcium_is_corrected_by_the_albumin_of_the_day():
    rows = ((9, "calcium", 10.0, 8.5, 10.5), (9, "albumin", 2.0, None, None))
    found = {v.note.split(":")[0]: v for v in assess(*rows).verdicts}
    assert found["calcium"].time_point == "1"
    assert found["calcium"].findings[0].rows == (0, 1)
    measured = {v.note.split(":")[0]: v for v in assess(*rows, calcium="as_measured").verdicts}
    assert measured["calcium"].time_point == "0"


def test_calcium_without_albumin_is_not_gradable_unless_it_was_corrected_before():
    assert only(assess((9, "calcium", 15.0, 8.5, 10.5)), 9).unknowns == ("albumin",)
    assert only(assess((9, "corrected_calcium", 15.0, 8.5, 10.5)), 9).time_point == "4"


def test_a_value_below_its_limit_of_quantification_is_graded_as_far_as_it_goes():
    assert only(assess((9, "neutrophils", "<0.1", 1.8, None)), 9).time_point == "4"
    low = only(assess((9, "neutrophils", "<0.8", 1.8, None)), 9)
    assert (low.time_point, low.unknowns) == ("3", ("neutrophils",))
    version_6 = only(assess((9, "neutrophils", "<0.1", 1.8, None), version="ctcae/6.0"), 9)
    assert version_6.time_point == "4"


def test_the_worst_grade_from_infusion_on_is_an_endpoint():
    rows = (
        (-6, "platelets", 10.0, 150.0, None),
        (3, "platelets", 60.0, 150.0, None),
        (9, "platelets", 40.0, 150.0, None),
    )
    ends = {endpoint.name: endpoint for endpoint in assess(*rows).endpoints}
    worst = ends["ctcae_worst_grade:Platelet count decreased"]
    assert (worst.value, worst.day, worst.status) == ("3", 9.0, "event")
    assert ends["ctcae_worst_grade"].value == "3"


def test_fasting_and_other_glucose_have_terms_of_their_own():
    rows = ((9, "glucose", 300.0, 70.0, 110.0), (9, "fasting_glucose", 200.0, 70.0, 110.0))
    found = {v.note.split(":")[0]: v.time_point for v in assess(*rows, version="ctcae/6.0").verdicts}
    assert found == {"glucose": "3", "fasting_glucose": "2"}


def test_nothing_measured_gives_no_verdict():
    assert assess().verdicts == ()


def test_an_unknown_range_of_the_baseline_is_refused():
    with pytest.raises(InputError, match="`baseline_range` must be one of low, normal, high, but was 'raised'"):
        compute_grade("GGT increased", 1.0, "U/L", rules=RULES, baseline_range="raised")


def test_an_unknown_option_is_refused():
    with pytest.raises(InputError, match=r"did you mean symptoms"):
        compute_grade("Anemia", 1.0, "g/L", rules=RULES, symptom="absent")


def test_no_term_gives_no_signed_grade():
    assert combine_directions([]) is None


def test_what_is_not_covered_says_so():
    grade = compute_grade("Gloom", 1.0, "g/L", rules=RULES)
    assert grade.value is None
    assert grade.unknowns == ("a term 'Gloom' in ctcae/5.0",)


def test_a_number_that_is_none_is_not_gradable():
    assert compute_grade("Anemia", float("nan"), "g/L", rules=RULES).value is None
