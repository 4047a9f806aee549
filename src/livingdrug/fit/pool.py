r"""Independent runs of one patient's sampler, joined until enough of their draws are effective.

How many draws a single run is worth can only be guessed from within it (:mod:`livingdrug.fit.effective`), and a thin
posterior is worth few. Runs know nothing of each other, so they tell: with means :math:`m_r` and weights :math:`w_r`
that add up to 1, the error of the joint mean :math:`m` is about

.. math::
    V = \frac{R}{R - 1} \sum_r w_r^2 (m_r - m)^2

and the effective number is the variance of the draws over ``V``. A run weighs as much as its estimate of the evidence,
the product over its stages of the mean factor by which likelihoods rose: joined so, runs too short to be right on
average are right in the limit of many (Verge et al. 2015).
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import numpy as np
from scipy.special import softmax

from livingdrug.fit.draws import Draws, resample

FEWEST_RUNS = 4
"""Fewer cannot tell how much runs differ."""
MOST_RUNS = 32
"""Runs at most: a posterior that needs more is told as it is."""

Progress = Callable[[int, float], None]
"""Told the runs that are done and the effective draws that they are worth."""


def sample_until(
    sample: Callable[[np.random.Generator], Draws],
    *,
    effective: float,
    rng: np.random.Generator,
    most: int = MOST_RUNS,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Draws:
    """Repeat a sampler until its joint draws are worth so many independent ones.

    Parameters
    ----------
    sample : function of a generator
        One run.
    effective : float
        Independent draws wanted.
    rng : numpy.random.Generator
        Of the first run; the others have children of it.
    most : int
        Runs at most.
    workers : int, optional
        Runs side by side; the result does not depend on it. All processors by default.
    progress : function of runs and effective draws, optional

    Returns
    -------
    Draws
        As many as the runs have together. Where no run arrives at the posterior, the first as it is.

    Examples
    --------
    >>> def sample(rng: np.random.Generator) -> Draws:
    ...     return Draws(rng.standard_normal((64, 3)), 1, 1.0, 0.3, 0.0, 64.0, 64, np.arange(64))
    >>> joint = sample_until(sample, effective=150, rng=np.random.default_rng(1))
    >>> joint.runs, joint.z.shape, joint.effective >= 150
    (4, (256, 3), True)
    """
    runs: list[Draws] = []
    for run in _run_side_by_side(sample, [rng, *rng.spawn(most - 1)], workers or os.cpu_count() or 1):
        runs.append(run)
        worth = compute_effective_runs(runs)
        if progress is not None:
            progress(len(runs), worth)
        if len(runs) >= FEWEST_RUNS and worth >= effective:
            break
    return join_runs(runs, rng)


def _run_side_by_side(
    sample: Callable[[np.random.Generator], Draws], streams: Sequence[np.random.Generator], workers: int
) -> Iterator[Draws]:
    """Yield runs in the order of their streams; no more are under way than workers, for each may be the last."""
    ahead: deque[Future[Draws]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="livingdrug-fit") as pool:
        waiting = iter(streams)
        ahead.extend(pool.submit(sample, stream) for stream in islice(waiting, workers))
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(sample, stream) for stream in islice(waiting, 1))


def list_arrived(runs: Sequence[Draws]) -> list[Draws]:
    """Return the runs that reached the posterior."""
    return [run for run in runs if run.temperature == 1]


def weigh_runs(runs: Sequence[Draws]) -> np.ndarray:
    """Return the weight of each run by its evidence; they add up to 1."""
    return np.asarray(softmax([run.log_evidence for run in runs]))


def compute_effective_runs(runs: Sequence[Draws]) -> float:
    """Return how many independent draws the joint mean of runs is worth, over all parameters.

    The lower of what the runs say by how they differ and of what each says of itself.
    """
    arrived = list_arrived(runs)
    if not arrived:
        return 1.0
    weight = weigh_runs(arrived)
    by_themselves = float(1 / np.sum(weight**2 / [run.effective for run in arrived]))
    if len(arrived) < FEWEST_RUNS:
        return by_themselves
    means = np.array([run.z.mean(axis=0) for run in arrived])
    gap = means - weight @ means
    within = np.array([run.z.var(axis=0) for run in arrived])
    spread = float(np.sum(weight @ (within + gap**2)))
    error = float(np.sum(weight**2 @ gap**2)) * len(arrived) / (len(arrived) - 1)
    return min(by_themselves, spread / error) if error > 0 else by_themselves


def join_runs(runs: Sequence[Draws], rng: np.random.Generator) -> Draws:
    """Return equally weighted draws of the runs that arrived, as many as they have, each run by its weight."""
    arrived = list_arrived(runs)
    if not arrived:
        return runs[0]
    sizes = np.array([len(run.z) for run in arrived])
    own = np.repeat(np.log(np.maximum(weigh_runs(arrived), 1e-300)) - np.log(sizes), sizes)
    index = resample(own, len(own), rng)
    ahead = np.cumsum([0, *(run.origin.max() + 1 for run in arrived[:-1])])
    origin = np.concatenate([run.origin + first for run, first in zip(arrived, ahead, strict=True)])
    return replace(
        arrived[0],
        z=np.concatenate([run.z for run in arrived])[index],
        origin=origin[index],
        stages=max(run.stages for run in arrived),
        acceptance=float(np.mean([run.acceptance for run in arrived])),
        remembered=float(np.mean([run.remembered for run in arrived])),
        effective=compute_effective_runs(arrived),
        evaluations=sum(run.evaluations for run in runs),
        log_evidence=float(np.logaddexp.reduce([run.log_evidence for run in arrived]) - np.log(len(arrived))),
        runs=len(arrived),
    )
