"""Laws that endpoints, failures, signals and curves obey, whatever the course."""

from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.cohort_tables import tabulate_cumulative_incidence, tabulate_kaplan_meier
from livingdrug.clinical.early_warning import derive_early_warning
from livingdrug.clinical.endpoints import COMPETING, derive_endpoints
from livingdrug.clinical.failure import classify_course, derive_failure_endpoints
from livingdrug.clinical.signals import find_signals
from livingdrug.clinical.survival import compute_kaplan_meier, compute_quantile, compute_restricted_mean
from livingdrug.core.assessment import ResponseCourse, SubjectTables
from livingdrug.core.outcome import FailureClass
from livingdrug.knowledge.rules import load_rules

ENDPOINTS, FAILURE, WARNING = (load_rules(name) for name in ("endpoints/1", "failure/1", "early-warning/1"))
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String, "row": pl.Int64}
ROWS = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "row": pl.Int64}
TYPES = ("next_therapy", "transplant", "relapse", "last_contact", "corticosteroid")
VARIABLES = ("m_protein", "sbcma", "b_cells", "car_transgene", "antigen_positive_fraction", "mrd", "tumour_spd")
NOTES = (None, "sepsis", "progressive lymphoma")
MOST = 80

options = st.fixed_dictionaries(
    {},
    optional={
        "new_therapy": st.sampled_from(("censor", "event", "ignore")),
        "missed_assessments": st.integers(0, 3).map(float),
        "assessment_interval_days": st.sampled_from((0.0, 28.0)),
        "presumptive_progression": st.sampled_from(("ignore", "event")),
        "recorded_relapse": st.sampled_from(("ignore", "event")),
        "transplant": st.sampled_from(("therapy", "ignore")),
        "duration_death": st.sampled_from(("any", "disease")),
    },
)


@st.composite
def courses(draw):
    """A course as criteria give it: responses lie in assessments, before progression."""
    days = sorted(draw(st.sets(st.integers(1, 60).map(lambda n: 7.0 * n), max_size=8)))
    missed = draw(st.sets(st.integers(1, 60).map(lambda n: 7.0 * n + 1.0), max_size=4))
    is_progressing = bool(days) and draw(st.booleans())
    before = days[:-1] if is_progressing else days
    seen = draw(st.sampled_from(before)) if before and draw(st.booleans()) else None
    later = [] if seen is None else [day for day in before if day >= seen]
    confirmed = draw(st.sampled_from(later)) if later and draw(st.booleans()) else None
    deeper = [] if confirmed is None else [day for day in before if day >= confirmed]
    complete = draw(st.sampled_from(deeper)) if deeper and draw(st.booleans()) else None
    return ResponseCourse(
        best="CR" if complete else "PR" if confirmed else "SD" if days else "NE",
        best_day=complete or confirmed,
        best_unconfirmed="PR" if seen else "SD",
        response_day=confirmed,
        unconfirmed_response_day=seen,
        complete_response_day=complete,
        progression_day=days[-1] if is_progressing else None,
        is_progression_presumptive=is_progressing and draw(st.booleans()),
        assessed_days=tuple(days),
        missed_days=tuple(sorted(missed)),
    )


@st.composite
def records(draw):
    """Events in which nothing follows death, and rows of what may be measured."""
    death = draw(st.none() | st.integers(1, 500).map(float))
    last = 500 if death is None else int(death)
    drawn = draw(st.lists(st.tuples(st.integers(1, last).map(float), st.sampled_from(TYPES)), max_size=3))
    events = [(0.0, "car_t", None), *((day, kind, None) for day, kind in drawn)]
    if death is not None:
        events.append((death, "death", draw(st.sampled_from(NOTES))))
    value = st.one_of(st.just(0.0), st.floats(0.01, 0.9), st.floats(1.0, 1000.0))
    result = st.tuples(st.integers(-10, last).map(float), st.sampled_from(VARIABLES), value)
    rows = draw(st.lists(result, max_size=12))
    return events, rows


def build(events, rows, disease="lbcl", product="axi_cel"):
    numbered = [(*event, place) for place, event in enumerate(events)]
    measured = [(day, name, value, None, place) for place, (day, name, value) in enumerate(rows)]
    return SubjectTables(
        {"disease": disease, "product": product},
        pl.DataFrame(numbered, schema=EVENTS, orient="row"),
        pl.DataFrame(measured, schema=ROWS, orient="row"),
    )


def derive(course, tables, **chosen):
    return {endpoint.name: endpoint for endpoint in derive_endpoints(course, tables, ENDPOINTS, **chosen)}


