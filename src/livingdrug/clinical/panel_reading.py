"""From a long table of many subjects to a panel, by the rules that :func:`build_visits` has for one subject.

What was not detected is 0 and keeps its limit; a unit that is missing or does not fit leaves a value unknown.
Of several results for one thing on one day the one that the site accepted goes before all, then a shift assay
or mass spectrometry, then the worst; what contradicts it is listed. Plasma cells counted by flow cytometry are
left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livingdrug.clinical.panel import (
    NOTHING,
    UNREAD,
    WORDS,
    Bools,
    Codes,
    Column,
    Conflict,
    Floats,
    Ints,
    Panel,
    find_word_code,
)
from livingdrug.clinical.visits import DECISIVE, find_factor
from livingdrug.core.variables import OTHER, VARIABLES

LOW_IS_WORSE = ("haemoglobin", "albumin")
FLAGGED = ("y", "yes", "1", "true")
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a table as arrays of numbers, sorted by subject and day."""

    subject: Ints
    day: Floats
    variable: Ints
    value: Floats
    code: Codes
    limit: Floats
    assay: Ints
    rank: Codes
    row: Ints


def read_panel(
    observations: pl.DataFrame,
    variables: Sequence[str],
    *,
    beside: Sequence[str] = (),
    window_days: float = 0.0,
    subjects: Sequence[str] | None = None,
) -> Panel:
    """Turn a long table into a panel.

    Parameters
    ----------
    observations : table
        ``day, variable, value, text`` and, as far as there are, ``subject_id, censored, assay, lloq, unit, accepted,
        row``; row numbers are those of ``row``, or count from 0 in this table.
    variables : names to keep
        What a name tells after a colon is kept apart where the variable is a number: one column a lesion.
    beside : names of flags
        Kept on days that have a visit; they make none.
    window_days : float
        Days of which results of different things are one visit.
    subjects : names, optional
        Those to be in the panel, in this order; otherwise those who have rows.

    Examples
    --------
    >>> table = pl.DataFrame({"subject_id": ["a", "b", "b"], "day": [28.0, 28.0, 56.0],
    ...                       "variable": ["m_protein", "m_protein", "crp"], "value": [1.2, 0.4, 5.0]})
    >>> panel = read_panel(table, ["m_protein"])
    >>> panel.subjects, panel.get("m_protein").value.tolist()
    (('a', 'b'), [[1.2, 0.4]])
    """
    names, flags = _expand_names(observations, variables), _expand_names(observations, beside)
    owner, known = _number_subjects(observations, subjects)
    table = observations.with_columns(_subject=owner)
    if "row" not in observations.columns:
        table = table.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    wanted = pl.col("variable").is_in([*names, *flags])
    table = table.filter(wanted & pl.col("day").is_not_null() & (pl.col("_subject") >= 0))
    table, names = _number_lesions(_sort(table), {**names, **flags})
    columns = tuple(dict.fromkeys(names.values()))
    rows, assays = _read_rows(table, names, columns)
    is_flag = np.isin(rows.variable, [columns.index(name) for name in flags.values()])
    return _Arranging(rows, is_flag, columns, known, window_days).arrange(assays)


def _expand_names(observations: pl.DataFrame, variables: Sequence[str]) -> dict[str, str]:
    """Return the variables that the table has, with the column that each goes to."""
    present = observations["variable"].unique().drop_nulls().sort().to_list()
    found = {}
    for name in present:
        base, _, detail = name.partition(":")
        if base in variables:
            is_word = base.startswith(OTHER) or bool(VARIABLES[base].words)
            found[name] = base if is_word or not VARIABLES[base].has_detail else f"{base}:{detail}"
    return found


