"""Therapies as events: lymphodepletion, second infusion, steroid, PD-1 inhibition, next therapy, transplant."""

import numpy as np
import pytest

from livingdrug.knowledge.parameters import list_parameters
from livingdrug.models.unified.interventions import LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.protocol import Event, create_changes

SETS = tuple(name for name in list_parameters() if name.startswith("unified_"))
ONE_CLONE = {"fraction_low": 0.0, "fraction_negative": 0.0, "mu": 0.0}

DAYS = np.arange(0, 500, 1.0)
RELAPSE = 180.0


def column(name):
    return UNIFIED.parameter_names.index(name)


def run(lab, rows, *plans, days=DAYS):
    rows = np.tile(rows, (len(plans), 1))
    return lab.run(
        rows, days, [create_changes(UNIFIED, plan, LEVERS, row) for plan, row in zip(plans, rows, strict=True)]
    )


def second(lab, name, *, negative=False):
    """Nothing, infusion, lymphodepletion, both: at a relapse of 2e10 cells on day 180."""
    clone = "tumour_negative" if negative else "tumour_high"
    lineage = "lineage_negative" if negative else "lineage_high"
    rows = lab.patients(name, [{**ONE_CLONE, "B0": 20.0}])
    deplete, infuse = Event(RELAPSE, "lymphodepletion"), Event(RELAPSE + 3, "second_infusion")
    plans = ([], [infuse], [deplete], [deplete, infuse])
    from livingdrug.engine.schedule import Change

    relapse = (Change(RELAPSE - 1, clone, "set", 20.0), Change(RELAPSE - 1, lineage, "set", 1.0))
    if negative:
        relapse = (*relapse, Change(RELAPSE - 1, "tumour_high", "set", 0.0))
    changes = [(*relapse, *create_changes(UNIFIED, plan, LEVERS, rows[0])) for plan in plans]
    solution = lab.run(np.tile(rows, (4, 1)), DAYS, changes)
    late = solution.times >= RELAPSE
    return solution.at("car_t_cells")[:, late].max(axis=1), solution.at("tumour_cells")[:, late].min(axis=1)


@pytest.mark.parametrize("name", SETS)
def test_a_second_infusion_without_lymphodepletion_is_nearly_useless(lab, name):
    peaks, nadirs = second(lab, name)
    assert peaks[1] < peaks[0] + 1.0
    assert np.log10(nadirs[0] / nadirs[1]) < 0.3


@pytest.mark.parametrize("name", SETS)
def test_a_second_infusion_with_lymphodepletion_works_and_lymphodepletion_alone_does_not(lab, name):
    peaks, nadirs = second(lab, name)
    assert peaks[3] > 5 * max(peaks[0], peaks[2])
    assert nadirs[3] < 0.1 * nadirs[2]
    # old cells do not re-expand by themselves when the niche opens
    assert peaks[2] < 0.1 * peaks[3]


@pytest.mark.parametrize("name", SETS)
def test_a_second_infusion_does_nothing_to_an_antigen_negative_tumour(lab, name):
    _, nadirs = second(lab, name, negative=True)
    assert nadirs[3] == pytest.approx(nadirs[0], rel=1e-3)


@pytest.mark.parametrize("name", SETS)
def test_dexamethasone_lowers_the_car_t_area_but_does_not_abolish_it(lab, name):
    course = Event(5.0, "corticosteroid", amount=20.0, unit="mg", duration_days=4.0)
    days = np.arange(0, 28.25, 0.25)
    solution = run(lab, lab.patients(name), [], [course], days=days)
    area = np.trapezoid(solution.at("car_t_cells"), days, axis=1)
    assert 0.3 < area[1] / area[0] < 0.97


