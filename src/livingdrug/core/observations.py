"""Observations from text: every value in its variable's canonical unit, every doubt a fault."""

import polars as pl

from livingdrug.core.response_words import list_code_variables, spell_response
from livingdrug.core.sheet import (
    COLUMNS,
    LINE,
    Row,
    Sheet,
    check_days,
    check_duplicates,
    check_present,
    check_range,
    check_subjects,
    check_words,
    read_numbers,
    suggest,
)
from livingdrug.core.variable import Variable
from livingdrug.core.variables import CENSORING, OTHER, VARIABLES, compute_variable_conversion

_WORDS = [v.name for v in VARIABLES.values() if v.words]
_CAR_T = ("car_transgene", "car_t_cells")
NORMAL_LIMITS = ("lower_limit_of_normal", "upper_limit_of_normal")
"""Optional columns: the laboratory's limits of normal, written in the unit of the row."""
_SAME_SIZE = 2.0
"""Numbers within this factor of each other go on in one series."""
_SAME_DIGITS = 12
"""Numbers that agree so far, in the canonical unit, say the same."""
_IS_WORD = pl.col("_base").is_in(_WORDS)
_IS_OTHER = pl.col("_base").str.starts_with(OTHER)
_IS_NUMBER = pl.col("_base").is_in([name for name in VARIABLES if name not in _WORDS])


def decode_observations(
    sheet: Sheet, known: pl.Series | None, deaths: pl.DataFrame, *, keep_conflicts: bool = False
) -> pl.DataFrame:
    """Turn the rows of observations.csv into typed ones; faults are left with the sheet.

    Parameters
    ----------
    sheet : Sheet
    known : (subject,) text or None
        Subjects of the record; None if not all are known.
    deaths : table
        ``subject_id, _death`` [day].
    keep_conflicts : bool
        Note contradictory rows with the sheet instead of refusing them.
    """
    check_subjects(sheet, known)
    check_present(sheet, "day", "variable")
    sheet = sheet.derive(
        _base=pl.col("variable").str.split(":").list.first(), censored=pl.col("censored").fill_null("none")
    )
    _check_variables(sheet)
    check_words(sheet, "censored", CENSORING)
    sheet = read_numbers(sheet, "day")
    check_days(sheet)
    sheet = _read_values(sheet)
    sheet = _read_normal_limits(_convert(sheet))
    _check_unit_change(sheet)
    _check_ranges(sheet)
    _check_limits(sheet)
    _check_times(sheet, deaths)
    keys = ("subject_id", "_day", "variable", "assay", *(["reader"] if "reader" in sheet.rows.columns else []))
    rounded = pl.col("_canonical").round_sig_figs(_SAME_DIGITS)
    limit = pl.when(pl.col("censored") != "none").then(pl.col("_limit").round_sig_figs(_SAME_DIGITS))
    said = pl.when(_IS_NUMBER).then(None).otherwise(pl.coalesce("_text", "value"))
    sheet = sheet.derive(_rounded=rounded, _said=said, _rounded_limit=limit)
    check_duplicates(
        sheet, "day", keys, ("_rounded", "_said", "_rounded_limit", "censored"), keep_conflicts=keep_conflicts
    )
    return _select(sheet)


def _select(sheet: Sheet) -> pl.DataFrame:
    canonical = pl.col("_base").replace_strict({v.name: v.unit or None for v in VARIABLES.values()}, default=None)
    typed = sheet.rows.with_columns(
        day=pl.col("_day"),
        value=pl.col("_canonical"),
        lloq=pl.col("_limit"),
        unit=pl.when(_IS_OTHER).then("unit").otherwise(canonical),
        text=pl.col("_text"),
    )
    typed = typed.with_columns(pl.col(f"_{c}").alias(c) for c in NORMAL_LIMITS if c in typed.columns)
    rest = [c for c in sheet.rows.columns if c not in COLUMNS["observations"] and not c.startswith("_")]
    return typed.select(*COLUMNS["observations"], "text", *rest)


def _check_variables(sheet: Sheet) -> None:
    unknown = ~(_IS_WORD | _IS_NUMBER | _IS_OTHER)
    otherwise = f"see the list of variables; a name that begins with {OTHER} is kept and not used"
    sheet.report(
        unknown, "variable", "must be a known variable", lambda row: suggest(row["_base"], VARIABLES, otherwise)
    )
    plain = pl.col("_base").is_in([v.name for v in VARIABLES.values() if not v.has_detail])
    rule = "must name nothing after a colon, unless it is about an antigen"
    sheet.report(plain & (pl.col("variable") != pl.col("_base")), "variable", rule, "write the detail into assay")


