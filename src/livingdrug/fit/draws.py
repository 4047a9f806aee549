"""Draws from one patient's posterior: from the prior to the posterior in tempered stages.

Draws are carried from the prior, in which clones that few patients have are made more common than they are, to
the posterior through ``start^(1-t) * posterior^t``: raise ``t`` until two in five draws remain effective, resample,
and move every draw (sequential Monte Carlo; Del Moral 2006). Moves go on until a draw has forgotten where it was
resampled. They are steps in parameters (:mod:`livingdrug.fit.proposal`, learned from the other half of the draws, one
course each) for as long as a few of these suffice, and steps in what was measured
(:mod:`livingdrug.fit.residual_step`, some twenty courses each, of half as many draws) from the stage on in which they
do not. Both leave the stage's distribution unchanged. The start has several times as many draws as the end: a draw
of the prior costs one course, and where few of many are kept, those few are different ones.

Starting at the prior, not at a mode, is a choice by measurement: a clone that most patients do not have is a
mode that no gradient finds, and a Laplace approximation at the best mode was effective for 1 to 6 in 100 draws only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from livingdrug.fit.effective import compute_effective_draws
from livingdrug.fit.informed import InformedDirections, learn_directions
from livingdrug.fit.places import Places, Survey, sample_start
from livingdrug.fit.problem import Problem
from livingdrug.fit.proposal import Proposal
from livingdrug.fit.residual_step import ResidualStep

LARGEST_SHARE = 0.4
"""Share of the draws that stays effective from one stage to the next."""
MOST_STAGES = 60
"""Stages at most; reaching it is reported as ``temperature`` below 1."""
WANTED_ACCEPTANCE = 0.25
REMEMBERED, THIN = 0.7, 0.5
"""Moves of a stage go on until the parameters correlate no more than this, on average, with where the draws were
resampled: steps in what was measured, and steps in parameters. Where these do not get there the posterior is thin."""
FEWEST_SWEEPS, MOST_SWEEPS, LAST_SWEEPS = 3, 4, 8
"""Steps in parameters of every draw in one stage: at least, at most, and in the last stage."""
FEWEST_LAST, POLISHING = 2, 4
"""Steps in what was measured that the last stage takes at least, and steps in parameters after them."""
FIRST_STRIDE, FIRST_LENGTH = 0.7, 0.7
"""Strides of either step at the start; both adapt."""
THINNED = 2
"""From the stage on in which steps in what was measured are needed, one in so many draws goes on: such a step costs
some twenty courses, and the draws it leaves are nearly independent. In the end each stands for so many equal ones."""
FEWEST_DRAWS = 256
"""With fewer left than this all go on."""
LEARNED_ANEW = 5.0
"""Informed directions are learned anew when the temperature has risen by this factor."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Equally weighted draws from the posterior, and how good they are.

    Parameters
    ----------
    z : (draw, free)
        Of a thin posterior each stands twice.
    stages : int
        Tempered stages that were needed.
    temperature : float
        1 when the posterior was reached.
    acceptance : float
        Share of proposals accepted in the last stage.
    remembered : float
        Correlation of the draws with where they were resampled last, over all parameters.
    effective : float
        Effective number of independent draws, over all parameters, by what draws of one origin have in common.
    evaluations : int
        Courses that were computed.
    origin : (draw,) int
        Which draw of the start each comes from: draws of one origin may be alike.
    log_evidence : float
        Estimate of the log of the evidence, up to a constant of the patient.
    runs : int
        Independent runs that the draws are joined from (:mod:`livingdrug.fit.pool`).
    """

    z: np.ndarray
    stages: int
    temperature: float
    acceptance: float
    remembered: float
    effective: float
    evaluations: int
    origin: np.ndarray
    log_evidence: float = 0.0
    runs: int = 1


def compute_effective(log_weights: np.ndarray) -> float:
    """Return the effective number of draws behind log weights.

    Examples
    --------
    >>> round(compute_effective(np.log([1.0, 1.0, 2.0])), 2)
    2.67
    """
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights * weights).sum())


def compute_log_mean(log_values: np.ndarray) -> float:
    """Return the log of the mean of values given by their logs.

    >>> round(float(np.exp(compute_log_mean(np.log([1.0, 3.0])))), 12)
    2.0
    """
    return float(logsumexp(log_values) - np.log(len(log_values)))


def choose_temperature(fit: np.ndarray, now: float, target: float) -> float:
    """Return the highest next temperature at which so many draws are effective.

    Parameters
    ----------
    fit : (draw,)
        Log likelihood.
    target : float
        Effective draws, fewer than there are.
    """
    if compute_effective((1 - now) * fit) >= target:
        return 1.0
    low, high = now, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if compute_effective((middle - now) * fit) >= target else (low, middle)
    return max(low, now + 1e-9)


def resample(log_weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many indices drawn by systematic resampling, in random order."""
    weights = np.exp(log_weights - log_weights.max())
    places = (np.arange(count) + rng.random()) / count
    index = np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), places), len(weights) - 1)
    return np.asarray(rng.permutation(index))


