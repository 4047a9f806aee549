"""The cases of failure.yaml: from a course and what was measured to class, cause and place of a failure."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.failure import classify_course, derive_failure_endpoints
from livingdrug.core.assessment import ResponseCourse, SubjectTables
from livingdrug.core.variables import VARIABLES
from livingdrug.knowledge.rules import load_rules

CASES = yaml.safe_load(Path(__file__).with_name("failure.yaml").read_text(encoding="utf-8"))
EVENTS = {
    "day": pl.Float64,
    "type": pl.String,
    "note": pl.String,
    "duration_days": pl.Float64,
    "row": pl.Int64,
}
ROWS = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "lloq": pl.Float64,
    "censored": pl.String,
    "text": pl.String,
    "row": pl.Int64,
}
FIRST_ROW = 100
"""Rows of a case are counted from here, so that a place in the table cannot pass for a place in the record."""


def read_day(day):
    return None if day is None else float(day)


def build_course(written):
    assessed = tuple(float(day) for day in written.get("assessed", ()))
    response = read_day(written.get("response"))
    return ResponseCourse(
        best=written.get("best", "NE"),
        best_day=response,
        best_unconfirmed=written.get("best_unconfirmed", written.get("best", "NE")),
        response_day=response,
        unconfirmed_response_day=read_day(written.get("unconfirmed", written.get("response"))),
        complete_response_day=read_day(written.get("complete")),
        progression_day=read_day(written.get("progression")),
        is_progression_presumptive=written.get("presumptive", False),
        assessed_days=assessed,
    )


def build_rows(written):
    for visit in written:
        for variable, result in visit.items():
            if variable == "day":
                continue
            known = VARIABLES[variable.partition(":")[0]]
            word, number, lloq, censored = None, None, None, "none"
            if known.words:
                word = result
            elif str(result).startswith("<"):
                lloq, censored = float(result[1:]), "left"
            else:
                number = float(result)
            unit = known.unit or None
            yield float(visit["day"]), variable, number, unit, lloq, censored, word


def build_tables(case):
    events = [
        (float(e["day"]), e["type"], e.get("note"), None, place) for place, e in enumerate(case.get("events", []))
    ]
    rows = [(*row, FIRST_ROW + place) for place, row in enumerate(build_rows(case.get("rows", [])))]
    return SubjectTables(
        {"subject_id": "case", "disease": case["disease"], "product": case.get("product", "other")},
        pl.DataFrame(events, schema=EVENTS, orient="row"),
        pl.DataFrame(rows, schema=ROWS, orient="row"),
    )


@pytest.mark.parametrize("case", CASES, ids=[f"{place}: {case['name']}" for place, case in enumerate(CASES)])
def test_a_case_comes_out_as_the_clinician_says(case):
    rules, options = load_rules("failure/1"), case.get("options", {})
    course, tables = build_course(case["course"]), build_tables(case)
    verdict = classify_course(course, tables, rules, **options)
    rows = derive_failure_endpoints(course, tables, rules, **options)
    is_presumed = verdict.mechanism_certainty == "presumptive"
    found = {endpoint.name: endpoint.value for endpoint in rows} | {
        "class": verdict.failure.value,
        "day": verdict.day,
        "certainty": verdict.certainty,
        "mechanism": f"presumptive {verdict.mechanism}" if is_presumed else verdict.mechanism,
        "site": verdict.site,
    }
    assert {name: found.get(name, "-") for name in case["expect"]} == case["expect"]
    assert len({endpoint.name for endpoint in rows}) == len(rows)
    assert all(endpoint.reason for endpoint in rows)
    # no cause and no place without rows of the record
    places = set(tables.observations["row"].to_list())
    assert set(verdict.rows) <= places
    if verdict.mechanism != "unknown":
        assert any(finding.rows for finding in verdict.mechanism_findings)
    if verdict.site != "unknown":
        assert verdict.site_findings


def test_there_are_enough_cases_and_each_class_has_one():
    assert len(CASES) >= 50
    classes = {case["expect"].get("class") for case in CASES}
    assert classes >= {
        "none",
        "unknown",
        "primary_resistance",
        "incomplete_response",
        "early_relapse",
        "late_relapse",
    }
