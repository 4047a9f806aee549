"""Laws that every assessment of response obeys, whatever the patient."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.comparison import COMPARISONS, recompute
from livingdrug.clinical.myeloma import assess_myeloma, judge_panel, read_samples
from livingdrug.clinical.myeloma_clauses import TRUTHS, describe, find_missing, list_names
from livingdrug.clinical.myeloma_cohort import assess_myeloma_cohort
from livingdrug.clinical.response import confirm_responses
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, Truth, all_of, any_of
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("imwg/2016")
NO_EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
UNITS = {
    "m_protein": "g/dL",
    "urine_m_protein": "mg/24h",
    "flc_kappa": "mg/L",
    "flc_lambda": "mg/L",
    "marrow_plasma_cells": "%",
}
OTHER_UNITS = {
    "m_protein": ("g/L", 10.0),
    "urine_m_protein": ("g/24h", 0.001),
    "flc_kappa": ("mg/dL", 0.1),
    "flc_lambda": ("mg/dL", 0.1),
    "marrow_plasma_cells": ("%", 1.0),
}
TABLE = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "unit": pl.String}
SIGNS = ("positive", "negative")
on_a_busy_machine = settings(deadline=None)
"""No limit on the time of one example: other work may stop it for a while."""

numbers = {
    "m_protein": st.integers(0, 70).map(lambda n: n / 10),
    "urine_m_protein": st.integers(0, 60).map(lambda n: 10.0 * n),
    "flc_kappa": st.integers(1, 500).map(float),
    "flc_lambda": st.integers(1, 200).map(float),
    "marrow_plasma_cells": st.integers(0, 60).map(float),
}
words = {
    "serum_immunofixation": st.sampled_from(SIGNS),
    "urine_immunofixation": st.sampled_from(SIGNS),
    "marrow_clonal_plasma_cells": st.sampled_from(("present", "absent")),
}


@st.composite
def visits(draw, least=1, most=5):
    """Some results on day -7, and at some visits after it."""
    days = (-7.0, *(28.0 * (n + 1) for n in range(draw(st.integers(least, most)))))
    rows = []
    for day in days:
        for name, strategy in (numbers | words).items():
            result = draw(st.none() | strategy)
            if result is not None:
                is_word = name in words
                rows.append((day, name, None if is_word else result, result if is_word else None, UNITS.get(name)))
    return rows


def assess(rows):
    return assess_myeloma(pl.DataFrame(rows, schema=TABLE, orient="row"), NO_EVENTS, RULES)


def categories(rows):
    return {point.day: point.category for point in assess(rows)}


def list_findings(finding: Finding):
    yield finding
    for part in finding.parts:
        yield from list_findings(part)


@on_a_busy_machine
@given(visits(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, random):
    mixed = list(rows)
    random.shuffle(mixed)
    assert categories(mixed) == categories(rows)


@on_a_busy_machine
@given(visits())
def test_doubled_rows_change_nothing(rows):
    assert categories(rows + rows) == categories(rows)


@on_a_busy_machine
@given(visits())
def test_the_units_of_the_laboratory_do_not_matter(rows):
    other = []
    for day, name, value, text, unit in rows:
        written, factor = OTHER_UNITS.get(name, (unit, 1.0))
        other.append((day, name, None if value is None else value * factor, text, written))
    assert categories(other) == categories(rows)


@on_a_busy_machine
@given(visits(), st.data())
def test_a_missing_result_never_makes_a_response_better(rows, data):
    """Except that a progression which can no longer be seen is named as not excluded."""
    points = assess(rows)
    if not points:
        return
    last = points[-1]
    index = data.draw(st.sampled_from([i for i, row in enumerate(rows) if row[0] == last.day]))
    less = [point for point in assess(rows[:index] + rows[index + 1 :]) if point.day == last.day]
    if not less or less[0].category == last.category:
        return
    if last.category == Response.PD:
        assert less[0].verdict.not_excluded or less[0].category == Response.NE
    else:
        assert last.category.is_at_least(less[0].category)


@on_a_busy_machine
@given(visits(), st.sampled_from(["m_protein", "urine_m_protein", "marrow_plasma_cells"]), st.floats(0.0, 100.0))
def test_a_higher_value_at_the_last_visit_never_makes_it_better(rows, name, more):
    points = assess(rows)
    if not points or points[-1].category == Response.NE:
        return
    day = points[-1].day
    worse = [
        (d, n, v + (min(more, 100.0 - v) if n == "marrow_plasma_cells" else more) if (d, n) == (day, name) else v, t, u)
        for d, n, v, t, u in rows
    ]
    assert points[-1].category.is_at_least(assess(worse)[-1].category)


@on_a_busy_machine
@given(visits(), st.sampled_from(["serum_immunofixation", "urine_immunofixation"]))
def test_a_positive_immunofixation_never_makes_it_better(rows, name):
    points = assess(rows)
    if not points:
        return
    day = points[-1].day
    worse = [(d, n, v, "positive" if (d, n) == (day, name) else t, u) for d, n, v, t, u in rows]
    assert points[-1].category.is_at_least(assess(worse)[-1].category)


@on_a_busy_machine
@given(visits())
def test_every_clause_follows_from_its_own_trail(rows):
    for point in assess(rows):
        for root in point.verdict.findings:
            for finding in list_findings(root):
                assert recompute(finding) == finding.truth, finding


@on_a_busy_machine
@given(visits())
def test_a_progression_lies_above_the_nadir_it_is_counted_from(rows):
    for point in assess(rows):
        if point.category != Response.PD:
            continue
        leaves = [f for root in point.verdict.findings for f in list_findings(root) if f.truth == Truth.TRUE]
        rises = [f.values for f in leaves if f.comparison in ("rise >=", "rise >")]
        assert rises
        assert all(now > low for low, now in rises)


@on_a_busy_machine
@given(visits())
def test_a_category_rests_on_rows_of_its_subject(rows):
    for point in assess(rows):
        used = {row for finding in point.verdict.findings for row in finding.rows}
        assert used <= set(range(len(rows)))
        assert used or point.category == Response.NE


@on_a_busy_machine
@given(visits())
def test_stable_disease_is_never_said_without_a_result_of_a_followed_measure(rows):
    measured = {(day, name) for day, name, *_ in rows}
    for point in assess(rows):
        if point.category == Response.SD:
            assert any((point.day, name) in measured for name in UNITS)
            assert all(finding.truth == Truth.FALSE for finding in point.verdict.findings)


@on_a_busy_machine
@given(visits())
def test_a_confirmed_response_is_never_better_than_what_was_seen(rows):
    course = confirm_responses(assess(rows), NO_EVENTS)
    if course.best.is_response:
        assert course.best_unconfirmed.is_at_least(course.best)


@on_a_busy_machine
@given(visits(least=2))
def test_later_visits_never_change_what_was_confirmed(rows):
    points = assess(rows)
    known = [i for i, point in enumerate(points) if point.category != Response.NE]
    whole = confirm_responses(points, NO_EVENTS)
    for end in range(1, len(points)):
        part = confirm_responses(points[:end], NO_EVENTS)
        settled = [i for i in known if i < end][:-1]
        assert [part.visits[i].at_visit for i in settled] == [whole.visits[i].at_visit for i in settled]


@on_a_busy_machine
@given(visits(least=2), st.integers(0, 5))
def test_a_visit_that_cannot_be_assessed_changes_no_other(rows, place):
    day = 28.0 * place + 14.0
    empty = (day, "serum_immunofixation", None, "indeterminate", None)
    course = confirm_responses(assess(rows), NO_EVENTS)
    longer = confirm_responses(assess([*rows, empty]), NO_EVENTS)
    assert (longer.best, longer.progression_day) == (course.best, course.progression_day)


@on_a_busy_machine
@given(visits(least=2))
def test_progression_is_not_before_the_first_response(rows):
    course = confirm_responses(assess(rows), NO_EVENTS)
    if course.progression_day is not None and course.first_response_day is not None:
        assert course.progression_day > course.first_response_day


@on_a_busy_machine
@given(visits(least=2))
def test_future_rows_never_change_a_time_point_or_what_was_confirmed(rows):
    whole = assess(rows)
    course = confirm_responses(whole, NO_EVENTS)
    for end in (point.day for point in whole):
        part = assess([row for row in rows if row[0] <= end])
        assert [(p.day, p.category) for p in part] == [(p.day, p.category) for p in whole if p.day <= end]
        known = [i for i, p in enumerate(part) if p.category != Response.NE]
        earlier = confirm_responses(part, NO_EVENTS)
        settled = known[:-1]
        assert [earlier.visits[i].at_visit for i in settled] == [course.visits[i].at_visit for i in settled]
        if earlier.progression_day is not None and not earlier.is_progression_presumptive:
            assert course.progression_day == earlier.progression_day


@on_a_busy_machine
@given(visits(), st.sampled_from(list(numbers | words)))
def test_an_analyte_that_was_never_measured_after_infusion_never_makes_a_response_better(rows, name):
    """Except that a progression in it can no longer be seen, which is told where it was ever measured."""
    whole = {point.day: point for point in assess(rows)}
    is_known = any(row[1] == name and row[0] <= 0 for row in rows)
    for less in assess([row for row in rows if row[1] != name or row[0] <= 0]):
        more = whole[less.day].category
        if more != Response.PD:
            assert more.is_at_least(less.category)
        elif is_known:
            assert less.verdict.not_excluded or less.category in (Response.NE, Response.PD)


@on_a_busy_machine
@given(visits(), st.floats(1.0, 50.0))
def test_when_the_baseline_was_taken_does_not_matter(rows, days):
    moved = [(day - days if day <= 0 else day, *rest) for day, *rest in rows]
    assert categories(moved) == categories(rows)


@on_a_busy_machine
@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.sampled_from(["mmol/L", "mg/24h", None]))
def test_an_unknown_unit_never_yields_a_category_of_that_measure(values, unit):
    rows = [(-7.0, "m_protein", 3.0, None, "g/dL")]
    rows += [(28.0 * (place + 1), "m_protein", value / 10, None, unit) for place, value in enumerate(values)]
    assert set(categories(rows).values()) == {Response.NE}


@on_a_busy_machine
@given(visits(), visits())
def test_the_share_of_confirmed_responses_is_never_above_that_of_unconfirmed_ones(first, second):
    for name, rows in (("first", first), ("second", second)):
        table = pl.DataFrame(rows, schema=TABLE, orient="row").with_columns(subject_id=pl.lit(name))
        events = NO_EVENTS.with_columns(subject_id=pl.lit("")).clear()
        courses = assess_myeloma_cohort(table, events, RULES).courses
        confirmed, seen = (courses[f"{kind}response_day"].drop_nulls() for kind in ("", "unconfirmed_"))
        assert len(confirmed) <= len(seen)
        assert all(a >= b for a, b in zip(confirmed, seen, strict=False))


@on_a_busy_machine
@given(visits(least=2))
def test_every_level_and_progression_is_in_the_trail_what_it_is_in_the_arrays(rows):
    table = pl.DataFrame(rows, schema=TABLE, orient="row")
    chosen = RULES.choose({})
    points = judge_panel(read_samples(table, chosen), ((),), RULES, chosen)
    clauses = [clause for _, clause in points.levels] + [points.progression]
    for visit in range(len(points.panel.day)):
        for clause in clauses:
            finding = describe(clause, visit, 0)
            truth = np.broadcast_to(clause.truth, points.panel.day.shape)[visit, 0]
            assert finding.truth == TRUTHS[truth]
            missing = np.broadcast_to(find_missing(clause), points.panel.day.shape)[visit, 0]
            assert set(finding.missing) == set(list_names(int(missing)))


@on_a_busy_machine
@given(st.floats(1.0, 4.0), st.floats(0.01, 0.05))
def test_a_patient_whose_disease_grows_untreated_has_progression_in_the_end(start, rate):
    days = [28.0 * place for place in range(1, 40)]
    rows = [(day, "m_protein", start * np.exp(rate * max(day, 0.0)), None, "g/dL") for day in (-7.0, *days)]
    assert confirm_responses(assess(rows), NO_EVENTS).progression_day is not None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(list(Truth)), max_size=6))
def test_three_valued_logic_obeys_de_morgan(truths):
    assert ~all_of(truths) == any_of([~truth for truth in truths])
    assert all_of(truths) == all_of(reversed(truths))
    assert all_of([*truths, *truths]) == all_of(truths)


@given(st.sampled_from(list(Truth)), st.sampled_from(list(Truth)), st.sampled_from(list(Truth)))
def test_three_valued_logic_distributes_and_associates(a, b, c):
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (a & b) == a
    assert ~~a == a


@pytest.mark.parametrize("name", list(COMPARISONS))
def test_a_comparison_counts_what_is_equal_up_to_rounding_as_equal(name):
    pairs = {
        "percent fall >=": ((29.0, 29.0 * 0.7), 30.0),
        "percent rise >=": ((29.0, 34.8), 20.0),
        "rise >=": ((0.1, 0.3), 0.2),
        "rise >": ((0.1, 0.3), 0.2),
        "multiple >=": ((0.3, 0.6), 2.0),
        ">=": ((0.1 + 0.2,), 0.3),
        ">": ((0.1 + 0.2,), 0.3),
        "<": ((0.1 + 0.2,), 0.3),
        "<=": ((0.1 + 0.2,), 0.3),
    }
    pairs["percent fall >"] = pairs["percent fall >="]
    plain = name.removesuffix(" to 15 digits")
    values, threshold = pairs[plain]
    assert COMPARISONS[name](values, threshold) is plain.endswith("=")
