"""What must hold of every solution: finite, not negative, independent of tolerance, grid and unit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.core.parameters import bind
from livingdrug.engine.schedule import Change
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models.unified.model import UNIFIED

SETS = tuple(name for name in list_parameters() if name.startswith("unified_"))
ONE_CLONE = {"fraction_low": 0.0, "fraction_negative": 0.0, "mu": 0.0}
DAYS = np.unique(np.concatenate([np.arange(0, 60.5, 0.5), np.arange(60, 731, 5.0)]))

STATES = len(UNIFIED.states)


@pytest.mark.parametrize("name", SETS)
def test_every_patient_of_the_prior_stays_finite_and_not_negative_for_five_years(lab, name):
    solution = lab.run(lab.prior(name, 512), np.arange(0, 1826, 5.0), rtol=1e-4)
    floors = np.array([q.floor for q in UNIFIED.states])
    assert np.isfinite(solution.values).all()
    assert (solution.values[:, :, :STATES] >= -1e-4 * floors).all()


@pytest.mark.parametrize("name", SETS)
def test_halving_the_tolerance_changes_peak_nadir_and_relapse_by_less_than_one_percent(lab, name):
    rows = lab.prior(name, 256)
    coarse, fine = lab.run(rows, rtol=1e-4), lab.run(rows, rtol=5e-5)
    assert lab.peak(coarse) == pytest.approx(lab.peak(fine), rel=0.01)
    assert lab.nadir(coarse) == pytest.approx(lab.nadir(fine), abs=np.log10(1.01), rel=0.01)
    back, again = lab.relapse_day(coarse), lab.relapse_day(fine)
    both = np.isfinite(back) & np.isfinite(again)
    assert np.array_equal(np.isfinite(back), np.isfinite(again))
    # a report every 5 days: one apart at most
    assert (np.abs(back[both] - again[both]) <= 5.0).all()


@pytest.mark.parametrize("name", SETS)
def test_without_a_dose_there_are_no_car_t_cells_and_the_tumour_follows_its_growth_law(lab, name):
    rows = lab.patients(name, [ONE_CLONE | {"dose": 0.0}])
    solution = lab.run(rows, rtol=1e-8)
    p = dict(zip(UNIFIED.parameter_names, rows[0], strict=True))
    logistic = p["Kmax"] / (1 + (p["Kmax"] / p["B0"] - 1) * np.exp(-p["r"] * solution.times))
    assert (solution.at("car_t_cells") == 0).all()
    assert solution.at("tumour_cells")[0] == pytest.approx(1e9 * logistic, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(SETS))
def test_no_dose_gives_no_car_t_cells_in_any_patient(lab, name, seed):
    solution = lab.run(lab.prior(name, 8, seed=seed, dose=0.0), np.arange(0, 366, 5.0), rtol=1e-4)
    assert (solution.at("car_t_cells") == 0).all()
    assert (solution.at("car_transgene") == 0).all()


@pytest.mark.parametrize("name", SETS)
def test_cells_and_cells_per_microlitre_give_the_same_course(lab, name):
    """Twice as much body for a cell per uL: the same counts need twice the dose."""
    typical = dict(zip(UNIFIED.parameter_names, bind(UNIFIED, load_parameters(name)), strict=True))
    one, two = lab.typical(name, {}, {k: 2 * typical[k] for k in ("dose", "blood_scale")}).at("car_t_cells")
    assert one == pytest.approx(two, rel=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_results_do_not_depend_on_the_report_times(lab, name):
    changes = [[Change(10.3, "dexamethasone", "add", 0.2), Change(41.7, "h_next", "set", 0.1)]]
    rows = lab.patients(name)
    few = [28.0, 365.0, 730.0]
    coarse = lab.run(rows, few, changes)
    fine = lab.run(rows, DAYS, changes)
    picked = np.searchsorted(DAYS, few)
    assert np.array_equal(coarse.values, fine.values[:, picked])


@pytest.mark.parametrize("name", SETS)
def test_an_event_is_hit_exactly(lab, name):
    """A dose halfway between two reports is the same as starting a new run from there."""
    rows = lab.patients(name)
    added = lab.run(rows, [5.25, 5.5], [[Change(5.25, "dexamethasone", "add", 0.19)]], rtol=1e-8)
    decayed = 0.19 * np.exp(-rows[0, UNIFIED.parameter_names.index("kD")] * 0.25)
    assert added.at("dexamethasone")[0] == pytest.approx([0.19, decayed], rel=1e-6)
