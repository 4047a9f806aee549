"""Where a command finds its record."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livingdrug.core.tables import Record


def open_record(arguments: argparse.Namespace) -> "Record":
    """Read the record, or load the packaged one, that the arguments name."""
    if arguments.example is not None:
        from livingdrug.study.examples import load_example

        return load_example(arguments.example)
    from livingdrug.io.tables import read_record

    return read_record(arguments.record)
