"""Units against pint, an independent reader of units, and the traps of clinical files."""

import itertools
import math

import pint
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livingdrug.core.units import compute_factor, convert, parse_unit
from livingdrug.core.variables import VARIABLES, compute_variable_conversion

# Spelled here : spelled in pint. What is counted is a dimension of its own in both.
SPELLINGS = {
    "g/L": "g/L",
    "g/dL": "g/dL",
    "mg/L": "mg/L",
    "mg/dL": "mg/dL",
    "ug/mL": "ug/mL",
    "ng/mL": "ng/mL",
    "pg/mL": "pg/mL",
    "ug/L": "ug/L",
    "kg/m3": "kg/m**3",
    "mmol/L": "mmol/L",
    "umol/L": "umol/L",
    "mM": "mmol/L",
    "mol/mL": "mol/mL",
    "1/day": "1/day",
    "1/h": "1/hour",
    "/wk": "1/week",
    "1/s": "1/second",
    "mg/24h": "mg/(24*hour)",
    "g/day": "g/day",
    "mg/wk": "mg/week",
    "ug/min": "ug/minute",
    "mL/min": "mL/minute",
    "L/day": "L/day",
    "mm2": "mm**2",
    "cm2": "cm**2",
    "m^2": "m**2",
    "mm3": "mm**3",
    "mL": "mL",
    "cc": "cm**3",
    "dL": "dL",
    "uL": "uL",
    "cells/uL": "cell/uL",
    "cells/L": "cell/L",
    "1e9 cells/L": "1e9*cell/L",
    "10*6 cells/mL": "1e6*cell/mL",
    "copies/ug": "copy/ug",
    "copies/mg": "copy/mg",
    "10*9/L": "1e9/L",
    "10*3/uL": "1e3/uL",
    "/uL": "1/uL",
    "1/(uL*day)": "1/(uL*day)",
    "1/(cells*day)": "1/(cell*day)",
    "mL/(cells*h)": "mL/(cell*hour)",
    "%": "percent",
    "1": "dimensionless",
    "mg/kg": "mg/kg",
    "ug/g": "ug/g",
    "U/L": "enzyme_unit/L",
    "ukat/L": "microkatal/L",
    "nkat/mL": "nanokatal/mL",
    "m.s-2": "m/s**2",
    "mm/h": "mm/hour",
}


@pytest.fixture(scope="module")
def registry():
    units = pint.UnitRegistry()
    units.define("cell = [cell]")
    units.define("copy = [copy]")
    return units


def test_every_pair_of_units_converts_as_pint_says(registry):
    parsed = {ours: registry(theirs) for ours, theirs in SPELLINGS.items()}
    converted = 0
    for a, b in itertools.product(SPELLINGS, repeat=2):
        ours = compute_factor(a, b)
        if parsed[a].dimensionality != parsed[b].dimensionality:
            assert ours is None, (a, b)
        else:
            theirs = (parsed[a] / parsed[b]).to_base_units().magnitude
            assert ours == pytest.approx(theirs, rel=1e-12), (a, b)
            converted += 1
    assert converted > 200


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("cells", "copies"),
        ("cells", "molecules"),
        ("cells/uL", "1/uL"),
        ("mmol/L", "mg/dL"),
        ("U", "IU"),
        ("mg", "mg/kg"),
        ("Cel", "1"),
        ("mmHg", "1"),
    ],
)
def test_what_is_not_the_same_thing_does_not_convert(a, b):
    assert parse_unit(a) is not None
    assert parse_unit(b) is not None
    assert compute_factor(a, b) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "cels",
        "mg/",
        "/",
        "(mg",
        "mg)",
        "mg//L",
        "10E9/L",
        "10e3/uL",
        "10*100",
        "km999",
        "1/0 g",
        "mg L",
        "g%/",
    ],
)
def test_what_is_not_a_unit_is_not_understood(text):
    assert parse_unit(text) is None
    assert compute_factor(text, "1") is None


