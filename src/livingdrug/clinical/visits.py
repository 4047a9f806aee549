"""One subject's rows as visits: what was measured on which day, and the value that each thing started from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl


@dataclass(frozen=True, slots=True)
class Measured:
    """A value or a word, the row it stands in, its day and its assay."""

    value: float | None
    word: str | None
    row: int
    day: float
    assay: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """What was measured on one day."""

    day: float
    measured: Mapping[str, Measured] = field(default_factory=dict)


def build_visits(observations: pl.DataFrame, variables: Iterable[str]) -> list[Visit]:
    """Group one subject's rows by day; of several rows for one thing the first counts.

    A value below its limit of quantification counts as 0 (not detected), never as half the limit.

    Parameters
    ----------
    observations : table
        ``day, variable, value, text, censored`` and ``assay``; row numbers count from 0 in this table.
    variables : names to keep

    Examples
    --------
    >>> table = pl.DataFrame({"day": [28.0, 28.0], "variable": ["m_protein", "crp"], "value": [1.2, 4.0],
    ...                       "text": [None, None], "censored": ["none", "none"], "assay": [None, None]})
    >>> visits = build_visits(table, ["m_protein"])
    >>> visits[0].day, visits[0].measured["m_protein"].value
    (28.0, 1.2)
    """
    wanted = set(variables)
    days: dict[float, dict[str, Measured]] = {}
    columns = ("day", "variable", "value", "text", "censored", "assay")
    for row, (day, variable, value, text, censored, assay) in enumerate(observations.select(columns).iter_rows()):
        if variable not in wanted or day is None:
            continue
        number = 0.0 if censored == "left" else value
        if number is None and text is None:
            continue
        days.setdefault(day, {}).setdefault(variable, Measured(number, text, row, day, assay or ""))
    return [Visit(day, days[day]) for day in sorted(days)]


def find_baseline(visits: Iterable[Visit]) -> dict[str, Measured]:
    """Return the last measurement of each thing on day 0 or before.

    Examples
    --------
    >>> find_baseline([Visit(-7.0, {"m_protein": Measured(3.0, None, 0, -7.0)}), Visit(28.0, {})])["m_protein"].value
    3.0
    """
    baseline: dict[str, Measured] = {}
    for visit in visits:
        if visit.day <= 0:
            baseline |= visit.measured
    return baseline
