"""Lymphoma on PET: complete, partial and no metabolic response, and progression. Source: cheson2014.

A score of 4 or 5 alone does not tell response from progression: that takes the uptake against baseline, as the
reader says it, or a score that has fallen.
"""

from collections.abc import Mapping

from livingdrug.clinical.comparison import compare, find_word, join_all, join_any
from livingdrug.clinical.lesions import Scan, get_base
from livingdrug.clinical.lymphoma_ct import read_code
from livingdrug.clinical.lymphoma_reading import PET
from livingdrug.clinical.lymphoma_state import CR, NE, PD, PR, SD, Book, Part, Seen, negate
from livingdrug.core.ruleset import Finding, Truth

PET_CODES: Mapping[str, str] = {
    **{"cmr": CR, "pmr": PR, "nmr": SD, "smd": SD, "pmd": PD},
    **{"cr": CR, "pr": PR, "sd": SD, "pd": PD, "ne": NE},
}
"""Codes of PET as one set of categories."""
CHANGE = "fdg_uptake_change"


def find_pet(scan: Scan, seen: Seen, book: Book) -> Part | None:
    """Return what PET says at a scan; None where it was not done.

    Parameters
    ----------
    scan : Scan
    seen : Seen
        What was seen before.
    book : Book
    """
    code = scan.measured.get("pet_response")
    is_scored = any(get_base(name) in PET[1:] for name in scan.measured)
    computed = _judge(scan, seen, book) if is_scored else None
    if code is None or code.word == "nd":
        return computed
    if book.chosen["coded_response"] == "first" or computed is None or computed.category == NE:
        return read_code("pet_response", code, PET_CODES)
    return computed


def _judge(scan: Scan, seen: Seen, book: Book) -> Part:
    cut = float(book.chosen["complete_up_to_score"])
    score = scan.measured.get("deauville")
    cold = compare(f"score at most {cut:g}", [("deauville", score)], "<=", cut)
    marrow = _ask_marrow(scan, book)
    residual = join_any("uptake left", (negate(f"score above {cut:g}", cold), marrow))
    new = _ask_new(scan, book)
    foci = _ask_foci(scan, book)
    clauses = {
        "uptake": join_all("more uptake than at baseline", (residual, _ask_change("higher", scan, seen, book))),
        "foci": foci,
        "new": new,
        "marrow": _ask_new_marrow(marrow, seen),
        "back": _ask_return(residual, seen, book),
    }
    progression = join_any("progression on PET", clauses.values())
    none = (_find_absence("no new lesion", new, book), _find_absence("no new uptake", foci, book))
    levels = {
        PD: progression,
        CR: join_all("complete metabolic response", (cold, negate("no uptake in marrow", marrow), *none)),
        PR: join_all("partial metabolic response", (residual, _ask_change("lower", scan, seen, book), *none)),
        SD: join_all("no metabolic response", (residual, _ask_change("unchanged", scan, seen, book), *none)),
    }
    for category, finding in levels.items():
        if finding.truth == Truth.TRUE:
            return Part(category, levels, clauses)
    return Part(NE, levels, clauses, is_open=residual.truth == Truth.TRUE)


def _ask_marrow(scan: Scan, book: Book) -> Finding:
    found = scan.measured.get("fdg_marrow")
    clause = "uptake of lymphoma in marrow"
    if found is None and book.chosen["new_lesions"] == "recorded_when_found":
        return Finding(clause, Truth.FALSE, note="none was recorded")
    return find_word(clause, "fdg_marrow", found, "yes")


def _ask_new_marrow(marrow: Finding, seen: Seen) -> Finding:
    clause = "new or recurrent uptake in marrow"
    if not seen.is_marrow_cold:
        return Finding(clause, Truth.FALSE, marrow.rows, note="marrow was not known to be free of it before")
    return Finding(clause, marrow.truth, marrow.rows, missing=marrow.missing, note=marrow.note)


def _ask_new(scan: Scan, book: Book) -> Finding:
    """Ask whether a reader calls a lesion new; its uptake is taken for granted, or must be said."""
    clause = "new lesion"
    if book.chosen["new_lesion_on_pet"] == "needs_uptake":
        return Finding(clause, Truth.FALSE, note="new disease on PET is new uptake")
    asked = [find_word(f"{name} found", name, m, "yes") for name, m in sorted(scan.select("new_lesion").items())]
    if not asked and book.chosen["new_lesions"] == "stated_at_every_scan":
        return find_word(clause, "new_lesion", None, "yes")
    return join_any(clause, asked)


def _ask_foci(scan: Scan, book: Book) -> Finding:
    clause = "new foci of uptake consistent with lymphoma"
    found = scan.measured.get("fdg_new_foci")
    if found is None and book.chosen["new_lesions"] == "recorded_when_found":
        return Finding(clause, Truth.FALSE, note="none was recorded")
    return find_word(clause, "fdg_new_foci", found, "yes")


def _find_absence(clause: str, finding: Finding, book: Book) -> Finding:
    is_equivocal = finding.truth == Truth.UNKNOWN and bool(finding.rows)
    if is_equivocal and book.chosen["equivocal_lesion"] == "not_counted":
        return Finding(clause, Truth.TRUE, finding.rows, note="an equivocal one does not count")
    return negate(clause, finding)


def _ask_change(expected: str, scan: Scan, seen: Seen, book: Book) -> Finding:
    """Ask how uptake compares with baseline: the reader's word, else a score that has changed."""
    clause = f"uptake {expected} against baseline"
    found = scan.measured.get(CHANGE)
    before, now = seen.baseline.get("deauville"), scan.measured.get("deauville")
    if found is not None or before is None or now is None or before.value is None or now.value is None:
        return find_word(clause, CHANGE, found, expected)
    policy = book.chosen["uptake_from_score"]
    step = now.value - before.value
    if (step < 0 and policy != "never") or (step > 0 and policy == "both"):
        said = "lower" if step < 0 else "higher"
        note = f"score {before.value:g} at baseline and {now.value:g} now: uptake is {said}"
        return Finding(clause, Truth.of(said == expected), (before.row, now.row), note=note)
    return find_word(clause, CHANGE, None, expected)


def _ask_return(residual: Finding, seen: Seen, book: Book) -> Finding:
    """Ask whether uptake is back after a complete metabolic response, where that counts by itself."""
    clause = "uptake is back after a complete metabolic response"
    if not seen.was_uptake_gone or book.chosen["uptake_after_complete_response"] == "as_printed":
        return Finding(clause, Truth.FALSE, note="compared with baseline alone")
    return Finding(clause, residual.truth, residual.rows, missing=residual.missing, note=residual.note)
