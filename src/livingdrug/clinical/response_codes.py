"""Responses that a reader or a site gave as a code: which belong to which criteria, and which are no code at all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import polars as pl

from livingdrug.clinical.lesions import CODES, SUM, TARGETS, Scan, get_base
from livingdrug.core.assessment import Assessed
from livingdrug.core.errors import Fault, InputError
from livingdrug.core.ruleset import Finding, Truth

OTHER_CRITERIA = ("imwg", "lugano", "lyric", "cheson", "iwcll", "rano", "pcwg", "gcig", "irrc", "percist", "choi")
"""What names of other criteria contain."""
ROW = ("row", "day", "variable", "text", "assay", "reader")
RECIST_CODES: Mapping[str, str] = MappingProxyType(
    {code.lower(): code for code in ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "ND")}
)
IRECIST_CODES: Mapping[str, str] = MappingProxyType(
    {code.lower(): code for code in ("iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "iUPD", "iCPD", "NE", "ND")}
    | {"cr": "iCR", "pr": "iPR", "sd": "iSD", "non-cr/non-pd": "NON-iCR/NON-iUPD", "pd": "iUPD"}
)
"""RECIST codes up to the first progression are read as their counterparts; that progression is unconfirmed."""


def select_codes(observations: pl.DataFrame, codes: Mapping[str, str], criteria: str) -> pl.DataFrame:
    """Return the rows without responses that other criteria gave, and refuse codes that these do not have.

    For iRECIST, a reader's codes of RECIST that stand before the first one of iRECIST are kept: many trials go
    over from the one to the other at the first progression.

    Parameters
    ----------
    codes : mapping of words in small letters to categories
    criteria : ``recist`` or ``irecist``

    Returns
    -------
    observations : with the column ``row``

    Raises
    ------
    InputError
        With every code that the criteria do not have.

    Examples
    --------
    >>> table = pl.DataFrame({"day": [42.0], "variable": ["overall_response"], "text": ["vgpr"]})
    >>> try:
    ...     select_codes(table, RECIST_CODES, "recist")
    ... except InputError as error:
    ...     error.faults[0].was
    "'vgpr'"
    """
    table = observations if "row" in observations.columns else observations.with_row_index("row")
    columns = [table[name].to_list() if name in table.columns else [None] * len(table) for name in ROW]
    rows = [
        _Code(row, day, name, word, (by or "").lower().replace(" ", ""), reader or "")
        for row, day, name, word, by, reader in zip(*columns, strict=True)
        if day is not None and name is not None and get_base(name) in CODES
    ]
    if not rows:
        return table
    first: dict[str, float] = {}
    for code in sorted(rows, key=lambda code: -code.day):
        if criteria == "irecist" and code.criteria.startswith(criteria):
            first[code.reader] = code.day
    kept = [code for code in rows if _is_kept(code, criteria, first)]
    faults = [_report(code, codes, criteria) for code in kept if (code.word or "").lower() not in codes]
    if faults:
        raise InputError.from_faults("observations", faults)
    if len(kept) == len(rows):
        return table
    left = {code.row for code in rows} - {code.row for code in kept}
    return table.filter(~pl.col("row").is_in(list(left)))


@dataclass(frozen=True, slots=True)
class _Code:
    row: int
    day: float
    name: str
    word: str | None
    criteria: str
    reader: str


def _is_kept(code: _Code, criteria: str, first: Mapping[str, float]) -> bool:
    """Whether a response was given by some criteria, or by none that it names."""
    if any(other in code.criteria for other in OTHER_CRITERIA):
        return False
    is_named = "recist" in code.criteria
    if not is_named or code.criteria.startswith(criteria):
        return True
    return code.criteria.startswith("recist") and code.day < first.get(code.reader, float("-inf"))


def _report(code: _Code, codes: Mapping[str, str], criteria: str) -> Fault:
    where = f"observations, row {code.row}, {code.name}"
    hint = f"use one of {', '.join(dict.fromkeys(codes.values()))}; name other criteria in assay"
    return Fault(where, f"must be a response of {criteria}", repr(code.word), hint)


def choose_code(
    computed: Assessed, scan: Scan, codes: Mapping[str, str], policy: str, voice: str
) -> tuple[Assessed, list[str]]:
    """Return the reader's overall code where no lesion was measured, or always; and where the two differ.

    Parameters
    ----------
    policy : ``where_not_measured`` or ``first``
    voice : str
        The reader as the end of a sentence.
    """
    code = scan.measured.get("overall_response")
    if code is None:
        return computed, []
    given = codes.get(code.word or "", "NE")
    warnings = []
    is_measured = bool(scan.select(*TARGETS, SUM, "non_target_lesion"))
    # codes of its parts cannot tell whether a progression is confirmed
    is_same = not is_measured and {given, computed.time_point} <= {"iUPD", "iCPD"}
    is_known = is_measured or computed.time_point != "NE"
    if len(scan.measured) > 1 and is_known and computed.time_point != given and not is_same:
        what = f"overall_response on day {scan.day:g} is {given} where the rest of the scan gives {computed.time_point}"
        warnings.append(f"row {code.row}: {what}{voice}")
    if policy != "first" and is_measured:
        return computed, warnings
    note = f"overall_response was {code.word}"
    said = Finding("overall response as the reader gave it", Truth.TRUE, (code.row,), note=note)
    unknowns = ("overall_response",) if given == "NE" else ()
    return replace(computed, time_point=given, findings=(said,), unknowns=unknowns, would_change=(), note=""), warnings
