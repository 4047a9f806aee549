"""Overall responses that somebody gave as a code: whose criteria they are of, and which are no code at all."""

from collections.abc import Mapping

import polars as pl

from livingdrug.core.errors import Fault, InputError

CODE = "overall_response"
OWN: Mapping[str, tuple[str, ...]] = {
    "lugano": ("lugano", "cheson"),
    "lyric": ("lyric", "lugano", "cheson"),
    "all": ("nccn", "eln"),
    "iwcll": ("iwcll",),
}
"""Words by which a row names each set of criteria; LYRIC and Lugano share theirs but for progression."""
OTHERS = (
    *("recist", "imwg", "rano", "pcwg", "gcig", "irrc", "percist", "choi"),
    *("lugano", "lyric", "cheson", "iwcll", "nccn", "eln"),
)


def keep_own_codes(observations: pl.DataFrame, codes: Mapping[str, str], criteria: str) -> pl.DataFrame:
    """Leave out overall responses by other criteria, and refuse codes that these criteria do not have.

    Parameters
    ----------
    codes : mapping of words in small letters to categories
    criteria : a key of ``OWN``

    Raises
    ------
    InputError
        With every such code.

    Examples
    --------
    >>> table = pl.DataFrame({"day": [42.0, 42.0], "variable": ["overall_response"] * 2, "text": ["pr", "sd"],
    ...                       "assay": ["Lugano 2014", "RECIST 1.1"]})
    >>> keep_own_codes(table, {"pr": "PR"}, "lugano")["text"].to_list()
    ['pr']
    """
    table = observations if "row" in observations.columns else observations.with_row_index("row")
    assay = pl.col("assay").fill_null("").str.to_lowercase() if "assay" in table.columns else pl.lit("")
    is_code = pl.col("variable") == CODE
    foreign = [name for name in OTHERS if name not in OWN[criteria]]
    kept = table.filter((~(is_code & assay.str.contains_any(foreign))).fill_null(value=True))
    words = kept.filter(is_code).select("row", "text" if "text" in kept.columns else pl.lit(None).alias("text"))
    faults = []
    for row, text in words.iter_rows():
        if (text or "").lower() not in codes:
            hint = f"use one of {', '.join(codes)}; name other criteria in assay"
            where = f"observations, row {row}, {CODE}"
            faults.append(Fault(where, f"must be a response of {criteria}", repr(text), hint))
    if faults:
        raise InputError.from_faults("observations", faults)
    return kept