def _read_values(sheet: Sheet) -> Sheet:
    """Read values as numbers or as words, whichever the variable has."""
    is_empty = pl.col("value").is_null() & (pl.col("censored") != "left")
    sheet.report(is_empty, "value", "must be filled", "fill it; a value that was not measured has no row")
    sheet = sheet.derive(_text=pl.when(_IS_WORD).then(_spell_words(sheet)))
    for variable in VARIABLES.values():
        if variable.words:
            words = f"one of {', '.join(variable.words)}"
            wrong = (pl.col("_base") == variable.name) & ~pl.col("_text").is_in(variable.words)
            sheet.report(wrong, "value", f"must be a word for {variable.name}", words)
    for column in ("unit", "lloq"):
        surplus = _IS_WORD & pl.col(column).is_not_null() & ~pl.col(column).is_in(["1", "-"])
        sheet.report(surplus, column, "must be empty where the value is a word", "remove it, or correct the variable")
    sheet = read_numbers(read_numbers(sheet, "value", _IS_NUMBER), "lloq", ~_IS_WORD)
    other = pl.when(_IS_OTHER).then("value")
    number = other.cast(pl.Float64, strict=False)
    sheet = sheet.derive(_value=pl.coalesce("_value", pl.when(number.is_finite()).then(number)))
    return sheet.derive(_text=pl.when(_IS_OTHER & pl.col("_value").is_null()).then("value").otherwise("_text"))


def _spell_words(sheet: Sheet) -> pl.Expr:
    """Return words in small letters, and responses by their codes."""
    is_code = pl.col("_base").is_in(list_code_variables())
    texts = sheet.rows.filter(is_code)["value"].drop_nulls().unique().to_list()
    code = pl.col("value").replace({text: spell_response(text) for text in texts})
    return pl.when(is_code).then(code).otherwise(pl.col("value").str.to_lowercase())


def _convert(sheet: Sheet) -> Sheet:
    """Derive factor, value and limit in the canonical unit; a unit that does not fit is a fault."""
    pairs = sheet.rows.filter(_IS_NUMBER).select("_base", "unit").unique(maintain_order=True).rows()
    found = [(*pair, *(compute_variable_conversion(pair[0], pair[1] or "") or (None, None))) for pair in pairs]
    schema = {"_base": pl.String, "unit": pl.String, "_factor": pl.Float64, "_offset": pl.Float64}
    table = pl.DataFrame(found, schema=schema, orient="row")
    joined = sheet.rows.join(table, on=["_base", "unit"], how="left", maintain_order="left", nulls_equal=True)
    kept = pl.when(_IS_OTHER).then(1.0).otherwise("_factor"), pl.when(_IS_OTHER).then(0.0).otherwise("_offset")
    sheet = sheet.derive(_factor=joined["_factor"], _offset=joined["_offset"]).derive(_factor=kept[0], _offset=kept[1])

    def rule(row: Row) -> str:
        unit = VARIABLES[row["_base"]].unit
        return f"must be given for {row['_base']}" if row["unit"] is None else f"must convert to {unit}"

    def hint(row: Row) -> str:
        return f"write the unit of the number, for example {VARIABLES[row['_base']].unit}; it is never guessed"

    sheet.report(_IS_NUMBER & pl.col("_factor").is_null(), "unit", rule, hint)
    return sheet.derive(
        _canonical=pl.col("_value") * pl.col("_factor") + pl.col("_offset"),
        _limit=pl.col("_lloq") * pl.col("_factor") + pl.col("_offset"),
    )


def _read_normal_limits(sheet: Sheet) -> Sheet:
    """Derive the limits of normal in canonical units, where the record has these columns."""
    present = [column for column in NORMAL_LIMITS if column in sheet.rows.columns]
    for column in present:
        sheet.report(_IS_WORD & pl.col(column).is_not_null(), column, "must be empty for a word", "remove it")
        sheet = read_numbers(sheet, column)
        number = pl.col(f"_{column}")
        sheet = sheet.derive(**{f"_{column}": number * pl.col("_factor") + pl.col("_offset")})
    if len(present) == len(NORMAL_LIMITS):
        lower, upper = (pl.col(f"_{column}") for column in NORMAL_LIMITS)
        rule, hint = f"must not be above {NORMAL_LIMITS[1]}", "check both limits; both are in the unit of the row"
        sheet.report(lower > upper, NORMAL_LIMITS[0], rule, hint)
    return sheet


