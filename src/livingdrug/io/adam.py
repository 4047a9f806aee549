"""An assessment as ADaM data sets, so that a trial's statisticians can compare it with their own.

CSV in the order of the standard, and ``adam.json`` beside it with labels, code lists and what is to be known.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from livingdrug.clinical.history import NEW_THERAPY
from livingdrug.core.tables import Record
from livingdrug.core.version import VERSION
from livingdrug.io.adam_columns import Dates, describe, put_in_order
from livingdrug.io.adam_response import build_adrs, list_codes
from livingdrug.io.adam_times import TIMES, build_adtte
from livingdrug.io.adam_tumour import build_adtr

_DATE = "infusion_date"
_SEXES = {"female": "F", "male": "M", "unknown": "U", "other": "UNDIFFERENTIATED"}
_SUMS = "sums"


def write_adam(
    verdicts: pl.DataFrame,
    endpoints: pl.DataFrame,
    details: Mapping[str, pl.DataFrame],
    record: Record,
    folder: Path | str,
    *,
    study: str = "",
    add_one: bool = True,
) -> tuple[Path, ...]:
    """Write ADSL, ADRS, ADTTE and, where lesions were measured, ADTR.

    Parameters
    ----------
    verdicts, endpoints, details
        Tables of an assessment; ``details["sums"]`` are sums of diameters.
    record : Record
        Whom it is about. Dates need the column ``infusion_date`` of its subjects; without it only days are
        written, and ``adam.json`` says so.
    folder : Path or str
        Is made if it is missing.
    study : str
        STUDYID.
    add_one : bool
        Count the day of the event in times to events, as ADaM programs do.

    Returns
    -------
    paths : tuple of Path
        The files written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> subjects = pl.DataFrame({"subject_id": ["P1"], "product": ["ide_cel"], "infusion_date": ["2024-03-01"]})
    >>> events = pl.DataFrame(schema={"subject_id": pl.String, "day": pl.Float64, "type": pl.String})
    >>> observations = pl.DataFrame(schema={"subject_id": pl.String, "day": pl.Float64, "variable": pl.String,
    ...                                     "value": pl.Float64})
    >>> verdicts = pl.DataFrame({"subject_id": ["P1"], "day": [30.0], "ruleset": ["imwg/2016"],
    ...                          "time_point": ["PR"], "confirmed": ["SD"], "reader": [""]})
    >>> endpoints = pl.DataFrame({"subject_id": ["P1"], "endpoint": ["overall_survival"], "day": [30.0],
    ...     "status": ["censored"], "value": ["30"], "reason": ["alive"], "start_day": [0.0], "reader": [""]})
    >>> with TemporaryDirectory() as folder:
    ...     paths = write_adam(verdicts, endpoints, {}, Record(subjects, events, observations), folder)
    ...     time = pl.read_csv(Path(folder, "adtte.csv"))
    >>> time.select("PARAMCD", "ADT", "AVAL", "CNSR").rows()
    [('OS', '2024-03-31', 31.0, 1)]
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    dates = _find_dates(record)
    tables = {
        "ADSL": _build_adsl(record, dates),
        "ADRS": build_adrs(verdicts, endpoints, _find_therapies(record), dates, TIMES),
        "ADTTE": build_adtte(endpoints, dates, add_one=add_one),
    }
    tumours = build_adtr(details.get(_SUMS), record.observations, dates)
    if len(tumours):
        tables["ADTR"] = tumours
    written = []
    said: dict[str, object] = {"software": f"livingdrug {VERSION}", "notes": _list_notes(dates, add_one=add_one)}
    described = {}
    for name, table in tables.items():
        ordered = put_in_order(name, table, study)
        path = place / f"{name.lower()}.csv"
        ordered.write_csv(path)
        described[name] = describe(name, ordered)
        written.append(path)
    said |= {"datasets": described, "codelists": {"AVAL of ADRS": list_codes(), "CNSR": {"event": 0, "censored": 1}}}
    sidecar = place / "adam.json"
    sidecar.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return (*written, sidecar)


def _find_dates(record: Record) -> Dates:
    """Return the dates of infusion that the record knows."""
    subjects = record.subjects
    text = pl.col(_DATE).cast(pl.String) if _DATE in subjects.columns else pl.lit(None, dtype=pl.String)
    return Dates(subjects.select(USUBJID="subject_id", _zero=text.str.to_date("%Y-%m-%d", strict=False)))


def _find_therapies(record: Record) -> pl.DataFrame:
    """Return ``USUBJID, _therapy``: the first day of a new treatment of the cancer."""
    rows = record.events.filter(pl.col("type").is_in(NEW_THERAPY) & (pl.col("day") > 0))
    return (
        rows.group_by("subject_id")
        .agg(pl.col("day").min().cast(pl.Float64).alias("_therapy"))
        .rename({"subject_id": "USUBJID"})
    )


def _build_adsl(record: Record, dates: Dates) -> pl.DataFrame:
    """Return one row a subject; the infusion is the first exposure."""
    subjects = record.subjects.rename({"subject_id": "USUBJID"})
    deaths = record.events.filter((pl.col("type") == "death") & pl.col("day").is_not_null())
    first = deaths.group_by("subject_id").agg(pl.col("day").min().cast(pl.Float64).alias("_death"))
    table = subjects.join(first, left_on="USUBJID", right_on="subject_id", how="left", maintain_order="left")
    table = dates.derive(table, "_death", date="DTHDT")
    table = table.join(dates.zeros, on="USUBJID", how="left", maintain_order="left")
    has = table.columns
    return table.select(
        "USUBJID",
        SUBJID=pl.col("USUBJID"),
        AGE=pl.col("age_years") if "age_years" in has else pl.lit(None, dtype=pl.Float64),
        AGEU=pl.lit("YEARS"),
        SEX=pl.col("sex").replace_strict(_SEXES, default=None, return_dtype=pl.String)
        if "sex" in has
        else pl.lit(None, dtype=pl.String),
        TRT01A=pl.col("product") if "product" in has else pl.lit(None, dtype=pl.String),
        TRTSDT=pl.col("_zero").dt.to_string("%Y-%m-%d"),
        DTHDT=pl.col("DTHDT"),
        DTHFL=pl.when(pl.col("_death").is_not_null()).then(pl.lit("Y")),
    )


def _list_notes(dates: Dates, *, add_one: bool) -> list[str]:
    """Return what whoever compares must know."""
    lacking = dates.zeros.filter(pl.col("_zero").is_null())["USUBJID"].to_list()
    counted = (
        "AVAL of ADTTE counts both the first and the last day"
        if add_one
        else "AVAL of ADTTE is the last day less the first"
    )
    notes = [
        "ADY counts the day of infusion as 1 and the day before it as -1",
        counted,
        "EVNTDESC and CNSDTDSC are the reasons of our endpoints; CNSR is 0 for an event and 1 for a censored time",
        "AVAL of ADRS is the place of the category on its scale, see codelists",
        "ANL01FL of ADRS is Y up to progression and before a new treatment",
    ]
    if lacking:
        whom = "no subject" if len(lacking) == len(dates.zeros) else f"{len(lacking)} subjects"
        has = "has" if whom == "no subject" else "have no"
        notes.append(f"{whom} {has} an infusion_date: for them only days are written, and no dates")
    return notes
