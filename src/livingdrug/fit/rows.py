"""One patient's observations as arrays: which rows the fit uses, and what each says."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from livingdrug.fit.likelihood import KINDS, Noise, Rows, compute_scaled

AFTER_BASELINE = 1.0
"""Day on which a course ends that is known at day 0 only: a course must have a length."""


class UsedRow(NamedTuple):
    """One observation that the fit uses: its value, or the limit it lies below (-1) or above (+1)."""

    variable: str
    day: float
    level: float
    censored: int


def read_row(row: Mapping[str, Any], rule: Noise) -> UsedRow | None:
    """Read one row of a record; None if it says nothing.

    A positive quantity at or below its limit, or at 0, is known only to lie below that limit.
    """
    value, lloq = row["value"], row["lloq"]
    limit = rule.limit if lloq is None else lloq
    is_positive = rule.kind == "lognormal"
    is_left = row["censored"] == "left" or (value is not None and is_positive and value <= max(limit, 0.0))
    level = (limit if limit > 0 else value) if is_left else value
    if level is None or not np.isfinite(level) or (is_positive and level <= 0):
        return None
    return UsedRow(row["variable"], float(row["day"]), float(level), -1 if is_left else int(row["censored"] == "right"))


def create_rows(
    observations: pl.DataFrame, noise: Mapping[str, Noise], outputs: Sequence[str]
) -> tuple[Rows, np.ndarray, tuple[str, ...]]:
    """Turn the usable rows of one patient's observations into arrays.

    A row is used when its variable has a noise model and an output of that name, its day is 0 or later
    and it has a value, or a limit where it is censored. A value at or below its lower limit counts as
    left-censored there.

    Returns
    -------
    rows : Rows
    times : (time,) [day]
    outputs : tuple of str
    """
    known = [name for name in noise if name in outputs]
    table = observations.filter(pl.col("variable").is_in(known) & (pl.col("day") >= 0)).sort("day", "variable")
    used = [
        found for row in table.iter_rows(named=True) if (found := read_row(row, noise[row["variable"]])) is not None
    ]
    names = tuple(dict.fromkeys(row.variable for row in used))
    times = np.unique(np.array([row.day for row in used], dtype=float))
    if len(times) > 0 and times[-1] == 0:
        times = np.append(times, AFTER_BASELINE)
    kind = np.array([KINDS.index(noise[row.variable].kind) for row in used], dtype=np.int8)
    floor = np.array([noise[row.variable].floor for row in used], dtype=float)
    rows = Rows(
        output=np.array([names.index(row.variable) for row in used], dtype=int),
        time=np.searchsorted(times, np.array([row.day for row in used], dtype=float)),
        value=compute_scaled(np.array([row.level for row in used], dtype=float), kind, floor)[0],
        sd=np.array([noise[row.variable].sd for row in used], dtype=float),
        floor=floor,
        kind=kind,
        censored=np.array([row.censored for row in used], dtype=np.int8),
    )
    return rows, times, names
