"""The record: three tidy tables, and the checker that turns text into them or says what is wrong.

Tables come in as text, one row a line of a file, and go out typed and in canonical units. Every fault is
collected with its file, row (the line an editor shows), column, rule and fix. Nothing is guessed:
what cannot be read is a fault, what is empty is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.observations import check_before_death, decode_observations
from livingdrug.core.patient import Disease, Product
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
)
from livingdrug.core.units import compute_factor, parse_unit
from livingdrug.core.variables import AFTER_INFUSION, EVENT_TYPES, EVENT_UNITS

TABLES = tuple(COLUMNS)
SEXES = ("female", "male", "other", "unknown")
_PLAIN_NUMBER = r"^[+-]?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$"


@dataclass(frozen=True, slots=True)
class Record:
    """One subject or ten thousand, as three tables.

    Parameters
    ----------
    subjects : table
        ``subject_id, disease, product, age_years, sex, weight_kg, source`` and covariates.
    events : table
        ``subject_id, day, type, amount, unit, duration_days, note``; cells where cells are given, mg of steroid.
    observations : table
        ``subject_id, day, variable, value, unit, assay, lloq, censored, source, text``; values and limits in
        canonical units; a variable that is a word has it in ``text``. Where ``censored`` is ``left`` the true
        value lies below ``lloq``, ``right``: above ``value``, ``interval``: between ``lloq`` and ``value``.
        The laboratory's limits of normal may follow: ``lower_limit_of_normal, upper_limit_of_normal``.
    source : str
        Where the record comes from.
    conflicts : tuple of str
        Rows that contradict each other and were all kept, each as a sentence.
    notes : tuple of str
        What was left aside or assumed when the record was made from other files, each as a sentence.
    """

    subjects: pl.DataFrame
    events: pl.DataFrame
    observations: pl.DataFrame
    source: str = ""
    conflicts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def decode_record(
    sheets: Mapping[str, Sheet], source: str = "", *, keep_conflicts: bool = False
) -> tuple[Record, list[Fault]]:
    """Turn three tables of text into a record.

    Parameters
    ----------
    sheets : mapping of ``subjects``, ``events``, ``observations`` to Sheet
    source : str
    keep_conflicts : bool
        Keep rows that say different things of one variable on one day, and list them in the record, instead of
        refusing them.

    Returns
    -------
    record : Record
        To be used only if there are no faults.
    faults : list of Fault
        Of the three tables, each from its top to its end.
    """
    full = {name: _complete(sheets[name]) for name in TABLES}
    subjects = _decode_subjects(full["subjects"])
    known = subjects["subject_id"].drop_nulls() if full["subjects"].is_complete else None
    events = _decode_events(full["events"], known)
    observations = decode_observations(full["observations"], known, _list_deaths(events), keep_conflicts=keep_conflicts)
    faults = [fault for sheet in full.values() for fault in sheet.list_faults()]
    return Record(subjects, events, observations, source, tuple(full["observations"].conflicts)), faults


def encode_record(record: Record) -> dict[str, pl.DataFrame]:
    """Return the three tables as text, as they are written."""
    tables = {"subjects": record.subjects, "events": record.events, "observations": record.observations}
    texts = {}
    for name, table in tables.items():
        text = table.select(pl.all().cast(pl.String))
        if "text" in text.columns and name == "observations":
            text = text.with_columns(value=pl.coalesce("value", "text")).drop("text")
        texts[name] = _complete(Sheet(name, text)).rows
    return texts


def check_record(record: Record) -> None:
    """Check a record that was made in memory as strictly as one that is read.

    Raises
    ------
    InputError
        With every fault; rows are counted as they would be written, the header being row 1.
    """
    decode_again(record, keep_conflicts=bool(record.conflicts))


def decode_again(record: Record, *, keep_conflicts: bool = False) -> Record:
    """Return a record that was made in memory as it would be if it were written and read.

    Parameters
    ----------
    record : Record
        Columns may be missing, and numbers may stand as text.
    keep_conflicts : bool
        As for :func:`decode_record`.

    Raises
    ------
    InputError
        As for :func:`check_record`.
    """
    texts = encode_record(record)
    sheets = {name: Sheet(name, text.with_row_index(LINE, 2)) for name, text in texts.items()}
    found, faults = decode_record(sheets, record.source, keep_conflicts=keep_conflicts)
    if faults:
        raise InputError.from_faults(f"record {record.source}".rstrip(), faults)
    return found


def _complete(sheet: Sheet) -> Sheet:
    """Strip the text, turn empty into null, and put the columns in order, with those that are missing."""
    columns = COLUMNS[sheet.name]
    text = [pl.col(c).str.strip_chars().replace("", None) for c in sheet.rows.columns if c != LINE]
    added = [pl.lit(None, dtype=pl.String).alias(c) for c in columns if c not in sheet.rows.columns]
    rest = [c for c in sheet.rows.columns if c not in columns]
    rows = sheet.rows.with_columns(text).with_columns(added).select(*columns, *rest)
    return replace(sheet, rows=rows)


def _decode_subjects(sheet: Sheet) -> pl.DataFrame:
    if sheet.rows.is_empty() and sheet.is_complete:
        sheet.add(None, None, "must list at least one subject", "without rows", "write one row for each subject")
    check_present(sheet, "subject_id", "disease", "product")
    check_words(sheet, "disease", Disease)
    check_words(sheet, "product", Product)
    check_words(sheet, "sex", SEXES)
    check_duplicates(sheet, "subject_id", ("subject_id",))
    sheet = read_numbers(read_numbers(sheet, "age_years"), "weight_kg")
    check_range(sheet, "age_years", 0.0, 120.0)
    check_range(sheet, "weight_kg", 1.0, 500.0)
    typed = sheet.rows.with_columns(age_years=pl.col("_age_years"), weight_kg=pl.col("_weight_kg"))
    rest = [c for c in sheet.rows.columns if c not in COLUMNS["subjects"] and not c.startswith("_")]
    # a covariate is a column of numbers if every value is one; 007 is a name
    numeric = [c for c in rest if typed[c].null_count() < len(typed) and typed[c].str.contains(_PLAIN_NUMBER).all()]
    return typed.with_columns(pl.col(numeric).cast(pl.Float64)).select(*COLUMNS["subjects"], *rest)


def _decode_events(sheet: Sheet, known: pl.Series | None) -> pl.DataFrame:
    check_subjects(sheet, known)
    check_present(sheet, "day", "type")
    check_words(sheet, "type", EVENT_TYPES)
    for column in ("day", "amount", "duration_days"):
        sheet = read_numbers(sheet, column)
    check_days(sheet)
    check_range(sheet, "amount", 0.0)
    check_range(sheet, "duration_days", 0.0)
    _check_order(sheet)
    check_duplicates(sheet, "day", ("subject_id", "_day", "type", "_amount", "note"))
    sheet = _convert_amounts(sheet)
    rest = [c for c in sheet.rows.columns if c not in COLUMNS["events"] and not c.startswith("_")]
    typed = sheet.rows.with_columns(
        day=pl.col("_day"),
        amount=pl.col("_amount") * pl.col("_factor"),
        duration_days=pl.col("_duration_days"),
        unit=pl.col("_unit"),
    )
    return typed.select(*COLUMNS["events"], *rest)


def _check_order(sheet: Sheet) -> None:
    day, kind = pl.col("_day"), pl.col("type")
    early = "must be day 0 or later for this type"
    sheet.report(kind.is_in(AFTER_INFUSION) & (day < 0), "day", early, "what came before is bridging or prior_therapy")
    moved = "must be 0 for car_t: day 0 is the infusion"
    sheet.report((kind == "car_t") & (day != 0), "day", moved, "shift the days, or use second_infusion")
    none = "must be above 0 for car_t"
    sheet.report((kind == "car_t") & (pl.col("_amount") == 0), "amount", none, "leave it empty if it is not known")
    typed = sheet.rows.with_columns(day=day)
    check_before_death(sheet, sheet.rows.join(_list_deaths(typed), on="subject_id", how="left", maintain_order="left"))


def _list_deaths(events: pl.DataFrame) -> pl.DataFrame:
    """Return ``subject_id, _death``: the first day of death of those who died."""
    deaths = events.filter((pl.col("type") == "death") & pl.col("day").is_not_null())
    return deaths.group_by("subject_id").agg(pl.col("day").min().alias("_death"))


def _convert_amounts(sheet: Sheet) -> Sheet:
    """Derive the factor of each amount to the unit that its type of event has, if it has one."""
    has = pl.col("_amount").is_not_null()
    sheet.report(has & pl.col("unit").is_null(), "unit", "must be given with an amount", "write the unit")
    pairs = sheet.rows.filter(pl.col("unit").is_not_null()).select("type", "unit").unique(maintain_order=True)
    found = [(kind, unit, _find_factor(kind, unit), EVENT_UNITS.get(kind, unit)) for kind, unit in pairs.iter_rows()]
    schema = {"type": pl.String, "unit": pl.String, "_factor": pl.Float64, "_unit": pl.String}
    table = pl.DataFrame(found, schema=schema, orient="row")
    joined = sheet.rows.join(table, on=["type", "unit"], how="left", maintain_order="left")
    sheet = sheet.derive(_factor=joined["_factor"], _unit=joined["_unit"])

    def rule(row: Row) -> str:
        return f"must convert to {EVENT_UNITS[row['type']]}" if row["type"] in EVENT_UNITS else "must be a known unit"

    hint = "write a UCUM unit; multiply a dose per kg by the weight"
    sheet.report(pl.col("unit").is_not_null() & pl.col("_factor").is_null(), "unit", rule, hint)
    return sheet


def _find_factor(kind: str | None, unit: str) -> float | None:
    canonical = EVENT_UNITS.get(kind or "")
    return compute_factor(unit, canonical) if canonical else (1.0 if parse_unit(unit) else None)
