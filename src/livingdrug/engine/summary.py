"""What a kernel can keep of a trajectory without storing it.

Each summary looks at one state or output within a window of days. It is computed inside the kernel
on the continuous output of every step (five nodes a step, and the extreme or the crossing refined
between them), so it does not depend on the times that are reported.

A window ends with the last day that is reported. Where nothing is left of a window, or no value in it
is a number, an extreme, its day and an area are not a number, and a crossing never happens (infinite).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan

import numpy as np

from livingdrug.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Summary:
    """A number kept of a trajectory: what is looked at and from which day to which."""

    quantity: str
    start: float = 0.0
    end: float = inf


@dataclass(frozen=True, slots=True)
class Maximum(Summary):
    """Largest value within the window."""


@dataclass(frozen=True, slots=True)
class TimeOfMaximum(Summary):
    """Day of the largest value within the window."""


@dataclass(frozen=True, slots=True)
class Minimum(Summary):
    """Smallest value within the window."""


@dataclass(frozen=True, slots=True)
class TimeOfMinimum(Summary):
    """Day of the smallest value within the window."""


@dataclass(frozen=True, slots=True)
class Integral(Summary):
    """Area under the curve within the window [unit day]."""


@dataclass(frozen=True, slots=True)
class _Crossing:
    quantity: str
    threshold: float
    start: float = 0.0
    end: float = inf


@dataclass(frozen=True, slots=True)
class FirstAbove(_Crossing):
    """First day within the window on which the value is above the threshold; infinite if it never is."""


@dataclass(frozen=True, slots=True)
class FirstBelow(_Crossing):
    """First day within the window on which the value is below the threshold; infinite if it never is."""


AnySummary = Maximum | TimeOfMaximum | Minimum | TimeOfMinimum | Integral | FirstAbove | FirstBelow


def check_summaries(summaries: Sequence[AnySummary], names: Sequence[str]) -> tuple[AnySummary, ...]:
    """Return the summaries.

    Raises
    ------
    InputError
        If one looks at an unknown quantity, or its window is empty.
    """
    if isinstance(summaries, AnySummary):
        raise InputError(f"`summaries` must be a list, but was {summaries!r:.60}. Hint: put it into brackets.")
    given = tuple(summaries)
    for summary in given:
        if not isinstance(summary, AnySummary):
            kinds = "Maximum, Minimum, Integral, FirstAbove, ..."
            raise InputError(f"a summary must be one of {kinds}, but was {summary!r:.60}. Hint: use these classes.")
        if summary.quantity not in names:
            raise InputError(
                f"a summary must look at a state or output, but was {summary.quantity!r}. "
                f"Hint: one of {', '.join(names)}."
            )
        if not (summary.start < summary.end and summary.end > 0):
            raise InputError(
                f"a window must end after its start and after day 0, but was {summary.start} to {summary.end} for "
                f"{summary.quantity!r}. Hint: give start before end."
            )
        if isinstance(summary, _Crossing) and isnan(summary.threshold):
            raise InputError(
                f"a threshold of {summary.quantity!r} must be a number, but was not. Hint: check its source."
            )
    return given


def mark_unseen(summaries: Sequence[AnySummary], values: np.ndarray, end_day: float) -> None:
    """Mark what was never looked at as not a number, in place; ``values`` are (patient, summary)."""
    for i, summary in enumerate(summaries):
        column = values[:, i]
        if isinstance(summary, Summary) and summary.start >= end_day:
            column[:] = nan
        elif isinstance(summary, (Maximum, Minimum)):
            column[column == (-inf if isinstance(summary, Maximum) else inf)] = nan
