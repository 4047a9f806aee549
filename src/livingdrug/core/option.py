"""One thing that can be done after a failure: for whom, why, why not, on what evidence, and how it is simulated.

These shapes are the schema of the files in ``knowledge/data/options``, one option a file. A rule is plain data that
room ``options`` evaluates: ``{fact = "ecog", lte = 2}``, joined by ``all``, ``any``, ``not`` and ``at_least``; or
``{text = ...}`` where no machine can tell.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Basis = Literal["label", "trial", "evidence", "definition", "assumed"]
"""What a rule rests on; ``assumed`` is general clinical knowledge from memory: to be confirmed before release."""
Effect = Literal["favours", "against"]
Kind = Literal["active", "investigational", "trial", "supportive", "palliative"]
CellLever = Literal["second_infusion", "same_target_car", "other_car", "dual_car", "natural_killers"]
Lever = Literal[CellLever, "checkpoint", "kill", "antigen_kill", "none"]
Rule = dict[str, Any]
OPERATORS = ("eq", "in", "gte", "gt", "lte", "lt", "between", "within_days", "exists")
GROUPS = ("all", "any", "not", "at_least")
_MODIFIERS = {"unit", "ask", "max_age_days", "any_of"}


def find_rule_fault(rule: Any) -> str:
    """Say what is wrong with a rule; empty if nothing is.

    Examples
    --------
    >>> find_rule_fault({"all": [{"fact": "ecog", "lte": 2}]}), find_rule_fault({"fact": "ecog"})
    ('', 'a fact must have one operator, but had none')
    """
    if not isinstance(rule, dict):
        return f"a rule must be a table, but was {rule!r}"
    if set(rule) == {"text"}:
        return "" if isinstance(rule["text"], str) else f"a text must be words, but was {rule['text']!r}"
    for kind in GROUPS:
        if set(rule) == {kind}:
            return _find_group_fault(kind, rule[kind])
    operators = [name for name in OPERATORS if name in rule]
    if "fact" not in rule or len(operators) != 1:
        return f"a fact must have one operator, but had {', '.join(operators) or 'none'}"
    rest = set(rule) - {"fact", *operators} - _MODIFIERS
    return f"a fact must have known fields, but had {', '.join(sorted(rest))}" if rest else ""


def _find_group_fault(kind: str, inner: Any) -> str:
    if kind == "not":
        return find_rule_fault(inner)
    parts = inner.get("of", []) if kind == "at_least" and isinstance(inner, dict) else inner
    if not isinstance(parts, list) or not parts:
        return f"`{kind}` must hold rules, but held none"
    return next((fault for part in parts if (fault := find_rule_fault(part))), "")


def list_rule_facts(rule: Rule) -> list[str]:
    """Name the facts that a rule asks.

    Examples
    --------
    >>> list_rule_facts({"not": {"any": [{"fact": "ecog", "lte": 2}, {"fact": "age_years", "gte": 18}]}})
    ['ecog', 'age_years']
    """
    if "fact" in rule or "text" in rule:
        return [str(rule["fact"])] if "fact" in rule else []
    inner: Any = next(iter(rule.values()))
    parts = inner["of"] if isinstance(inner, dict) and "of" in inner else [inner] if isinstance(inner, dict) else inner
    return [name for part in parts for name in list_rule_facts(part)]


class Criterion(BaseModel):
    """One rule of an option.

    ``required``: an option whose rule fails is excluded, and one whose rule is unknown needs data. ``confirm``: to be
    settled before use; until then the option is at most plausible, and it waits where the rule fails.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z0-9_]+$")
    rule: Rule
    need: Literal["required", "confirm"] = "required"
    text: str = Field(min_length=3)
    basis: Basis = "assumed"
    evidence: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_rule(self) -> "Criterion":
        if fault := find_rule_fault(self.rule):
            raise ValueError(fault)
        return self


class Fit(BaseModel):
    """When the reason of the failure speaks for or against an option."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    effect: Effect
    rule: Rule
    text: str = Field(min_length=3)
    evidence: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_rule(self) -> "Fit":
        if fault := find_rule_fault(self.rule):
            raise ValueError(fault)
        return self


class Intervention(BaseModel):
    """What it is in the simulator's words, and the antigens of the tumour that it needs.

    ``needs`` says whether a tumour must carry all of the targets or any of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z0-9_]+$")
    targets: tuple[str, ...] = ()
    needs: Literal["all", "any"] = "all"
    parts: tuple[str, ...] = ()


class SimulatedEffect(BaseModel):
    """How an option is simulated: a lever of the model with its values, and what they were fitted to or held against.

    ``fitted``: values were chosen so that virtual patients respond as the row says. ``bounded``: the model's own
    prediction, compared with the row. ``assumed``: neither. ``crs`` names the row that severe cytokine release is taken
    from, where the antibody engages T cells that the model does not hold: ``bounded`` by a row of the antibody itself,
    ``assumed`` to be that of another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    lever: Lever
    strength: Literal["fitted", "bounded", "assumed", ""] = ""
    compared_with: tuple[str, ...] = ()
    values: dict[str, dict[str, Any]] = Field(default_factory=dict)
    crs: tuple[str, ...] = ()
    crs_strength: Literal["bounded", "assumed", ""] = ""
    reason: str = ""

    @model_validator(mode="after")
    def _check_reason(self) -> "SimulatedEffect":
        if (self.lever == "none") != bool(self.reason):
            raise ValueError("an option without a lever must say the reason, and only such a one")
        return self


class Option(BaseModel):
    """One option file; one that is not ranked is listed in its band without a place among the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)+$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    status: Literal["draft", "reviewed", "retired"]
    reviewed_by: tuple[str, ...] = ()
    review_due: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    kind: Kind
    diseases: tuple[str, ...]
    after: tuple[str, ...] = ()
    title: str = Field(min_length=3)
    names: tuple[str, ...] = ()
    text: str = Field(min_length=3)
    intervention: Intervention
    eligibility: tuple[Criterion, ...] = ()
    contraindications: tuple[Criterion, ...] = ()
    cautions: tuple[Criterion, ...] = ()
    mechanism_fit: tuple[Fit, ...] = ()
    is_ranked: bool = True
    outcomes: tuple[str, ...] = ()
    disconfirming: tuple[str, ...] = ()
    disconfirming_reason: str = ""
    wrong: tuple[str, ...] = ()
    simulation: SimulatedEffect

    @model_validator(mode="after")
    def _check_whole(self) -> "Option":
        if self.status == "reviewed" and len(self.reviewed_by) < 2:
            raise ValueError("a reviewed option must name two reviewers")
        if not self.disconfirming and not self.disconfirming_reason:
            raise ValueError("an option must list disconfirming evidence, or say why it knows none")
        names = [criterion.id for criterion in (*self.eligibility, *self.contraindications, *self.cautions)]
        if len(set(names)) != len(names):
            raise ValueError("the rules of an option must have names of their own")
        return self

    @property
    def evidence(self) -> tuple[str, ...]:
        """Every evidence item that it names, each once."""
        rules = (*self.eligibility, *self.contraindications, *self.cautions)
        named = [item for rule in rules for item in rule.evidence]
        named += [item for fit in self.mechanism_fit for item in fit.evidence]
        return tuple(
            dict.fromkeys(
                [*self.outcomes, *self.disconfirming, *self.simulation.compared_with, *self.simulation.crs, *named]
            )
        )
