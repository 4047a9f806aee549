"""The spleen in lymphoma: normal up to 13 cm; what counts is its length beyond that. Source: cheson2014."""

from livingdrug.clinical.comparison import is_above, join_all
from livingdrug.clinical.lymphoma_lesions import Amount, ask_amounts
from livingdrug.clinical.lymphoma_state import Book, Seen
from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Truth

SPLEEN = "spleen_length"


def find_spleen_growth(now: Measured | None, seen: Seen, book: Book) -> Finding:
    """Ask whether the spleen has progressed: beyond 13 cm, and far enough beyond what it was.

    An enlarged spleen must grow by more than half of its excess over 13 cm, a normal one by 2 cm to beyond
    13 cm. A spleen that was normal and is not mentioned has not become large.
    """
    clause = "spleen has grown"
    rules = book.rules
    normal = rules.threshold("spleen_normal")
    before = seen.baseline.get(SPLEEN) if book.chosen["spleen_reference"] == "baseline" else seen.spleen
    is_enlarged = before is not None and before.value is not None and is_above(before.value, normal)
    if now is None or now.value is None:
        must_be_stated = before is not None and book.chosen["new_lesions"] == "stated_at_every_scan"
        if not (is_enlarged or must_be_stated) or book.chosen["unseen_parts"] == "as_seen":
            return Finding(clause, Truth.FALSE, note="no large spleen was recorded")
        return Finding(clause, Truth.UNKNOWN, missing=(SPLEEN,))
    amounts = [_take(before, SPLEEN + " at baseline"), _take(now, SPLEEN)]
    beyond = ask_amounts(f"spleen beyond {normal:g} cm", amounts[1:], ">", rules.thresholds["spleen_normal"])
    if is_enlarged and before is not None and before.value is not None:
        least = Value(float(book.chosen["spleen_least_rise"]), "cm", "design", "option", "assumed")
        limit = before.value + rules.threshold("spleen_rise") / 100.0 * (before.value - normal)
        return join_all(
            clause,
            (
                beyond,
                ask_amounts(
                    f"more than half of its excess longer, beyond {limit:.4g} cm",
                    amounts,
                    ">",
                    Value(limit, "cm", "cheson2014", "of this spleen", "derived"),
                ),
                ask_amounts(f"up at least {least.value:g} cm", amounts, "rise >=", least),
            ),
        )
    if book.chosen["new_splenomegaly"] == "any":
        first = ask_amounts("length known before", amounts, ">", rules.thresholds["spleen_normal"])
        return join_all(clause, (beyond, first))
    step = rules.thresholds["spleen_step"]
    rise = ask_amounts(f"up at least {step.value:g} {step.unit}", amounts, "rise >=", step)
    return join_all(clause, (beyond, rise))


def _take(found: Measured | None, name: str) -> Amount:
    if found is None or found.value is None:
        return Amount(None, () if found is None else (found.row,), (name,))
    return Amount(found.value, (found.row,))


def find_spleen_normal(now: Measured | None, seen: Seen, book: Book) -> Finding:
    """Ask whether the spleen is at most 13 cm long; one that was never measured is not asked about."""
    normal = book.rules.thresholds["spleen_normal"]
    clause = f"spleen at most {normal.value:g} {normal.unit}"
    before = seen.baseline.get(SPLEEN)
    was_large = before is not None and before.value is not None and is_above(before.value, normal.value)
    must_be_stated = before is not None and book.chosen["new_lesions"] == "stated_at_every_scan"
    if now is None and not ((was_large or must_be_stated) and book.chosen["unseen_parts"] == "not_evaluable"):
        return Finding(clause, Truth.TRUE, () if before is None else (before.row,), note="no large spleen was recorded")
    return ask_amounts(clause, [_take(now, SPLEEN)], "<=", normal)


def find_spleen_shrunk(now: Measured | None, seen: Seen, book: Book) -> Finding:
    """Ask whether a spleen that was too long at baseline has lost more than half of its excess."""
    normal, fall = book.rules.thresholds["spleen_normal"], book.rules.thresholds["spleen_fall"]
    clause = f"excess of the spleen over {normal.value:g} {normal.unit} down more than {fall.value:g} %"
    before = seen.baseline.get(SPLEEN)
    if before is None or before.value is None or not is_above(before.value, normal.value):
        return Finding(clause, Truth.TRUE, () if before is None else (before.row,), note="it was not enlarged")
    if now is None and book.chosen["unseen_parts"] == "as_seen":
        return Finding(clause, Truth.TRUE, note="the spleen was not measured")
    amounts = [_take(before, SPLEEN), _take(now, SPLEEN)]
    excess = [Amount(None if a.value is None else max(0.0, a.value - normal.value), a.rows, a.missing) for a in amounts]
    return ask_amounts(clause, excess, "percent fall > to 15 digits", fall)
