"""Lesions of lymphoma in two diameters: their products, each with a nadir of its own, and the sum of them all.

Source: cheson2014.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from livingdrug.clinical.comparison import COMPARISONS, join_all, join_any
from livingdrug.clinical.lesions import get_base
from livingdrug.clinical.lymphoma_reading import find_partner
from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, Ruleset, Truth

BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number made of one row or several; None where one of them is missing."""

    value: float | None
    rows: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """Both diameters of a lesion and their product."""

    longest: Amount
    shortest: Amount
    product: Amount


@dataclass(frozen=True, slots=True)
class Lowest:
    """The smallest that a lesion was: its product, each diameter, and both on the day of the smallest product."""

    own: Size
    at_product: Size
    was_gone: bool = False


@dataclass(frozen=True, slots=True)
class LesionHistory:
    """What lesions and their sum are compared with.

    Parameters
    ----------
    lowest : mapping of lesion to Lowest
    baseline, nadir : Amount or None
        Of the sum; the nadir is that of scans on which every lesion was measured, the baseline included.
    """

    lowest: Mapping[str, Lowest] = field(default_factory=dict)
    baseline: Amount | None = None
    nadir: Amount | None = None


def ask_amounts(
    clause: str, amounts: Sequence[Amount | None], comparison: str, limit: Value | float, note: str = ""
) -> Finding:
    """Ask a question of amounts; unknown if one of them is.

    Examples
    --------
    >>> ask_amounts("up by half", [Amount(100.0, (0,)), Amount(150.0, (3, 4))], "percent rise >=", 50.0).rows
    (0, 3, 4)
    """
    threshold, unit = (limit, "") if isinstance(limit, float) else (limit.value, limit.unit)
    rows = tuple([row for a in amounts if a is not None for row in a.rows])
    values = tuple([a.value for a in amounts if a is not None and a.value is not None])
    missing = tuple(
        dict.fromkeys(
            [name for a in amounts if a is None or a.value is None for name in (a.missing if a else (BASELINE,))]
        )
    )
    if len(values) < len(amounts):
        return Finding(clause, Truth.UNKNOWN, rows, values, threshold, missing or (BASELINE,), note, comparison, unit)
    truth = Truth.of(COMPARISONS[comparison](values, threshold))
    missing = (BASELINE,) if truth == Truth.UNKNOWN else ()
    return Finding(clause, truth, rows, values, threshold, missing, note, comparison, unit)


def measure(name: str, measured: Mapping[str, Measured]) -> Size:
    """Return the size of a lesion; one that is gone, or too small to measure, needs one diameter only.

    Where the diameter across is the longer one the two are exchanged.

    Examples
    --------
    >>> found = {"node_longest_diameter:N1": Measured(0.0, None, 0, 42.0)}
    >>> measure("node_longest_diameter:N1", found).product
    Amount(value=0.0, rows=(0,), missing=())
    """
    partner = find_partner(name)
    long, short = measured.get(name), measured.get(partner)
    if short is None and long is not None and (long.value == 0.0 or long.limit is not None):
        short = long
    longest, shortest = _take(name, long), _take(partner, short)
    if longest.value is not None and shortest.value is not None and shortest.value > longest.value:
        longest, shortest = shortest, longest
    rows = tuple(dict.fromkeys(longest.rows + shortest.rows))
    if longest.value is None or shortest.value is None:
        return Size(longest, shortest, Amount(None, rows, longest.missing + shortest.missing))
    return Size(longest, shortest, Amount(longest.value * shortest.value, rows))


def _take(name: str, found: Measured | None) -> Amount:
    if found is None or found.value is None:
        return Amount(None, () if found is None else (found.row,), (name,))
    return Amount(found.value, (found.row,))


def add_products(names: Sequence[str], measured: Mapping[str, Measured]) -> Amount | None:
    """Return the sum of the products of lesions, or the sum that was recorded where none is named; None without."""
    if not names:
        total = measured.get("tumour_spd")
        if total is None:
            return None
        return Amount(total.value, (total.row,), ("tumour_spd",) if total.value is None else ())
    products = [measure(name, measured).product for name in names]
    rows = tuple(row for p in products for row in p.rows)
    missing = tuple(name for p in products for name in p.missing)
    return Amount(None if missing else sum(p.value or 0.0 for p in products), rows, missing)


