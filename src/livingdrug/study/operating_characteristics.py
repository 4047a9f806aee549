"""How a trial decides over many repetitions: type-I error and power of the log-rank test.

Patients of the arms are simulated once, as a pool, and each repetition draws its patients from it, with replacement;
a pool that is large enough can also be dealt out, so that no two repetitions share a patient.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from livingdrug.clinical.survival_comparison import compute_log_rank
from livingdrug.core.errors import InputError
from livingdrug.core.randomness import derive_generator
from livingdrug.study.run_trial import run_trial
from livingdrug.study.trial_design import TrialDesign
from livingdrug.study.trial_result import TrialResult
from livingdrug.study.trial_result_rates import compute_share, take_times

POOL = 5000
"""Patients of an arm that are simulated unless told otherwise."""
LEVEL = 0.05
Sample = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Operating:
    """How often the test said that the arms differ.

    Parameters
    ----------
    n : int
        Patients of each arm.
    trials, rejected : int
    share, lower, upper : float
        Of the trials, with its exact 95 % interval.
    """

    n: int
    trials: int
    rejected: int
    share: float
    lower: float
    upper: float


def simulate_pool(
    design: TrialDesign, *, size: int = POOL, seed: int | None = None, jobs: int | None = 1
) -> TrialResult:
    """Simulate many patients of each arm of a design.

    Examples
    --------
    >>> from livingdrug.study.trial_design import Arm
    >>> design = TrialDesign("x", "myeloma", 180.0, 1, (Arm("a", "ide_cel", 10), Arm("b", "ide_cel", 10)), "imwg/2016")
    >>> simulate_pool(design, size=4).outcomes.height
    8
    """
    arms = tuple(replace(arm, n=size) for arm in design.arms)
    return run_trial(replace(design, arms=arms), seed=seed, jobs=jobs)


def compute_type_one_error(
    pool: TrialResult,
    n: int,
    *,
    endpoint: str = "pfs",
    trials: int = 2000,
    seed: int = 1,
    level: float = LEVEL,
    with_reuse: bool = True,
) -> Operating:
    """Return how often two arms that do not differ are found to differ.

    Parameters
    ----------
    pool : TrialResult
        Both arms of each trial are drawn from its first arm.
    n : int
        Patients of each arm.
    endpoint : str
        ``pfs``, ``os``, ``dor``, ``efs`` or ``ttnt``.
    trials : int
    seed : int
    level : float
        Of the test.
    with_reuse : bool
        Draw with replacement; otherwise each patient of the pool is in one trial at most.

    Raises
    ------
    InputError
        If patients are not to be used again and there are too few.
    """
    one = _take(pool, pool.arms[0], endpoint)
    if with_reuse:
        return _repeat(one, one, n, trials, seed, level)
    time, is_event = one
    if len(time) < 2 * n * trials:
        most = len(time) // (2 * n)
        raise InputError(
            f"`trials` must be {most} or fewer for this pool, but was {trials}. Hint: simulate more patients."
        )
    deals = ((time[i : i + n], is_event[i : i + n]) for i in range(0, 2 * n * trials, n))
    rejected = sum(_test(first, second) < level for first, second in zip(deals, deals, strict=True))
    return Operating(n, trials, rejected, *compute_share(rejected, trials))


def compute_power(
    pool: TrialResult,
    sizes: Sequence[int],
    *,
    endpoint: str = "pfs",
    trials: int = 2000,
    seed: int = 1,
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return how often the first two arms are found to differ, for some numbers of patients of each arm.

    Returns
    -------
    table
        ``n, trials, rejected, share, lower, upper``.

    Raises
    ------
    InputError
        If there are not two arms.
    """
    if len(pool.arms) < 2:
        raise InputError(f"`pool` must have two arms, but has {len(pool.arms)}. Hint: add the other to the design.")
    one, other = (_take(pool, arm, endpoint) for arm in pool.arms[:2])
    found = [_repeat(one, other, n, trials, seed, level) for n in sizes]
    columns = ("n", "trials", "rejected", "share", "lower", "upper")
    return pl.DataFrame({name: [getattr(row, name) for row in found] for name in columns})


def _take(pool: TrialResult, arm: str, endpoint: str) -> Sample:
    time, is_event = take_times(pool.of(arm, f"{endpoint}_time", f"{endpoint}_event"), endpoint)
    if not is_event.any():
        raise InputError(f"`endpoint` must have events in arm {arm!r}, but {endpoint!r} has none. Hint: use another.")
    return time, is_event


def _repeat(one: Sample, other: Sample, n: int, trials: int, seed: int, level: float) -> Operating:
    rejected = 0
    for trial in range(trials):
        generator = derive_generator(seed, "operating", n, trial)
        first, second = (_draw(generator, sample, n) for sample in (one, other))
        rejected += _test(first, second) < level
    return Operating(n, trials, rejected, *compute_share(rejected, trials))


def _draw(generator: np.random.Generator, sample: Sample, n: int) -> Sample:
    chosen = generator.integers(len(sample[0]), size=n)
    return sample[0][chosen], sample[1][chosen]


def _test(first: Sample, second: Sample) -> float:
    """Return the p value; 1 where nobody had an event, which is no evidence of a difference."""
    time, is_event = (np.concatenate([a, b]) for a, b in zip(first, second, strict=True))
    if not is_event.any():
        return 1.0
    group = np.repeat(["one", "other"], [len(first[0]), len(second[0])])
    return compute_log_rank(time, is_event, group).p_value
