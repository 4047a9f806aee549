"""Facts to sentences: what happened, why, how sure, and what speaks for it. Computes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livingdrug.explain.answer import Answer
from livingdrug.explain.attribution import Attribution, MechanismShare
from livingdrug.explain.evidence import Evidence
from livingdrug.explain.words import join_words, name_mechanism, name_variable

DISEASES = {
    "myeloma": "multiple myeloma",
    "lbcl": "large B-cell lymphoma",
    "b_all": "B-cell acute lymphoblastic leukaemia",
    "mcl": "mantle cell lymphoma",
}
CLASSES = {
    "primary_resistance": "primary resistance",
    "incomplete_response": "an incomplete response",
    "early_relapse": "an early relapse",
    "late_relapse": "a late relapse",
    "unknown": "of a kind that the record does not tell",
}
GROUPS = {
    "quantity": "the quantity of CAR T cells: too little expansion or lost persistence",
    "quality": "the quality of CAR T cells: low potency or exhaustion",
    "antigen": "the target on the tumour: lost or low",
    "environment": "the tumour's environment, which held the CAR T cells back",
    "tumour": "the tumour: its growth or its burden",
    "treatment": "the treatment as given",
}
DIFFERENCES = {"gB": "how fast their CAR T cells kill"}
MOST_ALTERNATIVES = 3
NOTABLE = 0.1
"""A probability that another choice changes by less is not worth a sentence."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same posterior under another spread between patients that the calibration allows.

    Parameters
    ----------
    parameter : str
    spread, instead_of : float
    chances : mapping of mechanism to probability
    """

    parameter: str
    spread: float
    instead_of: float
    chances: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences are made of.

    Parameters
    ----------
    subject_id, disease, product : str
    failed : bool or None
        None where the record does not tell.
    failure_class : str
    failure_day : float or None [day]
    best_response : str or None
    reason : str
        The rule that decided whether it failed, in words.
    rule : str
        The ruleset that decided, for a reader: "IMWG 2016"; empty where there are no criteria.
    answer : Answer or None
    attribution : Attribution or None
    evidence : tuple of Evidence
    horizon : float or None [day]
        Day by which the counterfactual patient was still to be free of failure.
    is_converged : bool
    rows : int
        Data rows that the fit used.
    assumed : int
        Values of the parameter set that are assumed.
    is_dose_known : bool
        Whether the record holds the dose of day 0.
    misfit : str
        Why the data do not look like the model; empty where they do.
    measure_next : tuple of (assay, day)
        What would most reduce the doubt.
    forecast : tuple of (days ahead, probability)
        Of progression, where the treatment has not failed.
    alternatives : tuple of Alternative
    """

    subject_id: str
    disease: str
    product: str
    failed: bool | None
    failure_class: str
    failure_day: float | None
    best_response: str | None
    reason: str
    rule: str
    answer: Answer | None
    attribution: Attribution | None
    evidence: tuple[Evidence, ...]
    horizon: float | None
    is_converged: bool
    rows: int
    assumed: int
    is_dose_known: bool = True
    misfit: str = ""
    measure_next: tuple[tuple[str, float], ...] = ()
    forecast: tuple[tuple[float, float], ...] = ()
    alternatives: tuple[Alternative, ...] = ()


def write_percent(probability: float) -> str:
    """Write a probability for a reader; a limited number of draws never shows 0 or 100.

    >>> write_percent(0.614), write_percent(0.001), write_percent(1.0)
    ('61 %', 'under 1 %', 'over 99 %')
    """
    if probability < 0.01:
        return "under 1 %"
    if probability > 0.99:
        return "over 99 %"
    return f"{100 * probability:.0f} %"


def write_outcome(facts: Facts) -> list[str]:
    """Say what was given, how well it worked, and whether, when and how it failed."""
    disease = DISEASES.get(facts.disease, facts.disease)
    given = f"{facts.subject_id} received {facts.product.replace('_', '-')} for {disease}"
    best = f"the best confirmed response was {facts.best_response}" if facts.best_response else "no response is known"
    rule = f" ({facts.rule})" if facts.rule else ""
    first = f"{given}; {best}{rule}."
    if facts.failed is None:
        return [first, f"Whether the treatment failed cannot be told: {facts.reason}."]
    if not facts.failed:
        return [first, f"It has not failed in the time that the record covers: {facts.reason}."]
    kind = CLASSES.get(facts.failure_class, facts.failure_class.replace("_", " "))
    when = f" on day {facts.failure_day:g}" if facts.failure_day is not None else ""
    return [first, f"It failed{when}: {kind} ({facts.reason})."]


def write_forecast(facts: Facts) -> list[str]:
    """Say how probable progression is in the time ahead."""
    if not facts.forecast:
        return []
    ahead = ", ".join(f"{write_percent(chance)} within {days:g}" for days, chance in facts.forecast)
    return [f"By the model, the probability of progression after the last visit is {ahead} days."]


def write_ties(facts: Facts) -> list[str]:
    """Say so where the first mechanism shares its place."""
    tied = () if facts.attribution is None else facts.attribution.ties
    if not tied or facts.answer is None or facts.answer.answered is None:
        return []
    if facts.answer.level == "group" and {*tied} <= {*facts.answer.alike}:
        return []
    return [f"A tie: {join_words([name_mechanism(name) for name in tied], 'and')} contributed alike."]


def write_next(facts: Facts) -> list[str]:
    """Say what would settle it, where it is not settled."""
    if not facts.measure_next or facts.answer is None or facts.answer.level == "mechanism":
        return []
    assay, day = facts.measure_next[0]
    return [f"What would tell most: {name_variable(assay)} on day {day:g}."]


