"""Blood counts beside a marrow sample, which criteria of leukaemia ask for and the model does not hold.

They are as full as the marrow is free of leukaemia, so that a remission of the marrow is one of the counts.
Cytopenia after lymphodepletion and CAR T cells is not in the model; a trial here says nothing of it.
"""

import polars as pl

MARROW = "marrow_blasts"
FULL = {"neutrophils": (3.0, "10*9/L"), "platelets": (220.0, "10*9/L")}
"""Counts with a marrow free of leukaemia, and their unit: the middle of what is normal."""
PERCENT = 100.0


def add_counts(observations: pl.DataFrame) -> pl.DataFrame:
    """Return the observations with counts on the days of marrow samples, each patient's rows by day.

    Examples
    --------
    >>> schema = {"subject_id": pl.String, "day": pl.Float64, "variable": pl.String, "value": pl.Float64}
    >>> rows = pl.DataFrame([("a", 28.0, "marrow_blasts", 55.0)], schema=schema, orient="row").with_columns(
    ...     unit=pl.lit("%"), assay=pl.lit(""), lloq=pl.lit(None), censored=pl.lit("none"))
    >>> added = add_counts(rows)
    >>> [(name, round(value, 2)) for name, value in added.select("variable", "value").rows()[1:]]
    [('neutrophils', 1.35), ('platelets', 99.0)]
    """
    marrow = observations.filter(pl.col("variable") == MARROW)
    free = 1 - pl.col("value") / PERCENT
    added = [_measure(marrow, name, full * free, unit) for name, (full, unit) in FULL.items()]
    return pl.concat([observations, *added]).sort("subject_id", "day", maintain_order=True)


def _measure(marrow: pl.DataFrame, variable: str, value: pl.Expr, unit: str) -> pl.DataFrame:
    return marrow.with_columns(
        variable=pl.lit(variable),
        value=value,
        unit=pl.lit(unit),
        assay=pl.lit("blood count"),
        lloq=pl.lit(None, dtype=marrow.schema["lloq"]),
        censored=pl.lit("none"),
    )
