"""Lymphoma on CT: complete, partial, stable and progressive disease from lesions, spleen and marrow.

Responses are counted from baseline; each lesion progresses from its own nadir. Source: cheson2014.
"""

from collections.abc import Mapping

from livingdrug.clinical.comparison import compare, find_word, join_all, join_any
from livingdrug.clinical.lesions import Scan, get_base
from livingdrug.clinical.lymphoma_lesions import (
    BASELINE,
    Amount,
    add_products,
    ask_amounts,
    find_growth,
    find_regrowth,
    measure,
)
from livingdrug.clinical.lymphoma_reading import CT, LONGEST, MARROW, NEW, PET, SHORTEST, find_partner
from livingdrug.clinical.lymphoma_spleen import find_spleen_growth, find_spleen_normal, find_spleen_shrunk
from livingdrug.clinical.lymphoma_state import CR, NE, PD, PR, SD, Book, Part, Seen, ask_other, negate
from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, Truth

CT_CODES: Mapping[str, str] = {
    **{"car": CR, "par": PR, "sad": SD, "pad": PD},
    **{"cr": CR, "pr": PR, "sd": SD, "pd": PD, "ne": NE},
}
"""Codes of CT as one set of categories."""


def find_ct(scan: Scan, seen: Seen, book: Book) -> Part | None:
    """Return what CT says at a scan; None where it was not done.

    Parameters
    ----------
    scan : Scan
    seen : Seen
        What was seen before.
    book : Book
    """
    code = scan.measured.get("ct_response")
    is_measured = any(get_base(name) in CT[:-1] for name in scan.measured)
    has_pet = any(get_base(name) in PET for name in scan.measured)
    is_new_alone = bool(scan.select(*NEW)) and not has_pet and code is None
    computed = _judge(scan, seen, book) if is_measured or is_new_alone else None
    if computed is None and not has_pet:
        computed = _judge_marrow(scan, seen)
    if code is None or code.word == "nd":
        return computed
    is_open = computed is None or computed.category == NE
    if book.chosen["coded_response"] == "first" or is_open:
        return read_code("ct_response", code, CT_CODES)
    return computed


def _judge_marrow(scan: Scan, seen: Seen) -> Part | None:
    """Return progression where a biopsy alone shows it: a marrow that was clear and is involved."""
    found = find_new_marrow(scan.measured.get(MARROW), seen)
    return Part(PD, {PD: found}, {"marrow": found}) if found.truth == Truth.TRUE else None


def read_code(name: str, code: Measured, codes: Mapping[str, str]) -> Part:
    """Take the category that a reader gave, as it is.

    Examples
    --------
    >>> read_code("ct_response", Measured(None, "par", 3, 90.0), CT_CODES).category
    'PR'
    """
    category = codes.get(code.word or "", NE)
    note = f"{name} was {code.word}"
    if category == NE:
        unknown = Finding(f"{name} as the reader gave it", Truth.UNKNOWN, (code.row,), missing=(name,), note=note)
        return Part(NE, {PD: unknown}, {"code": unknown})
    said = Finding(f"{name} as the reader gave it", Truth.TRUE, (code.row,), note=note)
    return Part(category, {category: said}, {"code": said} if category == PD else {})


def _judge(scan: Scan, seen: Seen, book: Book) -> Part:
    clauses = find_progressions(scan, seen, book)
    progression = join_any("progression on CT", clauses.values())
    complete = _find_complete(scan, seen, book, clauses["new"])
    partial = _find_partial(scan, seen, book, clauses["new"])
    levels = {PD: progression, CR: complete, PR: partial}
    for category, finding in levels.items():
        if finding.truth == Truth.TRUE:
            return Part(category, levels, clauses)
    if progression.truth == Truth.FALSE and (seen.targets or seen.others or seen.history.baseline is not None):
        stable = negate("no progression on CT", progression)
        return Part(SD, {**levels, SD: stable}, clauses)
    return Part(NE, levels, clauses)


def find_progressions(scan: Scan, seen: Seen, book: Book) -> dict[str, Finding]:
    """Ask every clause of progression on CT, by kind: growth, sum, spleen, other, regrowth, new, marrow."""
    rules, chosen = book.rules, book.chosen
    lowest = seen.history.lowest
    growth = [find_growth(name, measure(name, scan.measured), lowest.get(name), rules, chosen) for name in seen.targets]
    back = [
        find_regrowth(name, measure(name, scan.measured), lowest.get(name), rules, str(chosen["regrowth"]))
        for name in seen.targets
    ]
    others = [(name, scan.measured.get(name)) for name in _list_asked(scan, seen, book)]
    back += [
        ask_other(name, found, ("present", "increased", "unequivocal_progression"), f"{name}, gone before, is back")
        for name, found in others
        if name in seen.resolved
    ]
    worse = [ask_other(name, m, ("unequivocal_progression",), f"{name} progressed clearly") for name, m in others]
    return {
        "growth": join_any("a lesion has grown", growth),
        "sum": _find_sum_growth(scan, seen, book),
        "spleen": find_spleen_growth(scan.measured.get("spleen_length"), seen, book),
        "other": join_any("a lesion that is not measured progressed", worse),
        "regrowth": join_any("a lesion that had resolved is back", back),
        "new": find_new(scan, seen, book),
        "marrow": find_new_marrow(scan.measured.get(MARROW), seen),
    }


