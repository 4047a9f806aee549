"""Values to the cells of a table that a person reads.

Examples
--------
>>> table = tabulate_rows([{"day": 28.0, "result": None}], caption="Visits")
>>> [column.label for column in table.columns], table.rows
(['Day', 'Result'], [['28', '–']])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from livingdrug.report.wording import describe_variable, format_cell, spell


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and whether its cells are numbers (which stand to the right)."""

    label: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, headings and cells as text."""

    caption: str
    columns: list[Column]
    rows: list[list[str]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _write_cell(column: str, value: Any) -> str:
    if column == "variable" and isinstance(value, str):
        return describe_variable(value).label
    if column == "day" and _is_number(value):
        return f"{value:g}"
    return format_cell(value)


def tabulate_rows(rows: Sequence[Mapping[str, Any]], *, caption: str, columns: Sequence[str] | None = None) -> Table:
    """Make a table of mappings; columns are those of the first rows that have them, in order."""
    names = list(columns) if columns is not None else list(dict.fromkeys(name for row in rows for name in row))
    headings = []
    for name in names:
        present = [row[name] for row in rows if row.get(name) is not None]
        headings.append(Column(spell(name), bool(present) and all(_is_number(value) for value in present)))
    return Table(caption, headings, [[_write_cell(name, row.get(name)) for name in names] for row in rows])


def tabulate_frame(frame: pl.DataFrame, *, caption: str) -> Table:
    """Make a table of a data frame, column by column."""
    return tabulate_rows(frame.to_dicts(), caption=caption, columns=frame.columns)
