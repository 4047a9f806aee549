"""Read an upload in a process of its own, with limits of time and memory, and say what is in it.

``python -m livingdrug.web.parsing FOLDER BYTES SECONDS`` prints one JSON object: an overview, or the faults.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livingdrug.core.errors import Fault, InputError

if TYPE_CHECKING:
    from livingdrug.core.tables import Record

GRACE = 15
"""Seconds that starting takes at most, beyond the time for reading."""
MOST_FAULTS = 200
RECORD_PROGRAM = "livingdrug.web.parsing"


def describe_record(folder: Path) -> dict[str, Any]:
    """Read a record and return what the data check shows.

    Raises
    ------
    InputError
        With every fault.
    """
    from livingdrug.io.tables import read_record

    return describe_tables(read_record(folder, keep_conflicts=True))


def describe_tables(record: "Record") -> dict[str, Any]:
    """Count what a record holds."""
    import polars as pl

    counts = record.observations.group_by("subject_id").len("measurements")
    spans = record.observations.group_by("subject_id").agg(
        pl.col("day").min().alias("first_day"), pl.col("day").max().alias("last_day")
    )
    subjects = (
        record.subjects.select("subject_id", "disease", "product")
        .join(counts, on="subject_id", how="left", maintain_order="left")
        .join(spans, on="subject_id", how="left", maintain_order="left")
    )
    variables = (
        record.observations.group_by("variable", "unit")
        .agg(
            pl.len().alias("measurements"),
            pl.col("subject_id").n_unique().alias("subjects"),
            (pl.col("censored") == "left").sum().alias("below_limit"),
        )
        .sort("measurements", "variable", descending=[True, False])
    )
    return {
        "subjects": subjects.to_dicts(),
        "events": len(record.events),
        "observations": len(record.observations),
        "variables": variables.to_dicts(),
        "notes": [*record.notes, *record.conflicts][:MOST_FAULTS],
    }


def parse_in_worker(
    folder: Path, *, most_memory: int, most_seconds: int, program: str = RECORD_PROGRAM
) -> dict[str, Any]:
    """Read an upload in another process and return its overview.

    Parameters
    ----------
    program : str
        Module that reads it.

    Raises
    ------
    InputError
        With every fault; or that it could not be read within the limits.
    """
    command = [sys.executable, "-m", program, str(folder), str(most_memory), str(most_seconds)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=most_seconds + GRACE, check=False)
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
        raise InputError(
            f"the files must be readable in {most_seconds} s and {most_memory // 2**20} MiB of memory, but were not. "
            "Hint: are they the files that are asked for? Send fewer subjects at once."
        ) from error
    if "error" in found:
        raise InputError(found["error"], [Fault(**fault) for fault in found["faults"]])
    return dict(found)


def read_with_limits(
    describe: Callable[[Path], dict[str, Any]], folder: Path, most_memory: int, most_seconds: int
) -> dict[str, Any]:
    """Limit this process, then read an upload; faults are returned, and anything else that goes wrong is one."""
    resource.setrlimit(resource.RLIMIT_AS, (most_memory, most_memory))
    resource.setrlimit(resource.RLIMIT_CPU, (most_seconds, most_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return describe(folder)
    except InputError as error:
        faults = [asdict(fault) for fault in error.faults[:MOST_FAULTS]]
        count = len(error.faults)
        short = f"The upload has {count} fault{'' if count == 1 else 's'}."
        return {"error": short if count else str(error).replace(f"{folder}", "the upload"), "faults": faults}


if __name__ == "__main__":
    place, memory, seconds = sys.argv[1:]
    print(json.dumps(read_with_limits(describe_record, Path(place), int(memory), int(seconds))))