def _check_unit_change(sheet: Sheet) -> None:
    """Find a series whose numbers go on while its unit changes: one of them was probably not converted."""
    keys = ["subject_id", "variable"]
    series = sheet.rows.filter((pl.col("_value") > 0) & _IS_NUMBER & pl.col("_factor").is_not_null())
    series = series.sort("_day", LINE)
    before = [pl.col(c).shift(1).over(keys).name.suffix("_before") for c in ("_value", "_factor", "unit", LINE)]
    is_changed = (pl.col("_factor") / pl.col("_factor_before")).log().abs() > pl.lit(_SAME_SIZE).log()
    goes_on = (pl.col("_value") / pl.col("_value_before")).log().abs() < pl.lit(_SAME_SIZE).log()
    sheet.report_rows(
        series.with_columns(before).filter(is_changed & goes_on),
        "unit",
        lambda row: f"the numbers of {row['variable']} must change when their unit does",
        "correct the unit of one of the two rows; if both are right, write both in one unit",
        lambda row: (
            f"{row['_value']:g} {row['unit']} after {row['_value_before']:g} {row['unit_before']}"
            f" ({sheet.cite(row[f'{LINE}_before'])})"
        ),
    )


def _check_ranges(sheet: Sheet) -> None:
    limits = pl.DataFrame(
        [(v.name, v.lower, v.upper) for v in VARIABLES.values()], ["_base", "lower", "upper"], orient="row"
    )
    rows = sheet.rows.join(limits, on="_base", how="left", maintain_order="left")
    number, slack = pl.col("_canonical"), 1e-9

    def rule(row: Row) -> str:
        known: Variable = VARIABLES[row["_base"]]
        upper = "" if known.upper == float("inf") else f" and at most {known.upper:g}"
        return f"{known.name} must be at least {known.lower:g}{upper} {known.unit}"

    out = (number < pl.col("lower") * (1 - slack)) | (number > pl.col("upper") * (1 + slack))
    hint = "check the number and its unit"
    sheet.report_rows(rows.filter(out), "value", rule, hint)
    whole = pl.col("_base").is_in([v.name for v in VARIABLES.values() if v.is_whole]) & (number != number.round())
    sheet.report(whole, "value", "must be a whole number", hint)
    check_range(sheet.derive(_lloq=pl.when(_IS_NUMBER).then("_limit").otherwise("_lloq")), "lloq", 0.0)


def _check_limits(sheet: Sheet) -> None:
    censored, value, limit = pl.col("censored"), pl.col("_canonical"), pl.col("_limit")
    needs = censored.is_in(["left", "interval"]) & pl.col("lloq").is_null()
    hint = "write the assay's lower limit of quantification into lloq, in the unit of the row"
    sheet.report(needs, "lloq", "must be given for a value that is not exact", hint)
    above = "must not be above lloq when censored is 'left'"
    sheet.report((censored == "left") & (value > limit), "value", above, "check value, lloq and censored")
    below = "must not be below lloq unless censored is 'left'"
    is_below = (censored != "left") & (value < limit) & (value > 0) & (pl.col("_base") != "mrd")
    sheet.report(is_below, "value", below, "write 'left' into censored")
    sheet.report(_IS_WORD & (censored != "none"), "censored", "must be 'none' for a word", "remove it")


def _check_times(sheet: Sheet, deaths: pl.DataFrame) -> None:
    is_car = pl.col("_base").is_in(_CAR_T) & (pl.col("_day") < 0) & (pl.col("_canonical") > 0)
    hint = "day 0 is the infusion: correct the day; below the limit: 'left' in censored"
    rule = "must not be before the infusion for CAR T cells"
    sheet.report(is_car & (pl.col("censored") != "left"), "day", rule, hint)
    rows = sheet.rows.join(deaths, on="subject_id", how="left", maintain_order="left")
    check_before_death(sheet, rows)


def check_before_death(sheet: Sheet, rows: pl.DataFrame) -> None:
    """Find rows after the day on which the subject died; ``rows`` have it as ``_death``."""
    sheet.report_rows(
        rows.filter(pl.col("_day") > pl.col("_death")),
        "day",
        lambda row: f"must not be after death on day {row['_death']:g}",
        "correct the day, or the day of death in events.csv",
    )
