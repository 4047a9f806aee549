"""The 28 boundary cases of IMWG 2016: exactly at, just above and just below each threshold."""

from pathlib import Path

import polars as pl
import pytest

from livingdrug.clinical.myeloma import assess_myeloma
from livingdrug.knowledge.rules import load_rules

VECTORS = Path(__file__).parents[2] / "reference" / "imwg_vectors.csv"
ROWS = pl.read_csv(VECTORS, comment_prefix="#", infer_schema=False).to_dicts()
SIGN = {"pos": "positive", "neg": "negative", "pos_IgGk_only_dara": "positive"}
BASE, NADIR, NOW = -3.0, 28.0, 56.0


def build(row):  # noqa: C901 - one line a column of the table
    """Return one subject's observations: baseline, nadir, now."""
    table = []

    def add(day, variable, value, text=None, assay=None):
        number = None if value is None else float(value)
        table.append((day, variable, number, text, "none", assay))

    for name, variable in (("sM", "m_protein"), ("uM", "urine_m_protein")):
        for day, stage in ((BASE, "base"), (NADIR, "nadir"), (NOW, "now")):
            if row[f"{name}_{stage}"]:
                add(day, variable, row[f"{name}_{stage}"])
    uninvolved = 1.0
    for day, stage in ((BASE, "base"), (NADIR, "nadir"), (NOW, "now")):
        if row[f"dFLC_{stage}_mgL"]:
            difference = float(row[f"dFLC_{stage}_mgL"])
            if stage == "now" and row["flc_ratio_now"]:
                uninvolved = difference / (float(row["flc_ratio_now"]) - 1)
            add(day, "flc_kappa", difference + uninvolved)
            add(day, "flc_lambda", uninvolved)
    if not row["dFLC_now_mgL"] and row["flc_ratio_now"]:
        add(NOW, "flc_kappa", 10 * float(row["flc_ratio_now"]))
        add(NOW, "flc_lambda", 10)
    add(BASE, "serum_immunofixation", None, "positive", "IgG-kappa")
    for name, variable in (("sIFE", "serum_immunofixation"), ("uIFE", "urine_immunofixation")):
        if row[name]:
            add(NOW, variable, None, SIGN[row[name]])
    if row["BMPC_now"]:
        add(NOW, "marrow_plasma_cells", row["BMPC_now"])
    if row["clonal_BM"]:
        add(NOW, "marrow_clonal_plasma_cells", None, row["clonal_BM"])
    schema = ["day", "variable", "value", "text", "censored", "assay"]
    return pl.DataFrame(table, schema=schema, orient="row", infer_schema_length=None)


def category(row, *, shifted=False):
    antibody = row["sIFE"] == "pos_IgGk_only_dara"
    events = pl.DataFrame(
        [(30.0, "therapeutic_antibody", "daratumumab")] if antibody else [],
        schema={"day": pl.Float64, "type": pl.String, "note": pl.String},
        orient="row",
    )
    table = build(row)
    if shifted:
        is_fixation = (pl.col("variable") == "serum_immunofixation") & (pl.col("day") == NOW)
        table = table.with_columns(
            text=pl.when(is_fixation).then(pl.lit("negative")).otherwise("text"),
            assay=pl.when(is_fixation).then(pl.lit("shift assay")).otherwise("assay"),
        )
    return assess_myeloma(table, events, load_rules("imwg/2016"))[-1]


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_boundary_case_has_its_category(row):
    point = category(row)
    expected = row["expected_unconfirmed"]
    if expected == "not PD":
        assert point.category != "PD"
    elif expected.startswith("CR_or_sCR"):
        assert point.category == "VGPR"
        assert "serum_immunofixation" in point.verdict.capped_by
    else:
        assert point.category == expected, row["why"]


def test_a_shift_assay_that_leaves_no_band_shows_the_stringent_complete_response():
    row = next(row for row in ROWS if row["id"] == "v27")
    assert category(row, shifted=True).category == "sCR"


def test_every_verdict_of_the_cases_names_its_rows():
    for row in ROWS:
        point = category(row)
        assert point.verdict.findings
        assert point.category == "NE" or any(finding.rows for finding in point.verdict.findings)
