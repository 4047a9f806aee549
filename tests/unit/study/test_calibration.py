"""Plans are sound, targets may pool sets, a calibration can be repeated and go on, and a trial can be left out."""

import tomllib

import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.knowledge.parameters import load_parameters, read_document
from livingdrug.knowledge.targets import load_targets
from livingdrug.study.calibration import apply_free, calibrate, compute_misfit, compute_start
from livingdrug.study.calibration_plan import compute_error, find_plan, leave_out, list_plans, load_plan
from livingdrug.study.target_results import pool_populations, simulate_set
from livingdrug.study.write_calibration import write_values


@pytest.mark.parametrize("name", list_plans())
def test_a_plan_frees_only_what_each_of_its_sets_has_and_fits_only_its_own_sets(name):
    plan = load_plan(name)
    for free in plan.free:
        for one in free.sets:
            value = load_parameters(one).values[free.name]
            assert free.part == "typical" or value.spread is not None
            assert free.sd > 0
            assert free.why
    for target in plan.targets:
        assert set(target.mixture) <= set(plan.sets)
        assert target.error > 0


def test_every_published_result_stands_in_at_most_one_plan():
    ids = [target.id for name in list_plans() for target in load_plan(name).targets]
    assert len(ids) == len(set(ids))
    assert set(ids) <= set(load_targets()["id"])


def test_a_set_that_extends_another_shares_its_free_values_or_writes_its_own():
    for plan in map(load_plan, list_plans()):
        for free in plan.free:
            written = [one for one in free.sets if free.name in read_document(one)[0]]
            assert written == list(free.sets)


def test_a_small_share_is_held_more_closely_than_two_points():
    row = {"value": 4.0, "lower": None, "upper": None, "spread": None, "unit": "percent", "n": 97.0}
    assert compute_error(row) == pytest.approx(0.4)


def test_a_mixture_takes_people_in_proportion_to_the_weights():
    first, second = (
        simulate_set(load_parameters(name), 60, seed=1) for name in ("unified_lbcl_axi_cel", "unified_lbcl_tisa_cel")
    )
    pooled = pool_populations([(first, 100.0), (second, 50.0)])
    assert len(pooled.responds) == 90
    assert np.array_equal(pooled.responds[:60], first.responds)
    assert np.array_equal(pooled.courses["car_t_cells"][60:], second.courses["car_t_cells"][:30])


def test_a_misfit_that_is_far_off_still_has_a_slope():
    plan = load_plan("bcma")
    value, error = (np.array([getattr(t, name) for t in plan.targets]) for name in ("value", "error"))
    near, far, farther = (compute_misfit(plan, value + k * error) for k in (0.5, 50.0, 51.0))
    assert near == pytest.approx(np.full(len(near), 0.5), abs=0.01)
    assert (farther > far).all()
    assert far.max() < 20


def test_the_packaged_values_are_those_that_the_plan_reaches_back_to():
    plan = load_plan("bcma")
    start = compute_start(plan)
    values = apply_free(load_parameters(plan.sets[0]), plan.free, start)
    for name, value in load_parameters(plan.sets[0]).values.items():
        assert values.values[name].value == pytest.approx(value.value, rel=1e-9)


def test_a_calibration_goes_on_from_its_state_to_the_same_place(tmp_path):
    from dataclasses import replace

    plan = replace(load_plan("bcma"), patients=96)
    plan = replace(plan, free=plan.free[:3])
    whole = calibrate(plan, iterations=2, state=tmp_path / "whole.json", threads=1)
    calibrate(plan, iterations=1, state=tmp_path / "parts.json", threads=1)
    parts = calibrate(plan, iterations=2, state=tmp_path / "parts.json", threads=1)
    assert np.array_equal(whole.z, parts.z)


def test_leaving_out_a_trial_that_is_not_there_names_those_that_are():
    with pytest.raises(InputError, match="KarMMa"):
        leave_out(load_plan("bcma"), "ZUMA-1")


def test_plans_without_free_values_are_no_calibration():
    assert find_plan("myeloma", "ide_cel").name == "bcma"


@pytest.mark.parametrize("name", [name for name in list_plans() if load_plan(name).free])
def test_every_value_that_was_free_is_written_into_the_file_of_each_set(tmp_path, name):
    plan = load_plan(name)
    moved = compute_start(plan) + 0.25
    write_values(plan, moved, tmp_path)
    for free, place in zip(plan.free, moved, strict=True):
        for one in free.sets:
            written = tomllib.loads((tmp_path / f"{one}.toml").read_text(encoding="utf-8"))[free.name]
            number = written["value"] if free.part == "typical" else written["spread"]["sd"]
            assert number == pytest.approx(free.value(place), rel=1e-3), f"{one}: {free.name}"
            assert written["how"] == "fitted"


def test_a_pair_that_is_not_calibrated_is_refused_with_those_that_are_as_one_would_write_them():
    with pytest.raises(InputError, match="b_all/tisa_cel, lbcl/axi_cel, lbcl/car_nk"):
        find_plan("a", "b")
