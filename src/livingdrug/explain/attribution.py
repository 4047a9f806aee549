"""How much each mechanism had to do with a failure: Shapley values over counterfactuals, in every posterior draw.

A mechanism is switched off by setting it to its *reference*, everything else unchanged (common random numbers). Every
subset of the mechanisms is switched off, and each mechanism gets its Shapley share of the fall of the failure
probability. The reference is first the typical patient; where even all mechanisms at once avert nothing
there, it is a better one, step by step. In each draw the reason is the mechanism with the largest share
(ties share it); a mechanism's probability is how often it is the reason. A draw that nothing averts has *no reason*.

A mechanism whose switch changes nothing, neither first nor last nor beside one other, plays no part in that
draw and is left out of its subsets; this makes a hundred draws affordable. Where the shares do not sum to what
all switches together avert, every subset of all mechanisms is looked at after all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import betaincinv

from livingdrug.explain.mechanisms import Candidate
from livingdrug.explain.switches import LEAST, Assess, Experiment, compare_switches, select_candidates
from livingdrug.fit.effective import compute_effective_draws
from livingdrug.fit.problem import Free

NONE = "none"
"""What is named where no mechanism is the reason."""


@dataclass(frozen=True, slots=True)
class MechanismShare:
    """What is known about one mechanism.

    Parameters
    ----------
    name, group, words : str
    probability, lower, upper : float
        Probability that it is the reason, with a 90 % interval for the limited number of draws.
    reduction, reduction_lower, reduction_upper : float
        Mean fall in the failure probability when it is switched off, and its 5th and 95th percentile over draws.
    share, share_lower, share_upper : float
        Mean Shapley share of what all mechanisms together avert, and its 5th and 95th percentile over draws.
    rescue : float
        Probability that this one fix alone would have prevented the failure.
    named : float
        Probability that naming it is right: that it is the reason, alone or tied with others. Of mechanisms that tie,
        each is right to name, so these do not sum to 1; `probability` shares ties out and does.
    share_median : float
        Median Shapley share over draws, which errs least in absolute terms; medians need not sum to 1.
    """

    name: str
    group: str
    words: str
    probability: float
    lower: float
    upper: float
    reduction: float
    reduction_lower: float
    reduction_upper: float
    share: float = 0.0
    share_lower: float = 0.0
    share_upper: float = 0.0
    rescue: float = 0.0
    named: float = 0.0
    share_median: float = 0.0


@dataclass(frozen=True, slots=True)
class Attribution:
    """All mechanisms, most probable first.

    Parameters
    ----------
    shares : tuple of MechanismShare
    unexplained : float
        Probability that no single mechanism is the reason.
    failure : float
        Mean failure probability of the draws as they are.
    draws : int
        Draws in which every switch could be computed.
    ties : tuple of str
        Mechanisms whose mean share is that of the first, within what can be told; empty where the first stands alone.
    reasons : (reason, draw)
        How much each mechanism, and last the lack of one, is the reason in each draw.
    parts : (mechanism, draw)
        Shapley share of each mechanism in each draw.
    names : tuple of str
        Mechanisms in the order of ``reasons``.
    kept : (draw,) int
        Places of these draws among those given.
    effective : float
        Effective number of independent draws behind the probabilities.
    """

    shares: tuple[MechanismShare, ...]
    unexplained: float
    failure: float
    draws: int
    ties: tuple[str, ...] = ()
    reasons: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    names: tuple[str, ...] = ()
    kept: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    effective: float = 1.0
    parts: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    def compute_named(self, name: Callable[[str], str]) -> dict[str, float]:
        """Return, for each class of mechanisms, the probability that naming the class is right; ``none`` is a class.

        Parameters
        ----------
        name : function
            From a mechanism, or ``none``, to its class.
        """
        classes: dict[str, list[int]] = {}
        for place, label in enumerate((*self.names, NONE)):
            classes.setdefault(name(label), []).append(place)
        return {
            label: smooth_chance(float((self.reasons[places] > 0).any(axis=0).mean()), self.effective, len(classes))
            for label, places in classes.items()
        }


def compute_winners(shapley: np.ndarray, tie: float) -> np.ndarray:
    """Return how much each mechanism is the reason in each draw.

    Parameters
    ----------
    shapley : (mechanism, draw)
        All 0 where nothing averts the failure.
    tie : float
        Values this close to the largest share with it.

    Returns
    -------
    share : (mechanism, draw)
        Columns sum to 1, or to 0 where nothing averts the failure.

    Examples
    --------
    >>> compute_winners(np.array([[0.9, 0.5, 0.0], [0.1, 0.5, 0.0]]), 0.01).tolist()
    [[1.0, 0.5, 0.0], [0.0, 0.5, 0.0]]
    """
    top = shapley.max(axis=0)
    is_top = (shapley >= top - tie) & (top > 0)
    return np.asarray(is_top / np.maximum(is_top.sum(axis=0), 1))


def smooth_share(share: np.ndarray, effective: float) -> np.ndarray:
    """Draw shares that sum to 1 towards equal ones by the weight of one draw.

    A reason seen in all of fifty draws is not certain, and one seen in none is not impossible.

    Examples
    --------
    >>> smooth_share(np.array([1.0, 0.0]), 49.0).tolist()
    [0.99, 0.01]
    """
    return np.asarray((share * effective + 1 / len(share)) / (effective + 1))


def smooth_chance(chance: float, effective: float, classes: int) -> float:
    """Draw the chance of one class, seen in ``effective`` draws, towards that of any by the weight of one draw.

    Examples
    --------
    >>> smooth_chance(1.0, 49.0, 4)
    0.985
    """
    return (chance * effective + 1 / classes) / (effective + 1)


def compute_interval(probability: float, effective: float) -> tuple[float, float]:
    """Return the 5th and 95th percentile of a smoothed share of ``effective`` independent draws.

    Examples
    --------
    >>> [round(bound, 2) for bound in compute_interval(0.7, 50.0)]
    [0.59, 0.8]
    """
    a, b = probability * (effective + 1), (1 - probability) * (effective + 1)
    return float(betaincinv(a, b, 0.05)), float(betaincinv(a, b, 0.95))


def attribute_failure(  # noqa: PLR0913 - draws, what may be switched, and how each draw is judged
    parameters: np.ndarray,
    names: Sequence[str],
    free: Sequence[Free],
    catalogue: Sequence[Candidate],
    assess: Assess,
    *,
    origin: np.ndarray,
    effective: float = 1.0,
    levels: Sequence[float] = (0.5, 0.75, 0.9),
    tie: float = 0.02,
    events: Sequence[str] = (),
) -> Attribution:
    """Switch off every subset of the mechanisms in every draw and share out how the failure probability changes.

    Parameters
    ----------
    parameters : (draw, parameter)
        Posterior draws, equally weighted.
    names : sequence of str
        Names of all parameters, in order.
    free : tuple of Free
        The parameters that were estimated, with their scale and spread.
    catalogue : sequence of Candidate
    assess : function
        Called with many switched draws at once.
    origin : (draw,) int
        Where each draw comes from: those of one origin may be alike.
    effective : float
        Effective draws of the parameters, which count where all draws have one reason: nothing can be told from it.
    levels : sequence of float
        Favourable quantiles of patients that serve as reference, one after the other.
    tie : float
        See `compute_winners`.
    events : sequence of str
        Types of events of this patient.
    """
    candidates = select_candidates(catalogue, free, events)
    failure = assess(parameters)
    found = compare_switches(Experiment(names, free, candidates, assess), parameters, failure, levels)
    is_known = np.isfinite(failure) & np.isfinite(found.alone).all(axis=0) & np.isfinite(found.shapley).all(axis=0)
    kept = np.flatnonzero(is_known)
    if len(kept) == 0:
        return Attribution((), 1.0, float("nan"), 0)
    shapley, alone = found.shapley[:, kept], found.alone[:, kept]
    winners = compute_winners(shapley, tie)
    reasons = np.vstack([winners, 1 - winners.sum(axis=0)])
    independent = compute_effective_draws(reasons.T, origin[kept])
    if np.ptp(reasons, axis=1).max() == 0:
        independent = max(independent, min(effective, float(len(kept))))
    probability = smooth_share(reasons.mean(axis=1), independent)
    parts = np.where(shapley.sum(axis=0) > 0, shapley / np.maximum(found.together[kept], LEAST), 0.0)
    shares = [
        create_share(
            candidate,
            float(probability[k]),
            alone[k],
            parts[k],
            failure[kept],
            winners[k] > 0,
            effective=independent,
            classes=len(reasons),
        )
        for k, candidate in enumerate(candidates)
    ]
    shares.sort(key=lambda share: -share.probability)
    return Attribution(
        tuple(shares),
        float(probability[-1]),
        float(failure[kept].mean()),
        len(kept),
        find_ties(shares),
        reasons,
        tuple(c.mechanism.value for c in candidates),
        kept,
        independent,
        parts,
    )


def find_ties(shares: Sequence[MechanismShare], *, gap: float = 0.05) -> tuple[str, ...]:
    """Return the mechanisms whose mean share is as large as the largest, within ``gap``; empty where one leads."""
    top = max(share.share for share in shares)
    tied = tuple(share.name for share in shares if share.share >= top - gap)
    return tied if len(tied) > 1 else ()


def create_share(
    candidate: Candidate,
    probability: float,
    reduction: np.ndarray,
    part: np.ndarray,
    failure: np.ndarray,
    is_reason: np.ndarray,
    *,
    effective: float,
    classes: int,
) -> MechanismShare:
    """Summarise one mechanism over the draws."""
    lower, upper = compute_interval(probability, effective)
    low, high = np.quantile(reduction, [0.05, 0.95])
    part_low, part_high = np.quantile(part, [0.05, 0.95])
    return MechanismShare(
        name=candidate.mechanism.value,
        group=candidate.mechanism.group.value,
        words=candidate.words,
        probability=probability,
        lower=lower,
        upper=upper,
        reduction=float(reduction.mean()),
        reduction_lower=float(low),
        reduction_upper=float(high),
        share=float(part.mean()),
        share_lower=float(part_low),
        share_upper=float(part_high),
        rescue=float(np.clip(1 - failure + reduction, 0, 1).mean()),
        named=smooth_chance(float(is_reason.mean()), effective, classes),
        share_median=float(np.median(part)),
    )
