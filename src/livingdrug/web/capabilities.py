"""What this installation may or may not be able to do: matching needs an index of trials."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livingdrug.core.tables import Record
from livingdrug.study.match_trials import INDEX, encode_matches, match_trials


class NotAvailableError(Exception):
    """What was asked cannot be done here; the sentence says what it needs."""


def find_matches(record: Record, subject_id: str) -> Sequence[dict[str, Any]]:
    """Match one subject to the trials of the index that lies where the server was started.

    Raises
    ------
    NotAvailableError
        If there is no index.
    """
    if not Path(INDEX).exists():
        raise NotAvailableError(
            "Matching needs an index of trials where the server was started. Hint: livingdrug trials index FILE."
        )
    return encode_matches(match_trials(record, Path(INDEX), subject_id=subject_id))
