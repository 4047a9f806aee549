"""When progression of lymphoma under immunotherapy is indeterminate, and when an indeterminate response is progression.

Source: cheson2016.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from livingdrug.clinical.comparison import compare, find_word, join_all, join_any
from livingdrug.clinical.lesions import Scan, get_base
from livingdrug.clinical.lymphoma_lesions import Amount, Size, add_products, ask_amounts, measure
from livingdrug.clinical.lymphoma_reading import BIOPSY, STATUS, list_lesions
from livingdrug.clinical.lymphoma_state import NE, PD, Book, Part, Seen
from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, Truth

KINDS = ("IR3", "IR2a", "IR2b", "IR2", "IR1", "IR")
_SOFT: Mapping[str, str] = {
    **{"new": "new", "foci": "new", "marrow_uptake": "new"},
    **{"growth": "growth", "sum": "growth", "regrowth": "growth"},
    **{"uptake": "uptake", "back": "uptake"},
}
"""Kinds of progression that may be indeterminate; the spleen, lesions that are not measured and marrow are not."""


@dataclass(frozen=True, slots=True)
class Block:
    """Indeterminate responses with no other response between them: the first of them."""

    day: float
    kind: str
    total: Amount | None
    sizes: Mapping[str, Size]


@dataclass(frozen=True, slots=True)
class Answer:
    """Category of a scan that the Lugano classification calls progression, what decided, and what it is dated to."""

    category: str
    findings: tuple[Finding, ...]
    from_day: float
    unknowns: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()


def measure_burden(scan: Scan, seen: Seen) -> tuple[Amount | None, dict[str, Size]]:
    """Return the sum of all products, of new lesions too, and every lesion's size."""
    new = tuple(name for name in list_lesions(scan.measured) if name not in seen.targets)
    names = (*seen.targets, *(new if seen.targets else ()))
    return add_products(names, scan.measured), {name: measure(name, scan.measured) for name in (*seen.targets, *new)}


def find_burden_rise(scan: Scan, seen: Seen, book: Book) -> Finding:
    """Ask whether the overall tumour burden is up by half from its nadir."""
    rise = book.rules.thresholds["sum_rise"]
    total, nadir = measure_burden(scan, seen)[0], seen.history.nadir
    return join_all(
        "overall tumour burden up by half",
        (
            ask_amounts("sum of products above its nadir", [nadir, total], "rise >", 0.0),
            ask_amounts(
                f"sum of products up at least {rise.value:g} % from nadir", [nadir, total], "percent rise >=", rise
            ),
        ),
    )


def find_small_growth(scan: Scan, seen: Seen, book: Book) -> Finding:
    """Ask whether any lesion is up by half, however small, where that counts."""
    clause = "a lesion up by half"
    if book.chosen["small_growth"] != "any":
        return Finding(clause, Truth.FALSE, note="only what the Lugano classification calls progression counts")
    rise = book.rules.thresholds["lesion_rise"]
    asked = []
    for name in seen.targets:
        lowest = seen.history.lowest.get(name)
        before, now = None if lowest is None else lowest.own.product, measure(name, scan.measured).product
        above = ask_amounts(f"product of {name} above its nadir", [before, now], "rise >", 0.0)
        half = ask_amounts(f"product of {name} up at least {rise.value:g} %", [before, now], "percent rise >=", rise)
        asked.append(join_all(f"{name} up by half", (above, half)))
    return join_any(clause, asked)


def list_reasons(pet: Part | None, ct: Part | None) -> dict[str, list[Finding]]:
    """Return what makes a progression, by what LYRIC makes of it: new, growth, uptake, or hard."""
    reasons: dict[str, list[Finding]] = {}
    for source, part in (("pet", pet), ("ct", ct)):
        for name, finding in (part.clauses if part is not None else {}).items():
            if finding.truth == Truth.TRUE:
                key = f"{name}_uptake" if (source, name) == ("pet", "marrow") else name
                reasons.setdefault(_SOFT.get(key, "code" if key == "code" else "hard"), []).append(finding)
    return reasons


def judge_first(scan: Scan, seen: Seen, reasons: Mapping[str, list[Finding]], book: Book) -> Answer:
    """Return what a progression is where no indeterminate response stands open."""
    rules = book.rules
    day = scan.day
    if "hard" in reasons or (set(reasons) == {"code"} and not _is_uptake_alone(scan)):
        return Answer(PD, tuple(reasons.get("hard", reasons.get("code", []))), day)
    biopsy = _ask_biopsy(scan)
    if biopsy.truth == Truth.TRUE:
        return Answer(PD, (biopsy, *_flatten(reasons)), day)
    rise = find_burden_rise(scan, seen, book)
    if rise.truth == Truth.TRUE:
        elapsed = Measured(day - float(book.chosen["start_day"]), None, rise.rows[-1], day)
        limit = rules.thresholds["early_days"]
        early = compare(f"within the first {limit.value:g} days", [("day", elapsed)], "<=", limit)
        worse = find_deterioration(scan, book)
        if early.truth == Truth.FALSE or worse.truth == Truth.TRUE:
            return Answer(PD, (rise, early, worse), day)
        if worse.truth == Truth.UNKNOWN:
            texts = (f"progression, if {STATUS} were unstable", f"IR1, if {STATUS} were stable")
            return Answer(NE, (rise, early, worse), day, (STATUS,), texts)
        return Answer("IR1", (rise, early, worse), day)
    kind = "IR2a" if "new" in reasons else "IR2b" if "growth" in reasons else "IR3"
    missing = rise.missing if rise.truth == Truth.UNKNOWN else ()
    change = (f"IR1 or progression, if {' and '.join(missing)} showed the sum up by half",) if missing else ()
    return Answer(kind, (*_flatten(reasons), rise), day, missing, change)


