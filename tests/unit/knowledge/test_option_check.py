"""The linter of options finds what is planted."""

from dataclasses import replace

import pytest

from livingdrug.core.evidence_item import EvidenceItem
from livingdrug.core.option import Criterion, Option
from livingdrug.knowledge.option_check import check_option_knowledge, check_options
from livingdrug.knowledge.options import decode, load_options
from livingdrug.options.facts import Fact, FactTable
from livingdrug.options.option_band import judge_option
from livingdrug.options.option_rules import ask_rules, prepare_options


def plant(kind, name, **changes):
    """The packaged knowledge with one entity changed, not checked by its schema."""
    known = load_options()
    options, evidence = dict(known.options), dict(known.evidence)
    place = options if kind == "option" else evidence
    place[name] = place[name].model_copy(update=changes)
    return replace(known, options=options, evidence=evidence)


def find(known, today=""):
    return [str(fault) for fault in check_option_knowledge(known, today)]


def test_the_packaged_knowledge_has_no_fault():
    assert check_options("2026-11-21") == []


@pytest.mark.parametrize(
    ("kind", "name", "changes", "rule"),
    [
        ("option", "lbcl.radiation", {"outcomes": ("NE-999",)}, "known evidence"),
        ("option", "lbcl.radiation", {"text": "Works in 45 of them."}, "no number of its own"),
        ("option", "lbcl.radiation", {"wrong": ("a risk of 3.5 percent",)}, "no number of its own"),
        ("evidence", "NE-016", {"level": "A"}, "must not be of level A"),
        ("evidence", "NE-016", {"n": None}, "n or say why not"),
        ("evidence", "NE-016", {"source": "nowhere2020"}, "known source"),
        ("evidence", "NE-056", {"how": "reported"}, "must be assumed"),
        ("evidence", "NE-016", {"outcomes": {"orr_pct": 29.0}}, "whole number of patients"),
        ("evidence", "NE-046", {"disconfirmed_by": ("NE-999",)}, "known evidence"),
    ],
)
def test_a_planted_fault_is_found(kind, name, changes, rule):
    assert any(rule in fault for fault in find(plant(kind, name, **changes)))


def test_a_drug_with_the_wrong_target_is_found():
    option = load_options().options["myeloma.bispecific.gprc5d"]
    wrong = option.intervention.model_copy(update={"targets": ("BCMA",)})
    assert any("talquetamab binds GPRC5D" in fault for fault in find(plant("option", option.id, intervention=wrong)))


def test_an_imid_in_myeloma_that_does_not_ask_for_a_checkpoint_inhibitor_is_found():
    assert any("planned.checkpoint_inhibitor" in f for f in find(plant("option", "myeloma.imid", contraindications=())))
    assert any("ask disease" in f for f in find(plant("option", "myeloma.checkpoint_imid", contraindications=())))


def test_a_review_that_is_overdue_is_found_once_a_day_is_given():
    assert find(load_options()) == []
    assert any("review_due" in fault for fault in find(load_options(), "2030-01-01"))


def test_a_schema_says_every_fault_with_its_path():
    document = load_options().options["lbcl.radiation"].model_dump(mode="json")
    document["review_due"], document["kind"] = "soon", "magic"
    document["eligibility"][0]["rule"] = {"fact": "ecog", "eval": "os"}
    where = [fault.where for fault in decode(Option, document, "options/x")[1]]
    assert where == ["options/x.review_due", "options/x.kind", "options/x.eligibility.0"]


def test_a_rule_that_no_machine_can_tell_is_legal_and_leaves_the_option_waiting_for_data():
    option = load_options().options["lbcl.radiation"]
    words = Criterion(id="judged", rule={"text": "the field is judged safe"}, text="the field is judged safe")
    ruled = prepare_options([option.model_copy(update={"eligibility": (words,)})], {})[0]
    facts = FactTable({"failure.failed": (Fact("failure.failed", value=True),)})
    states = ask_rules(ruled, facts, {})
    assert [one.state.value for one in states if one.rule.role == "eligibility"] == ["met", "unsupported"]
    assert judge_option(option, states, facts, load_options().evidence, "lbcl").band == "needs_data"


def test_an_evidence_item_without_a_number_form_is_refused():
    document = load_options().evidence["NE-016"].model_dump(mode="json")
    assert decode(EvidenceItem, {**document, "id": "16"}, "e")[1][0].where == "e.id"


def test_an_option_without_what_cuts_the_other_way_is_refused():
    document = load_options().options["lbcl.radiation"].model_dump(mode="json")
    faults = decode(Option, {**document, "disconfirming": [], "disconfirming_reason": ""}, "o")[1]
    assert "disconfirming" in faults[0].rule
