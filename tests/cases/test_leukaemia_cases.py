"""The cases of all.yaml and iwcll.yaml: from marrow, blood and examination to response and endpoints."""

import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.chronic_leukaemia import assess_iwcll
from livingdrug.clinical.leukaemia import assess_all
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

HERE = Path(__file__).parent
FAMILIES = {"all": (assess_all, "all/nccn-eln"), "iwcll": (assess_iwcll, "iwcll/2018")}
CASES = [(family, case) for family in FAMILIES for case in yaml.safe_load((HERE / f"{family}.yaml").read_text("utf-8"))]
NAMES = {
    "marrow": ("marrow_blasts", "%"),
    "blood": ("blood_blasts", "%"),
    "elsewhere": ("extramedullary_disease", None),
    "ANC": ("neutrophils", "10*9/L"),
    "PLT": ("platelets", "10*9/L"),
    "Hb": ("haemoglobin", "g/dL"),
    "ALC": ("lymphocytes", "10*9/L"),
    "mrd": ("mrd", "1"),
    "overall": ("overall_response", None),
    "spleen": ("spleen_length", "cm"),
    "felt_spleen": ("splenomegaly", None),
    "liver": ("hepatomegaly", None),
    "symptoms": ("constitutional_symptoms", None),
    "marrow_lymphocytes": ("marrow_lymphocytes", "%"),
    "nodules": ("marrow_lymphoid_nodules", None),
    "due": ("cytopenia_due_to_disease", None),
    "new": ("new_lesion", None),
}
TABLE = {
    "row": pl.Int64,
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "text": pl.String,
    "censored": pl.String,
    "lloq": pl.Float64,
    "assay": pl.String,
}
EVENTS = {"row": pl.Int64, "day": pl.Float64, "type": pl.String, "note": pl.String, "duration_days": pl.Float64}


def read_cells(short, written):
    """Yield variable, value, unit, word, censoring and limit; `30 x 20` are both diameters of a node."""
    if re.fullmatch(r"N\d+", short):
        for side, part in zip(("longest", "shortest"), str(written).split(" x "), strict=False):
            yield f"node_{side}_diameter:{short}", float(part), "mm", None, "none", None
        return
    name, unit = NAMES[short]
    if unit is None:
        word = {True: "yes", False: "no"}[written] if isinstance(written, bool) else written
        yield name, None, None, word, "none", None
    elif isinstance(written, str) and written.startswith("<"):
        yield name, None, unit, None, "left", float(written[1:])
    elif isinstance(written, str):
        number, other = written.split(" ", 1)
        yield name, float(number), None if other == "?" else other, None, "none", None
    else:
        yield name, float(written), unit, None, "none", None


def build_tables(case):
    before = case.get("baseline", {})
    before = before if isinstance(before, list) else [{"day": -7, **before}]
    rows = []
    for visit in before + case["visits"]:
        for short, written in visit.items():
            if short in ("day", "criteria"):
                continue
            for name, *cells in read_cells(short, written):
                rows.append((len(rows), float(visit["day"]), name, *cells, visit.get("criteria")))
    events = [
        (place, float(e["day"]), e["type"], None, e.get("days")) for place, e in enumerate(case.get("events", []))
    ]
    return SubjectTables(
        {"subject_id": "case"},
        pl.DataFrame(events, schema=EVENTS, orient="row"),
        pl.DataFrame(rows, schema=TABLE, orient="row"),
    )


def summarise(assessment):
    """Return what a case may expect."""
    verdicts, (course,) = assessment.verdicts, assessment.courses
    endpoints = {e.name: e.value for e in assessment.endpoints}
    return {
        "time_point": [v.time_point for v in verdicts],
        "confirmed": [v.confirmed for v in verdicts],
        "first_day": [v.first_day for v in verdicts],
        "unknowns": list(verdicts[-1].unknowns) if verdicts else [],
        "best": course.best,
        "best_unconfirmed": course.best_unconfirmed,
        "response": "none" if course.response_day is None else course.response_day,
        "unconfirmed_response": "none" if course.unconfirmed_response_day is None else course.unconfirmed_response_day,
        "progression": "none" if course.progression_day is None else course.progression_day,
        "quiet": not assessment.warnings,
        **{name: endpoints.get(name) for name in ("overall_remission", "no_remission", "mrd_negative_remission")},
    }


@pytest.mark.parametrize(("family", "case"), CASES, ids=[f"{family}: {case['name']}" for family, case in CASES])
def test_a_case_comes_out_as_the_clinician_says(family, case):
    assess, rules = FAMILIES[family]
    assessment = assess(build_tables(case), load_rules(rules), **case.get("options", {}))
    expect = dict(case["expect"])
    last = assessment.verdicts[-1:]
    for kind, texts in (("warns", assessment.warnings), ("would_change", last[0].would_change if last else ())):
        for wanted in [expect.pop(kind)] if kind in expect else []:
            assert any(wanted in line for line in texts), texts
    found = summarise(assessment)
    assert {name: found[name] for name in expect} == expect


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    names = [(family, case["name"]) for family, case in CASES]
    assert len(names) == len(set(names)) >= 60
