"""The comparisons and weights of a trial as sentences, made of the rows of its endpoints."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from livingdrug.study.trial_plausibility import WEIGHTED

LEVEL = 0.05
P_VALUE = "log-rank p value"


def tell_trial(endpoints: pl.DataFrame, arms: Sequence[str]) -> list[str]:
    """Return what a reader wants to know first.

    Parameters
    ----------
    endpoints : table
        ``arm, endpoint, statistic, value, lower, upper, unit, n, events``.
    arms : sequence of str
        The first is the one that the others are held against.

    Examples
    --------
    >>> columns = ("arm", "endpoint", "statistic", "value")
    >>> rows = [("a", "overall_survival", "median", 7.4), ("b", "overall_survival", "median", None),
    ...         ("b against a", "overall_survival", "log-rank p value", 0.003)]
    >>> print(*tell_trial(pl.DataFrame(rows, schema=columns, orient="row"), ("a", "b")))
    Overall survival differs between b and a: median not reached against 7.4 months (log-rank p = 0.003).
    """
    rows = endpoints.to_dicts()
    lines = [_tell_weights(row, rows) for row in rows if row["endpoint"] == "effective_sample_size"]
    return lines + [_tell_test(row, rows, arms[0]) for row in rows if row["statistic"] == P_VALUE]


def _tell_test(row: dict[str, Any], rows: Sequence[dict[str, Any]], first: str) -> str:
    arm, name = row["arm"].removesuffix(f" against {first}"), row["endpoint"]
    medians = {r["arm"]: r["value"] for r in rows if r["endpoint"] == name and r["statistic"] == "median"}
    own, other = (
        "not reached" if medians.get(one) is None else f"{medians[one]:.1f}{unit}"
        for one, unit in ((arm, ""), (first, " months"))
    )
    words = name.replace("_", " ").capitalize()
    verb = "differs between" if row["value"] < LEVEL else "was not shown to differ between"
    return f"{words} {verb} {arm} and {first}: median {own} against {other} (log-rank p = {row['value']:.3g})."


def _tell_weights(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    own = {r["endpoint"]: r["value"] for r in rows if r["arm"] == row["arm"] and r["statistic"] in (WEIGHTED, "count")}
    response = 100 * own["overall_response"]
    return (
        f"{row['arm']}: {own['plausible_patients']:.0f} of {row['n']} virtual patients are plausible; weighted they "
        f"count as {row['value']:.1f} (effective sample size), with overall response {response:.1f} %."
    )
