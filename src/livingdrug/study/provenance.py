"""What ran and on what: input hash, version, seed, sources and assumed values."""

import hashlib
from collections.abc import Mapping
from typing import Any

import polars as pl

from livingdrug.core.parameters import ParameterSet
from livingdrug.core.tables import Record
from livingdrug.core.version import VERSION
from livingdrug.knowledge.sources import load_sources


def compute_input_hash(record: Record) -> str:
    """Return the SHA-256 of the content of the three tables.

    The order of rows and columns, and where the files lie, do not matter; every value does.
    """
    digest = hashlib.sha256()
    for name, table in (
        ("subjects", record.subjects),
        ("events", record.events),
        ("observations", record.observations),
    ):
        columns = sorted(table.columns)
        ordered = table.select(columns).sort(columns, nulls_last=True)
        digest.update(f"{name}\n".encode())
        digest.update(ordered.write_csv(null_value="\\N").encode())
    return digest.hexdigest()


def list_assumed(values: ParameterSet) -> list[dict[str, Any]]:
    """List the assumed values of a set: what they are and where the assumption is written."""
    return [
        {"name": f"{values.name}.{name}", "value": values.values[name].value, "unit": values.values[name].unit}
        for name in values.assumed
    ]


def list_sources(keys: set[str]) -> list[str]:
    """List the citations of the given bibliography keys, in alphabetical order of key."""
    sources = load_sources()
    return [f"{key}: {sources[key].citation}" if key in sources else key for key in sorted(keys)]


def create_provenance(
    record: Record, values: ParameterSet | None, *, seed: int, sources: set[str], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Collect what a reader needs to repeat and to judge a run."""
    keys = set(sources)
    if values is not None:
        keys |= {value.source for value in values.values.values()}
    return {
        "version": VERSION,
        "seed": seed,
        "input_hash": compute_input_hash(record),
        "assumed": [] if values is None else list_assumed(values),
        "sources": list_sources(keys),
        "options": dict(options),
    }
