"""The cases of imwg.yaml: from what a hospital measures to category, confirmation and failure."""

import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.failure import classify_failure
from livingdrug.clinical.myeloma import assess_myeloma
from livingdrug.clinical.response import confirm_responses
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
    row = ["case", float(day), NAMES[name], None, None, None, None, None, "none"]
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


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_case_comes_out_as_the_clinician_says(case):
    observations, events = build_tables(case)
    rules, options = load_rules("imwg/2016"), case.get("options", {})
    points = assess_myeloma(observations, events, rules, **options)
    course = confirm_responses(points, events, rules, **options)
    failure = classify_failure(course, observations, events, rules)
    short = {long: name for name, long in NAMES.items()}
    last = points[-1].verdict
    found = {
        "time_point": [point.category.value for point in points],
        "confirmed": [visit.confirmed.value for visit in course.visits],
        "best": course.best.value,
        "response_day": course.first_response_day,
        "progression_day": course.progression_day,
        "presumptive": course.is_progression_presumptive,
        "capped_by": [short.get(name, name) for name in last.capped_by],
        "not_excluded": [short.get(name, name) for name in last.not_excluded],
        "failure": failure.failure.value,
        "failure_day": failure.day,
        "certainty": failure.certainty,
    }
    assert {name: found[name] for name in case["expect"]} == case["expect"]


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names)) >= 25
