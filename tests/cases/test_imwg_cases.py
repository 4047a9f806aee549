"""The cases of imwg.yaml: from what a hospital measures to category, confirmation and failure."""

import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.failure import classify_failure
from livingdrug.clinical.imwg import assess_imwg
from livingdrug.clinical.myeloma import assess_myeloma
from livingdrug.clinical.response import confirm_responses
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

CASES = yaml.safe_load(Path(__file__).with_name("imwg.yaml").read_text(encoding="utf-8"))
NAMES = {
    "sM": "m_protein",
    "uM": "urine_m_protein",
    "kappa": "flc_kappa",
    "lambda": "flc_lambda",
    "sIFE": "serum_immunofixation",
    "uIFE": "urine_immunofixation",
    "BMPC": "marrow_plasma_cells",
    "clonal": "marrow_clonal_plasma_cells",
    "SPD": "plasmacytoma_spd",
    "cPC": "circulating_plasma_cells",
    "new_lesion": "new_lesion",
    "bone_lesion": "bone_lesion_progression",
    "longest": "plasmacytoma_longest_diameter",
    "short": "plasmacytoma_short_axis",
    "IgA": "immunoglobulin_a",
    "IgD": "immunoglobulin_d",
    "code": "overall_response",
    "imaging_flag": "x_pdifl",
    "mrd": "mrd",
    "mrd_cells": "mrd_cells",
    "Ca": "calcium",
    "albumin": "albumin",
    "Hb": "haemoglobin",
    "creatinine": "creatinine",
}
RESULT = re.compile(r"(?P<below><)?(?P<value>[\d.]+) (?P<unit>[^ ]+)(?: \((?P<assay>.+)\))?$")
WORD = re.compile(r"(?P<word>[a-z]+)(?: \((?P<assay>.+)\))?$")
TABLE = {
    "subject_id": pl.String,
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "unit": pl.String,
    "assay": pl.String,
    "lloq": pl.Float64,
    "censored": pl.String,
}
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String, "duration_days": pl.Float64}


def read_result(day, name, written):
    base, colon, detail = name.partition(":")
    row = ["case", float(day), f"{NAMES[base]}{colon}{detail}", None, None, None, None, None, "none"]
    found = RESULT.match(written)
    if found is None:
        word = WORD.match(written)
        row[4], row[6] = word["word"], word["assay"]
        return row
    row[3], row[5], row[6] = float(found["value"]), found["unit"], found["assay"]
    if found["below"]:
        row[3], row[7], row[8] = None, float(found["value"]), "left"
    return row


def build_tables(case):
    """Return the observations and events of a case, as a record has them."""
    before = case["baseline"] if isinstance(case["baseline"], list) else [{"day": -7, **case["baseline"]}]
    rows = [
        read_result(visit["day"], name, written)
        for visit in before + case["visits"]
        for name, written in visit.items()
        if name != "day"
    ]
    events = [[float(e["day"]), e["type"], e.get("note"), None] for e in case.get("events", [])]
    return (
        pl.DataFrame(rows, schema=TABLE, orient="row"),
        pl.DataFrame(events, schema=EVENTS, orient="row"),
    )


def find_in_the_course(observations, events, rules, options):
    """Return what the doors for one subject's time points and failure say."""
    points = assess_myeloma(observations, events, rules, **options)
    course = confirm_responses(points, events, rules, **options)
    failure = classify_failure(course, observations, events, rules)
    short = {long: name for name, long in NAMES.items()}
    last = points[-1].verdict if points else None
    return {
        "time_point": [point.category.value for point in points],
        "confirmed": [visit.confirmed.value for visit in course.visits],
        "best": course.best.value,
        "response_day": course.first_response_day,
        "progression_day": course.progression_day,
        "presumptive": course.is_progression_presumptive,
        "capped_by": [short.get(name, name) for name in last.capped_by] if last else [],
        "not_excluded": [short.get(name, name) for name in last.not_excluded] if last else [],
        "failure": failure.failure.value,
        "failure_day": failure.day,
        "certainty": failure.certainty,
    }


def check_the_assessment(found, expected):
    """Check what the criteria as a whole say."""
    if "coded" in expected:
        assert [verdict.time_point for verdict in found.verdicts] == expected["coded"]
    if "coded_confirmed" in expected:
        assert [verdict.confirmed for verdict in found.verdicts] == expected["coded_confirmed"]
    endpoints = {endpoint.name: [endpoint.value, endpoint.day] for endpoint in found.endpoints}
    wanted = expected.get("endpoints", {})
    assert {name: endpoints[name] for name in wanted} == wanted
    for place, name in ((0, "first_note"), (-1, "note")):
        if name in expected:
            note = found.verdicts[place].note
            assert expected[name] in note
            assert expected[name] or not note
    assert expected.get("warning", "") in " ".join(found.warnings)
    if "after_relapse" in expected:
        assert found.details["after_relapse"]["time_point"].to_list() == expected["after_relapse"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_comes_out_as_the_clinician_says(case):
    observations, events = build_tables(case)
    rules, options, expected = load_rules("imwg/2016"), case.get("options", {}), case["expect"]
    found = find_in_the_course(observations, events, rules, options)
    assert {name: found[name] for name in expected if name in found} == {
        name: answer for name, answer in expected.items() if name in found
    }
    tables = SubjectTables({"subject_id": "case"}, events, observations)
    whole = assess_imwg(tables, rules, **options)
    if "coded" not in expected:
        assert [verdict.time_point for verdict in whole.verdicts] == found["time_point"]
        assert [verdict.confirmed for verdict in whole.verdicts] == found["confirmed"]
    check_the_assessment(whole, expected)


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names)) >= 120
