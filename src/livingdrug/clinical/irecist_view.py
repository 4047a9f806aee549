"""One scan as iRECIST sees it: what has progressed of targets, of other lesions, and of new ones.

New lesions stay out of the sum of targets; each kind of disease has a nadir of its own. Source: seymour2017.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from livingdrug.clinical.comparison import find_word, join_any
from livingdrug.clinical.lesion_response import Judged, LesionSum, add_up, find_rise
from livingdrug.clinical.lesions import NEW, NEW_TARGETS, Reading, Scan, see
from livingdrug.clinical.new_lesions import find_presence, find_reappeared
from livingdrug.clinical.solid_scan import Parts, Seen
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

TARGET, REST, NEW_DISEASE = "target", "other", "new"
"""Kinds of disease that may progress."""


@dataclass(frozen=True, slots=True)
class NewDisease:
    """New lesions that are known and not gone, by what they are called, and the smallest sum of measured ones."""

    known: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    nadir: LesionSum | None = None


@dataclass(frozen=True, slots=True)
class View:
    """One scan as the state machine sees it."""

    scan: Scan
    parts: Parts
    additional: Finding
    new: NewDisease
    growth: Finding
    progressed: Mapping[str, Finding]


def get_lesion(name: str) -> str:
    """Return what a lesion is called: its name after the colon."""
    return name.partition(":")[2]


def view_scan(
    scan: Scan,
    reading: Reading,
    parts: Parts,
    seen: Seen,
    before: NewDisease,
    rules: Ruleset,
    chosen: Mapping[str, OptionValue],
) -> View:
    """Ask of a scan what has progressed: targets, other lesions of the baseline, new lesions."""
    presence: dict[str, list[Finding]] = {}
    for name, found in sorted(scan.select(*NEW).items()):
        presence.setdefault(get_lesion(name), []).append(find_presence(name, found, rules))
    there = {lesion: join_any(f"new lesion {lesion}".strip(), asked) for lesion, asked in presence.items()}
    if len(there) > 1 or (before.known and "" in there and "" not in before.known):
        # a word on new lesions at large, where they are named, is about those
        there.pop("", None)
    additional = _find_additional(there, before.known)
    new = _follow_new(scan, there, before)
    growth = _find_growth(scan, before, rules)
    policy, has_response = str(chosen["reappearance"]), seen.has_complete_response
    back = [
        find_reappeared(scan, targets, others, rules, policy) if has_response else None
        for targets, others in ((reading.targets, ()), ((), seen.others))
    ]
    progressed = {
        TARGET: _join_kind("progression of target lesions", parts.target, back[0]),
        REST: _join_kind("progression of other lesions", parts.other, back[1]),
    }
    return View(scan, parts, additional, new, growth, progressed)


def _join_kind(clause: str, part: Judged | None, back: Finding | None) -> Finding:
    asked = [finding for finding in (None if part is None else part.progression, back) if finding is not None]
    return asked[0] if len(asked) == 1 else join_any(clause, asked)


def _find_additional(there: Mapping[str, Finding], known: frozenset[str]) -> Finding:
    clause = "additional new lesion" if known else "new lesion"
    asked = [finding for lesion, finding in there.items() if lesion not in known]
    if not asked:
        return Finding(clause, Truth.FALSE, note="none was recorded")
    if known == {""}:
        rows = tuple(row for finding in asked for row in finding.rows)
        note = "may be the one that was seen before without a name"
        return Finding(clause, Truth.UNKNOWN, rows, missing=("new_lesion",), note=note)
    return join_any(clause, asked)


def _follow_new(scan: Scan, there: Mapping[str, Finding], new: NewDisease) -> NewDisease:
    """Add new lesions that are there and leave out those that are gone; one without a row is still there."""
    gone = {lesion for lesion, finding in there.items() if finding.truth == Truth.FALSE}
    found = {lesion for lesion, finding in there.items() if finding.truth == Truth.TRUE}
    known = (new.known - gone) | found
    if found - {""}:
        known -= {""}
    measured = {n: m for n, m in scan.select(*NEW_TARGETS).items() if get_lesion(n) in known and m.value is not None}
    names = tuple(sorted({*(name for name in new.names if get_lesion(name) in known), *measured}))
    total = add_up(scan.measured, names) if names else None
    nadir = new.nadir if names == new.names else None
    if total is not None and total.is_complete and (nadir is None or total.value < nadir.value):
        nadir = total
    return NewDisease(frozenset(known), names, nadir)


def _find_growth(scan: Scan, new: NewDisease, rules: Ruleset) -> Finding:
    """Ask whether known new lesions progress by the rules for those of the baseline."""
    asked = []
    if new.names and any(name in scan.measured for name in new.names):
        asked.append(find_rise(new.nadir, add_up(scan.measured, new.names), rules, "new lesions"))
    for name, found in scan.select("new_non_target_lesion").items():
        if get_lesion(name) in new.known:
            clause = f"{name} progressed unequivocally"
            asked.append(find_word(clause, name, see(found), "unequivocal_progression"))
    return join_any("progression of new lesions", asked)
