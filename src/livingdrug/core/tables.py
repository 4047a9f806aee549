"""The record: three tidy tables, and the checker that turns text into them or says what is wrong.

Tables come in as text, one row a line of a file, and go out typed and in canonical units. Every fault is
collected with its file, row (the line an editor shows), column, rule and fix. Nothing is guessed:
what cannot be read is a fault, what is empty is unknown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from livingdrug.core.errors import Fault
from livingdrug.core.patient import Disease, Product
from livingdrug.core.units import compute_factor, parse_unit
from livingdrug.core.variables import (
    AFTER_INFUSION,
    CENSORING,
    EVENT_TYPES,
    IN_CELLS,
    VARIABLES,
    compute_conversion,
)

SUBJECT_COLUMNS = ("subject_id", "disease", "product", "age_years", "sex", "weight_kg", "source")
EVENT_COLUMNS = ("subject_id", "day", "type", "amount", "unit", "duration_days", "note")
OBSERVATION_COLUMNS = ("subject_id", "day", "variable", "value", "unit", "assay", "lloq", "censored", "source")
REQUIRED = {
    "subjects": ("subject_id", "disease", "product"),
    "events": ("subject_id", "day", "type"),
    "observations": ("subject_id", "day", "variable", "value", "unit"),
}
COLUMNS = {"subjects": SUBJECT_COLUMNS, "events": EVENT_COLUMNS, "observations": OBSERVATION_COLUMNS}
SEXES = ("female", "male", "other", "unknown")
LINE = "_line"
_SAME_SIZE = 3.0
"""Numbers within this factor of each other continue one series."""


@dataclass(frozen=True, slots=True)
class Record:
    """One subject or ten thousand, as three tables.

    Parameters
    ----------
    subjects : table
        ``subject_id, disease, product, age_years, sex, weight_kg, source`` and covariates.
    events : table
        ``subject_id, day, type, amount, unit, duration_days, note``; cells where cells are given.
    observations : table
        ``subject_id, day, variable, value, unit, assay, lloq, censored, source, text``; values and limits in
        canonical units; a variable that is a word has it in ``text``.
    source : str
        Where the record comes from.
    """

    subjects: pl.DataFrame
    events: pl.DataFrame
    observations: pl.DataFrame
    source: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table being checked: text columns, and where it comes from."""

    name: str
    rows: pl.DataFrame

    def faults(self, where: pl.Series | pl.Expr, column: str, rule: str, hint: str) -> Iterator[Fault]:
        """Yield a fault for each row of a mask."""
        for line, was in self.rows.filter(where).select(LINE, column).iter_rows():
            yield Fault(f"{self.name}.csv, row {line}, column {column}", rule, _show(was), hint)


def _show(was: str | None) -> str:
    if was is None:
        return "empty"
    return repr(was) if len(was) <= 60 else f"{was[:57]!r}..."


def decode_record(texts: Mapping[str, pl.DataFrame], source: str = "") -> tuple[Record, list[Fault]]:
    """Turn three tables of text into a record.

    Parameters
    ----------
    texts : mapping of ``subjects``, ``events``, ``observations`` to tables
        Text columns and the column ``_line``, the line of the file.
    source : str

    Returns
    -------
    record : Record
        To be used only if there are no faults.
    faults : list of Fault
    """
    tables = {name: _Table(name, _complete(name, rows)) for name, rows in texts.items()}
    faults: list[Fault] = []
    subjects = _decode_subjects(tables["subjects"], faults)
    known = subjects["subject_id"].drop_nulls()
    events = _decode_events(tables["events"], known, faults)
    observations = _decode_observations(tables["observations"], known, faults)
    return Record(subjects, events, observations, source), faults


