"""Where the parts of a run are kept: Parquet files that are complete or not there, each with its hash.

A part is written under a temporary name, flushed, and renamed; then its hash is, in the same way. So a run that
is killed at any moment leaves complete parts and at most what each worker was at.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from livingdrug.core.errors import InputError
from livingdrug.study.trial_chunk import ChunkTask

FOLDER, OUTCOMES = "parts", "outcomes.parquet"
PLAN = "# plan "
OURS = ("*.parquet", "*.sha256", "*.unfinished")


class FolderStore:
    """Parts as files ``parts/<arm>-<chunk>.parquet``, each with ``.sha256`` beside it.

    Parameters
    ----------
    out : Path
        Folder of the results.
    plan : str
        Hash of what the parts are computed from.
    resume : bool
        Keep the complete parts that are there; otherwise they are removed.

    Raises
    ------
    InputError
        If parts are to be kept that were computed from something else.
    """

    def __init__(self, out: Path, plan: str, *, resume: bool) -> None:
        self.folder, self.plan = out / FOLDER, plan
        self.folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            self.clear()
            return
        for path in sorted(self.folder.glob("*.sha256")):
            found = _read_plan(path)
            if found and found != plan:
                raise InputError(
                    f"`{out}` must hold parts of this very trial, but holds parts of another design, seed or version. "
                    "Hint: give another folder, or leave out --resume to begin anew."
                )

    def has(self, task: ChunkTask) -> bool:
        """Whether a part is there, whole and unchanged."""
        path, seal = self._path(task), self._seal(task)
        if not (path.exists() and seal.exists()):
            return False
        return seal.read_text(encoding="utf-8") == self._say(path)

    def write(self, task: ChunkTask, table: pl.DataFrame) -> None:
        """Write a part, then its hash."""
        path = self._path(task)
        unfinished = path.with_suffix(".unfinished")
        table.write_parquet(unfinished, compression="zstd")
        _flush(unfinished)
        unfinished.replace(path)
        sealing = path.with_suffix(".sha256.unfinished")
        sealing.write_text(self._say(path), encoding="utf-8")
        _flush(sealing)
        sealing.replace(self._seal(task))

    def gather(self, tasks: Sequence[ChunkTask]) -> pl.LazyFrame:
        """Put the parts one below the other, in the order of the tasks, into one file, and return what reads it."""
        outcomes = self.folder.parent / OUTCOMES
        unfinished = outcomes.with_suffix(".unfinished")
        parts = pl.scan_parquet([self._path(task) for task in tasks], glob=False)
        parts.sink_parquet(unfinished, compression="zstd", maintain_order=True)
        unfinished.replace(outcomes)
        return pl.scan_parquet(outcomes, glob=False)

    def clear(self) -> None:
        """Remove the parts and what is left of unfinished ones."""
        for pattern in OURS:
            for path in self.folder.glob(pattern):
                path.unlink()

    def _path(self, task: ChunkTask) -> Path:
        return self.folder / f"{task.name}.parquet"

    def _seal(self, task: ChunkTask) -> Path:
        return self.folder / f"{task.name}.sha256"

    def _say(self, path: Path) -> str:
        """Return what stands in the file with the hash; ``sha256sum -c`` understands it."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return f"{PLAN}{self.plan}\n{digest}  {path.name}\n"


class MemoryStore:
    """Parts in memory, for a trial without a folder."""

    def __init__(self) -> None:
        self._parts: dict[str, pl.DataFrame] = {}

    def has(self, task: ChunkTask) -> bool:
        """Whether a part is there."""
        return task.name in self._parts

    def write(self, task: ChunkTask, table: pl.DataFrame) -> None:
        """Keep a part."""
        self._parts[task.name] = table

    def gather(self, tasks: Sequence[ChunkTask]) -> pl.LazyFrame:
        """Put the parts one below the other, in the order of the tasks."""
        return pl.concat([self._parts[task.name] for task in tasks]).lazy()


Store = FolderStore | MemoryStore


def _read_plan(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix(PLAN) if first.startswith(PLAN) else ""


def _flush(path: Path) -> None:
    """Make sure that the bytes are on the disk before the name says so."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