def start_lesions(names: Sequence[str], baseline: Mapping[str, Measured]) -> LesionHistory:
    """Return what the first scan is compared with."""
    total = add_products(names, baseline)
    sizes = {name: measure(name, baseline) for name in names}
    lowest = {name: Lowest(size, size) for name, size in sizes.items()}
    return LesionHistory(lowest, total, total if total is not None and total.value is not None else None)


def include_scan(history: LesionHistory, names: Sequence[str], measured: Mapping[str, Measured]) -> LesionHistory:
    """Return the history with one more scan; lesions named later have their first size as their nadir."""
    lowest = dict(history.lowest)
    for name in dict.fromkeys([*names, *lowest]):
        if name in measured or find_partner(name) in measured:
            size = measure(name, measured)
            lowest[name] = _lower(lowest[name], size) if name in lowest else Lowest(size, size)
    total = add_products(names, measured)
    is_lower = total is not None and total.value is not None
    if is_lower and history.nadir is not None and history.nadir.value is not None and total is not None:
        is_lower = (total.value or 0.0) < history.nadir.value
    nadir = total if is_lower and history.baseline is not None else history.nadir
    return replace(history, lowest=lowest, nadir=nadir)


def _lower(before: Lowest, now: Size) -> Lowest:
    own = Size(
        _least(before.own.longest, now.longest),
        _least(before.own.shortest, now.shortest),
        _least(before.own.product, now.product),
    )
    is_least = _least(before.at_product.product, now.product) is now.product
    gone = before.was_gone or now.longest.value == 0.0
    return Lowest(own, now if is_least else before.at_product, gone)


def _least(before: Amount, now: Amount) -> Amount:
    if now.value is None:
        return before
    return now if before.value is None or now.value < before.value else before


def find_growth(name: str, now: Size, lowest: Lowest | None, rules: Ruleset, chosen: Mapping[str, object]) -> Finding:
    """Ask whether one lesion has progressed: abnormal, its product up by half, and a diameter up far enough.

    Source
    ------
    cheson2014
    """
    clause = f"{name} has grown"
    nadir = None if lowest is None else lowest.own
    start = None if lowest is None else lowest.own if chosen["diameter_nadir"] == "own" else lowest.at_product
    abnormal, rise = rules.thresholds["lesion_normal"], rules.thresholds["lesion_rise"]
    small = rules.thresholds["small_lesion"]
    reference = now.longest if chosen["increment_by"] == "now" else (None if start is None else start.longest)
    is_large = ask_amounts("lesion larger than small", [reference], ">", small).truth
    step = rules.thresholds["step_large" if is_large == Truth.TRUE else "step_small"]
    steps = [
        ask_amounts(f"{what} diameter up at least {step.value:g} {step.unit} from its lowest", pair, "rise >=", step)
        for what, pair in (
            ("longest", [None if start is None else start.longest, now.longest]),
            ("shortest", [None if start is None else start.shortest, now.shortest]),
        )
    ]
    return join_all(
        clause,
        (
            ask_amounts(f"longest diameter above {abnormal.value:g} {abnormal.unit}", [now.longest], ">", abnormal),
            ask_amounts(
                f"product of diameters up at least {rise.value:g} % from its own nadir",
                [None if nadir is None else nadir.product, now.product],
                "percent rise >=",
                rise,
            ),
            join_any("a diameter up far enough", steps),
        ),
    )


def find_regrowth(name: str, now: Size, lowest: Lowest | None, rules: Ruleset, policy: str) -> Finding:
    """Ask whether a lesion that had resolved is back, at the size that a new one must have.

    Parameters
    ----------
    policy : ``not_visible`` or ``normal_size``
        Whether resolved is only a lesion that had gone, or also a node of normal size.
    """
    clause = f"{name}, resolved before, is back"
    normal = rules.thresholds["lesion_normal"]
    is_node = get_base(name).startswith("node")
    is_resolved = lowest is not None and lowest.was_gone
    if not is_resolved and policy == "normal_size" and is_node and lowest is not None:
        length = lowest.own.longest.value
        is_resolved = length is not None and length <= normal.value
    if not is_resolved:
        return Finding(clause, Truth.FALSE, note="it had not resolved")
    limit = rules.thresholds["new_node" if is_node else "new_extranodal"]
    return ask_amounts(clause, [now.longest], ">", limit)
