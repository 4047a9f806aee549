"""Progression under immunotherapy, scan by scan: unconfirmed, confirmed, or followed by a new start.

A block opens with an unconfirmed progression (iUPD). At the next scan that counts it is confirmed (iCPD), stands,
or ends because the disease of the baseline responds or is stable again: the bar is reset, and a later progression
opens a new block. Source: seymour2017.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from livingdrug.clinical.comparison import find_word, join_any
from livingdrug.clinical.irecist_view import NEW_DISEASE, REST, TARGET, NewDisease, View, get_lesion
from livingdrug.clinical.lesion_response import (
    CR,
    NE,
    OTHER,
    PD,
    PR,
    SD,
    Judged,
    LesionSum,
    add_up,
    compare_sums,
)
from livingdrug.clinical.lesions import NEW, NEW_TARGETS, see
from livingdrug.clinical.solid_scan import Seen, combine
from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, Ruleset, Truth

RANK = (PD, SD, PR, CR)
REST_RANK = (PD, OTHER, CR)
GREW = ("increased", "unequivocal_progression")


@dataclass(frozen=True, slots=True)
class Block:
    """An unconfirmed progression and what the next scan is compared with.

    Parameters
    ----------
    first_day, last_day : float
        Of the first and the last scan that showed it.
    kinds : frozenset of str
        Kinds of disease that had progressed.
    target_category, other_category : str or None
        What else the first scan showed.
    target_sum : LesionSum or None
    words : mapping of str to str
        Of lesions that are not measured.
    new_sizes : mapping of str to Measured
        New lesions that were measured.
    """

    first_day: float
    last_day: float
    kinds: frozenset[str]
    target_category: str | None
    other_category: str | None
    target_sum: LesionSum | None
    words: Mapping[str, str]
    new_sizes: Mapping[str, Measured]


@dataclass(frozen=True, slots=True)
class State:
    """What a reader knows before a scan."""

    seen: Seen
    new: NewDisease = field(default_factory=NewDisease)
    block: Block | None = None
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What a scan shows: category in the words of RECIST 1.1 with iUPD, iCPD for progression; why; what is next."""

    category: str
    findings: tuple[Finding, ...]
    state: State
    note: str = ""


def find_further(view: View, block: Block, known: frozenset[str], rules: Ruleset, words: str) -> Finding:
    """Ask whether a scan confirms the progression of a block.

    Parameters
    ----------
    known : new lesions that were known before the scan
    words : ``state`` or ``change``
        What the words for lesions that are not measured say.
    """
    asked = []
    limit = rules.threshold("further_rise")
    if view.parts.target is not None:
        if TARGET in block.kinds and view.parts.total is not None:
            clause = f"sum of target lesions up a further {limit:g} mm"
            asked.append(compare_sums(clause, block.target_sum, view.parts.total, "rise >=", (rules, "further_rise")))
        elif TARGET not in block.kinds:
            asked.append(view.progressed[TARGET])
    if view.parts.other is not None:
        asked += _find_more_others(view, block, words) if REST in block.kinds else [view.progressed[REST]]
    asked.append(view.additional)
    asked += _find_more_new(view, block, known, rules)
    return join_any("progression is confirmed", asked)


def _find_more_others(view: View, block: Block, words: str) -> list[Finding]:
    """Ask which lesions that are not measured have increased further, or progressed where they had not."""
    asked = []
    for name, found in view.scan.select("non_target_lesion").items():
        seen = see(found)
        asked.append(find_word(f"{name} increased further", name, seen, "increased"))
        if words == "change" or block.words.get(name) != "unequivocal_progression":
            asked.append(find_word(f"{name} progressed unequivocally", name, seen, "unequivocal_progression"))
    return asked


