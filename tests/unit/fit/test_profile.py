import numpy as np
import polars as pl
import pytest
from tests.unit.fit.test_individual import make_problem, simulate

from livingdrug.fit.climb import climb_starts, find_modes
from livingdrug.fit.problem import compute_log_posterior
from livingdrug.fit.profile import FALL, compute_profiles


def profile(observations):
    problem = make_problem(observations)
    climb = climb_starts(problem, 0.2 * np.random.default_rng(0).standard_normal((4, 5)), iterations=40)
    return problem, {one.name: one for one in compute_profiles(problem, find_modes(climb)[0])}


@pytest.fixture(scope="module")
def rich():
    return profile(simulate(np.array([0.2, -0.3, 0.5, 0.4, -0.1]), 31))


def test_the_mode_stands_highest_but_for_its_own_prior(rich):
    problem, profiles = rich
    for one in profiles.values():
        assert np.nanmin(one.fall) == 0
        assert (np.diff(one.z) > 0).all()
        assert one.lower < one.upper
    assert len(profiles) == len(problem.free)


def test_a_profile_is_higher_than_any_place_with_the_same_value(rich):
    problem, profiles = rich
    one, j = profiles["scale"], 4
    rng = np.random.default_rng(2)
    around = one.z[-2]
    z = 0.5 * rng.standard_normal((400, 5))
    z[:, j] = around
    value = compute_log_posterior(problem, z, with_gradient=False).value + 0.5 * around**2
    mode = climb_starts(problem, np.zeros((1, 5)), iterations=40)
    best = float(mode.evaluation.value[0] + 0.5 * mode.z[0, j] ** 2)
    top = one.fall[np.argmin(np.abs(one.z - mode.z[0, j]))]
    assert np.nanmax(value) <= best + top - one.fall[-2] + 0.05


def test_the_scale_of_a_marker_is_bounded_by_its_rows_and_by_nothing_without_them(rich):
    one = rich[1]["scale"]
    assert np.isfinite([one.lower, one.upper]).all()
    assert one.upper - one.lower < 1
    observations = simulate(np.array([0.2, -0.3, 0.5, 0.4, -0.1]), 31)
    _, without = profile(observations.filter(pl.col("variable") == "car_transgene"))
    assert without["scale"].fall == pytest.approx(np.zeros(len(without["scale"].fall)), abs=0.05)
    assert without["scale"].lower == -np.inf
    assert without["scale"].upper == np.inf


def test_the_interval_agrees_with_the_curvature_where_the_data_are_plenty(rich):
    problem, profiles = rich
    climb = climb_starts(problem, np.zeros((1, 5)), iterations=40)
    covariance = find_modes(climb)[0].covariance
    for j in (3, 4):
        one = profiles[problem.names[j]]
        data = 1 / (1 / covariance[j, j] - 1)
        assert one.upper - one.lower == pytest.approx(2 * np.sqrt(2 * FALL * data), rel=0.4)
