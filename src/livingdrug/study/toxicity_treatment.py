"""When tocilizumab is given to a simulated patient, by the rules of those who printed the grades.

Labels of tisa-cel and later practice give it once Penn grade 3 has lasted a day. Lee 2014 grades and manages in one
publication: vigilant supportive care at grade 2, tocilizumab at grade 3, here at once (old or frail patients, who are
given it at grade 2, are not told apart). Whoever graded by Lee waited longer, so that more courses became severe.

By either rule a dose is repeated while the course is severe and no better than at the last dose, 8 h after it at the
earliest, four doses in all; looks are 6 h apart. Steroids are not given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from livingdrug.engine.schedule import Schedule
from livingdrug.models.unified.interventions import TOXICITY_LEVERS
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.simulate.protocol import Event, create_changes

MOST_DOSES = 4
INTERVAL = 8.0 / 24.0
"""Days between two doses at least."""
Courses = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Rule:
    """When a course is severe enough for tocilizumab, and for how long before the first dose.

    ``is_severe`` takes courses of (patient, time) and says so of each look; ``lasts`` counts looks.
    """

    is_severe: Callable[[Mapping[str, np.ndarray]], np.ndarray]
    lasts: int


def find_first_dose(courses: Courses, rule: Rule, days: np.ndarray, fever: float) -> np.ndarray:
    """Return the day on which a severe course with fever behind it has lasted as long as the rule says (patient,).

    Infinite where that never happens.
    """
    severe = rule.is_severe(courses) & (np.cumsum(courses["temperature"] >= fever, axis=1) > 0)
    lasts = np.zeros_like(severe)
    lasts[:, rule.lasts :] = severe[:, rule.lasts :] & severe[:, : severe.shape[1] - rule.lasts]
    return find_first_day(lasts, days)


def find_next_dose(courses: Courses, last: np.ndarray, rule: Rule, days: np.ndarray) -> np.ndarray:
    """Return the day on which a dose is repeated (patient,): the course is severe, and no better than at the last dose.

    Better is a higher pressure or a higher saturation. Infinite where nothing is repeated, or nothing was given.
    """
    given = np.isfinite(last)
    place = np.searchsorted(days, np.where(given, last, 0.0))[:, None]
    is_due = given[:, None] & (days[None, :] >= np.where(given, last, 0.0)[:, None] + INTERVAL)
    for name in ("systolic_bp", "spo2"):
        is_due &= courses[name] <= np.take_along_axis(courses[name], place, axis=1)
    return find_first_day(is_due & rule.is_severe(courses), days)


def find_first_day(is_true: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the first day on which something is true (patient,), infinite where it never is."""
    return np.asarray(np.where(is_true.any(axis=1), days[is_true.argmax(axis=1)], np.inf))


def plan_doses(parameters: np.ndarray, doses: np.ndarray) -> Schedule:
    """Return the schedule of patients who are given tocilizumab on the days of (patient, dose)."""
    return Schedule.from_changes(
        UNIFIED_TOXICITY,
        [
            create_changes(
                UNIFIED_TOXICITY, [Event(day, "tocilizumab") for day in row if np.isfinite(day)], TOXICITY_LEVERS, own
            )
            for own, row in zip(parameters, doses.tolist(), strict=True)
        ],
    )


def treat(
    untreated: Courses,
    parameters: np.ndarray,
    rule: Rule,
    first: np.ndarray,
    days: np.ndarray,
    simulate: Callable[[np.ndarray, Schedule], Courses],
) -> tuple[Courses, np.ndarray]:
    """Give the first dose and those that follow it.

    Parameters
    ----------
    untreated : of (patient, time)
    parameters : (patient, parameter)
    first : (patient,) [day]
    simulate : function of parameters and schedule

    Returns
    -------
    courses : of (patient, time)
    doses : (patient, dose) [day], infinite where none is given
    """
    courses = {name: course.copy() for name, course in untreated.items()}
    doses = np.full((len(first), MOST_DOSES), np.inf)
    due = first
    for number in range(MOST_DOSES):
        again = np.isfinite(due)
        if not again.any():
            break
        doses[again, number] = due[again]
        treated = simulate(parameters[again], plan_doses(parameters[again], doses[again]))
        for name, course in treated.items():
            courses[name][again] = course
        due = find_next_dose(courses, doses[:, number], rule, days)
    return courses, doses
