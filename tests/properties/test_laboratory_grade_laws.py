"""Laws of laboratory grades: more severe values, other units and missing limits."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.laboratory_grades import assess_ctcae
from livingdrug.clinical.term_grades import compute_grade, find_unit
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.variables import VARIABLES
from livingdrug.knowledge.rules import load_rules

VERSIONS = ("ctcae/4.03", "ctcae/5.0", "ctcae/6.0")
TERMS = [(name, term) for name in VERSIONS for term in load_rules(name).terms]
OTHER_UNITS = {"g/L": "mg/dL", "10*9/L": "/uL", "mmol/L": "umol/L", "umol/L": "mmol/L", "mL/min": "L/h", "1": "1"}
EVENTS = pl.DataFrame({"day": [-5.0], "type": ["lymphodepletion"]})
TABLE = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "lower_limit_of_normal": pl.Float64,
    "upper_limit_of_normal": pl.Float64,
}
numbers = st.one_of(st.integers(1, 6000).map(lambda n: n / 100), st.integers(1, 900).map(float))


@st.composite
def samples(draw):
    """A version, a term, two values, limits and a baseline, some of them not known."""
    name, term = draw(st.sampled_from(TERMS))
    mild, severe = sorted([draw(numbers), draw(numbers)], reverse=term.direction == "low")
    lower = draw(numbers)
    limits = {
        "lower_limit": draw(st.sampled_from([lower, None])),
        "upper_limit": draw(st.sampled_from([lower * 1.5, None])),
        "baseline": draw(st.none() | numbers),
    }
    return name, term, mild, severe, limits


def grade(name, term, value, limits, unit=None, **options):
    unit = unit or find_unit(term, {"printed_unit": "si"}) or "U/L"
    return compute_grade(term.name, value, unit, rules=load_rules(name), **limits, **options)


@settings(max_examples=100, deadline=None)
@given(samples(), st.sampled_from(["assumed", "absent"]))
def test_a_more_severe_value_never_has_a_lower_grade(sample, symptoms):
    name, term, mild, severe, limits = sample
    a, b = (grade(name, term, value, limits, symptoms=symptoms) for value in (mild, severe))
    if a.value is not None and b.value is not None and not a.unknowns and not b.unknowns:
        assert a.value <= b.value


@settings(max_examples=100, deadline=None)
@given(samples(), st.sampled_from(["lower_limit", "upper_limit", "baseline"]))
def test_what_is_not_known_never_gives_another_grade_but_leaves_one_open(sample, gone):
    name, term, value, _, limits = sample
    full, less = grade(name, term, value, limits), grade(name, term, value, limits | {gone: None})
    if full.value is None:
        assert less.value is None or less.value <= max(int(key) for key in term.grades)
    elif less.value is not None:
        assert less.value == full.value or (less.value < full.value and less.unknowns)


@settings(max_examples=100, deadline=None)
@given(samples())
def test_the_unit_that_a_value_is_written_in_does_not_matter(sample):
    name, term, value, _, limits = sample
    other = OTHER_UNITS.get(term.unit, term.unit)
    factor = {"mg/dL": 100.0, "/uL": 1000.0, "umol/L": 1000.0, "mmol/L": 0.001, "L/h": 0.06}.get(other, 1.0)
    scaled = {key: None if number is None else number * factor for key, number in limits.items()}
    assert grade(name, term, value, limits).signed == grade(name, term, value * factor, scaled, other or "U/L").signed


@settings(max_examples=100, deadline=None)
@given(samples())
def test_a_grade_is_recomputed_from_its_trail_and_none_is_given_without_one(sample):
    name, term, value, _, limits = sample
    found = grade(name, term, value, limits)
    assert found.findings
    assert all(recompute(finding) == finding.truth for finding in found.findings)
    assert (found.value is None) <= bool(found.unknowns)


@settings(max_examples=100, deadline=None)
@given(samples())
def test_a_value_without_a_unit_or_of_another_kind_is_never_graded_by_an_amount(sample):
    name, term, value, _, limits = sample
    if term.unit not in ("", "1"):
        for unit in (None, "", "m", "cels"):
            assert compute_grade(term.name, value, unit, rules=load_rules(name), **limits).value is None


@st.composite
def records(draw):
    names = st.sampled_from(["neutrophils", "alt", "creatinine", "haemoglobin", "potassium"])
    rows = []
    for _ in range(draw(st.integers(1, 8))):
        name, value = draw(names), draw(st.integers(1, 300)) / 10
        upper = draw(st.none() | st.just(12.0))
        rows.append((float(draw(st.integers(-7, 9))), name, value, VARIABLES[name].unit, 2.0, upper))
    return rows


def assess(rows, version="ctcae/5.0"):
    table = pl.DataFrame(rows, schema=TABLE, orient="row").with_row_index("row")
    found = assess_ctcae(SubjectTables({"subject_id": "P"}, EVENTS, table), load_rules(version))
    return {(verdict.day, verdict.note.split(":")[0]): verdict for verdict in found.verdicts}


@settings(max_examples=60, deadline=None)
@given(records(), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_their_repetition_matters(rows, random):
    shuffled = [*rows, *rows]
    random.shuffle(shuffled)
    assert {key: v.time_point for key, v in assess(rows).items()} == {
        key: v.time_point for key, v in assess(shuffled).items()
    }


@settings(max_examples=60, deadline=None)
@given(records(), st.data())
def test_a_row_that_says_nothing_changes_no_grade(rows, data):
    day, name, *_ = data.draw(st.sampled_from(rows))
    nothing = data.draw(st.sampled_from([(day, name, None, "g/L", None, None), (day, name, 5.0, None, None, None)]))
    before, after = assess(rows), assess([*rows, nothing])
    assert {key: v.time_point for key, v in before.items()} == {key: v.time_point for key, v in after.items()}


def describe(term):
    """What a term asks for, without where its numbers were read."""
    clauses = [(grade, clause) for grade, found in term.grades.items() for clause in found]
    return term.unit, [
        (grade, clause.of, clause.when, clause.qualifier, [(c.sense, c.printed.value) for c in clause.comparisons])
        for grade, clause in clauses
    ]


ALIKE = [
    (name, other, term)
    for name, term in TERMS
    for other, twin in TERMS
    if name < other and term.name == twin.name and describe(term) == describe(twin)
]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(ALIKE), numbers, st.none() | numbers)
def test_two_versions_agree_where_their_numbers_do(pair, value, limit):
    name, other, term = pair
    limits = {"lower_limit": limit, "upper_limit": limit, "baseline": limit}
    assert grade(name, term, value, limits).signed == grade(other, term, value, limits).signed
