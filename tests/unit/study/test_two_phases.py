import numpy as np
import pytest

from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change
from livingdrug.engine.solve import solve
from livingdrug.explain.mechanisms import CATALOGUE
from livingdrug.explain.switches import switch_off
from livingdrug.fit.problem import create_free
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.two_phases import AFTER_PEAK, DAYS, TwoPhases, find_peak_day

VALUES = load_parameters("unified_lbcl_tisa_cel")
TYPICAL = bind(UNIFIED, VALUES)
LOSS = UNIFIED.parameter_names.index("alpha")


def run(phases, split):
    parameters, schedule = phases.join(split)
    course = solve(compile_model(UNIFIED), parameters, DAYS, schedule=schedule, keep=("car_t_cells",), rtol=1e-6)
    return course.values[:, :, 0]


def switch(phases, split, name):
    free = phases.list_free(create_free(UNIFIED, VALUES, ("feng", "rE", "alpha", "dM", "fM"), TYPICAL))
    (candidate,) = (c for c in CATALOGUE if c.mechanism.value == name)
    return switch_off(split, phases.names, candidate, free, 0.5)


@pytest.mark.parametrize(("product", "earliest", "latest"), [("lbcl_axi_cel", 5, 8), ("myeloma_cilta_cel", 10, 13)])
def test_the_peak_comes_when_the_product_s_does(product, earliest, latest):
    assert earliest <= find_peak_day(UNIFIED, load_parameters(f"unified_{product}")) <= latest


def test_a_split_draw_that_nothing_switches_has_the_course_of_the_draw():
    phases = TwoPhases(UNIFIED, 9.0)
    whole = solve(compile_model(UNIFIED), TYPICAL[None], DAYS, keep=("car_t_cells",), rtol=1e-6).values[:, :, 0]
    assert run(phases, phases.split(TYPICAL[None])) == pytest.approx(whole, rel=1e-4)


def test_a_loss_before_the_peak_is_expansion_and_after_it_persistence():
    phases, fast = TwoPhases(UNIFIED, 9.0), TYPICAL.copy()
    fast[LOSS] *= 2.5
    split = phases.split(np.array([fast]))
    own = run(phases, split)[0]
    more = run(phases, switch(phases, split, "expansion"))[0]
    longer = run(phases, switch(phases, split, "persistence"))[0]
    peak = DAYS <= 9
    assert more[peak].max() > 2 * own[peak].max()
    assert longer[peak] == pytest.approx(own[peak], rel=1e-4)
    assert longer[DAYS == 28] > 3 * own[DAYS == 28]


def test_what_happens_to_the_patient_happens_in_every_row():
    dose = Change(20.0, "cart_effector", "multiply", 0.1)
    phases = TwoPhases(UNIFIED, 9.0, (dose, Change(3.0, "cart_effector", "multiply", 2.0)))
    split = phases.split(np.vstack([TYPICAL, TYPICAL]))
    split[1, phases.names.index(AFTER_PEAK)] *= 0.5
    parameters, schedule = phases.join(split)
    assert parameters.shape == (2, len(TYPICAL))
    assert schedule.day.tolist() == [3.0, 9.0, 20.0] * 2
    assert schedule.value[[1, 4]].tolist() == [TYPICAL[LOSS], TYPICAL[LOSS] / 2]
    assert schedule.value[[0, 2, 3, 5]].tolist() == [2.0, 0.1, 2.0, 0.1]


def test_a_change_of_the_loss_itself_on_the_same_day_keeps_its_place():
    phases = TwoPhases(UNIFIED, 9.0, (Change(9.0, "alpha", "multiply", 7.0), Change(2.0, "alpha", "multiply", 5.0)))
    split = phases.split(TYPICAL[None])
    schedule = phases.join(split)[1]
    assert schedule.day.tolist() == [2.0, 9.0, 9.0]
    assert schedule.value.tolist() == [5.0, 7.0, TYPICAL[LOSS]]
