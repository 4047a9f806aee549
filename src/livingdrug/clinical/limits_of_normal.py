"""Limits of normal as the laboratory reported them with a result."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

import polars as pl

from livingdrug.core.observations import NORMAL_LIMITS
from livingdrug.core.variables import VARIABLES, compute_variable_conversion


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of normal of one thing, in its canonical unit; None where they are not known.

    ``row`` is the row of the result that they were reported with.
    """

    lower: float | None = None
    upper: float | None = None
    row: int | None = None
    day: float | None = None


UNKNOWN = Limits()


def find_limits(observations: pl.DataFrame) -> dict[tuple[str, float], Limits]:
    """Return the limits of normal by variable and day.

    They stand in the optional columns ``lower_limit_of_normal`` and ``upper_limit_of_normal``. Of several on one
    day the narrower ones count, so that the order of rows does not matter.

    Parameters
    ----------
    observations : table
        ``day, variable`` and, as far as there are, the two limits, ``unit`` and ``row``.

    Examples
    --------
    >>> table = pl.DataFrame({"day": [1.0], "variable": ["ferritin"], "value": [900.0], "unit": ["ng/mL"],
    ...                       "upper_limit_of_normal": [300.0]})
    >>> find_limits(table)["ferritin", 1.0].upper, find_limits(table.drop("upper_limit_of_normal"))
    (300.0, {})
    """
    found: dict[tuple[str, float], Limits] = {}
    for (variable, day), limits in _read_limits(observations):
        before = found.get((variable, day))
        found[variable, day] = limits if before is None else _narrow(before, limits)
    return found


def find_limits_at(limits: Mapping[tuple[str, float], Limits], variable: str, day: float) -> Limits:
    """Return the limits of a variable on a day, or else the nearest ones: of equally near ones, the earlier.

    Examples
    --------
    >>> limits = {("ferritin", 0.0): Limits(30.0, 300.0, 1, 0.0), ("ferritin", 9.0): Limits(20.0, 250.0, 2, 9.0)}
    >>> find_limits_at(limits, "ferritin", 7.0).upper, find_limits_at(limits, "ldh", 7.0).upper
    (250.0, None)
    """
    if (variable, day) in limits:
        return limits[variable, day]
    days = [when for name, when in limits if name == variable]
    return UNKNOWN if not days else limits[variable, min(days, key=lambda when: (abs(when - day), when))]


def read_limits_of_row(row: Mapping[str, object]) -> Limits:
    """Return the limits that stand in one row; both are unknown if they contradict each other.

    Examples
    --------
    >>> read_limits_of_row({"variable": "ldh", "unit": "U/L", "lower_limit_of_normal": 100.0}).lower
    100.0
    """
    variable, unit = str(row["variable"]), row.get("unit")
    conversion = (1.0, 0.0)
    base = variable.split(":")[0]
    if base in VARIABLES and isinstance(unit, str) and unit != VARIABLES[base].unit:
        found = compute_variable_conversion(base, unit)
        if found is None:
            return UNKNOWN
        conversion = found
    lower, upper = (_read_number(row.get(column), conversion) for column in NORMAL_LIMITS)
    if lower is not None and upper is not None and lower > upper:
        return UNKNOWN
    number, day = row.get("row"), row.get("day")
    return Limits(
        lower, upper, number if isinstance(number, int) else None, float(day) if isinstance(day, int | float) else None
    )


def _read_limits(observations: pl.DataFrame) -> list[tuple[tuple[str, float], Limits]]:
    columns = [column for column in NORMAL_LIMITS if column in observations.columns]
    if not columns:
        return []
    rows = observations if "row" in observations.columns else observations.with_row_index("row")
    kept = rows.filter(pl.any_horizontal(pl.col(columns).is_not_null()) & pl.col("day").is_not_null())
    found = [((row["variable"], row["day"]), read_limits_of_row(row)) for row in kept.iter_rows(named=True)]
    return [(key, limits) for key, limits in found if limits.lower is not None or limits.upper is not None]


def _read_number(given: object, conversion: tuple[float, float]) -> float | None:
    if not isinstance(given, int | float) or not isfinite(given):
        return None
    return float(given) * conversion[0] + conversion[1]


def _narrow(a: Limits, b: Limits) -> Limits:
    lower = max((x for x in (a.lower, b.lower) if x is not None), default=None)
    upper = min((x for x in (a.upper, b.upper) if x is not None), default=None)
    if lower is not None and upper is not None and lower > upper:
        return Limits(None, None, a.row, a.day)
    rows = [row for row in (a.row, b.row) if row is not None]
    return Limits(lower, upper, min(rows, default=None), a.day)
