"""Files from a stranger to a folder with three CSV files: names, sizes and archives checked before anything is read.

Only three names are known and only their last part is ever used as a path, so that no name can lead out of
the folder. An archive is unpacked by counting bytes, whatever its directory promises.
"""

import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.tables import TABLES

FILES = tuple(f"{name}.csv" for name in TABLES)
MOST_ENTRIES = 16
UNREADABLE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OverflowError, zlib.error)
"""What a spoilt archive makes the reader raise."""
CHUNK = 2**16
SHOWN = 60
"""Characters of a stranger's file name in a message."""


class Upload(NamedTuple):
    """One file: the name that the sender gave it, and its bytes."""

    name: str
    stream: BinaryIO


def show_name(name: str) -> str:
    r"""Return a file name fit for a message: control characters left out, cut where it is long.

    >>> show_name("a\x00b.csv")
    "'ab.csv'"
    """
    plain = "".join(character for character in name if character.isprintable())
    return repr(plain[:SHOWN] + ("..." if len(plain) > SHOWN else ""))


def check_name(name: str, *, with_folder: bool = False, names: Sequence[str] = FILES) -> str:
    """Return which of the files that are asked for a name means.

    Parameters
    ----------
    with_folder : bool
        Whether one folder may stand before the name, as in an archive.

    Raises
    ------
    InputError
        If the name leads elsewhere, or is none of them.

    Examples
    --------
    >>> check_name("events.csv"), check_name("record/events.csv", with_folder=True)
    ('events.csv', 'events.csv')
    """
    most = 2 if with_folder else 1
    parts = name.split("/")
    leads_away = "\\" in name or ".." in parts or "" in parts[:-1] or re.match(r"[A-Za-z]:", name)
    if leads_away or len(parts) > most:
        raise InputError(f"a file name must not lead out of its folder, but was {show_name(name)}. Hint: rename it.")
    if parts[-1] not in names:
        raise InputError(
            f"a file must be one of {', '.join(names)}, or one .zip with them, but was {show_name(name)}. "
            "Hint: rename it."
        )
    return parts[-1]


def save_upload(uploads: Sequence[Upload], folder: Path, *, most_unpacked: int, names: Sequence[str] = FILES) -> None:
    """Write the files that are asked for into a folder of ours.

    Raises
    ------
    InputError
        With what is wrong with names, sizes or the archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if len(uploads) == 1 and uploads[0].name.lower().endswith(".zip"):
        _unpack(uploads[0], folder, most_unpacked, names)
    else:
        for upload in uploads:
            place = folder / check_name(upload.name, names=names)
            if place.exists():
                raise InputError(f"each file must come once, but {place.name} came twice. Hint: send it once.")
            _copy(upload.stream, place, most_unpacked)
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        faults = [Fault(name, "must be there", "missing", "send every file, or one .zip") for name in missing]
        raise InputError.from_faults("the upload", faults)


def _unpack(upload: Upload, folder: Path, most: int, names: Sequence[str]) -> None:
    try:
        with zipfile.ZipFile(upload.stream) as archive:
            _unpack_entries(archive, folder, most, names)
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(
            f"{show_name(upload.name)} must be a .zip archive without a password, but could not be unpacked. "
            "Hint: send the files themselves instead."
        ) from error


def _unpack_entries(archive: zipfile.ZipFile, folder: Path, most: int, names: Sequence[str]) -> None:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_ENTRIES:
        raise InputError(f"an archive must hold {len(names)} files, but held {len(entries)}. Hint: pack only these.")
    left = most
    for entry in entries:
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InputError(
                f"an archive must hold files, but {show_name(entry.filename)} is a link. Hint: pack files."
            )
        place = folder / check_name(entry.filename, with_folder=True, names=names)
        if place.exists():
            raise InputError(f"each file must come once, but {place.name} came twice. Hint: pack it once.")
        with archive.open(entry) as stream:
            left -= _copy(stream, place, left)  # type: ignore[arg-type]


def _copy(stream: BinaryIO, place: Path, most: int) -> int:
    """Copy at most ``most`` bytes; more is an error, whatever was promised."""
    copied = 0
    with place.open("wb") as target:
        while chunk := stream.read(CHUNK):
            copied += len(chunk)
            if copied > most:
                raise InputError(
                    f"the files must together be at most {most // 2**20} MiB, but are larger. Hint: send less."
                )
            target.write(chunk)
    return copied