@settings(max_examples=MOST)
@given(courses(), records(), options)
def test_no_time_is_negative_and_every_endpoint_says_why(course, record, chosen):
    for endpoint in derive(course, build(*record), **chosen).values():
        assert endpoint.reason
        if endpoint.day is not None:
            assert endpoint.start_day is not None
            assert endpoint.day >= endpoint.start_day


@settings(max_examples=MOST)
@given(courses(), records(), options)
def test_a_relapse_comes_after_its_response(course, record, chosen):
    duration = derive(course, build(*record), **chosen)["duration_of_response"]
    if duration.day is not None:
        assert duration.day >= course.response_day
        assert float(duration.value) >= 0


@settings(max_examples=MOST)
@given(courses(), records(), options)
def test_a_confirmed_response_is_also_an_unconfirmed_one(course, record, chosen):
    found = derive(course, build(*record), **chosen)
    if found["confirmed_response"].value == "Y":
        assert found["unconfirmed_response"].value == "Y"
        assert found["unconfirmed_response"].day <= found["confirmed_response"].day


@settings(max_examples=MOST)
@given(courses(), records(), options)
def test_who_was_never_assessed_is_not_free_of_events_for_any_time(course, record, chosen):
    nobody = replace(course, assessed_days=(), progression_day=None, response_day=None)
    endpoint = derive(nobody, build(*record), **chosen)["progression_free_survival"]
    assert endpoint.status == "event" or endpoint.day == endpoint.start_day


@settings(max_examples=MOST)
@given(courses(), records(), options)
def test_survival_is_never_shorter_than_without_progression(course, record, chosen):
    found = derive(course, build(*record), **chosen)
    free, alive = found["progression_free_survival"], found["overall_survival"]
    if free.status == "event" and alive.status == "event":
        assert free.day <= alive.day


@settings(max_examples=MOST)
@given(courses(), records(), options)
def test_the_two_ways_to_leave_progression_free_survival_rule_each_other_out(course, record, chosen):
    found = derive(course, build(*record), **chosen)
    free = found["progression_free_survival"]
    ways = [found[name] for name in COMPETING]
    assert {way.day for way in ways} == {free.day}
    assert sum(way.status == "event" for way in ways) == (free.status == "event")


@settings(max_examples=MOST)
@given(courses(), records(), options, st.sampled_from(TYPES), st.integers(1, 100))
def test_a_later_event_never_changes_an_earlier_one(course, record, chosen, kind, wait):
    events, rows = record
    before = derive(course, build(events, rows), **chosen)
    last = max([*(event[0] for event in events), *course.assessed_days, *course.missed_days])
    after = derive(course, build([*events, (last + wait, kind, None)], rows), **chosen)
    for name, endpoint in before.items():
        if endpoint.status == "event":
            assert after[name] == endpoint


@settings(max_examples=MOST)
@given(courses(), records(), options, st.sampled_from(VARIABLES), st.floats(0.0, 1000.0), st.integers(1, 100))
def test_a_later_measurement_never_changes_an_earlier_event(course, record, chosen, variable, value, wait):
    events, rows = record
    before = derive(course, build(events, rows), **chosen)
    last = max([*(row[0] for row in rows), *course.assessed_days, *(event[0] for event in events)])
    later = [*rows, (last + wait, variable, value)]
    after = derive(course, build(events, later), **chosen)
    for name, endpoint in before.items():
        if endpoint.status == "event":
            assert after[name] == endpoint
    known = {signal.name: signal.day for signal in find_signals(build(events, rows), WARNING, target="CD19")}
    found = {signal.name: signal.day for signal in find_signals(build(events, later), WARNING, target="CD19")}
    assert known == {name: found.get(name) for name in known}


@settings(max_examples=MOST)
@given(courses(), records(), options, st.integers(-200, 200))
def test_the_day_that_is_called_0_does_not_matter(course, record, chosen, shift):
    def move(day):
        return None if day is None else day + shift

    events, rows = record
    moved = replace(
        course,
        best_day=move(course.best_day),
        response_day=move(course.response_day),
        unconfirmed_response_day=move(course.unconfirmed_response_day),
        complete_response_day=move(course.complete_response_day),
        progression_day=move(course.progression_day),
        assessed_days=tuple(map(move, course.assessed_days)),
        missed_days=tuple(map(move, course.missed_days)),
    )
    plain = [row for row in rows if row[1] != "mrd"]
    here = derive(course, build(events, plain), **chosen)
    there = derive(
        moved,
        build([(day + shift, *rest) for day, *rest in events], [(day + shift, *r) for day, *r in plain]),
        **chosen,
    )
    for name, endpoint in here.items():
        assert (there[name].status, there[name].day) == (endpoint.status, move(endpoint.day))
        assert there[name].value == endpoint.value


