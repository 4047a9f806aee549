"""The linter of options and evidence: what a schema cannot see."""

import re
from collections.abc import Iterable, Iterator

from livingdrug.core.errors import Fault
from livingdrug.core.evidence_item import EvidenceItem
from livingdrug.core.option import Option, list_rule_facts
from livingdrug.knowledge.options import OptionKnowledge, read_options
from livingdrug.knowledge.provenance import decode_value

SINGLE = {
    *("cohort_plus_case", "phase1", "phase1_2", "phase1_2_cohort", "phase2", "phase2_cohort"),
    *("retrospective", "single_arm_trial_subgroup"),
}
"""Designs without a comparison: never of level A."""
COUNTED = ("orr_pct", "cr_pct")
_NUMBER = re.compile(r"(?<![\w.;(+:-])\d+(?:\.\d+)?(?!\w)(?![;:])")
_ITEM = re.compile(r"NE-\d{3}")
PLACEHOLDERS = ("PRIOR", "OTHER")


def check_options(today: str = "") -> list[Fault]:
    """List every fault of the packaged options and evidence.

    Parameters
    ----------
    today : str, optional
        As 2026-11-21; with it, options whose review is overdue are faults.

    Examples
    --------
    >>> [str(fault) for fault in check_options()]
    []
    """
    known, faults = read_options()
    return [*faults, *check_option_knowledge(known, today)]


def check_option_knowledge(known: OptionKnowledge, today: str = "") -> list[Fault]:
    """List the faults of options and evidence that have been read."""
    faults: list[Fault] = []
    for option in (*known.options.values(), *known.pooled.values()):
        faults += [*_check_names(option, known), *_check_texts(option), *_check_targets(option, known)]
        faults += [*_check_harm(option), *_check_values(option), *_check_review(option, today)]
    for item in known.evidence.values():
        faults += _check_item(item, known)
    return faults + list(_check_unused(known))


def _fault(where: str, rule: str, was: object, hint: str) -> Fault:
    return Fault(where, rule, repr(was), hint)


def _check_names(option: Option, known: OptionKnowledge) -> Iterator[Fault]:
    for item in option.evidence:
        if item not in known.evidence:
            yield _fault(f"options/{option.id}", "must name known evidence", item, "add the item or correct the id")
    rules = [c.rule for c in (*option.eligibility, *option.contraindications, *option.cautions)]
    rules += [fit.rule for fit in option.mechanism_fit]
    for name in {name for rule in rules for name in list_rule_facts(rule)} - set(known.facts):
        yield _fault(f"options/{option.id}", "must ask known facts", name, "add it to option_facts.toml")
    for target in option.intervention.targets:
        if target not in PLACEHOLDERS and f"antigen.{target}" not in known.facts:
            yield _fault(f"options/{option.id}", "must aim at a known antigen", target, "add it to option_facts.toml")
    for item in option.simulation.compared_with:
        if item in known.evidence and known.evidence[item].is_recalled:
            yield _fault(f"options/{option.id}", "must not be fitted to a number from memory", item, "leave it out")


def _check_texts(option: Option) -> Iterator[Fault]:
    """Find numbers in the texts of a file: numbers come from items and simulations alone."""
    rules = (*option.eligibility, *option.contraindications, *option.cautions)
    texts = [option.text, option.disconfirming_reason, option.simulation.reason, *option.wrong]
    texts += [*(rule.text for rule in rules), *(fit.text for fit in option.mechanism_fit)]
    for text in texts:
        number = _NUMBER.search(_ITEM.sub("", text))
        if number:
            rule = "a text must hold no number of its own"
            yield _fault(f"options/{option.id}", rule, number[0], "name the evidence item instead")


def _check_targets(option: Option, known: OptionKnowledge) -> Iterator[Fault]:
    said = f"{option.title} {' '.join(option.names)}".lower()
    for drug, targets in known.targets.items():
        missing = set(targets) - set(option.intervention.targets)
        if drug in said and missing:
            rule = f"{drug} binds {', '.join(targets)}"
            yield _fault(f"options/{option.id}", rule, option.intervention.targets, "correct the targets")


