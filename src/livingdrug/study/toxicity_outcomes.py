"""Cytokine release and neurotoxicity of a simulated population, by rules that take no time to evaluate.

These rules are for calibration. What they approximate are the criteria of Lee 2019 in room `clinical`, to which
simulated records are put everywhere else. The model has no vasopressors and no oxygen: pressure and saturation
are those without support, and ordered cut-offs say what a hospital would give.

===========  ======================================================================================
entry        38.0 Cel
hypotension  under 90 mmHg; fluids again and again under 83; one vasopressor under 76; several under 62
hypoxia      under 94 %; oxygen under 92; high flow under 86; positive pressure under 80
ASTCT        1 fever; 2 hypotension or oxygen; 3 one vasopressor or high flow; 4 several or positive pressure
Lee 2014     2 hypotension, a low dose of one vasopressor, or oxygen; 3 a high dose (under 69 mmHg) or several, or
             high flow; 4 positive pressure, which stands for a ventilator, or organs that fail of low pressure
Penn 3       fluids again and again, a vasopressor, or oxygen; Penn 2 is not told from 1
end          a day without fever, hypotension and hypoxia
ICANS        ICE under 9.5, 6.5, 2.5, 0.5 for grades 1 to 4; no other sign is in the model
===========  ======================================================================================

Cut-offs that no scale tells lie midway between those beside them: repeated fluids between hypotension and a
vasopressor, a high dose between one vasopressor and several. Organs fail at a pressure of each patient's own, about
that of several vasopressors. Creatinine and liver enzymes are not in the model. All of these are assumed.

Labels grade neurotoxicity by other scales (CTCAE); it is held against ICANS grades for want of a better one.

**Treatment.** Each patient is simulated without treatment, and with tocilizumab by two rules
(:mod:`~livingdrug.study.toxicity_treatment`): grades of Lee 2014 are those of patients managed by Lee 2014.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from livingdrug.core.parameters import ParameterSet
from livingdrug.core.randomness import derive_generator
from livingdrug.engine.compile import Kernel, compile_model
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.solve import solve
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.toxicity import UNIFIED_TOXICITY
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.toxicity_treatment import Courses, Rule, find_first_day, find_first_dose, treat

PER_DAY = 4
"""Looks a day."""
LAST_DAY = 42
DAYS = np.arange(LAST_DAY * PER_DAY + 1) / PER_DAY
KEPT = ("temperature", "systolic_bp", "spo2", "ice_score", "il6", "crp")
RTOL = 1e-4
FEVER = 38.0
PRESSURE = (90.0, 76.0, 62.0)
"""Systolic pressure under which hypotension is of ASTCT grade 2, 3 and 4 [mmHg]."""
SATURATION = (92.0, 86.0, 80.0)
"""Saturation in room air under which hypoxia is of ASTCT grade 2, 3 and 4 [percent]."""
LEE_PRESSURE = (90.0, 69.0)
"""Systolic pressure under which hypotension is of grade 2 and 3 of Lee 2014 [mmHg]."""
ORGAN_PRESSURE, ORGAN_SPREAD = PRESSURE[2], 0.14
"""Systolic pressure under which organs fail, grade 4 of Lee 2014: typical [mmHg] and spread (lognormal)."""
FLUIDS = 83.0
"""Systolic pressure under which fluids are given again and again [mmHg]."""
HYPOXIA = 94.0
"""Saturation under which hypoxia is written down [percent]."""
HEADACHE = 40.0
"""Temperature of a fever that comes with a headache [Cel]: as many reach it as have one by the label of tisa-cel."""
ICE = (9.5, 6.5, 2.5, 0.5)
"""ICE scores, not rounded, under which ICANS is of grade 1 to 4."""


def _is_penn_3(courses: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray((courses["systolic_bp"] < FLUIDS) | (courses["spo2"] < SATURATION[0]))


def _is_lee_3(courses: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.asarray((courses["systolic_bp"] < LEE_PRESSURE[1]) | (courses["spo2"] < SATURATION[1]))


PENN_RULE = Rule(_is_penn_3, PER_DAY)
"""Tocilizumab once Penn grade 3 has lasted a day."""
LEE_RULE = Rule(_is_lee_3, 0)
"""Tocilizumab at grade 3 of Lee 2014."""


@dataclass(frozen=True, slots=True)
class ToxicityPopulation:
    """Courses and grades of a simulated population.

    Parameters
    ----------
    days : (time,)
    courses : of (patient, time)
    onset, end : (patient,) [day]
        Of cytokine release; infinite where there is none, or where it does not end.
    crs_grade : (patient,)
        Highest ASTCT grade, 0 to 4.
    lee_grade : (patient,)
        Highest grade by Lee 2014, 0 to 4.
    is_penn_3 : (patient,)
        Penn grade 3 or more.
    icans_grade : (patient,)
    icans_onset : (patient,) [day]
    neurologic_onset : (patient,) [day]
        First event of a label, which counts a headache as well.
    tocilizumab_day : (patient,) [day]
        First dose; infinite where none is given.
    tocilizumab_doses : (patient,)
    """

    days: np.ndarray
    courses: dict[str, np.ndarray]
    onset: np.ndarray
    end: np.ndarray
    crs_grade: np.ndarray
    lee_grade: np.ndarray
    is_penn_3: np.ndarray
    has_hypotension: np.ndarray
    has_hypoxia: np.ndarray
    icans_grade: np.ndarray
    icans_onset: np.ndarray
    neurologic_onset: np.ndarray
    tocilizumab_day: np.ndarray
    tocilizumab_doses: np.ndarray

    @property
    def has_crs(self) -> np.ndarray:
        """Whether each patient has cytokine release (patient,)."""
        return np.asarray(np.isfinite(self.onset))


def simulate_toxicity(values: ParameterSet, count: int, *, seed: int, threads: int | None = None) -> ToxicityPopulation:
    """Simulate six weeks of a population, treated with tocilizumab by either rule, and grade each patient.

    Parameters
    ----------
    values : ParameterSet
        For the model with toxicity.
    count : int
    seed : int
        The same people whatever the values.
    """
    parameters = sample_parameters(UNIFIED_TOXICITY, values, 0, count, seed=seed, exponential=EXTINCTION_DRAWS)
    simulate = partial(_solve, compile_model(UNIFIED_TOXICITY, keep=KEPT), threads=threads)
    untreated = simulate(parameters, None)
    treated = [
        treat(untreated, parameters, rule, find_first_dose(untreated, rule, DAYS, FEVER), DAYS, simulate)
        for rule in (PENN_RULE, LEE_RULE)
    ]
    (courses, doses), (by_lee, _) = treated
    organs = ORGAN_PRESSURE * np.exp(ORGAN_SPREAD * derive_generator(seed, "organs").standard_normal(count))
    given = np.isfinite(doses).sum(axis=1)
    return grade_toxicity(courses, doses[:, 0], doses=given, by_lee=by_lee, organs=organs)


def _solve(kernel: Kernel, parameters: np.ndarray, schedule: Schedule | None, *, threads: int | None) -> Courses:
    solution = solve(kernel, parameters, DAYS, schedule=schedule, keep=KEPT, rtol=RTOL, threads=threads)
    return {name: solution.at(name).copy() for name in KEPT}


def grade_toxicity(
    courses: Courses,
    given: np.ndarray,
    *,
    doses: np.ndarray | None = None,
    by_lee: Courses | None = None,
    organs: np.ndarray | float = ORGAN_PRESSURE,
) -> ToxicityPopulation:
    """Grade courses of (patient, time).

    Parameters
    ----------
    courses : as managed where the grades are not those of Lee 2014
    given : (patient,) [day]
        Of the first tocilizumab.
    doses : (patient,), optional
        Of tocilizumab; one where it was given, if left out.
    by_lee : optional
        Courses as Lee 2014 manages them; the same, if left out.
    organs : (patient,) [mmHg]
        Pressure under which the organs of each fail.
    """
    onset, end, low, poor = _find_worst(courses)
    _, _, low_by_lee, poor_by_lee = _find_worst(courses if by_lee is None else by_lee)
    ice = courses["ice_score"]
    has_symptom = (ice < ICE[0]) | (courses["temperature"] >= HEADACHE)
    return ToxicityPopulation(
        days=DAYS,
        courses=courses,
        onset=onset,
        end=end,
        crs_grade=_grade(onset, low, poor, PRESSURE),
        lee_grade=_grade(onset, low_by_lee, poor_by_lee, (*LEE_PRESSURE, organs)),
        is_penn_3=(low < FLUIDS) | (poor < SATURATION[0]),
        has_hypotension=low < PRESSURE[0],
        has_hypoxia=poor < HYPOXIA,
        icans_grade=(ice.min(axis=1)[:, None] < np.array(ICE)).sum(axis=1),
        icans_onset=_first_day(ice < ICE[0]),
        neurologic_onset=_first_day(has_symptom),
        tocilizumab_day=given,
        tocilizumab_doses=np.isfinite(given).astype(int) if doses is None else doses,
    )


def _find_worst(courses: Courses) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return onset and end of cytokine release, and the lowest pressure and saturation during it (patient,)."""
    pressure, saturation = courses["systolic_bp"], courses["spo2"]
    fever = courses["temperature"] >= FEVER
    onset = _first_day(fever)
    begun = DAYS[None, :] >= onset[:, None]
    signs = begun & (fever | (pressure < PRESSURE[0]) | (saturation < HYPOXIA))
    end = _find_end(signs, begun)
    during = begun & (DAYS[None, :] < end[:, None])
    return onset, end, _lowest(pressure, during), _lowest(saturation, during)


def _grade(
    onset: np.ndarray, low: np.ndarray, poor: np.ndarray, pressures: tuple[float | np.ndarray, ...]
) -> np.ndarray:
    """Return the highest grade, given the lowest pressure and saturation (patient,)."""
    grade = np.isfinite(onset).astype(int)
    for level, (mmhg, percent) in enumerate(zip(pressures, SATURATION, strict=True), 2):
        grade = np.where((low < mmhg) | (poor < percent), level, grade)
    return np.asarray(grade)


def _first_day(is_true: np.ndarray) -> np.ndarray:
    return find_first_day(is_true, DAYS)


def _lowest(course: np.ndarray, during: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(during, course, np.inf).min(axis=1))


def _find_end(signs: np.ndarray, begun: np.ndarray) -> np.ndarray:
    """Return the first day after the onset that opens a whole day without signs (patient,)."""
    count = np.cumsum(np.pad(signs, ((0, 0), (1, 0))), axis=1)
    quiet = np.zeros_like(signs)
    quiet[:, : -PER_DAY + 1] = count[:, PER_DAY:] == count[:, :-PER_DAY]
    return _first_day(quiet & begun & ~signs)
