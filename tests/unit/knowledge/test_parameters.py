import pytest

from livingdrug.core.errors import KnowledgeError
from livingdrug.knowledge.parameters import decode_parameters, list_parameters, load_parameters

SPREAD = {"kind": "lognormal", "sd": 0.4}
VALUE = {"value": 0.5, "unit": "1/day", "source": "stein2019", "where": "Table 1", "how": "reported", "spread": SPREAD}
HEAD = {"name": "x", "model": "m", "caveat": "represents nobody"}
LINK = {"a": "k", "b": "l", "value": 0.3, "source": "design", "where": "none", "how": "assumed"}


def document(**changed):
    return {"set": HEAD, "k": VALUE, "l": VALUE, "m": VALUE} | changed


def faults_of(**changed):
    return [fault.where for fault in decode_parameters(document(**changed), "x")[1]]


@pytest.mark.parametrize("name", list_parameters())
def test_every_packaged_set_loads_and_says_what_it_does_not_represent(name):
    values = load_parameters(name)
    assert values.name == name
    assert values.caveat
    assert values.values


def test_loading_twice_gives_the_same_object_and_it_cannot_be_changed():
    values = load_parameters("stein2019")
    assert load_parameters("stein2019") is values
    with pytest.raises(TypeError):
        values.values["alpha"] = None  # type: ignore[index]


def test_an_unknown_set_is_answered_with_a_near_name():
    with pytest.raises(KnowledgeError, match=r"'stein2018'.*did you mean 'stein2019'"):
        load_parameters("stein2018")


def test_a_sound_document_is_read_with_its_correlations():
    values, faults = decode_parameters(document(correlation=[LINK]), "x")
    assert faults == []
    assert values.correlations == {("k", "l"): 0.3}


def test_all_faults_of_a_document_come_at_once():
    broken = VALUE | {"unit": "cels"}
    wheres = faults_of(set={"name": "y", "model": "m", "caveat": "c"}, k=broken, l=3)
    assert wheres == ["x.set.name", "x.k.unit", "x.l"]


@pytest.mark.parametrize("head", [None, {}, HEAD | {"colour": "red"}, HEAD | {"caveat": " "}])
def test_the_head_must_be_complete_and_hold_nothing_else(head):
    assert all(where.startswith("x.set") for where in faults_of(set=head))
    assert faults_of(set=head)


@pytest.mark.parametrize(
    "entry",
    [
        LINK | {"b": "k"},
        LINK | {"b": "none"},
        LINK | {"value": 1.0},
        LINK | {"value": "strong"},
        LINK | {"how": ""},
        {key: field for key, field in LINK.items() if key != "source"},
    ],
)
def test_a_correlation_that_cannot_be_meant_is_a_fault(entry):
    assert faults_of(correlation=[entry]) == ["x.correlation[0]"]


def test_a_correlation_needs_a_spread_on_both_sides():
    without = {key: field for key, field in VALUE.items() if key != "spread"}
    assert faults_of(correlation=[LINK], l=without) == ["x.correlation[0]"]


def test_a_pair_is_correlated_once():
    assert faults_of(correlation=[LINK, LINK | {"a": "l", "b": "k"}]) == ["x.correlation[1]"]


def test_correlations_that_contradict_each_other_are_a_fault():
    links = [LINK | {"value": 0.9}, LINK | {"a": "l", "b": "m", "value": 0.9}, LINK | {"b": "m", "value": -0.9}]
    assert faults_of(correlation=links) == ["x.correlation"]
