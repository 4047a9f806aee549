r"""Kidney function from creatinine: Cockcroft-Gault clearance and CKD-EPI filtration rate, in adults.

.. math::
    C = \frac{(140 - a)\, w}{72\, s} f, \qquad
    G = k \min(s / \kappa, 1)^\alpha \max(s / \kappa, 1)^\beta q^a f

with age :math:`a` in years, weight :math:`w` in kg and serum creatinine :math:`s` in mg/dL; the constants stand
in the value files. Sources: cockcroft1976, levey2009, inker2021.
"""

import numpy as np

from livingdrug.clinical.daily import (
    Result,
    Worst,
    convert_range,
    find_worst,
    group_days,
    list_conflicts,
    read_results,
)
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = ("creatinine",)
_WORST: Worst = {"creatinine": "highest"}
ADULT_AGE = 18.0
COCKCROFT_GAULT = "cockcroft-gault"


def compute_cockcroft_gault(
    age: np.ndarray, weight: np.ndarray, creatinine: np.ndarray, is_female: np.ndarray, rules: Ruleset
) -> np.ndarray:
    """Estimate creatinine clearance.

    Parameters
    ----------
    age : (subject,) [year]
    weight : (subject,) [kg]
    creatinine : (subject,) [mg/dL]
    is_female : (subject,) bool
    rules : Ruleset
        ``cockcroft-gault/1976``.

    Returns
    -------
    clearance : (subject,) [mL/min]

    Source
    ------
    cockcroft1976

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rules = load_rules("cockcroft-gault/1976")
    >>> sex = np.array([False, True])
    >>> compute_cockcroft_gault(np.array([60., 60.]), np.array([72., 72.]), np.array([1., 1.]), sex, rules).tolist()
    [80.0, 68.0]
    """
    factor = np.where(is_female, rules.threshold("female_factor"), 1.0)
    clearance: np.ndarray = (rules.threshold("age_offset") - age) * weight / (rules.threshold("divisor") * creatinine)
    return clearance * factor


def compute_ckd_epi(
    age: np.ndarray, creatinine: np.ndarray, is_female: np.ndarray, rules: Ruleset, *, with_race_factor: bool = False
) -> np.ndarray:
    """Estimate the glomerular filtration rate.

    Parameters
    ----------
    age : (subject,) [year]
    creatinine : (subject,) [mg/dL]
    is_female : (subject,) bool
    rules : Ruleset
        ``ckd-epi/2009`` or ``ckd-epi/2021``.
    with_race_factor : bool
        Apply the factor of 2009 for black patients, which 2021 withdrew.

    Returns
    -------
    rate : (subject,) [mL/min per 1.73 m2]

    Source
    ------
    levey2009, inker2021

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rules = load_rules("ckd-epi/2021")
    >>> compute_ckd_epi(np.array([50., 50.]), np.array([0.9, 0.7]), np.array([False, True]), rules).round(1).tolist()
    [104.0, 105.3]
    """
    kappa = np.where(is_female, rules.threshold("kappa_female"), rules.threshold("kappa_male"))
    alpha = np.where(is_female, rules.threshold("alpha_female"), rules.threshold("alpha_male"))
    factor = np.where(is_female, rules.threshold("female_factor"), 1.0)
    share = np.asarray(creatinine) / kappa
    below, above = np.minimum(share, 1.0) ** alpha, np.maximum(share, 1.0) ** rules.threshold("exponent_above")
    rate: np.ndarray = rules.threshold("scale") * below * above * rules.threshold("age_factor") ** np.asarray(age)
    return rate * factor * (rules.threshold("race_factor") if with_race_factor else 1.0)


def assess_kidney(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Estimate kidney function of an adult on every day with creatinine.

    Parameters
    ----------
    tables : SubjectTables
        ``subject`` holds ``age_years``, ``sex`` and, for Cockcroft-Gault, ``weight_kg``.
    rules : Ruleset
        ``cockcroft-gault/1976``, ``ckd-epi/2009`` or ``ckd-epi/2021``.
    options
        In place of the ruleset's: ``race_factor`` of ``ckd-epi/2009``.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts in mL/min, per 1.73 m2 with CKD-EPI; NE where age, sex, weight or creatinine is missing;
        endpoint ``kidney_function_lowest``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    cockcroft1976, levey2009, inker2021
    """
    chosen = rules.choose(options)
    rows = group_days(read_results(tables.observations, VARIABLES))
    worst = {day: find_worst(found, _WORST)["creatinine"] for day, found in rows.items()}
    with_race = bool(chosen.get("race_factor", False))
    verdicts = tuple(_estimate(day, found, tables, rules, with_race=with_race) for day, found in worst.items())
    known = [v for v in verdicts if v.time_point != "NE"]
    lowest = min(known, key=lambda v: (float(v.time_point), v.day), default=None)
    name = "kidney_function_lowest"
    endpoint = (
        Endpoint(name, "censored", None, "NE", "no day with an estimate")
        if lowest is None
        else Endpoint(name, "event", lowest.day, lowest.time_point, f"lowest of {len(known)} days, {lowest.note}")
    )
    return SubjectAssessment(verdicts, endpoints=(endpoint,), warnings=tuple(list_conflicts(rows, VARIABLES)))


def _estimate(day: float, found: Result, tables: SubjectTables, rules: Ruleset, *, with_race: bool) -> Assessed:
    subject, is_clearance = tables.subject, rules.name.startswith(COCKCROFT_GAULT)
    age, sex, weight = subject.get("age_years"), subject.get("sex"), subject.get("weight_kg")
    unit = "mL/min" if is_clearance else "mL/min per 1.73 m2"
    ends = convert_range(found, "mg/dL")
    missing = [name for name, value in (("age_years", age), ("weight_kg", weight)) if value is None]
    missing = [name for name in missing if is_clearance or name != "weight_kg"]
    missing += [] if sex in ("female", "male") else ["sex"]
    missing += [] if ends is not None and ends[0] == ends[1] > 0 else ["creatinine"]
    note, clause = unit, rules.title
    if not missing and age is not None and age < ADULT_AGE:
        return Assessed(day, "NE", "NE", None, (Finding(clause, Truth.UNKNOWN, (found.row,)),), note="made for adults")
    if missing or ends is None or age is None:
        finding = Finding(clause, Truth.UNKNOWN, (found.row,), missing=tuple(missing))
        change = (f"a value, if {', '.join(missing)} were known",)
        return Assessed(day, "NE", "NE", None, (finding,), tuple(missing), change, note=note)
    years, creatinine, is_female = np.array([age]), np.array([ends[0]]), np.array([sex == "female"])
    if is_clearance:
        value = float(compute_cockcroft_gault(years, np.array([weight]), creatinine, is_female, rules)[0])
    else:
        value = float(compute_ckd_epi(years, creatinine, is_female, rules, with_race_factor=with_race)[0])
    if not 0 < value < np.inf:
        beyond = Finding(clause, Truth.UNKNOWN, (found.row,), (ends[0],), missing=("creatinine",), unit="mg/dL")
        return Assessed(day, "NE", "NE", None, (beyond,), ("creatinine",), note="no value that a body can have")
    finding = Finding(clause, Truth.TRUE, (found.row,), (ends[0],), unit="mg/dL", note=f"{value:.1f} {unit}")
    return Assessed(day, f"{value:.1f}", f"{value:.1f}", None, (finding,), note=note)
