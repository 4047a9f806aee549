"""Nodes, spleen and liver of chronic lymphocytic leukaemia: how large, how large at baseline, and at their smallest.

Source: hallek2018.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from livingdrug.clinical.comparison import compare, find_word, is_at_least, join_all, join_any
from livingdrug.clinical.daily import Result
from livingdrug.clinical.lesions import get_base
from livingdrug.clinical.lymphoma_lesions import BASELINE, Amount, ask_amounts, measure
from livingdrug.clinical.lymphoma_reading import find_partner, list_lesions
from livingdrug.clinical.lymphoma_state import Book, negate
from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Truth

SPLEEN = "spleen_length"
Seen = Mapping[str, Measured]


@dataclass(frozen=True, slots=True)
class Bulk:
    """What the size of nodes and spleen is compared with.

    Parameters
    ----------
    baseline : mapping of str to Measured
    nodes : tuple of str
        Nodes of the baseline, each by the name of its longest diameter.
    smallest : Amount or None
        The smallest sum of the nodes so far.
    spleen : Measured or None
        The shortest so far.
    with_products : bool
        Whether products of both diameters are added up, or longest diameters.
    """

    baseline: Seen
    nodes: tuple[str, ...]
    smallest: Amount | None
    spleen: Measured | None
    with_products: bool

    def add_up(self, measured: Seen) -> Amount:
        """Return the sum of the nodes of the baseline."""
        sizes = [measure(name, measured) for name in self.nodes]
        amounts = [size.product if self.with_products else size.longest for size in sizes]
        missing = tuple(name for a in amounts for name in a.missing)
        rows = tuple(row for a in amounts for row in a.rows)
        return Amount(None if missing else sum(a.value or 0.0 for a in amounts), rows, missing)

    def include(self, measured: Seen, book: Book) -> "Bulk":
        """Return the bulk with one more examination."""
        if book.chosen["progression_reference"] == "baseline":
            return self
        now, spleen = self.add_up(measured), measured.get(SPLEEN)
        smallest, shortest = self.smallest, self.spleen
        if now.value is not None and self.nodes:
            is_less = smallest is None or smallest.value is None or now.value < smallest.value
            smallest = now if is_less else smallest
        if spleen is not None and spleen.value is not None:
            is_less = shortest is None or shortest.value is None or spleen.value < shortest.value
            shortest = spleen if is_less else shortest
        return replace(self, smallest=smallest, spleen=shortest)


def start_bulk(baseline: Seen, book: Book) -> Bulk:
    """Return what the first examination is compared with."""
    nodes = tuple(name for name in list_lesions(baseline) if get_base(name).startswith("node"))
    with_products = book.chosen["nodes_by"] == "products" and any(find_partner(name) in baseline for name in nodes)
    bulk = Bulk(baseline, nodes, None, baseline.get(SPLEEN), with_products)
    return replace(bulk, smallest=bulk.add_up(baseline) if nodes else None)


def find_nodes_normal(measured: Seen, bulk: Bulk, book: Book) -> Finding:
    """Ask whether no node is 1.5 cm or longer; nodes that the record never mentions are not large."""
    limit = book.rules.thresholds["node_normal"]
    clause = f"no node of {limit.value:g} {limit.unit} or more"
    names = dict.fromkeys((*bulk.nodes, *(n for n in list_lesions(measured) if get_base(n).startswith("node"))))
    if not names:
        return find_unmentioned(clause, "node_longest_diameter", book)
    asked = [
        ask_amounts(f"{name} below {limit.value:g}", [measure(name, measured).longest], "<", limit) for name in names
    ]
    return join_all(clause, asked)


def find_unmentioned(clause: str, name: str, book: Book) -> Finding:
    """Answer for what the record never mentions."""
    if book.chosen["unmentioned"] == "unknown":
        return Finding(clause, Truth.UNKNOWN, missing=(name,))
    return Finding(clause, Truth.TRUE, note=f"{name} was never mentioned")


def find_nodes_abnormal(bulk: Bulk, book: Book) -> Finding:
    """Ask whether nodes were enlarged at baseline."""
    return negate("nodes enlarged at baseline", find_nodes_normal(bulk.baseline, bulk, book))


def find_nodes_shrunk(measured: Seen, bulk: Bulk, book: Book) -> Finding:
    """Ask whether nodes are down by half from baseline."""
    limit = book.rules.thresholds["improvement"]
    before = bulk.add_up(bulk.baseline) if bulk.nodes else Amount(None, (), (BASELINE,))
    return ask_amounts(
        f"nodes down at least {limit.value:g} % from baseline",
        [before, bulk.add_up(measured)],
        "percent fall >=",
        limit,
    )


def find_nodes_grown(measured: Seen, bulk: Bulk, book: Book) -> Finding:
    """Ask whether nodes are up by half, one of them large, or a large one is new, or a reader calls a lesion new."""
    rise, least = book.rules.thresholds["worsening"], float(book.chosen["node_least"])
    limit = Value(least, "mm", "design", "option", "assumed")
    present = [name for name in list_lesions(measured) if get_base(name).startswith("node")]
    asked = []
    if bulk.nodes:
        lengths = [measure(name, measured).longest for name in bulk.nodes]
        large = [
            ask_amounts(f"{n} at least {least:g} mm", [a], ">=", limit)
            for n, a in zip(bulk.nodes, lengths, strict=True)
        ]
        pair = [bulk.smallest, bulk.add_up(measured)]
        up = (
            ask_amounts("nodes above their smallest", pair, "rise >", 0.0),
            ask_amounts(f"nodes up at least {rise.value:g} % from their smallest", pair, "percent rise >=", rise),
        )
        asked.append(join_all("nodes have grown", (join_any("a node is large", large), *up)))
    normal = book.rules.thresholds["node_normal"]
    for name in present:
        if name not in bulk.nodes and bulk.nodes:
            size = measure(name, measured).longest
            asked.append(ask_amounts(f"{name} is new, at least {normal.value:g} mm", [size], ">=", normal))
    asked += [
        find_word(f"{name} found", name, found, "yes")
        for name, found in sorted(measured.items())
        if get_base(name) == "new_lesion"
    ]
    return join_any("progression of nodes, or a new lesion", asked)


def _compare_spleen(book: Book, *lengths: Measured | None) -> list[Amount]:
    """Return what is compared of the spleen: its length beyond normal, or its length."""
    normal = book.rules.threshold("spleen_normal") if book.chosen["spleen_by"] == "excess" else 0.0
    return [
        Amount(None, () if m is None else (m.row,), (SPLEEN,))
        if m is None or m.value is None
        else Amount(max(0.0, m.value - normal), (m.row,))
        for m in lengths
    ]


def find_spleen_normal(measured: Seen, signs: Mapping[str, Result], bulk: Bulk, book: Book, *, known: bool) -> Finding:
    """Ask whether spleen and liver are of normal size.

    Parameters
    ----------
    known : bool
        Whether the record mentions an enlarged spleen, or liver, at some time: silence is then no answer.
    """
    limit = book.rules.thresholds["spleen_normal"]
    clause = f"spleen below {limit.value:g} {limit.unit}"
    length = measured.get(SPLEEN)
    if length is not None or (bulk.baseline.get(SPLEEN) is not None and "splenomegaly" not in signs):
        spleen = compare(clause, [(SPLEEN, length)], "<", limit)
    elif "splenomegaly" in signs or known:
        spleen = ask_sign(clause, signs, "splenomegaly", "no")
    else:
        spleen = find_unmentioned(clause, SPLEEN, book)
    return spleen


def find_spleen_shrunk(measured: Seen, signs: Mapping[str, Result], bulk: Bulk, book: Book) -> Finding:
    """Ask whether an enlarged spleen is down by half, or gone where it was only felt."""
    limit = book.rules.thresholds["improvement"]
    before = bulk.baseline.get(SPLEEN)
    if before is None:
        return ask_sign("spleen no longer enlarged", signs, "splenomegaly", "no")
    pair = _compare_spleen(book, before, measured.get(SPLEEN))
    return ask_amounts(f"spleen down at least {limit.value:g} % from baseline", pair, "percent fall >=", limit)


def find_spleen_grown(measured: Seen, signs: Mapping[str, Result], bulk: Bulk, book: Book) -> Finding:
    """Ask whether the spleen is up by half, or newly enlarged."""
    clause = "spleen has grown"
    limits = book.rules.thresholds
    now, before = measured.get(SPLEEN), bulk.spleen
    if now is None and before is None:
        return Finding(clause, Truth.FALSE, note="its length was never recorded")
    normal = limits["spleen_normal"]
    beyond = compare(f"spleen at least {normal.value:g} {normal.unit}", [(SPLEEN, now)], ">=", normal)
    is_large = before is not None and before.value is not None and is_at_least(before.value, normal.value)
    if now is None and "splenomegaly" in signs:
        return Finding(clause, Truth.FALSE, note="it was felt, not measured")
    if is_large:
        pair = _compare_spleen(book, before, now)
        rise = limits["worsening"]
        up = ask_amounts(f"spleen up at least {rise.value:g} % from its smallest", pair, "percent rise >=", rise)
        return join_all(clause, (beyond, up, ask_amounts("spleen above its smallest", pair, "rise >", 0.0)))
    step = limits["spleen_step"]
    lengths = [
        Amount(None, (), (f"{SPLEEN} at baseline",)) if m is None or m.value is None else Amount(m.value, (m.row,))
        for m in (before, now)
    ]
    return join_all(clause, (beyond, ask_amounts(f"up at least {step.value:g} {step.unit}", lengths, "rise >=", step)))


def ask_sign(clause: str, signs: Mapping[str, Result], name: str, expected: str) -> Finding:
    """Ask a word of a day."""
    found = signs.get(name)
    word = None if found is None or found.word is None else Measured(None, found.word, found.row, found.day)
    return find_word(clause, name, word, expected)
