import numpy as np

from livingdrug.explain.misfit import check_fit
from livingdrug.explain.next_measurement import compute_doubt, compute_gain
from livingdrug.fit.likelihood import Rows

DAYS = np.arange(12.0)
TRUTH = np.linspace(1.0, 4.0, 12)


def make_rows(observed):
    count = len(observed)
    zero = np.zeros(count, dtype=int)
    return Rows(zero, np.arange(count), np.log(observed), np.full(count, 0.1), np.zeros(count), zero + 1, zero)


def check(observed, predicted=TRUTH):
    return check_fit(make_rows(observed), np.tile(predicted, (20, 1)), ("marker",), DAYS, least=0.01)


def test_data_of_the_model_are_not_flagged():
    rng = np.random.default_rng(0)
    flags = [check(TRUTH * np.exp(0.1 * rng.standard_normal(12))).flag for _ in range(200)]
    assert np.mean(flags) < 0.05


def test_one_impossible_value_is_flagged_and_named():
    observed = TRUTH.copy()
    observed[5] *= 3
    found = check(observed)
    assert found.flag
    assert "day 5" in found.why


def test_a_course_of_another_shape_is_flagged_although_each_value_is_near():
    found = check(TRUTH * np.exp(0.17 * np.sin(np.arange(12) / 2)))
    assert found.flag
    assert "shape" in found.why or "scatters" in found.why


def test_a_measurement_that_separates_the_reasons_takes_the_doubt_away_and_another_does_not():
    reasons = np.repeat(np.eye(2), 50, axis=1)
    rng = np.random.default_rng(0)
    told = compute_gain(np.repeat([0.0, 5.0], 50), 0.5, reasons, rng)
    blind = compute_gain(np.tile([0.0, 5.0], 50), 0.5, reasons, rng)
    assert told > 0.95 * compute_doubt(reasons.mean(axis=1))
    assert blind < 0.1
