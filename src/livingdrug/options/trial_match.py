"""Hold one patient's facts against a trial's criteria: a state for each, and what they come to together.

Nothing here says that a patient is eligible. The strongest word is that no criterion was found that excludes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from livingdrug.core.fact_state import FactState
from livingdrug.options.facts import Fact
from livingdrug.options.predicate import Trace

EXCLUDED, OPEN, NOT_FOUND = "excluded", "open questions", "no exclusion found"
RESULTS = (NOT_FOUND, OPEN, EXCLUDED)
_LIMITS = ("age", "ecog", "karnofsky", "lansky")


class StoredCriterion(NamedTuple):
    """A criterion as an index holds it.

    Parameters
    ----------
    text : str
        Verbatim.
    section, target, polarity : str
    predicate : str
        As JSON; empty where the text is not machine readable.
    scope : str
        Of an earlier therapy: ``car_t``, ``gene_or_cell_therapy``, ``target_therapy``.
    """

    text: str
    section: str
    target: str = ""
    polarity: str = ""
    predicate: str = ""
    scope: str = ""


class CriterionMatch(NamedTuple):
    """What one criterion is of one patient, with the facts that it rests on and what to ask."""

    criterion: StoredCriterion
    state: FactState
    facts: tuple[Fact, ...] = ()
    asks: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TrialMatch:
    """What a trial's criteria come to.

    Parameters
    ----------
    result : str
        ``excluded``, ``open questions`` or ``no exclusion found``.
    criteria : tuple of CriterionMatch
    counts : mapping of state to number
    excluded_by : tuple of str
        The criteria that are not met, verbatim.
    asks : tuple of str
    """

    result: str
    criteria: tuple[CriterionMatch, ...]
    counts: Mapping[str, int]
    excluded_by: tuple[str, ...]
    asks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The result in words that promise nothing.

        Examples
        --------
        >>> match_trial((StoredCriterion("Adequate organ function", "inclusion"),), lambda _: None).sentence
        'no criterion found that excludes; 1 criterion not checked'
        """
        unread = self.counts["unsupported"]
        rest = f"{unread} {'criterion' if unread == 1 else 'criteria'} not checked"
        if self.result == EXCLUDED:
            return f"excluded by {len(self.excluded_by)}: {self.excluded_by[0]}"
        if self.result == OPEN:
            return f"{self.counts['unknown'] + self.counts['conflict']} open; {rest}"
        return f"no criterion found that excludes; {rest}"


Ask = Callable[[str], Trace | None]
"""What a predicate, as JSON, comes to for the patient."""


def match_trial(criteria: Sequence[StoredCriterion], ask: Ask) -> TrialMatch:
    """Hold a patient against a trial.

    Parameters
    ----------
    criteria : sequence of StoredCriterion
    ask : function
        Of a predicate as JSON; called once for each criterion that has one.
    """
    found = _settle_limits(_settle_therapies([_match(criterion, ask) for criterion in criteria]))
    counts = dict.fromkeys((state.value for state in FactState), 0)
    for match in found:
        counts[match.state.value] += 1
    excluding = tuple(dict.fromkeys(m.criterion.text for m in found if m.state is FactState.NOT_MET))
    asks = tuple(dict.fromkeys(question for m in found for question in m.asks))
    is_open = counts["unknown"] + counts["conflict"] > 0
    result = EXCLUDED if excluding else OPEN if is_open else NOT_FOUND
    return TrialMatch(result, tuple(found), counts, excluding, () if excluding else asks)


def _match(criterion: StoredCriterion, ask: Ask) -> CriterionMatch:
    trace = ask(criterion.predicate) if criterion.predicate else None
    if trace is None:
        return CriterionMatch(criterion, FactState.UNSUPPORTED, reason="not machine readable")
    return CriterionMatch(criterion, trace.state, trace.facts, trace.asks, trace.reason)


def _settle_limits(found: list[CriterionMatch]) -> list[CriterionMatch]:
    """Where two limits of one kind come to different ends, as for cohorts, neither decides."""
    for target in _LIMITS:
        states = {m.state for m in found if m.criterion.target == target}
        if {FactState.MET, FactState.NOT_MET} <= states:
            why = "the record states several limits that differ"
            found = [_leave_open(m, why) if m.criterion.target == target else m for m in found]
    return found


def _settle_therapies(found: list[CriterionMatch]) -> list[CriterionMatch]:
    """Where a text takes patients after CAR T cells, a general bar on cell therapy does not exclude them."""
    takes = any(
        m.criterion.target == "prior_car_t"
        and m.criterion.scope == "car_t"
        and m.criterion.polarity in {"required", "allowed"}
        for m in found
    )
    if not takes:
        return found
    why = "the text takes patients after CAR T cells in another place"
    general = [
        m.criterion.scope == "gene_or_cell_therapy"
        and m.criterion.polarity == "excluded"
        and m.state is FactState.NOT_MET
        for m in found
    ]
    return [_leave_open(m, why) if is_general else m for m, is_general in zip(found, general, strict=True)]


def _leave_open(match: CriterionMatch, why: str) -> CriterionMatch:
    return match._replace(state=FactState.CONFLICT, reason=why)


def encode_match(match: CriterionMatch, predicate: Any) -> dict[str, Any]:
    """Return one matched criterion as plain data."""
    fact = match.facts[0] if match.facts else None
    return {
        "text": match.criterion.text,
        "section": match.criterion.section,
        "target": match.criterion.target or None,
        "polarity": match.criterion.polarity or None,
        "state": match.state.value,
        "predicate": predicate,
        "fact": None if fact is None else encode_fact(fact),
        "ask": list(match.asks),
        "reason": match.reason,
    }


def encode_fact(fact: Fact) -> dict[str, Any]:
    """Return a fact as plain data, with the row it stands in.

    Examples
    --------
    >>> encode_fact(Fact("ecog", 1.0, "score", 20.0, "observations.csv", 7))["row"]
    7
    """
    return {
        "name": fact.name,
        "value": fact.value,
        "unit": fact.unit,
        "day": fact.day,
        "file": fact.file,
        "row": fact.row,
        "note": fact.note,
    }


def find_rank(match: TrialMatch) -> tuple[int, int, int]:
    """Return what trials are sorted by: not excluded first, then fewer open questions, then more that is met."""
    open_ones = match.counts["unknown"] + match.counts["conflict"]
    return RESULTS.index(NOT_FOUND if match.result == OPEN else match.result), open_ones, -match.counts["met"]
