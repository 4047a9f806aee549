import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livingdrug.explain.progression import MarkerRule, choose_horizon, compute_failure, compute_progression

RULE = MarkerRule("m_protein", rise=0.25, absolute=0.5, response=0.5, noise=0.1)


def test_a_course_that_stays_low_does_not_fail():
    assert compute_failure(np.array([[3.0, 1.0, 0.2, 0.2, 0.2]]), RULE)[0] < 1e-6


def test_a_course_that_never_responds_fails():
    assert compute_failure(np.array([[3.0, 2.9, 2.8, 2.7, 2.6]]), RULE)[0] > 0.999


def test_a_regrowth_beyond_both_thresholds_fails():
    assert compute_failure(np.array([[3.0, 0.5, 0.2, 0.6, 1.5]]), RULE)[0] > 0.999


def test_a_relative_rise_below_the_absolute_one_is_no_progression():
    assert compute_failure(np.array([[3.0, 0.5, 0.1, 0.2, 0.3]]), RULE)[0] < 0.01


def test_a_clone_that_died_out_cannot_progress():
    course = np.array([[3.0, 0.5, 0.2, 0.6, 1.5]] * 2)
    failure = compute_failure(course, RULE, survival=np.array([0.0, 0.3]))
    assert failure == pytest.approx([0.0, 0.3], abs=1e-6)


def test_a_failed_integration_is_unknown():
    failure = compute_failure(np.array([[3.0, np.nan, np.nan], [3.0, 1.0, 0.5]]), RULE)
    assert np.isnan(failure[0])
    assert np.isfinite(failure[1])


@given(st.lists(st.floats(0.01, 10), min_size=2, max_size=12))
def test_progression_is_a_probability_that_never_falls(levels):
    progression = compute_progression(np.array([levels]), RULE)[0]
    assert ((progression >= 0) & (progression <= 1)).all()
    assert (np.diff(progression) >= 0).all()


@given(st.floats(0, 2000))
def test_the_horizon_lies_beyond_the_failure(day):
    horizon = choose_horizon(day, (90.0, 180.0, 365.0, 730.0, 1095.0))
    assert horizon >= 1.5 * day
    assert horizon >= day + 60
