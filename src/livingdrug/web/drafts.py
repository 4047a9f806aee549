"""A result is written under another name and renamed when it is complete: a folder that is there is whole."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Report = Callable[[float, str], None]
"""Called with how far the work is, from 0 to 1, and what is being done."""


@contextmanager
def open_draft(folder: Path) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of ``folder`` when everything went well."""
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def remove_drafts(results: Path) -> None:
    """Remove what a killed worker had begun; to be called when no worker runs."""
    for draft in results.glob("*.*"):
        shutil.rmtree(draft, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a file of a result."""
    path.write_text(text, encoding="utf-8")