@pytest.mark.parametrize("name", SETS)
def test_pd_1_inhibition_never_lowers_effectors_and_deepens_the_response_of_an_exhausted_product(lab, name):
    rate = lab.patients(name)[0, column("xg")]
    rows = lab.patients(name, [{**ONE_CLONE, "xg": 10 * rate}])
    solution = run(lab, rows, [], [Event(10.0, "checkpoint_inhibitor")])
    effectors = solution.at("cart_effector")
    first_month = solution.times <= 40
    assert (effectors[1, first_month] >= effectors[0, first_month] * (1 - 1e-5)).all()
    burden = np.maximum(solution.at("tumour_cells").min(axis=1), 1.0)
    assert burden[1] <= burden[0]


@pytest.mark.parametrize("name", SETS)
def test_pd_1_inhibition_does_nothing_where_no_cell_is_exhausted(lab, name):
    rows = lab.patients(name, [{"xg": 0.0}])
    without, with_it = run(lab, rows, [], [Event(10.0, "checkpoint_inhibitor")]).at("car_t_cells")
    assert with_it == pytest.approx(without, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_a_next_therapy_such_as_radiation_kills_tumour_and_car_t_cells_while_it_is_given(lab, name):
    rows = lab.patients(name, [{**ONE_CLONE, "gB": 0.0}])
    solution = run(lab, rows, [], [Event(30.0, "next_therapy", duration_days=20.0)])
    at_50 = solution.times == 50.0
    assert solution.at("tumour_cells")[1, at_50] < 0.3 * solution.at("tumour_cells")[0, at_50]
    assert solution.at("car_t_cells")[1, at_50] < 0.01 * solution.at("car_t_cells")[0, at_50]
    regrown = solution.at("tumour_cells")[1]
    assert regrown[solution.times == 80.0] > regrown[at_50]


@pytest.mark.parametrize("name", SETS)
def test_a_transplant_removes_every_car_t_cell(lab, name):
    solution = run(lab, lab.patients(name), [], [Event(60.0, "transplant")])
    after = solution.times >= 60
    assert (solution.at("car_t_cells")[1, after] == 0).all()
    assert (solution.at("car_t_cells")[0, after] > 0).all()


@pytest.mark.parametrize("name", SETS)
def test_lymphodepletion_kills_car_t_cells_too(lab, name):
    solution = run(lab, lab.patients(name), [], [Event(100.0, "lymphodepletion")])
    on_day = solution.times == 100.0
    survival = lab.patients(name)[0, column("ld_survival")]
    ratio = solution.at("car_t_cells")[1, on_day] / solution.at("car_t_cells")[0, on_day]
    assert ratio == pytest.approx(survival, rel=1e-3)


@pytest.mark.parametrize("name", SETS)
def test_an_event_up_to_the_infusion_changes_nothing(lab, name):
    plan = [Event(-5.0, "lymphodepletion"), Event(0.0, "car_t", amount=1e8)]
    assert create_changes(UNIFIED, plan, LEVERS, lab.patients(name)[0]) == ()
    assert lab.peak(run(lab, lab.patients(name), plan))[0] == lab.peak(lab.run(lab.patients(name), DAYS))[0]


@pytest.mark.parametrize("name", SETS)
def test_tocilizumab_changes_proliferation_by_a_fifth_at_most_and_for_two_weeks(lab, name):
    rows = lab.patients(name)
    assert 1.0 <= rows[0, column("tocilizumab_growth")] <= 1.2
    days = np.arange(0, 60, 0.5)
    solution = run(lab, rows, [], [Event(5.0, "tocilizumab", amount=8.0)], days=days)
    count = solution.at("car_t_cells")
    assert np.array_equal(count[0, days < 5], count[1, days < 5])
    assert 1.0 <= count[1].max() / count[0].max() < 1.6
    steps = np.diff(np.log(count[:, (days >= 5) & (days <= 6)]), axis=1)
    fastest = 0.2 * (rows[0, column("rN")] + rows[0, column("rE")])
    assert (steps[1] - steps[0] > 0).all()
    assert (steps[1] - steps[0] <= fastest * 0.5).all()
