"""A marrow result stands for later visits, but makes no assessment and confirms nothing by itself."""

import polars as pl

from livingdrug.clinical.myeloma import assess_myeloma
from livingdrug.clinical.response import confirm_responses
from livingdrug.knowledge.rules import load_rules

EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
COLUMNS = ["day", "variable", "value", "text", "censored", "assay"]


def assess(rows):
    table = pl.DataFrame([(*row, "none", None) for row in rows], schema=COLUMNS, orient="row", infer_schema_length=None)
    return assess_myeloma(table, EVENTS, load_rules("imwg/2016"))


def test_a_marrow_that_still_stands_does_not_confirm_its_own_response():
    rows = [(-7.0, "marrow_plasma_cells", 30.0, None), (56.0, "marrow_plasma_cells", 0.0, None)]
    alone = confirm_responses(assess(rows), EVENTS)
    longer = confirm_responses(assess([*rows, (70.0, "serum_immunofixation", None, "indeterminate")]), EVENTS)
    assert longer.best == alone.best
    assert [visit.time_point for visit in longer.visits] == ["PR", "NE"]


def test_a_fresh_marrow_confirms_it():
    rows = [(-7.0, "marrow_plasma_cells", 30.0, None)]
    rows += [(day, "marrow_plasma_cells", 0.0, None) for day in (56.0, 84.0)]
    assert confirm_responses(assess(rows), EVENTS).best == "PR"
