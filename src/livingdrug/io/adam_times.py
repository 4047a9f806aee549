"""ADTTE: times to events, with what censored them."""

from collections.abc import Mapping

import polars as pl

from livingdrug.io.adam_columns import Dates

TIMES: Mapping[str, tuple[str, str]] = {
    "progression_free_survival": ("PFS", "Progression-Free Survival"),
    "overall_survival": ("OS", "Overall Survival"),
    "duration_of_response": ("DOR", "Duration of Response"),
    "event_free_survival": ("EFS", "Event-Free Survival"),
    "relapse_free_survival": ("RFS", "Relapse-Free Survival"),
    "time_to_progression": ("TTP", "Time to Progression"),
    "time_to_next_treatment": ("TTNT", "Time to Next Treatment"),
    "time_to_response": ("TTR", "Time to Response"),
    "time_to_complete_response": ("TTCR", "Time to Complete Response"),
    "progression_incidence": ("PINC", "Progression, Death Competing"),
    "non_relapse_mortality": ("NRM", "Death Without Progression, Progression Competing"),
}
"""Endpoints that are times; one without a day does not apply to the subject and has no row."""
_SOURCES = (("death|alive|contact", "ADSL"), ("treatment|therapy", "EVENTS"))


def build_adtte(endpoints: pl.DataFrame, dates: Dates, *, add_one: bool) -> pl.DataFrame:
    """Build ADTTE.

    Parameters
    ----------
    endpoints : table
        Of an assessment.
    dates : Dates
    add_one : bool
        Count the day of the event too, as ADaM programs do: an event on the start day has AVAL 1.
    """
    codes = {name: code for name, (code, _) in TIMES.items()}
    labels = {name: label for name, (_, label) in TIMES.items()}
    is_time = pl.col("endpoint").is_in(list(TIMES)) & pl.col("day").is_not_null() & pl.col("start_day").is_not_null()
    is_event = pl.col("status") == "event"
    reason = pl.col("reason").cast(pl.String)
    source = pl.coalesce(
        *(pl.when(reason.str.to_lowercase().str.contains(words)).then(pl.lit(name)) for words, name in _SOURCES),
        pl.lit("ADRS"),
    )
    table = endpoints.filter(is_time).select(
        USUBJID="subject_id",
        PARAMCD=pl.col("endpoint").replace_strict(codes, default=None, return_dtype=pl.String),
        PARAM=pl.col("endpoint").replace_strict(labels, default=None, return_dtype=pl.String),
        _day=pl.col("day").cast(pl.Float64),
        _start=pl.col("start_day").cast(pl.Float64),
        AVALU=pl.lit("DAYS"),
        CNSR=pl.when(is_event).then(0).otherwise(1),
        EVNTDESC=reason,
        CNSDTDSC=pl.when(~is_event).then(reason),
        SRCDOM=source,
        RSEVALID=pl.col("reader").replace("", None),
    )
    table = table.with_columns(AVAL=pl.col("_day") - pl.col("_start") + (1 if add_one else 0))
    table = dates.derive(table, "_day", date="ADT", study_day="ADY")
    table = dates.derive(table, "_start", date="STARTDT")
    order = ["USUBJID", "PARAMCD", "RSEVALID"]
    return table.sort(order, maintain_order=True, nulls_last=True).drop("_day", "_start")