def compute_memory(before: np.ndarray, after: np.ndarray) -> float:
    """Return the correlation between two places of the same draws, root mean square over parameters.

    Examples
    --------
    >>> before = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> compute_memory(before, before), compute_memory(before, before[[1, 3, 0, 2]])
    (1.0, 0.0)
    """
    a, b = before - before.mean(axis=0), after - after.mean(axis=0)
    norm = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    correlation = (a * b).sum(axis=0) / np.maximum(norm, 1e-300)
    return float(np.sqrt(np.mean(np.maximum(correlation, 0.0) ** 2)))


@dataclass(slots=True)
class Journey:
    """The draws of one patient on their way, and what their moves have learned so far.

    Parameters
    ----------
    places : Places
    temperature : float
    stride, length : float
        Of steps in parameters, and in what was measured.
    directions : InformedDirections, optional
        Learned at the temperature ``learned``; none as long as steps in parameters suffice.
    derivative : (draw, row, informed), optional
        Of the residuals where the draws are.
    log_evidence : float
        Sum over stages of the log of the mean weight.
    """

    survey: Survey
    rng: np.random.Generator
    places: Places
    temperature: float = 0.0
    stages: int = 0
    stride: float = FIRST_STRIDE
    length: float = FIRST_LENGTH
    is_thin: bool = False
    directions: InformedDirections | None = None
    learned: float = 0.0
    derivative: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    before: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    acceptance: float = 0.0
    remembered: float = 1.0
    log_evidence: float = 0.0

    def warm(self, count: int) -> None:
        """Raise the temperature as far as draws stay effective, and resample."""
        count = count // THINNED if self.is_thin and count // THINNED >= FEWEST_DRAWS else count
        following = choose_temperature(self.places.fit, self.temperature, LARGEST_SHARE * count)
        log_weights = (following - self.temperature) * self.places.fit
        self.log_evidence += compute_log_mean(log_weights)
        index = resample(log_weights, count, self.rng)
        self.places, self.temperature, self.stages = self.places.take(index), following, self.stages + 1
        self.before = self.places.z.copy()
        if self.directions is not None:
            self.derivative = self.derivative[index]

    def repeat(self, take: Callable[[], float], fewest: int, most: int, enough: float) -> None:
        """Take steps until draws correlate no more than ``enough`` with where they were, within the bounds given."""
        for done in range(1, most + 1):
            self.acceptance = take()
            self.remembered = compute_memory(self.before, self.places.z)
            if done >= fewest and self.remembered <= enough:
                break

    def take_sweep(self) -> float:
        """Move every draw once by a step in parameters; return the share accepted."""
        share, self.stride = move_places(self.places, self.survey, self.temperature, self.stride, self.rng)
        return share

    def step(self, fewest: int, most: int) -> None:
        """Take steps in what was measured."""
        if self.directions is None or self.temperature > LEARNED_ANEW * self.learned:
            self.directions = learn_directions(self.places, self.survey, self.temperature, self.rng)
            self.derivative = self.directions.differentiate(self.places, self.survey)
            self.learned = self.temperature
        mover = ResidualStep(self.directions, self.survey, self.temperature, self.derivative, self.length)
        self.repeat(lambda: mover.move(self.places, self.rng), fewest, most, REMEMBERED)
        self.length = mover.stride

    def move(self, most: int) -> None:
        """Move the draws of one stage: in parameters while that suffices, else in what was measured."""
        is_last = self.temperature == 1.0
        if not self.is_thin:
            bounds = (LAST_SWEEPS, LAST_SWEEPS) if is_last else (FEWEST_SWEEPS, MOST_SWEEPS)
            self.repeat(self.take_sweep, *bounds, THIN)
            self.is_thin = self.remembered > THIN and self.places.residual.shape[1] > 0
        if self.is_thin:
            self.step(*((FEWEST_LAST, 2 * most) if is_last else (1, most)))
            if is_last:
                self.repeat(self.take_sweep, POLISHING, POLISHING, THIN)


