"""What a reader of lymphoma images has seen before a scan, and what a part of a scan answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from livingdrug.clinical.comparison import OPEN_WORDS, find_word
from livingdrug.clinical.lesions import Reading, Scan, get_base
from livingdrug.clinical.lymphoma_lesions import LesionHistory, include_scan, start_lesions
from livingdrug.clinical.lymphoma_reading import CT, MARROW, PET, is_known, list_lesions
from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

CR, PR, SD, PD, NE, ND = "CR", "PR", "SD", "PD", "NE", "ND"
EVALUABLE = (CR, PR, SD, PD)
LEVELS: Mapping[str, str] = {CR: "complete response", PR: "partial response", SD: "stable disease", PD: "progression"}


@dataclass(frozen=True, slots=True)
class Book:
    """The ruleset with the options as chosen."""

    rules: Ruleset
    chosen: Mapping[str, OptionValue]


@dataclass(frozen=True, slots=True)
class Part:
    """What PET, or CT, says at one scan.

    Parameters
    ----------
    category : CR, PR, SD, PD, or NE where it was done and says none of them
    levels : mapping of category to Finding
        Whether each clause holds.
    clauses : mapping of str to Finding
        The kinds of progression, each asked.
    is_open : bool
        True where the images can be judged and only the words for it are missing.
    """

    category: str
    levels: Mapping[str, Finding] = field(default_factory=dict)
    clauses: Mapping[str, Finding] = field(default_factory=dict)
    is_open: bool = False

    def list_open(self) -> tuple[list[str], list[str]]:
        """Return what was not known, and what it could change."""
        order = list(LEVELS)
        unknowns: list[str] = []
        changes: list[str] = []
        for category, finding in self.levels.items():
            is_above = category == PD or self.category == NE or order.index(category) < order.index(self.category)
            if finding.truth == Truth.UNKNOWN and is_above and self.category != PD:
                unknowns += finding.missing
                names = " and ".join(finding.missing) or "it"
                changes.append(f"{LEVELS[category]}, if {names} were known to show it")
        return list(dict.fromkeys(unknowns)), changes


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scan is compared with.

    Parameters
    ----------
    baseline : mapping of str to Measured
    history : LesionHistory
    targets, others : tuple of str
        Lesions of the baseline that are measured, and lesions that are not.
    spleen : Measured or None
        The shortest so far, the baseline included.
    resolved : frozenset of str
        Lesions that are not measured and had gone.
    marrow : Measured or None
        The last biopsy that said something; ``is_marrow_clear`` and ``was_marrow_involved`` of all so far.
    last_pet : str
        The last category that a PET gave; empty before.
    was_uptake_gone : bool
        Whether a PET was a complete metabolic response.
    is_marrow_cold : bool
        Whether the marrow was seen without uptake.
    """

    baseline: Mapping[str, Measured]
    history: LesionHistory
    targets: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    spleen: Measured | None = None
    resolved: frozenset[str] = frozenset()
    marrow: Measured | None = None
    is_marrow_clear: bool = False
    was_marrow_involved: bool = False
    last_pet: str = ""
    was_uptake_gone: bool = False
    is_marrow_cold: bool = False

    @property
    def has_baseline(self) -> bool:
        """Whether anything was imaged before."""
        return any(get_base(name) in (*CT, *PET) for name in self.baseline)


def start_seen(reading: Reading) -> Seen:
    """Return what is known after the baseline."""
    baseline = reading.baseline
    targets = list_lesions(baseline)
    others = tuple(name for name in baseline if get_base(name) == "non_target_lesion")
    seen = Seen(baseline, start_lesions(targets, baseline), targets, others, baseline.get("spleen_length"))
    return _remember_words(seen, baseline)


def see_scan(scan: Scan, seen: Seen) -> Seen:
    """Add the lesions that a scan names for the first time and does not measure."""
    others = tuple(name for name in scan.measured if get_base(name) == "non_target_lesion")
    return replace(seen, others=tuple(dict.fromkeys((*seen.others, *others))))


def remember(scan: Scan, seen: Seen, pet: Part | None) -> Seen:
    """Return what is known after a scan."""
    spleen = scan.measured.get("spleen_length")
    lowest = seen.spleen
    if spleen is not None and spleen.value is not None:
        is_less = lowest is None or lowest.value is None or spleen.value < lowest.value
        lowest = spleen if is_less else lowest
    gone = {name for name, found in scan.select("non_target_lesion").items() if found.word == "absent"}
    category = pet.category if pet is not None and pet.category in EVALUABLE else seen.last_pet
    seen = replace(
        seen,
        history=include_scan(seen.history, seen.targets, scan.measured),
        spleen=lowest,
        resolved=seen.resolved | gone,
        last_pet=category,
        was_uptake_gone=seen.was_uptake_gone or (pet is not None and pet.category == CR),
    )
    return _remember_words(seen, scan.measured)


def _remember_words(seen: Seen, measured: Mapping[str, Measured]) -> Seen:
    marrow, cold = measured.get(MARROW), measured.get("fdg_marrow")
    if marrow is not None and is_known(marrow):
        seen = replace(
            seen,
            marrow=marrow,
            is_marrow_clear=seen.is_marrow_clear or marrow.word == "no",
            was_marrow_involved=seen.was_marrow_involved or marrow.word in ("yes", *OPEN_WORDS),
        )
    return replace(seen, is_marrow_cold=seen.is_marrow_cold or (cold is not None and cold.word == "no"))


def negate(clause: str, finding: Finding) -> Finding:
    """Ask the opposite of a question.

    Examples
    --------
    >>> negate("no new lesion", Finding("new lesion", Truth.FALSE, note="none was recorded")).truth
    <Truth.TRUE: 'true'>
    """
    return replace(finding, clause=clause, truth=~finding.truth, comparison="", parts=(), threshold=None, values=())


def ask_other(name: str, found: Measured | None, words: Iterable[str], clause: str) -> Finding:
    """Ask whether the word for a lesion that is not measured is one of some; not evaluable is unknown."""
    if found is None or found.word in (None, "not_evaluable"):
        return find_word(clause, name, None, "present")
    return Finding(clause, Truth.of(found.word in words), (found.row,), note=f"{name} was {found.word}")
