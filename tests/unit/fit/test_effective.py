import numpy as np
import pytest

from livingdrug.fit.effective import OPTIMISM, compute_effective_draws


def test_copies_of_one_draw_count_as_one():
    values = np.random.default_rng(0).standard_normal((200, 5))
    once = compute_effective_draws(values, np.arange(200))
    copied = compute_effective_draws(np.repeat(values, 8, axis=0), np.repeat(np.arange(200), 8))
    assert copied == pytest.approx(once, rel=0.02)
    assert once == pytest.approx(200 / OPTIMISM, rel=0.02)


def test_draws_that_forgot_their_origin_count_in_full():
    values = np.random.default_rng(0).standard_normal((1600, 20))
    effective = compute_effective_draws(values, np.repeat(np.arange(200), 8))
    assert effective == pytest.approx(1600 / OPTIMISM, rel=0.1)


def test_one_origin_is_one_draw():
    assert compute_effective_draws(np.arange(10.0)[:, None], np.zeros(10, dtype=int)) == 1.0
