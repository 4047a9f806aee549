"""Best overall response and its relatives, from time points alone."""

import pytest

from livingdrug.clinical.best_response import (
    IRECIST,
    RECIST,
    Point,
    Windows,
    find_benefit,
    find_best,
    find_confirming,
    find_unresolved,
    select_counted,
)
from livingdrug.clinical.solid_endpoints import build_course, build_endpoints, list_contradictions


def points(text):
    """Read `42 PR, 84 CR`."""
    pairs = [pair.split() for pair in text.split(",")]
    return tuple(Point(float(day), category) for day, category in pairs)


def best(text, *, confirmed=True, scale=RECIST, **windows):
    found = find_best(points(text), scale, Windows(**windows), with_confirmation=confirmed)
    return found.category, found.day


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("42 CR, 70 CR", 1),
        ("42 CR, 69 CR", None),
        ("42 CR, 60 CR, 70 CR", 2),
        ("42 CR, 60 PR, 80 CR", None),
        ("42 CR, 60 ND, 80 CR", None),
        ("42 PR, 60 PR, 70 PR", 2),
        ("42 PR, 60 NON-CR/NON-PD, 80 PR", None),
        ("42 PR, 60 CR, 70 CR", 2),
        ("42 PR, 60 CR, 70 PR", None),
        ("42 PR, 70 PR, 80 CR", 1),
        ("42 PR, 50 PD, 80 PR", None),
        ("42 SD, 80 SD", None),
    ],
)
def test_what_confirms_the_first_time_point(text, place):
    assert find_confirming(points(text), 0, RECIST, Windows()) == place


def test_one_stable_disease_may_stand_between_and_a_not_evaluable_one_besides():
    text = points("42 PR, 50 SD, 60 NE, 80 PR")
    assert find_confirming(text, 0, RECIST, Windows(with_sd=True)) == 3
    assert find_confirming(text, 0, RECIST, Windows()) is None


def test_the_best_of_several_is_dated_by_its_first():
    assert best("42 SD, 84 SD") == ("SD", 42.0)
    assert best("42 PR, 84 PR, 126 PR") == ("PR", 42.0)


def test_an_unconfirmed_response_counts_as_stable_from_its_own_day():
    assert best("28 SD, 56 PR, 84 PD") == ("SD", 56.0)


def test_neither_complete_nor_progressive_goes_before_progression_and_after_stable():
    assert best("42 NON-CR/NON-PD, 84 PD") == ("NON-CR/NON-PD", 42.0)
    assert best("42 NON-CR/NON-PD, 84 SD") == ("SD", 84.0)


def test_nothing_before_new_treatment_is_missing():
    counted = select_counted(points("84 PR, 126 PR"), RECIST, 60.0)
    assert find_best(counted, RECIST, Windows(), with_confirmation=True).category == "MISSING"


def test_benefit_is_the_earlier_of_response_and_long_stability():
    def day(text):
        found = find_benefit(points(text), RECIST, Windows(), with_confirmation=False)
        return None if found is None else found.day

    assert day("28 PR, 56 SD") == 28.0
    assert day("28 SD, 56 SD, 84 PR") == 56.0
    assert day("28 SD, 56 PD") is None


def test_a_course_tells_progression_after_new_treatment_and_no_response_from_then():
    course = build_course(points("42 SD, 84 CR, 126 CR, 168 PD"), RECIST, Windows(), 60.0)
    assert (course.best, course.response_day, course.progression_day) == ("SD", None, 168.0)
    assert course.assessed_days == (42.0, 84.0, 126.0, 168.0)


def test_a_confirmed_complete_response_has_a_day_of_its_own():
    course = build_course(points("28 PR, 56 CR, 84 CR"), RECIST, Windows(), None)
    assert (course.best, course.response_day, course.complete_response_day) == ("CR", 28.0, 56.0)


def test_an_unresolved_progression_is_presumptive_until_something_else_is_seen():
    assert find_unresolved(points("42 iUPD, 70 iUPD, 98 NE"), IRECIST).day == 42.0
    assert find_unresolved(points("42 iUPD, 70 iSD"), IRECIST) is None
    assert find_unresolved(points("42 PD"), RECIST) is None


def test_confirmed_progression_is_best_only_where_nothing_better_was_seen():
    assert best("28 iUPD, 56 iCPD", scale=IRECIST) == ("iCPD", 28.0)
    assert best("42 iSD, 70 iUPD, 98 iCPD", scale=IRECIST) == ("iSD", 42.0)


def test_every_endpoint_has_a_name_a_value_and_a_reason():
    found = {e.name: e for e in build_endpoints(points("42 PR, 84 PR, 126 PD"), RECIST, Windows(), "A")}
    assert {name: (e.status, e.value, e.day) for name, e in found.items()} == {
        "best_overall_response": ("event", "PR", 42.0),
        "unconfirmed_best_overall_response": ("event", "PR", 42.0),
        "unconfirmed_response": ("event", "Y", 42.0),
        "clinical_benefit": ("event", "Y", 42.0),
        "confirmed_best_overall_response": ("event", "PR", 42.0),
        "confirmed_response": ("event", "Y", 42.0),
        "confirmed_clinical_benefit": ("event", "Y", 42.0),
        "progression": ("event", "Y", 126.0),
    }
    assert all(e.reason and e.reader == "A" for e in found.values())


def test_a_complete_response_followed_by_less_is_said_and_not_repaired():
    text = "42 CR, 70 PR, 98 CR"
    assert len(list_contradictions(points(text), RECIST)) == 1
    assert best(text, confirmed=False) == ("CR", 42.0)
