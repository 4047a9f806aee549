"""Any result as what JSON can hold."""

import math
from collections.abc import Mapping
from typing import Any


def make_plain(value: Any) -> Any:
    """Return mappings, sequences, words and numbers only; a number that is none, or infinite, becomes null.

    Examples
    --------
    >>> make_plain({"days": (1.0, float("inf"))})
    {'days': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(name): make_plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [make_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float) else str(value)
