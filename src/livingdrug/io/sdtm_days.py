"""Days from infusion out of SDTM's dates and study days.

A date (``--DTC``) counts before a study day (``--DY``). Study days have no day 0: they go from -1 to 1.
A date without its day is put in order only, and flagged; one without its month cannot be placed.
"""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from livingdrug.io.sdtm_files import Domain

PartialDates = Literal["last_day", "first_day", "refuse"]
_DATE = r"^(\d{4})(?:-(\d{2}|-)(?:-(\d{2}|-))?)?-*(?:T(.*))?$"
_CLOCK = r"^(\d{2}):?(\d{2})"
_MINUTES_A_DAY = 24 * 60
_AS_DATE = "write ISO 8601: 2024-05-31, or 2024-05 if the day is not known"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where each subject's day 0 lies.

    Parameters
    ----------
    zeros : table
        ``USUBJID``; ``_zero``, the date of day 0; ``_zero_study``, its study day counted without a gap at 0.
        Either may be null.
    partial_dates : word
        What a date without its day becomes.
    """

    zeros: pl.DataFrame
    partial_dates: PartialDates = "last_day"


def read_dates(domain: Domain, column: str, partial_dates: PartialDates, *, prefix: str = "") -> Domain:
    """Derive ``_date``, ``_imputed`` and ``_clock`` (part of a day) of a column; what is no date is a fault.

    Parameters
    ----------
    domain : Domain
    column : str
    partial_dates : word
    prefix : str
        Goes into the names of what is derived: ``_end_date``.
    """
    domain = domain.complete(column)
    text = pl.col(column)
    year, month, day = (text.str.extract(_DATE, group) for group in (1, 2, 3))
    has_month = month.is_not_null() & (month != "-")
    has_day = has_month & day.is_not_null() & (day != "-")
    first = pl.concat_str([year, month, pl.lit("01")], separator="-").str.to_date("%Y-%m-%d", strict=False)
    whole = pl.concat_str([year, month, day], separator="-").str.to_date("%Y-%m-%d", strict=False)
    partial = first.dt.month_end() if partial_dates == "last_day" else first
    date = pl.when(has_day).then(whole).when(has_month & pl.lit(partial_dates != "refuse")).then(partial)
    clock = text.str.extract(_DATE, 4)
    minutes = clock.str.extract(_CLOCK, 1).cast(pl.Float64) * 60 + clock.str.extract(_CLOCK, 2).cast(pl.Float64)
    wrong = text.is_not_null() & (year.is_null() | (has_month & first.is_null()) | (has_day & whole.is_null()))
    domain.sheet.report(wrong, column, "must be a date that exists", _AS_DATE)
    return domain.derive(
        **{
            f"_{prefix}date": date,
            f"_{prefix}imputed": pl.when(has_month & ~has_day).then(pl.lit("day")),
            f"_{prefix}clock": pl.when(has_day).then(minutes / _MINUTES_A_DAY),
            f"_{prefix}no_date": wrong,
        }
    )


def read_study_days(domain: Domain, column: str, name: str = "_study") -> Domain:
    """Derive a study day counted without a gap: day 1 is 0, day -1 is -1. What is no study day is a fault."""
    domain = domain.complete(column)
    number = pl.col(column).cast(pl.Float64, strict=False)
    day = pl.when(number.is_finite() & (number == number.round()) & (number != 0)).then(number)
    wrong = pl.col(column).is_not_null() & day.is_null()
    hint = "count the reference day as 1 and the day before it as -1"
    domain.sheet.report(wrong, column, "must be a whole number other than 0", hint)
    return domain.derive(**{name: pl.when(day > 0).then(day - 1).otherwise(day).cast(pl.Int64)})


def derive_days(domain: Domain, date_column: str, calendar: Calendar) -> Domain:
    """Derive ``_day`` [day from infusion], ``_imputed``, ``_clock`` and ``_day_cell`` of every row.

    Parameters
    ----------
    domain : Domain
    date_column : str
        Such as ``LBDTC``; the study day is ``LBDY``.
    calendar : Calendar

    Returns
    -------
    domain : Domain
        A row that has neither a date nor a study day has no ``_day``.
    """
    study_column = f"{date_column.removesuffix('DTC')}DY"
    domain = read_study_days(read_dates(domain, date_column, calendar.partial_dates), study_column)
    joined = domain.rows.select("USUBJID").join(calendar.zeros, on="USUBJID", how="left", maintain_order="left")
    domain = domain.derive(_zero=joined["_zero"], _zero_study=joined["_zero_study"])
    by_date = (pl.col("_date") - pl.col("_zero")).dt.total_days()
    by_study = pl.col("_study") - pl.col("_zero_study")
    has_date = by_date.is_not_null()
    lost = ~has_date & by_study.is_null() & (pl.col("_date").is_not_null() | pl.col("_study").is_not_null())
    column = date_column if date_column in domain.rows.columns else study_column
    rule = "must be countable from the subject's infusion"
    hint = "the infusion has no date and this row no study day, or the reverse: give RFSTDTC in DM, or EXSTDY"
    domain.sheet.report(lost, column, rule, hint)
    return domain.derive(
        _day=pl.coalesce(by_date, by_study).cast(pl.Float64),
        _imputed=pl.when(has_date).then("_imputed"),
        _clock=pl.when(has_date).then("_clock"),
        _day_cell=pl.when(has_date | pl.col("_study").is_null())
        .then(pl.lit(date_column))
        .otherwise(pl.lit(study_column)),
    )
