"""An option's judgement in sentences. Every number in them is taken from an evidence item, named beside it."""

from collections.abc import Iterable, Mapping

from livingdrug.core.evidence_item import EvidenceItem
from livingdrug.core.fact_state import FactState
from livingdrug.options.option_band import Band, Judgement
from livingdrug.options.option_rules import RuleState

SMALL = 50
"""Patients below which a study is called small."""
_NAMES = {
    "orr_pct": "response {} %",
    "cr_pct": "complete response {} %",
    "mpfs_mo": "median progression-free survival {} months",
    "mefs_mo": "median event-free survival {} months",
    "mos_mo": "median survival {} months",
    "dor_mo": "median duration of response {} months",
    "pfs6_pct": "free of progression at 6 months {} %",
    "pfs12_pct": "free of progression at 12 months {} %",
    "os12_pct": "alive at 12 months {} %",
    "nrm12_pct": "death without relapse at 12 months {} %",
    "relapse12_pct": "relapse at 12 months {} %",
    "grfs12_pct": "free of graft-versus-host disease and relapse at 12 months {} %",
    "local_control12_pct": "local control at 12 months {} %",
    "infield_orr_pct": "response within the field {} %",
    "cr_at_3mo_pct": "complete response still there at 3 months {} %",
    "iechs_ge3_pct": "severe hyperinflammation {} %",
    "os_hr_vs_sequential_bcma": "hazard ratio of death against repeating BCMA {}",
    "os_hr": "hazard ratio of death {}",
    "trm_pct": "death from treatment {} %",
    "hospitalised_last30d_pct": "in hospital in the last 30 days {} %",
    "palliative_referral_pct": "referred to palliative care {} %",
    "hospice_referral_pct": "referred to hospice {} %",
    "nonresponse_to_first_infusion_cr": "complete response in those whom the first infusion had not helped {}",
}
_STATUS = {
    "verified_abstract": "read in the abstract or official text",
    "verified_secondary": "read in a secondary source",
    "recalled_unverified": "from memory, not confirmed",
}


def find_interval(item: EvidenceItem, name: str) -> tuple[float, float, str] | None:
    """Return the 95 % interval of an outcome and whether it was published or computed from the counts."""
    stem = name.removesuffix("_pct")
    for place, key, how in (
        (item.outcomes, f"{stem}_ci", "published"),
        (item.computed, f"{stem}_wilson95", "computed"),
    ):
        found = place.get(key)
        if isinstance(found, list) and len(found) == 2:
            return float(found[0]), float(found[1]), how
    return None


def describe_item(item: EvidenceItem) -> str:
    """Write an evidence item as one sentence; a number from memory is never written.

    Examples
    --------
    >>> from livingdrug.core.evidence_item import Verification
    >>> item = EvidenceItem(id="NE-999", disease="lbcl", prior_car_target="CD19", population="lymphoma after CD19",
    ...     option="x", design="phase1", n=12, outcomes={"orr_pct": 25}, level="C", certainty="very_low",
    ...     how="reported", source="s", study="s",
    ...     verification=Verification(status="verified_abstract", checked_on="2026-01-01"))
    >>> describe_item(item).partition(";")[0]
    'NE-999 (lymphoma after CD19, n = 12, phase1): response 25 %'
    """
    size = f"n = {item.n}" if item.n is not None else "number treated not stated"
    head = f"{item.id} ({item.population}, {size}, {item.design.replace('_', ' ')})"
    if item.is_recalled:
        return f"{item.id} ({item.population}): {_STATUS[item.verification.status]}; its numbers are not shown."
    found = [text for name in item.outcomes if (text := _describe_outcome(item, name))]
    more = [name for name in item.modifiers if name in _NAMES]
    found += [_NAMES[name].format(item.modifiers[name]) for name in more]
    said = ", ".join(found) or item.outcomes_reason or item.notes or "mechanism row"
    status = _STATUS[item.verification.status]
    return f"{head}: {said}; certainty {item.certainty.replace('_', ' ')}, {status}."


