import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from livingdrug.core.randomness import derive_generator

KEYS = st.lists(st.one_of(st.text(max_size=8), st.integers(-(10**9), 10**9)), max_size=4)


def draw(seed, *keys):
    return derive_generator(seed, *keys).integers(0, 2**63, 4).tolist()


@given(seed=st.integers(0, 2**64), keys=KEYS)
def test_the_same_name_gives_the_same_numbers(seed, keys):
    assert draw(seed, *keys) == draw(seed, *keys)


@given(seed=st.integers(0, 2**64), a=KEYS, b=KEYS)
def test_different_names_give_different_numbers(seed, a, b):
    is_same = [(type(key), key) for key in a] == [(type(key), key) for key in b]
    assert (draw(seed, *a) == draw(seed, *b)) == is_same


def test_names_that_look_alike_when_joined_are_different_streams():
    streams = [("a", "b"), ("ab",), ("a", "b", ""), ("", "a", "b"), ("a\x1fstr:b",), (1, 2), (12,), ("1", 2), (1, "2")]
    assert len({tuple(draw(3, *keys)) for keys in streams}) == len(streams)


def test_a_number_of_numpy_names_the_same_stream():
    assert draw(3, "subject", np.int64(4)) == draw(3, "subject", 4)


def test_seeds_are_different_streams():
    assert len({tuple(draw(seed, "cohort")) for seed in (0, 1, 2, 2**32, 2**32 + 1, 2**64)}) == 6


def test_asking_for_other_streams_first_changes_nothing():
    alone = draw(7, "subject", 5)
    for subject in range(5):
        draw(7, "subject", subject)
    assert draw(7, "subject", 5) == alone


def test_a_stream_keeps_its_bits_between_versions():
    assert derive_generator(7, "cohort", 1).integers(0, 1000, 5).tolist() == [291, 948, 435, 744, 145]


def test_streams_of_subjects_are_not_correlated():
    draws = [derive_generator(1, "subject", n).standard_normal(200) for n in range(50)]
    means = [float(x.mean()) for x in draws]
    products = [float((a * b).mean()) for a, b in itertools.pairwise(draws)]
    assert max(map(abs, means)) < 5 / 200**0.5
    assert max(map(abs, products)) < 5 / 200**0.5
