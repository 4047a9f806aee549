"""The smooth form of a random clone's size against the exact quantiles of a sum of random families."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import gammaincc
from scipy.stats import poisson

from livingdrug.core.surviving_families import compute_alive, compute_clone_size


def compute_exact(families, threshold):
    """The quantile at exp(-W) of a sum of N exponential variables, N of Poisson's distribution with mean F."""
    counts = np.arange(1, int(families + 12 * np.sqrt(families) + 40))

    def compute_excess(size):
        return (poisson.pmf(counts, families) * gammaincc(counts, size)).sum() + np.expm1(-threshold)

    return brentq(compute_excess, 0, families + 30 * np.sqrt(families) + 20, xtol=1e-13)


@pytest.mark.parametrize("threshold", [0.003, 0.01, 0.03, 0.1, 0.3, 0.693, 1.0, 2.0, 4.0, 9.0])
def test_the_size_is_within_four_percent_of_the_exact_quantile(threshold):
    for families in [*(threshold * np.array([1.1, 1.3, 2.0, 5.0, 20.0, 50.0])), threshold + 1, threshold + 30]:
        size = compute_clone_size(families, threshold, compute_alive(families, threshold))
        assert size == pytest.approx(compute_exact(families, threshold), rel=0.04)


@pytest.mark.parametrize("families", [0.3, 1.0, 5.0, 40.0])
def test_over_draws_the_size_has_the_mean_and_the_spread_of_a_sum_of_families(families):
    draws = -np.log((np.arange(4000) + 0.5) / 4000)
    sizes = np.array([compute_clone_size(families, w, compute_alive(families, w)) for w in draws])
    small = 0.01 * families * np.exp(-families)
    assert (sizes > 0.01).mean() == pytest.approx(-np.expm1(-families) - small, abs=0.002)
    assert sizes.mean() == pytest.approx(families, rel=0.02)
    assert sizes.std() == pytest.approx(np.sqrt(2 * families), rel=0.04)


@pytest.mark.parametrize("threshold", [1e-9, 0.1, 0.7, 30.0])
def test_a_clone_that_is_gone_leaves_nothing_and_no_infinity(threshold):
    for families in (0.0, 1e-30 * threshold, 0.3 * threshold, -1e-6 * threshold):
        alive = compute_alive(families, threshold)
        assert 0 <= alive < 1e-60
        assert 0 <= compute_clone_size(families, threshold, alive) < 1e-60
    assert compute_alive(1e13, threshold) == 1.0
    assert np.isfinite(compute_clone_size(1e13, threshold, 1.0))


@pytest.mark.parametrize("families", [1e6, 1e9, 1e12])
def test_the_median_of_many_families_is_their_number(families):
    assert compute_clone_size(families, np.log(2), 1.0) == pytest.approx(families, abs=1.0, rel=1e-13)