@pytest.mark.parametrize(
    ("spellings", "factor"),
    [
        (("10*9/L", "10^9/L", "x10^9/L", "× 10⁹/L", "K/uL", "10*3/µL", "10³/μL", "1e9/L", "{cells}.10*9/L"), 1e12),
        (("mg/24h", "mg/24 h", "mg/d", "mg/day", "mg/(24.h)", "mg/24hrs"), 1e-3 / 86400),
        (("10*3/uL", "K/uL", "K/mcL", "10^3/mcL"), 1e12),
        (("umol/L", "µmol/L", "mcmol/L"), 1e-3),
        (("g/dL", "gm/dL"), 1e4),
        (("copies/ug", "{copies}/ug", "copies/mcg"), 1e6),
        (("mL/min/{1.73_m2}", "mL/min", "cc/min{normalised}"), 1e-6 / 60),
        (("mm[Hg]", "mmHg", "mm Hg"), 1.0),
        (("Cel", "degC", "°C", "deg C"), 1.0),
    ],
)
def test_spellings_of_one_unit_are_one_unit(spellings, factor):
    units = [parse_unit(text) for text in spellings]
    assert len({unit.dimensions for unit in units}) == 1
    assert [unit.factor for unit in units] == pytest.approx([factor] * len(units), rel=1e-12)


@given(st.text(max_size=80))
@example("(" * 64)
@example("fm9" * 20)
@example("1/fm9.fm9.fm9.fm9.fm9.fm9")
def test_any_text_is_a_unit_or_none(text):
    unit = parse_unit(text)
    assert unit is None or 0 < unit.factor < math.inf


@given(value=st.floats(1e-9, 1e9), a=st.sampled_from(list(SPELLINGS)), b=st.sampled_from(list(SPELLINGS)))
def test_converting_there_and_back_changes_nothing(value, a, b):
    there = convert(value, a, b)
    if there is None:
        assert convert(value, b, a) is None
    else:
        assert convert(there, b, a) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("name", VARIABLES)
def test_the_canonical_unit_of_a_variable_is_a_unit(name):
    variable = VARIABLES[name]
    if variable.words:
        assert variable.unit == ""
    else:
        assert compute_variable_conversion(name, variable.unit) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("calcium", 2.5, "mmol/L", 2.5 * 4.008),
        ("creatinine", 88.4, "umol/L", 1.0),
        ("triglycerides", 1.0, "mmol/L", 1 / 0.01129),
        ("neutrophils", 1500, "/uL", 1.5),
        ("neutrophils", 1500, "cells/uL", 1.5),
        ("neutrophils", 1.5, "K/uL", 1.5),
        ("b_cells", 0.1, "10*9/L", 100),
        ("ferritin", 500, "ug/L", 500),
        ("fibrinogen", 2, "g/L", 200),
        ("flc_kappa", 12, "mg/dL", 120),
        ("crp", 3, "mg/dL", 30),
        ("m_protein", 31, "g/L", 3.1),
        ("ldh", 4, "ukat/L", 240),
        ("ldh", 250, "IU/L", 250),
        ("car_transgene", 5, "copies/ug DNA", 5),
        ("car_transgene", 5, "copies/ng gDNA", 5000),
        ("potassium", 4.2, "mEq/L", 4.2),
        ("magnesium", 2.0, "mEq/L", 2.4305),
        ("calcium", 5.0, "mEq/L", 2.5 * 4.008),
        ("temperature", 104, "[degF]", 40),
        ("temperature", 38.5, "C", 38.5),
        ("temperature", 104, "°F", 40),
        ("mrd", 0.01, "%", 1e-4),
        ("marrow_plasma_cells", 0.3, "1", 30),
        ("ecog", 2, "", 2),
    ],
)
def test_a_laboratory_may_write_another_unit(name, value, unit, expected):
    factor, offset = compute_variable_conversion(name, unit)
    assert value * factor + offset == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("m_protein", ""),
        ("m_protein", "mmol/L"),
        ("haemoglobin", "mmol/L"),
        ("car_transgene", "cells/uL"),
        ("b_cells", "copies/uL"),
        ("platelets", "10E9/L"),
        ("temperature", "K"),
        ("crp", "IU/L"),
    ],
)
def test_a_unit_that_does_not_fit_the_variable_is_refused(name, unit):
    assert compute_variable_conversion(name, unit) is None
