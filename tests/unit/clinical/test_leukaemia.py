"""Acute and chronic lymphoid leukaemia: what is refused, and what the trail and the endpoints say."""

import polars as pl
import pytest

from livingdrug.clinical.chronic_leukaemia import assess_iwcll
from livingdrug.clinical.haematology_course import Ladder, Point, confirm_point, find_best, find_open_block
from livingdrug.clinical.leukaemia import assess_all
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.knowledge.rules import load_rules

NO_EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
SCHEMA = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "unit": pl.String, "text": pl.String}
ALL, CLL = load_rules("all/nccn-eln"), load_rules("iwcll/2018")
LADDER = Ladder(("CR", "PR", "SD", "PD"), ("CR", "PR"), ("CR",), ("SD",), hold_days=28.0, min_days=42.0)


def tables(*rows, events=NO_EVENTS):
    cells = []
    for day, name, value, unit in rows:
        is_word = isinstance(value, str)
        cells.append((float(day), name, None if is_word else float(value), unit, value if is_word else None))
    return SubjectTables({}, events, pl.DataFrame(cells, schema=SCHEMA, orient="row"))


def points(*found):
    return [Point(float(day), category, float(day)) for day, category in found]


@pytest.mark.parametrize(("assess", "rules", "criteria"), [(assess_all, ALL, "all"), (assess_iwcll, CLL, "iwcll")])
def test_a_code_of_other_criteria_is_refused_unless_the_row_names_them(assess, rules, criteria):
    wrong = tables((30, "overall_response", "scr", None))
    with pytest.raises(InputError, match=f"must be a response of {criteria}"):
        assess(wrong, rules)
    named = SubjectTables({}, NO_EVENTS, wrong.observations.with_columns(assay=pl.lit("IMWG 2016")))
    assert assess(named, rules).verdicts == ()


def test_the_progression_of_leukaemia_names_its_rows():
    rows = [(-7, "lymphocytes", 20, "10*9/L"), (90, "lymphocytes", 40, "10*9/L"), (90, "hepatomegaly", "no", None)]
    (verdict,) = assess_iwcll(tables(*rows), CLL).verdicts
    assert (verdict.time_point, verdict.findings[0].rows) == ("PD", (1, 0))


def test_a_drug_that_excuses_lymphocytes_names_its_event():
    events = pl.DataFrame({"day": [5.0], "type": ["kinase_inhibitor"], "note": ["ibrutinib"], "row": [7]})
    rows = [
        (-7, "node_longest_diameter:N1", 40, "mm"),
        (-7, "lymphocytes", 20, "10*9/L"),
        (90, "node_longest_diameter:N1", 20, "mm"),
        (90, "lymphocytes", 40, "10*9/L"),
        (90, "platelets", 150, "10*9/L"),
        (90, "haemoglobin", 12, "g/dL"),
    ]
    (verdict,) = assess_iwcll(tables(*rows, events=events), CLL).verdicts
    assert verdict.time_point == "PR-L"
    assert verdict.findings[0].parts[0].event_rows == (7,)


def test_counts_alone_are_no_look_at_leukaemia():
    rows = [(day, "neutrophils", 0.5, "10*9/L") for day in range(1, 20)]
    assert assess_all(tables(*rows), ALL).verdicts == ()


def test_the_course_of_leukaemia_counts_any_remission_as_complete():
    rows = [(-7, "marrow_blasts", 50, "%")]
    rows += [(day, name, 0, "%") for day in (28, 60) for name in ("marrow_blasts", "blood_blasts")]
    (course,) = assess_all(tables(*rows), ALL).courses
    assert (course.best, course.response_day, course.complete_response_day) == ("CRi", 28.0, 28.0)


def test_a_response_is_confirmed_in_the_least_category_until_it_has_lasted():
    seen = points((30, "CR"), (45, "PR"), (60, "CR"), (90, "CR"))
    assert [confirm_point(seen, index, LADDER) for index in range(4)] == ["PR", "PR", "CR", None]


def test_a_response_that_is_lost_before_it_lasted_is_not_confirmed():
    seen = points((30, "PR"), (45, "SD"), (60, "PR"))
    assert confirm_point(seen, 0, LADDER) is None
    assert find_best(seen, LADDER, is_confirmed=True) == ("SD", 45.0)


def test_stable_disease_that_is_too_early_is_no_best_response():
    assert find_best(points((41, "SD")), LADDER, is_confirmed=True) == ("NE", 41.0)
    assert find_best(points((42, "SD")), LADDER, is_confirmed=True) == ("SD", 42.0)
    assert find_best([], LADDER, is_confirmed=True) == ("MISSING", None)


def test_a_block_of_indeterminate_responses_is_closed_by_any_other():
    ladder = Ladder(("CR", "SD", "IR1", "PD"), ("CR",), ("CR",), indeterminate=("IR1",))
    assert find_open_block(points((30, "IR1"), (60, "SD"), (90, "IR1")), ladder) == 90.0
    assert find_open_block(points((30, "IR1"), (60, "SD")), ladder) is None
