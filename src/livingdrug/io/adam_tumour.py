"""ADTR: diameters of target lesions, and their sums against baseline and nadir."""

import polars as pl

from livingdrug.io.adam_columns import Dates

SUM = ("SDIAM", "Sum of Diameters of Target Lesions (mm)")
_DIAMETERS = {"target_lesion": ("LDIAM", "Longest Diameter"), "target_node": ("LPERP", "Short Axis")}
_KEYS = ["USUBJID", "TRLNKID", "TREVALID", "PARAMCD"]


def build_adtr(sums: pl.DataFrame | None, observations: pl.DataFrame, dates: Dates) -> pl.DataFrame:
    """Build ADTR.

    Parameters
    ----------
    sums : table or None
        ``subject_id, reader, day, sum, nadir`` and changes from both [%]; ``is_complete`` where known.
    observations : table
        Of the record.
    dates : Dates
    """
    parts = [_list_lesions(observations)]
    if sums is not None and len(sums):
        parts.append(_list_sums(sums))
    table = pl.concat(parts, how="diagonal_relaxed")
    table = table.with_columns(CHG=pl.col("AVAL") - pl.col("BASE"), CHGNAD=pl.col("AVAL") - pl.col("NADIR"))
    table = dates.derive(table, "_day", date="ADT", study_day="ADY")
    joined = dates.zeros.select("USUBJID", TRTSDT=pl.col("_zero").dt.to_string("%Y-%m-%d"))
    table = table.join(joined, on="USUBJID", how="left", maintain_order="left")
    order = ["USUBJID", "PARAMCD", "TREVALID", "_day"]
    return table.sort(order, maintain_order=True, nulls_last=True).drop("_day")


def _list_sums(sums: pl.DataFrame) -> pl.DataFrame:
    change = _choose(sums, "change_from_baseline_percent", "change_from_baseline")
    nadir = _choose(sums, "change_from_nadir_percent", "change_from_nadir")
    base = pl.col("baseline") if "baseline" in sums.columns else pl.col("sum") / (1 + change / 100)
    complete = pl.col("is_complete") if "is_complete" in sums.columns else pl.col("sum").is_not_null()
    return sums.select(
        USUBJID="subject_id",
        PARAMCD=pl.lit(SUM[0]),
        PARAM=pl.lit(SUM[1]),
        TREVALID=pl.col("reader").replace("", None),
        _day=pl.col("day").cast(pl.Float64),
        AVAL=pl.col("sum").cast(pl.Float64),
        AVALU=pl.lit("mm"),
        BASE=base.cast(pl.Float64),
        PCHG=change.cast(pl.Float64),
        NADIR=pl.col("nadir").cast(pl.Float64),
        PCHGNAD=nadir.cast(pl.Float64),
        ANL01FL=pl.when(complete).then(pl.lit("Y")),
    )


def _choose(table: pl.DataFrame, *names: str) -> pl.Expr:
    found = next((name for name in names if name in table.columns), None)
    return pl.lit(None, dtype=pl.Float64) if found is None else pl.col(found)


def _list_lesions(observations: pl.DataFrame) -> pl.DataFrame:
    """Return one row a diameter, numbered by lesion: LDIAM1, LDIAM2; baseline is the last one up to infusion."""
    base, link = (pl.col("variable").str.split(":").list.get(place, null_on_oob=True) for place in (0, 1))
    reader = pl.col("reader") if "reader" in observations.columns else pl.lit(None, dtype=pl.String)
    rows = observations.select(
        USUBJID="subject_id",
        _kind=base,
        TRLNKID=link,
        TREVALID=reader,
        _day=pl.col("day").cast(pl.Float64),
        AVAL=pl.col("value").cast(pl.Float64),
    ).filter(pl.col("_kind").is_in(list(_DIAMETERS)) & pl.col("AVAL").is_not_null())
    codes = {name: code for name, (code, _) in _DIAMETERS.items()}
    labels = {name: label for name, (_, label) in _DIAMETERS.items()}
    number = pl.col("TRLNKID").fill_null("").rank("dense").over("USUBJID", "_kind").cast(pl.String)
    rows = rows.with_columns(
        PARAMCD=pl.col("_kind").replace_strict(codes, default=None, return_dtype=pl.String) + number,
        PARAM=pl.col("_kind").replace_strict(labels, default=None, return_dtype=pl.String)
        + pl.lit(" of Target Lesion ")
        + pl.col("TRLNKID").fill_null("")
        + pl.lit(" (mm)"),
        AVALU=pl.lit("mm"),
    )
    last = pl.when(pl.col("_day") <= 0).then("_day").max().over(_KEYS)
    is_base = pl.col("_day") == last
    value = pl.when(is_base).then("AVAL").drop_nulls().first().over(_KEYS)
    rows = rows.with_columns(ABLFL=pl.when(is_base).then(pl.lit("Y")), BASE=value)
    change = pl.when(pl.col("BASE") > 0).then((pl.col("AVAL") / pl.col("BASE") - 1) * 100)
    return rows.with_columns(PCHG=change, NADIR=pl.lit(None, dtype=pl.Float64)).drop("_kind")
