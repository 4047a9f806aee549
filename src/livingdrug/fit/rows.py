"""One patient's observations as arrays: which rows the fit uses, and what each says."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from livingdrug.fit.likelihood import COUNT, INTERVAL, KINDS, Noise, Rows, compute_scaled

AFTER_BASELINE = 1.0
"""Day on which a course ends that is known at day 0 only: a course must have a length."""


class UsedRow(NamedTuple):
    """One observation that the fit uses: its value, or the limit it lies below (-1) or above (+1).

    An interval (2) lies between ``limit`` and ``level``; of a count ``limit`` is what one cell would give.
    """

    variable: str
    day: float
    level: float
    censored: int
    limit: float


def read_row(row: Mapping[str, Any], rule: Noise) -> UsedRow | None:
    """Read one row of a record; None if it says nothing.

    A positive quantity at or below its limit, or at 0, is known only to lie below that limit.
    """
    value, lloq = row["value"], row["lloq"]
    limit = rule.limit if lloq is None else lloq
    is_positive = rule.kind in ("lognormal", "count")
    is_left = row["censored"] == "left" or (value is not None and is_positive and value <= max(limit, 0.0))
    is_interval = row["censored"] == "interval" and value is not None and lloq is not None and lloq < value
    if rule.kind == "count":
        level = 0.0 if row["censored"] == "left" else value
        is_usable = level is not None and np.isfinite(level) and level >= 0 and limit > 0
        return UsedRow(row["variable"], float(row["day"]), float(level), 0, float(limit)) if is_usable else None
    level = (limit if limit > 0 else value) if is_left and not is_interval else value
    if level is None or not np.isfinite(level) or (is_positive and level <= 0):
        return None
    code = INTERVAL if is_interval else -1 if is_left else int(row["censored"] == "right")
    return UsedRow(row["variable"], float(row["day"]), float(level), code, float(limit))


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
    known = [name for name, rule in noise.items() if (rule.output or name) in outputs]
    table = observations.filter(pl.col("variable").is_in(known) & (pl.col("day") >= 0)).sort("day", "variable")
    used = [
        found for row in table.iter_rows(named=True) if (found := read_row(row, noise[row["variable"]])) is not None
    ]
    rules = [noise[row.variable] for row in used]
    places = [rule.output or row.variable for row, rule in zip(used, rules, strict=True)]
    names = tuple(dict.fromkeys(places))
    times = np.unique(np.array([row.day for row in used], dtype=float))
    if len(times) > 0 and times[-1] == 0:
        times = np.append(times, AFTER_BASELINE)
    kind = np.array([KINDS.index(rule.kind) for rule in rules], dtype=np.int8)
    factor = np.array([rule.factor for rule in rules], dtype=float)
    limit = np.array([row.limit for row in used], dtype=float) * factor
    level = np.array([row.level for row in used], dtype=float) * factor
    floor = np.array([rule.floor for rule in rules], dtype=float) * np.where(kind == COUNT, 1.0, factor)
    exposure = 1 / np.where(limit > 0, limit, 1.0)
    scaled = np.where(kind == COUNT, np.round(level * exposure), compute_scaled(level, kind, floor)[0])
    rows = Rows(
        output=np.array([names.index(name) for name in places], dtype=int),
        time=np.searchsorted(times, np.array([row.day for row in used], dtype=float)),
        value=scaled,
        sd=np.array([rule.sd for rule in rules], dtype=float),
        floor=floor,
        kind=kind,
        censored=np.array([row.censored for row in used], dtype=np.int8),
        lower=compute_scaled(limit, kind, floor)[0],
        freedom=np.array([rule.freedom for rule in rules], dtype=float),
        exposure=exposure,
    )
    return rows, times, names