def _number_lesions(table: pl.DataFrame, names: Mapping[str, str]) -> tuple[pl.DataFrame, dict[str, str]]:
    """Give a subject's lesions numbers in place of their names, so that there are as many columns as lesions."""
    named = [name for name, column in names.items() if ":" in column]
    if not named:
        return table, dict(names)
    base, detail = (pl.col("variable").str.split_exact(":", 1).struct.field(f"field_{i}") for i in (0, 1))
    is_named = pl.col("variable").is_in(named)
    lesions = table.filter(is_named).select("_subject", "variable", detail.fill_null("").alias("_detail")).unique()
    lesions = lesions.with_columns(_number=pl.col("_detail").rank("dense").over("_subject").cast(pl.String))
    joined = table.join(lesions, on=["_subject", "variable"], how="left", maintain_order="left")
    renamed = pl.when(is_named).then(pl.concat_str([base, pl.col("_number")], separator=":")).otherwise("variable")
    table = joined.with_columns(variable=renamed).drop("_detail", "_number")
    rest = {name: column for name, column in names.items() if name not in named}
    present = table.filter(~pl.col("variable").is_in(list(rest)))["variable"].unique().sort().to_list()
    return table, {**rest, **{name: name for name in present}}


def _number_subjects(observations: pl.DataFrame, subjects: Sequence[str] | None) -> tuple[pl.Series, tuple[str, ...]]:
    """Return the place of each row's subject, -1 where it is not wanted, and the subjects."""
    if "subject_id" not in observations.columns:
        return pl.repeat(0, len(observations), dtype=pl.Int64, eager=True), ("",)
    ids = observations["subject_id"]
    known = ids.unique(maintain_order=True) if subjects is None else pl.Series(subjects, dtype=pl.String)
    runs = ids.rle_id()
    is_grouped = subjects is None and len(runs) > 0 and runs[-1] == len(known) - 1
    if is_grouped:
        return runs.cast(pl.Int64), tuple(known.to_list())
    places = pl.DataFrame({"subject_id": known, "_place": np.arange(len(known))})
    joined = ids.to_frame("subject_id").join(places, on="subject_id", how="left", maintain_order="left")
    return joined["_place"].fill_null(NOTHING).cast(pl.Int64), tuple(known.to_list())


def _sort(table: pl.DataFrame) -> pl.DataFrame:
    """Sort by subject and day, where that is not so already."""
    subject, day = table["_subject"].to_numpy(), table["day"].to_numpy()
    after = (subject[1:] > subject[:-1]) | ((subject[1:] == subject[:-1]) & (day[1:] >= day[:-1]))
    return table if after.all() else table.sort("_subject", "day", maintain_order=True)


def _translate(table: pl.DataFrame, column: str) -> tuple[list[str | None], Ints]:
    """Return the distinct texts of a column, and the place of each row's text among them."""
    if column not in table.columns or table[column].null_count() == len(table):
        return [None], np.zeros(len(table), dtype=np.int64)
    texts = table[column].unique(maintain_order=True)
    places = pl.DataFrame({"_text": texts, "_place": np.arange(len(texts))})
    own = table[column].to_frame("_text")
    joined = own.join(places, on="_text", how="left", nulls_equal=True, maintain_order="left")
    return texts.to_list(), joined["_place"].to_numpy()


def _read_rows(table: pl.DataFrame, names: Mapping[str, str], columns: Sequence[str]) -> tuple[_Rows, tuple[str, ...]]:
    variables, variable = _translate(table, "variable")
    texts, text = _translate(table, "text")
    methods, assay = _translate(table, "assay")
    assays = tuple((name or "").lower() for name in methods)
    column = np.array([columns.index(names[name or ""]) if name else NOTHING for name in variables])[variable]
    codes = np.array([NOTHING if word is None else _read_word(word) for word in texts], dtype=np.int8)
    value, limit = _read_numbers(table, variables, variable)
    is_flow = np.array(["flow" in name for name in assays])[assay]
    marrow = columns.index("marrow_plasma_cells") if "marrow_plasma_cells" in columns else NOTHING
    keep = ~(is_flow & (column == marrow))
    is_accepted = _read_texts(table, "accepted", ("yes",))
    is_decisive = np.array([any(word in name for word in DECISIVE) for name in assays])[assay]
    arrays = (
        table["_subject"].to_numpy(),
        table["day"].cast(pl.Float64).to_numpy(),
        column,
        value,
        codes[text],
        limit,
        assay if methods != [None] else np.full(len(table), NOTHING),
        (2 * is_accepted + is_decisive).astype(np.int8),
        table["row"].cast(pl.Int64).to_numpy(),
    )
    kept = arrays if keep.all() else tuple(array[keep] for array in arrays)
    return _Rows(*kept), assays


