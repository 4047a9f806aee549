"""Antigen: escape by the negative and the low clone, density, healthy cells with the antigen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livingdrug.knowledge.parameters import list_parameters
from livingdrug.models.unified.antigen import compute_efficiency
from livingdrug.models.unified.model import UNIFIED

SETS = tuple(name for name in list_parameters() if name.startswith("unified_"))
ONE_CLONE = {"fraction_low": 0.0, "fraction_negative": 0.0, "mu": 0.0}
ALL = "unified_b_all_tisa_cel"
CILTA = "unified_myeloma_cilta_cel"
AXI = "unified_lbcl_axi_cel"
BREXU = "unified_mcl_brexu_cel"
TISA = "unified_lbcl_tisa_cel"

DAYS = np.arange(0, 1500, 2.0)


def column(name):
    return UNIFIED.parameter_names.index(name)


def potent(lab, name, *overrides, factor=10.0):
    """Patients whose usual clone is controlled: a multiple of the typical potency."""
    potency = lab.patients(name)[0, column("gB")]
    return lab.patients(name, [{**ONE_CLONE, "gB": factor * potency, **o} for o in overrides])


@pytest.mark.parametrize("name", SETS)
def test_a_pre_existing_negative_clone_relapses_before_a_new_one_and_both_are_negative(lab, name):
    rows = potent(lab, name, {"fraction_negative": 1e-6}, {"mu": 1e-13, "extinct_negative": 1e-6})
    solution = lab.run(rows, DAYS)
    old, new = lab.relapse_day(solution)
    assert old < new
    at_relapse = [int(np.searchsorted(DAYS, day)) for day in (old, new) if np.isfinite(day)]
    assert np.isfinite(old)
    for patient, time in enumerate(at_relapse):
        assert solution.at("antigen_positive_fraction")[patient, time] < 0.01


@pytest.mark.parametrize("name", SETS)
def test_without_any_negative_cell_and_without_loss_a_controlled_tumour_does_not_relapse(lab, name):
    solution = lab.run(potent(lab, name, {}), DAYS)
    assert np.isinf(lab.relapse_day(solution)).all()


@pytest.mark.parametrize("name", SETS)
def test_a_large_low_clone_relapses_earlier_still_and_with_low_density(lab, name):
    """The low clone at a density that killing hardly sees (1 % of full effect), at a potency that controls the rest."""
    row = lab.patients(name)[0]
    usual = row[column("antigen_density_high")]
    ratio = row[column("A50_kill")] * (0.01 / 0.99) ** (1 / row[column("hill_antigen")]) / usual
    low = {"fraction_low": 0.3, "density_low_ratio": ratio}
    factor = 1.0 if name in {ALL, CILTA, BREXU} else 3.0
    solution = lab.run(potent(lab, name, low, {"fraction_negative": 1e-6}, factor=factor), DAYS)
    half = 0.5 * solution.at("tumour_cells")[0, 0]
    day_low, day_negative = lab.relapse_day(solution, half)
    assert day_low < day_negative
    time = int(np.searchsorted(DAYS, day_low))
    assert solution.at("antigen_density")[0, time] < 1.5 * ratio * usual


@pytest.mark.parametrize("name", SETS)
def test_without_bystander_killing_negative_cells_grow_exactly_as_untreated(lab, name):
    clone = {**ONE_CLONE, "fraction_negative": 1e-3, "Kmax": 1e15}
    treated, untreated = lab.typical(name, clone, {**clone, "dose": 0.0}, times=np.arange(0, 200, 5.0)).at(
        "tumour_negative"
    )
    assert treated == pytest.approx(untreated, rel=1e-5)


@pytest.mark.parametrize("name", SETS)
def test_bystander_killing_reaches_negative_cells(lab, name):
    clone = {**ONE_CLONE, "fraction_negative": 1e-3}
    without, with_it = lab.typical(name, clone, {**clone, "wby": 0.2}, times=np.arange(0, 60, 5.0)).at(
        "tumour_negative"
    )
    assert with_it[-1] < without[-1]


@given(density=st.floats(10, 1e5), half=st.floats(50, 5000), steepness=st.floats(1, 3))
def test_a_lower_density_is_lost_to_expansion_before_it_is_lost_to_killing(density, half, steepness):
    assert compute_efficiency(density, 2 * half, steepness) < compute_efficiency(density, half, steepness)


@pytest.mark.parametrize("name", SETS)
def test_half_maximal_killing_needs_less_antigen_than_half_maximal_expansion(lab, name):
    row = lab.patients(name)[0]
    assert row[column("A50_kill")] < row[column("A50_expand")]


@pytest.mark.parametrize("name", SETS)
def test_a_lower_density_never_deepens_the_response(lab, name):
    usual = lab.patients(name)[0, column("antigen_density_high")]
    rows = lab.patients(name, [{**ONE_CLONE, "antigen_density_high": usual * f} for f in (0.25, 0.5, 1.0)])
    least = lab.run(rows).at("tumour_cells").min(axis=1)
    assert (np.diff(np.log10(np.maximum(least, 1 / rows[:, column("fc")]))) <= 1e-3).all()


@pytest.mark.parametrize("name", [AXI, TISA])
def test_b_cells_vanish_during_expansion_and_return_when_car_t_cells_are_few(lab, name):
    solution = lab.typical(name, times=np.arange(0, 1100, 2.0))
    b_cells, cart = solution.at("b_cells")[0], solution.at("car_t_cells")[0]
    day_28, last = 14, -1
    assert b_cells[day_28] < 0.05 * b_cells[0]
    assert b_cells[last] > b_cells[0]
    rising = np.flatnonzero((b_cells[1:] > b_cells[:-1]) & (b_cells[1:] > 0.25 * b_cells[0]))
    # Park 2025: B cells are back only below about 2.38 CAR T cells per uL
    assert cart[rising[0]] < 2.38
