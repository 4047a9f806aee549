"""The best change of the tumour in each subject of a cohort: what a waterfall shows."""

from collections.abc import Mapping

import polars as pl

MARKERS: Mapping[str, tuple[str, ...]] = {
    "myeloma": ("m_protein", "urine_m_protein", "flc_involved", "flc_kappa", "flc_lambda", "marrow_plasma_cells"),
    "lbcl": ("tumour_spd", "tumour_volume", "metabolic_tumour_volume"),
    "mcl": ("tumour_spd", "tumour_volume", "metabolic_tumour_volume"),
    "follicular": ("tumour_spd", "tumour_volume", "metabolic_tumour_volume"),
    "cll": ("tumour_spd", "lymphocytes"),
    "b_all": ("marrow_blasts", "mrd"),
    "solid": ("target_lesion_sum", "tumour_volume"),
}
"""What is compared with its value before the infusion, the first that was measured then."""
SCHEMA = {"subject_id": pl.String, "marker": pl.String, "best_change": pl.Float64, "is_below_limit": pl.Boolean}


def derive_best_change(observations: pl.DataFrame, subjects: pl.DataFrame) -> pl.DataFrame:
    """Return the largest fall of each subject's marker before progression and new therapy, in percent of baseline.

    A value below its limit of quantification counts as the limit: the fall was at least that.

    Parameters
    ----------
    observations : table
    subjects : table
        ``subject_id, disease`` and ``end_day``: progression, new therapy or None.

    Returns
    -------
    changes : table
        ``subject_id, marker, best_change, is_below_limit``; a subject without a value before and one after has no row.

    Examples
    --------
    >>> seen = pl.DataFrame({"subject_id": ["a"] * 3, "variable": ["m_protein"] * 3, "day": [-3.0, 28.0, 56.0],
    ...                      "value": [4.0, 1.0, 2.0], "lloq": [None] * 3, "censored": ["none"] * 3})
    >>> who = pl.DataFrame({"subject_id": ["a"], "disease": ["myeloma"], "end_day": [None]})
    >>> derive_best_change(seen, who)["best_change"].to_list()
    [-75.0]
    """
    is_below = pl.col("censored").fill_null("none") == "left"
    level = pl.when(is_below).then(pl.coalesce("lloq", "value")).otherwise(pl.col("value")).cast(pl.Float64)
    places = [(disease, name, place) for disease, names in MARKERS.items() for place, name in enumerate(names)]
    wanted = pl.DataFrame(places, schema={"disease": pl.String, "variable": pl.String, "place": pl.Int64}, orient="row")
    rows = (
        observations.select("subject_id", "variable", "day", level.alias("level"), is_below.alias("below"))
        .drop_nulls("level")
        .join(subjects.select("subject_id", "disease", pl.col("end_day").cast(pl.Float64)), on="subject_id")
        .join(wanted, on=["disease", "variable"])
    )
    before = rows.filter((pl.col("day") <= 0) & ~pl.col("below") & (pl.col("level") > 0)).sort("day")
    baseline = before.group_by("subject_id", "variable", "place").agg(pl.col("level").last().alias("baseline"))
    until = pl.col("end_day").is_null() | (pl.col("day") <= pl.col("end_day"))
    after = rows.filter((pl.col("day") > 0) & until).join(baseline.drop("place"), on=["subject_id", "variable"])
    best = after.sort("level", "below").group_by("subject_id", "variable", "place").first()
    return (
        best.sort("place", "subject_id")
        .group_by("subject_id", maintain_order=True)
        .first()
        .select(
            "subject_id",
            pl.col("variable").alias("marker"),
            (100 * (pl.col("level") / pl.col("baseline") - 1)).alias("best_change"),
            pl.col("below").alias("is_below_limit"),
        )
        .cast(SCHEMA)  # type: ignore[arg-type]
    )