def _read_word(text: str) -> int:
    """Return the code of a word; a flag that is set reads yes."""
    return find_word_code("yes" if text.lower() in FLAGGED else text)


def _read_numbers(table: pl.DataFrame, variables: Sequence[str | None], variable: Ints) -> tuple[Floats, Floats]:
    """Return value and limit of each row in canonical units; what was not detected is 0."""
    number = _read_floats(table, "value")
    factor = np.ones(len(table))
    if "unit" in table.columns:
        units, unit = _translate(table, "unit")
        known = [[_find_factor(name, written) for written in units] for name in variables]
        factor = np.array(known, dtype=float).reshape(len(variables), len(units))[variable, unit]
    number = number * factor
    limit = np.full(len(table), nan)
    if "censored" in table.columns:
        is_left = _read_texts(table, "censored", ("left",)) & ~np.isnan(factor)
        lloq = _read_floats(table, "lloq") * factor
        limit = np.where(is_left, np.where(np.isnan(lloq), number, lloq), nan)
        number = np.where(is_left, 0.0, np.where(_read_texts(table, "censored", ("interval",)), nan, number))
    return number, limit


def _find_factor(name: str | None, unit: str | None) -> float:
    base = (name or "").partition(":")[0]
    factor = 1.0 if base.startswith(OTHER) else find_factor(base, unit)
    return nan if factor is None else factor


def _read_floats(table: pl.DataFrame, name: str) -> Floats:
    if name not in table.columns:
        return np.full(len(table), nan)
    return table[name].cast(pl.Float64).fill_null(nan).to_numpy()


def _read_texts(table: pl.DataFrame, name: str, texts: Sequence[str]) -> Bools:
    if name not in table.columns:
        return np.zeros(len(table), dtype=bool)
    return table[name].is_in(texts).fill_null(value=False).to_numpy()


