"""Lugano and LYRIC: the table that joins PET and CT, what is refused, and what the trail says."""

import itertools

import polars as pl
import pytest

from livingdrug.clinical.lesions import Scan
from livingdrug.clinical.lugano import assess_lugano, join_parts
from livingdrug.clinical.lymphoma_ct import find_ct
from livingdrug.clinical.lymphoma_lesions import Amount, measure
from livingdrug.clinical.lymphoma_reading import find_partner, read_lymphoma
from livingdrug.clinical.lymphoma_state import Book, Part, start_seen
from livingdrug.clinical.lyric import assess_lyric
from livingdrug.clinical.visits import Measured
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.knowledge.rules import load_rules

RULES = load_rules("lugano/2014")
BOOK = Book(RULES, RULES.choose({}))
NO_EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
EVALUABLE = ("CR", "PR", "SD", "PD")


def table(*rows):
    """Rows of day, variable, value or word, unit."""
    cells = [
        (float(day), name, None, None, value)
        if isinstance(value, str)
        else (float(day), name, float(value), unit, None)
        for day, name, value, unit in rows
    ]
    schema = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "unit": pl.String, "text": pl.String}
    return pl.DataFrame(cells, schema=schema, orient="row")


def expected_join(pet, ct, last):
    """The table of PET and CT, written out once more."""
    if pet is None:
        return ct if ct in EVALUABLE else "ND"
    if pet in EVALUABLE:
        return pet
    if ct == "PD":
        return "PD"
    if last:
        return last
    return ct if ct in EVALUABLE else "NE"


@pytest.mark.parametrize(
    ("pet", "ct", "last"),
    list(itertools.product((None, *EVALUABLE, "NE"), (None, *EVALUABLE, "NE"), ("", *EVALUABLE))),
)
def test_pet_and_ct_are_joined_by_the_table(pet, ct, last):
    parts = [None if category is None else Part(category) for category in (pet, ct)]
    assert join_parts(*parts, last, BOOK).category == expected_join(pet, ct, last)


def test_coded_parts_give_the_same_as_the_table_over_visits():
    rows = [(30, "pet_response", "cmr", None), (60, "ct_response", "pad", None), (90, "pet_response", "ne", None)]
    found = assess_lugano(SubjectTables({}, NO_EVENTS, table(*rows[:1], rows[2])), RULES)
    assert [v.time_point for v in found.verdicts] == ["CR", "CR"]
    found = assess_lugano(SubjectTables({}, NO_EVENTS, table(*rows)), RULES)
    assert [v.time_point for v in found.verdicts] == ["CR", "PD", "CR"]


def test_a_code_that_lugano_does_not_have_is_refused_with_its_row():
    rows = table((30, "overall_response", "vgpr", None))
    with pytest.raises(InputError, match="must be a response of lugano") as caught:
        assess_lugano(SubjectTables({}, NO_EVENTS, rows), RULES)
    assert caught.value.faults[0].where == "observations, row 0, overall_response"


def test_an_indeterminate_response_is_a_code_of_lyric_alone():
    rows = table((30, "overall_response", "ir1", None))
    assert assess_lyric(SubjectTables({}, NO_EVENTS, rows), load_rules("lyric/2016")).verdicts[0].time_point == "IR1"
    with pytest.raises(InputError, match="response of lugano"):
        assess_lugano(SubjectTables({}, NO_EVENTS, rows), RULES)


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [("deauville", 6, "score"), ("node_longest_diameter:N1", -1, "mm"), ("spleen_length", 90, "cm")],
)
def test_a_number_that_cannot_be_is_refused(name, value, unit):
    with pytest.raises(InputError, match="must be between"):
        assess_lugano(SubjectTables({}, NO_EVENTS, table((30, name, value, unit))), RULES)


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="complete_up_to_score"):
        assess_lugano(SubjectTables({}, NO_EVENTS, table()), RULES, complete_up_to=2)


def test_what_decided_stands_first_in_the_trail_with_its_rows():
    rows = [
        (-7, "node_longest_diameter:N1", 30, "mm"),
        (-7, "node_shortest_diameter:N1", 30, "mm"),
        (30, "node_longest_diameter:N1", 40, "mm"),
        (30, "node_shortest_diameter:N1", 34, "mm"),
    ]
    (verdict,) = assess_lugano(SubjectTables({}, NO_EVENTS, table(*rows)), RULES).verdicts
    assert verdict.time_point == "PD"
    assert verdict.findings[0].clause == "progression on CT"
    assert set(verdict.findings[0].rows) == {0, 1, 2, 3}


def test_the_diameters_of_a_baseline_are_those_of_one_day():
    rows = [
        (-30, "node_longest_diameter:N1", 50, "mm"),
        (-30, "node_shortest_diameter:N1", 40, "mm"),
        (-7, "node_longest_diameter:N1", 30, "mm"),
    ]
    (reading,) = read_lymphoma(
        table(*rows),
        ("node_longest_diameter", "node_shortest_diameter"),
        baseline_day=0.0,
        window_days=0.0,
        too_small=5.0,
    )
    assert list(reading.baseline) == ["node_longest_diameter:N1"]
    assert measure("node_longest_diameter:N1", reading.baseline).product == Amount(
        None, (2,), ("node_shortest_diameter:N1",)
    )


def test_no_ct_was_done_where_only_pet_was():
    (reading,) = read_lymphoma(
        table((-7, "deauville", 5, "score")), ("deauville",), baseline_day=0.0, window_days=0.0, too_small=5.0
    )
    scan = Scan(30.0, {"deauville": Measured(2.0, None, 1, 30.0)})
    assert find_ct(scan, start_seen(reading), BOOK) is None


def test_a_response_code_before_infusion_is_named_and_not_counted():
    rows = table((-7, "pet_response", "pmd", None), (30, "pet_response", "cmr", None))
    found = assess_lugano(SubjectTables({}, NO_EVENTS, rows), RULES)
    assert [v.day for v in found.verdicts] == [30.0]
    assert "up to the baseline, is no response" in found.warnings[0]


def test_partners_of_a_lesion_name_each_other():
    name = "extranodal_longest_diameter:liver_longest_one"
    assert find_partner(find_partner(name)) == name
