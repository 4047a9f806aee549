r"""The number of cells that a random clone has left, in mean sizes of a family, as a smooth function.

A clone of cells that divide and die at random has, late in time, a number of surviving families of Poisson's
distribution with mean :math:`F`, and each family has a size of the exponential distribution (Kendall 1948). Its size
:math:`Z` in mean sizes of a family is then a sum of :math:`N` exponential variables: half a non-central chi-squared
variable with no degrees of freedom and non-centrality :math:`2F`. It is nothing with probability :math:`e^{-F}`.

A patient has one draw :math:`W` of the exponential distribution, and :math:`Z(F, W)` is the quantile of :math:`Z` at
the level :math:`e^{-W}`: nothing while :math:`F \le W`, and as random as it should be whatever :math:`F` is. With
:math:`x = \sqrt F - \sqrt W`

.. math::
    Z \approx x^2 + b x + \frac{(a - b)\, x}{1 + k x}, \quad
    a = \frac{2}{\sqrt W}, \quad b = 2 \sqrt{\ln 2} - b_1 \ln \frac{W}{\ln 2}, \quad k = k_0 + \frac{k_1}{\sqrt W}

has the exact slope where a clone barely survives (:math:`dZ/dF = 1/W`), is the mean where many families are left and
:math:`W` is its median, and is within 2.5 % of the quantile for every :math:`F` and :math:`0.003 \le W \le 6`.
The three coefficients were fitted to the exact quantiles; a test holds them.

What is smooth and needs no event: whether the clone is alive,

.. math::
    \alpha = \frac{1}{1 + \zeta^{256}}, \qquad \zeta = \frac{(1 + c) W}{F + c W}, \qquad c = \frac{1}{8}

which is a half at :math:`F = W`, and :math:`x` is replaced by :math:`\alpha` times a positive part of it.
"""

import math
from typing import Any

from livingdrug.core.arithmetic import log, sqrt

LINEAR = 0.4
"""How the spread of large clones falls with W (b1)."""
BEND, BEND_ROOT = 1.7, 0.4
"""How soon the slope of small clones gives way to it (k0 and k1)."""
MEDIAN = math.log(2)
BLUNT = 1 / 8
"""Keeps the power within the digits of a double when no family is left (c)."""
OFFSET = 1 / 32
"""Keeps the root from its vertical slope at no family, and from what a solver leaves below none, relative to W."""
SOFT = 1 / 128
"""Half-width of the rounded corner at F = W, relative to the root of W."""


def compute_alive(families: Any, threshold: Any) -> Any:
    """Return whether a clone is alive: 1 far above its threshold, a half at it, 0 below.

    Examples
    --------
    >>> compute_alive(0.7, 0.7), compute_alive(1.4, 0.7) > 1 - 1e-15, compute_alive(0.35, 0.7) < 1e-15
    (0.5, True, True)
    """
    relative = (1 + BLUNT) * threshold / (families + BLUNT * threshold)
    return 1 / (1 + (((relative**4) ** 4) ** 4) ** 4)


def compute_clone_size(families: Any, threshold: Any, alive: Any, survival: Any = 1) -> Any:
    r"""Return the size of a clone in mean sizes of a family, or in cells where the survival is given.

    Parameters
    ----------
    families : F, the expected number of surviving families
    threshold : W, of the exponential distribution over patients
    alive : of `compute_alive`
    survival : probability that the family of one cell survives; its inverse is the mean size of a family

    Examples
    --------
    A clone with many families left has its mean size; one with few left is mostly smaller or gone.

    >>> sizes = [compute_clone_size(f, 0.7, compute_alive(f, 0.7)) for f in (1e6, 10.0, 0.35)]
    >>> round(sizes[0] / 1e6, 2), round(sizes[1], 1), sizes[2] < 1e-15
    (1.0, 9.5, True)
    """
    corner = sqrt(threshold)
    beyond = sqrt(families + OFFSET * threshold) - sqrt(threshold + OFFSET * threshold)
    excess = beyond * (2 * alive - 1) + SOFT * corner * (1 - alive)
    linear = 2 * math.sqrt((1 + OFFSET) * MEDIAN) - LINEAR * log(threshold / MEDIAN)
    bend = BEND + BEND_ROOT / corner
    bent = 1 + bend * excess
    # one division for two
    return alive * excess * ((excess + linear) * bent + 2 / corner - linear) / (bent * survival)