def write_effect(share: MechanismShare, facts: Facts) -> str:
    """Say how much the mechanism's absence would have changed the outcome."""
    assert facts.attribution is not None
    without = max(0.0, facts.attribution.failure - share.reduction)
    return (
        f"With it switched off and all else equal, the probability of failure by day {facts.horizon:g} falls from "
        f"{write_percent(facts.attribution.failure)} to {write_percent(without)}."
    )


def write_reason(facts: Facts) -> list[str]:
    """Say the most probable reason as finely as the posterior supports it."""
    answer, attribution = facts.answer, facts.attribution
    if not facts.failed:
        return []
    if answer is None or attribution is None:
        return ["Why cannot be told: no model here covers this disease, product and measurable marker."]
    if answer.answered is None:
        return [f"Why cannot be told from this record: {answer.reason}.", *write_alternatives(facts, None)]
    if answer.level == "group":
        words = GROUPS.get(answer.answered, answer.answered)
        first = f"The most probable reason lies in {words} (probability {write_percent(answer.probability)})."
        return [first, f"Finer it cannot be told: {answer.reason}.", *write_alternatives(facts, None)]
    share = next(s for s in attribution.shares if s.name == answer.answered)
    interval = f"{write_percent(share.lower)} to {write_percent(share.upper)}"
    first = (
        f"The most probable reason is {share.words} "
        f"(probability {write_percent(share.probability)}, 90 % interval {interval})."
    )
    return [first, write_effect(share, facts), *write_alternatives(facts, share.name)]


def write_alternatives(facts: Facts, without: str | None) -> list[str]:
    """List the other mechanisms that remain possible, most probable first."""
    assert facts.attribution is not None
    others = [s for s in facts.attribution.shares if s.name != without and s.probability >= 0.05]
    listed = [f"{name_mechanism(s.name)} {write_percent(s.probability)}" for s in others[:MOST_ALTERNATIVES]]
    if facts.attribution.unexplained >= 0.05:
        listed.append(f"no single mechanism {write_percent(facts.attribution.unexplained)}")
    start = "Also possible" if without else "Candidates"
    return [f"{start}: {', '.join(listed)}."] if listed else []


def write_dependence(facts: Facts) -> list[str]:
    """Say where the first mechanism hangs on a choice that the calibration leaves open."""
    if facts.attribution is None or not facts.attribution.shares:
        return []
    first = facts.attribution.shares[0]
    sentences = []
    for other in facts.alternatives:
        chance, best = other.chances.get(first.name, 0.0), max(other.chances, key=lambda name: other.chances[name])
        if best == first.name and abs(chance - first.probability) < NOTABLE:
            continue
        then = "" if best == first.name else f", and {name_mechanism(best)} first"
        differ, named = DIFFERENCES.get(other.parameter, other.parameter), name_mechanism(first.name)
        sentences.append(
            f"Trials do not tell how much patients differ in {differ}: with a spread of {other.spread:.2g} instead of "
            f"{other.instead_of:.2g}, {named} would be {write_percent(chance)} instead of "
            f"{write_percent(first.probability)}{then}."
        )
    return sentences


def write_evidence(evidence: Sequence[Evidence]) -> list[str]:
    """Repeat each measurement that speaks for or against a mechanism by itself."""
    return [
        f"{item.statement} This speaks {item.direction} {name_mechanism(item.mechanism.value)}." for item in evidence
    ]


def write_conflict(facts: Facts) -> list[str]:
    """Say so where what was measured about the answered mechanism speaks against it."""
    answered = None if facts.answer is None else facts.answer.answered
    directions = {item.direction for item in facts.evidence if item.mechanism.value == answered}
    if directions != {"against"}:
        return []
    words = name_mechanism(str(answered))
    return [f"A direct measurement speaks against {words}, which the model names from the whole course: be wary."]


def write_caveats(facts: Facts) -> list[str]:
    """Say what the explanation rests on and where it is weak."""
    sentences = []
    if facts.misfit:
        sentences.append(f"These data do not look like the model: {facts.misfit}. Trust no reason that it names.")
    if facts.attribution is not None and not facts.is_converged:
        sentences.append("The fit did not converge: read the reason as a hint only.")
    if facts.attribution is not None and not facts.is_dose_known:
        sentences.append("The record holds no dose of day 0: the usual dose of the product stands for it.")
    if facts.attribution is not None:
        sentences.append(
            f"This rests on {facts.rows} measurements, one model and {facts.assumed} assumed values; how often each "
            "mechanism is the reason depends on the assumed spread between patients."
        )
    return sentences


def write_sentences(facts: Facts) -> list[str]:
    """Write the explanation, most important first.

    Examples
    --------
    >>> facts = Facts("p1", "myeloma", "ide_cel", False, "none", None, "VGPR", "VGPR without progression",
    ...               "IMWG 2016", None, None, (), None, is_converged=True, rows=0, assumed=0)
    >>> print(*write_sentences(facts), sep=chr(10))
    p1 received ide-cel for multiple myeloma; the best confirmed response was VGPR (IMWG 2016).
    It has not failed in the time that the record covers: VGPR without progression.
    """
    return [
        *write_outcome(facts),
        *write_forecast(facts),
        *write_reason(facts),
        *write_ties(facts),
        *write_next(facts),
        *write_evidence(facts.evidence),
        *write_conflict(facts),
        *write_dependence(facts),
        *write_caveats(facts),
    ]
