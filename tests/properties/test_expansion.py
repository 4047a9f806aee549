"""How far CAR T cells expand, when they peak, and what lowers the peak."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.engine.schedule import Change
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models.unified.model import UNIFIED

SETS = tuple(name for name in list_parameters() if name.startswith("unified_"))
BY_ANTIGEN = tuple(name for name in SETS if load_parameters(name).values["rE"].value > 0)
"""Natural killer cells do not multiply by antigen and never fill the niche: their peak follows the dose."""
ONE_CLONE = {"fraction_low": 0.0, "fraction_negative": 0.0, "mu": 0.0}
DAYS = np.unique(np.concatenate([np.arange(0, 60.5, 0.5), np.arange(60, 731, 5.0)]))
AXI = "unified_lbcl_axi_cel"
ALL = "unified_b_all_tisa_cel"
CILTA = "unified_myeloma_cilta_cel"
IDE = "unified_myeloma_ide_cel"


def peak(solution):
    """Within 60 days: in a few patients cells come again when the tumour does."""
    return solution.at("car_t_cells")[:, solution.times <= 60].max(axis=1)


def depth(solution):
    """Decimal logarithm of the fewest tumour cells within half a year."""
    return np.log10(np.maximum(solution.at("tumour_cells")[:, solution.times <= 180].min(axis=1), 1.0))


def typical_value(lab, name, parameter):
    return lab.patients(name)[0, UNIFIED.parameter_names.index(parameter)]


def test_a_typical_cd19_4_1bb_product_has_the_kinetics_of_stein_and_ogasawara(lab):
    course = lab.typical(ALL).at("car_t_cells")[0]
    top = int(course.argmax())
    lag = 3.27
    doubling = np.log(2) * (DAYS[top] - lag) / np.log(course[top] / np.interp(lag, DAYS, course))
    after, later = np.interp([DAYS[top] + 2, DAYS[top] + 12], DAYS, course)
    first_year, second_year = np.interp([365.0, 730.0], DAYS, course)
    assert np.interp(3.0, DAYS, course) < 0.02 * course[top]
    assert doubling == pytest.approx(0.767, abs=0.1)
    assert 9.0 <= DAYS[top] <= 13.0
    assert 10 * np.log(2) / np.log(after / later) == pytest.approx(4.3, abs=0.9)
    assert 365 * np.log(2) / np.log(first_year / second_year) == pytest.approx(220, abs=60)


@pytest.mark.parametrize("name", SETS)
def test_every_product_peaks_between_day_5_and_day_14(lab, name):
    course = lab.typical(name).at("car_t_cells")[0]
    assert 5 <= DAYS[course.argmax()] <= 14


@pytest.mark.parametrize("name", SETS)
def test_low_or_no_burden_still_gives_some_expansion(lab, name):
    burdens = [{**ONE_CLONE, "B0": b} for b in (1e-6, 1e-3, 0.1)]
    solution = lab.typical(name, *burdens)
    engrafted = np.prod([typical_value(lab, name, k) for k in ("dose", "feng")]) / 5e8
    assert (peak(solution) > 3 * engrafted).all()


@pytest.mark.parametrize("name", BY_ANTIGEN)
def test_the_dose_matters_far_less_than_proportionally(lab, name):
    dose = typical_value(lab, name, "dose")
    low, high = peak(lab.typical(name, {"dose": dose / 4}, {"dose": dose * 4}))
    assert low < high < 4 * low


@pytest.mark.parametrize("name", BY_ANTIGEN)
def test_a_16_fold_dose_moves_the_peak_less_than_a_25_fold_burden_where_antigen_is_scarce(lab, name):
    """From 1e7 to 2.5e8 cells; above, the antigen drive is saturated and burden hardly matters either."""
    dose = typical_value(lab, name, "dose")
    by_dose = peak(lab.typical(name, {"dose": dose / 4}, {"dose": dose * 4}))
    by_burden = peak(lab.typical(name, {"B0": 0.01}, {"B0": 0.25}))
    assert by_dose[1] / by_dose[0] < by_burden[1] / by_burden[0] < 100


@pytest.mark.parametrize("name", SETS)
def test_burden_changes_the_peak_only_mildly(lab, name):
    peaks = peak(lab.typical(name, *[{**ONE_CLONE, "B0": b} for b in (5.0, 25.0, 125.0)]))
    assert peaks.max() < 5 * peaks.min()


@pytest.mark.parametrize("name", SETS)
def test_without_lymphodepletion_the_peak_is_lower_and_the_tumour_survives_better(lab, name):
    solution = lab.typical(name, *[{**ONE_CLONE, "N0": n} for n in (6.0, 30.0, 300.0)])
    assert (np.diff(peak(solution)) < 0).all()
    assert (np.diff(lab.nadir(solution)) >= 0).all()
    assert peak(solution)[2] < 0.1 * peak(solution)[0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(SETS), parameter=st.sampled_from(["feng", "rE", "rN"]))
def test_a_poorer_product_expands_less(lab, name, parameter, seed):
    rows = lab.prior(name, 32, seed=seed)
    poorer = lab.scaled(rows, **{parameter: 0.5})
    assert (peak(lab.run(poorer, rtol=1e-5)) <= 1.01 * peak(lab.run(rows, rtol=1e-5))).all()


@pytest.mark.parametrize("parameter", ["S0", "G0"])
@pytest.mark.parametrize("name", SETS)
def test_a_more_suppressive_environment_lowers_the_peak_and_the_depth(lab, name, parameter):
    rows = lab.prior(name, 512, mu=0.0, extinct_high=1e-9, extinct_low=1e-9, extinct_negative=1e-9)
    before, after = lab.run(rows, rtol=1e-5), lab.run(lab.scaled(rows, **{parameter: 3.0}), rtol=1e-5)
    # where the tumour's reprieve keeps more antigen the peak may rise: measured in 4 of 82,000 patients, by 5 to 19 %
    assert (peak(after) <= 1.05 * peak(before)).mean() > 0.995
    assert np.median(peak(after) / peak(before)) < 1
    assert (depth(after) >= depth(before) - 0.02).all()


@pytest.mark.parametrize("name", SETS)
def test_an_exhausted_product_holds_more_exhausted_cells_and_reaches_less(lab, name):
    rate = typical_value(lab, name, "xg")
    solution = lab.typical(name, *[{**ONE_CLONE, "xg": rate * f} for f in (1, 5, 20)])
    day_14 = int(np.searchsorted(DAYS, 14.0))
    assert (np.diff(solution.at("pd1_tim3_fraction")[:, day_14]) > 0).all()
    assert (np.diff(peak(solution)) < 0).all()
    assert (np.diff(lab.nadir(solution)) >= 0).all()


@pytest.mark.parametrize("name", SETS)
def test_efficacy_does_not_need_persistence(lab, name):
    """All CAR T cells are removed on day 28: a deep response before stays a response for months."""
    potency = typical_value(lab, name, "gB")
    rows = lab.patients(name, [{**ONE_CLONE, "gB": 4 * potency}] * 2)
    gone = [Change(28.0, state, "multiply", 0.0) for state in UNIFIED.state_names if state.startswith("cart_")]
    burden = lab.run(rows, DAYS, [[], gone]).at("tumour_cells")
    half_year = int(np.searchsorted(DAYS, 180.0))
    assert (burden[:, half_year] < 1e-3 * burden[:, 0]).all()


def test_persistence_differs_between_products(lab):
    day = int(np.searchsorted(DAYS, 365.0))
    left = {name: lab.typical(name).at("car_t_cells")[0, day] for name in (ALL, CILTA)}
    assert left[ALL] > left[CILTA]


@pytest.mark.parametrize("name", [AXI, CILTA, IDE])
def test_cells_fall_tenfold_within_two_months_of_the_peak(lab, name):
    course = lab.typical(name).at("car_t_cells")[0]
    assert course[int(np.searchsorted(DAYS, 75.0))] < 0.1 * course.max()
