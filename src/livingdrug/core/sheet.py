"""A table of a record while it is still text: what columns it must have, and the faults found in it.

A check is an expression that is true where something is wrong; the sheet lists the first rows of it with
file, row (the line an editor shows) and column, and counts the others.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import polars as pl

from livingdrug.core.errors import Fault

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "subjects": ("subject_id", "disease", "product", "age_years", "sex", "weight_kg", "source"),
    "events": ("subject_id", "day", "type", "amount", "unit", "duration_days", "note"),
    "observations": ("subject_id", "day", "variable", "value", "unit", "assay", "lloq", "censored", "source"),
}
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "subjects": ("subject_id", "disease", "product"),
    "events": ("subject_id", "day", "type"),
    "observations": ("subject_id", "day", "variable", "value", "unit"),
}
LINE = "_line"
LISTED = 25
"""Rows with the same fault that are listed one by one."""
LONGEST_DAY = 36_500.0
"""A hundred years; beyond it lie the serial numbers that spreadsheets give to dates."""
MOST_NAMES = 500
"""Subjects among whom a similar name is looked for."""
_MAY_BE_EMPTY = frozenset({"assay", "note", "_amount", "reader"})
_NUMBER_HINTS = (
    (r"[<>≤≥]", "put the limit into lloq and 'left' (below) or 'right' (above) into censored"),
    (r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", "count days from infusion (day 0), not dates"),
    (r"[+-]?\d+,\d+$", "write a decimal point, not a comma, and nothing between thousands"),
    (r"[+-]?\d[\d,' ]*\d", "write it without anything between thousands"),
    (r"\d+(\.\d+)?\s*[A-Za-z%]", "write the number alone; its unit has a column"),
    (r"neg|pos|not detected|undetect", "write the number; below the limit: the limit in lloq, 'left' in censored"),
    (r"na$|n/a$|nan$|null$|none$|nd$|\.$|-+$|\?+$", "leave out what is not known"),
)

Row = Mapping[str, Any]
Words = str | Callable[[Row], str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as text, under examination.

    Parameters
    ----------
    name : str
        ``subjects``, ``events`` or ``observations``.
    rows : table
        Columns of text, and ``_line``; names that begin with ``_`` belong to the examination.
    is_complete : bool
        False where rows of the file could not be read.
    faults : list of (line, Fault)
        Grows as checks are made.
    conflicts : list of str
        Contradictions between rows that were kept, each as a sentence.
    origin : function of a line and a column, optional
        Tells where a cell came from, for tables that were put together from other files.

    Examples
    --------
    >>> sheet = Sheet("subjects", pl.DataFrame({LINE: [2, 3], "sex": ["female", "f"]}))
    >>> sheet.report(pl.col("sex") == "f", "sex", "must be a known word", "write 'female'")
    >>> print(*sheet.list_faults())
    subjects.csv, row 3, column sex: must be a known word, but was 'f'. Hint: write 'female'.
    """

    name: str
    rows: pl.DataFrame
    is_complete: bool = True
    faults: list[tuple[int, Fault]] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    origin: Callable[[int | None, str | None], str] | None = None
    _counts: Counter[str] = field(default_factory=Counter)

    def derive(self, **columns: pl.Expr | pl.Series) -> "Sheet":
        """Return the sheet with more columns; faults go on in the same list."""
        return replace(self, rows=self.rows.with_columns(**columns))

    def add(self, line: int | None, column: str | None, rule: str, was: str, hint: str) -> None:
        """Note one fault; beyond the first ones of a rule they are only counted."""
        self._counts[rule] += 1
        if self._counts[rule] <= LISTED:
            self.faults.append((line or 0, Fault(self.locate(line, column), rule, was, hint)))

    def locate(self, line: int | None, column: str | None) -> str:
        """Return the file, row and column of a cell, in the words of a fault."""
        if self.origin is not None:
            return self.origin(line, column)
        row = "" if line is None else f", row {line}"
        return f"{self.name}.csv{row}" + (f", column {column}" if column else "")

    def cite(self, line: int) -> str:
        """Return the row as another row's fault names it."""
        return f"row {line}" if self.origin is None else self.origin(line, None)

    def report(self, where: pl.Expr, column: str, rule: Words, hint: Words, was: Words | None = None) -> None:
        """Note a fault for each row of which ``where`` is true."""
        self.report_rows(self.rows.filter(where), column, rule, hint, was)

    def report_rows(self, bad: pl.DataFrame, column: str, rule: Words, hint: Words, was: Words | None = None) -> None:
        """Note a fault for each of these rows."""
        show = was or (lambda row: show_text(row[column]))
        bad = bad.sort(LINE)
        lines = bad.head(LISTED + 1).to_dicts()
        for row in lines[:LISTED]:
            where = self.locate(row[LINE], column)
            self.faults.append((row[LINE], Fault(where, _say(rule, row), _say(show, row), _say(hint, row))))
        if len(bad) > LISTED:
            row = lines[-1]
            where = self._locate_others(row[LINE], bad[LINE][-1], len(bad) - LISTED, column)
            fault = Fault(where, _say(rule, row), f"{_say(show, row)} and the like", _say(hint, row))
            self.faults.append((row[LINE], fault))

    def _locate_others(self, first: int, last: int, count: int, column: str) -> str:
        if self.origin is not None:
            return f"{self.origin(first, column)} ({count} more)"
        return f"{self.name}.csv, rows {first} to {last} ({count} more), column {column}"

    def list_faults(self) -> list[Fault]:
        """Return the faults from the top of the file to its end."""
        more = [
            Fault(f"{self.name}.csv", rule, f"broken in {count - LISTED} more rows", "mend them in the same way")
            for rule, count in self._counts.items()
            if count > LISTED
        ]
        return [fault for _, fault in sorted(self.faults, key=lambda pair: pair[0])] + more


