"""An assessment as files: tables for people and for statistics, the trail for whoever checks."""

import json
from pathlib import Path

import polars as pl

from livingdrug.clinical.cohort_tables import tabulate_kaplan_meier, tabulate_swimmer, tabulate_waterfall
from livingdrug.core.tables import Record
from livingdrug.study.assessment import Assessment

TEXT_JOIN = "; "
CURVE = "progression_free_survival"
"""What the survival curve shows; grades and scores have none."""


def write_assessment(assessment: Assessment, record: Record, folder: Path) -> tuple[Path, ...]:
    """Write verdicts, endpoints, trail, warnings and the data of the usual figures; make the folder if missing.

    Returns
    -------
    paths : tuple of Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "verdicts": assessment.verdicts.with_columns(pl.col("unknowns").list.join(TEXT_JOIN)),
        "endpoints": assessment.endpoints,
        "swimmer": tabulate_swimmer(assessment.verdicts, assessment.endpoints),
        "waterfall": tabulate_waterfall(_list_burden(assessment, record), assessment.endpoints),
        **assessment.details,
    }
    if CURVE in assessment.endpoints["endpoint"]:
        tables["km"] = tabulate_kaplan_meier(assessment.endpoints, CURVE)
    written = []
    for name, table in tables.items():
        if table.is_empty() and name not in ("verdicts", "endpoints"):
            continue
        path = folder / f"{name}.csv"
        table.write_csv(path)
        written.append(path)
    written += [_write_trail(assessment, folder / "trail.jsonl"), _write_rest(assessment, folder / "assessment.json")]
    return tuple(written)


def _list_burden(assessment: Assessment, record: Record) -> pl.DataFrame:
    """Return what a waterfall is drawn from: the sums that the criteria give, or else what was measured."""
    sums = assessment.details.get("sums")
    if sums is None:
        return record.observations
    return sums.select(
        "subject_id", "reader", "day", pl.lit("target_lesion_sum").alias("variable"), pl.col("sum").alias("value")
    )


def _write_trail(assessment: Assessment, path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for found in assessment.trace():
            file.write(json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def _write_rest(assessment: Assessment, path: Path) -> Path:
    rest = {"ruleset": assessment.ruleset, "warnings": assessment.warnings, "provenance": assessment.provenance}
    path.write_text(json.dumps(rest, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return path
