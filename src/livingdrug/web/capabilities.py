"""Abilities that this installation may or may not have: the one place that decides.

Each ability is one public function of ``study``. Where the function is missing, the
interface answers 501 with a sentence.
"""

from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from livingdrug.core.tables import Record

ABILITIES = {
    "options": ("livingdrug.study.list_options", "list_options", "Options after a failure are"),
    "match": ("livingdrug.study.match_trials", "match_trials", "Matching a patient to trials is"),
}


class NotAvailableError(Exception):
    """What was asked is not part of this version."""


def has_ability(name: str) -> bool:
    """Tell whether an ability is installed."""
    module, function, _ = ABILITIES[name]
    try:
        return hasattr(import_module(module), function)
    except ModuleNotFoundError:
        return False


def find_ability(name: str) -> Callable[..., Any]:
    """Return the function of ``study`` behind an ability.

    Raises
    ------
    NotAvailableError
        With a sentence for the caller.
    """
    module, function, words = ABILITIES[name]
    if not has_ability(name):
        raise NotAvailableError(f"{words} not part of this version. Hint: a newer version may have it.")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def find_options(record: Record, subject_id: str, seed: int) -> Any:
    """List the options of one subject."""
    return describe_result(find_ability("options")(record, subject_id=subject_id, seed=seed, jobs=1))


def find_matches(record: Record, subject_id: str, seed: int) -> Any:  # noqa: ARG001 - nothing is random here
    """Match one subject to the trials of the index that lies where the server was started."""
    match = find_ability("match")
    index = Path(import_module(match.__module__).INDEX)
    if not index.exists():
        raise NotAvailableError(
            "Matching needs an index of trials where the server was started. Hint: livingdrug trials index FILE."
        )
    return [describe_result(trial) for trial in match(record, index, subject_id=subject_id)]


def describe_result(result: Any) -> Any:
    """Return a result as plain values."""
    if hasattr(result, "to_dict"):
        return result.to_dict()
    if is_dataclass(result) and not isinstance(result, type):
        return asdict(result)
    if isinstance(result, list | tuple):
        return [describe_result(item) for item in result]
    return result
