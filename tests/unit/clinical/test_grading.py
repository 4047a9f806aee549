"""From clauses to a grade and its bounds, from graded days to endpoints."""

import pytest

from livingdrug.clinical.grading import (
    Episode,
    Graded,
    ask_death,
    build_details,
    describe_grade,
    find_grade,
    list_endpoints,
)
from livingdrug.core.ruleset import Finding, Truth


def clause(truth, *missing):
    return Finding("clause", truth, missing=missing)


def test_an_unknown_clause_above_makes_the_grade_a_lower_bound():
    graded = find_grade(1.0, [(3, clause(Truth.FALSE)), (2, clause(Truth.UNKNOWN, "x")), (1, clause(Truth.TRUE))])
    verdict = describe_grade(graded, "CRS", "look")
    assert (graded.lower, graded.upper, verdict.time_point) == (1, 2, "1")
    assert (verdict.unknowns, verdict.would_change) == (("x",), ("CRS grade 2, if x were known",))
    assert verdict.note == "look; at least grade 1; clause"


def test_no_grade_that_is_certain_is_not_evaluable_instead_of_none():
    graded = find_grade(1.0, [(2, clause(Truth.UNKNOWN, "x")), (1, clause(Truth.UNKNOWN, "y"))])
    assert describe_grade(graded, "CRS").time_point == "NE"
    assert find_grade(1.0, [(1, clause(Truth.FALSE))]).text == "0"


@pytest.mark.parametrize(
    ("note", "truth"),
    [
        ("refractory CRS despite tocilizumab", Truth.TRUE),
        ("CRS not responding to steroids", Truth.TRUE),
        ("cytokine release syndrome without infection", Truth.TRUE),
        ("sepsis despite treatment of CRS", Truth.FALSE),
        ("sepsis; CRS had resolved", Truth.FALSE),
        ("sepsis after resolution of grade 2 CRS", Truth.FALSE),
        ("CRS", Truth.TRUE),
        ("grade 5 cytokine-release syndrome; sepsis", Truth.TRUE),
        ("sepsis, not CRS", Truth.FALSE),
        ("myeloma", Truth.FALSE),
        ("", Truth.UNKNOWN),
        (None, Truth.UNKNOWN),
    ],
)
def test_the_cause_of_death_is_read_from_the_note(note, truth):
    events = [{"day": 9.0, "type": "death", "note": note, "row": 3}]
    day, finding = ask_death(events, "CRS", r"\bcrs\b|cytokine[- ]release")
    assert (day, finding.truth, finding.event_rows) == (9.0, truth, (3,))


def test_without_a_death_there_is_no_cause():
    assert ask_death([{"day": 9.0, "type": "relapse", "note": "", "row": 3}], "CRS", "crs") is None


def find(endpoints, name):
    return next(e for e in endpoints if e.name == name)


def test_a_maximum_that_another_day_may_exceed_says_so():
    days = [Graded(1.0, 2, 2), Graded(2.0, 0, 4)]
    maximum = find(list_endpoints("crs", days, [Episode(1.0, None, 2)], None), "crs_maximum_grade")
    assert (maximum.value, maximum.day, maximum.status) == ("2", 1.0, "event")
    assert "grade 4 is not excluded on day 2" in maximum.reason


def test_no_day_assessed_is_no_event_and_no_grade():
    endpoints = list_endpoints("crs", [], [], None)
    assert [(e.status, e.day) for e in endpoints] == [("censored", None)] * 2
    assert endpoints[0].value == "NE"


def test_what_had_not_ended_is_censored_at_the_last_day_or_at_death():
    days, episodes = [Graded(3.0, 1, 1), Graded(5.0, 1, 1)], [Episode(3.0, None, 1)]
    assert find(list_endpoints("crs", days, episodes, None), "crs_duration").value == "2"
    death = find(list_endpoints("crs", days, episodes, 8.0), "crs_duration")
    assert (death.value, death.status, death.day, death.start_day) == ("5", "censored", 8.0, 3.0)


def test_details_hold_bounds_by_day_and_episodes():
    details = build_details([Graded(3.0, 1, 4)], [Episode(3.0, None, 1)])
    assert details["grades"].rows() == [(3.0, 1, 4)]
    assert details["episodes"].rows() == [(3.0, None, 1)]