def _describe_outcome(item: EvidenceItem, name: str) -> str:
    value = item.outcomes[name]
    if name not in _NAMES or isinstance(value, list):
        return ""
    text = (
        _NAMES[name].format(value)
        if value != "not reached"
        else _NAMES[name].format("not reached").removesuffix(" months")
    )
    interval = find_interval(item, name)
    return text if interval is None else f"{text} (95 % interval {interval[0]:g} to {interval[1]:g}, {interval[2]})"


def write_why(judgement: Judgement, evidence: Mapping[str, EvidenceItem]) -> str:
    """Say why an option stands in its band."""
    if judgement.is_always_shown:
        return "Always shown, whatever else is chosen; it goes with every option and is not ranked."
    deciding = judgement.deciding
    if judgement.band == Band.EXCLUDED:
        said = "; ".join(_say_bar(one, evidence) for one in deciding)
        return f"Excluded: {said}."
    if judgement.band == Band.NEEDS_DATA:
        asks = list(dict.fromkeys(ask for one in deciding for ask in one.trace.asks))
        return f"Not judged until this is known: {' '.join(asks)}"
    parts = [one.rule.text for one in judgement.states if one.rule.role == "favours" and one.state == FactState.MET]
    against = [one.rule.text for one in judgement.states if one.rule.role == "against" and one.state == FactState.MET]
    said = "The required rules are met"
    said += f"; for it: {'; '.join(parts)}" if parts else ""
    said += f"; against it: {'; '.join(against)}" if against else ""
    said += f". Not more than plausible, because {'; '.join(judgement.limits)}" if judgement.limits else ""
    return f"{said}."


def _say_bar(one: RuleState, evidence: Mapping[str, EvidenceItem]) -> str:
    is_contra = one.rule.role == "contraindication"
    said = one.rule.text if is_contra else f"this must hold and does not: {one.rule.text}"
    items = "; ".join(describe_item(evidence[name]).rstrip(".") for name in one.rule.evidence)
    return f"{said} [{items}]" if items else said


def list_doubts(judgement: Judgement, evidence: Mapping[str, EvidenceItem], disease: str) -> list[str]:
    """List reasons why this may be wrong; there is always one."""
    option = judgement.option
    if judgement.is_always_shown:
        return ["What helps one person may not help another: ask what matters to this one."]
    doubts = [f"{text[0].upper()}{text[1:]}." for text in option.wrong]
    items = [evidence[name] for name in option.outcomes]
    small = [item.id for item in items if item.n is not None and item.n < SMALL and not item.is_recalled]
    if small:
        doubts.append(f"Few patients stand behind {_join(small)}.")
    indirect = [item.id for item in items if item.id not in judgement.supporting and not item.is_recalled]
    indirect = [name for name in indirect if evidence[name].direction in ("reports", "supports")]
    if indirect:
        doubts.append(f"Indirect, from other patients than this one: {_join(indirect)}.")
    recalled = [item.id for item in items if item.is_recalled]
    if recalled:
        doubts.append(f"From memory, and supporting nothing: {_join(recalled)}.")
    read = [item.id for item in items if not item.is_recalled]
    if read:
        doubts.append("Its evidence was read in abstracts and reports, not in full papers.")
    if not items:
        doubts.append("No row of evidence after a CAR T-cell product exists for it.")
    waiting = [ask for one in judgement.waiting for ask in one.trace.asks]
    if waiting:
        doubts.append(f"Still to be settled: {' '.join(dict.fromkeys(waiting))}")
    if disease == "solid":
        doubts.append("No reliable comparison exists after failure in solid tumours.")
    assumed = [one.rule.name for one in judgement.states if one.rule.basis == "assumed" and one.rule.role in _GATES]
    if assumed:
        doubts.append("Some of its rules are general clinical knowledge that no label or protocol was checked for.")
    return doubts


_GATES = ("eligibility", "contraindication", "caution")


def _join(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
