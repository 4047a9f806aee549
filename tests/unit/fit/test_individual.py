import numpy as np
import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model, Quantity
from livingdrug.core.parameters import ParameterSet, Spread, Value, bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change
from livingdrug.engine.solve import solve
from livingdrug.fit.climb import climb_starts, find_modes
from livingdrug.fit.draws import choose_temperature, compute_effective
from livingdrug.fit.individual import fit_individual, sample_prior
from livingdrug.fit.likelihood import Noise
from livingdrug.fit.problem import compute_log_posterior, compute_parameters, compute_positions, create_problem
from livingdrug.fit.proposal import Proposal

SD = {"rho": 0.2, "delta": 0.4, "growth": 0.5, "kill": 0.7, "scale": 0.5}
TYPICAL = {"dose": 0.3, "rho": 0.7, "h": 0.2, "delta": 0.15, "growth": 0.02, "kill": 0.4, "half": 8.0, "ke": 0.033}
TYPICAL["scale"] = 3.0
DAYS = np.array([0.0, 7, 14, 21, 28, 60, 90, 120, 150, 180, 210, 240])
NOISE = {
    "car_transgene": Noise("lognormal", 0.5, limit=50.0, floor=1.0),
    "m_protein": Noise("lognormal", 0.1, limit=0.05, floor=1e-3),
}


def rhs(day, y, p):
    engaged = y.tumour / (p.h + y.tumour)
    return {
        "cart": p.rho * y.cart * engaged - p.delta * y.cart,
        "tumour": p.growth * y.tumour - p.kill * y.cart * y.tumour / (p.half + y.cart),
        "marker": p.ke * (y.tumour - y.marker),
    }


TOY = Model(
    name="toy",
    states=tuple(Quantity(n, "1", n, 1e-6) for n in ("cart", "tumour", "marker")),
    parameters=tuple(Quantity(n, "1", n) for n in TYPICAL),
    rhs=rhs,
    initial=lambda p: {"cart": p.dose, "tumour": 1.0, "marker": 1.0},
    source="illustrative",
    outputs=(Quantity("car_transgene", "copies/ug", "transgene"), Quantity("m_protein", "g/dL", "M-protein")),
    observe=lambda day, y, p: {"car_transgene": 2000 * y.cart, "m_protein": p.scale * y.marker},
)
VALUES = ParameterSet(
    name="toy",
    model="toy",
    caveat="",
    values={
        name: Value(
            value, "1", "illustrative", "none", "assumed", Spread("lognormal", SD[name]) if name in SD else None
        )
        for name, value in TYPICAL.items()
    },
    correlations={("rho", "delta"): 0.3},
)
FREE = tuple(SD)


def simulate(z, seed, *, until=240.0):
    """Return a table of noisy observations of the patient at ``z`` (free,)."""
    rng = np.random.default_rng(seed)
    parameters = bind(TOY, VALUES)
    for name, place in zip(FREE, z, strict=True):
        parameters[TOY.parameter_names.index(name)] *= np.exp(SD[name] * place)
    solution = solve(compile_model(TOY), parameters, DAYS, threads=1)
    rows = []
    for variable, noise in NOISE.items():
        for day, truth in zip(DAYS, solution.at(variable)[0], strict=True):
            value = truth * np.exp(noise.sd * rng.standard_normal())
            is_low = value < noise.limit
            rows.append((variable, day, None if is_low else value, noise.limit, "left" if is_low else "none"))
    schema = {"variable": pl.String, "day": pl.Float64, "value": pl.Float64, "lloq": pl.Float64, "censored": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").filter(pl.col("day") <= until)


def make_problem(observations, free=FREE, changes=()):
    return create_problem(
        TOY, compile_model(TOY), VALUES, bind(TOY, VALUES), observations, NOISE, free=free, changes=changes
    )


def fit(observations, seed=0, **options):
    return fit_individual(make_problem(observations), rng=np.random.default_rng(seed), **options)


def test_the_gradient_of_the_log_posterior_agrees_with_central_differences():
    problem = make_problem(simulate(np.zeros(5), 1))
    z = np.array([[0.3, -0.4, 0.2, 0.5, -0.1]])
    gradient = compute_log_posterior(problem, z, with_gradient=True, rtol=1e-9).gradient[0]
    for j in range(5):
        step = np.eye(5)[j] * 1e-4
        ends = compute_log_posterior(problem, np.vstack([z + step, z - step]), with_gradient=False, rtol=1e-9).value
        assert gradient[j] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-3, abs=1e-3)


def test_positions_and_parameters_are_inverse():
    problem = make_problem(simulate(np.zeros(5), 1))
    z = np.array([[0.3, -1.0, 2.0, 0.0, -0.5]])
    assert compute_positions(problem, compute_parameters(problem, z)[0]) == pytest.approx(z)


def test_the_prior_carries_the_correlations_of_the_set():
    problem = make_problem(simulate(np.zeros(5), 1))
    draws = sample_prior(problem, 4000, np.random.default_rng(0))
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(0.3, abs=0.05)
    assert np.corrcoef(draws.T)[0, 2] == pytest.approx(0.0, abs=0.05)


def test_a_patient_is_found_again_within_the_posterior():
    truth = np.array([0.5, -0.5, 1.0, -1.0, 0.4])
    result = fit(simulate(truth, 2))
    low, high = np.quantile(result.draws.z, [0.005, 0.995], axis=0)
    assert result.is_converged
    assert ((truth > low) & (truth < high)).all()


