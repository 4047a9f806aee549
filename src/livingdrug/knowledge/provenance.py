"""What one number must carry: value, unit, source, where, how; and perhaps a spread and a note."""

import math
from collections.abc import Mapping
from typing import Any, get_args

from livingdrug.core.errors import Fault
from livingdrug.core.parameters import How, Spread, Value
from livingdrug.core.units import compute_factor

HOW: tuple[str, ...] = get_args(How)
SPREAD_KINDS = ("lognormal", "normal", "logitnormal")
_TEXTS = ("unit", "source", "where", "how")
_FIELDS = ("value", *_TEXTS, "spread", "note")
_WIDEST = {"lognormal": 3.0, "logitnormal": 15.0}
"""A share may span many decades between patients (a clone of one cell in 1e12); other quantities do not."""


def decode_value(table: Mapping[str, Any], where: str) -> tuple[Value | None, list[Fault]]:
    """Read one number with its provenance from a decoded TOML table.

    Returns
    -------
    value : Value or None
        None if there is a fault.
    faults : list of Fault

    Examples
    --------
    >>> value, faults = decode_value(
    ...     {"value": 0.16, "unit": "1/day", "source": "stein2019", "where": "Table 1", "how": "reported"}, "k")
    >>> value.value, faults
    (0.16, [])
    >>> [fault.where for fault in decode_value({"value": "soon", "unit": "1/day"}, "k")[1]]
    ['k.value', 'k.source', 'k.where', 'k.how']
    """
    faults = [
        Fault(f"{where}.{name}", "must be a field of a value", "unknown", f"use {', '.join(_FIELDS)}")
        for name in table
        if name not in _FIELDS
    ]
    if not is_number(table.get("value")):
        was = repr(table["value"]) if "value" in table else "missing"
        faults.append(Fault(f"{where}.value", "must be a finite number", was, "write the number itself"))
    for name in _TEXTS:
        if not (isinstance(table.get(name), str) and table[name].strip()):
            was = repr(table[name]) if name in table else "missing"
            faults.append(Fault(f"{where}.{name}", "must be a text that is not empty", was, f"say the {name}"))
    if not faults:
        faults = _check_texts(table, where)
    spread = None
    if "spread" in table and not faults:
        spread, faults = _decode_spread(table["spread"], float(table["value"]), f"{where}.spread")
    if faults:
        return None, faults
    texts = {name: table[name] for name in _TEXTS}
    return Value(value=float(table["value"]), spread=spread, note=str(table.get("note", "")), **texts), []


def check_source_text(source: str, where: str) -> list[Fault]:
    """Return a fault if a source is an address instead of a key."""
    if "://" in source or source.startswith(("www.", "doi:", "10.")):
        return [Fault(where, "must be a key of sources.bib", repr(source), "add an entry and name its key")]
    return []


def is_number(value: object) -> bool:
    """Tell whether a decoded value is a finite number (a truth value is not)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_texts(table: Mapping[str, Any], where: str) -> list[Fault]:
    faults = check_source_text(table["source"], f"{where}.source")
    if table["how"] not in HOW:
        faults.append(Fault(f"{where}.how", f"must be one of {', '.join(HOW)}", repr(table["how"]), "use one of them"))
    if compute_factor(table["unit"], table["unit"]) is None:
        faults.append(Fault(f"{where}.unit", "must be a unit that can be read", repr(table["unit"]), "correct it"))
    return faults


def _decode_spread(table: Any, value: float, where: str) -> tuple[Spread | None, list[Fault]]:
    if not isinstance(table, Mapping) or set(table) != {"kind", "sd"}:
        return None, [Fault(where, "must hold `kind` and `sd`", repr(table), "write { kind = ..., sd = ... }")]
    kind, sd = table["kind"], table["sd"]
    if kind not in SPREAD_KINDS:
        return None, [
            Fault(f"{where}.kind", f"must be one of {', '.join(SPREAD_KINDS)}", repr(kind), "use one of them")
        ]
    if not (is_number(sd) and sd > 0):
        return None, [
            Fault(f"{where}.sd", "must be a positive number", repr(sd), "leave the spread out if there is none")
        ]
    if sd > _WIDEST.get(kind, math.inf):
        rule = f"must be at most {_WIDEST[kind]} on the scale of the logarithm"
        return None, [Fault(f"{where}.sd", rule, repr(sd), "check whether a variance or a percentage was entered")]
    if (kind == "lognormal" and value <= 0) or (kind == "logitnormal" and not 0 < value < 1):
        return None, [Fault(where, f"{kind} must fit the value", repr(value), "choose another kind")]
    return Spread(kind, float(sd)), []
