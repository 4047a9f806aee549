"""One subject's rows as visits: what was measured on which day, and the value that each thing started from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isnan

import polars as pl

from livingdrug.core.variables import VARIABLES, compute_variable_conversion

COLUMNS = ("day", "variable", "value", "text", "censored", "assay", "lloq", "unit")
WORST_FIRST = ("positive", "present", "yes", "indeterminate", "equivocal", "negative", "absent", "no")
DECISIVE = ("shift", "mass spec")
"""Assays of immunofixation that tell a therapeutic antibody from the clone."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A value or a word, the row it stands in, its day and its assay.

    ``limit`` is the limit of quantification of something that was not detected: its value is 0 then.
    """

    value: float | None
    word: str | None
    row: int
    day: float
    assay: str = ""
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """What was measured at one visit, and the earlier results that still stand then."""

    day: float
    measured: Mapping[str, Measured] = field(default_factory=dict)
    standing: Mapping[str, Measured] = field(default_factory=dict)

    def find(self, name: str) -> Measured | None:
        """Return a result of this visit, or an earlier one that still stands."""
        return self.measured.get(name) or self.standing.get(name)


def build_visits(observations: pl.DataFrame, variables: Iterable[str], *, window_days: float = 0.0) -> list[Visit]:
    """Group one subject's rows into visits.

    A value below its limit of quantification counts as 0 (not detected), never as half the limit. A unit
    that is missing or does not convert leaves a value unknown. Of several results for one thing on one day
    the worst counts, so that the order of rows does not matter; a shift assay or mass spectrometry goes
    before another immunofixation. Plasma cells counted by flow cytometry are left out.

    Parameters
    ----------
    observations : table
        ``day, variable, value, text`` and, as far as there are, ``censored, assay, lloq, unit, row``; row
        numbers are those of ``row``, or count from 0 in this table.
    variables : names to keep
    window_days : float
        Days of which results of different things are one visit.

    Examples
    --------
    >>> table = pl.DataFrame({"day": [28.0, 28.0], "variable": ["m_protein", "crp"], "value": [1.2, 4.0],
    ...                       "text": [None, None]})
    >>> visits = build_visits(table, ["m_protein"])
    >>> visits[0].day, visits[0].measured["m_protein"].value
    (28.0, 1.2)
    """
    days: dict[float, dict[str, Measured]] = {}
    for variable, found in _read_rows(observations, frozenset(variables)):
        measured = days.setdefault(found.day, {})
        measured[variable] = max(measured[variable], found, key=_badness) if variable in measured else found
    return _join_days([Visit(day, days[day]) for day in sorted(days)], window_days)


def _read_rows(observations: pl.DataFrame, wanted: frozenset[str]) -> Iterable[tuple[str, Measured]]:
    if wanted.isdisjoint(observations["variable"].to_list()):
        return
    present = [name for name in COLUMNS if name in observations.columns]
    columns = {name: observations[name].to_list() for name in present}
    nothing = [None] * len(observations)
    rows = observations["row"].to_list() if "row" in observations.columns else range(len(observations))
    has_unit = "unit" in columns
    lists = [columns.get(name, nothing) for name in COLUMNS]
    for row, day, variable, value, text, censored, assay, lloq, unit in zip(rows, *lists, strict=True):
        if variable not in wanted or day is None:
            continue
        method = (assay or "").lower()
        if variable == "marrow_plasma_cells" and "flow" in method:
            continue
        factor = find_factor(variable, unit) if has_unit and text is None else 1.0
        number = None if value is None or factor is None or isnan(value) else value * factor
        limit = None
        if censored == "left" and factor is not None:
            limit = number if lloq is None else lloq * factor
            number = 0.0
        elif censored == "interval":
            number = None
        yield variable, Measured(number, text, row, day, method, limit)


@cache
def find_factor(variable: str, unit: str | None) -> float | None:
    """Return what a value is multiplied by to be in the canonical unit; None where its unit does not fit.

    Examples
    --------
    >>> find_factor("m_protein", "g/L"), find_factor("m_protein", None)
    (0.1, None)
    """
    if unit is None:
        return None
    if unit == VARIABLES[variable].unit:
        return 1.0
    conversion = compute_variable_conversion(variable, unit)
    return None if conversion is None else conversion[0]


def _badness(measured: Measured) -> tuple[bool, float, float]:
    """Order two results for one thing on one day: the worse one counts, a decisive assay before all."""
    is_decisive = any(word in measured.assay for word in DECISIVE)
    if measured.word is not None:
        place = WORST_FIRST.index(measured.word) if measured.word in WORST_FIRST else len(WORST_FIRST)
        return is_decisive, -float(place), 0.0
    limit = -1.0 if measured.limit is None else measured.limit
    return is_decisive, -1.0 if measured.value is None else measured.value, limit


def _join_days(days: Sequence[Visit], window_days: float) -> list[Visit]:
    """Make one visit of days close together, unless that would join two results of one thing, or cross day 0."""
    visits: list[Visit] = []
    for visit in days:
        last = visits[-1] if visits else None
        is_near = last is not None and visit.day - last.day <= window_days and (last.day > 0 or visit.day <= 0)
        if last is not None and is_near and not last.measured.keys() & visit.measured.keys():
            visits[-1] = Visit(last.day, {**last.measured, **visit.measured})
        else:
            visits.append(visit)
    return visits


def find_baseline(visits: Iterable[Visit], start: float = 0.0) -> dict[str, Measured]:
    """Return the last measurement of each thing on a day or before; where there is none, the first up to day 0.

    The two light chains count only where both were measured at one visit.

    Examples
    --------
    >>> visits = [Visit(-7.0, {"m_protein": Measured(3.0, None, 0, -7.0)}),
    ...           Visit(-1.0, {"m_protein": Measured(2.0, None, 1, -1.0)}), Visit(28.0, {})]
    >>> find_baseline(visits)["m_protein"].value, find_baseline(visits, start=-5.0)["m_protein"].value
    (2.0, 3.0)
    """
    baseline: dict[str, Measured] = {}
    late: dict[str, Measured] = {}
    for visit in visits:
        if visit.day > 0:
            break
        is_single = ("flc_kappa" in visit.measured) != ("flc_lambda" in visit.measured)
        known = {n: m for n, m in visit.measured.items() if m.value is not None or m.word is not None}
        kept = {name: m for name, m in known.items() if not (is_single and name.startswith("flc_"))}
        if visit.day <= start:
            baseline |= kept
        else:
            late = {**kept, **late}
    return {**late, **baseline}
