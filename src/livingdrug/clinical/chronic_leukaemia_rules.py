"""Clauses of response and progression of chronic lymphocytic leukaemia on one day.

Group A is nodes, spleen and liver, and lymphocytes in blood; group B is platelets, haemoglobin and, for a complete
response, neutrophils. Source: hallek2018.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from livingdrug.clinical.chronic_leukaemia_bulk import (
    Bulk,
    ask_sign,
    find_nodes_abnormal,
    find_nodes_grown,
    find_nodes_normal,
    find_nodes_shrunk,
    find_spleen_grown,
    find_spleen_normal,
    find_spleen_shrunk,
    find_unmentioned,
)
from livingdrug.clinical.comparison import compare, join_all, join_any
from livingdrug.clinical.daily import Result, ask_value
from livingdrug.clinical.lymphoma_state import Book, negate
from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Truth

CR, CRI, PR, PRL, SD, PD, NE = "CR", "CRi", "PR", "PR-L", "SD", "PD", "NE"
LYMPHOCYTES, LIVER, DUE = "lymphocytes", "hepatomegaly", "cytopenia_due_to_disease"
MARROW, NODULES, SYMPTOMS = "marrow_lymphocytes", "marrow_lymphoid_nodules", "constitutional_symptoms"
Found = Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class Look:
    """One day: what was examined, what was counted, and the event of a kinase inhibitor, if one is taken."""

    day: float
    measured: Mapping[str, Measured]
    found: Found
    inhibitor: int | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """Results at baseline, the lowest ones since, and signs that were ever mentioned."""

    found: Found
    lowest: Found = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()

    def include(self, now: Found) -> "Baseline":
        """Return the same with one more day."""
        lowest = dict(self.lowest)
        for name in (LYMPHOCYTES, MARROW):
            result = now.get(name)
            if result is not None and result.low is not None:
                before = lowest.get(name)
                lowest[name] = result if before is None or before.low is None or result.low < before.low else before
        seen = {name for name, result in now.items() if result.word in ("yes", "present", "indeterminate")}
        return replace(self, lowest=lowest, mentioned=self.mentioned | seen)


def find_levels(look: Look, baseline: Baseline, bulk: Bulk, book: Book) -> dict[str, Finding]:
    """Ask every category, progression first, then from the top."""
    progression = find_progression(look, baseline, bulk, book)
    lesser = _find_core(look, baseline, bulk, book)
    counts = [_ask(look, name, ">=", book) for name in ("platelets", "haemoglobin", "neutrophils")]
    complete = join_all("complete response", (*lesser, *counts))
    low = negate("a count is low", join_all("counts normal", counts))
    spared = ask_sign("low counts are not due to the leukaemia", look.found, DUE, "no")
    incomplete = join_all("complete response with incomplete counts", (*lesser, low, spared))
    shrunk = find_improved(look, baseline, bulk, book)
    marrow_lives = _find_counts_held(look, baseline, book)
    partial = join_all("partial response", (_count_items(shrunk), marrow_lives))
    lymphocytosis = _find_lymphocytosis(look, shrunk, marrow_lives, book)
    closed = (("no progression", progression), ("no response", partial), ("no such response", lymphocytosis))
    stable = join_all("stable disease", [negate(clause, finding) for clause, finding in closed])
    return {PD: progression, CR: complete, CRI: incomplete, PR: partial, PRL: lymphocytosis, SD: stable}


def _limit(name: str, book: Book) -> Value:
    return book.rules.thresholds[f"{name}_normal"]


def _ask(look: Look, name: str, comparison: str, book: Book) -> Finding:
    limit = _limit(name, book)
    words = {">=": "at least", "<": "below"}[comparison]
    clause = f"{name} {words} {limit.value:g} {limit.unit}"
    return ask_value(clause, name, look.found.get(name), comparison, limit)


def _find_core(look: Look, baseline: Baseline, bulk: Bulk, book: Book) -> tuple[Finding, ...]:
    """Return what a complete response asks for besides the counts."""
    found = look.found
    return (
        find_nodes_normal(look.measured, bulk, book),
        find_spleen_normal(look.measured, found, bulk, book, known="splenomegaly" in baseline.mentioned),
        _ask_mentioned("liver not enlarged", LIVER, look, baseline, book, "no"),
        _ask_mentioned("no constitutional symptoms", SYMPTOMS, look, baseline, book, "no"),
        _ask(look, LYMPHOCYTES, "<", book),
        ask_value("fewer than 30 % lymphocytes in marrow", MARROW, found.get(MARROW), "<", _limit("marrow", book)),
        _ask_mentioned("no nodules in marrow", NODULES, look, baseline, book, "absent"),
    )


def _ask_mentioned(clause: str, name: str, look: Look, baseline: Baseline, book: Book, expected: str) -> Finding:
    if name in look.found or name in baseline.mentioned:
        return ask_sign(clause, look.found, name, expected)
    return find_unmentioned(clause, name, book)


def _measure(found: Result | None) -> Measured | None:
    if found is None:
        return None
    return Measured(found.low if found.low == found.high else None, None, found.row, found.day)


def find_improved(look: Look, baseline: Baseline, bulk: Bulk, book: Book) -> dict[str, tuple[Finding, Finding]]:
    """Return for each item of group A whether it was abnormal at baseline and whether it has improved."""
    limits, found = book.rules.thresholds, look.found
    fall = limits["improvement"]
    before = baseline.found.get(LYMPHOCYTES)
    spleen = negate(
        "spleen enlarged at baseline",
        find_spleen_normal(bulk.baseline, baseline.found, bulk, book, known=False),
    )
    liver = ask_sign("liver enlarged at baseline", baseline.found, LIVER, "yes")
    if LIVER not in baseline.found:
        liver = negate(liver.clause, find_unmentioned("liver normal at baseline", LIVER, book))
    organs = (
        _implies("spleen improved if enlarged", spleen, find_spleen_shrunk(look.measured, found, bulk, book)),
        _implies("liver improved if enlarged", liver, ask_sign("liver not enlarged", found, LIVER, "no")),
    )
    pair = [(f"{LYMPHOCYTES} at baseline", _measure(before)), (LYMPHOCYTES, _measure(found.get(LYMPHOCYTES)))]
    return {
        "nodes": (find_nodes_abnormal(bulk, book), find_nodes_shrunk(look.measured, bulk, book)),
        "spleen or liver": (join_any("spleen or liver enlarged", (spleen, liver)), join_all("both improved", organs)),
        LYMPHOCYTES: (
            negate(
                "lymphocytes high at baseline",
                ask_value("normal", LYMPHOCYTES, before, "<", limits["lymphocytes_normal"]),
            ),
            compare(f"lymphocytes down at least {fall.value:g} %", pair, "percent fall >=", fall),
        ),
    }


def _implies(clause: str, condition: Finding, wanted: Finding) -> Finding:
    """Ask whether something holds wherever its condition does."""
    return join_any(clause, (negate(f"not: {condition.clause}", condition), wanted))


def _count_items(items: Mapping[str, tuple[Finding, Finding]]) -> Finding:
    """Ask whether two abnormal items of group A improved, or the only one that was abnormal."""
    improved = {name: join_all(f"{name} abnormal, and improved", pair) for name, pair in items.items()}
    ways = [
        join_all(f"{one} and {two} improved", (improved[one], improved[two])) for one, two in combinations(items, 2)
    ]
    for name in items:
        others = [negate(f"{other} normal at baseline", items[other][0]) for other in items if other != name]
        ways.append(join_all(f"{name} improved, nothing else was abnormal", (improved[name], *others)))
    return join_any("group A improved", ways)


def _find_counts_held(look: Look, baseline: Baseline, book: Book) -> Finding:
    """Ask whether platelets or haemoglobin are normal, or up by half."""
    rise = book.rules.thresholds["count_rise"]
    ways = []
    for name in ("platelets", "haemoglobin"):
        pair = [(f"{name} at baseline", _measure(baseline.found.get(name))), (name, _measure(look.found.get(name)))]
        ways.append(_ask(look, name, ">=", book))
        ways.append(compare(f"{name} up at least {rise.value:g} %", pair, "percent rise >=", rise))
    return join_any("a count of group B normal or better", ways)


def _find_lymphocytosis(
    look: Look, items: Mapping[str, tuple[Finding, Finding]], counts: Finding, book: Book
) -> Finding:
    """Ask whether all but the lymphocytes is a partial response, on a drug that drives them into the blood."""
    bulk = [join_all(f"{n} abnormal, and improved", items[n]) for n in items if n != LYMPHOCYTES]
    worse = negate("lymphocytes not down by half", items[LYMPHOCYTES][1])
    clauses = (find_inhibited(look, book), join_any("nodes, spleen or liver improved", bulk), worse, counts)
    return join_all("partial response with lymphocytosis", clauses)


def find_inhibited(look: Look, book: Book) -> Finding:
    """Ask whether a kinase inhibitor is taken."""
    clause = "on a BTK or PI3K inhibitor"
    policy = book.chosen["kinase_inhibitor"]
    if policy != "by_event":
        return Finding(clause, Truth.of(policy == "always"), note="by option")
    if look.inhibitor is None:
        return Finding(clause, Truth.FALSE, note="no event says so")
    return Finding(clause, Truth.TRUE, event_rows=(look.inhibitor,))


def find_progression(look: Look, baseline: Baseline, bulk: Bulk, book: Book) -> Finding:
    """Ask every clause of progression; any one is enough."""
    limits = book.rules.thresholds
    found, rise = look.found, limits["worsening"]
    reference = baseline.found if book.chosen["progression_reference"] == "baseline" else baseline.lowest
    least = Value(float(book.chosen["lymphocytes_least"]), "10*9/L", "design", "option", "assumed")
    lymphocytes = join_all(
        "lymphocytes have risen",
        (
            negate("not on a drug that drives them into the blood", find_inhibited(look, book)),
            ask_value(f"at least {least.value:g}", LYMPHOCYTES, found.get(LYMPHOCYTES), ">=", least),
            _ask_rise(LYMPHOCYTES, reference, found, rise),
        ),
    )
    return join_any(
        "progression",
        (
            find_nodes_grown(look.measured, bulk, book),
            find_spleen_grown(look.measured, found, bulk, book),
            _find_new_organ(look, baseline, "splenomegaly"),
            _find_new_organ(look, baseline, LIVER),
            lymphocytes,
            _find_low_counts(look, baseline, book),
            _find_marrow_rise(look, baseline, book),
        ),
    )


def _ask_rise(name: str, before: Found, now: Found, limit: Value) -> Finding:
    pair = [(f"{name} at baseline", _measure(before.get(name))), (name, _measure(now.get(name)))]
    return compare(f"{name} up at least {limit.value:g} %", pair, "percent rise >=", limit)


def _find_new_organ(look: Look, baseline: Baseline, name: str) -> Finding:
    """Ask whether an organ is newly enlarged, where it was known not to be."""
    clause = f"new {name}"
    before = baseline.found.get(name)
    if before is None or before.word != "no":
        return Finding(clause, Truth.FALSE, note="not known to be absent before")
    return ask_sign(clause, look.found, name, "yes")


def _find_low_counts(look: Look, baseline: Baseline, book: Book) -> Finding:
    """Ask whether counts fell because of the leukaemia, which a physician must say."""
    limits, found = book.rules.thresholds, look.found
    fallen = []
    platelets, haemoglobin = limits["platelets_fall"], limits["haemoglobin_fall"]
    pairs = {
        name: [(f"{name} at baseline", _measure(baseline.found.get(name))), (name, _measure(found.get(name)))]
        for name in ("platelets", "haemoglobin")
    }
    fallen.append(
        compare(f"platelets down at least {platelets.value:g} %", pairs["platelets"], "percent fall >=", platelets)
    )
    down = f"haemoglobin down at least {haemoglobin.value:g} {haemoglobin.unit}"
    fallen.append(compare(down, pairs["haemoglobin"][::-1], "rise >=", haemoglobin))
    due = ask_sign("low counts are due to the leukaemia", found, DUE, "yes")
    return join_all("counts fell because of the leukaemia", (join_any("counts fell", fallen), due))


def _find_marrow_rise(look: Look, baseline: Baseline, book: Book) -> Finding:
    clause = "leukaemia in marrow has increased"
    if MARROW not in look.found:
        return Finding(clause, Truth.FALSE, note="no marrow")
    limits, found = book.rules.thresholds, look.found
    high = ask_value("at least 30 % lymphocytes", MARROW, found.get(MARROW), ">=", limits["marrow_normal"])
    return join_all(clause, (high, _ask_rise(MARROW, baseline.lowest, found, limits["marrow_rise"])))
