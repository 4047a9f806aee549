"""The finest answer that the posterior supports, or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livingdrug.explain.attribution import NONE, Attribution, MechanismShare
from livingdrug.explain.mechanisms import Candidate
from livingdrug.explain.words import join_words, name_mechanism, name_variable

ALIKE = 0.05
"""Mechanisms of a group whose probabilities of being right differ by less are not told apart."""
EQUAL = 0.01
"""Mechanisms whose probabilities differ by less are as probable; the one with the larger share comes first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that the posterior supports: a mechanism, a group, or nothing, and the reason for that.

    ``alike`` are the mechanisms of the group that explain the failure alike, where that is why no single one is named.
    """

    answered: str | None
    level: str
    probability: float
    reason: str
    alike: tuple[str, ...] = ()


def choose_answer(
    attribution: Attribution,
    catalogue: Sequence[Candidate],
    observed: Sequence[str],
    *,
    enough: float = 0.6,
    enough_group: float | None = None,
    withheld: str = "",
) -> Answer:
    """Choose the finest answer that the posterior supports.

    Of mechanisms of several groups that are as probably right, each alone would have averted the failure: the one with
    the largest share is answered, and the narrative says the tie.

    Parameters
    ----------
    observed : sequence of str
        Variables measured in this patient, at a time when they tell.
    enough : float
        Probability of being right at which an answer is given: that the mechanism is the reason, alone or tied
        with others, or that one of the group is.
    enough_group : float, optional
        Where only a group can be told; as ``enough`` where it is left out. To single out a mechanism asks for more.
    withheld : str
        Why no answer may be given whatever the posterior says; empty where one may.
    """
    if withheld:
        return Answer(None, "none", max((s.named for s in attribution.shares), default=0.0), withheld)
    if not attribution.shares:
        return Answer(None, "none", 0.0, "no posterior draw could be run again with a mechanism switched off")
    lacking = {c.mechanism.value: list_lacking(c, observed) for c in catalogue}
    of_catalogue = [c.mechanism.group.value for c in catalogue]
    # a group of one is no way around what its mechanism needs
    able = [s for s in attribution.shares if not lacking[s.name] or of_catalogue.count(s.group) > 1]
    barred = [s for s in attribution.shares if s not in able]
    of_group = {share.name: share.group for share in attribution.shares}
    groups = attribution.compute_named(lambda name: of_group.get(name, name))
    least = enough if enough_group is None else enough_group
    found = name_finest(able, groups, lacking, enough, least) if able else None
    if found is not None:
        return found
    mass = max((groups[share.group] for share in able), default=0.0)
    if barred and (most := find_first(barred)).named >= enough:
        why = f"without {say_lacking(lacking[most.name])} {name_mechanism(most.name)} is not told from other reasons"
        return Answer(None, "none", most.named, why)
    if groups[NONE] > max(0.5, mass):
        return Answer(None, "none", groups[NONE], "switching off any single mechanism changes too little")
    return Answer(None, "none", mass, f"no mechanism and no group reaches a probability of {100 * least:g} %")


def name_finest(
    able: Sequence[MechanismShare],
    groups: Mapping[str, float],
    lacking: Mapping[str, tuple[str, ...]],
    enough: float,
    least: float,
) -> Answer | None:
    """Return the mechanism, or else the group, that is probable enough; None where neither is.

    Parameters
    ----------
    groups : mapping of group to the probability that naming it is right
    lacking : mapping of mechanism to what it needs and was not measured
    enough, least : float
        For a mechanism, and for a group.
    """
    top = find_first(able)
    if top.named >= enough and not lacking[top.name] and not find_alike(top, able):
        return Answer(top.name, "mechanism", top.named, f"its probability is at least {100 * enough:g} %")
    group = max((share.group for share in able), key=lambda name: groups[name])
    if groups[group] < least:
        return None
    first = find_first([share for share in able if share.group == group])
    alike = find_alike(first, able) if first.named >= enough and not lacking[first.name] else ()
    why = "no single one is"
    if lacking[first.name]:
        why = f"without {say_lacking(lacking[first.name])} it is not told from its neighbours"
    elif alike:
        why = f"{join_words([name_mechanism(name) for name in alike], 'and')} explain it alike"
    return Answer(group, "group", groups[group], f"the group's probability is at least {100 * least:g} %; {why}", alike)


def find_first(shares: Sequence[MechanismShare]) -> MechanismShare:
    """Return the mechanism that is most probably right; of those as probable, the one with the largest share."""
    most = max(share.named for share in shares)
    return max((share for share in shares if share.named >= most - EQUAL), key=lambda share: share.share)


def find_alike(first: MechanismShare, shares: Sequence[MechanismShare]) -> tuple[str, ...]:
    """Return the mechanisms of its group that are about as probably right, and itself; none where it is alone."""
    alike = [s.name for s in shares if s.group == first.group and s.named >= first.named - ALIKE and s is not first]
    return (first.name, *alike) if alike else ()


def list_lacking(candidate: Candidate, observed: Sequence[str]) -> tuple[str, ...]:
    """Return what a mechanism needs if nothing of it was measured."""
    return () if set(candidate.needs) & set(observed) else candidate.needs


def say_lacking(variables: Sequence[str]) -> str:
    """Return what was not measured, in words."""
    return join_words([name_variable(variable) for variable in variables], "or")
