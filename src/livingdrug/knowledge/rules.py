"""Load a published set of criteria by ``name/version``.

A file is TOML: ``[ruleset]`` with name, title and source; one table ``[options.NAME]`` with default, meaning
and choices for each thing that the publication leaves open; then one table a threshold, which carries what
every value carries. Graded laboratory terms are ``[[term]]`` tables: see :mod:`livingdrug.knowledge.grades`.
"""

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from livingdrug.core.errors import Fault, KnowledgeError
from livingdrug.core.ruleset import Option, Ruleset
from livingdrug.knowledge.grades import decode_terms
from livingdrug.knowledge.provenance import check_source_text, decode_value

_HEAD = ("name", "title", "source")
_NAME = re.compile(r'^name\s*=\s*"(?P<name>[^"/]+/[^"/]+)"', re.MULTILINE)


def list_rules() -> tuple[str, ...]:
    """Name the packaged rulesets as ``name/version``, in alphabetical order.

    Examples
    --------
    >>> all("/" in name for name in list_rules())
    True
    """
    return tuple(sorted(_index_files()))


@cache
def _index_files() -> Mapping[str, str]:
    """Return the file of each ruleset by the name that stands in it; both parts of a name may hold hyphens."""
    folder = files("livingdrug.knowledge").joinpath("data", "criteria")
    names = {}
    for entry in folder.iterdir():
        if entry.name.endswith(".toml"):
            stem = entry.name[:-5]
            names[_read_name(entry.read_text(encoding="utf-8"), stem)] = stem
    return MappingProxyType(names)


def _read_name(text: str, stem: str) -> str:
    """Return the name that a ruleset gives itself if its file is called so, else what the file's name suggests."""
    found = _NAME.search(text)
    if found is not None and found["name"].replace("/", "-") == stem:
        return found["name"]
    return "/".join(stem.rsplit("-", 1))


@cache
def load_rules(name: str) -> Ruleset:
    """Load one packaged ruleset, such as ``imwg/2016``.

    Raises
    ------
    KnowledgeError
        If there is no such ruleset, or if a threshold in it lacks what every value must carry.
    """
    if name not in list_rules():
        close = get_close_matches(name, list_rules(), n=1)
        hint = f"did you mean {close[0]!r}" if close else f"use one of {', '.join(list_rules()) or 'none yet'}"
        raise KnowledgeError(f"a ruleset must be a packaged one, but was {name!r}. Hint: {hint}.")
    rules, faults = read_rules(name)
    if rules is None:
        raise KnowledgeError("\n".join([f"ruleset {name} must be sound, but has faults:", *map(str, faults)]))
    return rules


def read_rules(name: str) -> tuple[Ruleset | None, list[Fault]]:
    """Read one packaged ruleset with its faults; None if there is a fault."""
    stem = _index_files().get(name, name.replace("/", "-"))
    path = files("livingdrug.knowledge").joinpath("data", "criteria", f"{stem}.toml")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        return None, [Fault(f"{stem}.toml", "must be TOML in which every name stands once", str(error), "correct it")]
    return decode_rules(document, name)


def decode_rules(document: Mapping[str, Any], name: str) -> tuple[Ruleset | None, list[Fault]]:
    """Read a ruleset from a decoded TOML document; ``name`` is what the file is called, with a slash.

    Examples
    --------
    >>> head = {"name": "x/1", "title": "X", "source": "kumar2016"}
    >>> [fault.where for fault in decode_rules({"ruleset": head, "low": {"value": 25.0}}, "x/1")[1]]
    ['x/1.low.unit', 'x/1.low.source', 'x/1.low.where', 'x/1.low.how']
    """
    head, options = document.get("ruleset"), document.get("options", {})
    faults = _check_head(head, name) + _check_options(options, name)
    terms, thresholds, more = decode_terms(document.get("term", []), name)
    faults += more
    for key, table in document.items():
        if key in ("ruleset", "options", "term"):
            continue
        if not isinstance(table, Mapping):
            faults.append(Fault(f"{name}.{key}", "must be a table", repr(table), f"write [{key}] with its fields"))
            continue
        value, more = decode_value(table, f"{name}.{key}")
        faults += more
        if value is not None:
            thresholds[key] = value
    if faults or head is None:
        return None, faults
    texts: Mapping[str, str] = head
    chosen = {key: _decode_option(table) for key, table in options.items()}
    kept = MappingProxyType(thresholds)
    return Ruleset(**texts, thresholds=kept, options=MappingProxyType(chosen), terms=terms), []


def _decode_option(table: Mapping[str, Any]) -> Option:
    default = table["default"]
    is_number = isinstance(default, int | float) and not isinstance(default, bool)
    return Option(float(default) if is_number else default, table["meaning"], tuple(table.get("choices", ())))


def _check_head(head: Any, name: str) -> list[Fault]:
    if not isinstance(head, Mapping):
        return [Fault(f"{name}.ruleset", "must be a table", repr(head), "open the file with [ruleset]")]
    where = f"{name}.ruleset"
    faults = [
        Fault(f"{where}.{key}", "must be a text that is not empty", repr(head.get(key, "missing")), f"say the {key}")
        for key in _HEAD
        if not (isinstance(head.get(key), str) and head[key].strip())
    ]
    faults += [
        Fault(f"{where}.{key}", "must be a field of a ruleset", "unknown", f"use {', '.join(_HEAD)}")
        for key in head
        if key not in _HEAD
    ]
    if faults:
        return faults
    if head["name"] != name:
        faults.append(Fault(f"{where}.name", f"must be the file's name {name!r}", repr(head["name"]), "rename one"))
    return faults + check_source_text(head["source"], f"{where}.source")


def _check_options(options: Any, name: str) -> list[Fault]:
    if not isinstance(options, Mapping):
        return [Fault(f"{name}.options", "must be a table", repr(options), "write [options]")]
    return [fault for key, table in options.items() for fault in _check_option(table, f"{name}.options.{key}")]


def _check_option(table: Any, where: str) -> list[Fault]:
    if not isinstance(table, Mapping) or set(table) - {"choices"} != {"default", "meaning"}:
        return [Fault(where, "must have default and meaning, and choices if it is a word", repr(table), "complete it")]
    default, choices = table["default"], table.get("choices", [])
    if not isinstance(default, str | int | float | bool):
        return [Fault(f"{where}.default", "must be a text, a number or a truth", repr(default), "write the default")]
    if not isinstance(table["meaning"], str) or not table["meaning"].strip():
        return [Fault(f"{where}.meaning", "must say what is chosen", repr(table["meaning"]), "write a sentence")]
    if isinstance(default, str) != bool(choices) or (choices and default not in choices):
        rule = "must list the words it may be, the default among them, and be empty for anything else"
        return [Fault(f"{where}.choices", rule, repr(choices), "write the choices")]
    return []
