r"""What becomes of a patient beside the cells: death without progression, death after it, switch of lineage.

None of it acts back on the cells, so it is computed in closed form beside the solver.

.. math::
    h(t) = \frac{e}{\tau} \mathrm{e}^{-t / \tau} + l, \qquad
    t_e = -\tau \ln(1 - E_1 / e), \quad t_l = E_2 / l, \quad t = \min(t_e, t_l)

with :math:`E_1, E_2` exponential draws: of toxicity and early infection somebody dies at :math:`t_e`, or not at all
where :math:`E_1 \ge e`; of late infection, second cancers and everything else at :math:`t_l`.
"""

import numpy as np

from livingdrug.core.model import Quantity, describe_values

PARAMETERS = (
    Quantity("death_early", "1", "cumulative hazard of an early death without progression (e)"),
    Quantity("death_early_days", "day", "time in which the hazard of an early death falls by e-fold (tau)"),
    Quantity("death_late", "1/day", "hazard of death without progression that stays (l)"),
    Quantity("death_after_progression", "1/day", "hazard of death after progression"),
    Quantity("lineage_switch", "1", "share of relapses without the antigen that are of another lineage"),
)


FATE = describe_values("fate", PARAMETERS, source="design")


def compute_death(early: float, days: float, late: float, draws: np.ndarray) -> np.ndarray:
    """Return the day of death without progression (patient,) [day]; infinite where there is none.

    Parameters
    ----------
    early, days, late : float
        Cumulative hazard, its time [day], and the hazard that stays [1/day].
    draws : (patient, 2)
        Exponential, with mean 1.

    Examples
    --------
    >>> compute_death(0.5, 100.0, 0.0, np.array([[0.25, 1.0], [0.6, 1.0]])).round(1).tolist()
    [69.3, inf]
    """
    left = 1 - draws[:, 0] / early if early > 0 else np.zeros(len(draws))
    soon = np.where(left > 0, -days * np.log(np.where(left > 0, left, 1)), np.inf)
    later = draws[:, 1] / late if late > 0 else np.full(len(draws), np.inf)
    return np.asarray(np.minimum(soon, later))
