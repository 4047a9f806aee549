"""Columns of the ADaM data sets that are written: order, labels, types; and the days in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

_IDENTITY = (("STUDYID", "Study Identifier"), ("USUBJID", "Unique Subject Identifier"))
_PARAMETER = (("PARAM", "Parameter"), ("PARAMCD", "Parameter Code"))
_WHEN = (("ADT", "Analysis Date"), ("ADY", "Analysis Relative Day"))
ADSL = (
    *_IDENTITY,
    ("SUBJID", "Subject Identifier for the Study"),
    ("AGE", "Age"),
    ("AGEU", "Age Units"),
    ("SEX", "Sex"),
    ("TRT01A", "Actual Treatment for Period 01"),
    ("TRTSDT", "Date of First Exposure to Treatment"),
    ("DTHDT", "Date of Death"),
    ("DTHFL", "Subject Death Flag"),
)
ADRS = (
    *_IDENTITY,
    ("TRTSDT", "Date of First Exposure to Treatment"),
    *_PARAMETER,
    *_WHEN,
    ("AVAL", "Analysis Value"),
    ("AVALC", "Analysis Value (C)"),
    ("ANL01FL", "Analysis Flag 01"),
    ("RSEVALID", "Evaluator Identifier"),
    ("RSCAT", "Category for Assessment"),
    ("REASON", "Reason of the Analysis Value"),
)
ADTTE = (
    *_IDENTITY,
    *_PARAMETER,
    ("STARTDT", "Time-to-Event Origin Date for Subject"),
    *_WHEN,
    ("AVAL", "Analysis Value"),
    ("AVALU", "Analysis Value Unit"),
    ("CNSR", "Censor"),
    ("EVNTDESC", "Event or Censoring Description"),
    ("CNSDTDSC", "Censor Date Description"),
    ("SRCDOM", "Source Data"),
    ("RSEVALID", "Evaluator Identifier"),
)
ADTR = (
    *_IDENTITY,
    ("TRTSDT", "Date of First Exposure to Treatment"),
    *_PARAMETER,
    *_WHEN,
    ("AVAL", "Analysis Value"),
    ("AVALU", "Analysis Value Unit"),
    ("BASE", "Baseline Value"),
    ("CHG", "Change from Baseline"),
    ("PCHG", "Percent Change from Baseline"),
    ("NADIR", "Nadir Before the Assessment"),
    ("CHGNAD", "Change from Nadir"),
    ("PCHGNAD", "Percent Change from Nadir"),
    ("ABLFL", "Baseline Record Flag"),
    ("ANL01FL", "Analysis Flag 01"),
    ("TRLNKID", "Link ID of the Lesion"),
    ("TREVALID", "Evaluator Identifier"),
)
LABELS: Mapping[str, str] = {
    "ADSL": "Subject-Level Analysis Dataset",
    "ADRS": "Disease Response Analysis Dataset",
    "ADTTE": "Time-to-Event Analysis Dataset",
    "ADTR": "Tumor Results Analysis Dataset",
}
ORDER: Mapping[str, tuple[tuple[str, str], ...]] = {"ADSL": ADSL, "ADRS": ADRS, "ADTTE": ADTTE, "ADTR": ADTR}
NUMBERS = ("AGE", "ADY", "AVAL", "CNSR", "BASE", "CHG", "PCHG", "NADIR", "CHGNAD", "PCHGNAD")


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates of infusion, where they are known.

    Parameters
    ----------
    zeros : table
        ``USUBJID``, ``_zero`` (date or null).
    """

    zeros: pl.DataFrame

    def derive(self, table: pl.DataFrame, day: str, *, date: str, study_day: str | None = None) -> pl.DataFrame:
        """Add the date of a day, and its study day: day 0 is study day 1, the day before it is -1."""
        whole = pl.col(day).floor().cast(pl.Int64)
        joined = table.join(self.zeros, on="USUBJID", how="left", maintain_order="left")
        dated = joined.with_columns((pl.col("_zero") + pl.duration(days=whole)).dt.to_string("%Y-%m-%d").alias(date))
        if study_day is not None:
            counted = pl.when(whole >= 0).then(whole + 1).otherwise(whole)
            dated = dated.with_columns(counted.alias(study_day))
        return dated.drop("_zero")


def put_in_order(name: str, table: pl.DataFrame, study: str) -> pl.DataFrame:
    """Return a data set with its columns in order; what it has not is empty.

    Examples
    --------
    >>> put_in_order("ADSL", pl.DataFrame({"SEX": ["F"], "USUBJID": ["P1"]}), "S1").columns[:3]
    ['STUDYID', 'USUBJID', 'SUBJID']
    """
    columns = [column for column, _ in ORDER[name]]
    lacking = {
        column: pl.lit(None, dtype=pl.Float64 if column in NUMBERS else pl.String)
        for column in columns
        if column not in table.columns
    }
    return table.with_columns(**lacking).with_columns(STUDYID=pl.lit(study)).select(columns)


def describe(name: str, table: pl.DataFrame) -> dict[str, object]:
    """Return what the sidecar says of a data set: label, number of rows, columns with label and type."""
    return {
        "label": LABELS[name],
        "file": f"{name.lower()}.csv",
        "rows": len(table),
        "columns": [
            {"name": column, "label": label, "type": "float" if column in NUMBERS else "text"}
            for column, label in ORDER[name]
        ],
    }
