"""Arguments of a computation, checked at the door: machine code trusts what it is given."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from livingdrug.core.errors import InputError
from livingdrug.core.model import Model

SHORTEST, LONGEST = 1e-100, 1e100
"""Last day that can be asked for [day]; beyond, its square or reciprocal is no double."""

MOST = 2**62


def check_parameters(model: Model, parameters: Any) -> np.ndarray:
    """Return the parameters as (patient, parameter), in one piece."""
    expected = len(model.parameters)
    columns = f"Hint: one column each for {', '.join(model.parameter_names[:4])}, ..."
    table = _to_numbers(parameters)
    if table is None or table.ndim not in {1, 2}:
        was = type(parameters).__name__ if table is None else np.shape(parameters)
        raise InputError(f"`parameters` must be numbers of shape (patient, {expected}), but was {was}. {columns}")
    table = np.atleast_2d(table)
    if table.shape[1] != expected:
        raise InputError(
            f"`parameters` must have shape (patient, {expected}), but had {np.shape(parameters)}. {columns}"
        )
    if not len(table):
        raise InputError("`parameters` must hold at least one patient, but was empty. Hint: check the selection.")
    return np.ascontiguousarray(table)


def check_times(times: Any) -> np.ndarray:
    """Return a copy of the days that are reported."""
    days = _to_numbers(times)
    if days is None:
        raise InputError(f"`times` must be days, but was {times!r:.60}. Hint: numbers, counted from the infusion.")
    days = np.atleast_1d(days).copy()
    if days.ndim != 1 or not len(days) or not np.all(np.isfinite(days)) or days[0] < 0 or np.any(np.diff(days) <= 0):
        raise InputError(
            f"`times` must be finite, 0 or later and strictly increasing, but was {days.ravel()[:5].tolist()}... "
            "Hint: sort and remove duplicates; day 0 is the infusion."
        )
    if days[-1] == 0:
        raise InputError("`times` must end after day 0, but was [0.0]. Hint: add a later time.")
    if not SHORTEST <= days[-1] <= LONGEST:
        raise InputError(
            f"`times` must end between {SHORTEST} and {LONGEST} days, but ended at {days[-1]}. Hint: check the unit."
        )
    return days


def check_names(what: str, names: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return names that are all known."""
    if isinstance(names, str):
        raise InputError(f"`{what}` must be a list of names, but was {names!r}. Hint: write [{names!r}].")
    given = tuple(names)
    for name in given:
        if name not in known:
            raise InputError(f"`{what}` must name known quantities, but was {name!r}. Hint: one of {', '.join(known)}.")
    return given


def check_tolerance(rtol: Any) -> float:
    """Return the relative tolerance."""
    number = _to_numbers(rtol)
    if number is None or number.ndim or not 1e-14 <= number <= 0.1:
        raise InputError(f"`rtol` must lie between 1e-14 and 0.1, but was {rtol!r:.60}. Hint: 1e-6 is a good start.")
    return float(number)


def check_length(days: Any) -> float:
    """Return the longest step."""
    number = _to_numbers(days)
    if number is None or number.ndim or not number >= SHORTEST:
        raise InputError(f"`longest_step` must be above 0 days, but was {days!r:.60}. Hint: leave it out.")
    return float(number)


def check_count(what: str, count: Any) -> int:
    """Return a whole number from 1 on."""
    number = _to_numbers(count)
    if number is None or number.ndim or not 1 <= number <= MOST or number != np.floor(number):
        raise InputError(f"`{what}` must be a whole number from 1 on, but was {count!r:.60}. Hint: leave it out.")
    return int(count)


def _to_numbers(value: Any) -> np.ndarray | None:
    """Return an array of doubles, or None for what is no number."""
    if value is None:
        return None
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        return None
