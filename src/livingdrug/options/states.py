"""The five states of a rule or criterion, and how states join: the words of this room, kept in ``core``."""

from livingdrug.core.fact_state import FactState, join_all, join_any, join_at_least

__all__ = ["FactState", "join_all", "join_any", "join_at_least"]