def _say(words: Words, row: Row) -> str:
    return words if isinstance(words, str) else words(row)


def show_text(text: str | None) -> str:
    """Show what a cell holds, safely and shortly."""
    if text is None:
        return "empty"
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}..."


def suggest(word: str, words: Iterable[str], otherwise: str) -> str:
    """Say which word was probably meant.

    Examples
    --------
    >>> suggest("Mieloma", ["myeloma", "lbcl"], ""), suggest("?", ["myeloma"], "write one of them")
    ("did you mean 'myeloma'?", 'write one of them')
    """
    near = get_close_matches(word[:60].lower().replace("-", "_").replace(" ", "_"), list(words), 1)
    return f"did you mean {str(near[0])!r}?" if near else otherwise


def read_numbers(sheet: Sheet, column: str, needed: pl.Expr | None = None) -> Sheet:
    """Derive ``_column``, the numbers of a column of text; what is no finite number is a fault and null."""
    text = pl.col(column) if needed is None else pl.when(needed).then(column)
    number = text.cast(pl.Float64, strict=False)
    sheet = sheet.derive(**{f"_{column}": pl.when(number.is_finite()).then(number)})
    wrong = text.is_not_null() & pl.col(f"_{column}").is_null()
    sheet.report(wrong, column, "must be a finite number", lambda row: _hint_at_number(row[column]))
    return sheet


def _hint_at_number(text: str) -> str:
    found = pl.Series([text[:60].lower()])
    for pattern, hint in _NUMBER_HINTS:
        if found.str.contains(f"^(?:{pattern})")[0]:
            return hint
    return "correct it; what is not known is left out"


def check_present(sheet: Sheet, *columns: str) -> None:
    """Find empty cells."""
    for column in columns:
        sheet.report(pl.col(column).is_null(), column, "must be filled", "fill it, or remove the row")


def check_words(sheet: Sheet, column: str, words: Iterable[str]) -> None:
    """Find words that are not of a vocabulary."""
    known = tuple(words)
    wrong = pl.col(column).is_not_null() & ~pl.col(column).is_in(known)
    otherwise = f"one of {', '.join(known)}"
    sheet.report(wrong, column, "must be a known word", lambda row: suggest(row[column], known, otherwise))


def check_range(sheet: Sheet, column: str, lower: float, upper: float = float("inf"), hint: str = "") -> None:
    """Find numbers outside a range."""
    number = pl.col(f"_{column}")
    limit = "" if upper == float("inf") else f" and at most {upper:g}"
    rule = f"must be at least {lower:g}{limit}"
    sheet.report((number < lower) | (number > upper), column, rule, hint or "check the number and its unit")