def test_nine_in_ten_true_values_lie_in_the_ninety_percent_interval():
    rng = np.random.default_rng(3)
    inside = []
    for k in range(16):
        truth = rng.standard_normal(5)
        low, high = np.quantile(fit(simulate(truth, 100 + k), seed=k, draws=128).draws.z, [0.05, 0.95], axis=0)
        inside.append((truth > low) & (truth < high))
    assert 0.78 <= np.mean(inside) <= 0.98


def test_the_laplace_spread_agrees_with_the_draws_where_the_data_are_plenty():
    result = fit(simulate(np.zeros(5), 4))
    laplace = np.sqrt(np.diag(result.modes[0].covariance))
    assert result.draws.z.std(axis=0) == pytest.approx(laplace, rel=0.35)


def test_the_fit_has_the_same_bits_on_any_number_of_workers():
    observations = simulate(np.array([0.2, 0.1, -0.4, 0.6, 0.0]), 5)
    one, two = fit(observations, threads=1), fit(observations, threads=2)
    assert np.array_equal(one.parameters, two.parameters)
    assert np.array_equal(one.mode, two.mode)


def test_another_seed_gives_other_draws_of_the_same_posterior():
    observations = simulate(np.zeros(5), 6)
    one, two = fit(observations, seed=1), fit(observations, seed=2)
    assert not np.array_equal(one.draws.z, two.draws.z)
    assert one.draws.z.mean(axis=0) == pytest.approx(two.draws.z.mean(axis=0), abs=0.25)
    assert one.mode == pytest.approx(two.mode, abs=0.1)


def test_without_data_the_draws_are_the_prior():
    result = fit(simulate(np.zeros(5), 7).head(0))
    assert result.rows == 0
    assert result.draws.z.std(axis=0) == pytest.approx(np.ones(5), abs=0.2)


def test_a_patient_known_at_baseline_only_is_fitted_too():
    result = fit(simulate(np.zeros(5), 7, until=0.0))
    assert result.rows > 0
    assert result.draws.z[:, 4].std() < 0.5
    assert result.draws.z[:, 3].std() > 0.7


def test_fewer_data_give_a_wider_posterior():
    full = simulate(np.zeros(5), 8)
    short = full.filter(pl.col("day") <= 14)
    assert (fit(short).draws.z.std(axis=0)[2:4] > fit(full).draws.z.std(axis=0)[2:4]).all()


def test_values_below_the_limit_inform_without_being_numbers():
    truth = np.array([0.0, 2.0, 0.0, 0.0, 0.0])
    observations = simulate(truth, 9)
    censored = observations.filter(pl.col("censored") == "left")
    assert censored.height >= 3
    with_low = fit(observations).draws.z[:, 1]
    without = fit(observations.filter(pl.col("censored") == "none")).draws.z[:, 1]
    assert with_low.mean() > without.mean() - 0.1
    assert with_low.std() < without.std() + 0.05


def test_a_patient_whose_integration_fails_is_data_and_no_exception():
    changes = [Change(5.0, "half", "set", -1.0), Change(6.0, "growth", "set", 1e6)]
    problem = make_problem(simulate(np.zeros(5), 10), changes=changes)
    result = fit_individual(problem, rng=np.random.default_rng(0), draws=32)
    assert not result.is_converged
    assert result.failed_starts > 0
    assert result.parameters.shape == (32, len(TYPICAL))


def test_a_parameter_without_spread_cannot_be_free():
    with pytest.raises(InputError, match="with a spread in toy, but was 'dose'"):
        make_problem(simulate(np.zeros(5), 11), free=("dose",))


def test_starts_that_meet_at_one_place_are_one_mode():
    problem = make_problem(simulate(np.zeros(5), 12))
    modes = find_modes(climb_starts(problem, 0.3 * np.random.default_rng(0).standard_normal((6, 5))))
    assert len(modes) == 1
    assert modes[0].is_converged


def test_a_proposal_straightens_a_bent_cloud_and_restores_it():
    rng = np.random.default_rng(0)
    wide = 3 * rng.standard_normal((600, 2))
    bent = np.column_stack([wide, 0.05 * wide[:, 0] ** 2 + 0.01 * rng.standard_normal(600), rng.standard_normal(600)])
    learned = Proposal.learn(bent)
    assert learned.restore(learned.straighten(bent)) == pytest.approx(bent)
    thin = learned.straighten(bent)[:, 3]
    assert thin.std() < 0.3


def test_steps_leave_a_distribution_unchanged_that_is_not_the_proposals_own():
    rng = np.random.default_rng(1)
    learned = Proposal.learn(0.5 + 1.3 * rng.standard_normal((400, 3)))
    z = rng.standard_normal((4000, 3))
    for _ in range(12):
        trial, correction = learned.propose(z, 0.7, rng)
        change = 0.5 * (z * z).sum(axis=1) - 0.5 * (trial * trial).sum(axis=1) + correction
        taken = np.log(rng.random(len(z))) < change
        z[taken] = trial[taken]
    assert z.mean(axis=0) == pytest.approx(np.zeros(3), abs=0.06)
    assert z.std(axis=0) == pytest.approx(np.ones(3), abs=0.05)


def test_the_temperature_keeps_half_of_the_draws_effective():
    gap = np.random.default_rng(0).normal(0, 5, 400)
    temperature = choose_temperature(gap, 0.0, 200)
    assert 0 < temperature < 1
    assert compute_effective(temperature * gap) == pytest.approx(200, rel=0.01)
    assert choose_temperature(np.zeros(10), 0.0, 5) == 1.0
