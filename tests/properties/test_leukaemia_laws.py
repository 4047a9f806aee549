"""Laws that every assessment of acute and chronic lymphoid leukaemia obeys, whatever the patient."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.chronic_leukaemia import assess_iwcll
from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.leukaemia import assess_all
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

ALL, CLL = load_rules("all/nccn-eln"), load_rules("iwcll/2018")
ASSESS = {ALL.name: (assess_all, ALL), CLL.name: (assess_iwcll, CLL)}
NO_EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
TABLE = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "unit": pl.String, "text": pl.String}
NUMBERS = {
    ALL.name: {
        "marrow_blasts": ([0.0, 1.0, 4.9, 5.0, 10.0, 25.0, 30.0, 80.0], "%"),
        "blood_blasts": ([0.0, 0.0, 1.0, 20.0], "%"),
        "neutrophils": ([0.2, 0.5, 0.8, 1.0, 1.5], "10*9/L"),
        "platelets": ([20.0, 50.0, 80.0, 100.0, 150.0], "10*9/L"),
    },
    CLL.name: {
        "node_longest_diameter:N1": ([10.0, 14.0, 15.0, 20.0, 30.0, 45.0], "mm"),
        "node_shortest_diameter:N1": ([8.0, 10.0], "mm"),
        "spleen_length": ([11.0, 12.9, 13.0, 15.0, 18.0], "cm"),
        "lymphocytes": ([0.3, 2.0, 3.9, 4.0, 20.0, 60.0], "10*9/L"),
        "platelets": ([40.0, 99.0, 100.0, 150.0], "10*9/L"),
        "haemoglobin": ([8.0, 10.9, 11.0, 13.0], "g/dL"),
        "neutrophils": ([1.0, 1.5, 3.0], "10*9/L"),
        "marrow_lymphocytes": ([10.0, 29.0, 30.0, 60.0], "%"),
    },
}
WORDS = {
    ALL.name: {"extramedullary_disease": ("absent", "absent", "present", "indeterminate")},
    CLL.name: {"cytopenia_due_to_disease": ("yes", "no", "indeterminate"), "hepatomegaly": ("yes", "no")},
}
OTHER_UNITS = {"10*9/L": ("/uL", 1000.0), "g/dL": ("g/L", 10.0), "mm": ("cm", 0.1), "cm": ("mm", 10.0), "%": ("%", 1.0)}
ORDER = {
    ALL.name: ("CR", "CRh", "CRi", "MLFS", "PR", "NR", "REL"),
    CLL.name: ("CR", "CRi", "PR", "PR-L", "SD", "PD"),
}
FAMILIES = pytest.mark.parametrize("name", list(ASSESS))
LAWS = settings(max_examples=40, deadline=None)


def draw_rows(data, name, most=4):
    """A baseline on day -7 with everything, and later days on which anything may be missing."""
    rows = []
    for day in (-7.0, *(28.0 * (n + 1) for n in range(data.draw(st.integers(1, most))))):
        for variable, (values, unit) in NUMBERS[name].items():
            value = data.draw(st.sampled_from(values) if day < 0 else st.none() | st.sampled_from(values))
            rows += [] if value is None else [(day, variable, value, unit, None)]
        for variable, words in WORDS[name].items():
            word = data.draw(st.none() | st.sampled_from(words))
            rows += [] if word is None else [(day, variable, None, None, word)]
    return rows


def assess(name, rows, **options):
    function, rules = ASSESS[name]
    tables = SubjectTables({"subject_id": "x"}, NO_EVENTS, pl.DataFrame(rows, schema=TABLE, orient="row"))
    return function(tables, rules, **options)


def seen(name, rows, **options):
    return [(v.day, v.time_point, v.confirmed, v.first_day) for v in assess(name, rows, **options).verdicts]


@FAMILIES
@LAWS
@given(st.data(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_doubled_rows_do_not_matter(name, data, random):
    rows = draw_rows(data, name)
    mixed = rows + rows
    random.shuffle(mixed)
    assert seen(name, mixed) == seen(name, rows)


@FAMILIES
@LAWS
@given(st.data())
def test_the_units_of_the_laboratory_do_not_matter(name, data):
    rows = draw_rows(data, name)
    other = []
    for day, variable, value, unit, text in rows:
        written, factor = OTHER_UNITS.get(unit, (unit, 1.0))
        other.append((day, variable, None if value is None else value * factor, written, text))
    assert seen(name, other) == seen(name, rows)


@FAMILIES
@LAWS
@given(st.data())
def test_later_days_never_change_what_held_before(name, data):
    rows = draw_rows(data, name)
    whole = seen(name, rows)
    for count, (day, *_) in enumerate(whole, start=1):
        assert seen(name, [row for row in rows if row[0] <= day]) == whole[:count]


@FAMILIES
@LAWS
@given(st.data())
def test_a_confirmed_response_is_a_response(name, data):
    (course,) = assess(name, draw_rows(data, name)).courses
    if course.response_day is not None:
        assert course.unconfirmed_response_day is not None
        assert course.unconfirmed_response_day <= course.response_day
    if course.progression_day is not None and course.response_day is not None:
        assert course.progression_day >= course.response_day


@FAMILIES
@LAWS
@given(st.data())
def test_every_clause_can_be_recomputed_from_its_trail(name, data):
    def check(finding):
        assert recompute(finding) == finding.truth, finding
        for part in finding.parts:
            check(part)

    for verdict in assess(name, draw_rows(data, name)).verdicts:
        for finding in verdict.findings:
            check(finding)


@FAMILIES
@LAWS
@given(st.data())
def test_a_missing_result_never_makes_a_day_better(name, data):
    """Except that a progression which can no longer be seen is named; a marrow is not taken on every day."""
    rows = draw_rows(data, name, most=1)
    options = {} if name == CLL.name else {"extramedullary": "always"}
    before = assess(name, rows, **options).verdicts
    index = data.draw(st.sampled_from(range(len(rows))))
    if not before or rows[index][0] < 0 or rows[index][1] == "marrow_lymphocytes":
        return
    after = assess(name, rows[:index] + rows[index + 1 :], **options).verdicts
    if not after or after[0].time_point == "NE":
        return
    if before[0].time_point in ("PD", "NE"):
        assert after[0].time_point == "PD" or any("progression" in text for text in after[0].would_change)
        return
    order = ORDER[name]
    assert order.index(after[0].time_point) >= order.index(before[0].time_point)


@FAMILIES
@LAWS
@given(st.data())
def test_numbers_without_a_unit_make_no_category(name, data):
    rows = [
        (day, variable, value, None, None) for day, variable, value, _, text in draw_rows(data, name) if text is None
    ]
    assert {v.time_point for v in assess(name, rows).verdicts} <= {"NE"}


@LAWS
@given(st.data(), st.sampled_from(["neutrophils", "platelets"]))
def test_lower_counts_never_make_a_better_remission(data, variable):
    rows = draw_rows(data, ALL.name)
    verdicts = assess(ALL.name, rows).verdicts
    lower = [(d, v, 0.5 * x if v == variable and d > 0 else x, u, t) for d, v, x, u, t in rows]
    order = (*ORDER[ALL.name], "NE")
    for one, other in zip(verdicts, assess(ALL.name, lower).verdicts, strict=True):
        assert order.index(other.time_point) >= order.index(one.time_point)


@LAWS
@given(st.data())
def test_more_blasts_never_make_a_day_better(data):
    """But that a partial response, as printed, begins at 5 %: fewer, with leukaemia left elsewhere, is none."""
    rows = draw_rows(data, ALL.name, most=1)
    verdicts = assess(ALL.name, rows).verdicts
    more = [(d, v, min(100.0, x + 7.0) if v == "marrow_blasts" and d > 0 else x, u, t) for d, v, x, u, t in rows]
    for one, other in zip(verdicts, assess(ALL.name, more).verdicts, strict=True):
        if "NE" not in (one.time_point, other.time_point) and one.time_point != "NR":
            assert ORDER[ALL.name].index(other.time_point) >= ORDER[ALL.name].index(one.time_point)
