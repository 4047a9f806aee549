"""The error tree and the one error sentence.

.. code-block:: text

    LivingDrugError
    ├── InputError (also a ValueError)   what the caller or a document brought is not usable
    ├── KnowledgeError                   a packaged value, source or rule is missing or unsound
    └── SolverError                      a computation cannot be set up or did not finish

A message is one sentence: what must hold, what it was, and a hint on what to do.
A document's faults are collected first and raised once, as :class:`InputError` with ``faults``.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class LivingDrugError(Exception):
    """Any error that this package raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document, and where.

    Parameters
    ----------
    where : str
        File, row and column, or path inside a document: ``"observations.csv, row 7, column unit"``.
    rule : str
        What must hold.
    was : str
        What was found.
    hint : str
        What to do.

    Examples
    --------
    >>> str(Fault("events.csv, row 2, column day", "must be a number", "'soon'", "count days from infusion"))
    "events.csv, row 2, column day: must be a number, but was 'soon'. Hint: count days from infusion."
    >>> str(Fault("record", "must be known", "'ide'", "did you mean 'ide_cel'?"))
    "record: must be known, but was 'ide'. Hint: did you mean 'ide_cel'?"
    """

    where: str
    rule: str
    was: str
    hint: str

    def __str__(self) -> str:
        end = "" if self.hint.endswith("?") else "."
        return f"{self.where}: {self.rule}, but was {self.was}. Hint: {self.hint}{end}"


class InputError(LivingDrugError, ValueError):
    """What was given cannot be used; ``faults`` lists every fault of a document."""

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)

    @classmethod
    def from_faults(cls, document: str, faults: Sequence[Fault]) -> "InputError":
        """Build the one error that reports all faults of a document at once."""
        count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
        return cls("\n".join([f"{document} has {count}:", *(f"  {fault}" for fault in faults)]), faults)


class KnowledgeError(LivingDrugError):
    """A packaged value, source or rule is missing or unsound."""


class SolverError(LivingDrugError):
    """A computation cannot be set up or did not finish."""