def _list_asked(scan: Scan, seen: Seen, book: Book) -> tuple[str, ...]:
    """Return the lesions that are not measured and are asked about: all, or those that the scan shows."""
    if book.chosen["unseen_parts"] == "as_seen":
        return tuple(name for name in seen.others if name in scan.measured)
    return seen.others


def _find_sum_growth(scan: Scan, seen: Seen, book: Book) -> Finding:
    """Ask whether a sum that was recorded without its lesions is up by half, at a size that counts."""
    clause = "sum of products up by half"
    if seen.targets or seen.history.baseline is None:
        return Finding(clause, Truth.FALSE, note="judged lesion by lesion")
    now = add_products((), scan.measured) or Amount(None, (), ("tumour_spd",))
    rise, least = book.rules.thresholds["lesion_rise"], book.rules.thresholds["sum_least"]
    found = join_all(
        clause,
        (
            ask_amounts(f"sum at least {least.value:g} {least.unit}", [now], ">=", least),
            ask_amounts(
                f"sum up at least {rise.value:g} % from nadir", [seen.history.nadir, now], "percent rise >=", rise
            ),
            ask_amounts("sum above its nadir", [seen.history.nadir, now], "rise >", 0.0),
        ),
    )
    if book.chosen["sum_alone"] == "unknown":
        note = "a sum does not tell of its lesions"
        return Finding(clause, Truth.UNKNOWN, found.rows, missing=LONGEST[:1], note=note)
    return found


def find_new(scan: Scan, seen: Seen, book: Book) -> Finding:
    """Ask whether a scan shows new disease.

    A node must be longer than 1.5 cm, also where the reader calls it new; a lesion outside nodes longer than 1 cm,
    or of any size where the reader calls it new, which is what unequivocal means here. A lesion that is measured
    and was not at baseline is new; without any baseline that is not known.
    """
    clause = "new lesion"
    rules = book.rules
    named = {name.partition(":")[2]: found for name, found in scan.select("new_lesion").items()}
    asked = []
    for name in sorted(_list_unknown_lesions(scan, seen)):
        size, mark = measure(name, scan.measured), name.partition(":")[2]
        is_node = get_base(name).startswith("node")
        limit = rules.thresholds["new_node" if is_node else "new_extranodal"]
        found = ask_amounts(f"{name} is new and longer than {limit.value:g} {limit.unit}", [size.longest], ">", limit)
        said = named.pop(mark, None) if mark else None
        if said is not None and not is_node:
            found = join_any(f"{name} is new", (found, find_word(f"{name} is unequivocal", "new_lesion", said, "yes")))
        if not seen.has_baseline and found.truth == Truth.TRUE and said is None:
            found = Finding(found.clause, Truth.UNKNOWN, found.rows, missing=(BASELINE,))
        asked.append(found)
    asked += [find_word("new lesion found", f"new_lesion:{mark}".rstrip(":"), m, "yes") for mark, m in named.items()]
    asked += _ask_other_new(scan, book)
    if asked:
        return join_any(clause, asked)
    if book.chosen["new_lesions"] == "stated_at_every_scan":
        return Finding(clause, Truth.UNKNOWN, missing=("new_lesion",), comparison="is yes")
    return Finding(clause, Truth.FALSE, note="none was recorded")


def _list_unknown_lesions(scan: Scan, seen: Seen) -> set[str]:
    """Return the lesions of a scan that were not at baseline, each by the name of its longest diameter."""
    longest = {name for name in scan.measured if get_base(name) in LONGEST}
    longest |= {find_partner(name) for name in scan.measured if get_base(name) in SHORTEST}
    return longest - set(seen.targets)


def _ask_other_new(scan: Scan, book: Book) -> list[Finding]:
    """Ask about new lesions as other criteria name them."""
    rules = book.rules
    asked = []
    for name, found in scan.select("new_target_node", "new_target_lesion").items():
        limit = rules.thresholds["new_node" if get_base(name).endswith("node") else "new_extranodal"]
        asked.append(compare(f"{name} longer than {limit.value:g} {limit.unit}", [(name, found)], ">", limit))
    there = ("present", "increased", "unequivocal_progression")
    asked += [ask_other(n, m, there, f"{n} is there") for n, m in scan.select("new_non_target_lesion").items()]
    return asked


