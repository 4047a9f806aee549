"""Abilities that this installation may or may not have: the one place that decides.

Each ability is one public function of ``study``, called as ``function(record, subject_id=..., seed=...)`` and
answering with an object that has ``to_dict()``, or with plain values. Where the function is missing, the
interface answers 501 with a sentence.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

ABILITIES = {
    "options": ("livingdrug.study.compare_options", "compare_options", "Options after a failure are"),
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


def describe_result(result: Any) -> Any:
    """Return a result as plain values."""
    if hasattr(result, "to_dict"):
        return result.to_dict()
    if isinstance(result, list | tuple):
        return [describe_result(item) for item in result]
    return result
