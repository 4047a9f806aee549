"""A comma-separated file as a table of text with line numbers, read with bounded memory per line.

What cannot be read as rows of the header's columns is a fault with its line; the other rows are kept, so
that everything else wrong with the file is found in the same go.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import polars as pl

from livingdrug.core.errors import Fault
from livingdrug.core.sheet import COLUMNS, LINE, REQUIRED, Sheet, show_text, suggest

LONGEST_LINE = 65_536
"""Bytes; a longer line is not a row of a table."""
MOST_LINES = 200
"""Lines that one row may span, where a note in quotes holds line breaks."""
CHUNK = 50_000
"""Rows that are held as Python text at a time."""
_SEPARATORS = ((";", "semicolons"), ("\t", "tabs"), ("|", "bars"))
_MAGIC = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)
_AS_TEXT = "save the file as CSV UTF-8"
Header = tuple[int, list[str]]
"""The line on which the header stands, and its fields."""


def read_sheet(path: Path, name: str) -> Sheet:
    """Read a file of a record as text.

    Parameters
    ----------
    path : Path
    name : str
        ``subjects``, ``events`` or ``observations``.

    Returns
    -------
    sheet : Sheet
        Not complete if a row, or the file, could not be read; without rows if the header is wrong.
    """
    empty = pl.DataFrame(schema={LINE: pl.Int64, **dict.fromkeys(COLUMNS[name], pl.String)})
    sheet = Sheet(name, empty, is_complete=False)
    if not path.is_file():
        sheet.faults.append((0, _describe_absence(path, name)))
        return sheet
    return read_rows(path, sheet, lambda header: _read_header(header, sheet))


def read_rows(path: Path, sheet: Sheet, choose_names: Callable[[Header | None], list[str] | None]) -> Sheet:
    """Read a file as text; ``choose_names`` returns the names of the columns, or None if they cannot be used.

    Returns
    -------
    sheet : Sheet
        As given if the header is wrong; not complete if a row could not be read.
    """
    try:
        with path.open("rb") as stream:
            rows = _read_rows(_read_lines(stream, sheet), sheet)
            names = choose_names(next(rows, None))
            if names is None:
                return sheet
            table = _collect(rows, names, sheet)
    except OSError as error:
        sheet.add(None, None, "must be readable", error.strerror or "not", "check the file and who may read it")
        return sheet
    return replace(sheet, rows=table, is_complete=not sheet.faults)


def _describe_absence(path: Path, name: str) -> Fault:
    if path.exists():
        return Fault(path.name, "must be a file", "something else", "put the CSV file of that name there")
    others = sorted(entry.name for entry in path.parent.iterdir() if entry.name not in {f"{n}.csv" for n in COLUMNS})
    otherwise = f"add it with the columns {','.join(COLUMNS[name])}; without rows it is a header alone"
    return Fault(path.name, "must be a file", "missing", suggest(path.name, others[:1000], otherwise))


def _read_lines(stream: BinaryIO, sheet: Sheet) -> Iterator[tuple[int, str]]:
    """Yield the lines of UTF-8 text; a line that is none is a fault, binary data and an endless line end it."""
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        found = next((what for magic, what in _MAGIC if number == 1 and raw.startswith(magic)), None)
        if found or b"\0" in raw:
            sheet.add(number, None, "must be UTF-8 text", found or "binary data", _AS_TEXT)
            return
        if len(raw) > LONGEST_LINE:
            rule, hint = f"must be a line of at most {LONGEST_LINE} bytes", "check that lines end where rows end"
            sheet.add(number, None, rule, "longer; it and what follows were not read", hint)
            return
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            was = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
            sheet.add(number, None, "must be UTF-8 text", was, _AS_TEXT)


def _read_rows(lines: Iterator[tuple[int, str]], sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row with the line on which it begins.

    A row goes on over lines while a quote is open. One that never closes is a fault, and reading goes on
    with the line after it.
    """
    waiting: deque[tuple[int, str]] = deque()
    while True:
        first = waiting.popleft() if waiting else next(lines, None)
        if first is None:
            return
        number, text = first
        if '"' not in text:
            fields = text.rstrip("\r\n").split(",")
            if "\r" in text.rstrip("\r\n"):
                sheet.add(number, None, "must end lines with LF or CR LF", "a CR within the line", _AS_TEXT)
            elif any(fields):
                yield number, fields
            continue
        ahead: list[tuple[int, str]] = []
        while text.count('"') % 2 and len(ahead) < MOST_LINES and len(text) < LONGEST_LINE:
            following = waiting.popleft() if waiting else next(lines, None)
            if following is None:
                break
            ahead.append(following)
            text += following[1]
        parsed = _parse_quoted(text)
        if parsed is None:
            waiting.extendleft(reversed(ahead))
            sheet.add(number, None, "must close its quotes", show_text(first[1].rstrip()), "double or remove them")
        elif any(parsed):
            yield number, parsed


