r"""Steps in what was measured instead of in parameters: long ones where the posterior is thin and bent.

Many rows pin a few combinations of parameters down to hundredths of their prior spread (the level of the tumour at
relapse above all), on a bent sheet that a step in parameters leaves at once. With parameters ``a`` along the informed
directions, ``b`` along the others, and residuals ``r``, let

.. math::
    F(a, b) = (a, \sqrt{t}\, r(a, b)), \qquad \partial F / \partial a = Q R

so that the posterior is about a standard normal in ``u = Q^T F`` and in ``b``. A step draws

.. math::
    b' = \sqrt{1 - \beta^2}\, b + \beta \eta, \qquad Q^T F(a', b') = \sqrt{1 - \beta^2}\, Q^T F(a, b) + \beta \xi

and solves the second for ``a'``: randomise, then optimise (Bardsley 2014), from where the draw is (Crank and Nicolson).
``Q`` is that of the place left, so the way back has another; both densities are known,

.. math::
    q(a' | a, b, b') = N(\xi) \, |\det Q^T \partial_a F(a', b')| / \beta^k

and the step is accepted by Metropolis and Hastings, where the way back, solved in the same manner, ends where the step
began. For a linear course with normal noise every step is accepted, whatever its length.
"""

from dataclasses import dataclass

import numpy as np

from livingdrug.fit.informed import InformedDirections
from livingdrug.fit.places import Places, Survey, is_near

MOST_TRIES = 8
"""Courses, at most, in which a step is solved for."""
CLOSE = 0.03
"""A step is solved when each component of ``u`` is this close to what was drawn."""
SAME = 0.1
"""The way back ends where the step began when each informed coordinate is this close."""
LONGEST = 4.0
"""Longest step of one try, in standard deviations of the prior."""
RISE = 2.0
"""A try may leave this much more to be solved than the one before; else it is halved."""
FLATTEST = 0.1
"""The inverse slope is learned from a try only where it saw at least this share of the change expected."""
WANTED_ACCEPTANCE = 0.4
SHORTEST = 0.1
"""Smallest stride."""


@dataclass(slots=True)
class Solved:
    """Steps that were solved for: where they end, what is predicted there, and which were solved."""

    a: np.ndarray
    predicted: np.ndarray
    is_solved: np.ndarray


