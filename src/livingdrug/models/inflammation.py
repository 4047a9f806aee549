r"""Inflammation before infusion and its markers in blood: observations of what the other equations already have.

.. math::
    I = s \frac{z_S - z_k}{\sqrt{2}} + \sqrt{1 - s^2}\, \epsilon, \qquad
    \ln C = \ln c + \sigma_c I + \epsilon_c, \qquad L = (L_0 + k\, r B_0)\, \mathrm{e}^{\epsilon_L}

:math:`z_S` is suppression by the environment and :math:`z_k` killing by the product, in standard deviations between
patients; CRP :math:`C` and ferritin follow inflammation :math:`I`; lactate dehydrogenase :math:`L` is normal
turnover and that of the tumour, growth :math:`r` times burden :math:`B_0`.
"""

import numpy as np

from livingdrug.core.model import Quantity, describe_values

PARAMETERS = (
    Quantity("inflammation_strength", "1", "correlation of inflammation with environment and product (s)"),
    Quantity("crp_typical", "mg/L", "C-reactive protein before lymphodepletion (c)"),
    Quantity("crp_spread", "1", "of its logarithm, by inflammation"),
    Quantity("crp_noise", "1", "of its logarithm, from day to day"),
    Quantity("ferritin_typical", "ng/mL", "ferritin before lymphodepletion"),
    Quantity("ferritin_spread", "1", "of its logarithm, by inflammation"),
    Quantity("ferritin_noise", "1", "of its logarithm, by stores of iron and from day to day"),
    Quantity("ldh_normal", "U/L", "lactate dehydrogenase without tumour (L_0)"),
    Quantity("ldh_turnover", "U*day/L", "lactate dehydrogenase for a turnover of 1e9 tumour cells a day (k)"),
    Quantity("ldh_noise", "1", "of its logarithm, between people and from day to day"),
)


INFLAMMATION = describe_values("inflammation", PARAMETERS, source="design")


def compute_inflammation(strength: float, suppression: np.ndarray, killing: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Return inflammation before infusion (patient,), in standard deviations.

    Parameters
    ----------
    strength : float
        Between 0 and 1.
    suppression, killing, draw : (patient,)
        Standard scores of the environment's suppression and of the product's rate of killing; and a normal draw.

    Examples
    --------
    >>> compute_inflammation(0.0, np.ones(2), np.ones(2), np.array([0.5, -1.0])).tolist()
    [0.5, -1.0]
    """
    poor = (suppression - killing) / np.sqrt(2)
    return np.asarray(strength * poor + np.sqrt(1 - strength**2) * draw)


def compute_marker(
    typical: float, spread: float, noise: float, inflammation: np.ndarray, draw: np.ndarray
) -> np.ndarray:
    """Return a marker that follows inflammation (patient,), in the unit of ``typical``.

    Examples
    --------
    >>> compute_marker(20.0, 1.0, 0.0, np.array([0.0]), np.array([3.0])).tolist()
    [20.0]
    """
    return np.asarray(typical * np.exp(spread * inflammation + noise * draw))


def compute_ldh(normal: float, per_turnover: float, noise: float, turnover: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Return lactate dehydrogenase (patient,) [U/L], given the turnover of tumour cells [1e9 cells/day].

    Examples
    --------
    >>> compute_ldh(200.0, 25.0, 0.0, np.array([0.0, 4.0]), np.zeros(2)).tolist()
    [200.0, 300.0]
    """
    return np.asarray((normal + per_turnover * turnover) * np.exp(noise * draw))
