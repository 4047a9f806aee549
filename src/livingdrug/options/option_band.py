"""The band of an option: excluded, needs data, plausible or supported; no score, and nothing that a simulation moves.

``excluded``: a required rule fails. ``needs_data``: a required rule is not known. ``supported``: every rule is met,
nothing speaks against it, and two independent items that were read, in the same disease after the same target, support
it without an item of equal certainty that cuts the other way. ``plausible``: the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from livingdrug.core.evidence_item import EvidenceItem
from livingdrug.core.fact_state import FactState
from livingdrug.core.option import Option
from livingdrug.core.ruleset import Truth
from livingdrug.options.facts import FactTable
from livingdrug.options.option_rules import RuleState, find_target

MechanismFit = Literal["favours", "neutral", "against"]
FITS: tuple[MechanismFit, ...] = ("against", "neutral", "favours")
INDEPENDENT = 2
"""Independent items that support an option."""
ALWAYS = ("supportive", "palliative")
UNRANKED = ("solid",)
"""Diseases whose options are listed and not ranked: no reliable comparison exists."""


class Band(StrEnum):
    """How far an option fits this patient, as far as the record and the evidence tell."""

    EXCLUDED = "excluded"
    NEEDS_DATA = "needs_data"
    PLAUSIBLE = "plausible"
    SUPPORTED = "supported"

    @property
    def rank(self) -> int:
        """Place from excluded to supported."""
        return _RANKS[self]

    @property
    def is_offered(self) -> bool:
        """Whether it can be considered on what is known."""
        return self in (Band.PLAUSIBLE, Band.SUPPORTED)


_RANKS = {band: place for place, band in enumerate(Band)}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an option came to for one patient.

    Parameters
    ----------
    option : Option
    band : Band
    states : tuple of RuleState
    fit : str
        Whether the reason of the failure favours it or speaks against it.
    deciding : tuple of RuleState
        The rules that decided the band.
    waiting : tuple of RuleState
        What is to be settled before use: not known, or not so at present.
    cautions : tuple of RuleState
        Those that are there.
    supporting : tuple of str
        Evidence that counts for the band.
    limits : tuple of str
        Why it is not supported, in words.
    sureness : int
        Certainty of its best direct evidence, -1 without any.
    """

    option: Option
    band: Band
    states: tuple[RuleState, ...]
    fit: MechanismFit
    deciding: tuple[RuleState, ...]
    waiting: tuple[RuleState, ...]
    cautions: tuple[RuleState, ...]
    supporting: tuple[str, ...]
    limits: tuple[str, ...]
    sureness: int

    @property
    def is_always_shown(self) -> bool:
        """Whether it goes with every choice and stands in a panel of its own."""
        return self.option.kind in ALWAYS


def judge_option(
    option: Option, states: Sequence[RuleState], table: FactTable, evidence: Mapping[str, EvidenceItem], disease: str
) -> Judgement:
    """Put an option into its band."""
    required = [one for one in states if one.rule.need == "required" and one.rule.role in _GATES]
    failing = [one for one in required if _is_bar(one)]
    open_ones = [one for one in required if one.state.truth == Truth.UNKNOWN]
    to_settle = [one for one in states if one.rule.need == "confirm" and one.rule.role in _GATES]
    waiting = tuple(one for one in to_settle if one.state != _wanted(one))
    supporting, sureness = find_support(option, table, evidence, disease)
    limits: list[str] = []
    if failing or open_ones:
        band, deciding = (Band.EXCLUDED, failing) if failing else (Band.NEEDS_DATA, open_ones)
    else:
        limits = _find_limits(option, states, waiting, supporting, evidence, disease)
        band, deciding = Band.PLAUSIBLE if limits else Band.SUPPORTED, []
    cautions = tuple(one for one in states if one.rule.role == "caution" and one.state == FactState.MET)
    fit = find_fit(states)
    return Judgement(
        option, band, tuple(states), fit, tuple(deciding), waiting, cautions, supporting, tuple(limits), sureness
    )


_GATES = ("eligibility", "contraindication")


def _wanted(one: RuleState) -> FactState:
    return FactState.NOT_MET if one.rule.role == "contraindication" else FactState.MET


def _is_bar(one: RuleState) -> bool:
    return one.state == ~_wanted(one)


def find_fit(states: Sequence[RuleState]) -> MechanismFit:
    """Return whether the reason of the failure favours an option; what speaks both ways is neutral."""
    effects = {one.rule.role for one in states if one.state == FactState.MET}
    if "against" in effects:
        return "neutral" if "favours" in effects else "against"
    return "favours" if "favours" in effects else "neutral"


def find_support(
    option: Option, table: FactTable, evidence: Mapping[str, EvidenceItem], disease: str
) -> tuple[tuple[str, ...], int]:
    """Return the items that count, and the certainty of the best: read, same disease, after the same target."""
    target = find_target(table)
    items = [evidence[name] for name in option.outcomes]
    direct = [
        item
        for item in items
        if item.disease == disease
        and target
        and item.prior_car_target == target
        and not item.is_recalled
        and item.direction in ("reports", "supports")
    ]
    return tuple(item.id for item in direct), max((item.sureness for item in direct), default=-1)


def _find_limits(
    option: Option,
    states: Sequence[RuleState],
    waiting: Sequence[RuleState],
    supporting: Sequence[str],
    evidence: Mapping[str, EvidenceItem],
    disease: str,
) -> list[str]:
    """Say why an option is not supported; nothing where it is."""
    limits = []
    if option.kind != "active" or disease in UNRANKED:
        limits.append("it is shown and not graded" if option.kind != "investigational" else "it is investigational")
    items = [evidence[name] for name in supporting]
    if len({item.study for item in items}) < INDEPENDENT:
        limits.append("there are no two independent studies in this disease after this target")
    best = max((item.sureness for item in items), default=-1)
    if items and best < 1:
        limits.append("the certainty of all its evidence is very low")
    against = [evidence[name] for name in option.disconfirming]
    if any(item.sureness >= best for item in against) and items:
        limits.append("evidence that cuts the other way is as certain")
    if waiting:
        limits.append("something is still to be settled before use")
    if any(one.rule.role == "against" and one.state != FactState.NOT_MET for one in states):
        limits.append("the reason of the failure speaks against it, or is not known")
    if any(one.rule.name == "antigen_present" and _is_low(one) for one in states):
        limits.append("the antigen is low")
    return limits


def _is_low(one: RuleState) -> bool:
    return any(fact.value == "low" for fact in one.trace.facts)
