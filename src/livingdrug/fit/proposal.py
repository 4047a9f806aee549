r"""Where to move next: a map learned from half of the draws that makes the other half look like a normal cloud.

The posterior of a patient with many rows is thin and bent: along some directions the data say little, along
others almost everything, and how the thin ones lie depends on the wide ones. The map

.. math::
    y = \Lambda^{-1/2} V^T (z - \mu), \qquad x_w = y_w, \quad x_t = y_t - Q(y_w)

turns (``V``: principal directions), scales, and straightens: ``Q`` is a quadratic regression of the thin
directions on the widest. Its Jacobian is constant, so a step that leaves a distribution of ``x``
unchanged needs no correction in ``z``. In ``x`` a step is preconditioned Crank-Nicolson towards a
Student-t distribution (Cotter 2013; with the t's own scale, Grumitt 2024):

.. math::
    x' = m + \sqrt{1 - \beta^2}\,(x - m) + \beta \sqrt{Z}\, R\, \xi, \qquad
    Z^{-1} \sim \Gamma\Big(\frac{\nu + d}{2}, \frac{2}{\nu + |x - m|^2_{\Sigma}}\Big)

which is reversible with respect to that t; what remains is the ratio of the target to the t.
"""

from dataclasses import dataclass

import numpy as np

FREEDOM = 10.0
"""Degrees of freedom of the t that a step is drawn towards."""
WIDEST = 6
"""Directions, at most, that the others are straightened against."""
RIDGE = 20.0
"""Prior weight, in draws, that no direction is bent."""
INFLATION = 1.4
"""The map fits the draws it was learned from too well: the others are expected to scatter by this much more."""
FARTHEST_BEND = 4.0
"""Beyond so many standard deviations of a wide direction the bend grows no further."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A learned map and the t-distribution behind it.

    Parameters
    ----------
    centre : (free,)
    turn : (free, free)
        Principal directions, widest first, in columns.
    scale : (free,)
        Standard deviation along each.
    widest : int
    bend : (feature, thin)
        Regression of the thin directions on squares and products of the widest.
    middle : (free,)
        Mean in ``x``.
    root, inverse : (free, free)
        Cholesky factor of the t's scale matrix, and its inverse.
    """

    centre: np.ndarray
    turn: np.ndarray
    scale: np.ndarray
    widest: int
    bend: np.ndarray
    middle: np.ndarray
    root: np.ndarray
    inverse: np.ndarray

    @classmethod
    def learn(cls, z: np.ndarray) -> "Proposal":
        """Learn the map from draws ``z`` (draw, free), more of them than free parameters."""
        size = z.shape[1]
        centre = z.mean(axis=0)
        variance, turn = np.linalg.eigh(np.atleast_2d(np.cov(z.T)) + 1e-8 * np.eye(size))
        turn, scale = turn[:, ::-1], np.sqrt(variance[::-1])
        y = (z - centre) @ turn / scale
        widest = min(WIDEST, size // 2)
        features = compute_features(y[:, :widest])
        weight = features.T @ features + RIDGE * np.eye(features.shape[1])
        bend = np.linalg.solve(weight, features.T @ y[:, widest:])
        x = y.copy()
        x[:, widest:] -= features @ bend
        covariance = np.atleast_2d(np.cov(x.T)) + 1e-6 * np.eye(size)
        root = np.linalg.cholesky(INFLATION * (FREEDOM - 2) / FREEDOM * covariance)
        return cls(centre, turn, scale, widest, bend, x.mean(axis=0), root, np.linalg.inv(root))

    def straighten(self, z: np.ndarray) -> np.ndarray:
        """Return ``x - m`` of ``z`` (draw, free)."""
        x = (z - self.centre) @ self.turn / self.scale
        x[:, self.widest :] -= compute_features(x[:, : self.widest]) @ self.bend
        return np.asarray(x - self.middle)

    def restore(self, offset: np.ndarray) -> np.ndarray:
        """Return ``z`` of ``x - m``: the inverse of `straighten`."""
        y = offset + self.middle
        y[:, self.widest :] += compute_features(y[:, : self.widest]) @ self.bend
        return np.asarray((y * self.scale) @ self.turn.T + self.centre)

    def propose(self, z: np.ndarray, stride: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Propose a step from each draw.

        Parameters
        ----------
        z : (draw, free)
        stride : float
            From 0 (stay) to 1 (independent of where the draw is).

        Returns
        -------
        trial : (draw, free)
        correction : (draw,)
            Log of what the t gives the draw over what it gives the trial: to be added to the log ratio of the target.
        """
        size = z.shape[1]
        offset = self.straighten(z)
        before = self.measure(offset)
        spread = 1 / rng.gamma((FREEDOM + size) / 2, 2 / (FREEDOM + before))
        noise = rng.standard_normal(z.shape) @ self.root.T
        moved = np.sqrt(1 - stride**2) * offset + stride * np.sqrt(spread)[:, None] * noise
        after = self.measure(moved)
        correction = (FREEDOM + size) / 2 * (np.log1p(after / FREEDOM) - np.log1p(before / FREEDOM))
        return self.restore(moved), correction

    def measure(self, offset: np.ndarray) -> np.ndarray:
        """Return the squared distance from the centre in units of the t's scale, (draw,)."""
        whitened = offset @ self.inverse.T
        return np.asarray((whitened * whitened).sum(axis=1))


def compute_features(wide: np.ndarray) -> np.ndarray:
    """Return squares and products of the wide directions, centred as of a normal cloud, (draw, feature).

    Examples
    --------
    >>> compute_features(np.array([[1.0, 2.0]])).tolist()
    [[0.0, 2.0, 3.0]]
    """
    bounded = np.clip(wide, -FARTHEST_BEND, FARTHEST_BEND)
    first, second = np.triu_indices(wide.shape[1])
    return np.asarray(bounded[:, first] * bounded[:, second] - (first == second))