def find_new_marrow(found: Measured | None, seen: Seen) -> Finding:
    """Ask whether lymphoma in the marrow is new, or back."""
    clause = "new or recurrent lymphoma in marrow"
    if found is None or found.word == "no" or (found.word != "yes" and not seen.is_marrow_clear):
        return Finding(clause, Truth.FALSE, () if found is None else (found.row,), note="none was recorded")
    if found.word != "yes":
        return Finding(clause, Truth.UNKNOWN, (found.row,), missing=(MARROW,), note=f"{MARROW} was {found.word}")
    if seen.is_marrow_clear:
        return Finding(clause, Truth.TRUE, (found.row,), note="marrow was clear before")
    if seen.was_marrow_involved:
        return Finding(clause, Truth.FALSE, (found.row,), note="marrow was involved before")
    return Finding(clause, Truth.UNKNOWN, (found.row,), missing=(f"{MARROW} at baseline",))


def _find_absence(new: Finding, book: Book) -> Finding:
    """Ask whether there is no new lesion; an equivocal one does not count as one."""
    clause = "no new lesion"
    is_equivocal = new.truth == Truth.UNKNOWN and bool(new.rows) and BASELINE not in new.missing
    if is_equivocal and book.chosen["equivocal_lesion"] == "not_counted":
        return Finding(clause, Truth.TRUE, new.rows, note="an equivocal one does not count")
    return negate(clause, new)


def _find_complete(scan: Scan, seen: Seen, book: Book, new: Finding) -> Finding:
    normal = book.rules.thresholds["lesion_normal"]
    asked = []
    for name in seen.targets:
        size = measure(name, scan.measured)
        if get_base(name).startswith("node"):
            clause = f"{name} at most {normal.value:g} {normal.unit}"
            asked.append(ask_amounts(clause, [size.longest], "<=", normal))
        else:
            asked.append(ask_amounts(f"{name} gone", [size.longest], "<=", 0.0))
    if not seen.targets and seen.history.baseline is not None:
        now = add_products((), scan.measured) or Amount(None, (), ("tumour_spd",))
        asked.append(ask_amounts("sum of products not detected", [now], "<=", 0.0))
    asked += [ask_other(n, scan.measured.get(n), ("absent",), f"{n} gone") for n in _list_asked(scan, seen, book)]
    if not asked:
        asked.append(Finding("disease at baseline gone", Truth.UNKNOWN, missing=(BASELINE,)))
    asked += [find_spleen_normal(scan.measured.get("spleen_length"), seen, book), _find_clear_marrow(scan, seen, book)]
    return join_all("complete response on CT", (*asked, _find_absence(new, book)))


def _find_clear_marrow(scan: Scan, seen: Seen, book: Book) -> Finding:
    """Ask whether the marrow is normal, where it was involved before; involvement is not known to last."""
    clause = "marrow normal"
    stands = seen.marrow if seen.marrow is not None and seen.marrow.word == "no" else None
    found = scan.measured.get(MARROW) or stands
    is_asked = seen.was_marrow_involved or (found is not None and found.word != "no")
    if not is_asked and book.chosen["marrow_for_complete"] == "if_involved":
        return Finding(clause, Truth.TRUE, () if found is None else (found.row,), note="it was not involved before")
    if found is not None and found.word == "indeterminate" and book.chosen["marrow_indeterminate"] == "normal":
        return Finding(clause, Truth.TRUE, (found.row,), note=f"{MARROW} was indeterminate, which counts as normal")
    return find_word(clause, MARROW, found, "no")


def _find_partial(scan: Scan, seen: Seen, book: Book, new: Finding) -> Finding:
    clause = "partial response on CT"
    fall = book.rules.thresholds["partial_fall"]
    before = seen.history.baseline
    if before is None and seen.has_baseline:
        return Finding(clause, Truth.FALSE, note="no lesion was measured at baseline")
    now = add_products(seen.targets, scan.measured) or Amount(None, (), ("tumour_spd",))
    shrunk = ask_amounts(
        f"sum of products down at least {fall.value:g} % from baseline", [before, now], "percent fall >=", fall
    )
    worse = ("increased", "unequivocal_progression")
    others = [
        negate(f"{name} not increased", ask_other(name, scan.measured.get(name), worse, f"{name} increased"))
        for name in _list_asked(scan, seen, book)
    ]
    spleen = find_spleen_shrunk(scan.measured.get("spleen_length"), seen, book)
    return join_all(clause, (shrunk, *others, spleen, _find_absence(new, book)))
