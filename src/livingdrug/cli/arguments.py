"""What flags may say, exit codes, and usage errors as sentences."""

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

DONE, FAILED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 1, 2, 3, 130
MAX_FAULTS = 40


class Parser(argparse.ArgumentParser):
    """Usage errors as one sentence and where to read on."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and leave."""
        self.exit(BAD_INPUT, f"{self.prog}: {message}.\nHint: `{self.prog} --help` lists what it understands.\n")


def positive(text: str) -> int:
    """Return a whole number above 0."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, but was {text!r}")
    return number


def seed(text: str) -> int:
    """Return a whole number of 0 or more."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, but was {text!r}")
    return number


def folder(text: str) -> Path:
    """Return a folder; refuse what cannot be a folder before any work is done."""
    path = Path(text)
    if not text.strip():
        raise argparse.ArgumentTypeError("must name a folder, but was empty")
    parent = next(p for p in (path, *path.absolute().parents) if os.path.exists(p))  # noqa: PTH110 - never raises
    if not parent.is_dir():
        raise argparse.ArgumentTypeError(f"must be a folder, but {str(parent)!r} is a file")
    return path


def add_shared(parser: argparse.ArgumentParser, *, needs_out: bool = True) -> None:
    """Add the flags that every long command has."""
    parser.add_argument("--out", type=folder, required=needs_out, metavar="DIR", help="folder for the results")
    parser.add_argument("--seed", type=seed, metavar="N", default=1, help="same seed, same results (default 1)")
    parser.add_argument("--jobs", type=positive, default=None, metavar="N", help="threads (default: every core)")


def tell(sentence: str) -> None:
    """Say on stderr what is going on, if a person is watching."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(sentence, file=sys.stderr, flush=True)


def report_error(error: Exception) -> None:
    """Print an error's sentences; a document with very many faults is cut."""
    lines = str(error).splitlines() or [type(error).__name__]
    for line in lines[: MAX_FAULTS + 1]:
        print(line, file=sys.stderr)
    if len(lines) > MAX_FAULTS + 1:
        print(f"  and {len(lines) - MAX_FAULTS - 1} more.", file=sys.stderr)
