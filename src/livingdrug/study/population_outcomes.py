"""What becomes of a simulated population, by rules on noise-free courses that take no time to evaluate.

These rules are for calibration, where a population is simulated hundreds of times. What they approximate are the
criteria of room `clinical`, to which simulated records are put everywhere else. Visits are on the same days as there:
on day 28 and every 91 days in lymphoma, every 28 days in leukaemia and myeloma.

===========  =====================================================================================
lymphoma     complete: under 1e9 cells; response: area down by half; progression: area up by half from its
             lowest and over 3e9 cells
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
VISITS: dict[Family, np.ndarray] = {
    "lymphoma": np.concatenate([[28.0], np.arange(91, 1930, 91.0)]),
    "leukaemia": np.arange(28, 1930, 28.0),
    "myeloma": np.arange(28, 1930, 28.0),
}
"""Days on which the disease is looked at, as in the visits of a virtual trial."""
DAYS = np.unique(np.concatenate([EARLY, [28.0, 30.0, 90.0, 180.0, 365.0, 730.0], LATE, *VISITS.values()]))
KEPT = ("car_t_cells", "tumour_cells", "m_protein", "b_cells", "antigen_density", "antigen_positive_fraction")
RTOL = 1e-4
HALF_AREA, COMPLETE = 0.5**1.5, 1e9
"""Burden relative to infusion at which the area of a lymphoma is half, and cells under which a response is complete."""
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
    family = FAMILIES[values.disease]
    visits = VISITS[family]
    seen = {name: course[:, np.searchsorted(DAYS, visits)] for name, course in courses.items()}
    first = {name: course[:, :1] for name, course in courses.items()}
    judge = {"lymphoma": _judge_lymphoma, "leukaemia": _judge_leukaemia, "myeloma": _judge_myeloma}[family]
    responds, is_complete, progression = judge(first, seen, visits, visits < fates.death_day[:, None])
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


Courses = dict[str, np.ndarray]


def _find_first(is_true: np.ndarray, visits: np.ndarray) -> np.ndarray:
    return np.where(is_true.any(axis=1), visits[is_true.argmax(axis=1)], np.inf)


def _find_lowest(first: np.ndarray, course: np.ndarray) -> np.ndarray:
    """Return the lowest value seen up to each visit, that at infusion included."""
    return np.minimum.accumulate(np.concatenate([first, course], axis=1), axis=1)[:, 1:]


def _judge_lymphoma(first: Courses, seen: Courses, visits: np.ndarray, is_alive: np.ndarray) -> tuple[Any, Any, Any]:
    burden, before = seen["tumour_cells"], first["tumour_cells"]
    has_grown = (burden > 1.5**1.5 * _find_lowest(before, burden)) & (burden > 3e9)
    progression = _find_first(has_grown, visits)
    judged = is_alive & (visits < progression[:, None])
    responds = (judged & (burden / before < HALF_AREA)).any(axis=1)
    return responds, (judged & (burden < COMPLETE)).any(axis=1), progression


def _judge_leukaemia(_: Courses, seen: Courses, visits: np.ndarray, is_alive: np.ndarray) -> tuple[Any, Any, Any]:
    is_low = seen["tumour_cells"] < 5e10
    complete = (is_alive & is_low)[:, visits <= 90].any(axis=1)
    remission = np.where(complete, _find_first(is_low, visits), np.inf)
    relapse = _find_first(~is_low & (visits > remission[:, None]), visits)
    return complete, complete, np.where(complete, relapse, FIRST_LOOK)


def _judge_myeloma(first: Courses, seen: Courses, visits: np.ndarray, is_alive: np.ndarray) -> tuple[Any, Any, Any]:
    protein, before = seen["m_protein"], first["m_protein"]
    lowest = _find_lowest(before, protein)
    progression = _find_first((protein >= 1.25 * lowest) & (protein >= lowest + 0.5), visits)
    judged = is_alive & (visits < progression[:, None])
    responds = (judged & (protein <= 0.5 * before)).any(axis=1)
    is_complete = (judged & (protein < 0.03) & (seen["tumour_cells"] < COMPLETE)).any(axis=1)
    return responds, is_complete, progression