def _complete(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Strip the text, turn empty into null, and add optional columns that are missing."""
    text = [pl.col(c).str.strip_chars().replace("", None) for c in rows.columns if c != LINE]
    added = [pl.lit(None, dtype=pl.String).alias(c) for c in COLUMNS[name] if c not in rows.columns]
    return rows.with_columns(text).with_columns(added)


def _read_numbers(table: _Table, column: str, faults: list[Fault]) -> pl.Series:
    """Return a column as numbers; what is not a number is a fault, what is empty is null."""
    text = table.rows[column]
    numbers = text.cast(pl.Float64, strict=False)
    is_bad = text.is_not_null() & (numbers.is_null() | ~numbers.is_finite()).fill_null(value=True)
    if is_bad.any():
        is_comma = text.str.contains(r"^[+-]?\d+,\d+$").fill_null(value=False)
        is_date = text.str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}").fill_null(value=False)
        is_limit = text.str.contains(r"^[<>]").fill_null(value=False)
        rule = "must be a finite number"
        faults.extend(table.faults(is_bad & is_comma, column, rule, "write a decimal point, not a comma"))
        faults.extend(table.faults(is_bad & is_date, column, rule, "count days from infusion (day 0), not dates"))
        hint = "put the limit into lloq and 'left' (below) or 'right' (above) into censored"
        faults.extend(table.faults(is_bad & is_limit, column, rule, hint))
        rest = is_bad & ~is_comma & ~is_date & ~is_limit
        faults.extend(table.faults(rest, column, rule, "correct it, or leave it empty if it is not known"))
    return numbers.set(is_bad, None)


def _check_present(table: _Table, column: str, faults: list[Fault]) -> None:
    faults.extend(table.faults(pl.col(column).is_null(), column, "must be filled", "fill it, or remove the row"))


def _check_words(table: _Table, column: str, words: tuple[str, ...], faults: list[Fault]) -> None:
    unknown = table.rows.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(words))[column].unique()
    for word in unknown.to_list():
        near = get_close_matches(word.lower(), words, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(words)}"
        faults.extend(table.faults(pl.col(column) == word, column, "must be a known word", hint))


def _check_subject(table: _Table, known: pl.Series, faults: list[Fault]) -> None:
    _check_present(table, "subject_id", faults)
    stranger = pl.col("subject_id").is_not_null() & ~pl.col("subject_id").is_in(known.implode())
    hint = "add the subject to subjects.csv or correct the name"
    faults.extend(table.faults(stranger, "subject_id", "must be a subject of subjects.csv", hint))


def _check_range(
    table: _Table, column: str, numbers: pl.Series, limits: tuple[float, float], faults: list[Fault]
) -> None:
    is_out = ((numbers < limits[0]) | (numbers > limits[1])).fill_null(value=False)
    upper = "" if limits[1] == float("inf") else f" and at most {limits[1]:g}"
    rule = f"must be at least {limits[0]:g}{upper}"
    faults.extend(table.faults(is_out, column, rule, "check the number and its unit"))


def _check_duplicates(table: _Table, columns: list[str], faults: list[Fault]) -> None:
    rows = table.rows.with_columns(
        pl.col(LINE).first().over(columns).alias("_first"),
        pl.all_horizontal(pl.col(columns[:2]).is_not_null()).alias("_ok"),
    )
    again = rows.filter((pl.col(LINE) != pl.col("_first")) & pl.col("_ok"))
    for line, first in again.select(LINE, "_first").iter_rows():
        where = f"{table.name}.csv, row {line}, column {columns[0]}"
        rule = f"{', '.join(columns)} must stand once"
        faults.append(Fault(where, rule, f"a repetition of row {first}", "remove one, or tell them apart"))


def _decode_subjects(table: _Table, faults: list[Fault]) -> pl.DataFrame:
    for column in REQUIRED["subjects"]:
        _check_present(table, column, faults)
    _check_words(table, "disease", tuple(Disease), faults)
    _check_words(table, "product", tuple(Product), faults)
    _check_words(table, "sex", SEXES, faults)
    _check_duplicates(table, ["subject_id"], faults)
    numbers = {name: _read_numbers(table, name, faults) for name in ("age_years", "weight_kg")}
    _check_range(table, "age_years", numbers["age_years"], (0.0, 120.0), faults)
    _check_range(table, "weight_kg", numbers["weight_kg"], (1.0, 500.0), faults)
    rest = [c for c in table.rows.columns if c not in SUBJECT_COLUMNS and c != LINE]
    frame = table.rows.with_columns(numbers["age_years"], numbers["weight_kg"])
    for column in rest:  # a covariate is a column of numbers if every value is one
        as_number = frame[column].cast(pl.Float64, strict=False)
        if as_number.null_count() == frame[column].null_count():
            frame = frame.with_columns(as_number)
    return frame.select(*SUBJECT_COLUMNS, *rest)


def _decode_events(table: _Table, known: pl.Series, faults: list[Fault]) -> pl.DataFrame:
    _check_subject(table, known, faults)
    for column in ("day", "type"):
        _check_present(table, column, faults)
    _check_words(table, "type", tuple(EVENT_TYPES), faults)
    day, amount, duration = (_read_numbers(table, c, faults) for c in ("day", "amount", "duration_days"))
    _check_range(table, "amount", amount, (0.0, float("inf")), faults)
    _check_range(table, "duration_days", duration, (0.0, float("inf")), faults)
    kind = table.rows["type"]
    is_early = (kind.is_in(AFTER_INFUSION) & (day < 0)).fill_null(value=False)
    faults.extend(
        table.faults(
            is_early, "day", "must be day 0 or later for this type", "what came before is bridging or prior_therapy"
        )
    )
    is_moved = ((kind == "car_t") & (day != 0)).fill_null(value=False)
    faults.extend(
        table.faults(
            is_moved, "day", "must be 0 for car_t: day 0 is the infusion", "shift the days, or use second_infusion"
        )
    )
    _check_duplicates(table, ["subject_id", "day", "type", "amount", "note"], faults)
    factors = _convert_amounts(table, amount, faults)
    rest = [c for c in table.rows.columns if c not in EVENT_COLUMNS and c != LINE]
    unit = (
        pl.when(pl.col("type").is_in(IN_CELLS) & pl.col("amount").is_not_null()).then(pl.lit("cells")).otherwise("unit")
    )
    frame = table.rows.with_columns(day, (amount * factors).alias("amount"), duration).with_columns(unit.alias("unit"))
    return frame.select(*EVENT_COLUMNS, *rest)


def _convert_amounts(table: _Table, amount: pl.Series, faults: list[Fault]) -> pl.Series:
    """Return the factor of each amount: to cells where cells are given, else 1."""
    has = amount.is_not_null()
    faults.extend(
        table.faults(has & table.rows["unit"].is_null(), "unit", "must be given with an amount", "write the unit")
    )
    factors = {}
    for kind, unit in (
        table.rows.filter(has & table.rows["unit"].is_not_null()).select("type", "unit").unique().iter_rows()
    ):
        factor = compute_factor(unit, "cells") if kind in IN_CELLS else (1.0 if parse_unit(unit) else None)
        factors[kind, unit] = factor
        if factor is None:
            rule = "must convert to cells" if kind in IN_CELLS else "must be a known unit"
            hint = "write a UCUM unit; multiply cells/kg by the weight"
            mask = has & (table.rows["type"] == kind) & (table.rows["unit"] == unit)
            faults.extend(table.faults(mask, "unit", rule, hint))
    pairs = zip(table.rows["type"], table.rows["unit"], strict=True)
    return pl.Series("factor", [factors.get(pair) or 1.0 for pair in pairs], dtype=pl.Float64)


def _decode_observations(table: _Table, known: pl.Series, faults: list[Fault]) -> pl.DataFrame:
    _check_subject(table, known, faults)
    for column in ("day", "variable"):
        _check_present(table, column, faults)
    base = table.rows["variable"].str.split(":").list.first().alias("_base")
    table = _Table(table.name, table.rows.with_columns(base, pl.col("censored").fill_null("none")))
    _check_variables(table, faults)
    _check_words(table, "censored", CENSORING, faults)
    day = _read_numbers(table, "day", faults)
    is_word = base.is_in([v.name for v in VARIABLES.values() if v.words])
    text = pl.select(pl.when(is_word).then(table.rows["value"].str.to_lowercase())).to_series().alias("text")
    _check_value_words(_Table(table.name, table.rows.with_columns(text)), faults)
    numeric = _Table(table.name, table.rows.with_columns(pl.when(~is_word).then("value").alias("value")))
    value, lloq = _read_numbers(numeric, "value", faults), _read_numbers(numeric, "lloq", faults)
    factor, offset = _find_conversions(numeric, is_word.fill_null(value=False), faults)
    _check_unit_change(numeric, day, value, factor, faults)
    converted = (value * factor + offset).alias("value")
    limit = (lloq * factor + offset).alias("lloq")
    _check_limits(numeric, converted, limit, faults)
    _check_values(numeric, day, converted, faults)
    _check_duplicates(table, ["subject_id", "day", "variable", "assay"], faults)
    canonical = base.replace_strict({v.name: v.unit for v in VARIABLES.values()}, default=None).alias("unit")
    rest = [c for c in table.rows.columns if c not in OBSERVATION_COLUMNS and c not in {LINE, "_base"}]
    frame = table.rows.with_columns(day, converted, limit, canonical, text)
    return frame.select(*OBSERVATION_COLUMNS, "text", *(c for c in rest if c != "text"))


def _check_variables(table: _Table, faults: list[Fault]) -> None:
    for name in table.rows["_base"].drop_nulls().unique().to_list():
        if name not in VARIABLES:
            near = get_close_matches(name, VARIABLES, 1)
            hint = f"did you mean {near[0]!r}?" if near else "see the list of variables in the documentation"
            faults.extend(table.faults(pl.col("_base") == name, "variable", "must be a known variable", hint))


def _check_value_words(table: _Table, faults: list[Fault]) -> None:
    for variable in VARIABLES.values():
        if variable.words:
            wrong = (pl.col("_base") == variable.name) & ~pl.col("text").is_in(variable.words).fill_null(value=False)
            rule = f"must be a word for {variable.name}"
            faults.extend(table.faults(wrong, "value", rule, f"one of {', '.join(variable.words)}"))


def _find_conversions(table: _Table, is_word: pl.Series, faults: list[Fault]) -> tuple[pl.Series, pl.Series]:
    """Return factor and offset of each row to the canonical unit."""
    rows = table.rows
    needs = ~is_word & rows["_base"].is_in(list(VARIABLES)).fill_null(value=False)
    found: dict[tuple[str, str | None], tuple[float, float]] = {}
    for base, unit in rows.filter(needs).select("_base", "unit").unique().iter_rows():
        conversion = None if unit is None else compute_conversion(base, unit)
        if conversion is None:
            mask = needs & (rows["_base"] == base) & (rows["unit"].eq_missing(pl.Series([unit], dtype=pl.String)))
            canonical = VARIABLES[base].unit
            rule = f"must be given: {base} has a unit" if unit is None else f"must convert to {canonical} for {base}"
            hint = f"write the unit, for example {canonical}; it is never guessed"
            faults.extend(table.faults(mask, "unit", rule, hint))
        else:
            found[base, unit] = conversion
    pairs = pl.DataFrame(
        [(base, unit, *conversion) for (base, unit), conversion in found.items()],
        schema={"_base": pl.String, "unit": pl.String, "factor": pl.Float64, "offset": pl.Float64},
        orient="row",
    )
    joined = rows.select("_base", "unit").join(pairs, on=["_base", "unit"], how="left", maintain_order="left")
    return joined["factor"], joined["offset"]


def _check_unit_change(table: _Table, day: pl.Series, value: pl.Series, factor: pl.Series, faults: list[Fault]) -> None:
    """Report a series whose numbers go on while its unit changes ten-fold: it was probably not converted."""
    keys = ["subject_id", "variable"]
    series = table.rows.select(LINE, *keys, "unit").with_columns(day, value, factor.alias("_factor"))
    series = series.filter((pl.col("value") > 0) & pl.col("_factor").is_not_null()).sort("day", maintain_order=True)
    before = [pl.col(c).shift(1).over(keys).alias(f"{c}_before") for c in ("value", "_factor", "unit", LINE)]
    pairs = series.with_columns(before).filter(pl.col("_factor_before").is_not_null())
    changed = (pl.col("_factor") / pl.col("_factor_before")).log().abs() > 1.0
    goes_on = (pl.col("value") / pl.col("value_before")).log().abs() < pl.lit(_SAME_SIZE).log()
    for row in pairs.filter(changed & goes_on).iter_rows(named=True):
        where = f"{table.name}.csv, row {row[LINE]}, column unit"
        rule = f"the numbers of {row['variable']} must change when their unit does"
        before_it = f"{row['value_before']:g} {row['unit_before']} (row {row[f'{LINE}_before']})"
        was = f"{row['value']:g} {row['unit']} after {before_it}"
        faults.append(Fault(where, rule, was, "correct the unit of one of the two rows, or convert the number"))


def _check_limits(table: _Table, value: pl.Series, lloq: pl.Series, faults: list[Fault]) -> None:
    censored = table.rows["censored"]
    is_left = censored == "left"
    hint = "write the assay's lower limit of quantification into lloq"
    faults.extend(table.faults(is_left & lloq.is_null(), "lloq", "must be given for a value below it", hint))
    above = (is_left & (value > lloq)).fill_null(value=False)
    rule = "must not be above lloq when censored is 'left'"
    faults.extend(table.faults(above, "value", rule, "check value, lloq and censored"))
    below = ((censored == "none") & (value < lloq) & (value > 0)).fill_null(value=False)
    below &= table.rows["_base"] != "mrd"
    faults.extend(
        table.faults(below, "value", "must not be below lloq unless censored is 'left'", "write 'left' into censored")
    )
    _check_range(table, "lloq", lloq, (0.0, float("inf")), faults)


def _check_values(table: _Table, day: pl.Series, value: pl.Series, faults: list[Fault]) -> None:
    rows = table.rows
    is_word = rows["_base"].is_in([v.name for v in VARIABLES.values() if v.words]).fill_null(value=False)
    is_empty = rows["value"].is_null() & (rows["censored"] != "left") & ~is_word
    hint = "fill it; a value that was not measured has no row"
    faults.extend(table.faults(is_empty, "value", "must be filled", hint))
    for name, variable in VARIABLES.items():
        mine = pl.select(pl.when(rows["_base"] == name).then(value)).to_series()
        if mine.null_count() < len(mine):
            _check_range(table, "value", mine, (variable.lower, variable.upper), faults)
    is_car = rows["_base"].is_in(["car_transgene", "car_t_cells"])
    is_early = (is_car & (day < 0) & (value > 0)).fill_null(value=False)
    hint = "day 0 is the infusion: correct the day, or set the value to 0"
    faults.extend(table.faults(is_early, "day", "CAR T cells must not be there before the infusion", hint))
