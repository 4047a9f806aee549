"""What is done to a patient, and what that changes in a model.

The model's own *levers* (an argument) turn an event into steps on its states and parameters; here they
become the schedule of one patient or of a whole cohort.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.model import Model
from livingdrug.engine.schedule import PARAMETER_ACTIONS, STATE_ACTIONS, Action, Change, Schedule

Step = tuple[float, str, str, Any]
"""Day, target, action, value: a number, or one for each patient."""

Lever = Callable[[float, float | None, float | None, Any], tuple[Step, ...]]
"""``f(day, amount, duration_days, parameters)``."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a record's events.

    Parameters
    ----------
    day : float
        From infusion; negative before it.
    type : str
    amount : float, optional
    unit : str
    duration_days : float, optional
    note : str
    """

    day: float
    type: str
    amount: float | None = None
    unit: str = ""
    duration_days: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A named plan of treatment, the same for every patient of an arm."""

    name: str
    events: tuple[Event, ...]


def create_changes(
    model: Model, events: Sequence[Event], levers: Mapping[str, Lever], parameters: np.ndarray
) -> tuple[Change, ...]:
    """Return the changes that one patient's events make to the model.

    Events up to the infusion itself, and events of a type without a lever, make none.

    Parameters
    ----------
    parameters : (parameter,)
        Of this patient, in the model's order.
    """
    names = SimpleNamespace(**dict(zip(model.parameter_names, parameters.tolist(), strict=True)))
    return tuple(
        Change(day, target, _check_action(action), float(value))
        for day, target, action, value in _list_steps(events, levers, names)
    )


def create_schedule(
    model: Model, events: Sequence[Event], levers: Mapping[str, Lever], parameters: np.ndarray
) -> Schedule:
    """Return the schedule of a cohort in which everybody has the same events.

    Parameters
    ----------
    parameters : (patient, parameter)

    Examples
    --------
    >>> from livingdrug.core.model import Quantity
    >>> decay = Model("decay", (Quantity("x", "1", ""),), (Quantity("k", "1/day", ""), Quantity("u", "1", "")),
    ...               lambda day, y, p: {"x": -p.k * y.x}, lambda p: {"x": 1}, "illustrative")
    >>> levers = {"dose": lambda day, amount, duration, p: ((day, "x", "add", amount * p.u),)}
    >>> schedule = create_schedule(decay, [Event(2.0, "dose", 3.0)], levers, np.array([[0.1, 1.0], [0.1, 2.0]]))
    >>> schedule.offsets.tolist(), schedule.value.tolist()
    ([0, 1, 2], [3.0, 6.0])
    """
    patients = len(parameters)
    names = SimpleNamespace(**{name: parameters[:, i] for i, name in enumerate(model.parameter_names)})
    steps = _list_steps(events, levers, names)
    if not steps:
        return Schedule.none(patients)
    places = np.array([_find_place(model, target, action) for _, target, action, _ in steps], dtype=np.int32)
    day, value = (_stack([step[part] for step in steps], patients) for part in (0, 3))
    order = np.argsort(day, axis=1, kind="stable")
    return Schedule(
        offsets=np.arange(patients + 1, dtype=np.int64) * len(steps),
        day=np.take_along_axis(day, order, axis=1).ravel(),
        action=places[order, 0].ravel(),
        target=places[order, 1].ravel(),
        value=np.take_along_axis(value, order, axis=1).ravel(),
        names=(*model.state_names, *model.parameter_names),
    )


def _stack(columns: Sequence[Any], patients: int) -> np.ndarray:
    """Put numbers, and arrays of a number for each patient, side by side: (patient, step)."""
    return np.stack([np.broadcast_to(np.asarray(column, dtype=float), patients) for column in columns], axis=1)


def _list_steps(events: Sequence[Event], levers: Mapping[str, Lever], parameters: Any) -> list[Step]:
    later = [event for event in events if event.type in levers and event.day > 0]
    return [step for e in later for step in levers[e.type](e.day, e.amount, e.duration_days, parameters)]


def _check_action(action: str) -> Action:
    for known in get_args(Action):
        if action == known:
            return known  # type: ignore[no-any-return]
    raise InputError(f"a lever's action must be add, multiply or set, but was {action!r}. Hint: correct the lever.")


def _find_place(model: Model, target: str, action: str) -> tuple[int, int]:
    known = _check_action(action)
    if target in model.state_names:
        return STATE_ACTIONS[known], model.state_names.index(target)
    if target in model.parameter_names:
        return PARAMETER_ACTIONS[known], model.parameter_names.index(target)
    fault = Fault("lever", f"must act on a state or parameter of {model.name}", repr(target), "correct the lever")
    raise InputError.from_faults("levers", [fault])
