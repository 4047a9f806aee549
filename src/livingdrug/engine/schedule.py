"""What happens to a patient at exact days: doses, losses, changed parameters."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from numbers import Real
from typing import Any, Literal

import numpy as np

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.model import Model

Action = Literal["add", "multiply", "set"]
EARLIEST = 1e-100  # [day] of a change after day 0: a step to an earlier day has no reciprocal
STATE_ACTIONS: dict[str, int] = {"add": 0, "multiply": 1, "set": 2}
PARAMETER_ACTIONS: dict[str, int] = {"add": 3, "multiply": 4, "set": 5}

_ARRAYS = {"offsets": np.int64, "day": np.float64, "action": np.int32, "target": np.int32, "value": np.float64}


@dataclass(frozen=True, slots=True)
class Change:
    """One change on one day: ``target`` is a state, or a parameter from then on."""

    day: float
    target: str
    action: Action
    value: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """Changes of many patients, sorted by day within each.

    Changes of one day are made in the order given. A change on day 0 is made to the initial state.

    Parameters
    ----------
    offsets : (patient + 1,) int64
        Patient i owns the changes ``offsets[i]:offsets[i + 1]``.
    day : (change,) [day]
    action, target : (change,) int32
        Codes of :data:`STATE_ACTIONS` and :data:`PARAMETER_ACTIONS`, and the number of the state or parameter.
    value : (change,)
    names : tuple of str
        The states and then the parameters that ``target`` numbers; if empty, those of the kernel.

    Raises
    ------
    InputError
        If the arrays do not fit together: the kernel reads them as they are.
    """

    offsets: np.ndarray
    day: np.ndarray
    action: np.ndarray
    target: np.ndarray
    value: np.ndarray
    names: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        for name, kind in _ARRAYS.items():
            try:
                array = np.ascontiguousarray(getattr(self, name), dtype=kind)
            except (TypeError, ValueError, OverflowError):
                raise InputError(
                    f"`{name}` of a schedule must be numbers, but was not. Hint: use from_changes."
                ) from None
            object.__setattr__(self, name, array)
        rule = self._find_fault()
        if rule is not None:
            raise InputError(f"{rule}, but was not. Hint: Schedule.from_changes sorts and checks.")

    def _find_fault(self) -> str | None:
        """Return the rule that the arrays break, if any."""
        count = self.day.size
        offsets, ends = self.offsets, self.offsets[1:-1]
        if any(getattr(self, name).shape != (count,) for name in ("day", "action", "target", "value")):
            return "`day`, `action`, `target` and `value` of a schedule must be equally long"
        if (
            offsets.ndim != 1
            or len(offsets) < 1
            or offsets[0] != 0
            or offsets[-1] != count
            or np.any(np.diff(offsets) < 0)
        ):
            return "`offsets` of a schedule must rise from 0 to the number of changes"
        falls = np.diff(self.day) < 0
        falls[ends[(ends > 0) & (ends < count)] - 1] = False
        if not np.all((self.day >= 0) & np.isfinite(self.day)) or np.any(falls):
            return "`day` of a schedule must be 0 or later, and sorted within a patient"
        if np.any((self.action < 0) | (self.action > max(PARAMETER_ACTIONS.values()))) or np.any(self.target < 0):
            return "`action` and `target` of a schedule must be known codes"
        return None

    @classmethod
    def none(cls, patients: int) -> "Schedule":
        """Return a schedule without changes."""
        empty = np.zeros(0)
        return cls(np.zeros(patients + 1, dtype=np.int64), empty, empty, empty, empty)

    @classmethod
    def from_changes(cls, model: Model, patients: Sequence[Sequence[Change]]) -> "Schedule":
        """Build the schedule of a cohort; every fault is reported at once.

        Examples
        --------
        >>> from livingdrug.core.model import Quantity
        >>> decay = Model("decay", (Quantity("x", "1", ""),), (Quantity("k", "1/day", ""),),
        ...               lambda day, y, p: {"x": -p.k * y.x}, lambda p: {"x": 1}, "illustrative")
        >>> Schedule.from_changes(decay, [[Change(2.0, "x", "add", 1.0)], []]).offsets.tolist()
        [0, 1, 1]
        """
        faults: list[Fault] = []
        rows: list[tuple[float, int, int, float]] = []
        offsets = [0]
        known = _Names(model.name, model.state_names, model.parameter_names)
        for patient, changes in enumerate(patients):
            if isinstance(changes, Change):
                raise InputError(
                    "a schedule must hold a list of changes a patient, but held a change. Hint: [[change]]."
                )
            own = []
            for number, change in enumerate(changes):
                fault = _check_change(known, change, f"schedule of patient {patient}, change {number}")
                if fault is None:
                    own.append(_code(known, change))
                else:
                    faults.append(fault)
            rows.extend(sorted(own, key=lambda row: row[0]))
            offsets.append(len(rows))
        if faults:
            raise InputError.from_faults("schedule", faults)
        day, action, target, value = (
            (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.zeros(0)] * 4
        )
        return cls(np.array(offsets), day, action, target, value, names=(*model.state_names, *model.parameter_names))

    def repeat(self, count: int) -> "Schedule":
        """Return the schedule of so many cohorts like this one, one after the other.

        Examples
        --------
        >>> one = Schedule(np.array([0, 1]), np.array([2.0]), np.array([0]), np.array([0]), np.array([1.0]))
        >>> one.repeat(3).offsets.tolist()
        [0, 1, 2, 3]
        """
        patients, changes = len(self.offsets) - 1, len(self.day)
        starts = np.repeat(changes * np.arange(count), patients) + np.tile(self.offsets[:-1], count)
        columns = (np.tile(column, count) for column in (self.day, self.action, self.target, self.value))
        return Schedule(np.append(starts, changes * count), *columns, names=self.names)

    def fit_to(self, model: Model) -> "Schedule":
        """Return the same changes for a kernel of a model, which may be the schedule's own with fewer states.

        A change of a state that was left out has nothing to change, and goes.

        Raises
        ------
        InputError
            If the schedule was made for another model, or a target does not exist.
        """
        states = len(self.names) - len(model.parameters) if self.names else len(model.states)
        if np.any(self.target >= np.where(self._is_of_state, states, len(model.parameters))):
            raise InputError(
                f"`target` of a schedule must number a state or parameter of {model.name}, but was too large. "
                "Hint: Schedule.from_changes takes names."
            )
        return self._renumber(model) if self.names else self

    @property
    def _is_of_state(self) -> np.ndarray:
        return self.action < min(PARAMETER_ACTIONS.values())

    def _renumber(self, model: Model) -> "Schedule":
        if self.names == (*model.state_names, *model.parameter_names):
            return self
        count = len(self.names) - len(model.parameters)
        states = self.names[:count]
        if self.names[count:] != model.parameter_names or not {*model.state_names} <= {*states}:
            raise InputError(
                f"`schedule` must be made for {model.name}, but was made for another model. "
                "Hint: Schedule.from_changes with the model of the kernel."
            )
        places = {name: i for i, name in enumerate(model.state_names)}
        renumbered = np.array([places.get(name, -1) for name in states], dtype=np.int32)
        is_state = self._is_of_state
        target = np.where(is_state, renumbered[np.where(is_state, self.target, 0)], self.target)
        left = target >= 0
        before = np.concatenate([[0], np.cumsum(left)])
        return replace(
            self,
            offsets=before[self.offsets],
            day=self.day[left],
            action=self.action[left],
            target=target[left],
            value=self.value[left],
            names=(*model.state_names, *model.parameter_names),
        )


@dataclass(frozen=True, slots=True)
class _Names:
    """What a model calls its quantities, listed once for all changes of a cohort."""

    name: str
    state_names: tuple[str, ...]
    parameter_names: tuple[str, ...]


def _check_change(model: _Names, change: Change, where: str) -> Fault | None:
    if not (_is_finite(change.day) and change.day >= 0 and _is_finite(change.value)):
        was = f"{change.day!r} and {change.value!r}"
        return Fault(where, "day must be 0 or later and value finite", was, "correct the change")
    if 0 < change.day < EARLIEST:
        return Fault(where, f"day must be 0 or {EARLIEST:g} or later", repr(change.day), "give 0")
    if change.action not in STATE_ACTIONS:
        return Fault(where, "action must be add, multiply or set", repr(change.action), "use one")
    if change.target not in model.state_names and change.target not in model.parameter_names:
        rule = f"target must be a state or parameter of {model.name}"
        return Fault(where, rule, repr(change.target), "name one of the model's quantities")
    return None


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and isfinite(value)


def _code(model: _Names, change: Change) -> tuple[float, int, int, float]:
    """Return a change as numbers: day, action, target, value."""
    is_state = change.target in model.state_names
    actions, names = (STATE_ACTIONS, model.state_names) if is_state else (PARAMETER_ACTIONS, model.parameter_names)
    return float(change.day), actions[change.action], names.index(change.target), float(change.value)
