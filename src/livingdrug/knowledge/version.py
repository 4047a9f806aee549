"""Which state of the packaged knowledge a result rests on: one fingerprint over every file."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

LENGTH = 12
"""Hexadecimal digits of the fingerprint that are shown."""


@cache
def compute_knowledge_version() -> str:
    """Return the first digits of the SHA-256 over the names and bytes of all packaged values, criteria and sources.

    Examples
    --------
    >>> len(compute_knowledge_version())
    12
    """
    digest = hashlib.sha256()
    for name, entry in sorted(_list_files(files("livingdrug.knowledge").joinpath("data"), "")):
        digest.update(f"{name}\n".encode())
        digest.update(entry.read_bytes())
    return digest.hexdigest()[:LENGTH]


def _list_files(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        found += _list_files(entry, f"{name}/") if entry.is_dir() else [(name, entry)]
    return found
