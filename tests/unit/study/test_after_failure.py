"""People who failed and were given an option are counted as asked for and answer as is known of such people."""

from dataclasses import replace

import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.study.after_failure import find_failed, find_option, keep_carriers, simulate_after_failure
from livingdrug.study.calibration_plan import Case, load_plan
from livingdrug.study.population_outcomes import simulate_population
from livingdrug.study.target_results import compute_result, load_sets
from livingdrug.study.write_calibration import is_inside

SEED = 11


def share(case):
    return simulate_after_failure(case, 300, seed=SEED, threads=1).is_complete.mean()


def test_an_unknown_option_is_refused_with_its_name():
    with pytest.raises(InputError, match=r"but was 'lbcl\.chekpoint'"):
        find_option("lbcl.chekpoint")


def test_every_case_of_a_plan_is_of_a_packaged_option_and_every_target_of_its_cases():
    plan = load_plan("after_failure")
    assert tuple(load_sets(plan)) == plan.sets
    assert all(find_option(case.option).simulation.lever != "none" for case in plan.cases)
    assert {name for target in plan.targets for name in target.mixture} == set(plan.sets)


def test_as_many_people_are_returned_as_asked_for_and_the_same_again():
    case = Case("drug", "lbcl.chemotherapy")
    first, again = (simulate_after_failure(case, 101, seed=SEED, threads=1) for _ in range(2))
    assert len(first.responds) == len(first.progression_day) == len(first.courses["tumour_cells"]) == 101
    assert np.array_equal(first.progression_day, again.progression_day)
    assert first.days[0] == 0


def test_agents_against_the_first_antigen_are_given_to_those_who_carry_it():
    start = find_failed("b_all", 60, SEED, jobs=1)
    carriers = keep_carriers(start)
    assert 0 < len(carriers.parameters) < len(start.parameters)


def test_a_second_infusion_in_remission_takes_b_cells_away_more_often_after_lymphodepletion():
    with_it = Case("a", "b_all.second_infusion", "b_cells_returned")
    without = replace(with_it, with_lymphodepletion=False)
    assert share(with_it) > share(without) + 0.2
    assert share(with_it) < 1


def test_progression_is_unknown_where_only_the_answer_is_asked_for():
    found = simulate_after_failure(Case("a", "b_all.second_infusion", "b_cells_returned"), 60, seed=SEED, threads=1)
    assert np.isnan(found.progression_day).all()


def test_natural_killer_cells_expand_little_do_not_last_and_meet_both_results_of_their_trial():
    plan = load_plan("car_nk")
    name = plan.sets[0]
    found = simulate_population(load_parameters(name), 1500, seed=SEED, threads=1)
    course = np.median(found.courses["car_t_cells"], axis=0)
    axi_cel = simulate_population(load_parameters("unified_lbcl_axi_cel"), 60, seed=SEED, threads=1)
    assert course.max() < 0.1 * np.median(axi_cel.courses["car_t_cells"].max(axis=1))
    assert course[found.days >= 180].max() < 0.01 * course.max()
    assert all(is_inside(target, compute_result(target, {name: found})) for target in plan.targets)
