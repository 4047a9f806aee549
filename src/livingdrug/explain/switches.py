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


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the parameters of draws (draw, parameter) by name."""

    names: Sequence[str]
    draws: np.ndarray

    def __call__(self, name: str) -> np.ndarray:
        """Return one parameter (draw,)."""
        return np.asarray(self.draws[:, self.names.index(name)])


def switch_off(
    parameters: np.ndarray, names: Sequence[str], candidate: Candidate, free: Sequence[Free], quantile: float
) -> np.ndarray:
    """Return the draws with one mechanism at its reference; what is already better stays.

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
        own = changed[:, column]
        changed[:, column] = choose(own, reference) if candidate.merit is None else reference
    if candidate.merit is not None:
        is_better = candidate.merit(Reader(names, changed)) > candidate.merit(Reader(names, parameters))
        changed[~is_better] = parameters[~is_better]
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


def list_screens(players: int) -> np.ndarray:
    """Return the subsets that show who plays a part: singles, pairs, all but one, all but two, and all.

    Returns
    -------
    patterns : (pattern, player) bool
        The singles first, in order; all of them last.

    Examples
    --------
    >>> list_screens(3).sum(axis=1).tolist()
    [1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1, 3]
    """
    single = np.eye(players, dtype=bool)
    pairs = np.array([single[i] | single[j] for i in range(players) for j in range(i)], dtype=bool)
    pairs = pairs.reshape(-1, players)
    return np.vstack([single, pairs, ~single, ~pairs, np.ones((1, players), dtype=bool)])


def find_active(worth: np.ndarray, players: int) -> np.ndarray:
    """Return who changes the outcome alone, last, or beside one other, (player, draw) bool.

    Parameters
    ----------
    worth : (pattern, draw)
        In the order of `list_screens`.
    """
    pairs = [(i, j) for i in range(players) for j in range(i)]
    alone, last = worth[:players], worth[players + len(pairs) : 2 * players + len(pairs)]
    active = (np.abs(alone) > IDLE) | (np.abs(worth[-1] - last) > IDLE)
    for place, (i, j) in enumerate(pairs):
        both, neither = worth[players + place], worth[2 * players + len(pairs) + place]
        for one, other in ((i, j), (j, i)):
            active[one] |= (np.abs(both - alone[other]) > IDLE) | (np.abs(last[other] - neither) > IDLE)
    return np.asarray(active)


def share_out(
    experiment: Experiment, parameters: np.ndarray, worth: np.ndarray, failure: np.ndarray, level: float
) -> np.ndarray:
    """Return the Shapley values of draws whose failure can be averted, (candidate, draw).

    Parameters
    ----------
    worth : (pattern, draw)
        In the order of `list_screens`.
    """
    active = find_active(worth, len(experiment.candidates))
    shapley = np.zeros(active.shape)
    for pattern in np.unique(active, axis=1).T:
        those = np.flatnonzero((active == pattern[:, None]).all(axis=0))
        if pattern.any():
            shapley[:, those] = compute_subsets(experiment, parameters[those], failure[those], pattern, level)
    # where more than two together are needed, somebody who seemed idle is not: look at everybody
    missed = np.flatnonzero(np.abs(shapley.sum(axis=0) - worth[-1]) > len(active) * IDLE)
    if len(missed) > 0:
        everybody = np.ones(len(active), dtype=bool)
        shapley[:, missed] = compute_subsets(experiment, parameters[missed], failure[missed], everybody, level)
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
    patterns = list_screens(count)
    open_draws = np.arange(many)
    for level in levels:
        worth = experiment.compute_worth(parameters[open_draws], failure[open_draws], patterns, level)
        found.alone[:, open_draws], found.together[open_draws] = worth[:count], worth[-1]
        is_averted = (np.nan_to_num(worth[-1]) >= LEAST) & np.isfinite(worth).all(axis=0)
        those = open_draws[is_averted]
        if len(those) > 0:
            own = worth[:, is_averted]
            found.shapley[:, those] = share_out(experiment, parameters[those], own, failure[those], level)
        open_draws = open_draws[~is_averted]
        if len(open_draws) == 0:
            break
    return found
