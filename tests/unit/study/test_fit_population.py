"""Small versions of benchmarks/population_fit.py: a published population is found again from simulated patients."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.fit.likelihood import Noise
from livingdrug.fit.population_predict import read_scaled, write_scaled
from livingdrug.fit.problem import create_free
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.stein2019 import STEIN2019
from livingdrug.study.fit_population import fit_population, switch_on_day

PATIENTS, LIMIT, SD = 60, 10.0, 0.3
FREE = ("C_max", "alpha", "F_B")
DAYS = (3.0, 7.0, 9.0, 11.0, 14.0, 21.0, 28.0, 60.0, 90.0, 180.0, 365.0)
SWITCH = switch_on_day(STEIN2019, "contracting", "T_max")
TRUTH = load_parameters("stein2019")


@pytest.fixture(scope="module")
def observations():
    rng = np.random.default_rng(3)
    typical = bind(STEIN2019, TRUTH)
    parameters = np.tile(typical, (PATIENTS, 1))
    for one in create_free(STEIN2019, TRUTH, FREE, typical):
        z = write_scaled(one.typical, one) + one.sd * rng.standard_normal(PATIENTS)
        parameters[:, one.column] = read_scaled(z, one)
    schedule = SWITCH(parameters, np.arange(PATIENTS))
    course = solve(compile_model(STEIN2019), parameters, DAYS, schedule=schedule, keep=("car_transgene",), rtol=1e-6)
    seen = course.values[:, :, 0] * np.exp(SD * rng.standard_normal((PATIENTS, len(DAYS))))
    return pl.DataFrame(
        {
            "subject_id": np.repeat([f"P{i}" for i in range(PATIENTS)], len(DAYS)),
            "day": np.tile(DAYS, PATIENTS),
            "variable": "car_transgene",
            "value": np.maximum(seen, LIMIT).ravel(),
            "lloq": LIMIT,
            "censored": np.where(seen.ravel() < LIMIT, "left", "none"),
        }
    )


@pytest.fixture(scope="module")
def found(observations):
    start = {name: replace(TRUTH.values[name], value=1.6 * TRUTH.values[name].value) for name in FREE}
    values = replace(TRUTH, values={**TRUTH.values, **start})
    return fit_population(
        values, observations, {"car_transgene": Noise("lognormal", 0.5, LIMIT)}, free=FREE, arrange=SWITCH
    )


def test_the_published_population_is_found_again(found):
    for row in found.table.iter_rows(named=True):
        truth = TRUTH.values[row["parameter"]]
        error = np.log(row["typical_upper"] / row["typical_lower"]) / 2 / 1.645
        assert abs(np.log(row["typical"] / truth.value)) < 3 * error
        assert 0.05 < error < 0.2
        assert row["spread_lower"] < row["spread"] < row["spread_upper"]
        assert row["spread"] == pytest.approx(truth.spread.sd, rel=0.35)
    assert found.markov.values.noise[0] == pytest.approx(SD, rel=0.1)


def test_the_second_algorithm_finds_the_same(found):
    assert np.median(found.judged.effective) > 50
    for row in found.table.iter_rows(named=True):
        error = np.log(row["typical_upper"] / row["typical_lower"]) / 2 / 1.645
        assert abs(np.log(row["typical_importance"] / row["typical"])) < 0.5 * error


def test_a_seed_gives_the_same_bits(observations):
    few = observations.filter(pl.col("subject_id").is_in([f"P{i}" for i in range(6)]))
    noise = {"car_transgene": Noise("lognormal", 0.5, LIMIT)}
    one, other = (fit_population(TRUTH, few, noise, free=("C_max",), arrange=SWITCH, seed=5) for _ in range(2))
    assert one.table.equals(other.table)


def test_a_record_with_nothing_to_fit_is_refused(observations):
    with pytest.raises(InputError, match="must hold rows of m_protein"):
        fit_population(TRUTH, observations, {"m_protein": Noise("lognormal", 0.1)}, free=FREE)
