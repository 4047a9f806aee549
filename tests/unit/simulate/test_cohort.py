import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model, Quantity
from livingdrug.core.parameters import ParameterSet, Spread, Value
from livingdrug.simulate.cohort import BLOCK, draw_blocks, sample_parameters
from livingdrug.simulate.people import Population, sample_people


def value(number, kind=None, sd=0.0):
    return Value(number, "1", "illustrative", "none", "assumed", None if kind is None else Spread(kind, sd))


MODEL = Model(
    "illustrative",
    (Quantity("x", "1", "amount"),),
    tuple(Quantity(name, "1", name) for name in ("a", "b", "share", "shift", "fixed", "chance")),
    lambda day, y, p: {"x": -p.a * y.x},
    lambda p: {"x": p.b},
    "illustrative",
)
VALUES = ParameterSet(
    "illustrative",
    "illustrative",
    "none",
    {
        "a": value(2.0, "lognormal", 0.5),
        "b": value(3.0, "lognormal", 0.8),
        "share": value(0.1, "logitnormal", 1.0),
        "shift": value(-1.0, "normal", 2.0),
        "fixed": value(7.0),
        "chance": value(0.7),
    },
    correlations={("a", "b"): 0.6},
)


def sample(first, count, seed=1):
    return sample_parameters(MODEL, VALUES, first, count, seed=seed, exponential=("chance",))


@pytest.mark.parametrize("cut", [1, 100, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_a_subject_is_the_same_in_any_chunk(cut):
    whole = sample(0, 600)
    assert np.array_equal(whole, np.concatenate([sample(0, cut), sample(cut, 600 - cut)]))


def test_another_seed_gives_other_subjects():
    assert not np.array_equal(sample(0, 5, seed=1), sample(0, 5, seed=2))


def test_the_spread_and_the_correlations_are_those_of_the_set():
    drawn = sample(0, 20_000)
    logarithm = np.log(drawn[:, :2])
    assert logarithm.mean(axis=0) == pytest.approx(np.log([2.0, 3.0]), abs=0.02)
    assert logarithm.std(axis=0) == pytest.approx([0.5, 0.8], rel=0.03)
    assert np.corrcoef(logarithm.T)[0, 1] == pytest.approx(0.6, abs=0.02)
    assert np.median(drawn[:, 2]) == pytest.approx(0.1, abs=0.005)
    assert ((drawn[:, 2] > 0) & (drawn[:, 2] < 1)).all()
    assert drawn[:, 3].std() == pytest.approx(2.0, rel=0.03)
    assert (drawn[:, 4] == 7.0).all()
    assert drawn[:, 5].mean() == pytest.approx(1.0, abs=0.03)
    assert (drawn[:, 5] > 0).all()


def test_streams_of_different_names_are_independent():
    draws = [draw_blocks(1, name, 0, 5000, lambda g, n: g.standard_normal(n)) for name in ("one", "two")]
    assert abs(np.corrcoef(draws)[0, 1]) < 0.05


def test_an_exponential_draw_of_an_unknown_parameter_is_refused():
    with pytest.raises(InputError, match="must name parameters of illustrative"):
        sample_parameters(MODEL, VALUES, 0, 2, seed=1, exponential=("luck",))


def test_children_weigh_less_than_adults():
    young, old = (sample_people(Population((age, 0.1, 1.0, 90.0), 0.5, (70.0, 5.0)), 0, 50, seed=1) for age in (5, 50))
    assert young["weight_kg"].max() < old["weight_kg"].min()
    assert set(old["sex"]) == {"female", "male"}
