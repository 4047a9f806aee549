import pytest

from livingdrug.core.parameters import Spread
from livingdrug.knowledge.provenance import decode_value

GOOD = {"value": 0.5, "unit": "1/day", "source": "stein2019", "where": "Table 1", "how": "reported"}


def faults_of(**changed):
    return [fault.where for fault in decode_value(GOOD | changed, "k")[1]]


def test_a_complete_value_is_read():
    value, faults = decode_value(GOOD | {"spread": {"kind": "lognormal", "sd": 0.4}, "note": "n"}, "k")
    assert faults == []
    assert (value.value, value.spread, value.note) == (0.5, Spread("lognormal", 0.4), "n")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_of_the_five_fields_must_be_there(name):
    table = {key: field for key, field in GOOD.items() if key != name}
    assert [fault.where for fault in decode_value(table, "k")[1]] == [f"k.{name}"]


@pytest.mark.parametrize("value", ["0.5", True, float("nan"), float("inf"), None, [1.0]])
def test_the_value_must_be_a_finite_number(value):
    assert faults_of(value=value) == ["k.value"]


@pytest.mark.parametrize("source", ["https://doi.org/10.1/x", "www.example.org", "doi:10.1/x", "10.1002/psp4.12388"])
def test_an_address_is_not_a_source(source):
    assert faults_of(source=source) == ["k.source"]


def test_a_unit_that_cannot_be_read_is_a_fault():
    assert faults_of(unit="furlong/cels") == ["k.unit"]


def test_how_must_be_one_of_the_five_words():
    assert faults_of(how="guessed") == ["k.how"]


def test_a_field_that_no_value_has_is_a_fault():
    assert faults_of(colour="red") == ["k.colour"]


@pytest.mark.parametrize(
    ("value", "spread"),
    [
        (0.5, {"kind": "gamma", "sd": 0.4}),
        (0.5, {"kind": "lognormal", "sd": -0.4}),
        (0.5, {"kind": "lognormal", "sd": 30.0}),
        (0.5, {"kind": "lognormal"}),
        (0.5, 0.4),
        (0.0, {"kind": "lognormal", "sd": 0.4}),
        (1.5, {"kind": "logitnormal", "sd": 0.4}),
    ],
)
def test_a_spread_that_cannot_be_meant_is_a_fault(value, spread):
    assert [where.startswith("k.spread") for where in faults_of(value=value, spread=spread)] == [True]
