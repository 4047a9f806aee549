"""From a population with graded toxicity to the numbers that labels and trials print.

Rates are of all infused patients; hypotension, hypoxia and tocilizumab of those with cytokine release, as the
labels print them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy.stats import rankdata

from livingdrug.study.toxicity_outcomes import PER_DAY, ToxicityPopulation

PERCENT = 100.0
PAIRED = (1, 21)
"""First and last day on which interleukin-6 and CRP are paired."""
Settings = Mapping[str, float]
ToxicityQuantity = Callable[[ToxicityPopulation, Settings], float]


def _share(is_true: np.ndarray) -> float:
    return PERCENT * float(is_true.mean()) if is_true.size else float("nan")


def _median_day(values: np.ndarray) -> float:
    """Return the median of days seen at looks a part of a day apart, as of grouped data."""
    if not values.size or not np.isfinite(middle := float(np.median(values))):
        return float("nan") if not values.size else float("inf")
    here, below = np.count_nonzero(values == middle), np.count_nonzero(values < middle)
    if here == 0:
        return middle
    return middle + ((len(values) / 2 - below) / here - 1) / PER_DAY


def _median_count(values: np.ndarray) -> float:
    """Return the median of whole days, of which that of infusion is the first, as of grouped data.

    So labels count: no range of theirs begins before day 1, though fever may come within hours.
    """
    if not values.size or not np.isfinite(middle := float(np.floor(np.median(values)) + 1)):
        return float("nan") if not values.size else float("inf")
    counted = np.floor(values) + 1
    here, below = np.count_nonzero(counted == middle), np.count_nonzero(counted < middle)
    return middle - 0.5 + (len(values) / 2 - below) / here


def crs_at_least(found: ToxicityPopulation, settings: Settings) -> float:
    """Return the share with cytokine release of an ASTCT grade or more [percent]."""
    return _share(found.crs_grade >= settings["grade"])


def crs_of_grade(found: ToxicityPopulation, settings: Settings) -> float:
    """Return the share whose highest ASTCT grade is this one [percent]."""
    return _share(found.crs_grade == settings["grade"])


def crs_at_least_lee(found: ToxicityPopulation, settings: Settings) -> float:
    """Return the share with cytokine release of a grade of Lee 2014 or more [percent]."""
    return _share(found.lee_grade >= settings["grade"])


def crs_of_grade_lee(found: ToxicityPopulation, settings: Settings) -> float:
    """Return the share whose highest grade by Lee 2014 is this one [percent]."""
    return _share(found.lee_grade == settings["grade"])


def crs_at_least_penn_3(found: ToxicityPopulation, _: Settings) -> float:
    """Return the share with cytokine release of Penn grade 3 or more [percent]."""
    return _share(found.is_penn_3)


def crs_onset(found: ToxicityPopulation, _: Settings) -> float:
    """Return the median day on which cytokine release begins, that of infusion being the first [day]."""
    return _median_count(found.onset[found.has_crs])


def crs_duration(found: ToxicityPopulation, _: Settings) -> float:
    """Return the median duration of cytokine release [day]."""
    return _median_day((found.end - np.where(found.has_crs, found.onset, 0.0))[found.has_crs])


def hypotension_in_crs(found: ToxicityPopulation, _: Settings) -> float:
    """Return the share with hypotension among those with cytokine release [percent]."""
    return _share(found.has_hypotension[found.has_crs])


def hypoxia_in_crs(found: ToxicityPopulation, _: Settings) -> float:
    """Return the share with hypoxia among those with cytokine release [percent]."""
    return _share(found.has_hypoxia[found.has_crs])


def tocilizumab_in_crs(found: ToxicityPopulation, _: Settings) -> float:
    """Return the share who are given tocilizumab among those with cytokine release [percent]."""
    return _share(np.isfinite(found.tocilizumab_day[found.has_crs]))


def tocilizumab_response(found: ToxicityPopulation, settings: Settings) -> float:
    """Return the share of those given tocilizumab who respond [percent].

    Cytokine release ends within ``day`` days of the first dose, after ``doses`` doses at most.
    """
    given = np.isfinite(found.tocilizumab_day)
    is_over = found.end[given] - found.tocilizumab_day[given] <= settings["day"]
    return _share(is_over & (found.tocilizumab_doses[given] <= settings["doses"]))


def icans_at_least(found: ToxicityPopulation, settings: Settings) -> float:
    """Return the share with neurotoxicity of a grade or more [percent]."""
    return _share(found.icans_grade >= settings["grade"])


def icans_onset(found: ToxicityPopulation, _: Settings) -> float:
    """Return the median day on which neurotoxicity begins, that of infusion being the first [day]."""
    return _median_count(found.icans_onset[np.isfinite(found.icans_onset)])


def neurologic_onset(found: ToxicityPopulation, _: Settings) -> float:
    """Return the median day of the first neurologic event as a label counts both, headache too [day]."""
    return _median_count(found.neurologic_onset[np.isfinite(found.neurologic_onset)])


def il6_crp_correlation(found: ToxicityPopulation, _: Settings) -> float:
    """Return Spearman's correlation of interleukin-6 and CRP of one day, before tocilizumab."""
    first, last = PAIRED
    daily = slice(first * PER_DAY, last * PER_DAY + 1, PER_DAY)
    before = found.days[None, daily] < found.tocilizumab_day[:, None]
    ranks = [rankdata(found.courses[name][:, daily][before]) for name in ("il6", "crp")]
    return float(np.corrcoef(*ranks)[0, 1])


TOXICITY_QUANTITIES: Mapping[str, ToxicityQuantity] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            crs_at_least,
            crs_of_grade,
            crs_at_least_lee,
            crs_of_grade_lee,
            crs_at_least_penn_3,
            crs_onset,
            crs_duration,
            hypotension_in_crs,
            hypoxia_in_crs,
            tocilizumab_in_crs,
            tocilizumab_response,
            icans_at_least,
            icans_onset,
            neurologic_onset,
            il6_crp_correlation,
        )
    }
)
