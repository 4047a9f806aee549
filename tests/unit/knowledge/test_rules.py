import pytest

from livingdrug.core.errors import KnowledgeError
from livingdrug.knowledge.rules import decode_rules, list_rules, load_rules

HEAD = {"name": "x/1", "title": "Criteria of x", "source": "kumar2016"}
LOW = {"value": 25.0, "unit": "%", "source": "kumar2016", "where": "Table 4", "how": "reported"}


OPTIONS = {
    "urine_policy": {"default": "strict", "choices": ["strict", "lax"], "meaning": "what urine is asked for"},
    "days": {"default": 84, "meaning": "how long a result stands"},
}


def document(**changed):
    return {"ruleset": HEAD, "options": OPTIONS, "low": LOW} | changed


def faults_of(**changed):
    return [fault.where for fault in decode_rules(document(**changed), "x/1")[1]]


@pytest.mark.parametrize("name", list_rules())
def test_every_packaged_ruleset_loads_with_thresholds(name):
    rules = load_rules(name)
    assert rules.name == name
    assert rules.thresholds


def test_a_sound_document_is_read_with_its_options():
    rules, faults = decode_rules(document(), "x/1")
    assert faults == []
    assert rules.threshold("low") == 25.0
    assert rules.options["urine_policy"].choices == ("strict", "lax")
    assert rules.choose({"days": "28"}) == {"urine_policy": "strict", "days": 28.0}


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"ruleset": None}, "x/1.ruleset"),
        ({"ruleset": HEAD | {"title": ""}}, "x/1.ruleset.title"),
        ({"ruleset": HEAD | {"colour": "red"}}, "x/1.ruleset.colour"),
        ({"ruleset": HEAD | {"name": "x/2"}}, "x/1.ruleset.name"),
        ({"ruleset": HEAD | {"source": "https://example.org"}}, "x/1.ruleset.source"),
        ({"options": {"nested": {}}}, "x/1.options.nested"),
        ({"options": 3}, "x/1.options"),
        ({"low": 25.0}, "x/1.low"),
        ({"low": LOW | {"value": "a quarter"}}, "x/1.low.value"),
    ],
)
def test_each_fault_is_named_with_its_path(changed, where):
    assert faults_of(**changed) == [where]


def test_an_unknown_ruleset_is_refused_by_name():
    with pytest.raises(KnowledgeError, match="'imwg/1066'"):
        load_rules("imwg/1066")


def test_both_parts_of_a_name_may_hold_hyphens():
    assert {"all/nccn-eln", "astct-crs/2019"} <= set(list_rules())
    assert load_rules("all/nccn-eln").name == "all/nccn-eln"