def _parse_quoted(text: str) -> list[str] | None:
    """Return the fields of a row with quotes; None if they do not match."""
    try:
        rows = list(csv.reader([text], strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _read_header(header: Header | None, sheet: Sheet) -> list[str] | None:
    """Return the names of the columns, or None if the file cannot be understood with them."""
    known, required = COLUMNS[sheet.name], REQUIRED[sheet.name]
    before = len(sheet.faults)
    if header is None:
        if not sheet.faults:
            sheet.add(1, None, "must have a header", "an empty file", f"write {','.join(known)}")
        return None
    line, names = header[0], [field.strip() for field in header[1]]
    if not set(required) & set(names):
        for separator, words in _SEPARATORS:
            if len(set(required) & {part.strip(' "') for part in ",".join(names).split(separator)}) > 1:
                sheet.add(line, None, "must be separated by commas", words, "save the file as comma-separated CSV")
                return None
        was = show_text(",".join(names))
        sheet.add(line, None, "must be a header with the names of the columns", was, f"write {','.join(known)}")
        return None
    for name in sorted({name for name in names if names.count(name) > 1}):
        sheet.add(line, name, "must stand once", "repeated", "rename or remove one")
    for name in names:
        _check_name(name, line, names, sheet)
    meant = {_find_meant(name, names, known) for name in names}
    for name in required:
        if name not in names and name not in meant:
            sheet.add(line, name, "must be there", "missing", f"add it; the columns are {','.join(known)}")
    return names if len(sheet.faults) == before else None


def _check_name(name: str, line: int, names: Sequence[str], sheet: Sheet) -> None:
    meant = _find_meant(name, names, COLUMNS[sheet.name])
    if name == "":
        sheet.add(line, None, "must name every column", "empty", "name it, or delete the column")
    elif name.startswith("_") or (name == "text" and sheet.name == "observations"):
        sheet.add(line, name, "must not be a name that is used inside", show_text(name), "rename the column")
    elif meant is not None:
        sheet.add(line, meant, "must be spelled so", show_text(name), f"rename {show_text(name)} to {meant!r}")


def _find_meant(name: str, names: Sequence[str], known: Sequence[str]) -> str | None:
    """Return the column that a misspelled name stands for, if that column is not there itself."""
    plain = "_".join(name.lower().split()).replace("-", "_")
    missing = [column for column in known if column not in names]
    alike = {
        column: plain in {column, f"{column}s", column.replace("_", ""), column.split("_")[0]} for column in missing
    }
    return None if name in known else next((column for column in missing if alike[column]), None)


def _collect(rows: Iterator[tuple[int, list[str]]], names: Sequence[str], sheet: Sheet) -> pl.DataFrame:
    """Collect the rows that have as many fields as the header."""
    schema = {LINE: pl.Int64, **dict.fromkeys(names, pl.String)}
    chunks = [pl.DataFrame(schema=schema)]
    good: list[list[str | int]] = []
    hint = "count the commas; a decimal comma must be a point, a comma in a note must be in quotes"
    for line, fields in rows:
        if len(fields) != len(names):
            rule = f"must have {len(names)} fields as the header has"
            sheet.add(line, None, rule, f"{len(fields)} fields", hint)
            continue
        good.append([line, *fields])
        if len(good) == CHUNK:
            chunks.append(_to_frame(good, schema))
            good = []
    chunks.append(_to_frame(good, schema))
    return pl.concat(chunks)


def _to_frame(rows: list[list[str | int]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
