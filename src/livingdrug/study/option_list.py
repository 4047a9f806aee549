"""What `list_options` hands back: every option with its band, states, evidence, doubts and what is simulated."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from livingdrug.core.evidence_item import EvidenceItem
from livingdrug.knowledge.options import OptionKnowledge
from livingdrug.options.facts import Fact, FactTable
from livingdrug.options.option_ranking import Ranked
from livingdrug.options.option_rules import RuleState
from livingdrug.options.option_words import describe_item, find_interval, list_doubts, write_why
from livingdrug.study.simulate_options import Simulated

NOT_A_DEVICE = "Research software; not a medical device. Nothing here is an order, a dose or an emergency instruction."


@dataclass(frozen=True, slots=True)
class OptionList:
    """Options of one subject.

    Parameters
    ----------
    subject_id, disease, product : str
    failure : mapping
        ``failed, class, day, mechanism``; what is not known is None.
    options : tuple of mapping
        In the form of ``options.json``; care that is always shown first, then by rank.
    questions : tuple of mapping
        ``ask, fact, options``: what would resolve most comes first.
    nothing : mapping or None
        What is expected without further therapy.
    baseline : tuple of str
        What became of all patients of the disease, whatever was done.
    notes : tuple of str
    facts : FactTable
    provenance : mapping
    """

    subject_id: str
    disease: str
    product: str
    failure: Mapping[str, Any]
    options: tuple[dict[str, Any], ...]
    questions: tuple[dict[str, Any], ...]
    nothing: Mapping[str, Any] | None
    baseline: tuple[str, ...]
    notes: tuple[str, ...]
    facts: FactTable
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the options as JSON, a list."""
        return _dump(list(self.options))

    def context_to_json(self) -> str:
        """Return what stands around the options as JSON: failure, facts, questions, provenance."""
        facts = [asdict(fact) for known in self.facts.facts.values() for fact in known]
        plain = {
            "subject_id": self.subject_id,
            "disease": self.disease,
            "product": self.product,
            "failure": dict(self.failure),
            "as_of_day": self.facts.day,
            "questions": list(self.questions),
            "no_further_therapy": self.nothing,
            "baseline": list(self.baseline),
            "notes": list(self.notes),
            "facts": facts,
            "provenance": dict(self.provenance),
        }
        return _dump(plain)


def _dump(value: Any) -> str:
    return json.dumps(_clean(value), indent=2, ensure_ascii=False, allow_nan=False)


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, bool | int | str) or value is None else str(value)


def describe_option(
    ranked: Ranked, known: OptionKnowledge, disease: str, simulated: Simulated | str | None
) -> dict[str, Any]:
    """Return one option as plain values."""
    judgement = ranked.judgement
    option = judgement.option
    panel = "always" if judgement.is_always_shown else "listed" if disease == "solid" else "ranked"
    return {
        "id": option.id,
        "title": option.title,
        "text": option.text,
        "kind": option.kind,
        "panel": panel,
        "band": judgement.band.value,
        "rank": ranked.rank,
        "tied": ranked.tied,
        "why": write_why(judgement, known.evidence),
        "states": [describe_state(one) for one in judgement.states],
        "mechanism_fit": judgement.fit,
        "limits": list(judgement.limits),
        "cautions": [one.rule.text for one in judgement.cautions],
        "confirm": list(dict.fromkeys(ask for one in judgement.waiting for ask in one.trace.asks)),
        "on_hold": [one.rule.text for one in judgement.waiting if one.state.value == "not_met"],
        "evidence": [describe_evidence(known.evidence[name], known) for name in option.outcomes],
        "supporting": list(judgement.supporting),
        "disconfirming": [describe_evidence(known.evidence[name], known) for name in option.disconfirming],
        "disconfirming_reason": option.disconfirming_reason,
        "may_be_wrong": list_doubts(judgement, known.evidence, disease),
        "simulated": describe_simulated(simulated),
        "not_simulated": simulated if isinstance(simulated, str) else "",
        "intervention": option.intervention.model_dump(mode="json"),
        "version": option.version,
        "status": option.status,
        "review_due": option.review_due,
    }


def describe_state(one: RuleState) -> dict[str, Any]:
    """Return what a rule came to: the facts with their rows, and what would resolve it."""
    facts = one.trace.facts
    first = facts[0] if facts else None
    return {
        "rule": one.rule.name,
        "role": one.rule.role,
        "need": one.rule.need,
        "text": one.rule.text,
        "basis": one.rule.basis,
        "state": one.state.value,
        "fact": "; ".join(_say_fact(fact) for fact in facts) or None,
        "row": None if first is None else _say_row(first),
        "rows": [_say_row(fact) for fact in facts],
        "ask": " ".join(one.trace.asks) or None,
        "reason": one.trace.reason or None,
        "evidence": list(one.rule.evidence),
    }


def _say_fact(fact: Fact) -> str:
    value = {True: "yes", False: "no"}.get(fact.value, fact.value) if isinstance(fact.value, bool) else fact.value
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    day = "" if fact.day is None else f" on day {fact.day:g}"
    return f"{fact.name} = {shown}{f' {fact.unit}' if fact.unit and fact.unit != '1' else ''}{day}"


def _say_row(fact: Fact) -> str:
    where = fact.file or "given"
    return f"{where}, row {fact.row}" if fact.row is not None else f"{where}{f', {fact.note}' if fact.note else ''}"


def describe_evidence(item: EvidenceItem, known: OptionKnowledge) -> dict[str, Any]:
    """Return an evidence item; the numbers of one from memory are not shown."""
    shown = {} if item.is_recalled else dict(item.outcomes)
    intervals = (
        {} if item.is_recalled else {name: found for name in item.outcomes if (found := find_interval(item, name))}
    )
    return {
        "id": item.id,
        "text": describe_item(item),
        "level": item.level,
        "certainty": item.certainty,
        "n": None if item.is_recalled else item.n,
        "outcomes": shown,
        "intervals": {name: {"lower": low, "upper": high, "how": how} for name, (low, high, how) in intervals.items()},
        "population": item.population,
        "design": item.design,
        "direction": item.direction,
        "source": known.sources[item.source].citation,
        "confirm": known.sources[item.source].confirm,
        "verification": item.verification.status,
        "how": item.how,
    }


def describe_simulated(simulated: Simulated | str | None) -> dict[str, Any] | None:
    """Return a simulation as plain values; None where there is none."""
    if not isinstance(simulated, Simulated):
        return None
    return asdict(simulated)


def list_questions(ranked: Iterable[Ranked]) -> tuple[dict[str, Any], ...]:
    """List what would resolve an option, the question that most options wait for first."""
    found: dict[str, list[str]] = {}
    for one in ranked:
        judgement = one.judgement
        open_rules = judgement.deciding if judgement.band.value == "needs_data" else ()
        waiting = judgement.waiting if judgement.band.is_offered else ()
        for state in (*open_rules, *waiting):
            for ask in state.trace.asks:
                found.setdefault(ask, []).append(judgement.option.id)
    ordered = sorted(found.items(), key=lambda item: (-len(set(item[1])), item[0]))
    return tuple({"ask": ask, "options": list(dict.fromkeys(ids))} for ask, ids in ordered)
