"""Overall responses of lymphoma that a reader or a site gave as a code, and when they count."""

from collections.abc import Mapping
from dataclasses import replace

from livingdrug.clinical.lesions import Scan, get_base
from livingdrug.clinical.lymphoma_pet import PET_CODES
from livingdrug.clinical.lymphoma_reading import CODE, CT, PET
from livingdrug.core.assessment import Assessed
from livingdrug.core.ruleset import Finding, Truth

LUGANO_CODES: Mapping[str, str] = {**PET_CODES, "nd": "ND"}
LYRIC_CODES: Mapping[str, str] = {
    **LUGANO_CODES,
    **{"ir": "IR", "ir1": "IR1", "ir2": "IR2", "ir2a": "IR2a", "ir2b": "IR2b", "ir3": "IR3"},
}


def choose_overall(
    computed: Assessed, scan: Scan, codes: Mapping[str, str], policy: str, voice: str
) -> tuple[Assessed, list[str]]:
    """Return the reader's overall code where neither PET nor CT was recorded, or always; and where the two differ.

    Parameters
    ----------
    policy : ``where_not_measured`` or ``first``
    voice : str
        The reader as the end of a sentence.
    """
    code = scan.measured.get(CODE)
    if code is None:
        return computed, []
    given = codes.get(code.word or "", "NE")
    warnings = []
    if computed.time_point not in (given, "NE", "ND"):
        what = f"{CODE} on day {scan.day:g} is {given} where the rest of the scan gives {computed.time_point}"
        warnings.append(f"row {code.row}: {what}{voice}")
    is_seen = any(get_base(name) in (*PET, *CT) for name in scan.measured)
    if policy != "first" and is_seen:
        return computed, warnings
    note = f"{CODE} was {code.word}"
    said = Finding("overall response as the reader gave it", Truth.TRUE, (code.row,), note=note)
    unknowns = (CODE,) if given in ("NE", "ND") else ()
    return replace(computed, time_point=given, findings=(said,), unknowns=unknowns, would_change=()), warnings
