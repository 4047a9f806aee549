"""Scores: published bands, ranges, units of thresholds, kidney function against hand computation."""

import numpy as np
import polars as pl
import pytest

from livingdrug.clinical.crs import assess_crs
from livingdrug.clinical.endothelial_index import assess_easix, compute_index
from livingdrug.clinical.haematotoxicity_score import assess_car_hematotox
from livingdrug.clinical.hscore import assess_hscore, compute_probability
from livingdrug.clinical.hyperinflammation import assess_iec_hs
from livingdrug.clinical.icans import assess_icans
from livingdrug.clinical.kidney import assess_kidney, compute_ckd_epi, compute_cockcroft_gault
from livingdrug.clinical.staging import assess_iss
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.errors import InputError
from livingdrug.knowledge.rules import load_rules

ALL = {
    "astct-crs/2019": assess_crs,
    "astct-icans/2019": assess_icans,
    "hscore/2014": assess_hscore,
    "iec-hs/2023": assess_iec_hs,
    "easix/2017": assess_easix,
    "car-hematotox/2021": assess_car_hematotox,
    "iss/2005": assess_iss,
    "ckd-epi/2021": assess_kidney,
}
NOTHING = pl.DataFrame(
    schema={"day": pl.Float64, "variable": pl.String, "value": pl.Float64, "text": pl.String, "unit": pl.String}
)
NO_EVENTS = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
BANDS = [
    (0, 0, 1),
    (90, 0, 1),
    (91, 1, 1),
    (100, 1, 1),
    (101, 1, 3),
    (110, 1, 3),
    (111, 3, 5),
    (121, 5, 9),
    (131, 9, 16),
    (141, 16, 25),
    (151, 25, 40),
    (160, 25, 40),
    (161, 40, 54),
    (171, 54, 70),
    (181, 70, 80),
    (191, 80, 88),
    (201, 88, 93),
    (211, 93, 96),
    (221, 96, 98),
    (231, 98, 99),
    (240, 98, 99),
    (241, 99, 100),
    (337, 99, 100),
]


@pytest.mark.parametrize(("score", "low", "high"), BANDS)
def test_the_probability_is_that_of_the_published_band(score, low, high):
    assert compute_probability(score, load_rules("hscore/2014")) == (low, high)


@pytest.mark.parametrize("name", ALL)
def test_an_empty_record_gives_no_grade_and_no_event(name):
    found = ALL[name](SubjectTables({}, NO_EVENTS, NOTHING), load_rules(name))
    assert all(v.time_point == "NE" for v in found.verdicts)
    assert not any(e.status == "event" and e.value not in ("0-7",) for e in found.endpoints)


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_option_is_refused_with_its_name(name):
    with pytest.raises(InputError, match="nonsense"):
        ALL[name](SubjectTables({}, NO_EVENTS, NOTHING), load_rules(name), nonsense=1.0)


def test_an_index_of_a_censored_value_has_bounds_and_no_value():
    rules = load_rules("easix/2017")
    table = pl.DataFrame(
        {
            "day": [1.0] * 3,
            "variable": ["ldh", "crp", "platelets"],
            "value": [400.0, 300.0, 100.0],
            "unit": ["U/L", "mg/L", "10*9/L"],
            "censored": ["none", "right", "none"],
        }
    )
    found = assess_easix(SubjectTables({}, NO_EVENTS, table), rules, variant="m_easix").verdicts[0]
    assert (found.time_point, found.unknowns) == ("NE", ("crp",))
    assert compute_index({}, "easix", rules).finding.missing == ("ldh", "creatinine", "platelets")


def test_an_index_is_kept_in_full_beside_the_verdict():
    values = {"ldh": 333.0, "creatinine": 1.1, "platelets": 77.0, "crp": 12.0}
    units = {"ldh": "U/L", "creatinine": "mg/dL", "platelets": "10*9/L", "crp": "mg/L"}
    table = pl.DataFrame(
        [(2.0, name, value, units[name]) for name, value in values.items()],
        schema=["day", "variable", "value", "unit"],
        orient="row",
    )
    found = assess_easix(SubjectTables({}, NO_EVENTS, table), load_rules("easix/2017"))
    expected = np.log2([333.0 * 1.1 / 77.0, 333.0 / 77.0, 333.0 * 1.2 / 77.0])
    assert found.details["indices"].row(0)[1:] == pytest.approx(expected)
    assert found.verdicts[0].time_point == f"{expected[0]:.3f}"


def test_kidney_function_agrees_with_the_equations_written_out():
    age, weight, creatinine = np.array([71.0, 38.0]), np.array([80.0, 55.0]), np.array([1.7, 0.6])
    female = np.array([False, True])
    clearance = compute_cockcroft_gault(age, weight, creatinine, female, load_rules("cockcroft-gault/1976"))
    assert clearance == pytest.approx([69 * 80 / (72 * 1.7), 102 * 55 / (72 * 0.6) * 0.85])
    rate = compute_ckd_epi(age, creatinine, female, load_rules("ckd-epi/2009"))
    expected = [141 * (1.7 / 0.9) ** -1.209 * 0.993**71, 141 * (0.6 / 0.7) ** -0.329 * 0.993**38 * 1.018]
    assert rate == pytest.approx(expected)
    newer = compute_ckd_epi(age, creatinine, female, load_rules("ckd-epi/2021"))
    expected = [142 * (1.7 / 0.9) ** -1.2 * 0.9938**71, 142 * (0.6 / 0.7) ** -0.241 * 0.9938**38 * 1.012]
    assert newer == pytest.approx(expected)


def test_the_race_factor_is_off_unless_asked_for():
    rules, one = load_rules("ckd-epi/2009"), np.array([1.0])
    plain = compute_ckd_epi(np.array([50.0]), one, np.array([True]), rules)
    assert compute_ckd_epi(np.array([50.0]), one, np.array([True]), rules, with_race_factor=True) == pytest.approx(
        1.159 * plain
    )


def test_the_lowest_kidney_function_is_an_endpoint():
    table = pl.DataFrame(
        {"day": [1.0, 2.0], "variable": ["creatinine"] * 2, "value": [1.0, 2.0], "unit": ["mg/dL"] * 2}
    )
    subject = {"age_years": 60.0, "sex": "male", "weight_kg": 72.0}
    found = assess_kidney(SubjectTables(subject, NO_EVENTS, table), load_rules("cockcroft-gault/1976"))
    assert (found.endpoints[0].day, found.endpoints[0].value) == (2.0, "40.0")


def test_organ_toxicity_never_changes_the_grade():
    rows = [(1.0, "temperature", 38.5, None, "Cel"), (1.0, "hypotension", None, "no", None)]
    rows += [(1.0, "oxygen", None, "none", None), (1.0, "ast", 5000.0, None, "U/L")]
    table = pl.DataFrame(rows, schema=NOTHING.schema, orient="row")
    assert assess_crs(SubjectTables({}, NO_EVENTS, table), load_rules("astct-crs/2019")).verdicts[0].time_point == "1"
