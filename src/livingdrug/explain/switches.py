"""Mechanisms switched off: one, all but one, and every subset of those that play a part in a draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from livingdrug.explain.coalitions import compute_shapley, list_coalitions
from livingdrug.explain.mechanisms import ENDLESS, Candidate, compute_reference
from livingdrug.fit.problem import Free

LEAST = 0.5
"""The failure is averted when at least this much of its probability is taken away."""
IDLE = 0.005
"""A switch that changes the failure probability by less than this, first and last, plays no part in a draw."""

Assess = Callable[[np.ndarray], np.ndarray]
"""Failure probability (patient,) of full parameter vectors (patient, parameter); not a number where unknown."""


def select_candidates(
    catalogue: Sequence[Candidate], free: Sequence[Free], events: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Return the candidates that can be examined: a parameter of theirs is free, or their event took place."""
    names = {f.name for f in free}
    return tuple(
        c for c in catalogue if (c.event in events if c.event else any(name in names for name, _ in c.parameters))
    )


def switch_off(
    parameters: np.ndarray, names: Sequence[str], candidate: Candidate, free: Sequence[Free], quantile: float
) -> np.ndarray:
    """Return the draws with one mechanism at its reference; a value already better stays.

    Parameters
    ----------
    parameters : (draw, parameter)
    names : sequence of str
        Names of all parameters, in order.
    """
    changed = parameters.copy()
    places = {f.name: f for f in free}
    for name, better in candidate.parameters:
        if better == "endless":
            changed[:, names.index(name)] *= ENDLESS
        if name not in places:
            continue
        column = places[name].column
        reference = compute_reference(places[name], better, quantile)
        choose = np.maximum if better == "higher" else np.minimum
        changed[:, column] = choose(changed[:, column], reference)
    leading = candidate.parameters[0][0]
    for name in candidate.follow:
        if leading in places and name in names:
            column = places[leading].column
            changed[:, names.index(name)] *= changed[:, column] / parameters[:, column]
    return changed


@dataclass(frozen=True, slots=True)
class Switches:
    """What each mechanism is worth in each draw.

    Parameters
    ----------
    alone : (mechanism, draw)
        Fall of the failure probability when it alone is switched off; not a number where that could not be computed.
    shapley : (mechanism, draw)
        All 0 in a draw that nothing averts.
    together : (draw,)
        Fall when all are switched off, at the reference at which the draw was resolved.
    """

    alone: np.ndarray
    shapley: np.ndarray
    together: np.ndarray


@dataclass(frozen=True, slots=True)
class Experiment:
    """What can be switched off, and how the outcome is judged.

    Parameters
    ----------
    names : sequence of str
        Names of all parameters, in order.
    free : sequence of Free
    candidates : sequence of Candidate
    assess : function
        Called with many switched draws at once.
    """

    names: Sequence[str]
    free: Sequence[Free]
    candidates: Sequence[Candidate]
    assess: Assess

    def switch(self, parameters: np.ndarray, subsets: np.ndarray, level: float) -> np.ndarray:
        """Return each draw (draw, parameter) with its subset (draw, candidate) of the candidates switched off."""
        changed = parameters.copy()
        for k, candidate in enumerate(self.candidates):
            rows = subsets[:, k]
            if rows.any():
                changed[rows] = switch_off(changed[rows], self.names, candidate, self.free, level)
        return changed

    def compute_worth(
        self, parameters: np.ndarray, failure: np.ndarray, patterns: np.ndarray, level: float
    ) -> np.ndarray:
        """Return the fall of the failure probability under each pattern of switches, (pattern, draw)."""
        count = len(parameters)
        repeated = np.repeat(parameters, len(patterns), axis=0)
        after = self.assess(self.switch(repeated, np.tile(patterns, (count, 1)), level))
        return np.asarray(failure - after.reshape(count, len(patterns)).T)


def compute_subsets(
    experiment: Experiment, parameters: np.ndarray, failure: np.ndarray, active: np.ndarray, level: float
) -> np.ndarray:
    """Return the Shapley values of draws in which the same candidates play a part, (candidate, draw)."""
    players = np.flatnonzero(active)
    coalitions = list_coalitions(len(players))[1:]
    patterns = np.zeros((len(coalitions), len(active)), dtype=bool)
    patterns[:, players] = coalitions
    worth = experiment.compute_worth(parameters, failure, patterns, level)
    shapley = np.zeros((len(active), len(parameters)))
    shapley[players] = compute_shapley(np.vstack([np.zeros(len(parameters)), worth]))
    return shapley


def compare_switches(
    experiment: Experiment, parameters: np.ndarray, failure: np.ndarray, levels: Sequence[float]
) -> Switches:
    """Switch off every subset of the candidates in each draw, at references that improve until all avert it.

    Parameters
    ----------
    parameters : (draw, parameter)
    failure : (draw,)
        Failure probability of the draws as they are.
    levels : sequence of float
        Favourable quantiles of patients that serve as reference, one after the other.
    """
    count, many = len(experiment.candidates), len(parameters)
    found = Switches(np.zeros((count, many)), np.zeros((count, many)), np.zeros(many))
    single = np.eye(count, dtype=bool)
    patterns = np.vstack([single, ~single, np.ones((1, count), dtype=bool)])
    open_draws = np.arange(many)
    for level in levels:
        worth = experiment.compute_worth(parameters[open_draws], failure[open_draws], patterns, level)
        found.alone[:, open_draws], found.together[open_draws] = worth[:count], worth[-1]
        is_averted = np.nan_to_num(worth[-1]) >= LEAST
        last = worth[-1] - worth[count : 2 * count]
        active = (np.abs(worth[:count]) > IDLE) | (np.abs(last) > IDLE)
        active |= ~active.any(axis=0)  # only some of them together matter: look at all
        for pattern in np.unique(active[:, is_averted], axis=1).T:
            those = open_draws[is_averted & (active == pattern[:, None]).all(axis=0)]
            found.shapley[:, those] = compute_subsets(experiment, parameters[those], failure[those], pattern, level)
        open_draws = open_draws[~is_averted]
        if len(open_draws) == 0:
            break
    return found
