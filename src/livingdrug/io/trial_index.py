"""The local index of trials: one SQLite file with every record, its criteria, and a full-text search over both."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

from livingdrug.core.errors import InputError
from livingdrug.options.predicate import encode_predicate
from livingdrug.options.trial_criteria import Criterion
from livingdrug.options.trial_match import StoredCriterion
from livingdrug.options.trial_record import TrialRecord

FORMAT = 1
"""Raised when the tables change: an older file is then refused with a sentence."""
_JSON = json.JSONEncoder(ensure_ascii=False)
_FIELDS = tuple(field.name for field in fields(TrialRecord))
_SCHEMA = """
CREATE TABLE IF NOT EXISTS trials (
    nct_id TEXT PRIMARY KEY, title TEXT, status TEXT, updated TEXT, snapshot TEXT, record TEXT, criteria TEXT
);
CREATE VIRTUAL TABLE IF NOT EXISTS trial_text USING fts5(
    nct_id UNINDEXED, title, conditions, interventions, summary, criteria
);
"""


@dataclass(frozen=True, slots=True)
class IndexedTrial:
    """One trial of the index: its number, title, status, dates and criteria."""

    nct_id: str
    title: str
    status: str
    updated: str
    snapshot: str
    criteria: tuple[StoredCriterion, ...]


def write_trial_index(
    path: Path | str, trials: Iterable[tuple[TrialRecord, tuple[Criterion, ...]]], *, snapshot: str = ""
) -> int:
    """Write trials into an index, in place of what it holds of them; return how many.

    Parameters
    ----------
    path : Path or str
        Made where it does not exist.
    trials : iterable of record and criteria
    snapshot : str
        The day as of which the records stand, where it is known.
    """
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with closing(_open(place)) as base, base:
        base.executescript(_SCHEMA)
        base.execute(f"PRAGMA user_version = {FORMAT}")
        for record, criteria in trials:
            stored = _JSON.encode([_encode(c) for c in criteria])
            base.execute(
                "DELETE FROM trial_text WHERE rowid IN (SELECT rowid FROM trials WHERE nct_id = ?)", (record.nct_id,)
            )
            whole = _JSON.encode({name: getattr(record, name) for name in _FIELDS})
            row = (record.nct_id, record.title, record.status, record.updated, snapshot, whole, stored)
            place_of_row = base.execute("INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?, ?, ?, ?)", row).lastrowid
            words = ("; ".join(record.conditions), "; ".join(record.interventions), record.summary, record.eligibility)
            base.execute(
                "INSERT INTO trial_text (rowid, nct_id, title, conditions, interventions, summary, criteria) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (place_of_row, record.nct_id, record.title, *words),
            )
            count += 1
    return count


def read_trial_index(path: Path | str, *, search: str = "") -> Iterator[IndexedTrial]:
    """Read the trials of an index, those that a search finds, or all.

    Raises
    ------
    InputError
        If there is no index, it is not one, or the search cannot be read.
    """
    place = Path(path)
    if not place.is_file():
        raise InputError(
            f"`{place}` must be an index of trials, but was missing. "
            f"Hint: livingdrug trials index FILE --index {place}."
        )
    columns = "t.nct_id, t.title, t.status, t.updated, t.snapshot, t.criteria"
    query = f"SELECT {columns} FROM trials t ORDER BY t.nct_id"
    values: tuple[str, ...] = ()
    if search.strip():
        query = (
            f"SELECT {columns} FROM trial_text f JOIN trials t ON t.rowid = f.rowid "
            "WHERE trial_text MATCH ? ORDER BY rank"
        )
        values = (" ".join('"' + word.replace('"', '""') + '"' for word in search.split()),)
    with closing(_open(place)) as base:
        _check_format(base, place)
        for nct_id, title, status, updated, snapshot, text in base.execute(query, values):
            criteria = tuple(map(StoredCriterion._make, json.loads(text)))
            yield IndexedTrial(nct_id, title, status, updated, snapshot, criteria)


def _open(place: Path) -> sqlite3.Connection:
    try:
        base = sqlite3.connect(place)
        base.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise InputError(f"`{place}` must be an index of trials, but was {error}. Hint: name another file.") from None
    return base


def _check_format(base: sqlite3.Connection, place: Path) -> None:
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version != FORMAT:
        raise InputError(
            f"`{place}` must be an index of form {FORMAT}, but was of form {version}. "
            "Hint: write it again with `livingdrug trials index`."
        )


def _encode(criterion: Criterion) -> tuple[str, ...]:
    asked = criterion.predicate
    predicate = "" if asked is None else _JSON.encode(encode_predicate(asked))
    scope = str(criterion.value.get("scope", "")) if isinstance(criterion.value, dict) else ""
    return (criterion.text, criterion.section, criterion.target, criterion.polarity, predicate, scope)