@dataclass(frozen=True, slots=True)
class _Arranging:
    """From sorted rows to the arrays of a panel."""

    rows: _Rows
    is_flag: Bools
    names: Sequence[str]
    subjects: tuple[str, ...]
    window_days: float

    def arrange(self, assays: tuple[str, ...]) -> Panel:
        """Give each row its visit, and each variable its arrays."""
        visit, day = self._number_visits()
        if self.window_days > 0:
            visit, day = self._join_visits(visit, day)
        place = visit * len(self.subjects) + self.rows.subject
        columns, conflicts = {}, []
        for code, name in enumerate(self.names):
            own = np.flatnonzero((self.rows.variable == code) & (visit >= 0))
            chosen, doubled = self._choose(own, place[own], name, day.size)
            conflicts += self._list_conflicts(doubled, name)
            columns[name] = self._fill(chosen, place[chosen], day)
        return Panel(self.subjects, day, columns, assays, tuple(conflicts))

    def _number_visits(self) -> tuple[Ints, Floats]:
        """Return the visit of each row among its subject's, and the days of the visits; flags make none."""
        subject, day = self.rows.subject, self.rows.day
        main = np.flatnonzero(~self.is_flag)
        own_subject, own_day = subject[main], day[main]
        is_first = np.ones(len(main), dtype=bool)
        is_first[1:] = (own_subject[1:] != own_subject[:-1]) | (own_day[1:] != own_day[:-1])
        starts = np.flatnonzero(is_first)
        counts = np.bincount(own_subject[starts], minlength=len(self.subjects))
        offset = np.concatenate([[0], np.cumsum(counts)])
        days = np.full((max(counts.max(initial=0), 1), len(self.subjects)), nan)
        number = np.cumsum(is_first) - 1
        own_visit = number - offset[own_subject]
        days[own_visit[starts], own_subject[starts]] = own_day[starts]
        visit = np.full(len(subject), NOTHING)
        visit[main] = own_visit
        for row in np.flatnonzero(self.is_flag):
            same = np.flatnonzero(days[:, subject[row]] == day[row])
            visit[row] = same[0] if len(same) else NOTHING
        return visit, days

    def _join_visits(self, visit: Ints, day: Floats) -> tuple[Ints, Floats]:
        """Make one visit of days close together, unless that joins two results of one thing, or crosses day 0."""
        has = np.zeros((len(self.names), *day.shape), dtype=bool)
        inside = np.flatnonzero(visit >= 0)
        has[self.rows.variable[inside], visit[inside], self.rows.subject[inside]] = True
        group, joined = np.zeros(day.shape, dtype=np.int64), np.full(day.shape, nan)
        last, here = np.full(day.shape[1], NOTHING), np.arange(day.shape[1])
        held = np.zeros((len(self.names), day.shape[1]), dtype=bool)
        for index in range(len(day)):
            before = np.where(last >= 0, joined[last, here], nan)
            is_near = (day[index] - before <= self.window_days) & ((before > 0) | (day[index] <= 0))
            is_joined = is_near & ~(held & has[:, index]).any(axis=0)
            is_new = ~is_joined & ~np.isnan(day[index])
            last = last + is_new
            joined[last[is_new], here[is_new]] = day[index][is_new]
            held = np.where(is_new, has[:, index], held | has[:, index])
            group[index] = last
        moved = np.where(visit >= 0, group[visit, self.rows.subject], NOTHING)
        return moved, joined[: max(int(last.max(initial=0)) + 1, 1)]

    def _choose(self, own: Ints, place: Ints, name: str, size: int) -> tuple[Ints, Ints]:
        """Return one row for each visit, and the rows of visits that have several."""
        first = np.full(size, NOTHING)
        first[place] = np.arange(len(place))
        if np.array_equal(first[place], np.arange(len(place))):
            return own, own[:0]
        rows = self.rows
        sign = -1.0 if name in LOW_IS_WORSE else 1.0
        bad = np.where(rows.code[own] >= 0, -rows.code[own].astype(float), sign * rows.value[own])
        bad = np.where(np.isnan(bad), -np.inf, bad)
        limit = np.nan_to_num(rows.limit[own], nan=-1.0)
        order = np.lexsort((-rows.row[own], limit, bad, rows.rank[own], place))
        is_last = np.append(place[order][1:] != place[order][:-1], True)
        is_doubled = np.bincount(place, minlength=size)[place] > 1
        return own[order[is_last]], own[is_doubled]

    def _list_conflicts(self, doubled: Ints, name: str) -> list[Conflict]:
        """Name the rows of one day that say different things, neither of them by a better assay."""
        rows, found = self.rows, []
        groups: dict[tuple[int, float], list[int]] = {}
        for index in doubled:
            groups.setdefault((int(rows.subject[index]), float(rows.day[index])), []).append(int(index))
        for (subject, day), members in groups.items():
            best = max(rows.rank[member] for member in members)
            equals = [member for member in members if rows.rank[member] == best]
            said = {self._say(member): member for member in equals}
            if len(said) > 1 and not name.startswith(OTHER):
                listed = tuple(sorted(int(rows.row[member]) for member in equals))
                found.append(Conflict(subject, day, name, listed, tuple(sorted(said))))
        return found

    def _say(self, index: int) -> str:
        code, value = int(self.rows.code[index]), float(self.rows.value[index])
        if code >= 0:
            return WORDS[code] if code != UNREAD else "not readable"
        return "not known" if np.isnan(value) else f"{value:.10g}"

    def _fill(self, chosen: Ints, place: Ints, day: Floats) -> Column:
        """Return the arrays of one variable; those that hold nothing take no memory."""
        rows, shape = self.rows, day.shape

        def put(values: NDArray[Any], nothing: float, dtype: type[Any]) -> NDArray[Any]:
            array = np.full(shape, nothing, dtype=dtype)
            array.reshape(-1)[place] = values
            return array

        def spread(nothing: float, dtype: type[Any]) -> NDArray[Any]:
            return np.broadcast_to(dtype(nothing), shape)

        code, limit, assay = rows.code[chosen], rows.limit[chosen], rows.assay[chosen]
        return Column(
            put(rows.value[chosen], nan, np.float64),
            put(code, NOTHING, np.int8) if (code >= 0).any() else spread(NOTHING, np.int8),
            (put(rows.row[chosen], NOTHING, np.int64),),
            put(limit, nan, np.float64) if not np.isnan(limit).all() else spread(nan, np.float64),
            put(assay, NOTHING, np.int64) if (assay >= 0).any() else spread(NOTHING, np.int64),
            put(rows.day[chosen], nan, np.float64) if self.window_days > 0 else day,
        )
