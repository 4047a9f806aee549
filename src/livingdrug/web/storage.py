"""Records, jobs and the audit log in one database that several processes may use at once."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from livingdrug.web.database import open_database

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS records ("
    "id TEXT PRIMARY KEY, name TEXT NOT NULL, created DOUBLE PRECISION NOT NULL, overview TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, "
    "arguments TEXT NOT NULL, state TEXT NOT NULL, progress DOUBLE PRECISION NOT NULL, message TEXT NOT NULL, "
    "attempts INTEGER NOT NULL, created DOUBLE PRECISION NOT NULL, updated DOUBLE PRECISION NOT NULL)",
    "CREATE INDEX IF NOT EXISTS jobs_by_key ON jobs (key, state)",
    "CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, created)",
    "CREATE TABLE IF NOT EXISTS audit (time DOUBLE PRECISION NOT NULL, caller TEXT NOT NULL, "
    "method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL)",
)
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work and how far it is.

    Parameters
    ----------
    id, kind : str
    key : str
        What the work is about; two jobs with one key have one result.
    arguments : mapping
    state : str
        ``queued``, ``running``, ``done`` or ``failed``.
    progress : float
        From 0 to 1.
    message : str
    attempts : int
    created, updated : float [s]
    """

    id: str
    kind: str
    key: str
    arguments: Mapping[str, Any]
    state: str
    progress: float
    message: str
    attempts: int
    created: float
    updated: float

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in {DONE, FAILED}


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that was uploaded; ``overview`` is what the check found."""

    id: str
    name: str
    created: float
    overview: Mapping[str, Any]


class Storage:
    """What a server remembers; every call is a whole, and nothing is held between them.

    Parameters
    ----------
    url : str
        See :func:`livingdrug.web.database.open_database`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = open_database(url)
        with self._database.change() as connection:
            for statement in SCHEMA:
                connection.execute(statement)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def add_record(self, identity: str, name: str, overview: Mapping[str, Any]) -> None:
        """Keep what is known of an upload."""
        with self._database.open() as connection:
            row = (identity, name, time.time(), json.dumps(overview))
            connection.execute(
                "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "name = excluded.name, created = excluded.created, overview = excluded.overview",
                row,
            )

    def find_record(self, identity: str) -> StoredRecord | None:
        """Return an uploaded record, or None."""
        with self._database.open() as connection:
            row = connection.execute("SELECT * FROM records WHERE id = ?", (identity,)).fetchone()
        return (
            None if row is None else StoredRecord(row["id"], row["name"], row["created"], json.loads(row["overview"]))
        )

    def list_records(self, *, most: int = 200) -> list[StoredRecord]:
        """List uploaded records, newest first."""
        with self._database.open() as connection:
            rows = connection.execute("SELECT * FROM records ORDER BY created DESC LIMIT ?", (most,)).fetchall()
        return [StoredRecord(r["id"], r["name"], r["created"], json.loads(r["overview"])) for r in rows]

    def add_job(self, kind: str, key: str, arguments: Mapping[str, Any]) -> Job:
        """Queue a job; one that is about the same and has not failed is returned instead."""
        with self._database.change() as connection:
            found = connection.execute(
                "SELECT * FROM jobs WHERE key = ? AND state != ? ORDER BY created DESC", (key, FAILED)
            ).fetchone()
            if found is None:
                now = time.time()
                row = (uuid.uuid4().hex, kind, key, json.dumps(arguments), QUEUED, 0.0, "waiting", 0, now, now)
                connection.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
                found = connection.execute("SELECT * FROM jobs WHERE id = ?", (row[0],)).fetchone()
        return _read_job(found)

    def find_job(self, identity: str) -> Job | None:
        """Return a job, or None."""
        with self._database.open() as connection:
            row = connection.execute("SELECT * FROM jobs WHERE id = ?", (identity,)).fetchone()
        return None if row is None else _read_job(row)

    def list_jobs(self, *, most: int = 200) -> list[Job]:
        """List jobs, newest first."""
        with self._database.open() as connection:
            rows = connection.execute("SELECT * FROM jobs ORDER BY created DESC LIMIT ?", (most,)).fetchall()
        return [_read_job(row) for row in rows]

    def claim_job(self) -> Job | None:
        """Take the oldest waiting job, or None; no other process can take it as well."""
        with self._database.open() as connection:
            row = connection.execute(
                "UPDATE jobs SET state = ?, attempts = attempts + 1, updated = ?, message = 'started' WHERE id = "
                f"({self._database.next_waiting}) RETURNING *",
                (RUNNING, time.time(), QUEUED),
            ).fetchone()
        return None if row is None else _read_job(row)

    def update_job(self, identity: str, *, state: str, progress: float, message: str) -> None:
        """Say how far a job is."""
        with self._database.open() as connection:
            row = (state, progress, message, time.time(), identity)
            connection.execute("UPDATE jobs SET state = ?, progress = ?, message = ?, updated = ? WHERE id = ?", row)

    def recover_jobs(self) -> int:
        """Queue again what a worker left unfinished when it was killed; after three attempts it has failed.

        To be called when no worker runs.
        """
        again = f"the program that did this was stopped; tried {MOST_ATTEMPTS} times"
        with self._database.open() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, message = ? WHERE state = ? AND attempts >= ?",
                (FAILED, again, RUNNING, MOST_ATTEMPTS),
            )
            waiting = "the program was stopped; waiting to go on"
            changed = connection.execute(
                "UPDATE jobs SET state = ?, message = ? WHERE state = ?", (QUEUED, waiting, RUNNING)
            )
            return int(changed.rowcount)

    def add_audit(self, caller: str, method: str, path: str, status: int) -> None:
        """Write down who asked for what; never what a record says."""
        with self._database.open() as connection:
            row = (time.time(), caller, method, path, status)
            connection.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?)", row)

    def list_audit(self, *, most: int = 200) -> list[dict[str, Any]]:
        """List the audit log, newest first."""
        with self._database.open() as connection:
            rows = connection.execute("SELECT * FROM audit ORDER BY time DESC LIMIT ?", (most,)).fetchall()
        return [dict(row) for row in rows]


def _read_job(row: Mapping[str, Any]) -> Job:
    return Job(**{**dict(row), "arguments": json.loads(row["arguments"])})
