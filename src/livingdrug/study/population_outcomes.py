"""What becomes of a simulated population, by rules on noise-free courses that take no time to evaluate.

These rules are for calibration, where a population is simulated hundreds of times. Visits are monthly. What
they approximate are the criteria of room `clinical`, to which simulated records are put everywhere else.

===========  =====================================================================================
lymphoma     complete: under 1e9 cells; response: area down by half; progression: area up by half from its
             lowest and over 3e9 cells, from day 14
leukaemia    complete: under 5e10 cells on day 28 to 90; without it an event on day 28; relapse: over 5e10
myeloma      response: M-protein down by half; complete: under 0.03 g/dL and 1e9 cells; progression:
             25 % and 0.5 g/dL over the lowest
===========  =====================================================================================

Who dies without progression (:mod:`livingdrug.study.fate`) neither responds nor progresses afterwards.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from livingdrug.core.parameters import ParameterSet
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.fate import draw_fates, find_fate

Family = Literal["lymphoma", "leukaemia", "myeloma"]
FAMILIES: dict[str, Family] = {"lbcl": "lymphoma", "mcl": "lymphoma", "b_all": "leukaemia", "myeloma": "myeloma"}
EARLY = np.concatenate([np.arange(0, 21, 0.5), np.arange(21, 91, 3.0)])
LATE = np.concatenate([np.arange(91, 740, 28.0), np.arange(760, 1930, 91.0)])
DAYS = np.unique(np.concatenate([EARLY, [28.0, 30.0, 90.0, 180.0, 365.0, 730.0], LATE]))
KEPT = ("car_t_cells", "tumour_cells", "m_protein", "b_cells", "antigen_density", "antigen_positive_fraction")
RTOL = 1e-4
FIRST_LOOK = 28.0
"""Day of the first visit at which response is judged."""


@dataclass(frozen=True, slots=True)
class Population:
    """Courses and outcomes of a simulated population.

    Parameters
    ----------
    days : (time,)
    car_t_cells, tumour_cells, m_protein, b_cells, antigen_density, antigen_positive_fraction : (patient, time)
    responds, is_complete : (patient,) bool
    progression_day : (patient,)
        Infinite where there is none, or where the patient died before.
    death_day : (patient,)
        Of death without progression; infinite where there is none.
    can_switch : (patient,) bool
        A relapse without the antigen is a switch of lineage.
    """

    days: np.ndarray
    courses: dict[str, np.ndarray]
    responds: np.ndarray
    is_complete: np.ndarray
    progression_day: np.ndarray
    death_day: np.ndarray
    can_switch: np.ndarray

    @property
    def event_day(self) -> np.ndarray:
        """Day of progression or death, whichever comes first (patient,)."""
        return np.asarray(np.minimum(self.progression_day, self.death_day))

    def select(self, who: np.ndarray) -> "Population":
        """Return some of the people, (patient,) bool."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("days", "courses")}
        courses = {name: course[who] for name, course in self.courses.items()}
        return Population(self.days, courses, **{name: values[who] for name, values in own.items()})

    def at(self, name: str, day: float) -> np.ndarray:
        """Return a course's value on a day of the grid (patient,)."""
        return self.courses[name][:, int(np.argmin(abs(self.days - day)))]

    def at_progression(self, name: str) -> np.ndarray:
        """Return a course's value when the disease progressed, of those in whom it did."""
        has = np.isfinite(self.progression_day)
        place = np.searchsorted(self.days, self.progression_day[has])
        return np.asarray(self.courses[name][has, place])


def simulate_population(values: ParameterSet, count: int, *, seed: int, threads: int | None = None) -> Population:
    """Simulate a population over five years and derive what became of each patient.

    Parameters
    ----------
    values : ParameterSet
    count : int
    seed : int
        The same people whatever the values: differences between values are not differences of chance.
    """
    parameters = sample_parameters(UNIFIED, values, 0, count, seed=seed, exponential=EXTINCTION_DRAWS)
    solution = solve(compile_model(UNIFIED, keep=KEPT), parameters, DAYS, keep=KEPT, rtol=RTOL, threads=threads)
    courses = {name: solution.at(name) for name in KEPT}
    fates = draw_fates(find_fate(values.disease, values.product), 0, count, seed=seed)
    is_alive = DAYS[None, :] < fates.death_day[:, None]
    judge = {"lymphoma": _judge_lymphoma, "leukaemia": _judge_leukaemia, "myeloma": _judge_myeloma}
    responds, is_complete, progression = judge[FAMILIES[values.disease]](courses, is_alive)
    dies_first = fates.death_day < progression
    return Population(
        DAYS,
        courses,
        responds,
        is_complete,
        np.where(dies_first, np.inf, progression),
        np.where(dies_first, fates.death_day, np.inf),
        fates.can_switch,
    )


def _first_day(is_true: np.ndarray) -> np.ndarray:
    return np.where(is_true.any(axis=1), DAYS[is_true.argmax(axis=1)], np.inf)


def _judge_lymphoma(courses: dict[str, np.ndarray], is_alive: np.ndarray) -> tuple[Any, Any, Any]:
    burden = courses["tumour_cells"]
    lowest = np.minimum.accumulate(burden, axis=1)
    has_grown = (burden > 1.5**1.5 * lowest) & (burden > 3e9) & (DAYS >= 14)
    progression = _first_day(has_grown)
    seen = is_alive & (DAYS >= FIRST_LOOK) & (DAYS[None, :] < progression[:, None])
    area = burden / burden[:, :1]
    responds = (seen & (area < 0.5**1.5)).any(axis=1)
    return responds, (seen & (burden < 1e9)).any(axis=1), progression


def _judge_leukaemia(courses: dict[str, np.ndarray], is_alive: np.ndarray) -> tuple[Any, Any, Any]:
    burden = courses["tumour_cells"]
    window = (DAYS >= FIRST_LOOK) & (DAYS <= 90)
    complete = (is_alive & (burden < 5e10))[:, window].any(axis=1)
    first = np.where(complete, _first_day((burden < 5e10) & (DAYS >= FIRST_LOOK)), np.inf)
    relapse = _first_day((burden > 5e10) & (DAYS[None, :] > first[:, None]))
    return complete, complete, np.where(complete, relapse, FIRST_LOOK)


def _judge_myeloma(courses: dict[str, np.ndarray], is_alive: np.ndarray) -> tuple[Any, Any, Any]:
    protein = courses["m_protein"]
    lowest = np.minimum.accumulate(protein, axis=1)
    progression = _first_day((protein >= 1.25 * lowest) & (protein >= lowest + 0.5) & (DAYS >= FIRST_LOOK))
    seen = is_alive & (DAYS >= FIRST_LOOK) & (DAYS[None, :] < progression[:, None])
    responds = (seen & (protein <= 0.5 * protein[:, :1])).any(axis=1)
    is_complete = (seen & (protein < 0.03) & (courses["tumour_cells"] < 1e9)).any(axis=1)
    return responds, is_complete, progression
