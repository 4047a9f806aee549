"""A record as a folder with three CSV files."""

from pathlib import Path

from livingdrug.core.errors import InputError
from livingdrug.core.tables import TABLES, Record, decode_record, encode_record
from livingdrug.io.delimited import read_sheet


def read_record(folder: Path | str, *, keep_conflicts: bool = False) -> Record:
    """Read ``subjects.csv``, ``events.csv`` and ``observations.csv`` of a folder.

    Parameters
    ----------
    folder : Path or str
    keep_conflicts : bool
        Keep rows that say different things of one variable on one day; ``conflicts`` of the record then names
        them. A row that repeats another exactly is refused in any case.

    Raises
    ------
    InputError
        With every fault of the three files: file, row, column, rule, what was found, what to do.
    """
    place = Path(folder)
    if not place.is_dir():
        was = "a file" if place.exists() else "missing"
        raise InputError(
            f"`{place}` must be a folder with {', '.join(f'{name}.csv' for name in TABLES)}, but was {was}. "
            "Hint: give the folder that holds the three files."
        )
    sheets = {name: read_sheet(place / f"{name}.csv", name) for name in TABLES}
    record, faults = decode_record(sheets, str(place), keep_conflicts=keep_conflicts)
    if faults:
        raise InputError.from_faults(f"the record in {str(place)!r}", faults)
    return record


def write_record(record: Record, folder: Path | str) -> None:
    """Write a record as three CSV files; reading them again gives the same record.

    Space around a text is not kept, nor is the difference between an empty text and none.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, table in encode_record(record).items():
        table.write_csv(place / f"{name}.csv")
