"""The rules of one option, asked of one patient's facts: what came out, of which row, and what would resolve it.

Beside the rules of its file an option has rules that no file can leave out: the therapy must have failed, and a
tumour must carry what the option aims at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from livingdrug.core.fact_state import FactState
from livingdrug.core.option import Criterion, Option
from livingdrug.options.facts import FactTable
from livingdrug.options.predicate import Group, Leaf, Predicate, Trace, Unread, decode_predicate, evaluate

Role = Literal["eligibility", "contraindication", "caution", "favours", "against"]
PRIOR, TARGET, FAILED = "PRIOR", "prior.car_t.target", "failure.failed"
ASK_PRIOR = "Which antigen does the first product bind, and is it on the relapse biopsy?"
CARRIED = ("positive", "low")
"""States of an antigen in which an agent against it has something to see."""
ANTIGEN = "antigen_present"
TREATING = ("active", "investigational")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to be asked.

    Parameters
    ----------
    name : str
    role : str
        What it is a rule about.
    need : str
        ``required`` or ``confirm``.
    text : str
    predicate : Predicate
    evidence : tuple of str
    basis : str
    """

    name: str
    role: Role
    need: str
    text: str
    predicate: Predicate
    evidence: tuple[str, ...] = ()
    basis: str = "definition"


@dataclass(frozen=True, slots=True)
class RuleState:
    """What a rule came to for one patient."""

    rule: Rule
    trace: Trace

    @property
    def state(self) -> FactState:
        """One of the five states."""
        return self.trace.state


@dataclass(frozen=True, slots=True)
class RuledOption:
    """An option with its rules decoded."""

    option: Option
    rules: tuple[Rule, ...]


def prepare_options(options: Iterable[Option], asks: Mapping[str, str]) -> tuple[RuledOption, ...]:
    """Decode the rules of options; rules that ask the same become one object, so that a patient is asked once.

    Parameters
    ----------
    asks : mapping of fact to question
    """
    shared: dict[Predicate, Predicate] = {}
    prepared = []
    for option in options:
        rules = (
            replace(rule, predicate=shared.setdefault(rule.predicate, rule.predicate))
            for rule in _list_rules(option, asks)
        )
        prepared.append(RuledOption(option, tuple(rules)))
    return tuple(prepared)


def _list_rules(option: Option, asks: Mapping[str, str]) -> list[Rule]:
    rules = [
        *(_decode(one, "eligibility", asks) for one in option.eligibility),
        *(_decode(one, "contraindication", asks) for one in option.contraindications),
        *(_decode(one, "caution", asks) for one in option.cautions),
    ]
    for number, fit in enumerate(option.mechanism_fit, start=1):
        predicate = _add_asks(decode_predicate(fit.rule), asks)
        rules.append(Rule(f"fit_{number}", fit.effect, "confirm", fit.text, predicate, fit.evidence, "evidence"))
    return [*_list_given(option, asks), *rules]


def _decode(one: Criterion, role: Role, asks: Mapping[str, str]) -> Rule:
    predicate = _add_asks(decode_predicate(one.rule), asks)
    return Rule(one.id, role, one.need, one.text, predicate, one.evidence, one.basis)


def _add_asks(predicate: Predicate, asks: Mapping[str, str]) -> Predicate:
    if isinstance(predicate, Unread):
        return predicate
    if isinstance(predicate, Group):
        return Group(predicate.kind, tuple(_add_asks(part, asks) for part in predicate.parts), predicate.count)
    if predicate.ask:
        return predicate
    ask = asks.get(predicate.fact, "")
    return Leaf(
        predicate.fact,
        predicate.operator,
        predicate.value,
        predicate.unit,
        ask,
        predicate.max_age_days,
        predicate.any_of,
    )


def _list_given(option: Option, asks: Mapping[str, str]) -> list[Rule]:
    """List the rules that every treatment has; the antigen of ``PRIOR`` is put in when a patient is known."""
    if option.kind not in TREATING:
        return []
    failed = Leaf(FAILED, "eq", value=True, ask=asks.get(FAILED, ""))
    given = [Rule("therapy_failed", "eligibility", "required", "the first product has failed", failed)]
    targets = option.intervention.targets
    if not targets:
        return given
    leaves = tuple(
        Leaf(f"antigen.{target}", "in", CARRIED, ask=asks.get(f"antigen.{target}", ASK_PRIOR)) for target in targets
    )
    predicate = leaves[0] if len(leaves) == 1 else Group(option.intervention.needs, leaves)
    joined = " and " if option.intervention.needs == "all" else " or "
    text = f"the tumour carries {joined.join(targets)}"
    return [*given, Rule(ANTIGEN, "eligibility", "required", text, predicate)]


def name_prior(predicate: Predicate, target: str, asks: Mapping[str, str]) -> Predicate:
    """Put the antigen of the first product in place of ``PRIOR``."""
    if isinstance(predicate, Group):
        return Group(predicate.kind, tuple(name_prior(part, target, asks) for part in predicate.parts), predicate.count)
    if isinstance(predicate, Leaf) and predicate.fact == f"antigen.{PRIOR}":
        name = f"antigen.{target}"
        return Leaf(name, predicate.operator, predicate.value, ask=asks.get(name, f"{target} on the relapse biopsy?"))
    return predicate


def find_target(table: FactTable) -> str:
    """Return the antigen of the first product; empty where it is not known."""
    values = {str(fact.value) for fact in table.find(TARGET)}
    return values.pop() if len(values) == 1 else ""


def ask_rules(
    ruled: RuledOption, table: FactTable, asks: Mapping[str, str], memory: dict[int, Trace] | None = None
) -> tuple[RuleState, ...]:
    """Ask every rule of an option of one patient.

    Parameters
    ----------
    memory : dict, optional
        Traces of predicates that this patient has been asked before, by identity; for many options of one patient.
    """
    target = find_target(table) if PRIOR in ruled.option.intervention.targets else ""
    known = {} if memory is None else memory
    states = []
    for rule in ruled.rules:
        if target and rule.name == ANTIGEN:
            named = replace(
                rule,
                text=rule.text.replace(PRIOR, target),
                predicate=name_prior(rule.predicate, target, asks),
            )
            states.append(RuleState(named, evaluate(named.predicate, table)))
            continue
        if id(rule.predicate) not in known:
            known[id(rule.predicate)] = evaluate(rule.predicate, table)
        states.append(RuleState(rule, known[id(rule.predicate)]))
    return tuple(states)
