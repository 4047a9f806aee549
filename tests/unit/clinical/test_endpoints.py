"""Endpoints as values, their options, and what joins them with those of criteria."""

from dataclasses import replace

import polars as pl
import pytest

from livingdrug.clinical.endpoint_sources import (
    DEATH,
    INFUSION,
    CensorSource,
    EventSource,
    TimeToEvent,
    build_timeline,
    derive_time_to_event,
    find_last_contact,
)
from livingdrug.clinical.endpoints import define_endpoints, derive_endpoints, join_endpoints
from livingdrug.core.assessment import Endpoint, ResponseCourse, SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("endpoints/1")
COURSE = ResponseCourse("PR", 28.0, "PR", 28.0, 28.0, None, 210.0, assessed_days=(28.0, 90.0, 210.0))
NOTHING = pl.DataFrame(schema={"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String})


def build(*events):
    schema = {"day": pl.Float64, "type": pl.String, "note": pl.String}
    return SubjectTables({}, pl.DataFrame(events, schema=schema, orient="row"), NOTHING)


def derive(course, *events, **options):
    return {endpoint.name: endpoint for endpoint in derive_endpoints(course, build(*events), RULES, **options)}


def test_an_option_or_a_choice_that_does_not_exist_is_named():
    with pytest.raises(InputError, match="new_therapy"):
        derive(COURSE, new_terapy="censor")
    with pytest.raises(InputError, match="censor or event or ignore"):
        derive(COURSE, new_therapy="perhaps")
    with pytest.raises(InputError, match="a number"):
        derive(COURSE, missed_assessments="many")


def test_an_endpoint_of_ones_own_is_a_value():
    steroid = EventSource(
        "steroid",
        lambda timeline: next((e.day for e in timeline.history if e.type == "corticosteroid"), None),
        "first steroid",
    )
    alive = CensorSource("last contact", find_last_contact, "none by last contact")
    definition = TimeToEvent("time_to_steroid", INFUSION, (steroid,), alive, cuts=(DEATH,))
    timeline = build_timeline(COURSE, build((5.0, "corticosteroid", None)))
    endpoint, source = derive_time_to_event(definition, timeline)
    assert (endpoint.status, endpoint.value, endpoint.reason) == ("event", "5", "first steroid on day 5")
    assert source is steroid
    endpoint, source = derive_time_to_event(definition, build_timeline(COURSE, build((3.0, "death", None))))
    assert (endpoint.status, endpoint.day, source) == ("censored", 3.0, None)
    assert endpoint.reason == "none by last contact on day 3; death on day 3"


def test_every_reader_has_endpoints_of_their_own():
    found = derive(replace(COURSE, reader="central"))
    assert {endpoint.reader for endpoint in found.values()} == {"central"}


def test_the_names_of_endpoints_are_unique_and_all_are_told_from_where():
    names = [endpoint.name for endpoint in derive_endpoints(COURSE, build(), RULES)]
    assert len(names) == len(set(names))
    assert {definition.name for definition in define_endpoints(RULES.choose({}))} <= set(names)


def test_a_record_without_an_infusion_counts_from_day_0():
    assert derive(COURSE)["progression_free_survival"].start_day == 0.0


def test_endpoints_of_the_criteria_stand_before_the_general_ones_by_reader():
    own = (Endpoint("best_overall_response", "event", 28.0, "iPR", "own", reader="a"),)
    general = (
        Endpoint("best_overall_response", "event", 28.0, "PR", "general", reader="a"),
        Endpoint("best_overall_response", "event", 28.0, "PR", "general", reader="b"),
    )
    assert [(e.reader, e.value) for e in join_endpoints(own, general)] == [("a", "iPR"), ("b", "PR")]


def test_a_death_that_was_not_seen_coming_is_not_dropped_for_want_of_assessments():
    course = ResponseCourse("NE", None, "NE", None, None, None, None, missed_days=(28.0,))
    found = derive(course, (40.0, "death", None))
    assert found["progression_free_survival"].status == "event"
    two = replace(course, missed_days=(28.0, 35.0))
    found = derive(two, (40.0, "death", None))
    assert (found["progression_free_survival"].status, found["progression_free_survival"].day) == ("censored", 0.0)
    assert found["overall_survival"].status == "event"
