"""The cases of icaht.yaml: daily counts to early and late grades and the day of recovery."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from livingdrug.clinical.comparison import recompute
from livingdrug.clinical.haematotoxicity import assess_icaht
from livingdrug.core.assessment import SubjectTables
from livingdrug.knowledge.rules import load_rules

CASES = yaml.safe_load(Path(__file__).with_name("icaht.yaml").read_text(encoding="utf-8"))
COUNTS = {"anc": ("neutrophils", "/uL"), "plt": ("platelets", "10*9/L")}
ROWS = ("day", "variable", "value", "unit", "lloq", "censored")
TYPES = {"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "unit": pl.String}
NOTES = {"early ICAHT": "early", "late ICAHT": "late", "early T-ICAHT": "t_early", "late T-ICAHT": "t_late"}


def list_counts(name, written):
    variable, unit = COUNTS[name]
    for span, counts in written.items():
        first, _, last = str(span).partition("-")
        for day in range(int(first), int(last or first) + 1):
            for count in counts if isinstance(counts, list) else [counts]:
                is_below = str(count).startswith("<")
                number = float(str(count).lstrip("<"))
                yield (float(day), variable, number, unit, number if is_below else None, "left" if is_below else "none")


def build_tables(case):
    """Return a case as a record has it."""
    rows = [row for name in COUNTS for row in list_counts(name, case.get(name, {}))]
    schema = {**TYPES, "lloq": pl.Float64, "censored": pl.String}
    events = [(float(event["day"]), event["type"]) for event in case.get("events", [])]
    return SubjectTables(
        {"subject_id": "case"},
        pl.DataFrame(events, schema={"day": pl.Float64, "type": pl.String}, orient="row"),
        pl.DataFrame(rows, schema=schema, orient="row").with_row_index("row"),
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_course_has_the_grades_that_the_case_says(case):
    found = assess_icaht(build_tables(case), load_rules("icaht/2023"), **case.get("options", {}))
    verdicts = {short: v for v in found.verdicts for note, short in NOTES.items() if note in v.note}
    endpoints = {endpoint.name: endpoint for endpoint in found.endpoints}
    days = endpoints.get("days_neutrophils_at_or_below_500")
    results = {short: verdict.time_point for short, verdict in verdicts.items()}
    results |= {
        "could_be": list(verdicts["early"].unknowns),
        "could_be_late": list(verdicts["late"].unknowns),
        "recovery": endpoints["neutrophil_recovery_day"].day
        if endpoints["neutrophil_recovery_day"].status == "event"
        else None,
        "days": days.value if days else None,
        "warnings": len(found.warnings),
    }
    assert {name: results[name] for name in case["expect"]} == case["expect"]
    findings = [finding for verdict in found.verdicts for finding in verdict.findings]
    assert all(recompute(finding) == finding.truth for finding in findings)


def test_every_name_of_a_case_stands_once_and_there_are_enough():
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names)) >= 70
