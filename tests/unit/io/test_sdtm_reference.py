"""The tables of names are sound, and the page that explains them lists every one."""

from pathlib import Path

import pytest

from livingdrug.core.patient import Product
from livingdrug.core.units import compute_conversion, parse_unit
from livingdrug.core.variables import EVENT_TYPES, OTHER, VARIABLES, compute_variable_conversion
from livingdrug.knowledge.exchange import (
    load_loinc_codes,
    load_sdtm_products,
    load_sdtm_tests,
    load_sdtm_treatments,
    load_sdtm_units,
)

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "sdtm.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("test", load_sdtm_tests(), ids=lambda test: f"{test.domain}.{test.code}.{test.specimen}")
def test_a_test_has_a_known_variable_and_stands_on_the_page(test):
    assert test.variable in VARIABLES
    assert (
        test.domain == "CP"
        or f"| {test.code} | {test.name.capitalize()} | {test.specimen} | `{test.variable}` |" in PAGE
    )


@pytest.mark.parametrize("code", load_loinc_codes().values(), ids=lambda code: code.code)
def test_a_loinc_code_has_a_known_variable_whose_unit_fits(code):
    assert code.status in {"V", "S", "C", "M"}
    assert code.variable.startswith(OTHER) or compute_variable_conversion(code.variable, code.unit) is not None


def test_treatments_and_products_are_known_and_stand_on_the_page():
    assert {event for _, event in load_sdtm_treatments()} <= set(EVENT_TYPES)
    assert {product for _, product in load_sdtm_products()} <= set(Product)
    for pattern, _ in (*load_sdtm_treatments(), *load_sdtm_products()):
        assert pattern == pattern.upper()
        assert pattern.lower() in PAGE


def test_units_of_sdtm_become_units_that_are_understood():
    for unit in load_sdtm_units().values():
        assert parse_unit(unit) is not None or compute_conversion(unit, "Cel") is not None, unit
