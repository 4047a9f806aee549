"""Load a packaged set of parameter values by name."""

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np

from livingdrug.core.errors import Fault, KnowledgeError
from livingdrug.core.parameters import ParameterSet, Value
from livingdrug.knowledge.provenance import HOW, check_source_text, decode_value, is_number

_HEAD = ("name", "model", "caveat", "disease", "product")
_BASE = "extends"
"""Field of a set that takes every value of another set that it does not give itself."""
_CORRELATION_TEXTS = ("source", "where", "how")
_SMALLEST_EIGENVALUE = 1e-9


def list_parameters() -> tuple[str, ...]:
    """Name the packaged sets, in alphabetical order.

    Examples
    --------
    >>> "stein2019" in list_parameters()
    True
    """
    folder = files("livingdrug.knowledge").joinpath("data", "parameters")
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def find_parameters(name: str) -> ParameterSet | None:
    """Load one packaged set; None where there is none of that name.

    Examples
    --------
    >>> find_parameters("fate_mcl_brexu_cel") is None
    True
    """
    return load_parameters(name) if name in list_parameters() else None


@cache
def load_parameters(name: str) -> ParameterSet:
    """Load one packaged set.

    Raises
    ------
    KnowledgeError
        If there is no such set, or if a value in it lacks what every value must carry.

    Examples
    --------
    >>> load_parameters("stein2019").values["alpha"].value
    0.16
    """
    if name not in list_parameters():
        close = get_close_matches(name, list_parameters(), n=1)
        hint = f"did you mean {close[0]!r}" if close else f"use one of {', '.join(list_parameters())}"
        raise KnowledgeError(f"a parameter set must be a packaged one, but was {name!r}. Hint: {hint}.")
    values, faults = read_parameters(name)
    if values is None:
        raise KnowledgeError("\n".join([f"parameter set {name} must be sound, but has faults:", *map(str, faults)]))
    return values


def read_document(name: str) -> tuple[dict[str, Any], list[Fault]]:
    """Read the TOML document of a packaged set; empty with a fault if it is not TOML.

    A set that extends another has every value of that one which it does not give itself.
    """
    path = files("livingdrug.knowledge").joinpath("data", "parameters", f"{name}.toml")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        return {}, [Fault(f"{name}.toml", "must be TOML in which every name stands once", str(error), "correct it")]
    return _extend(document, name)


def _extend(document: dict[str, Any], name: str) -> tuple[dict[str, Any], list[Fault]]:
    head = document.get("set")
    base = head.pop(_BASE, None) if isinstance(head, dict) else None
    if base is None:
        return document, []
    if base == name or base not in list_parameters():
        return {}, [Fault(f"{name}.set.{_BASE}", "must be another packaged set", repr(base), "correct the name")]
    inherited, faults = read_document(base)
    return {**inherited, **document}, faults


def read_parameters(name: str) -> tuple[ParameterSet | None, list[Fault]]:
    """Read one packaged set with its faults; None if there is a fault."""
    document, faults = read_document(name)
    return (None, faults) if faults else decode_parameters(document, name)


def decode_parameters(document: Mapping[str, Any], name: str) -> tuple[ParameterSet | None, list[Fault]]:
    """Read a set from a decoded TOML document; ``name`` is what the file is called.

    Examples
    --------
    >>> decode_parameters({"set": {"name": "x", "model": "m", "caveat": "none"}, "k": 3}, "x")[1][0].where
    'x.k'
    """
    head = document.get("set")
    faults = _check_head(head, name)
    values: dict[str, Value] = {}
    for key, table in document.items():
        if key in ("set", "correlation"):
            continue
        if not isinstance(table, Mapping):
            faults.append(Fault(f"{name}.{key}", "must be a table", repr(table), f"write [{key}] with its fields"))
            continue
        value, more = decode_value(table, f"{name}.{key}")
        faults += more
        if value is not None:
            values[key] = value
    correlations, more = _decode_correlations(document.get("correlation", []), values, f"{name}.correlation")
    faults += more
    if faults or head is None:
        return None, faults
    texts: Mapping[str, str] = head
    return ParameterSet(**texts, values=MappingProxyType(values), correlations=MappingProxyType(correlations)), []


def list_correlations(document: Mapping[str, Any]) -> dict[str, Value]:
    """Return a sound document's correlations with what they rest on, by their place in the list."""
    return {
        f"correlation[{number}]": Value(float(entry["value"]), "1", entry["source"], entry["where"], entry["how"])
        for number, entry in enumerate(document.get("correlation", []))
    }


def _check_head(head: Any, name: str) -> list[Fault]:
    if not isinstance(head, Mapping):
        return [Fault(f"{name}.set", "must be a table", repr(head), "open the file with [set]")]
    faults = [
        Fault(f"{name}.set.{key}", "must be a field of a set", "unknown", f"use {', '.join(_HEAD)}")
        for key in head
        if key not in _HEAD
    ]
    for key in ("name", "model", "caveat"):
        if not (isinstance(head.get(key), str) and head[key].strip()):
            was = repr(head.get(key, "missing"))
            faults.append(Fault(f"{name}.set.{key}", "must be a text that is not empty", was, f"say the {key}"))
    if not faults and head["name"] != name:
        faults.append(Fault(f"{name}.set.name", f"must be the file's name {name!r}", repr(head["name"]), "rename one"))
    return faults


def _decode_correlations(
    entries: Any, values: Mapping[str, Value], where: str
) -> tuple[dict[tuple[str, str], float], list[Fault]]:
    found: dict[tuple[str, str], float] = {}
    faults: list[Fault] = []
    if not isinstance(entries, list):
        return found, [Fault(where, "must be a list of tables", repr(entries), "write [[correlation]]")]
    for number, entry in enumerate(entries):
        rule = _broken_rule(entry, values, found)
        faults += check_source_text(str(entry.get("source", "")), f"{where}[{number}].source")
        if rule:
            faults.append(Fault(f"{where}[{number}]", rule, repr(entry), "correct the entry"))
        else:
            found[entry["a"], entry["b"]] = float(entry["value"])
    if found and not faults and not is_positive_definite(found):
        rule = "must be positive definite taken together"
        faults.append(Fault(where, rule, repr(found), "weaken the correlations that contradict each other"))
    return found, faults


def _broken_rule(entry: Mapping[str, Any], values: Mapping[str, Value], found: Mapping[tuple[str, str], float]) -> str:
    pair = (str(entry.get("a")), str(entry.get("b")))
    if any(not entry.get(key) for key in _CORRELATION_TEXTS) or entry["how"] not in HOW:
        return "must carry source, where and how"
    if any(name not in values or values[name].spread is None for name in pair):
        return "must join two parameters that have a spread"
    if pair[0] == pair[1] or any(set(pair) == set(other) for other in found):
        return "must join two different parameters, once"
    if not (is_number(entry.get("value")) and abs(entry["value"]) < 1):
        return "must lie between -1 and 1"
    return ""


def is_positive_definite(correlations: Mapping[tuple[str, str], float]) -> bool:
    """Tell whether correlations can hold together.

    Examples
    --------
    >>> is_positive_definite({("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9})
    False
    """
    names = sorted({name for pair in correlations for name in pair})
    matrix = np.eye(len(names))
    for (a, b), value in correlations.items():
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = value
    return bool(np.linalg.eigvalsh(matrix).min() > _SMALLEST_EIGENVALUE)
