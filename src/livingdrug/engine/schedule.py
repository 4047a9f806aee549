"""What happens to a patient at exact days: doses, losses, changed parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.model import Model

Action = Literal["add", "multiply", "set"]
STATE_ACTIONS: dict[str, int] = {"add": 0, "multiply": 1, "set": 2}
PARAMETER_ACTIONS: dict[str, int] = {"add": 3, "multiply": 4, "set": 5}


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
    value : (change,)
    """

    offsets: np.ndarray
    day: np.ndarray
    action: np.ndarray
    target: np.ndarray
    value: np.ndarray

    @classmethod
    def none(cls, patients: int) -> "Schedule":
        """Return a schedule without changes."""
        empty = np.zeros(0)
        codes = np.zeros(0, dtype=np.int32)
        return cls(np.zeros(patients + 1, dtype=np.int64), empty, codes, codes, empty)

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
        states = {name: i for i, name in enumerate(model.state_names)}
        parameters = {name: i for i, name in enumerate(model.parameter_names)}
        faults: list[Fault] = []
        rows: list[tuple[float, int, int, float]] = []
        offsets = [0]
        for patient, changes in enumerate(patients):
            for number, change in enumerate(sorted(changes, key=lambda c: c.day)):
                where = f"schedule of patient {patient}, change {number}"
                if not (np.isfinite(change.day) and change.day >= 0 and np.isfinite(change.value)):
                    was = f"{change.day!r} and {change.value!r}"
                    faults.append(Fault(where, "day must be 0 or later and value finite", was, "correct the change"))
                elif change.action not in STATE_ACTIONS:
                    faults.append(Fault(where, "action must be add, multiply or set", repr(change.action), "use one"))
                elif change.target in states:
                    rows.append((change.day, STATE_ACTIONS[change.action], states[change.target], change.value))
                elif change.target in parameters:
                    rows.append((change.day, PARAMETER_ACTIONS[change.action], parameters[change.target], change.value))
                else:
                    rule = f"target must be a state or parameter of {model.name}"
                    faults.append(Fault(where, rule, repr(change.target), "name one of the model's quantities"))
            offsets.append(len(rows))
        if faults:
            raise InputError.from_faults("schedule", faults)
        day, action, target, value = zip(*rows, strict=True) if rows else ((), (), (), ())
        return cls(
            np.array(offsets, dtype=np.int64),
            np.array(day, dtype=float),
            np.array(action, dtype=np.int32),
            np.array(target, dtype=np.int32),
            np.array(value, dtype=float),
        )
