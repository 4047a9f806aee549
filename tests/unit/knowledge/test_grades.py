import json
import re
from pathlib import Path

import pytest

from livingdrug.knowledge.grades import decode_terms
from livingdrug.knowledge.rules import decode_rules, load_rules

TERM = {
    "name": "Hypercalcemia",
    "variables": ["calcium"],
    "direction": "high",
    "unit": "mmol/L",
    "us_unit": "mg/dL",
    "source": "ctcae5",
    "where": "Metabolism",
    "how": "reported",
    "grade_2": [{"above": 2.9, "us": 11.5}],
    "grade_1": [{"above": 1, "of": "upper_limit"}],
}
DATA = Path(__file__).parents[4] / "shared" / "data" / "criteria" / "ctcae" / "ncictcaev5.json"
NUMBER = re.compile(r"(?<![A-Za-z_])\d+(?:\.\d+)?")


def faults_of(**changed):
    return [fault.where for fault in decode_terms([{**TERM, **changed}], "x/1")[2]]


def test_a_sound_term_is_read_with_the_provenance_of_every_number():
    terms, values, faults = decode_terms([TERM], "x/1")
    assert faults == []
    assert terms[0].grades[2][0].comparisons[0].conventional.unit == "mg/dL"
    assert values["hypercalcemia.grade_2.1"].where == "Metabolism: Hypercalcemia, grade 2"
    assert values["hypercalcemia.grade_1.1"].unit == "1"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"name": ""}, "x/1.term 1.name"),
        ({"colour": "red"}, "x/1.hypercalcemia.colour"),
        ({"direction": "up"}, "x/1.hypercalcemia.direction"),
        ({"variables": ["calcum"]}, "x/1.hypercalcemia.variables"),
        ({"unit": "U/L"}, "x/1.hypercalcemia.unit"),
        ({"needs": ["albumin"]}, "x/1.hypercalcemia.needs"),
        ({"how": "guessed"}, "x/1.hypercalcemia.grade_2.1.how"),
        ({"grade_1": []}, "x/1.hypercalcemia.grade_1"),
        ({"grade_2": [{"above": 2.9}]}, "x/1.hypercalcemia.grade_2.1.us"),
        ({"grade_1": [{"above": 1, "of": "limit"}]}, "x/1.hypercalcemia.grade_1.1.of"),
        ({"grade_1": [{"above": 1, "of": "upper_limit", "if": "rain"}]}, "x/1.hypercalcemia.grade_1.1.if"),
        ({"grade_1": [{"above": "much", "of": "upper_limit"}]}, "x/1.hypercalcemia.grade_1.1"),
        ({"grade_1": [{"above": 1, "of": "upper_limit", "hue": 1}]}, "x/1.hypercalcemia.grade_1.1.hue"),
    ],
)
def test_each_fault_is_named_with_its_path(changed, where):
    assert where in faults_of(**changed)


def test_a_term_stands_once():
    assert [fault.rule for fault in decode_terms([TERM, TERM], "x/1")[2]] == ["must have a name of its own"]


def test_terms_are_a_list_of_tables():
    assert [fault.where for fault in decode_terms({"name": "x"}, "x/1")[2]] == ["x/1.term"]


def test_a_ruleset_with_a_faulty_term_is_not_read():
    head = {"name": "x/1", "title": "X", "source": "ctcae5"}
    rules, faults = decode_rules({"ruleset": head, "term": [{**TERM, "unit": "m"}]}, "x/1")
    assert rules is None
    assert len(faults) == 1


@pytest.mark.needs_shared
@pytest.mark.skipif(not DATA.exists(), reason="the development data are not beside the checkout")
def test_every_number_of_version_5_is_that_of_the_development_data():
    """Their numbers are read as text; multiples of 1 and bounds for patients without symptoms are not in them."""
    terms = {term.name: term for term in load_rules("ctcae/5.0").terms}
    entries = json.loads(DATA.read_text(encoding="utf-8"))
    assert {entry["TERM"] for entry in entries} == terms.keys()
    for entry in entries:
        term = terms[entry["TERM"]]
        assert term.direction == {"L": "low", "H": "high"}[entry["DIRECTION"]]
        for grade, clauses in term.grades.items():
            text = re.sub(r'~ "\d"', "", entry.get(f"GRADE_{grade}_CODE", ""))
            theirs = {float(number) for number in NUMBER.findall(text)} - {1.0, 0.0}
            ours = {c.printed.value for clause in clauses for c in clause.comparisons} - {1.0, 0.0}
            assert theirs <= ours, (term.name, grade)
            without_symptoms = {("Lipase increased", 3), ("Serum amylase increased", 3)}
            without_symptoms |= {("Hyponatremia", 2), ("Hyponatremia", 3)}
            assert theirs == ours or (term.name, grade) in without_symptoms
