"""Responses as a site or a reader gives them, confirmed by the same state machine as those from laboratory values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.clinical.confirmation import Seen
from livingdrug.clinical.history import Happening, find_disease_death, find_new_therapy
from livingdrug.clinical.myeloma_flags import FLAGS, find_routes
from livingdrug.clinical.panel import WORDS, Panel
from livingdrug.clinical.panel_reading import read_panel
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, Truth

VARIABLE = "overall_response"
CODES = {response.value.lower(): response for response in Response}
CRITERIA = "imwg"


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's responses."""

    reader: str
    panel: Panel

    def find_category(self, visit: int) -> Response:
        """Return the response at a visit; not evaluable where the code is none of these criteria."""
        code = int(self.panel.get(VARIABLE).code[visit, 0])
        return CODES.get(WORDS[code], Response.NE) if code >= 0 else Response.NE

    def describe(self, visit: int) -> Finding:
        """Return what a visit's response rests on."""
        column = self.panel.get(VARIABLE)
        word = WORDS[int(column.code[visit, 0])] or "not readable"
        rows = tuple(int(rows[visit, 0]) for rows in column.rows if rows[visit, 0] >= 0)
        return Finding("overall response as it was given", Truth.TRUE, rows, note=f"{VARIABLE} was {word}")


def read_codes(observations: pl.DataFrame) -> tuple[Reading, ...]:
    """Return the responses that were given by these criteria, or by none that they name, by reader.

    Examples
    --------
    >>> rows = {"day": [28.0, 56.0], "variable": ["overall_response"] * 2, "text": ["vgpr", "pd"],
    ...         "assay": ["IMWG", "RECIST 1.1"]}
    >>> [(reading.reader, reading.find_category(0).value) for reading in read_codes(pl.DataFrame(rows))]
    [('', 'VGPR')]
    """
    if VARIABLE not in observations["variable"].to_list():
        return ()
    table = observations.drop("subject_id", strict=False)
    if "row" not in table.columns:
        table = table.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    for name in ("assay", "reader", "text"):
        if name not in table.columns:
            table = table.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    assay = pl.col("assay").fill_null("").str.to_lowercase()
    is_code = (pl.col("variable") == VARIABLE) & ((assay == "") | assay.str.contains(CRITERIA))
    coded = table.filter(is_code | pl.col("variable").is_in(list(FLAGS)))
    coded = coded.with_columns(reader=pl.col("reader").fill_null(""), text=pl.col("text").str.to_lowercase())
    readers = coded.filter(pl.col("variable") == VARIABLE)["reader"].unique().sort().to_list()
    return tuple(
        Reading(reader, read_panel(coded.filter(pl.col("reader") == reader), (VARIABLE,), beside=tuple(FLAGS)))
        for reader in readers
    )


def see_codes(reading: Reading, history: Sequence[Happening]) -> Seen:
    """Return what is to be confirmed: a progression by imaging is one that the flags or the event call so."""
    panel = reading.panel
    day = panel.day
    category = np.array([[reading.find_category(visit).rank] for visit in range(len(day))], dtype=np.int8)
    therapy, death = find_new_therapy(history), find_disease_death(history)
    nowhere = np.zeros(day.shape, dtype=bool)
    return Seen(
        day,
        category,
        day > 0,
        nowhere,
        nowhere,
        day > (np.nan if therapy is None else therapy),
        find_routes(panel, (history,)),
        np.array([np.nan if death is None else death]),
    )
