"""Write calibration.md, the table of every published result that is marked for calibration, from the package itself.

Run it as ``python docs/reference/write_calibration_page.py``; it takes a minute. What stands after
the table is in ``calibration_notes.md``.
"""

from pathlib import Path

import polars as pl

from livingdrug.report.trial_text import format_simulated
from livingdrug.study.validate_targets import BATCHES, PEOPLE, validate_targets

PAGE = Path(__file__).with_name("calibration.md")
NOTES = Path(__file__).with_name("calibration_notes.md")


def write_row(row: dict[str, object]) -> str:
    """Return one line of the table."""
    limits = "" if row["lower"] is None else f" ({row['lower']:.4g}-{row['upper']:.4g})"
    found = "-" if row["simulated"] is None else format_simulated(row)
    met = "-" if row["simulated"] is None else "yes" if row["inside"] else "**no**"
    published = f"{row['value']:.4g}{limits}"
    return f"| {row['id']} | {row['what']} [{row['unit']}] | {published} | {found} | {met} | {row['note']} |"


def build_page(table: pl.DataFrame) -> str:
    """Return the page."""
    simulated = table.filter(pl.col("simulated").is_not_null())
    met = int(simulated["inside"].sum())
    head = f"""# Calibration: published results and what the packaged values give

Written by `docs/reference/write_calibration_page.py`; `livingdrug trial --validate` prints the same. Calibrated by
`livingdrug calibrate DISEASE/PRODUCT` (plans: `knowledge/data/calibration`).
{len(simulated)} of {len(table)} published results that are marked for calibration are simulated; {met} of these lie in
the published 95 % interval, or within 15 % where none was printed: {100 * met / len(table):.0f} % of all.
The people are others than those calibrated with. The interval of a simulated result is that of its mean over
{BATCHES * PEOPLE:,} people, half as many of those who failed a first product.

| id | result | published | simulated | met | note |
|---|---|---|---|---|---|"""
    rows = [write_row(row) for row in table.iter_rows(named=True)]
    return "\n".join([head, *rows, "", NOTES.read_text(encoding="utf-8").strip(), ""])


if __name__ == "__main__":
    PAGE.write_text(build_page(validate_targets()), encoding="utf-8")
