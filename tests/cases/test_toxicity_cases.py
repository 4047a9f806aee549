"""The cases of crs.yaml, icans.yaml, hscore.yaml and scores.yaml: from what was seen to grade, score and endpoint."""

import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.crs import assess_crs
from livingdrug.clinical.endothelial_index import assess_easix
from livingdrug.clinical.haematotoxicity_score import assess_car_hematotox
from livingdrug.clinical.hscore import assess_hscore
from livingdrug.clinical.hyperinflammation import assess_iec_hs
from livingdrug.clinical.icans import assess_icans
from livingdrug.clinical.kidney import assess_kidney
from livingdrug.clinical.staging import assess_iss
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.variables import VARIABLES
from livingdrug.knowledge.rules import load_rules

FOLDER = Path(__file__).parent
ASSESS = {
    "astct-crs/2019": assess_crs,
    "astct-icans/2019": assess_icans,
    "hscore/2014": assess_hscore,
    "iec-hs/2023": assess_iec_hs,
    "easix/2017": assess_easix,
    "car-hematotox/2021": assess_car_hematotox,
    "iss/2005": assess_iss,
    "ckd-epi/2009": assess_kidney,
    "ckd-epi/2021": assess_kidney,
    "cockcroft-gault/1976": assess_kidney,
}
RULESETS = {"crs": "astct-crs/2019", "icans": "astct-icans/2019", "hscore": "hscore/2014", "scores": None}
CLEAR = {
    "consciousness": "awake",
    "seizure": "none",
    "motor_weakness": "none",
    "cerebral_oedema": "none",
    "raised_intracranial_pressure": "none",
}
NORMAL = {
    "immunosuppression": "no",
    "temperature": "37 Cel",
    "hepatomegaly": "no",
    "splenomegaly": "no",
    "haemoglobin": "12 g/dL",
    "leukocytes": "6 10*9/L",
    "platelets": "200 10*9/L",
    "ferritin": "100 ng/mL",
    "triglycerides": "1 mmol/L",
    "fibrinogen": "4 g/L",
    "ast": "20 U/L",
    "haemophagocytosis": "no",
}
FEWEST = {"crs": 60, "icans": 55, "hscore": 30, "scores": 50}
NUMBER = re.compile(
    r"(?P<sign>[<>])?(?P<value>-?[\d.]+)(?: (?P<unit>[^ ]+))?(?: \((?P<low>[\d.]*)-(?P<high>[\d.]*)\))?$"
)
TABLE = {
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "unit": pl.String,
    "lloq": pl.Float64,
    "censored": pl.String,
    "lower_limit_of_normal": pl.Float64,
    "upper_limit_of_normal": pl.Float64,
}
EVENTS = {"day": pl.Float64, "type": pl.String, "note": pl.String, "duration_days": pl.Float64}


def load_cases(name):
    return [(name, case) for case in yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))]


CASES = [pair for name in RULESETS for pair in load_cases(name)]


def read_row(day, name, written):
    if VARIABLES[name].words:
        word = {True: "yes", False: "no"}.get(written, written) if isinstance(written, bool) else written
        return [float(day), name, None, word, None, None, "none", None, None]
    found = NUMBER.match(str(written))
    value, low, high = (None if not found[g] else float(found[g]) for g in ("value", "low", "high"))
    censored = {None: "none", "<": "left", ">": "right"}[found["sign"]]
    is_left = censored == "left"
    return [
        float(day),
        name,
        None if is_left else value,
        None,
        found["unit"],
        value if is_left else None,
        censored,
        low,
        high,
    ]


def build_tables(case):
    rows = []
    for written in case["days"]:
        seen = dict(written)
        if seen.pop("clear", False):
            seen = CLEAR | seen
        if seen.pop("normal", False):
            seen = NORMAL | seen
        for name, values in seen.items():
            if name != "day":
                rows += [read_row(seen["day"], name, v) for v in (values if isinstance(values, list) else [values])]
    events = [[float(e["day"]), e["type"], e.get("note"), e.get("duration_days")] for e in case.get("events", [])]
    return SubjectTables(
        {"subject_id": "case", **case.get("subject", {})},
        pl.DataFrame(events, schema=EVENTS, orient="row").with_row_index("row"),
        pl.DataFrame(rows, schema=TABLE, orient="row").with_row_index("row"),
    )


def assess(file, case):
    name = case.get("ruleset", RULESETS[file])
    return ASSESS[name](build_tables(case), load_rules(name), **case.get("options", {}))


def describe(file, found):
    """What a case may expect, by name."""
    endpoints = {e.name: ("open" if e.status == "censored" else e.value) for e in found.endpoints}
    last = found.verdicts[-1] if found.verdicts else None
    told = {
        "grade": [v.time_point for v in found.verdicts],
        "day": [v.day for v in found.verdicts],
        "unknowns": sorted(last.unknowns) if last else [],
        "warnings": len(found.warnings),
        "note": last.note if last else "",
        "endpoints": endpoints,
        "would_change": list(last.would_change) if last else [],
    }
    if file in ("crs", "icans"):
        told |= {name: number(endpoints.get(f"{file}_{key}")) for name, key in GRADE_ENDPOINTS.items()}
        told["maximum"] = next(e.value for e in found.endpoints if e.name == f"{file}_maximum_grade")
        told["highest"] = found.details["grades"]["highest_grade"].to_list()[-1]
        told["episodes"] = len(found.details["episodes"])
        delayed = [e for e in found.endpoints if e.name == "delayed_neurotoxicity"]
        told["delayed"] = [e.day if e.status == "event" else "open" for e in delayed][:1]
        told["delayed"] = told["delayed"][0] if told["delayed"] else None
    return told


GRADE_ENDPOINTS = {"onset": "onset_day", "end": "end_day", "duration": "duration"}


def number(text):
    return text if text in (None, "open") else float(text)


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}: {case['name']}" for file, case in CASES])
def test_a_case_comes_out_as_the_clinician_says(file, case):
    expected = dict(case["expect"])
    if "unknowns" in expected:
        expected["unknowns"] = sorted(expected["unknowns"])
    found = describe(file, assess(file, case))
    found["endpoints"] = {name: found["endpoints"].get(name) for name in expected.get("endpoints", {})}
    if "note" in expected:
        found["note"] = expected["note"] if expected["note"] in found["note"] else found["note"]
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(("file", "case"), CASES, ids=[f"{file}: {case['name']}" for file, case in CASES])
def test_every_clause_of_a_case_can_be_checked_by_hand(file, case):
    for verdict in assess(file, case).verdicts:
        assert verdict.findings or verdict.time_point == "NE"
        for finding in verdict.findings:
            assert recompute(finding) == finding.truth


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    for name, least in FEWEST.items():
        names = [case["name"] for file, case in CASES if file == name]
        assert len(names) == len(set(names)) >= least, name
