"""What a server is told when it starts, and the limits that it keeps."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from livingdrug.core.errors import InputError
from livingdrug.web.database import POSTGRES, SQLITE

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MEBIBYTE = 2**20
DATABASE = "LIVINGDRUG_DATABASE"
"""Variable of the environment that holds the URL of the database."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One server.

    Parameters
    ----------
    data : Path
        Folder for records, results and, unless ``database`` says otherwise, the database.
    database : str
        URL: ``sqlite:///FILE`` or ``postgresql://...``.
    host : str
    token : str
        Asked for at login; empty where the server answers to this machine alone.
    most_upload : int [byte]
        Of one request.
    most_unpacked : int [byte]
        Of what an archive may hold.
    most_memory : int [byte]
    most_seconds : int [s]
        Of the process that reads an upload.
    most_patients : int
        Of a trial that this server simulates.
    """

    data: Path
    database: str
    host: str = "127.0.0.1"
    token: str = ""
    most_upload: int = 20 * MEBIBYTE
    most_unpacked: int = 100 * MEBIBYTE
    most_memory: int = 4096 * MEBIBYTE
    most_seconds: int = 30
    most_patients: int = 10_000

    @property
    def needs_login(self) -> bool:
        """Whether a caller must show the token."""
        return bool(self.token)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to ``host``.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    return host in LOOPBACK


def locate_database(data: Path, url: str | None) -> str:
    """Return the URL of the database; a file in the data folder by default.

    Parameters
    ----------
    url : str, optional
        ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``.

    Raises
    ------
    InputError
        If the URL is of another database.

    Examples
    --------
    >>> locate_database(Path("/srv/data"), None)
    'sqlite:////srv/data/livingdrug.sqlite'
    """
    if url is None:
        return f"sqlite:///{quote(str(data / 'livingdrug.sqlite'))}"
    parts = urlsplit(url)
    if parts.scheme in POSTGRES or (parts.scheme == SQLITE and parts.path.strip("/")):
        return url
    shown = f"{parts.scheme}://..." if parts.scheme else repr(url)
    raise InputError(
        f"`--database` must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE, but was {shown}. "
        "Hint: leave it out for a file in the data folder."
    )
