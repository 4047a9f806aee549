from dataclasses import astuple

import numpy as np
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model, Quantity
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.models.unified.interventions import LEVERS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.protocol import Event, create_changes, create_schedule

DECAY = Model(
    "decay",
    (Quantity("x", "1", "amount"),),
    (Quantity("k", "1/day", "loss"), Quantity("scale", "1", "scale")),
    lambda day, y, p: {"x": -p.k * y.x},
    lambda p: {"x": 1.0},
    "illustrative",
)
RULES = {
    "dose": lambda day, amount, duration, p: ((day, "x", "add", amount / p.scale),),
    "slow": lambda day, amount, duration, p: ((day, "k", "set", 0.0), (day + duration, "k", "set", p.k)),
}
PARAMETERS = np.array([[0.1, 1.0], [0.2, 4.0], [0.3, 2.0]])


def test_the_schedule_of_a_cohort_is_that_of_its_patients_one_by_one():
    events = [Event(9.0, "slow", duration_days=2.0), Event(3.0, "dose", 2.0), Event(4.0, "unknown")]
    together = create_schedule(DECAY, events, RULES, PARAMETERS)
    alone = Schedule.from_changes(DECAY, [create_changes(DECAY, events, RULES, row) for row in PARAMETERS])
    for one, other in zip(astuple(together), astuple(alone), strict=True):
        assert np.array_equal(one, other)


def test_events_without_a_lever_and_up_to_the_infusion_change_nothing():
    events = [Event(-5.0, "dose", 1.0), Event(0.0, "dose", 1.0), Event(3.0, "relapse")]
    assert create_schedule(DECAY, events, RULES, PARAMETERS).day.size == 0


def test_a_dose_scaled_by_the_patient_arrives():
    schedule = create_schedule(DECAY, [Event(1.0, "dose", 8.0)], RULES, PARAMETERS)
    solution = solve(compile_model(DECAY), PARAMETERS, [1.0], schedule=schedule)
    assert solution.at("x")[:, 0] == pytest.approx(np.exp(-PARAMETERS[:, 0]) + 8 / PARAMETERS[:, 1], rel=1e-5)


@pytest.mark.parametrize(
    ("step", "message"),
    [((1.0, "y", "add", 1.0), "must act on a state or parameter"), ((1.0, "x", "divide", 1.0), "add, multiply or set")],
)
def test_a_lever_that_asks_for_the_impossible_is_refused(step, message):
    with pytest.raises(InputError, match=message):
        create_schedule(DECAY, [Event(1.0, "bad")], {"bad": lambda day, amount, duration, p: (step,)}, PARAMETERS)


@pytest.mark.parametrize("name", sorted(LEVERS))
def test_every_lever_of_the_unified_model_acts_on_its_states_and_parameters(name):
    row = np.ones(len(UNIFIED.parameters))
    changes = create_changes(UNIFIED, [Event(5.0, name, 1.0, duration_days=3.0)], LEVERS, row)
    assert changes
    known = {*UNIFIED.state_names, *UNIFIED.parameter_names}
    assert all(change.target in known and change.day >= 5.0 for change in changes)
