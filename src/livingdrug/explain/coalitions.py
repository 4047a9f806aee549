r"""Shapley values: what each of several causes contributes when any subset of them may be taken away.

With :math:`v(S)` the fall of the failure probability when the causes in :math:`S` are switched off together,

.. math::
    \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(k - 1 - |S|)!}{k!}\,\big(v(S \cup i) - v(S)\big)

Two causes that each rescue the patient share the fall; two that rescue only together share it as well.
"""

from math import factorial

import numpy as np


def list_coalitions(players: int) -> np.ndarray:
    """Return every subset of so many players, (coalition, player) bool; row ``i`` holds the bits of ``i``.

    Examples
    --------
    >>> list_coalitions(2).tolist()
    [[False, False], [True, False], [False, True], [True, True]]
    """
    numbers = np.arange(2**players)
    return np.asarray((numbers[:, None] >> np.arange(players)) & 1, dtype=bool)


def compute_shapley(worth: np.ndarray) -> np.ndarray:
    """Return each player's Shapley value.

    Parameters
    ----------
    worth : (coalition, draw)
        In the order of `list_coalitions`; the first is of nobody.

    Returns
    -------
    values : (player, draw)
        They sum to what all are worth together, less what nobody is.

    Examples
    --------
    >>> compute_shapley(np.array([[0.0], [1.0], [1.0], [1.0]])).tolist()
    [[0.5], [0.5]]
    >>> compute_shapley(np.array([[0.0], [0.0], [0.0], [1.0]])).tolist()
    [[0.5], [0.5]]
    """
    players = len(worth).bit_length() - 1
    members = list_coalitions(players)
    size = members.sum(axis=1)
    values = np.zeros((players, worth.shape[1]))
    for player in range(players):
        without = np.flatnonzero(~members[:, player])
        weight = np.array([factorial(s) * factorial(players - 1 - s) / factorial(players) for s in size[without]])
        values[player] = weight @ (worth[without + (1 << player)] - worth[without])
    return values
