"""The cases of recist.yaml and irecist.yaml: from what readers measure, or their codes, to response and endpoints."""

import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.irecist import assess_irecist
from livingdrug.clinical.recist import assess_recist
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

HERE = Path(__file__).parent
FAMILIES = {"recist": (assess_recist, "recist/1.1"), "irecist": (assess_irecist, "irecist/2017")}
CASES = [(family, case) for family in FAMILIES for case in yaml.safe_load((HERE / f"{family}.yaml").read_text("utf-8"))]
PLAIN = {
    "new": "new_lesion",
    "sum": "target_lesion_sum",
    "overall": "overall_response",
    "target": "target_response",
    "other": "non_target_response",
    "status": "clinical_status",
}
LESIONS = {
    "NT": "non_target_lesion",
    "T": "target_lesion",
    "N": "target_node",
    "LT": "new_target_lesion",
    "LN": "new_target_node",
    "LO": "new_non_target_lesion",
    "L": "new_lesion",
}
TABLE = {
    "row": pl.Int64,
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "text": pl.String,
    "censored": pl.String,
    "assay": pl.String,
    "reader": pl.String,
}
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String}
DAYS = (
    *("unconfirmed_response", "confirmed_response", "clinical_benefit", "confirmed_clinical_benefit"),
    *("progression", "unconfirmed_progression"),
)


def read_name(short):
    """Return the variable of a short name; new lesions have their number in common."""
    if short in PLAIN:
        return PLAIN[short]
    kind, number = re.fullmatch(r"([A-Z]+)(\d+)", short).groups()
    return f"{LESIONS[kind]}:{'L' if kind.startswith('L') else kind}{number}"


def read_result(result):
    """Return value, unit, word and censoring of what is written."""
    if isinstance(result, bool):
        return None, None, "yes" if result else "no", "none"
    if isinstance(result, str) and result.startswith("<"):
        return None, "mm", None, "left"
    return (None, None, result, "none") if isinstance(result, str) else (float(result), "mm", None, "none")


def build_tables(case):
    before = case.get("baseline", {})
    before = before if isinstance(before, list) else [{"day": -7, **before}]
    rows = []
    for visit in before + case["visits"]:
        for short, result in visit.items():
            if short not in ("day", "by", "criteria"):
                value, unit, word, censored = read_result(result)
                place = (len(rows), float(visit["day"]), read_name(short))
                rows.append((*place, value, unit, word, censored, visit.get("criteria"), visit.get("by")))
    events = [(float(e["day"]), e["type"], None) for e in case.get("events", [])]
    return SubjectTables(
        {"subject_id": "case"},
        pl.DataFrame(events, schema=EVENTS, orient="row"),
        pl.DataFrame(rows, schema=TABLE, orient="row"),
    )


def summarise(assessment, reader):
    """Return what a case may expect."""
    verdicts = [v for v in assessment.verdicts if v.reader == reader]
    endpoints = {e.name: e for e in assessment.endpoints if e.reader == reader}
    (course,) = [course for course in assessment.courses if course.reader == reader]
    found = {
        "time_point": [v.time_point for v in verdicts],
        "confirmed": [v.confirmed for v in verdicts],
        "first_day": [v.first_day for v in verdicts],
        "unknowns": list(verdicts[-1].unknowns) if verdicts else [],
        "notes": [v.note for v in verdicts],
        "best": endpoints["best_overall_response"].value,
        "best_day": endpoints["best_overall_response"].day,
        "confirmed_best": endpoints["confirmed_best_overall_response"].value,
        "confirmed_best_day": endpoints["confirmed_best_overall_response"].day,
        "presumptive": course.is_progression_presumptive,
        "course_progression": course.progression_day,
        "quiet": not assessment.warnings,
    }
    for name in DAYS:
        if name in endpoints:
            answers = ("Y",) if endpoints[name].status == "event" else ("N", "NE")
            assert endpoints[name].value in answers
            found[name] = "none" if endpoints[name].day is None else endpoints[name].day
    return found


@pytest.mark.parametrize(("family", "case"), CASES, ids=[f"{family}: {case['name']}" for family, case in CASES])
def test_a_case_comes_out_as_the_clinician_says(family, case):
    assess, rules = FAMILIES[family]
    assessment = assess(build_tables(case), load_rules(rules), **case.get("options", {}))
    expect = dict(case["expect"])
    for kind, texts in (("warns", assessment.warnings), ("would_change", assessment.verdicts[-1:])):
        wanted = expect.pop(kind, None)
        if wanted is not None:
            lines = texts if kind == "warns" else texts[0].would_change
            assert any(wanted in line for line in lines), lines
    by_reader = expect.pop("readers", None) or {"": expect}
    for reader, answers in by_reader.items():
        found = summarise(assessment, reader)
        assert {name: found[name] for name in answers} == answers


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    names = [(family, case["name"]) for family, case in CASES]
    assert len(names) == len(set(names)) >= 120
