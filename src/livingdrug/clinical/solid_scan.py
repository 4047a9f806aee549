"""One scan of solid tumours: its parts, the overall table that joins them, and what would change the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from livingdrug.clinical.comparison import join_any, list_leaves
from livingdrug.clinical.lesion_response import (
    BASELINE,
    CR,
    NE,
    PD,
    PR,
    Judged,
    LesionSum,
    TargetHistory,
    add_up,
    judge_code,
    judge_others,
    judge_targets,
    start_history,
)
from livingdrug.clinical.lesions import NEW, Reading, Scan, get_base
from livingdrug.clinical.new_lesions import find_new, find_reappeared
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

PROGRESSION = "progression"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader has seen before a scan.

    Parameters
    ----------
    history : TargetHistory
    others : tuple of str
        Lesions that are not measured, as far as they were named.
    has_complete_response : bool
        Whether an overall complete response was seen.
    codes : frozenset of str
        Kinds of coded response that the reader has given.
    states_new_lesions : bool
        Whether the reader has said that there is no new lesion: silence then is not an answer.
    """

    history: TargetHistory
    others: tuple[str, ...] = ()
    has_complete_response: bool = False
    codes: frozenset[str] = frozenset()
    states_new_lesions: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """What a scan shows of each kind of lesions; None where the subject has none of a kind."""

    target: Judged | None
    other: Judged | None
    new: Finding
    progression: Finding
    total: LesionSum | None


def start_seen(reading: Reading) -> Seen:
    """Return what is known after the baseline."""
    others = tuple(sorted(name for name in reading.baseline if get_base(name) == "non_target_lesion"))
    return Seen(start_history(reading.baseline, reading.targets), others)


def see_scan(scan: Scan, seen: Seen) -> Seen:
    """Add what a scan names for the first time: lesions that are not measured, and kinds of codes."""
    others = tuple(sorted({*seen.others, *scan.select("non_target_lesion")}))
    coded = scan.select("target_response", "non_target_response")
    codes = seen.codes | {get_base(name) for name, found in coded.items() if found.word != "nd"}
    return replace(seen, others=others, codes=codes)


def find_parts(scan: Scan, reading: Reading, seen: Seen, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Parts:
    """Judge each kind of lesions; a reader's code stands in where the scan has no measurement of a kind."""
    target = _judge_target(scan, reading, seen, rules, str(chosen["partial_response_stands"]))
    other = _judge_other(scan, seen)
    new = find_new(scan, rules, str(chosen["new_lesions"]))
    asked = [part.progression for part in (target, other) if part is not None] + [new]
    if seen.has_complete_response:
        asked.append(find_reappeared(scan, reading.targets, seen.others, rules, str(chosen["reappearance"])))
    total = add_up(scan.measured, reading.targets) if reading.targets else None
    return Parts(target, other, new, join_any(PROGRESSION, asked), total)


def _judge_target(scan: Scan, reading: Reading, seen: Seen, rules: Ruleset, hold: str) -> Judged | None:
    code = scan.measured.get("target_response")
    is_measured = any(name in scan.measured for name in reading.targets)
    if code is not None and not is_measured and code.word != "nd":
        return judge_code("target_response", code)
    if reading.targets:
        return judge_targets(scan.measured, reading.targets, seen.history, rules, hold)
    return _not_given("target_response") if "target_response" in seen.codes else None


def _judge_other(scan: Scan, seen: Seen) -> Judged | None:
    code = scan.measured.get("non_target_response")
    is_seen = any(name in scan.measured for name in seen.others)
    if code is not None and not is_seen and code.word != "nd":
        return judge_code("non_target_response", code)
    if seen.others:
        return judge_others(scan.measured, seen.others)
    return _not_given("non_target_response") if "non_target_response" in seen.codes else None


def _not_given(name: str) -> Judged:
    return Judged(NE, Finding(f"{name} is progression", Truth.UNKNOWN, missing=(name,)))


def combine(parts: Parts) -> str:
    """Return the overall response of a scan by the table of RECIST 1.1."""
    if parts.progression.truth == Truth.TRUE:
        return PD
    if parts.target is None:
        return NE if parts.other is None else parts.other.category
    if parts.target.category == CR and parts.other is not None and parts.other.category != CR:
        return PR
    return parts.target.category


def list_findings(parts: Parts, category: str) -> tuple[Finding, ...]:
    """Return what an overall response rests on."""
    if category == PD:
        return (parts.progression,)
    own = [finding for part in (parts.target, parts.other) if part is not None for finding in part.findings]
    return (*own, parts.progression)


def list_open(parts: Parts, scan: Scan, reading: Reading, seen: Seen, rules: Ruleset) -> tuple[list[str], list[str]]:
    """Return what was not known at a scan, and what it could change."""
    if parts.progression.truth == Truth.TRUE:
        return [], []
    unknowns: list[str] = []
    changes: list[str] = []
    if parts.target is not None and parts.target.category == NE:
        unknowns += [name for finding in parts.target.findings for name in finding.missing]
        unknowns += list(parts.target.progression.missing)
        changes += _explain_target(parts, seen.history, rules)
    if parts.other is not None and parts.other.category == NE:
        names = parts.other.progression.missing
        unknowns += names
        changes.append(f"progressive disease, if {_list(names)} had progressed unequivocally")
        if parts.target is None or parts.target.category == CR:
            changes.append(f"complete response, if {_list(names)} were known to be gone")
    if parts.new.truth == Truth.UNKNOWN:
        named = [leaf.missing[0] for leaf in list_leaves(parts.new, Truth.UNKNOWN) if leaf.missing]
        unknowns += named
        changes.append(f"progressive disease, if {_list(named)} were confirmed")
    elif seen.states_new_lesions and not scan.select(*NEW):
        unknowns.append("new_lesion")
        changes.append("progressive disease, if a new lesion were found")
    if parts.target is None and parts.other is None:
        unknowns.append(BASELINE)
        changes.append(f"a response, if lesions were known at baseline{reading.voice}")
    return list(dict.fromkeys(unknowns)), changes


def _explain_target(parts: Parts, history: TargetHistory, rules: Ruleset) -> list[str]:
    total = parts.total
    if total is None:
        return ["a response, if the target lesions were measured"]
    if history.baseline is None or not history.baseline.is_complete:
        return ["a response, if every target lesion were known at baseline"]
    if history.nadir is None or not total.missing:
        return []
    rise = 1.0 + rules.threshold("progression_rise") / 100.0
    needed = max(rise * history.nadir.value, history.nadir.value + rules.threshold("progression_absolute"))
    names = _list(total.missing)
    together = " together" if len(total.missing) > 1 else ""
    return [
        f"progressive disease, if {names} measured{together} {needed - total.value:.4g} mm or more",
        f"an evaluable response, if {names} were measured",
    ]


def _list(names: list[str] | tuple[str, ...]) -> str:
    return " and ".join(dict.fromkeys(names)) or "it"


def remember(scan: Scan, seen: Seen, parts: Parts, *, is_complete: bool, ref_confirm: float) -> Seen:
    """Return what is known after a scan."""
    history = seen.history
    if parts.target is not None:
        history = history.include(scan.day, parts.total, parts.target.category, ref_confirm)
    stated = any(found.word == "no" for found in scan.select("new_lesion").values())
    return replace(
        seen,
        history=history,
        has_complete_response=seen.has_complete_response or is_complete,
        states_new_lesions=seen.states_new_lesions or stated,
    )
