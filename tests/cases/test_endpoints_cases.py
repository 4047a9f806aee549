"""The cases of endpoints.yaml: from the course that criteria of response give to endpoints."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.endpoints import derive_endpoints
from livingdrug.core.assessment import ResponseCourse, SubjectTables
from livingdrug.knowledge.rules import load_rules

CASES = yaml.safe_load(Path(__file__).with_name("endpoints.yaml").read_text(encoding="utf-8"))
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String, "duration_days": pl.Float64}
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


def read_day(day):
    return None if day is None else float(day)


def build_course(written):
    assessed = tuple(float(day) for day in written.get("assessed", ()))
    return ResponseCourse(
        best=written.get("best", "PR" if "response" in written else "SD" if assessed else "NE"),
        best_day=max((d for d in assessed if d < written.get("progression", 1e9)), default=None),
        best_unconfirmed=written.get("best_unconfirmed", "PR" if "unconfirmed" in written else "NE"),
        response_day=read_day(written.get("response")),
        unconfirmed_response_day=read_day(written.get("unconfirmed", written.get("response"))),
        complete_response_day=read_day(written.get("complete")),
        progression_day=read_day(written.get("progression")),
        is_progression_presumptive=written.get("presumptive", False),
        assessed_days=assessed,
        missed_days=tuple(float(day) for day in written.get("missed", ())),
    )


def build_tables(case):
    events = [(float(e["day"]), e["type"], e.get("note"), None) for e in case.get("events", [])]
    rows = [(float(day), "crp", 1.0, "mg/L", None, "none", None) for day in case.get("rows", [])]
    for day, result in case.get("mrd", {}).items():
        is_below = str(result).startswith("<")
        number = float(str(result).lstrip("<"))
        rows.append((float(day), "mrd", None if is_below else number, "1", *below(is_below, number), None))
    return SubjectTables(
        {"subject_id": "case", "disease": case.get("disease", "myeloma")},
        pl.DataFrame(events, schema=EVENTS, orient="row"),
        pl.DataFrame([(*row, place) for place, row in enumerate(rows)], schema=ROWS, orient="row"),
    )


def below(is_below, number):
    return (number, "left") if is_below else (None, "none")


def write(endpoint, words):
    """Say an endpoint as a case does, with as many words."""
    said = ["undefined"] if endpoint.day is None else [endpoint.status, f"{endpoint.day:g}"]
    return " ".join([*said, endpoint.value][:words])


@pytest.mark.parametrize("case", CASES, ids=[f"{place}: {case['name']}" for place, case in enumerate(CASES)])
def test_a_case_comes_out_as_the_clinician_says(case):
    rules = load_rules("endpoints/1")
    found = derive_endpoints(build_course(case["course"]), build_tables(case), rules, **case.get("options", {}))
    by_name = {endpoint.name: endpoint for endpoint in found}
    assert len(by_name) == len(found)
    said = {name: write(by_name[name], len(words.split())) for name, words in case["expect"].items()}
    assert said == case["expect"]
    for name, words in case.get("because", {}).items():
        assert words in by_name[name].reason
    assert all(endpoint.reason for endpoint in found)
    assert all(endpoint.start_day is not None for endpoint in found if endpoint.day is not None)


def test_there_are_enough_cases():
    assert len(CASES) >= 50
