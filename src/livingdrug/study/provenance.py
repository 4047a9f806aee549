"""What ran and on what: input hash, version, seed, sources and assumed values."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from livingdrug.core.parameters import ParameterSet, Value
from livingdrug.core.ruleset import Ruleset
from livingdrug.core.tables import Record
from livingdrug.core.version import VERSION
from livingdrug.knowledge.sources import load_sources
from livingdrug.knowledge.version import compute_knowledge_version


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


def list_assumed(values: ParameterSet | None, rules: Sequence[Ruleset]) -> list[dict[str, Any]]:
    """List every assumed value that a run rests on, of the parameter set and of criteria and settings."""
    tables: list[tuple[str, Mapping[str, Value]]] = [(ruleset.name, ruleset.thresholds) for ruleset in rules]
    if values is not None:
        tables.append((values.name, values.values))
    return [
        {"name": f"{table}.{name}", "value": value.value, "unit": value.unit, "note": value.note}
        for table, entries in tables
        for name, value in entries.items()
        if value.how == "assumed"
    ]


def list_sources(keys: set[str]) -> list[str]:
    """List the citations of the given bibliography keys, in alphabetical order of key."""
    sources = load_sources()
    return [f"{key}: {sources[key].citation}" if key in sources else key for key in sorted(keys)]


def create_provenance(
    record: Record, values: ParameterSet | None, *, seed: int, rules: Sequence[Ruleset]
) -> dict[str, Any]:
    """Collect what a reader needs to repeat and to judge a run.

    Parameters
    ----------
    values : ParameterSet or None
        The values that the fit started from.
    rules : sequence of Ruleset
        The criteria and settings that were used.
    """
    keys = {ruleset.source for ruleset in rules}
    keys |= {value.source for ruleset in rules for value in ruleset.thresholds.values()}
    if values is not None:
        keys |= {value.source for value in values.values.values()}
    options: dict[str, Any] = {f"{r.name}.{name}": option.default for r in rules for name, option in r.options.items()}
    options |= {"parameters": "" if values is None else values.name, "rulesets": [r.name for r in rules]}
    return {
        "version": VERSION,
        "knowledge": compute_knowledge_version(),
        "seed": seed,
        "input_hash": compute_input_hash(record),
        "assumed": list_assumed(values, rules),
        "sources": list_sources(keys),
        "options": options,
    }
