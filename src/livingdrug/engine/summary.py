"""What a kernel can keep of a trajectory without storing it.

Each summary looks at one state or output within a window of days. It is computed inside the kernel
on the continuous output of every step (five nodes a step, and the extreme or the crossing refined
between them), so it does not depend on the times that are reported.
"""

from dataclasses import dataclass
from math import inf


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