def check_days(sheet: Sheet) -> None:
    """Find days that are no days from infusion, such as the serial number of a date."""
    check_range(sheet, "day", -LONGEST_DAY, LONGEST_DAY, "count days from infusion (day 0), not dates")


def check_subjects(sheet: Sheet, known: pl.Series | None) -> None:
    """Find rows of subjects that subjects.csv does not list; it may not be known which it lists."""
    check_present(sheet, "subject_id")
    if known is None:
        return
    otherwise = "add the subject to subjects.csv or correct the name"
    names = {name.lower(): name for name in known} if len(known) <= MOST_NAMES else {}

    def hint(row: Row) -> str:
        near = get_close_matches(row["subject_id"][:60].lower(), names, 1)
        return f"did you mean {names[near[0]]!r}? Otherwise {otherwise}" if near else otherwise

    stranger = pl.col("subject_id").is_not_null() & ~pl.col("subject_id").is_in(known.implode())
    sheet.report(stranger, "subject_id", "must be a subject of subjects.csv", hint)


def check_duplicates(
    sheet: Sheet, column: str, keys: tuple[str, ...], same: tuple[str, ...] = (), *, keep_conflicts: bool = False
) -> None:
    """Find rows that repeat the keys of an earlier one, and say whether they also repeat what it says.

    Parameters
    ----------
    sheet : Sheet
    column : str
        Where the fault is shown.
    keys : tuple of str
        What must stand once.
    same : tuple of str
        Columns that contradict each other where they differ.
    keep_conflicts : bool
        Note a contradiction with the sheet instead of a fault, and so an exact repetition, which counts once.
    """
    rule = f"{', '.join(key.removeprefix('_') for key in keys)} must stand once"
    rows = sheet.rows.drop_nulls([key for key in keys if key not in _MAY_BE_EMPTY])
    rows = rows.filter(pl.len().over(keys) > 1)
    if rows.is_empty():
        return
    differs = pl.any_horizontal(pl.lit(value=False), *(pl.col(c).n_unique().over(keys) > 1 for c in same))
    rows = rows.with_columns(differs.alias("_differs"))
    if keep_conflicts:
        sheet.conflicts.extend(_describe_conflicts(sheet, rows.filter("_differs"), keys))
        sheet.conflicts.extend(_describe_repetitions(sheet, rows, (*keys, *same)))
        return
    first = pl.col(LINE).min().over(keys).alias("_first")
    again = rows.with_columns(first).filter(pl.col(LINE) != pl.col("_first"))
    sheet.report_rows(
        again,
        column,
        rule,
        "remove one, or tell them apart: half days are 0.5",
        lambda row: f"{'in conflict with' if row['_differs'] else 'a repetition of'} {sheet.cite(row['_first'])}",
    )


def _describe_conflicts(sheet: Sheet, rows: pl.DataFrame, keys: tuple[str, ...]) -> list[str]:
    """Say which rows contradict each other, one sentence for each place where they do."""
    groups = rows.group_by(keys, maintain_order=True).agg(LINE, "value", "unit")
    return [_describe_conflict(sheet, row) for row in groups.iter_rows(named=True)]


def _describe_repetitions(sheet: Sheet, rows: pl.DataFrame, keys: tuple[str, ...]) -> list[str]:
    """Say which rows repeat an earlier one, one sentence for each."""
    first = rows.with_columns(pl.col(LINE).min().over(keys).alias("_first"))
    again = first.filter(pl.col(LINE) != pl.col("_first"))
    lines = again.select(LINE, "_first").iter_rows()
    return [f"{sheet.locate(line, None)} repeats {sheet.cite(earlier)}; it counts once" for line, earlier in lines]


def _describe_conflict(sheet: Sheet, row: Row) -> str:
    pairs = zip(row["value"], row["unit"], strict=True)
    values = " and ".join(" ".join(part for part in pair if part is not None) or "nothing" for pair in pairs)
    lines = [sheet.locate(row[LINE][0], None), *(sheet.cite(line) for line in row[LINE][1:])]
    reader = f" by {row['reader']}" if row.get("reader") else ""
    place = f"{row['variable']} of {row['subject_id']} on day {row['_day']:g}{reader}"
    return f"{' and '.join(lines)}: {place} is {values}; both are kept"