def move_places(
    places: Places, survey: Survey, temperature: float, stride: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Move every draw once by a step in parameters, in place; each half by what the other half looks like.

    Returns
    -------
    acceptance, stride : float
        The share accepted, and the stride for the next time.
    """
    z, half = places.z, len(places.z) // 2
    halves = (np.arange(half), np.arange(half, len(z)))
    trial, correction = np.empty_like(z), np.empty(len(z))
    for mine, other in (halves, halves[::-1]):
        trial[mine], correction[mine] = Proposal.learn(z[other]).propose(z[mine], stride, rng)
    there = survey.evaluate(trial)
    change = temperature * (there.fit - places.fit) + there.start - places.start + correction
    taken = np.flatnonzero(np.log(rng.random(len(z))) < change)
    places.put(taken, there, taken)
    acceptance = len(taken) / len(z)
    return acceptance, float(np.clip(stride * np.exp(0.8 * (acceptance - WANTED_ACCEPTANCE)), 0.05, 0.99))


def sample_posterior(
    problem: Problem,
    prior: np.ndarray,
    count: int,
    *,
    rng: np.random.Generator,
    most: int = 6,
    threads: int | None = None,
) -> Draws:
    """Carry draws of the prior to the posterior.

    Parameters
    ----------
    prior : (start, free)
        Independent draws, `count` or several times as many.
    count : int
        Draws from the posterior; an even number, and many more than free parameters. Of a thin posterior half as
        many are different ones, each standing twice, unless that would be too few.
    most : int
        Steps of every draw in what was measured in one stage, at most; twice as many in the last.

    Returns
    -------
    Draws
    """
    survey = Survey(problem, threads)
    places = survey.evaluate(sample_start(problem, prior, rng))
    if np.isfinite(places.fit).sum() < LARGEST_SHARE * count:
        return Draws(prior[:count], 0, 0.0, 0.0, 1.0, 1.0, len(prior), np.arange(count))
    journey = Journey(survey, rng, places)
    while journey.temperature < 1 and journey.stages < MOST_STAGES:
        journey.warm(count)
        journey.move(most)
    z, origin, temperature = journey.places.z, journey.places.origin, journey.temperature
    effective = compute_effective_draws(z, origin) if temperature == 1 else 1.0
    times = count // len(z)
    z, origin = np.repeat(z, times, axis=0), np.repeat(origin, times)
    return Draws(
        z,
        journey.stages,
        temperature,
        journey.acceptance,
        journey.remembered,
        effective,
        survey.courses,
        origin,
        journey.log_evidence,
    )
