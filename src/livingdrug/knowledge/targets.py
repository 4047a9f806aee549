"""Published results that a simulated cohort is held against: one number a row, and where it was read.

Columns: ``id, disease, population, product, trial, n, quantity, value, lower, upper, spread, unit, evidence,
source, use``. ``use`` is ``calibrate`` or ``context``; a number from memory is always context.
"""

from functools import cache
from importlib.resources import files

import polars as pl

from livingdrug.core.errors import Fault

COLUMNS = {
    **dict.fromkeys(("id", "disease", "population", "product", "trial"), pl.String),
    "n": pl.Float64,
    "quantity": pl.String,
    **dict.fromkeys(("value", "lower", "upper"), pl.Float64),
    **dict.fromkeys(("spread", "unit", "evidence", "source", "use"), pl.String),
}
EVIDENCE, USES = ("verified", "memory"), ("calibrate", "context")


@cache
def load_targets() -> pl.DataFrame:
    """Load every published result.

    Examples
    --------
    >>> load_targets().filter(pl.col("id") == "T046")["quantity"].to_list()
    ['orr']
    """
    path = files("livingdrug.knowledge").joinpath("data", "targets", "clinical.csv")
    return pl.read_csv(path.read_bytes(), schema=COLUMNS)


def check_targets(targets: pl.DataFrame) -> list[Fault]:
    """Find results that lack what each must carry.

    Examples
    --------
    >>> check_targets(load_targets())
    []
    """
    needed = ("id", "disease", "product", "quantity", "value", "unit", "evidence", "source", "use")
    faults = []
    for row in targets.with_row_index("line", 2).iter_rows(named=True):
        where = f"targets/clinical.csv, row {row['line']}"
        faults += [
            Fault(f"{where}, {name}", "must be filled", "empty", "fill it, or remove the row")
            for name in needed
            if row[name] is None
        ]
        if row["evidence"] not in EVIDENCE or row["use"] not in USES:
            was = f"{row['evidence']}, {row['use']}"
            faults.append(Fault(where, f"must be {' or '.join(EVIDENCE)} and {' or '.join(USES)}", was, "correct it"))
        if row["evidence"] == "memory" and row["use"] == "calibrate":
            faults.append(Fault(where, "must be context where it is from memory", "calibrate", "confirm it first"))
        if row["lower"] is not None and row["upper"] is not None and not row["lower"] <= row["upper"]:
            was = f"{row['lower']}, {row['upper']}"
            faults.append(Fault(where, "must have lower at most upper", was, "correct it"))
    if targets["id"].n_unique() != len(targets):
        faults.append(Fault("targets/clinical.csv, id", "must stand once", "repeated", "give each row its own"))
    return faults
