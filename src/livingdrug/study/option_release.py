"""Cytokine release of grade 3 or more under an option: from the model of toxicity, or from a row where it has none.

Three cases. Cells that carry a CAR: the model of toxicity in the patient's own draws, without tocilizumab, an upper
bound. Antibodies that engage the patient's own T cells: the model has no such cells, so the share of a trial stands
for every patient and says so. Everything else engages no T cell: no more than without further therapy.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from livingdrug.core.evidence_item import EvidenceItem
from livingdrug.core.option import Option
from livingdrug.study.option_courses import Start
from livingdrug.study.option_levers import Plan
from livingdrug.study.option_toxicity import find_severe_release

CAR_LEVERS = ("second_infusion", "same_target_car", "other_car", "dual_car", "checkpoint")
"""Levers under which CAR T cells are activated."""
NEW_ANTIGEN = ("other_car", "dual_car")
TAIL, MARGIN = 0.05, 1.645
"""Outside each end of an interval of 90 %, and that end in standard errors."""
SEVERE_SHARE, SEVERE_COUNT = "crs_grade3_pct", "crs_grade3_k"
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Release:
    """Chance of severe cytokine release, and what it rests on.

    Parameters
    ----------
    chance : float or None
        None where neither model nor row tells.
    interval : tuple of float, optional
        90 %: of a share of so many draws, or of so many patients of the row.
    difference, difference_interval
        Against no further therapy, in the same draws.
    basis : str
    """

    chance: float | None
    interval: Span | None
    difference: float | None
    difference_interval: Span | None
    basis: str


UNKNOWN = Release(None, None, None, None, "not simulated: no values of toxicity are packaged for this product")


def compute_share_interval(count: float, total: int) -> Span:
    """Return the 90 % interval of a share, by Jeffreys.

    Examples
    --------
    >>> low, high = compute_share_interval(0, 80)
    >>> round(low, 3), round(high, 3)
    (0.0, 0.024)
    """
    low = 0.0 if count <= 0 else float(betaincinv(count + 0.5, total - count + 0.5, TAIL))
    high = 1.0 if count >= total else float(betaincinv(count + 0.5, total - count + 0.5, 1 - TAIL))
    return low, high


def describe_release(
    option: Option,
    plan: Plan,
    start: Start,
    nothing: np.ndarray | None,
    evidence: Mapping[str, EvidenceItem],
    jobs: int | None,
) -> Release:
    """Return the chance of severe cytokine release under an option.

    Parameters
    ----------
    nothing : (draw,) of 0, 1 or nan, optional
        Severe release without further therapy in the same draws; None where the model cannot tell.
    """
    effect = option.simulation
    if effect.crs:
        return _read_row(evidence[effect.crs[0]], effect.crs_strength, nothing)
    if nothing is None:
        return UNKNOWN
    if effect.lever in CAR_LEVERS:
        severe = find_severe_release(start, plan, is_new_antigen=effect.lever in NEW_ANTIGEN, jobs=jobs)
        basis = "the model of toxicity in the same draws, without tocilizumab: an upper bound"
        return UNKNOWN if severe is None else _compare(severe, nothing, basis)
    return _compare(nothing, nothing, "it engages no T cell: no more than without further therapy")


def _compare(severe: np.ndarray, nothing: np.ndarray, basis: str) -> Release:
    known = np.isfinite(severe) & np.isfinite(nothing)
    own, other = severe[known], nothing[known]
    count = len(own)
    if not count:
        return UNKNOWN
    apart = own - other
    margin = MARGIN * float(apart.std()) / math.sqrt(count)
    mean = float(apart.mean())
    span = (max(-1.0, mean - margin), min(1.0, mean + margin))
    return Release(float(own.mean()), compute_share_interval(own.sum(), count), mean, span, basis)


def _read_row(item: EvidenceItem, strength: str, nothing: np.ndarray | None) -> Release:
    """Take the share of a row on top of what happens without further therapy."""
    total = item.n or 0
    count = float(str(item.computed[SEVERE_COUNT]))
    low, high = compute_share_interval(count, total)
    before = 0.0 if nothing is None or not np.isfinite(nothing).any() else float(np.nanmean(nothing))
    kind = "of this antibody" if strength == "bounded" else "of another antibody, for want of its own"
    basis = f"the share of a trial {kind} ({item.id}), not of this patient"
    share, rest = count / total, 1 - before
    return Release(
        before + rest * share,
        (before + rest * low, before + rest * high),
        rest * share,
        (rest * low, rest * high),
        basis,
    )