@settings(max_examples=MOST)
@given(courses(), records(), options, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(course, record, chosen, random):
    events, rows = list(record[0]), list(record[1])
    here = derive(course, build(events, rows), **chosen)
    class_here = classify_course(course, build(events, rows), FAILURE)
    random.shuffle(events)
    random.shuffle(rows)
    assert derive(course, build(events, rows), **chosen) == here
    there = classify_course(course, build(events, rows), FAILURE)
    same = ("failure", "day", "certainty", "mechanism", "mechanism_certainty", "site", "antigen", "persistence")
    assert [getattr(there, name) for name in same] == [getattr(class_here, name) for name in same]


@settings(max_examples=MOST)
@given(courses(), records(), st.sampled_from(("lbcl", "b_all", "myeloma", "solid", "cll")))
def test_no_cause_without_rows_and_no_failure_without_a_day(course, record, disease):
    events, rows = record
    last = max(course.assessed_days, default=0.0)
    tables = build([e for e in events if e[1] != "death" or e[0] >= last], rows, disease=disease)
    verdict = classify_course(course, tables, FAILURE)
    assert verdict.reason
    is_failure = verdict.failure not in (FailureClass.NONE, FailureClass.UNKNOWN)
    assert is_failure == (verdict.day is not None)
    if verdict.mechanism != "unknown":
        assert any(finding.rows for finding in verdict.mechanism_findings)
    assert (verdict.mechanism == "unknown") == (verdict.mechanism_certainty == "unknown")
    if verdict.failure in (FailureClass.EARLY_RELAPSE, FailureClass.LATE_RELAPSE):
        assert course.response_day is not None
        assert verdict.day >= course.response_day
    said = derive_failure_endpoints(course, tables, FAILURE)
    assert all(row.reason and row.start_day is not None for row in said)


@settings(max_examples=MOST)
@given(courses(), records())
def test_without_a_single_assessment_nobody_is_free_of_failure(course, record):
    blind = replace(course, assessed_days=(), progression_day=None, response_day=None, best="NE")
    assert classify_course(blind, build(*record), FAILURE).failure != FailureClass.NONE


@settings(max_examples=MOST)
@given(courses(), records())
def test_a_surrogate_is_never_reported_as_a_measurement(course, record):
    events, rows = record
    only = [row for row in rows if row[1] == "b_cells"]
    verdict = classify_course(course, build(events, only), FAILURE)
    assert verdict.mechanism_certainty in ("presumptive", "unknown")
    assert (verdict.antigen, verdict.persistence, verdict.label) == ("unknown", "unknown", "unknown")


@settings(max_examples=MOST)
@given(courses(), records())
def test_a_warning_comes_before_what_it_warns_of(course, record):
    found = {e.name: e for e in derive_early_warning(course, build(*record), WARNING)}
    lead, signal = found["lead_time"], found["first_signal"]
    if lead.status == "event":
        assert lead.day == course.progression_day
        assert float(lead.value) >= 0
        assert signal.status == "censored" or signal.day <= lead.day


times = st.lists(st.tuples(st.integers(0, 400).map(float), st.booleans()), min_size=1, max_size=40)


@settings(max_examples=MOST)
@given(times)
def test_a_survival_curve_falls_from_one_within_its_interval(drawn):
    time, is_event = np.array([t for t, _ in drawn]), np.array([e for _, e in drawn])
    curve = compute_kaplan_meier(time, is_event)
    assert np.all(np.diff(curve.survival) <= 1e-12)
    assert np.all((curve.lower <= curve.survival + 1e-12) & (curve.survival <= curve.upper + 1e-12))
    assert np.all((curve.lower >= 0) & (curve.upper <= 1))
    assert (curve.events + curve.censored).sum() == time.size
    assert curve.at_risk[0] == time.size
    median = compute_quantile(curve)
    assert median.lower <= median.value <= median.upper
    if time.max() > 0:
        mean = compute_restricted_mean(time, is_event, float(time.max()))
        assert 0 <= mean.value <= time.max() + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(courses(), records()), min_size=1, max_size=6))
def test_incidences_of_a_cohort_and_its_survival_add_up(subjects):
    rows = [
        (str(place), e.name, e.day, e.status, e.value, e.start_day)
        for place, (course, record) in enumerate(subjects)
        for e in derive(course, build(*record)).values()
    ]
    names = ["subject_id", "endpoint", "day", "status", "value", "start_day"]
    table = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    free = tabulate_kaplan_meier(table)
    incidence = tabulate_cumulative_incidence(table).group_by("time").agg(pl.col("incidence").sum()).sort("time")
    joined = incidence.join(free, on="time")
    np.testing.assert_allclose(joined["incidence"] + joined["survival"], 1.0, atol=1e-9)
