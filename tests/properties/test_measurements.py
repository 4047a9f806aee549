"""What is measured: qPCR, serum markers, size."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livingdrug.engine.schedule import Change
from livingdrug.knowledge.parameters import list_parameters
from livingdrug.models.unified.model import UNIFIED

SETS = tuple(name for name in list_parameters() if name.startswith("unified_"))
ONE_CLONE = {"fraction_low": 0.0, "fraction_negative": 0.0, "mu": 0.0}
DAYS = np.unique(np.concatenate([np.arange(0, 60.5, 0.5), np.arange(60, 731, 5.0)]))
CILTA = "unified_myeloma_cilta_cel"
IDE = "unified_myeloma_ide_cel"


def column(name):
    return UNIFIED.parameter_names.index(name)


@given(low=st.floats(0, 1e5), more=st.floats(1e-3, 1e5))
def test_the_transgene_rises_with_car_t_cells_and_is_bounded_by_its_copies(lab, low, more):
    row = lab.patients(IDE)[0]
    p = SimpleNamespace(**dict(zip(UNIFIED.parameter_names, row, strict=True)))
    states = {name: value if isinstance(value, float) else float(value) for name, value in UNIFIED.initial(p).items()}
    y = {name: states.get(name, 0.0) for name in UNIFIED.state_names}
    few = UNIFIED.observe(0.0, SimpleNamespace(**{**y, "cart_effector": low}), p)
    many = UNIFIED.observe(0.0, SimpleNamespace(**{**y, "cart_effector": low + more}), p)
    assert few["car_transgene"] < many["car_transgene"] < p.vcn * p.copies_per_ug


@pytest.mark.parametrize("name", SETS)
def test_few_car_t_cells_give_transgene_in_proportion(lab, name):
    solution = lab.typical(name)
    transgene, cells = solution.at("car_transgene")[0], solution.at("car_t_cells")[0]
    few = (cells > 0) & (cells < 0.01)
    slope = transgene[few] / cells[few]
    assert slope == pytest.approx(slope[0], rel=1e-3)


def test_two_thousand_copies_stand_for_one_cell_per_microlitre(lab):
    row = lab.patients(CILTA)[0]
    assert row[column("vcn")] * row[column("copies_per_ug")] / row[column("wbc_other")] == pytest.approx(2000, rel=1e-3)


@pytest.mark.parametrize("name", [CILTA, IDE])
def test_after_sudden_death_of_the_tumour_light_chains_fall_within_a_day_and_m_protein_in_weeks(lab, name):
    rows = lab.patients(name, [{**ONE_CLONE, "dose": 0.0}])
    dead = [[Change(1.0, "tumour_high", "multiply", 0.0)]]
    times = np.arange(0, 61, 0.5)
    solution = lab.run(rows, times, dead, rtol=1e-8)
    m_protein = solution.at("m_protein")[0]
    half_life = np.log(2) * 20 / np.log(np.interp(10, times, m_protein) / np.interp(30, times, m_protein))
    assert half_life == pytest.approx(21.0, rel=0.02)
    light_chain = solution.at("flc_ratio")[0]
    assert np.interp(2, times, light_chain) < 0.05 * np.interp(1, times, light_chain)
    assert np.interp(5, times, m_protein) > 0.8 * np.interp(1, times, m_protein)


@pytest.mark.parametrize("name", [CILTA, IDE])
def test_light_chains_respond_before_m_protein_in_a_treated_patient(lab, name):
    solution = lab.typical(name)
    half = [DAYS[np.argmax(solution.at(marker)[0] < 0.5)] for marker in ("flc_ratio", "m_protein_ratio")]
    assert half[0] < half[1]


@pytest.mark.parametrize("name", SETS)
def test_shares_stay_shares_and_sizes_stay_positive(lab, name):
    solution = lab.run(lab.prior(name, 128), rtol=1e-4)
    for output in ("antigen_positive_fraction", "pd1_tim3_fraction"):
        # the last ten-thousandth of a cell per uL is below the tolerance of the solver
        share = solution.at(output)[solution.at("car_t_cells") > 1e-4]
        assert ((share >= -1e-6) & (share <= 1 + 1e-6)).all()
    percent = solution.at("marrow_plasma_cells")
    assert ((percent >= -1e-9) & (percent <= 100)).all()
    assert (solution.at("tumour_spd") > 0).all()


@pytest.mark.parametrize("name", SETS)
def test_a_tumour_eight_times_the_volume_has_four_times_the_diameter_product(lab, name):
    small, large = lab.typical(name, {**ONE_CLONE, "B0": 10.0}, {**ONE_CLONE, "B0": 80.0}).at("tumour_spd")[:, 0]
    assert large == pytest.approx(4 * small, rel=1e-6)
