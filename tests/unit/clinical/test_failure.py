"""Failure classes, what was measured about the cause, and many subjects at once."""

import polars as pl
import pytest

from livingdrug.clinical.cohort import derive_responses
from livingdrug.clinical.failure import classify_failure, report_unsupported
from livingdrug.clinical.myeloma import assess_myeloma
from livingdrug.clinical.persistence import find_antigen, find_persistence
from livingdrug.clinical.response import confirm_responses
from livingdrug.core.errors import InputError
from livingdrug.core.outcome import FailureClass
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("imwg/2016")
SCHEMA = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "censored": pl.String,
}
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String}


def build(*rows):
    """Rows of day, variable, value; a word goes into text; None was not detected."""
    table = [
        (
            float(d),
            v,
            None if isinstance(x, str) else x,
            x if isinstance(x, str) else None,
            "left" if x is None else "none",
        )
        for d, v, x in rows
    ]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def series(variable, values):
    return [(day, variable, value) for day, value in values.items()]


def classify(observations, *events, **more):
    table = pl.DataFrame([(float(d), t, n) for d, t, n in events], schema=EVENTS, orient="row")
    course = confirm_responses(assess_myeloma(observations, table, RULES), table, RULES)
    return classify_failure(course, observations, table, RULES, **more)


RELAPSE = [
    *series("m_protein", {-7: 3.0, 28: 0.2, 56: 0.1, 180: 0.1, 210: 1.0, 238: 1.6}),
    *series("urine_m_protein", dict.fromkeys((-7, 28, 56, 180, 210, 238), 0.0)),
]


def test_a_relapse_rests_on_the_rows_of_its_first_sample_and_of_its_nadir():
    observations = build(*RELAPSE)
    verdict = classify(observations)
    assert verdict.failure == FailureClass.LATE_RELAPSE
    assert verdict.day == 210.0
    assert {observations["value"][row] for row in verdict.rows} == {0.1, 1.0}
    assert verdict.bins["6 months"] == "late"


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        (series("antigen_positive_fraction", {210: 0.02}), "antigen_negative"),
        (series("antigen_density:BCMA", {-7: 1500.0, 205: 400.0}), "antigen_low"),
        (series("car_transgene", {14: 1e5, 150: None, 200: None}), "car_loss"),
        (series("car_t_cells", {14: 100.0, 200: 0.0}), "car_loss"),
        (series("car_transgene", {14: 1e5, 200: None}), "unknown"),
        (series("car_transgene", {14: 1e5, 60: None, 90: None}), "unknown"),
        (series("sbcma", {210: 100.0}) + series("b_cells", {210: 200.0}), "unknown"),
        (
            series("car_transgene", {14: 1e5, 200: 900.0}) + series("antigen_positive_fraction", {210: 0.9}),
            "car_present_antigen_positive",
        ),
        ([], "unknown"),
    ],
)
def test_the_label_of_a_failure_says_only_what_was_measured(rows, label):
    assert classify(build(*RELAPSE, *rows)).label == label


def test_the_sample_nearest_to_the_failure_tells_the_antigen():
    rows = series("antigen_positive_fraction", {160: 0.9, 208: 0.01})
    assert find_antigen(build(*rows), 210.0, RULES)[0] == "negative"
    assert find_antigen(build(*reversed(rows)), 210.0, RULES)[0] == "negative"


def test_antigens_of_two_names_are_not_mixed():
    rows = build(
        (208, "antigen_positive_fraction:BCMA", 0.9),
        (208, "antigen_positive_fraction:GPRC5D", 0.01),
    )
    assert find_antigen(rows, 210.0, RULES)[0] == "unknown"
    assert find_antigen(rows, 210.0, RULES, "BCMA")[0] == "positive"


def test_car_t_cells_seen_by_one_method_are_not_lost():
    rows = [*series("car_transgene", {150: None, 200: None}), *series("car_t_cells", {200: 3.0})]
    assert find_persistence(build(*rows), 210.0, RULES)[0] == "present"


def test_a_death_without_progression_leaves_the_failure_unknown():
    rows = [*series("m_protein", {-7: 3.0, 28: 0.2, 56: 0.1}), *series("urine_m_protein", {28: 0.0, 56: 0.0})]
    assert classify(build(*rows), (70, "death", "sepsis")).failure == FailureClass.UNKNOWN
    from_myeloma = classify(build(*rows), (70, "death", "progressive myeloma"))
    assert (from_myeloma.failure, from_myeloma.certainty) == (FailureClass.EARLY_RELAPSE, "presumptive")


def test_a_disease_without_criteria_is_unknown_and_not_an_error():
    verdict = report_unsupported("lbcl")
    assert (verdict.failure, verdict.day, verdict.certainty) == (FailureClass.UNKNOWN, None, "unknown")


def test_an_option_that_does_not_exist_is_named():
    with pytest.raises(InputError, match="urine_polcy"):
        assess_myeloma(build(*RELAPSE), pl.DataFrame(schema=EVENTS), RULES, urine_polcy="strict")


def test_a_late_second_sample_counts_with_a_warning():
    rows = [*series("m_protein", {-7: 3.0, 28: 1.0, 140: 1.0})]
    points = assess_myeloma(build(*rows), pl.DataFrame(schema=EVENTS), RULES)
    course = confirm_responses(points, pl.DataFrame(schema=EVENTS), RULES)
    assert course.first_response_day == 28.0
    assert "112 days" in course.visits[0].warning
    shown = confirm_responses(points[:1], pl.DataFrame(schema=EVENTS), RULES, unconfirmed="NE")
    assert shown.best == "NE"


def test_a_confirmed_nadir_is_the_lowest_of_the_larger_of_two():
    rows = series("m_protein", {-7: 3.0, 28: 1.0, 56: 0.2, 84: 0.9, 112: 0.9})
    for nadir, expected in (("raw_min", "PD"), ("confirmed", "PR")):
        points = assess_myeloma(build(*rows), pl.DataFrame(schema=EVENTS), RULES, nadir=nadir)
        assert points[2].category == expected


def test_a_cohort_has_one_row_a_visit_and_one_a_subject():
    one = build(*RELAPSE).with_columns(subject_id=pl.lit("b"))
    two = build(*RELAPSE[:3], *RELAPSE[6:9]).with_columns(subject_id=pl.lit("a"))
    events = pl.DataFrame(
        [("b", 300.0, "next_therapy", None)], schema={"subject_id": pl.String, **EVENTS}, orient="row"
    )
    responses, failures = derive_responses(pl.concat([one, two]), events, RULES)
    assert responses.height == 7
    assert failures["subject_id"].to_list() == ["b", "a"]
    assert failures["failure"].to_list() == ["late_relapse", "none"]
    alone = classify(build(*RELAPSE), (300.0, "next_therapy", None))
    assert failures["day"][0] == alone.day
