"""What the shares would be where a ridge of the calibration lay otherwise: the same draws, weighed by other spreads.

Trials fix some parameters only together (docs/reference/calibration.md, Ridges), so how much patients differ in one of
them is a choice, and shares of mechanisms hang on it. The settings name the other choices that are as good.
"""

from typing import Any

import numpy as np

from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.attribution import smooth_share
from livingdrug.fit.draws import compute_effective
from livingdrug.fit.problem import Problem, compute_log_prior
from livingdrug.study.find_cause import Cause, thin_draws
from livingdrug.study.fit_patient import PatientFit
from livingdrug.study.weigh_evidence import FEWEST

PREFIX = "alternative_spread_"


def compute_other_prior(problem: Problem, z: np.ndarray, place: int, ratio: float) -> np.ndarray:
    """Return the log of the prior with another spread of one parameter over the present one, up to a constant, (draw,).

    Parameters
    ----------
    z : (draw, free)
    place : int
        Of the parameter among the free ones.
    ratio : float
        The other spread over the present one.
    """
    other = z.copy()
    other[:, place] /= ratio
    return np.asarray(compute_log_prior(problem, other) - compute_log_prior(problem, z))


def weigh_alternatives(fit: PatientFit, cause: Cause, settings: Ruleset) -> list[dict[str, Any]]:
    """Return the mechanisms under each alternative that the settings name.

    Returns
    -------
    alternatives : list of mapping
        ``parameter, spread, instead_of, why, effective_draws, mechanisms``; the latter a list of ``name, share,
        probability``, most probable first, or None where too few draws stand for the posterior under it.
    """
    attribution, problem = cause.attribution, fit.problem
    if attribution.draws == 0:
        return []
    z = thin_draws(fit.posterior.draws.z)[attribution.kept]
    found = []
    for key, value in settings.thresholds.items():
        name = key.removeprefix(PREFIX)
        if not key.startswith(PREFIX) or name not in problem.names:
            continue
        place = problem.names.index(name)
        spread = problem.free[place].sd
        log_weight = compute_other_prior(problem, z, place, value.value / spread)
        effective = compute_effective(log_weight) * min(1.0, attribution.effective / len(z))
        found.append(
            {
                "parameter": name,
                "spread": value.value,
                "instead_of": spread,
                "why": value.note,
                "effective_draws": effective,
                "mechanisms": share_out(cause, log_weight, effective) if effective >= FEWEST else None,
            }
        )
    return found


def share_out(cause: Cause, log_weight: np.ndarray, effective: float) -> list[dict[str, Any]]:
    """Return name, share and probability of every mechanism under weights of the draws, most probable first."""
    attribution = cause.attribution
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    probability = smooth_share(attribution.reasons @ weight, effective)
    rows = [
        {"name": name, "share": float(share), "probability": float(chance)}
        for name, share, chance in zip(attribution.names, attribution.parts @ weight, probability[:-1], strict=True)
    ]
    return sorted(rows, key=lambda row: -row["probability"])
