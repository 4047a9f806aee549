"""Expansion and what comes after it: the loss of effector cells before and after the peak, as two mechanisms.

The model has one loss of effectors, ``alpha``, on all days. High before the peak it keeps the CAR T cells from
multiplying, and a reader of the transgene sees too little expansion; high after it, they are gone too early. So in
counterfactuals the loss up to the day of the typical peak of the product belongs to expansion, and from that day on, as
``alpha_after_peak``, to persistence. A draw has both alike; a switch may change one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from livingdrug.core.model import Model
from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import solve
from livingdrug.explain.mechanisms import AFTER_PEAK
from livingdrug.fit.problem import Free

LOSS, COUNT = "alpha", "car_t_cells"
DAYS = np.arange(1.0, 43.0)
"""Days among which the peak is looked for."""


@dataclass(frozen=True, slots=True)
class TwoPhases:
    """A model whose loss of effectors may change on the day of the typical peak.

    Parameters
    ----------
    model : Model
    day : float [day]
    changes : tuple of Change
        What happens to the patient anyway.
    """

    model: Model
    day: float
    changes: tuple[Change, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters, the loss after the peak last."""
        return (*self.model.parameter_names, AFTER_PEAK)

    def list_free(self, free: Sequence[Free]) -> tuple[Free, ...]:
        """Return the free parameters, the loss after the peak among them where the loss is."""
        own = [replace(one, name=AFTER_PEAK, column=len(self.names) - 1) for one in free if one.name == LOSS]
        return (*free, *own)

    def split(self, parameters: np.ndarray) -> np.ndarray:
        """Return draws (draw, parameter) with the loss after the peak as one parameter more."""
        return np.column_stack([parameters, parameters[:, self.names.index(LOSS)]])

    def join(self, parameters: np.ndarray) -> tuple[np.ndarray, Schedule]:
        """Return the model's own parameters of split draws, and the schedule that changes the loss on the day."""
        own = Schedule.from_changes(self.model, [(*self.changes, Change(self.day, LOSS, "set", 0.0))])
        # of changes of one day the last is the one added here
        place = int(np.searchsorted(own.day, self.day, side="right")) - 1
        schedule = own.repeat(len(parameters))
        schedule.value[place :: len(own.day)] = parameters[:, -1]
        return parameters[:, :-1], schedule


def find_peak_day(model: Model, values: ParameterSet) -> float:
    """Return the day on which the typical patient of a product has most CAR T cells."""
    typical = bind(model, values)[None]
    course = solve(compile_model(model), typical, DAYS, keep=(COUNT,), rtol=1e-4)
    return float(DAYS[np.argmax(course.values[0, :, 0])])
