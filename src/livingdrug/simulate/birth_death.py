"""Cells that divide and die one by one: exact simulation of many clones at once.

The method of Gillespie: the waiting time to the next event is exponential, and a waiting time that would pass a change
of rates is cut there and drawn again, which is exact because it has no memory. It is what the survival probabilities of
the models are held against; it is far too slow for patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class CloneFates:
    """What became of each clone.

    Parameters
    ----------
    is_extinct : (clone,) bool
    passage_day : (clone,) [day]
        When a clone first had as many cells as were asked for; infinite where it did not.
    """

    is_extinct: np.ndarray
    passage_day: np.ndarray


def simulate_clones(
    cells: int,
    birth: float,
    deaths: Sequence[tuple[float, float]],
    *,
    passage: int,
    count: int,
    generator: np.random.Generator,
) -> CloneFates:
    """Simulate clones cell by cell until each has died out or has grown to a size.

    Parameters
    ----------
    cells : int
        At day 0.
    birth : float
        Divisions per cell [1/day].
    deaths : of day and rate
        Deaths per cell [1/day] from each day on; the first day is 0.
    passage : int
        Size at which a clone is followed no further.
    count : int
        Clones.
    generator : numpy.random.Generator

    Examples
    --------
    >>> found = simulate_clones(1, 0.1, [(0.0, 0.05)], passage=200, count=4000, generator=np.random.default_rng(1))
    >>> bool(0.46 < found.is_extinct.mean() < 0.54)  # death over birth
    True
    """
    changes = np.array([day for day, _ in deaths] + [np.inf])
    rates = np.array([rate for _, rate in deaths])
    size, day = np.full(count, cells), np.zeros(count)
    phase = np.zeros(count, dtype=int)
    place, passage_day = np.arange(count), np.full(count, np.inf)
    is_extinct = np.zeros(count, dtype=bool)
    while place.size:
        death = rates[phase]
        waited = day + generator.exponential(size=place.size) / (size * (birth + death))
        end = changes[phase + 1]
        is_cut = waited >= end
        is_birth = generator.random(place.size) * (birth + death) < birth
        size = size + np.where(is_cut, 0, np.where(is_birth, 1, -1))
        day, phase = np.where(is_cut, end, waited), phase + is_cut
        is_gone, is_grown = size == 0, (size >= passage) & (phase == len(rates) - 1)
        is_extinct[place[is_gone]] = True
        passage_day[place[is_grown]] = day[is_grown]
        going = ~(is_gone | is_grown)
        size, day, phase, place = size[going], day[going], phase[going], place[going]
    return CloneFates(is_extinct, passage_day)
