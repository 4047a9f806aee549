"""The cases of lugano.yaml and lyric.yaml: from what readers of PET and CT see to response and endpoints."""

import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.lugano import assess_lugano
from livingdrug.clinical.lyric import assess_lyric
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

HERE = Path(__file__).parent
FAMILIES = {"lugano": (assess_lugano, "lugano/2014"), "lyric": (assess_lyric, "lyric/2016")}
CASES = [(family, case) for family in FAMILIES for case in yaml.safe_load((HERE / f"{family}.yaml").read_text("utf-8"))]
PLAIN = {
    "deauville": ("deauville", "score"),
    "uptake": ("fdg_uptake_change", None),
    "foci": ("fdg_new_foci", None),
    "avid_marrow": ("fdg_marrow", None),
    "marrow": ("marrow_involvement", None),
    "spleen": ("spleen_length", "cm"),
    "SPD": ("tumour_spd", "mm2"),
    "new": ("new_lesion", None),
    "pet": ("pet_response", None),
    "ct": ("ct_response", None),
    "overall": ("overall_response", None),
    "status": ("clinical_status", None),
    "biopsy": ("lesion_biopsy", None),
}
LESIONS = {"N": "node", "E": "extranodal"}
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


def read_lesion(short, written):
    """Yield variable, value, unit, word and censoring of a lesion; `30 x 20` are its two diameters."""
    kind, number = re.fullmatch(r"([A-Z]+)(\d+)", short).groups()
    if kind in ("NT", "L"):
        name = {"NT": "non_target_lesion", "L": "new_lesion"}[kind]
        yield f"{name}:{short if kind == 'NT' else written_mark(number)}", None, None, read_word(written), "none"
        return
    if written == "<5":
        yield f"{LESIONS[kind]}_longest_diameter:{short}", None, "mm", None, "left"
        return
    for side, part in zip(("longest", "shortest"), str(written).split(" x "), strict=False):
        if part != "?":
            yield f"{LESIONS[kind]}_{side}_diameter:{short}", float(part), "mm", None, "none"


def written_mark(number):
    """New lesion L9 is the reader's word on E9."""
    return f"E{number}"


def read_word(written):
    return {True: "yes", False: "no"}.get(written, written) if isinstance(written, bool) else str(written)


def read_cells(short, written):
    if short not in PLAIN:
        yield from read_lesion(short, written)
        return
    name, unit = PLAIN[short]
    if unit is None:
        yield name, None, None, read_word(written), "none"
    elif isinstance(written, str) and written.startswith("<"):
        yield name, None, unit, None, "left"
    elif isinstance(written, str):
        number, unit = written.split(" ", 1)
        yield name, float(number), None if unit == "?" else unit, None, "none"
    else:
        yield name, float(written), unit, None, "none"


def build_tables(case):
    before = case.get("baseline", {})
    before = before if isinstance(before, list) else [{"day": -7, **before}]
    rows = []
    for visit in before + case["visits"]:
        for short, written in visit.items():
            if short in ("day", "by", "criteria"):
                continue
            for name, value, unit, word, censored in read_cells(short, written):
                place = (len(rows), float(visit["day"]), name)
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
    days = {
        short: "none" if endpoints[name].day is None else endpoints[name].day
        for short, name in (
            ("response", "confirmed_response"),
            ("complete_response", "confirmed_complete_response"),
            ("progression", "progression"),
        )
    }
    return {
        "time_point": [v.time_point for v in verdicts],
        "confirmed": [v.confirmed for v in verdicts],
        "first_day": [v.first_day for v in verdicts],
        "unknowns": list(verdicts[-1].unknowns) if verdicts else [],
        "note": verdicts[-1].note if verdicts else "",
        "best": endpoints["best_overall_response"].value,
        "best_day": endpoints["best_overall_response"].day,
        "presumptive": course.is_progression_presumptive,
        "course_progression": course.progression_day,
        "quiet": not assessment.warnings,
        **days,
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
    by_reader = expect.pop("readers", None) or {"": expect}
    for reader, answers in by_reader.items():
        found = summarise(assessment, reader)
        assert {name: found[name] for name in answers} == answers


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    names = [(family, case["name"]) for family, case in CASES]
    assert len(names) == len(set(names)) >= 60
