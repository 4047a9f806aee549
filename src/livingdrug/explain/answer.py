"""The finest answer that the posterior supports, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from livingdrug.explain.attribution import NONE, Attribution
from livingdrug.explain.mechanisms import Candidate

ALIKE = 0.05
"""Mechanisms of a group whose probabilities of being right differ by less are not told apart."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer that the posterior supports: a mechanism, a group, or nothing, and the reason for that."""

    answered: str | None
    level: str
    probability: float
    reason: str


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

    Parameters
    ----------
    observed : sequence of str
        Variables measured in this patient.
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
    needs = {c.mechanism.value: c.needs for c in catalogue}
    top = max(attribution.shares, key=lambda share: (round(share.named, 2), share.share))
    alike = [
        s.name for s in attribution.shares if s.group == top.group and s.named >= top.named - ALIKE and s is not top
    ]
    lacking = [v for v in needs[top.name] if v not in observed] if not set(needs[top.name]) & set(observed) else []
    if top.named >= enough and not lacking and not alike:
        return Answer(top.name, "mechanism", top.named, f"its probability is at least {100 * enough:g} %")
    of_group = {share.name: share.group for share in attribution.shares}
    groups = attribution.compute_named(lambda name: of_group.get(name, name))
    unexplained = groups.pop(NONE)
    group, mass = max(groups.items(), key=lambda item: item[1])
    least = enough if enough_group is None else enough_group
    is_alone = [c.mechanism.group.value for c in catalogue].count(group) == 1
    if mass >= least and lacking and group == top.group and is_alone:
        return Answer(None, "none", mass, f"without {' or '.join(lacking)} {top.name} is not told from other reasons")
    if mass >= least:
        why = "no single one is"
        if lacking:
            why = f"without {' or '.join(lacking)} it is not told from its neighbours"
        elif alike and top.named >= enough:
            why = f"{' and '.join([top.name, *alike])} explain it alike"
        return Answer(group, "group", mass, f"the group's probability is at least {100 * least:g} %; {why}")
    if unexplained > max(0.5, mass):
        return Answer(None, "none", unexplained, "switching off any single mechanism changes too little")
    return Answer(None, "none", mass, f"no mechanism and no group reaches a probability of {100 * least:g} %")
