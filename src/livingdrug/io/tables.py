"""A record as a folder with three CSV files."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.tables import COLUMNS, LINE, OBSERVATION_COLUMNS, REQUIRED, Record, decode_record

TABLES = ("subjects", "events", "observations")
LONGEST_LINE = 65_536
"""Bytes; a longer line is not a row of a table."""
MOST_FAULTS = 200
"""Faults of the form of a file (its lines, not their content) that are listed before giving up on it."""


def read_record(folder: Path | str) -> Record:
    """Read ``subjects.csv``, ``events.csv`` and ``observations.csv`` of a folder.

    Raises
    ------
    InputError
        With every fault of the three files: file, row, column, rule, what was found, what to do.
    """
    place = Path(folder)
    if not place.is_dir():
        was = "a file" if place.is_file() else "missing"
        raise InputError(
            f"`{place}` must be a folder with subjects.csv, events.csv and observations.csv, but was {was}. "
            "Hint: give the folder that holds the three files."
        )
    faults: list[Fault] = []
    texts = {name: _read_text(place / f"{name}.csv", name, faults) for name in TABLES}
    complete = {name: text for name, text in texts.items() if text is not None}
    if len(complete) == len(TABLES):
        record, content = decode_record(complete, str(place))
        faults += content
        if not faults:
            return record
    raise InputError.from_faults(f"record {place}", faults)


def write_record(record: Record, folder: Path | str) -> None:
    """Write a record as three CSV files; reading them again gives the same record."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    rest = [c for c in record.observations.columns if c not in {*OBSERVATION_COLUMNS, "text"}]
    value = pl.coalesce(pl.col("value").cast(pl.String), pl.col("text")).alias("value")
    observations = record.observations.with_columns(value).select(*OBSERVATION_COLUMNS, *rest)
    for name, table in (("subjects", record.subjects), ("events", record.events), ("observations", observations)):
        table.write_csv(place / f"{name}.csv")


def _read_text(path: Path, name: str, faults: list[Fault]) -> pl.DataFrame | None:
    """Read a file as a table of text with its line numbers; None if its form has faults."""
    if not path.is_file():
        hint = f"add it with the columns {','.join(COLUMNS[name])}; without rows it is a header alone"
        faults.append(Fault(path.name, "must be a file", "missing", hint))
        return None
    before = len(faults)
    content = bytearray()
    expected = 0
    for number, line in _read_lines(path, faults):
        fields = _split(line, path.name, number, faults)
        if number == 1:
            _check_header(fields, path.name, name, faults)
            expected = len(fields)
        elif line.strip() and len(fields) != expected:
            hint = "count the commas; a decimal comma or a comma in a note must be written as a point or in quotes"
            rule = f"must have {expected} fields as the header has"
            faults.append(Fault(f"{path.name}, row {number}", rule, f"{len(fields)} fields", hint))
        if len(faults) - before >= MOST_FAULTS:
            break
        content += line.encode()
    if len(faults) > before:
        return None
    return _parse(bytes(content), faults, path.name)


def _parse(content: bytes, faults: list[Fault], file: str) -> pl.DataFrame | None:
    if not content.strip():
        faults.append(Fault(file, "must have a header", "an empty file", "write the header line and the rows"))
        return None
    header = next(csv.reader([content.split(b"\n", 1)[0].decode()]))
    names = [column.strip() for column in header]
    table = pl.read_csv(
        io.BytesIO(content), has_header=False, skip_lines=1, new_columns=names, infer_schema=False, raise_if_empty=False
    )
    if table.width == 0:
        table = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    table = table.with_row_index(LINE, offset=2).with_columns(pl.col(LINE).cast(pl.Int64))
    is_blank = pl.all_horizontal(pl.col(n).fill_null("").str.strip_chars() == "" for n in names)
    return table.filter(~is_blank)


def _read_lines(path: Path, faults: list[Fault]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file with bounded memory; what is not UTF-8 text is a fault and ends it."""
    with path.open("rb") as stream:
        number = 0
        while raw := stream.readline(LONGEST_LINE + 1):
            number += 1
            fault = _find_fault(raw, f"{path.name}, row {number}", is_first=number == 1)
            if fault is not None:
                faults.append(fault)
                return
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n") + "\n"


def _find_fault(raw: bytes, where: str, *, is_first: bool) -> Fault | None:
    if is_first and raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return Fault(where, "must be UTF-8 text", "UTF-16 text", "save the file as CSV UTF-8")
    if b"\x00" in raw:
        return Fault(where, "must be text", "binary data", "export the table as CSV, not as a spreadsheet or archive")
    if len(raw) > LONGEST_LINE:
        was = f"longer than {LONGEST_LINE} bytes"
        return Fault(
            where, f"must be a line of at most {LONGEST_LINE} bytes", was, "check that lines end where rows end"
        )
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        was = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
        return Fault(where, "must be UTF-8 text", was, "save the file as CSV UTF-8")
    return None


def _split(line: str, file: str, number: int, faults: list[Fault]) -> list[str]:
    """Return the fields of a line; quotes must close on the line on which they open."""
    if '"' not in line:
        return line.rstrip("\n").split(",")
    try:
        rows = list(csv.reader([line], strict=True))
    except csv.Error:
        faults.append(Fault(f"{file}, row {number}", "must close its quotes", repr(line[:60]), "close or remove them"))
        return []
    return rows[0] if rows else [""]


def _check_header(fields: list[str], file: str, name: str, faults: list[Fault]) -> None:
    names = [field.strip() for field in fields]
    where = f"{file}, row 1"
    if len(names) == 1 and names[0]:
        for delimiter, words in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if delimiter in names[0]:
                faults.append(
                    Fault(where, "must be separated by commas", words, "save the file as comma-separated CSV")
                )
                return
    if names == [""]:
        hint = f"write {','.join(COLUMNS[name])}"
        faults.append(Fault(where, "must be a header", "empty", hint))
        return
    for column in sorted({n for n in names if names.count(n) > 1}):
        faults.append(Fault(f"{where}, column {column}", "must stand once", "repeated", "rename or remove one"))
    for column in REQUIRED[name]:
        if column not in names:
            near = next((n for n in names if n.lower().replace(" ", "_") == column), None)
            hint = f"rename {near!r} to {column!r}" if near else f"add it; the columns are {','.join(COLUMNS[name])}"
            faults.append(Fault(f"{where}, column {column}", "must be there", "missing", hint))
