"""New lesions, and disease that is back after a complete response."""

from collections.abc import Sequence
from dataclasses import replace

from livingdrug.clinical.comparison import compare, find_word, join_any
from livingdrug.clinical.lesions import NEW, NEW_TARGETS, Scan, get_base, see
from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, Ruleset, Truth


def find_new(scan: Scan, rules: Ruleset, policy: str = "recorded_when_found") -> Finding:
    """Ask whether a scan shows a new lesion; an equivocal one is unknown.

    Parameters
    ----------
    policy : ``recorded_when_found`` or ``stated_at_every_scan``
        Whether no row means that there is none, or that it is not known.
    """
    clause = "new lesion"
    asked = [find_presence(name, found, rules) for name, found in sorted(scan.select(*NEW).items())]
    if asked:
        return join_any(clause, asked)
    if policy == "stated_at_every_scan":
        return Finding(clause, Truth.UNKNOWN, missing=("new_lesion",), comparison="is yes")
    return Finding(clause, Truth.FALSE, note="none was recorded")


def find_presence(name: str, found: Measured, rules: Ruleset) -> Finding:
    """Ask whether a new lesion is there; a node is from 10 mm on."""
    base = get_base(name)
    if base == "new_lesion":
        return find_word(f"{name} found", name, found, "yes")
    if base in NEW_TARGETS:
        limit = rules.thresholds["node_normal"]
        if base.endswith("node"):
            return compare(f"{name} at least {limit.value:g} {limit.unit}", [(name, found)], ">=", limit)
        return compare(f"{name} there", [(name, found)], ">", 0.0)
    gone = find_word(f"{name} gone", name, see(found), "absent")
    return replace(gone, clause=f"{name} there", truth=~gone.truth, comparison="")


def find_reappeared(scan: Scan, targets: Sequence[str], others: Sequence[str], rules: Ruleset, policy: str) -> Finding:
    """Ask whether disease is back after an overall complete response.

    Parameters
    ----------
    policy : ``definite``, ``any`` or ``by_sum``
        A target outside nodes counts from 5 mm on, or at any size and a node from 10 mm on, or only by the sum;
        another lesion counts unless by the sum.
    """
    clause = "disease is back after complete response"
    if policy == "by_sum":
        return Finding(clause, Truth.FALSE, note="counted by the sum of diameters alone")
    asked = []
    for name in targets:
        found = scan.measured.get(name)
        is_node = get_base(name).endswith("node")
        if found is None or (is_node and policy == "definite"):
            continue
        if policy == "any" and not is_node:
            asked.append(compare(f"{name} is back", [(name, found)], ">", 0.0))
            continue
        limit = rules.thresholds["node_normal" if is_node else "reappeared"]
        asked.append(compare(f"{name} is back, at least {limit.value:g} mm", [(name, found)], ">=", limit))
    for name in others:
        found = see(scan.measured.get(name))
        if found is not None:
            gone = find_word(f"{name} gone", name, found, "absent")
            asked.append(replace(gone, clause=f"{name} is back", truth=~gone.truth, comparison=""))
    return join_any(clause, asked)