def _check_harm(option: Option) -> Iterator[Fault]:
    """In myeloma no option may join a PD-1 or PD-L1 antibody with an IMiD unless it is contraindicated there."""
    given = {option.intervention.name, *option.intervention.parts}
    if "myeloma" not in option.diseases or not {"pd1_inhibitor", "imid"} & given:
        return
    rules = [*option.contraindications, *option.eligibility]
    asked = {name for one in rules if one.need == "required" for name in list_rule_facts(one.rule)}
    is_joined = {"pd1_inhibitor", "imid"} <= given
    wanted = "disease" if is_joined else "planned.imid" if "pd1_inhibitor" in given else "planned.checkpoint_inhibitor"
    if wanted not in asked:
        rule = f"a PD-1 antibody or an IMiD in myeloma must ask {wanted}"
        yield _fault(f"options/{option.id}", rule, sorted(asked), "add a contraindication with NE-051")


def _check_values(option: Option) -> Iterator[Fault]:
    for name, table in option.simulation.values.items():
        yield from decode_value(table, f"options/{option.id}.simulation.{name}")[1]
    if option.simulation.strength == "fitted" and not option.simulation.compared_with:
        yield _fault(f"options/{option.id}", "what is fitted must name its item", "none", "fill compared_with")


def _check_review(option: Option, today: str) -> Iterator[Fault]:
    if today and option.review_due < today:
        yield _fault(f"options/{option.id}.review_due", f"must not lie before {today}", option.review_due, "review it")


def _check_item(item: EvidenceItem, known: OptionKnowledge) -> Iterator[Fault]:
    where = f"evidence/{item.id}"
    if item.source not in known.sources:
        yield _fault(where, "must name a known source", item.source, "add it to sources.toml")
    if item.n is None and not item.n_reason:
        yield _fault(where, "must have n or say why not", None, "write n or n_reason")
    if not item.outcomes and not item.outcomes_reason:
        yield _fault(where, "must have outcomes or say why not", {}, "write outcomes_reason")
    if item.is_recalled != (item.how == "assumed"):
        yield _fault(f"{where}.how", "what is from memory, and only that, must be assumed", item.how, "correct it")
    if item.level == "A" and item.design in SINGLE:
        yield _fault(f"{where}.level", "a design without a comparison must not be of level A", item.design, "lower it")
    for name in item.disconfirmed_by:
        if name not in known.evidence:
            yield _fault(f"{where}.disconfirmed_by", "must name known evidence", name, "correct the id")
    yield from _check_counts(item, where)


def _check_counts(item: EvidenceItem, where: str) -> Iterator[Fault]:
    """Find percentages of n patients that are not a whole number of them and do not say so."""
    for name in COUNTED:
        percent = item.outcomes.get(name)
        if item.n is None or not isinstance(percent, int | float):
            continue
        share = percent * item.n / 100
        told = (
            f"{name.removesuffix('_pct')}_note" in item.computed or f"{name.removesuffix('_pct')}_ci" in item.outcomes
        )
        if abs(share - round(share)) > 0.005 * item.n and not told and item.design != "meta_analysis":
            rule = f"{percent} % of {item.n} must be a whole number of patients"
            yield _fault(f"{where}.outcomes.{name}", rule, share, "add a note to computed")


def _check_unused(known: OptionKnowledge) -> Iterator[Fault]:
    used = {item for option in known.options.values() for item in option.evidence}
    used |= {item for items in known.baselines.values() for item in items}
    used |= {name for item in known.evidence.values() for name in item.disconfirmed_by}
    for name in set(known.evidence) - used:
        yield _fault(f"evidence/{name}", "must be what an option or a baseline rests on", "nothing", "use or remove it")
    cited = {item.source for item in known.evidence.values()} | _see_also(known.evidence.values())
    for name in set(known.sources) - cited:
        yield _fault(f"evidence/sources.{name}", "must be cited by an item", "nothing", "remove the entry")


def _see_also(items: Iterable[EvidenceItem]) -> set[str]:
    return {name for item in items for name in item.also_see}