def _find_more_new(view: View, block: Block, known: frozenset[str], rules: Ruleset) -> list[Finding]:
    asked = []
    sizes = {name: m for name, m in block.new_sizes.items() if get_lesion(name) in view.new.known}
    if any(name in view.scan.measured for name in sizes):
        limit = rules.threshold("further_rise")
        before, now = add_up(sizes, tuple(sizes)), add_up(view.scan.measured, tuple(sizes))
        clause = f"sum of new lesions up a further {limit:g} mm"
        asked.append(compare_sums(clause, before, now, "rise >=", (rules, "further_rise")))
    for name, found in view.scan.select("new_non_target_lesion").items():
        if get_lesion(name) in known:
            asked += [find_word(f"{name} {word.replace('_', ' ')}", name, see(found), word) for word in GREW]
    return asked


def open_block(view: View) -> Block:
    """Return the block that an unconfirmed progression opens."""
    kinds = {kind for kind, finding in view.progressed.items() if finding.truth == Truth.TRUE}
    if Truth.TRUE in (view.additional.truth, view.growth.truth):
        kinds.add(NEW_DISEASE)
    parts, day = view.parts, view.scan.day
    return Block(
        day,
        day,
        frozenset(kinds),
        None if parts.target is None else parts.target.category,
        None if parts.other is None else parts.other.category,
        parts.total if parts.total is not None and parts.total.is_complete else None,
        *_note_sizes(view),
    )


def _note_sizes(view: View) -> tuple[dict[str, str], dict[str, Measured]]:
    words = {name: m.word for name, m in view.scan.select("non_target_lesion").items() if m.word is not None}
    sizes = view.scan.select(*NEW_TARGETS)
    return words, {n: m for n, m in sizes.items() if m.value is not None and get_lesion(n) in view.new.known}


def continue_block(block: Block, view: View, reference: str) -> Block:
    """Return a block that one more scan shows; the next is compared with its first scan, or with this one."""
    words, sizes = _note_sizes(view)
    total = view.parts.total if view.parts.total is not None and view.parts.total.is_complete else None
    if reference == "first":
        # a lesion first measured now is compared with now
        sizes, words, total = {**sizes, **block.new_sizes}, dict(block.words), block.target_sum or total
    return replace(
        block,
        last_day=view.scan.day,
        target_sum=total or block.target_sum,
        words=words,
        new_sizes={**block.new_sizes, **sizes},
    )


def is_evaluable(view: View, block: Block) -> bool:
    """Whether a scan can say that the progression of a block is over."""
    target, other = view.parts.target, view.parts.other
    if target is None and other is None:
        return NEW_DISEASE in block.kinds and bool(view.scan.select(*NEW))
    if target is not None and target.category == NE:
        return False
    is_needed = target is None or REST in block.kinds
    return not (is_needed and other is not None and other.category == NE)


def still_stands(view: View, block: Block, words: str, policy: str) -> bool:
    """Whether the progression of a block stands: the disease is as large, or a new lesion stays as it was."""
    target, other = view.parts.target, view.parts.other
    if (target is not None and target.category == PD) or (other is not None and other.category == PD):
        return True
    if words == "change" and REST in block.kinds and other is not None and other.category == OTHER:
        return True
    if not view.new.known or policy == "resets":
        return False
    return policy == "stays_unconfirmed" or not _has_improved(view, block)


def _has_improved(view: View, block: Block) -> bool:
    return _is_better(view.parts.target, block.target_category, RANK) or _is_better(
        view.parts.other, block.other_category, REST_RANK
    )


def _is_better(part: Judged | None, before: str | None, ranks: Sequence[str]) -> bool:
    if part is None or before not in ranks or part.category not in ranks:
        return False
    return ranks.index(part.category) > ranks.index(before)


def name_without_progression(view: View) -> str:
    """Return the overall response where nothing progresses; a new lesion that is still there rules out the best."""
    parts = replace(view.parts, progression=Finding("progression", Truth.FALSE))
    category = combine(parts)
    if category == CR and view.new.known:
        return PR if parts.target is not None else OTHER
    return category
