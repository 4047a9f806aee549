"""A second target: another antigen reaches what the first cannot, and only cells without both escape a dual CAR."""

import numpy as np
import pytest

from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models.unified.interventions import TWO_PRODUCT_LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.models.unified.two_targets import TWO_TARGETS, compute_efficiencies
from livingdrug.simulate.protocol import Event, create_changes

SETS = tuple(name for name in list_parameters() if load_parameters(name).model == TWO_TARGETS.name)
DAYS = np.arange(0, 400, 1.0)
SWITCH = [Event(60.0, "lymphodepletion"), Event(63.0, "other_car_t")]
NO_LOSS = {"mu": 0.0, "mu_2": 0.0, "fraction_low": 0.0}


@pytest.fixture(scope="module")
def kernel():
    return compile_model(TWO_TARGETS)


def run(kernel, name, *patients, plans=None):
    rows = np.tile(bind(TWO_TARGETS, load_parameters(name)), (len(patients), 1))
    for row, changed in zip(rows, patients, strict=True):
        for parameter, value in changed.items():
            row[TWO_TARGETS.parameter_names.index(parameter)] = value
    plans = plans or [[]] * len(patients)
    changes = [
        create_changes(TWO_TARGETS, plan, TWO_PRODUCT_LEVERS, row) for plan, row in zip(plans, rows, strict=True)
    ]
    solution = solve(kernel, rows, DAYS, schedule=Schedule.from_changes(TWO_TARGETS, changes), rtol=1e-7)
    assert solution.failures == {}
    return solution


@pytest.mark.parametrize("name", SETS)
def test_without_a_second_product_and_a_double_negative_clone_it_is_the_unified_model(kernel, name):
    changed = {**NO_LOSS, "fraction_double": 0.0}
    base = load_parameters(f"unified_{name.removeprefix('two_targets_')}")
    row = bind(UNIFIED, base)
    for parameter in ("mu", "fraction_low"):
        row[UNIFIED.parameter_names.index(parameter)] = 0.0
    one = solve(compile_model(UNIFIED), row[None, :], DAYS, rtol=1e-7)
    two = run(kernel, name, changed)
    for output in ("car_t_cells", "tumour_cells", "b_cells", "sbcma"):
        assert two.at(output)[0] == pytest.approx(one.at(output)[0], rel=2e-4, abs=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_a_product_against_the_other_antigen_kills_the_negative_clone_and_not_the_double_negative(kernel, name):
    strong = {**NO_LOSS, "gB_second": 60.0, "fraction_negative": 0.5}
    solution = run(
        kernel, name, {**strong, "fraction_double": 1e-3}, {**strong, "fraction_double": 1e-3}, plans=[[], SWITCH]
    )
    late = solution.times >= 63
    negative = solution.at("tumour_negative")[:, late].min(axis=1)
    assert negative[1] < 1e-3 * negative[0]
    double = solution.at("tumour_double")
    before = solution.times <= 60
    assert double[1, before] == pytest.approx(double[0, before])
    # what others leave free, the double negative clone may only grow faster
    assert (double[1] >= double[0] * (1 - 1e-6)).all()


@pytest.mark.parametrize("name", SETS)
def test_from_a_dual_car_only_the_double_negative_clone_escapes(kernel, name):
    clones = {**NO_LOSS, "fraction_negative": 1e-3, "gB": 60.0}
    solution = run(
        kernel,
        name,
        {**clones, "fraction_double": 1e-3},
        {**clones, "fraction_double": 1e-3, "sees_2": 1.0},
        {**clones, "fraction_double": 0.0, "sees_2": 1.0},
    )
    last = solution.at("tumour_cells")[:, -1]
    assert solution.at("tumour_double")[1, -1] > 10 * solution.at("tumour_negative")[1, -1]
    assert last[2] < 1e-3 * last[1] < 1e-3 * 10 * last[0]


@pytest.mark.parametrize("name", SETS)
def test_the_effect_through_either_antigen_is_that_of_independent_chances(name):
    from types import SimpleNamespace

    values = dict(zip(TWO_TARGETS.parameter_names, bind(TWO_TARGETS, load_parameters(name)), strict=True))
    p = SimpleNamespace(**values)
    first = compute_efficiencies(p, "A50_kill", (1.0, 0.0))
    second = compute_efficiencies(p, "A50_kill", (0.0, 1.0))
    both = compute_efficiencies(p, "A50_kill", (1.0, 1.0))
    assert both == pytest.approx([1 - (1 - a) * (1 - b) for a, b in zip(first, second, strict=True)])
    assert first[2] == 0
    assert 0 < second[2] < 1


@pytest.mark.parametrize("name", SETS)
def test_loss_of_both_antigens_needs_both_steps(kernel, name):
    solution = run(
        kernel,
        name,
        {"fraction_negative": 0.0, "fraction_double": 0.0, "mu": 1e-9, "mu_2": 0.0},
        {"fraction_negative": 0.0, "fraction_double": 0.0, "mu": 0.0, "mu_2": 1e-9},
        {"fraction_negative": 0.0, "fraction_double": 0.0, "mu": 1e-6, "mu_2": 1e-6},
    )
    double = solution.at("tumour_double")[:, 1]
    assert double[0] == double[1] == 0
    assert double[2] > 0
