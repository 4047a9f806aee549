import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson, t

from livingdrug.fit.likelihood import KINDS, Rows, compute_censored_terms, compute_log_likelihood, compute_scaled


def make_rows(value, sd, *, kind, censored, floor=0.0):
    place = np.zeros(1, dtype=int)
    code = place + KINDS.index(kind)
    floors = np.full(1, floor)
    level = compute_scaled(np.array([float(value)]), code, floors)[0]
    return Rows(place, place, level, np.full(1, sd), floors, code, np.full(1, censored, dtype=np.int8))


def differentiate(rows, predicted, h):
    up = compute_log_likelihood(rows, predicted + h).value
    down = compute_log_likelihood(rows, predicted - h).value
    return (up - down) / (2 * h)


@settings(max_examples=60, deadline=None)
@given(
    truth=st.floats(0.05, 50),
    observed=st.floats(0.05, 50),
    sd=st.floats(0.05, 1.0),
    kind=st.sampled_from(KINDS),
    censored=st.sampled_from([-1, 0, 1]),
)
def test_the_slope_is_the_derivative_of_the_log_likelihood(truth, observed, sd, kind, censored):
    if kind == "logitnormal":
        truth, observed = truth / 51, observed / 51
    rows = make_rows(observed, sd, kind=kind, censored=censored, floor=1e-3 if kind == "lognormal" else 0.0)
    slope = compute_log_likelihood(rows, np.array([[truth]])).slope[0, 0]
    numeric = differentiate(
        rows, np.array([[truth]]), 1e-5 * min(truth, 1 - truth) if kind == "logitnormal" else 1e-5 * truth
    )[0]
    assert slope == pytest.approx(numeric, rel=1e-4, abs=1e-4 * max(1.0, abs(slope)))


def test_an_exact_row_adds_the_normal_log_density():
    rows = make_rows(3.0, 0.4, kind="additive", censored=0)
    value = compute_log_likelihood(rows, np.array([[2.5]])).value[0]
    assert value == pytest.approx(norm.logpdf(3.0, 2.5, 0.4))


def test_a_row_below_its_limit_adds_the_probability_of_being_below():
    rows = make_rows(50.0, 0.56, kind="lognormal", censored=-1)
    value = compute_log_likelihood(rows, np.array([[80.0]])).value[0]
    assert value == pytest.approx(norm.logcdf((np.log(50) - np.log(80)) / 0.56))


def test_a_row_above_its_limit_is_the_mirror_image():
    below = compute_log_likelihood(make_rows(1.0, 0.5, kind="additive", censored=-1), np.array([[1.3]])).value[0]
    above = compute_log_likelihood(make_rows(1.0, 0.5, kind="additive", censored=1), np.array([[0.7]])).value[0]
    assert below == pytest.approx(above)


def test_a_prediction_of_zero_below_the_limit_is_certain_and_flat():
    rows = make_rows(50.0, 0.56, kind="lognormal", censored=-1, floor=1e-6)
    fit = compute_log_likelihood(rows, np.array([[0.0]]))
    assert fit.value[0] == pytest.approx(0.0, abs=1e-12)
    assert fit.slope[0, 0] == 0.0


def test_censored_terms_stay_finite_far_in_the_tail():
    value, slope, curvature = compute_censored_terms(np.array([-1e4, -40.0, 0.0, 40.0]))
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    assert (curvature[1:] >= -1e-9).all()


def test_a_prediction_that_is_not_a_number_is_impossible_and_harms_no_other_patient():
    rows = make_rows(1.0, 0.3, kind="additive", censored=0)
    fit = compute_log_likelihood(rows, np.array([[np.nan], [1.0]]))
    assert fit.value[0] == -np.inf
    assert np.isfinite(fit.value[1])
    assert fit.slope[0, 0] == 0.0


def test_an_interval_adds_the_probability_of_lying_in_it():
    place = np.zeros(1, dtype=int)
    rows = Rows(
        place, place, np.full(1, 2.0), np.full(1, 0.5), np.zeros(1), place, np.full(1, 2), lower=np.full(1, 1.0)
    )
    found = compute_log_likelihood(rows, np.array([[1.3]]))
    expected = norm.cdf(2.0, 1.3, 0.5) - norm.cdf(1.0, 1.3, 0.5)
    assert found.value[0] == pytest.approx(np.log(expected))
    assert found.slope[0, 0] == pytest.approx(differentiate(rows, np.array([[1.3]]), 1e-5)[0], rel=1e-4)


def test_a_count_without_overdispersion_is_poisson():
    place = np.zeros(1, dtype=int)
    rows = Rows(
        place, place, np.full(1, 3.0), np.full(1, 1e-4), np.zeros(1), place + KINDS.index("count"), place,
        exposure=np.full(1, 10.0),
    )  # fmt: skip
    assert compute_log_likelihood(rows, np.array([[0.25]])).value[0] == pytest.approx(poisson.logpmf(3, 2.5), abs=1e-4)


def test_an_outlier_pulls_less_where_noise_has_heavy_tails():
    place = np.zeros(1, dtype=int)
    normal = Rows(place, place, np.full(1, 9.0), np.full(1, 1.0), np.zeros(1), place, place)
    robust = Rows(place, place, np.full(1, 9.0), np.full(1, 1.0), np.zeros(1), place, place, freedom=np.full(1, 4.0))
    at = np.array([[0.0]])
    assert compute_log_likelihood(robust, at).slope[0, 0] < 0.2 * compute_log_likelihood(normal, at).slope[0, 0]
    assert compute_log_likelihood(robust, at).value[0] == pytest.approx(t.logpdf(9.0, 4))
