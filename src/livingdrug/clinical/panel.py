"""Many subjects' results as arrays: one row a visit, one column a subject.

The rows of a long table become, for each variable, an array of values (or of words) and one of the rows they
stand in. What was not measured is NaN, and its row is -1. Visits of a subject stand at the top, by day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livingdrug.clinical.visits import WORST_FIRST

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Bools = NDArray[np.bool_]

RESPONSES = ("pd", "sd", "mr", "pr", "vgpr", "cr", "scr", "ne", "nd")
WORDS = (*WORST_FIRST, *RESPONSES, "")
"""Words by their code, the worse one first; the last stands for what could not be read."""
UNREAD = len(WORDS) - 1
NOTHING = -1


def find_word_code(text: str | None) -> int:
    """Return the code of a word.

    Examples
    --------
    >>> WORDS[find_word_code("negative")], WORDS[find_word_code("perhaps")]
    ('negative', '')
    """
    return WORDS.index(text) if text in WORDS else UNREAD


@dataclass(frozen=True, slots=True)
class Column:
    """One variable of all subjects at all visits, or (``subject``,) at baseline.

    Parameters
    ----------
    value : (visit, subject)
        In the canonical unit; NaN where it is not known.
    code : (visit, subject)
        Place of the word in ``WORDS``; -1 where there is none.
    rows : tuple of (visit, subject)
        Rows that the value stands in; -1 where nothing was measured.
    limit : (visit, subject)
        Limit of quantification of what was not detected, NaN elsewhere.
    assay : (visit, subject)
        Place in the panel's ``assays``; -1 where it is not told.
    day : (visit, subject)
        Day of the sample: where visits were joined it may be later than the visit's.
    """

    value: Floats
    code: Codes
    rows: tuple[Ints, ...]
    limit: Floats
    assay: Ints
    day: Floats

    @property
    def is_measured(self) -> Bools:
        """Where there is a row, whether it could be read or not."""
        measured = self.rows[0] >= 0
        for rows in self.rows[1:]:
            measured = measured | (rows >= 0)
        return measured

    @property
    def is_known(self) -> Bools:
        """Where there is a value, or a word."""
        is_word: Bools = (self.code >= 0) & (self.code != UNREAD)
        return ~np.isnan(self.value) | is_word

    def pick(self, place: Ints, where: Bools) -> "Column":
        """Return the results of one visit a subject, or of one earlier visit for each visit."""
        index = place[None, :] if place.ndim == 1 else place

        def take(array: NDArray[Any], nothing: float) -> NDArray[Any]:
            whole = np.broadcast_to(array, self.day.shape)
            found = np.take_along_axis(whole, index, axis=0)
            return np.where(where, found[0] if place.ndim == 1 else found, nothing).astype(array.dtype)

        return Column(
            take(self.value, np.nan),
            take(self.code, NOTHING),
            tuple(take(rows, NOTHING) for rows in self.rows),
            take(self.limit, np.nan),
            take(self.assay, NOTHING),
            take(self.day, np.nan),
        )


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two results of one thing on one day that say different things."""

    subject: int
    day: float
    variable: str
    rows: tuple[int, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Visits of many subjects.

    Parameters
    ----------
    subjects : tuple of str
    day : (visit, subject) [day]
        NaN below a subject's last visit.
    columns : mapping of variable to Column
        A variable that nobody has is missing here; :meth:`get` makes an empty one.
    assays : tuple of str
        In small letters.
    conflicts : tuple of Conflict
    """

    subjects: tuple[str, ...]
    day: Floats
    columns: Mapping[str, Column]
    assays: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = field(default=())

    @property
    def is_visit(self) -> Bools:
        """Where there is a visit at all."""
        return ~np.isnan(self.day)

    def get(self, name: str) -> Column:
        """Return a variable; one that nobody has is unknown everywhere and takes no memory.

        Examples
        --------
        >>> Panel(("a",), np.array([[28.0]]), {}).get("m_protein").is_measured.tolist()
        [[False]]
        """
        found = self.columns.get(name)
        return create_empty(self.day) if found is None else found

    @property
    def chains(self) -> tuple[Column, Column]:
        """The light chains kappa and lambda."""
        return self.get("flc_kappa"), self.get("flc_lambda")

    def list_details(self, name: str) -> tuple[str, ...]:
        """Return the columns of a variable that names what it is of: one lesion each."""
        return tuple(key for key in self.columns if key.partition(":")[0] == name)

    def with_columns(self, columns: Mapping[str, Column]) -> "Panel":
        """Return the panel with other columns of some names."""
        return replace(self, columns={**self.columns, **columns})

    def shift_days(self, days: float) -> "Panel":
        """Return the panel with its days counted from a later day."""
        moved = {name: replace(column, day=column.day - days) for name, column in self.columns.items()}
        return replace(self, day=self.day - days, columns=moved)


def create_empty(day: Floats) -> Column:
    """Return a column in which nothing was measured."""
    nothing, shape = np.broadcast_to(np.nan, day.shape), day.shape
    rows = np.broadcast_to(np.int64(NOTHING), shape)
    return Column(nothing, np.broadcast_to(np.int8(NOTHING), shape), (rows,), nothing, rows, day)


def list_measured(panel: Panel, names: Iterable[str]) -> Bools:
    """Return at which visits anything of some variables was measured.

    Examples
    --------
    >>> list_measured(Panel(("a",), np.array([[28.0]]), {}), ["m_protein"]).tolist()
    [[False]]
    """
    total = np.zeros(panel.day.shape, dtype=bool)
    for name in names:
        for key in panel.list_details(name):
            total |= panel.columns[key].is_measured
    return total
