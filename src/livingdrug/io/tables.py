"""A record as a folder with three CSV files."""

from pathlib import Path

from livingdrug.core.errors import InputError
from livingdrug.core.tables import TABLES, Record, decode_record, encode_record
from livingdrug.io.delimited import read_sheet


def read_record(folder: Path | str) -> Record:
    """Read ``subjects.csv``, ``events.csv`` and ``observations.csv`` of a folder.

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
    record, faults = decode_record({name: read_sheet(place / f"{name}.csv", name) for name in TABLES}, str(place))
    if faults:
        raise InputError.from_faults(f"record {place}", faults)
    return record


def write_record(record: Record, folder: Path | str) -> None:
    """Write a record as three CSV files; reading them again gives the same record.

    Space around a text is not kept, nor is the difference between an empty text and none.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, table in encode_record(record).items():
        table.write_csv(place / f"{name}.csv")
