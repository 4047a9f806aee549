"""The cases of ctcae.yaml: one value, its limits and its baseline, to a signed grade."""

from pathlib import Path

import pytest
import yaml

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.term_grades import compute_grade
from livingdrug.knowledge.rules import load_rules

CASES = yaml.safe_load(Path(__file__).with_name("ctcae.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_value_has_the_grade_that_the_case_says(case):
    value, _, unit = case.get("value", "").partition(" ")
    grade = compute_grade(
        case["term"],
        float(value) if value else None,
        unit or None,
        rules=load_rules(f"ctcae/{case.get('version', '5.0')}"),
        lower_limit=case.get("lln"),
        upper_limit=case.get("uln"),
        baseline=case.get("baseline"),
        baseline_range=case.get("baseline_range"),
        **case.get("options", {}),
    )
    assert ("not gradable" if grade.signed is None else grade.signed) == case["grade"]
    if "could_be" in case:
        assert list(grade.unknowns) == case["could_be"]
    assert (grade.signed is None) <= bool(grade.unknowns)
    assert all(recompute(finding) == finding.truth for finding in grade.findings)


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names)) >= 100
