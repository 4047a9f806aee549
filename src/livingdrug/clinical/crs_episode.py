"""Cytokine release from day to day: whether an episode has begun, goes on, or has ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from livingdrug.clinical.daily import Result
from livingdrug.clinical.grading import Episode
from livingdrug.core.ruleset import Finding, OptionValue, Truth

CLAUSE = "cytokine release goes on from an earlier day"


@dataclass(frozen=True, slots=True)
class State:
    """What is carried from one day to the next.

    Parameters
    ----------
    truth : Truth
        Whether an episode is open.
    onset, last : float
        First day of it, and the last on which a sign was seen or could not be excluded.
    clear : float or None
        First of the days since then that were free of signs.
    rows, event_rows, missing
        What the truth rests on.
    untimed : event or None
        A treatment before which no temperature was taken: what it treated is not known.
    episodes : tuple of Episode
    """

    truth: Truth = Truth.FALSE
    onset: float = 0.0
    last: float = 0.0
    clear: float | None = None
    rows: tuple[int, ...] = ()
    event_rows: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()
    untimed: Mapping[str, Any] | None = None
    episodes: tuple[Episode, ...] = ()


def find_untimed(
    treated: Sequence[Mapping[str, Any]], days: Mapping[float, Mapping[str, Iterable[Result]]]
) -> Mapping[str, Any] | None:
    """Return the first treatment, if no temperature was taken up to its day.

    Examples
    --------
    >>> given = {"day": 2.0, "type": "tocilizumab"}
    >>> find_untimed([given], {}) is given, find_untimed([given], {1.0: {"temperature": [Result("temperature", 1.0, 0,
    ...     38.0, 38.0)]}})
    (True, None)
    """
    if not treated:
        return None
    measured = [day for day, found in days.items() if any(r.is_known for r in found.get("temperature", ()))]
    return None if any(day <= treated[0]["day"] for day in measured) else treated[0]


def ask_going_on(state: State, day: float, chosen: Mapping[str, OptionValue]) -> Finding:
    """Ask whether an earlier day's cytokine release goes on.

    Examples
    --------
    >>> chosen = {"resolved_days": 1.0, "silent_days": 7.0}
    >>> state = State(Truth.TRUE, onset=3.0, last=4.0, clear=4.0)
    >>> ask_going_on(state, 5.0, chosen).truth, ask_going_on(state, 6.0, chosen).truth
    (<Truth.TRUE: 'true'>, <Truth.FALSE: 'false'>)
    """
    untimed = state.untimed
    if state.truth == Truth.FALSE:
        if untimed is not None and day >= untimed["day"] and not state.episodes:
            missing = (f"temperature before treatment on day {untimed['day']:g}",)
            return Finding(CLAUSE, Truth.UNKNOWN, missing=missing, event_rows=(untimed["row"],))
        return Finding(CLAUSE, Truth.FALSE, state.rows, note="none before, or it has ended")
    if state.clear is not None and day - state.clear > float(chosen["resolved_days"]):
        return Finding(CLAUSE, Truth.FALSE, state.rows, note=f"no sign from day {state.clear:g} on")
    is_open = state.truth == Truth.TRUE and state.clear is None
    if is_open and day - state.last > float(chosen["silent_days"]):
        missing = (f"signs between day {state.last:g} and day {day:g}",)
        return Finding(CLAUSE, Truth.UNKNOWN, state.rows, missing=missing)
    note = f"since day {state.onset:g}"
    return Finding(CLAUSE, state.truth, state.rows, missing=state.missing, note=note, event_rows=state.event_rows)


def carry(
    state: State, day: float, has_started: Finding, sign: Finding, grade: int, chosen: Mapping[str, OptionValue]
) -> State:
    """Return the state after a day.

    Parameters
    ----------
    has_started : Finding
        Whether cytokine release has started by this day and has not ended before it.
    sign : Finding
        Whether the day shows a sign of it.
    grade : int
        What the day has in any case.
    """
    untimed = None if sign.truth == Truth.FALSE else state.untimed
    if has_started.truth == Truth.FALSE:
        return State(untimed=untimed, episodes=_close(state.episodes, day))
    new = State(
        truth=has_started.truth,
        onset=day if state.truth == Truth.FALSE else state.onset,
        last=day,
        rows=has_started.rows,
        event_rows=has_started.event_rows,
        missing=has_started.missing,
        untimed=untimed,
        episodes=state.episodes,
    )
    if sign.truth == Truth.FALSE:
        clear = day if state.clear is None else state.clear
        return replace(new, clear=clear, episodes=_close(state.episodes, clear))
    if sign.truth == Truth.UNKNOWN:
        if has_started.truth == Truth.TRUE and state.clear is not None:
            return replace(new, truth=Truth.UNKNOWN, missing=sign.missing)
        return replace(new, last=state.last) if state.truth == Truth.TRUE else new
    if has_started.truth == Truth.TRUE:
        goes_on = state.truth != Truth.FALSE
        return replace(
            new, episodes=_extend(state.episodes, day, grade, float(chosen["resolved_days"]), goes_on=goes_on)
        )
    return new


def _extend(
    episodes: tuple[Episode, ...], day: float, grade: int, resolved_days: float, *, goes_on: bool
) -> tuple[Episode, ...]:
    last = episodes[-1] if episodes else None
    is_same = last is not None and (last.end is None or (goes_on and day - last.end <= resolved_days))
    if last is None or not is_same:
        return (*episodes, Episode(day, None, grade))
    return (*episodes[:-1], Episode(last.onset, None, max(last.maximum, grade)))


def _close(episodes: tuple[Episode, ...], day: float) -> tuple[Episode, ...]:
    if not episodes or episodes[-1].end is not None:
        return episodes
    return (*episodes[:-1], replace(episodes[-1], end=day))


def end_by_death(state: State, day: float, grade: int) -> State:
    """Return the state with a death from the syndrome: its episode has the highest grade and no end."""
    if not state.episodes:
        return replace(state, episodes=(Episode(day, None, grade),))
    last = replace(state.episodes[-1], end=None, maximum=grade)
    return replace(state, episodes=(*state.episodes[:-1], last))