def _is_uptake_alone(scan: Scan) -> bool:
    """Whether a coded progression on PET is one of uptake alone: the reader says that there are no new foci."""
    foci, code = scan.measured.get("fdg_new_foci"), scan.measured.get("pet_response")
    return code is not None and code.word == "pmd" and foci is not None and foci.word == "no"


def judge_next(scan: Scan, seen: Seen, reasons: Mapping[str, list[Finding]], block: Block, book: Book) -> Answer:
    """Return what a progression is after an indeterminate response: progression from then on, or still open."""
    biopsy, worse = _ask_biopsy(scan), find_deterioration(scan, book)
    if biopsy.truth == Truth.TRUE or "hard" in reasons or worse.truth == Truth.TRUE:
        decided = [f for f in (biopsy, worse) if f.truth == Truth.TRUE]
        return Answer(PD, (*decided, *_flatten(reasons)), block.day)
    if block.kind in ("IR1", "IR"):
        further = find_further_growth(scan, seen, block, book)
        if further.truth == Truth.TRUE:
            return Answer(PD, (further,), block.day)
        texts = (f"progression, if {' and '.join(further.missing)} showed it",) if further.missing else ()
        return Answer(block.kind, (*_flatten(reasons), further), scan.day, further.missing, texts)
    first = judge_first(scan, seen, reasons, book)
    if first.category == PD or (first.category == "IR1" and book.chosen["sum_rise_after_ir2"] == "progression"):
        return Answer(PD, first.findings, block.day)
    return first


def find_further_growth(scan: Scan, seen: Seen, block: Block, book: Book) -> Finding:
    """Ask whether the burden has grown on since the first indeterminate response.

    By 10 % of the sum, with a diameter of a lesion up by 5 mm, or by 10 mm where the lesion was above 2 cm; where
    no lesion is named the sum alone decides.
    """
    rules = book.rules
    total, sizes = measure_burden(scan, seen)
    rise = rules.thresholds["further_rise"]
    grown = ask_amounts(
        f"sum of products up at least {rise.value:g} % from day {block.day:g}",
        [block.total, total],
        "percent rise >=",
        rise,
    )
    steps = []
    for name, now in sizes.items():
        before = block.sizes.get(name)
        if before is None:
            continue
        large = ask_amounts("large", [before.longest], ">", rules.thresholds["small_lesion"]).truth == Truth.TRUE
        step = rules.thresholds["step_large" if large else "step_small"]
        pairs = (("longest", before.longest, now.longest), ("shortest", before.shortest, now.shortest))
        steps += [
            ask_amounts(f"{what} diameter of {name} up at least {step.value:g} mm", [a, b], "rise >=", step)
            for what, a, b in pairs
        ]
    clauses = (grown, join_any("a diameter up far enough", steps)) if steps else (grown,)
    return join_all(f"further growth since day {block.day:g}", clauses)


def find_deterioration(scan: Scan, book: Book) -> Finding:
    """Ask whether the patient has got worse clinically; no word means no, or leaves it open."""
    clause = "clinical deterioration"
    found = scan.measured.get(STATUS)
    if found is None and book.chosen["clinical_status"] == "recorded_when_found":
        return Finding(clause, Truth.FALSE, note="none was recorded")
    return find_word(clause, STATUS, found, "unstable")


def _ask_biopsy(scan: Scan) -> Finding:
    found = scan.measured.get(BIOPSY)
    clause = "biopsy shows lymphoma in a lesion that grew or is new"
    return Finding(clause, Truth.FALSE, note="no biopsy") if found is None else find_word(clause, BIOPSY, found, "yes")


def _flatten(reasons: Mapping[str, list[Finding]]) -> tuple[Finding, ...]:
    return tuple(finding for findings in reasons.values() for finding in findings)


def is_indeterminate(category: str) -> bool:
    """Whether a category is one of the indeterminate responses.

    Examples
    --------
    >>> is_indeterminate("IR2a"), is_indeterminate("SD")
    (True, False)
    """
    return category in KINDS


def has_biopsy(scan: Scan) -> bool:
    """Whether a day holds a biopsy of a lesion."""
    return any(get_base(name) == BIOPSY for name in scan.measured)
