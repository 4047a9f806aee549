import numpy as np
import polars as pl
import pytest
from tests.unit.fit.test_individual import make_problem, simulate

from livingdrug.fit.draws import compute_memory, resample
from livingdrug.fit.informed import differentiate, learn_directions
from livingdrug.fit.likelihood import Rows, compute_log_likelihood
from livingdrug.fit.places import Survey
from livingdrug.fit.residual_step import ResidualStep, square
from livingdrug.fit.residuals import Ruler, find_two_sided

COUNT, LOGNORMAL = 3, 1


@pytest.fixture(scope="module")
def survey():
    # a relapse: the level of the marker then hangs on killing, growth and decay together
    observations = simulate(np.array([0.3, 0.4, 0.8, 0.5, -0.2]), 21)
    return Survey(make_problem(observations.filter(pl.col("day").is_in([0.0, 14.0, 240.0]))), threads=1)


@pytest.fixture(scope="module")
def posterior(survey):
    """Draws by importance from many draws of the prior: slow, and exact but for chance."""
    rng = np.random.default_rng(3)
    root = np.linalg.cholesky(np.linalg.inv(survey.problem.precision))
    wide = survey.evaluate(rng.standard_normal((150_000, 5)) @ root.T)
    places = wide.take(resample(wide.fit, 3000, rng))
    assert len(np.unique(places.origin)) > 150
    return places


def take_steps(survey, places, temperature, stride, count):
    rng = np.random.default_rng(8)
    directions = learn_directions(places, survey, temperature, rng)
    derivative = directions.differentiate(places, survey)
    mover = ResidualStep(directions, survey, temperature, derivative, stride)
    return [mover.move(places, rng) for _ in range(count)]


def test_long_steps_leave_a_thin_posterior_as_it_is_and_forget_where_they_began(survey, posterior):
    places = posterior.take(np.arange(len(posterior.z)))
    acceptance = take_steps(survey, places, 1.0, 0.8, 12)
    assert min(acceptance) > 0.2
    # the draws by importance repeat a few hundred places: their mean is off by a twentieth of the spread
    assert places.z.mean(axis=0) == pytest.approx(posterior.z.mean(axis=0), abs=0.15)
    assert places.z.std(axis=0) == pytest.approx(posterior.z.std(axis=0), rel=0.2)
    assert compute_memory(posterior.z, places.z) < 0.35


def test_at_the_start_the_steps_leave_the_prior_as_it_is(survey):
    rng = np.random.default_rng(4)
    root = np.linalg.cholesky(np.linalg.inv(survey.problem.precision))
    places = survey.evaluate(rng.standard_normal((2000, 5)) @ root.T)
    acceptance = take_steps(survey, places, 1e-9, 1.0, 3)
    assert acceptance[0] > 0.9
    assert places.z.mean(axis=0) == pytest.approx(np.zeros(5), abs=0.08)
    assert np.corrcoef(places.z[:, 0], places.z[:, 1])[0, 1] == pytest.approx(0.3, abs=0.08)


def test_what_is_known_of_a_place_goes_with_the_draw(survey, posterior):
    places = posterior.take(np.arange(64))
    take_steps(survey, places, 1.0, 0.5, 3)
    again = survey.evaluate(places.z)
    assert places.fit == pytest.approx(again.fit)
    assert places.start == pytest.approx(again.start)
    assert places.residual == pytest.approx(again.residual)
    assert np.array_equal(places.origin, posterior.origin[:64])


def test_informed_coordinates_hold_all_of_a_place(survey, posterior):
    directions = learn_directions(posterior, survey, 1.0, np.random.default_rng(0))
    a, b = directions.split(posterior.z[:50])
    assert directions.join(a, b) == pytest.approx(posterior.z[:50])
    white = posterior.z[:50] @ survey.problem.precision * posterior.z[:50]
    assert square(a) + square(b) == pytest.approx(white.sum(axis=1))


def test_what_nothing_informs_is_no_informed_direction(survey):
    # the scale of the marker (last) shows in every row of it; a dose before infusion in none
    places = survey.evaluate(np.random.default_rng(1).standard_normal((64, 5)))
    directions = learn_directions(places, survey, 1e-6, np.random.default_rng(0))
    assert directions.informed.shape == (5, 2)
    assert learn_directions(places, survey, 1.0, np.random.default_rng(0)).informed.shape[1] > 2


def test_differences_agree_with_the_derivatives_of_the_engine(survey, posterior):
    places = posterior.take(np.arange(4))
    ahead = differentiate(places, np.eye(5), survey)
    step = 1e-4
    near = survey.evaluate(np.repeat(places.z, 5, axis=0) + step * np.tile(np.eye(5), (4, 1))).residual
    exact = np.swapaxes((near.reshape(4, 5, -1) - places.residual[:, None, :]) / step, 1, 2)
    assert ahead == pytest.approx(exact, rel=0.1, abs=0.4)


@pytest.mark.parametrize("freedom", [np.inf, 5.0])
def test_a_residual_squared_is_twice_the_likelihood_that_is_lost(freedom):
    one = np.zeros(2, dtype=int)
    rows = Rows(
        one,
        one,
        np.array([np.log(3.0), 7.0]),
        np.array([0.4, 0.3]),
        np.array([0.0, 1e-9]),
        np.array([LOGNORMAL, COUNT], dtype=np.int8),
        np.zeros(2, dtype=np.int8),
        lower=np.zeros(2),
        freedom=np.full(2, freedom),
        exposure=np.array([1.0, 10.0]),
    )
    predicted = np.array([[1.0, 0.2], [9.0, 2.0]])
    lost = compute_log_likelihood(rows, np.array([[3.0, 0.7]])).value - compute_log_likelihood(rows, predicted).value
    assert 0.5 * square(Ruler(rows).measure(predicted)) == pytest.approx(lost)


def test_rows_that_only_one_side_can_miss_have_no_residual():
    three = np.zeros(3, dtype=int)
    rows = Rows(
        three,
        three,
        np.array([0.0, 0.0, 1.0]),
        np.ones(3),
        np.zeros(3),
        np.array([LOGNORMAL, COUNT, LOGNORMAL], dtype=np.int8),
        np.array([-1, 0, 0], dtype=np.int8),
        exposure=np.ones(3),
    )
    assert find_two_sided(rows).tolist() == [2]
    assert Ruler(rows).measure(np.array([[1.0, 1.0, np.nan]])).tolist() == [[0.0]]
