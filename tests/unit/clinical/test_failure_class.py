"""Failure of any disease: evidence from visits, what is left open, and rows of the record."""

import polars as pl
import pytest

from livingdrug.clinical.failure import classify_course, derive_failure_endpoints
from livingdrug.clinical.persistence import find_car_loss
from livingdrug.core.assessment import Assessed, ResponseCourse, SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.core.outcome import FailureClass
from livingdrug.core.ruleset import Finding, Truth
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("failure/1")
ROWS = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "reader": pl.String}
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String, "row": pl.Int64}
LOW = ResponseCourse("PR", 30.0, "PR", 30.0, 30.0, None, None, assessed_days=(30.0, 60.0, 90.0))


def build(*rows, events=(), disease="myeloma", product="cilta_cel"):
    table = [
        (float(d), v, None if isinstance(x, str) else x, x if isinstance(x, str) else None, r)
        for d, v, x, r in ((*row, None)[:4] for row in rows)
    ]
    return SubjectTables(
        {"disease": disease, "product": product},
        pl.DataFrame(events, schema=EVENTS, orient="row"),
        pl.DataFrame(table, schema=ROWS, orient="row").with_row_index("row", 500),
    )


def test_the_clauses_of_the_visit_that_progressed_are_evidence():
    finding = Finding("M-protein risen", Truth.TRUE, (3, 9))
    course = ResponseCourse("VGPR", 30.0, "VGPR", 30.0, 30.0, None, 210.0, assessed_days=(30.0, 60.0, 210.0))
    visits = (Assessed(60.0, "VGPR"), Assessed(210.0, "PD", findings=(finding,)))
    verdict = classify_course(course, build(), RULES, visits)
    assert (verdict.findings, verdict.rows) == ((finding,), (3, 9))


def test_a_recorded_relapse_rests_on_its_row_of_the_events():
    verdict = classify_course(LOW, build(events=[(70.0, "relapse", None, 17)]), RULES)
    assert (verdict.certainty, verdict.findings[0].event_rows) == ("presumptive", (17,))


def test_a_response_that_something_missing_keeps_low_is_open():
    change = ("very good partial response, if urine M-protein were known to be below 100 mg/24h",)
    visits = (Assessed(90.0, "PR", unknowns=("urine_m_protein",), would_change=change),)
    assert classify_course(LOW, build(), RULES).failure == FailureClass.INCOMPLETE_RESPONSE
    verdict = classify_course(LOW, build(), RULES, visits)
    assert verdict.failure == FailureClass.UNKNOWN
    assert "urine_m_protein" in verdict.reason


def test_a_better_category_in_the_last_visit_awaits_its_second_sample():
    visits = (Assessed(60.0, "PR"), Assessed(90.0, "VGPR"))
    verdict = classify_course(LOW, build(), RULES, visits)
    assert (verdict.failure, "awaits a second sample" in verdict.reason) == (FailureClass.UNKNOWN, True)


def test_visits_of_another_reader_say_nothing():
    visits = (Assessed(90.0, "VGPR", reader="other"),)
    assert classify_course(LOW, build(), RULES, visits).failure == FailureClass.INCOMPLETE_RESPONSE


def test_lesions_of_another_reader_do_not_tell_the_place():
    course = ResponseCourse("PR", 30.0, "PR", 30.0, 30.0, None, 90.0, assessed_days=(30.0, 90.0), reader="a")
    rows = [(-7, "target_lesion:T1", 30.0, "a"), (90, "target_lesion:T1", 30.0, "a"), (90, "new_lesion", "yes", "b")]
    verdict = classify_course(course, build(*rows, disease="solid", product="other"), RULES)
    assert verdict.site == "unknown"
    one = classify_course(course, build(*rows[:2], (90, "new_lesion", "yes", "a"), disease="solid"), RULES)
    assert (one.site, one.rows) == ("de_novo", (502,))


def test_an_unknown_product_presumes_nothing():
    course = ResponseCourse("CR", 28.0, "CR", 28.0, 28.0, 28.0, 200.0, assessed_days=(28.0, 200.0))
    rows = [(28, "b_cells", 0.0), (190, "b_cells", 0.0)]
    for product, expected in (("other", "unknown"), ("tisa_cel", "presumptive")):
        tables = build(*rows, disease="b_all", product=product)
        assert classify_course(course, tables, RULES).mechanism_certainty == expected
    named = classify_course(course, build(*rows, disease="b_all", product="other"), RULES, target="CD22")
    assert named.mechanism_certainty == "presumptive"


def test_a_presumed_cause_never_reads_like_a_measurement():
    course = ResponseCourse("CR", 28.0, "CR", 28.0, 28.0, 28.0, 200.0, assessed_days=(28.0, 200.0))
    rows = [(28, "b_cells", 0.0), (190, "b_cells", 0.0)]
    tables = build(*rows, disease="b_all", product="tisa_cel")
    found = {e.name: e for e in derive_failure_endpoints(course, tables, RULES)}
    assert found["failure_mechanism"].value == "presumptive antigen_negative"
    assert found["failure_mechanism"].reason.startswith("presumptive, from B-cell aplasia")
    verdict = classify_course(course, tables, RULES)
    assert verdict.label == "unknown"
    assert verdict.antigen == "unknown"


def test_car_t_cells_that_were_never_seen_cannot_be_lost():
    assert find_car_loss(build((14, "car_transgene", 0.0), (28, "car_transgene", 0.0)).observations)[0] is None
    gone = build((14, "car_t_cells", 8.0), (60, "car_t_cells", 0.0)).observations
    assert find_car_loss(gone)[0] == 60.0
    seen = build((60, "car_transgene", 90.0), (14, "car_t_cells", 8.0), (60, "car_t_cells", 0.0)).observations
    assert find_car_loss(seen)[0] is None


def test_a_later_detection_does_not_undo_a_loss():
    rows = [(14, "car_transgene", 90.0), (60, "car_transgene", 0.0), (90, "car_transgene", 0.0)]
    before, after = build(*rows), build(*rows, (200, "car_transgene", 50.0))
    assert find_car_loss(before.observations)[0] == find_car_loss(after.observations)[0] == 60.0


def test_an_option_that_does_not_exist_is_named():
    with pytest.raises(InputError, match="early_until"):
        classify_course(LOW, build(), RULES, early_till="90_days")


def test_rows_of_failure_say_when_it_was_not_known():
    nothing = ResponseCourse("NE", None, "NE", None, None, None, None)
    found = {e.name: e for e in derive_failure_endpoints(nothing, build(), RULES)}
    assert (found["failure"].value, found["failure"].status, found["failure"].day) == ("unknown", "censored", None)
    assert found["refractory_6_months"].value == "NE"
    assert "failure_mechanism" not in found


def test_no_failure_is_known_no_longer_than_until_new_treatment():
    course = ResponseCourse("CR", 28.0, "CR", 28.0, 28.0, 28.0, 200.0, assessed_days=(28.0, 100.0, 200.0))
    tables = build(events=[(150.0, "next_therapy", None, 3)], disease="lbcl", product="axi_cel")
    found = {endpoint.name: endpoint for endpoint in derive_failure_endpoints(course, tables, RULES)}
    assert (found["failure"].value, found["failure"].day) == ("none", 100.0)
