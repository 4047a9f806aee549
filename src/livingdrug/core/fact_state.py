"""What a criterion is of one patient: five states, three of which are kinds of not knowing."""

from collections.abc import Sequence
from enum import StrEnum

from livingdrug.core.ruleset import Truth


class FactState(StrEnum):
    """Met, not met, or one of three ways in which it is not known which.

    ``unknown``: the fact is absent, stale or without a unit. ``conflict``: sources disagree across the threshold.
    ``unsupported``: the criterion is not machine readable; its text is shown as it stands.

    Examples
    --------
    >>> FactState.CONFLICT.truth, ~FactState.MET, ~FactState.UNSUPPORTED
    (<Truth.UNKNOWN: 'unknown'>, <FactState.NOT_MET: 'not_met'>, <FactState.UNSUPPORTED: 'unsupported'>)
    """

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    UNSUPPORTED = "unsupported"

    @property
    def truth(self) -> Truth:
        """True, false or unknown."""
        return _TRUTHS.get(self, Truth.UNKNOWN)

    def __invert__(self) -> "FactState":
        return _OPPOSITES.get(self, self)


_TRUTHS = {FactState.MET: Truth.TRUE, FactState.NOT_MET: Truth.FALSE}
_OPPOSITES = {FactState.MET: FactState.NOT_MET, FactState.NOT_MET: FactState.MET}
_REASONS = (FactState.CONFLICT, FactState.UNKNOWN, FactState.UNSUPPORTED)
"""Why a whole is not known, in the order in which it is named: what a person can resolve first comes first."""


def join_all(states: Sequence[FactState]) -> FactState:
    """Return the conjunction; of nothing, met.

    Examples
    --------
    >>> join_all([FactState.MET, FactState.UNSUPPORTED]), join_all([FactState.NOT_MET, FactState.UNKNOWN])
    (<FactState.UNSUPPORTED: 'unsupported'>, <FactState.NOT_MET: 'not_met'>)
    """
    return join_at_least(len(states), states)


def join_any(states: Sequence[FactState]) -> FactState:
    """Return the disjunction; of nothing, not met.

    Examples
    --------
    >>> join_any([FactState.NOT_MET, FactState.UNKNOWN]), join_any([])
    (<FactState.UNKNOWN: 'unknown'>, <FactState.NOT_MET: 'not_met'>)
    """
    return join_at_least(1, states)


def join_at_least(count: int, states: Sequence[FactState]) -> FactState:
    """Return whether as many are met as asked for, whatever becomes of those that are not known.

    Examples
    --------
    >>> join_at_least(2, [FactState.MET, FactState.UNKNOWN, FactState.NOT_MET])
    <FactState.UNKNOWN: 'unknown'>
    >>> join_at_least(2, [FactState.MET, FactState.NOT_MET, FactState.NOT_MET])
    <FactState.NOT_MET: 'not_met'>
    """
    met = sum(state is FactState.MET for state in states)
    if met >= count:
        return FactState.MET
    if met + sum(state.truth is Truth.UNKNOWN for state in states) < count:
        return FactState.NOT_MET
    return next(reason for reason in _REASONS if reason in states)
