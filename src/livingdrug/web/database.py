"""The two databases that a server may keep its records and jobs in: a SQLite file, or PostgreSQL by its URL.

Statements are written once, with ``?`` for a value; a connection commits each of them.
"""

import importlib.util
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from livingdrug.core.errors import InputError

if TYPE_CHECKING:
    from psycopg import Connection as PostgresConnection
    from psycopg_pool import ConnectionPool

PATIENCE = 30.0
"""Seconds that a process waits for another one's write, or for a connection."""
MOST_CONNECTIONS = 8
QUEUE_LOCK = 7131
"""Number under which processes agree who changes the queue."""
SQLITE, POSTGRES = "sqlite", ("postgresql", "postgres")


class Connection(Protocol):
    """What statements are sent through; a row is read by the names of its columns."""

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Send one statement."""


class Database(Protocol):
    """Where records and jobs are kept."""

    next_waiting: str
    """Selects the oldest waiting job in a way that no other process takes it as well."""

    def open(self) -> Any:
        """Give a connection for some statements."""

    def change(self) -> Any:
        """Give a connection whose statements happen all at once, one process after the other."""

    def close(self) -> None:
        """Let go of everything."""


class SqliteDatabase:
    """A file, opened anew for each call: nothing is held between requests, threads or processes."""

    next_waiting = "SELECT id FROM jobs WHERE state = ? ORDER BY created LIMIT 1"

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.open() as connection:
            connection.execute("PRAGMA journal_mode = WAL")

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for some statements."""
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose statements happen all at once, one process after the other."""
        with self.open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of everything: nothing is held."""


class _Translated:
    """A PostgreSQL connection that takes statements as they are written here."""

    def __init__(self, connection: "PostgresConnection[dict[str, Any]]") -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        plain = [value.replace("\x00", "") if isinstance(value, str) else value for value in values]
        return self._connection.execute(statement.replace("?", "%s").encode(), plain)


class PostgresDatabase:
    """A PostgreSQL server, through a few connections that threads share.

    Raises
    ------
    InputError
        If the extra is missing, or the server does not answer; the sentence does not show the password.
    """

    next_waiting = "SELECT id FROM jobs WHERE state = ? ORDER BY created LIMIT 1 FOR UPDATE SKIP LOCKED"

    def __init__(self, url: str) -> None:
        missing = [name for name in ("psycopg", "psycopg_pool") if not importlib.util.find_spec(name)]
        if missing:
            raise InputError(
                f"`--database` with PostgreSQL needs the postgres extra, but {', '.join(missing)} is missing. "
                "Hint: pip install 'livingdrug[web,postgres]'."
            )
        self._pool = _open_pool(url)

    @contextmanager
    def open(self) -> Iterator[_Translated]:
        """Give a connection for some statements."""
        with self._pool.connection() as connection:
            yield _Translated(connection)

    @contextmanager
    def change(self) -> Iterator[_Translated]:
        """Give a connection whose statements happen all at once, one process after the other."""
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (QUEUE_LOCK,))
            yield _Translated(connection)

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.close()


def _open_pool(url: str) -> "ConnectionPool[PostgresConnection[dict[str, Any]]]":
    import psycopg
    from psycopg.rows import dict_row
    from psycopg_pool import ConnectionPool, PoolTimeout

    parts = urlsplit(url)
    where = f"{parts.hostname or 'this machine'}{f':{parts.port}' if parts.port else ''}"
    try:
        with psycopg.connect(url, connect_timeout=int(PATIENCE / 3)):
            pass
        pool: ConnectionPool[psycopg.Connection[dict[str, Any]]] = ConnectionPool(
            url,
            connection_class=psycopg.Connection[dict[str, Any]],
            kwargs={"row_factory": dict_row, "autocommit": True},
            min_size=1,
            max_size=MOST_CONNECTIONS,
            timeout=PATIENCE,
            check=ConnectionPool.check_connection,
            open=True,
        )
        pool.wait(PATIENCE)
    except (psycopg.Error, PoolTimeout) as error:
        raise InputError(
            f"`--database` must be a PostgreSQL server that can be reached, but {where} could not be "
            f"({type(error).__name__}). Hint: postgresql://USER:PASSWORD@HOST:PORT/DATABASE; is the server running?"
        ) from None
    return pool


def open_database(url: str) -> Database:
    """Open the database of a URL: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.

    Raises
    ------
    InputError
        If it is of another kind, or cannot be reached.
    """
    parts = urlsplit(url)
    if parts.scheme in POSTGRES:
        return PostgresDatabase(url)
    return SqliteDatabase(Path(unquote(parts.path[1:])))
