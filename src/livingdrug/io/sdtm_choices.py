"""What a study's files do not tell by themselves, and what was made of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import polars as pl

from livingdrug.core.errors import Fault
from livingdrug.core.patient import Disease, Product
from livingdrug.core.sheet import suggest
from livingdrug.core.variables import OTHER, VARIABLES
from livingdrug.io.sdtm_days import PartialDates
from livingdrug.io.sdtm_files import MISSING

DayZero = Literal["infusion", "reference_start", "first_assessment"]
VisitDay = Literal["first", "last", "as_dated"]
Told = str | Mapping[str, str] | None
"""One word for every subject, or one for each."""


@dataclass(frozen=True, slots=True)
class SdtmConventions:
    """Conventions that SDTM leaves to the study.

    Parameters
    ----------
    day_zero : word
        ``infusion``: the first infusion in EX. ``reference_start``: RFSTDTC of DM, where EX is not at hand.
        ``first_assessment``: the first date in TR, TU or RS, for files of images alone.
    partial_dates : word
        A date without its day becomes the ``last_day`` of its month, the ``first_day``, or is not placed
        (``refuse``). Whatever was filled in is flagged in the column ``date_imputed``.
    visit_day : word
        Images of one visit that were made on several days: each ``as_dated``, for criteria have a window of
        their own; or all on the ``first`` or the ``last`` day of the visit, if they lie within 14 days.
    missing : tuple of str
        What stands for an empty cell.
    """

    day_zero: DayZero = "infusion"
    partial_dates: PartialDates = "last_day"
    visit_day: VisitDay = "as_dated"
    missing: tuple[str, ...] = MISSING


@dataclass(frozen=True, slots=True)
class Choices:
    """What the caller tells: see :func:`livingdrug.io.sdtm.read_sdtm`."""

    disease: Told = None
    product: Told = None
    infusion: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    conventions: SdtmConventions = field(default_factory=SdtmConventions)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of the rows: sentences, and a line for each test.

    Parameters
    ----------
    notes : list of str
    tests : list of tuple
        ``file, test, name, rows, variable, note``.
    faults : list of Fault
        Those of no single file.
    """

    notes: list[str] = field(default_factory=list)
    tests: list[tuple[str, str, str | None, int, str | None, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def note_rows(self, file: str, count: int, what: str) -> None:
        """Note what was done with a number of rows, if there are any."""
        if count:
            self.notes.append(f"{file}: {count} row{'s' if count > 1 else ''} {what}")

    def list_tests(self) -> pl.DataFrame:
        """Return one line a test: what it is called in its file, and what it became."""
        schema = dict.fromkeys(("file", "test", "name", "rows", "variable", "note"), pl.String) | {"rows": pl.Int64}
        return pl.DataFrame(self.tests, schema=schema, orient="row")


def check_choices(choices: Choices) -> list[Fault]:
    """List what is wrong with what the caller tells."""
    faults = _check_told("disease", choices.disease, Disease) + _check_told("product", choices.product, Product)
    for name, meant in choices.variables.items():
        base = meant.partition(":")[0]
        if base not in VARIABLES and not base.startswith(OTHER):
            hint = suggest(base, VARIABLES, f"a name that begins with {OTHER} is kept and not used")
            faults.append(Fault(f"variables[{name!r}]", "must be a known variable", repr(meant), hint))
    conventions = choices.conventions
    for name, kind in (("day_zero", DayZero), ("partial_dates", PartialDates), ("visit_day", VisitDay)):
        words, word = get_args(kind), getattr(conventions, name)
        if word not in words:
            hint = suggest(str(word), words, f"one of {', '.join(words)}")
            faults.append(Fault(f"conventions.{name}", "must be a known word", repr(word), hint))
    return faults


def _check_told(name: str, told: Told, words: Iterable[str]) -> list[Fault]:
    known = [str(word) for word in words]
    given = [told] if isinstance(told, str) else sorted(set(told.values())) if told else []
    return [
        Fault(name, "must be a known word", repr(word), suggest(word, known, f"one of {', '.join(known)}"))
        for word in given
        if word not in known
    ]


def tell(told: Told, subject: str) -> str | None:
    """Return what was told of a subject.

    Examples
    --------
    >>> tell("myeloma", "P1"), tell({"P1": "lbcl"}, "P1"), tell({"P1": "lbcl"}, "P2")
    ('myeloma', 'lbcl', None)
    """
    return told if isinstance(told, str) or told is None else told.get(subject)
