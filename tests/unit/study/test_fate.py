from dataclasses import replace

import numpy as np
import pytest

from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.models.fate import FATE
from livingdrug.study.fate import draw_fates, find_fate
from livingdrug.study.population_outcomes import FIRST_LOOK, Population, simulate_population
from livingdrug.study.target_quantities import QUANTITIES

PEOPLE = 20_000
SETS = [name.removeprefix("fate_") for name in list_parameters() if name.startswith("fate_")]


def find(name):
    return load_parameters(f"fate_{name}")


@pytest.fixture(scope="module")
def lymphoma():
    return simulate_population(load_parameters("unified_lbcl_axi_cel"), 512, seed=1)


@pytest.fixture(scope="module")
def leukaemia():
    return simulate_population(load_parameters("unified_b_all_tisa_cel"), 512, seed=1)


@pytest.mark.parametrize("name", SETS)
def test_deaths_follow_the_stated_hazard(name):
    fate = find(name)
    early, days, late, *_ = (fate.values[q.name].value for q in FATE.parameters)
    found = draw_fates(fate, 0, PEOPLE, seed=3).death_day
    for day in (28.0, 365.0, 1826.0):
        expected = 1 - np.exp(-early * (1 - np.exp(-day / days)) - late * day)
        assert (found <= day).mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / PEOPLE))


def test_survival_after_progression_has_the_published_median():
    after = draw_fates(find("b_all_tisa_cel"), 0, PEOPLE, seed=3).survival_after
    assert np.median(after) / (365.25 / 12) == pytest.approx(11.9, rel=0.03)


def test_only_leukaemia_switches_its_lineage():
    shares = {name: draw_fates(find(name), 0, PEOPLE, seed=3).can_switch.mean() for name in SETS}
    assert shares.pop("b_all_tisa_cel") == pytest.approx(12 / 80, abs=0.01)
    assert set(shares.values()) == {0.0}


def test_where_nothing_is_published_nobody_dies():
    found = draw_fates(find_fate("mcl", "brexu_cel"), 0, 4, seed=1)
    assert np.isinf(found.death_day).all()
    assert not found.can_switch.any()


def test_whoever_dies_first_does_not_progress_and_responds_only_while_alive(lymphoma):
    died = lymphoma.death_day < lymphoma.days[-1]
    assert 30 < died.sum() < 120
    assert np.isinf(lymphoma.progression_day[died]).all()
    assert (lymphoma.death_day[died & lymphoma.responds] > FIRST_LOOK).all()
    assert (lymphoma.event_day[died] == lymphoma.death_day[died]).all()


def test_relapses_are_positive_negative_or_of_another_lineage(leukaemia):
    names = ("positive_at_relapse", "negative_at_relapse", "lineage_switch_at_relapse")
    shares = [QUANTITIES[name](leukaemia, {"level": 0.05}) for name in names]
    assert sum(shares) == pytest.approx(100)
    assert 3 < shares[2] < 12
    never = replace(leukaemia, can_switch=np.zeros_like(leukaemia.can_switch))
    assert QUANTITIES[names[2]](never, {"level": 0.05}) == 0
    assert QUANTITIES[names[0]](never, {"level": 0.05}) == pytest.approx(shares[0])


@pytest.fixture
def four():
    """Progression on day 100, death on day 50, neither twice; all had responded."""
    never, yes = np.inf, np.ones(4, dtype=bool)
    progression, death = np.array([100.0, never, never, never]), np.array([never, 50.0, never, never])
    return Population(np.array([0.0, 100.0]), {}, yes, yes, progression, death, ~yes)


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [("progression_free", 50.0), ("responders_progression_free", 50.0), ("relapses", 25.0)],
)
def test_death_is_an_event_of_survival_and_competes_with_relapse(four, quantity, expected):
    assert QUANTITIES[quantity](four, {"day": 200.0}) == expected


def test_progression_that_a_registry_saw_does_not_count_deaths(four):
    alive = replace(four, death_day=np.full(4, np.inf))
    assert QUANTITIES["progression_seen"](four, {"day": 200.0}) == QUANTITIES["progression_seen"](alive, {"day": 200.0})


def test_median_survival_counts_deaths(four):
    half = replace(four, progression_day=np.array([100.0, np.inf, 300.0, np.inf]))
    assert QUANTITIES["median_progression_free"](half, {}) == pytest.approx(200 / (365.25 / 12))
