"""The probability of progression within the next months, of a subject still in response."""

from typing import Any

import numpy as np

from livingdrug.explain.attribution import compute_interval
from livingdrug.explain.progression import MarkerRule, compute_progression
from livingdrug.study.fit_patient import PatientFit, solve_draws

AHEAD = (90.0, 180.0, 365.0)
"""Days after the last visit [day]."""
STEP = 14.0
FIRST = 28.0
"""Days between predicted visits, and the first one that may show progression."""


def forecast_progression(
    fit: PatientFit, marker: MarkerRule, last: float, *, jobs: int | None = None
) -> list[dict[str, Any]]:
    """Return the probability of progression within each of `AHEAD` days after the last visit.

    Each draw counts by the probability that it has not progressed yet.

    Parameters
    ----------
    last : float [day]
        Of the last visit.
    """
    ends = [last + ahead for ahead in AHEAD]
    times = np.unique(np.concatenate([[0.0], np.arange(FIRST, ends[-1], STEP), [last, *ends]]))
    course = solve_draws(fit, fit.posterior.parameters, times, (marker.marker,), jobs=jobs)[:, :, 0]
    course = course[np.isfinite(course).all(axis=1)]
    if len(course) == 0:
        return []
    met = compute_progression(course, marker)
    by_now = met[:, int(np.searchsorted(times, last))]
    free = 1 - by_now
    if free.sum() <= 0:
        return []
    effective = min(fit.posterior.draws.effective, float(free.sum() ** 2 / (free**2).sum()))
    found = []
    for ahead, end in zip(AHEAD, ends, strict=True):
        chance = float((met[:, int(np.searchsorted(times, end))] - by_now).sum() / free.sum())
        smooth = (chance * effective + 0.5) / (effective + 1)
        lower, upper = compute_interval(smooth, effective)
        found.append({"day": ahead, "probability": smooth, "lower": lower, "upper": upper, "from_day": last})
    return found