@dataclass(frozen=True, slots=True)
class Frame:
    """What a place looks like from itself: ``F``, its derivative by ``a``, and that derivative's ``Q`` and ``R``.

    Parameters
    ----------
    value : (draw, informed + row)
    slope : (draw, informed + row, informed)
    basis : (draw, informed + row, informed)
    root : (draw, informed, informed)
    """

    value: np.ndarray
    slope: np.ndarray
    basis: np.ndarray
    root: np.ndarray

    @classmethod
    def look(cls, a: np.ndarray, residual: np.ndarray, derivative: np.ndarray, temperature: float) -> "Frame":
        """Create the frames of places: informed coordinates (draw, informed), residuals and their derivatives."""
        own = np.broadcast_to(np.eye(a.shape[1]), (len(a), a.shape[1], a.shape[1]))
        slope = np.concatenate([own, np.sqrt(temperature) * derivative], axis=1)
        basis, root = np.linalg.qr(slope)
        return cls(join_residuals(a, residual, temperature), slope, basis, root)

    def take(self, index: np.ndarray) -> "Frame":
        """Return a copy of some draws."""
        return Frame(self.value[index], self.slope[index], self.basis[index], self.root[index])

    def project(self, value: np.ndarray, which: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return ``Q^T F`` of values (draw, informed + row), of some of the draws."""
        return np.asarray((value[:, None, :] @ self.basis[which])[:, 0, :])

    def measure(self, slope: np.ndarray) -> np.ndarray:
        """Return the log of the volume that ``Q^T`` leaves of a slope elsewhere, (draw,)."""
        return np.asarray(np.linalg.slogdet(np.swapaxes(self.basis, 1, 2) @ slope)[1])


def join_residuals(a: np.ndarray, residual: np.ndarray, temperature: float) -> np.ndarray:
    """Return ``F``, (draw, informed + row)."""
    return np.concatenate([a, np.sqrt(temperature) * residual], axis=1)


@dataclass(slots=True)
class ResidualStep:
    """Steps of one stage.

    Parameters
    ----------
    directions : InformedDirections
    survey : Survey
    temperature : float
    derivative : (draw, row, informed)
        Of the residuals where the draws are; goes with them.
    stride : float
        ``beta``, from 0 (stay) to 1 (independent of where the draw is); adapted after every step.
    """

    directions: InformedDirections
    survey: Survey
    temperature: float
    derivative: np.ndarray
    stride: float

    def move(self, places: Places, rng: np.random.Generator) -> float:
        """Move every draw once, in place; return the share that was accepted."""
        a, b = self.directions.split(places.z)
        frame = Frame.look(a, places.residual, self.derivative, self.temperature)
        kept = float(np.sqrt(1 - self.stride**2))
        u = frame.project(frame.value)
        b_there = kept * b + self.stride * rng.standard_normal(b.shape)
        target = kept * u + self.stride * rng.standard_normal(u.shape)
        chance = np.log(rng.random(len(a)))
        there = self.solve(frame, a, b_there, target)
        found = np.flatnonzero(there.is_solved)
        taken = np.zeros(0, dtype=int)
        if len(found):
            taken = self.judge(places, frame.take(found), (a[found], b[found]), b_there[found], there, found, chance)
        acceptance = len(taken) / len(a)
        self.stride = float(np.clip(self.stride * np.exp(0.6 * (acceptance - WANTED_ACCEPTANCE)), SHORTEST, 1.0))
        return acceptance

    def judge(
        self,
        places: Places,
        frame: Frame,
        here: tuple[np.ndarray, np.ndarray],
        b_there: np.ndarray,
        there: Solved,
        found: np.ndarray,
        chance: np.ndarray,
    ) -> np.ndarray:
        """Accept or refuse the steps that were solved for; move those accepted and return them."""
        (a, b) = here
        z = self.directions.join(there.a[found], b_there)
        arrived = self.survey.judge(z, there.predicted[found])
        derivative = self.directions.differentiate(arrived, self.survey)
        back = Frame.look(there.a[found], arrived.residual, derivative, self.temperature)
        kept = float(np.sqrt(1 - self.stride**2))
        forth_noise = (frame.project(back.value) - kept * frame.project(frame.value)) / self.stride
        back_target = back.project(frame.value)
        back_noise = (back_target - kept * back.project(back.value)) / self.stride
        change = compute_target(arrived, self.temperature) - compute_target(places, self.temperature)[found]
        change += 0.5 * (square(forth_noise) - square(back_noise) + square(b_there) - square(b))
        change += back.measure(frame.slope) - frame.measure(back.slope)
        liked = np.flatnonzero(chance[found] < change)
        if len(liked) == 0:
            return liked
        again = self.solve(back.take(liked), there.a[found[liked]], b[liked], back_target[liked])
        is_same = again.is_solved & (np.abs(again.a - a[liked]).max(axis=1, initial=0.0) < SAME)
        liked = liked[is_same]
        places.put(found[liked], arrived, liked)
        self.derivative[found[liked]] = derivative[liked]
        return np.asarray(found[liked])

    def solve(self, frame: Frame, a: np.ndarray, b: np.ndarray, target: np.ndarray) -> Solved:
        """Solve ``Q^T F(a', b) = target`` for ``a'`` from ``a`` by Broyden's method, all draws side by side."""
        count, inverse = len(a), np.linalg.inv(frame.root)
        a, left = a.copy(), frame.project(frame.value) - target
        length, shrink = np.full(count, np.inf), np.ones(count)
        is_solved = np.zeros(count, dtype=bool)
        end = np.full((count, len(self.survey.problem.rows)), np.nan)
        for _ in range(MOST_TRIES):
            active = np.flatnonzero(~is_solved)
            if len(active) == 0:
                break
            step = -(inverse[active] @ left[active][:, :, None])[:, :, 0] * shrink[active, None]
            step *= np.minimum(1.0, LONGEST / np.maximum(np.sqrt(square(step)), 1e-300))[:, None]
            tip = a[active] + step
            z = self.directions.join(tip, b[active])
            seen = self.survey.predict(z)
            misses = join_residuals(tip, self.survey.ruler.measure(seen), self.temperature)
            rest = frame.project(misses, active) - target[active]
            is_finite = np.isfinite(seen).all(axis=1) & is_near(z)
            # before its first move a draw has another b, and the change tells nothing about the slope by a
            learn_slope(inverse, active, step, rest - left[active], is_finite & np.isfinite(length[active]))
            size = np.where(is_finite, np.sqrt(square(rest)), np.inf)
            is_better = is_finite & (size <= RISE * length[active])
            moved = active[is_better]
            a[moved], left[moved], length[moved], shrink[moved] = tip[is_better], rest[is_better], size[is_better], 1.0
            end[moved] = seen[is_better]
            shrink[active[~is_better]] *= 0.5
            is_solved[moved] = np.abs(rest[is_better]).max(axis=1) < CLOSE
        return Solved(a, end, is_solved)


def learn_slope(
    inverse: np.ndarray, active: np.ndarray, step: np.ndarray, change: np.ndarray, is_finite: np.ndarray
) -> None:
    """Correct the inverse slopes of active draws, in place, by what a step changed (Broyden 1965)."""
    seen = (inverse[active] @ change[:, :, None])[:, :, 0]
    along = (step * seen).sum(axis=1)
    is_usable = is_finite & (along > FLATTEST * square(step))
    chosen, own = active[is_usable], step[is_usable]
    correction = (own - seen[is_usable]) / along[is_usable][:, None]
    inverse[chosen] += correction[:, :, None] * (own[:, None, :] @ inverse[chosen])


def compute_target(places: Places, temperature: float) -> np.ndarray:
    """Return the log density of a stage, (draw,)."""
    return np.asarray(places.start + temperature * places.fit)


def square(values: np.ndarray) -> np.ndarray:
    """Return the squared length of each row.

    >>> square(np.array([[3.0, 4.0]])).tolist()
    [25.0]
    """
    return np.asarray((values * values).sum(axis=1))
