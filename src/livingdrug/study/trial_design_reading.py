"""Read a trial's design from TOML; every fault at once, with its place, the rule and what to do."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from livingdrug.core.errors import Fault, InputError

NONE = "left out"


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a table: its kind, range and default; ``required`` fields have none."""

    kind: str
    default: Any = None
    low: float = 0.0
    high: float = float("inf")
    required: bool = False
    words: tuple[str, ...] = ()


LARGEST = 1e300
"""Numbers beyond it are none of a trial; a whole number may have any length."""
KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "text": ("a text that is not empty", lambda v: isinstance(v, str) and bool(v.strip())),
    "number": ("a number", lambda v: isinstance(v, int | float) and not isinstance(v, bool) and -LARGEST < v < LARGEST),
    "whole": ("a whole number", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    "truth": ("true or false", lambda v: isinstance(v, bool)),
    "table": ("a table", lambda v: isinstance(v, dict)),
    "tables": ("a list of tables", lambda v: isinstance(v, list) and all(isinstance(e, dict) for e in v)),
    "numbers": ("a list of numbers", lambda v: isinstance(v, list) and all(KINDS["number"][1](e) for e in v)),
    "date": ("a date, as 2026-01-31", lambda v: hasattr(v, "toordinal")),
    "scale": ("true, false or a number", lambda v: isinstance(v, bool) or KINDS["number"][1](v)),
}


@dataclass(slots=True)
class Reader:
    """Reads tables and collects what is wrong with them.

    Examples
    --------
    >>> reader = Reader("trial.toml")
    >>> reader.read({"n": -1, "nam": "x"}, "arm[1]", {"n": Entry("whole", low=1), "name": Entry("text", "a")})
    {'n': None, 'name': 'a'}
    >>> print(*reader.faults, sep=chr(10))
    trial.toml, arm[1].nam: must be a field of the table, but was 'x'. Hint: did you mean name.
    trial.toml, arm[1].n: must be at least 1, but was -1. Hint: correct the number.
    """

    document: str
    faults: list[Fault] = field(default_factory=list)

    def add(self, where: str, rule: str, was: object, hint: str) -> None:
        """Note a fault."""
        shown = was if isinstance(was, str) and was in (NONE, "missing") else repr(was)
        self.faults.append(Fault(f"{self.document}, {where}", rule, str(shown), hint))

    def read(self, table: Mapping[str, Any], where: str, entries: Mapping[str, Entry]) -> dict[str, Any]:
        """Return every field of a table, with defaults; what is wrong is None."""
        prefix = f"{where}." if where else ""
        for name in table:
            if name not in entries:
                near = get_close_matches(name, entries, 1)
                hint = f"did you mean {near[0]}" if near else f"use {', '.join(entries)}"
                self.add(f"{prefix}{name}", "must be a field of the table", table[name], hint)
        return {name: self._read_entry(table, name, f"{prefix}{name}", entry) for name, entry in entries.items()}

    def _read_entry(self, table: Mapping[str, Any], name: str, where: str, entry: Entry) -> Any:
        if name not in table:
            if entry.required:
                self.add(where, "must be given", "missing", f"write {name} = {_show(entry)}")
            return entry.default
        value = table[name]
        words, is_right = KINDS[entry.kind]
        if not is_right(value):
            self.add(where, f"must be {words}", value, f"write {name} = {_show(entry)}")
            return None
        if entry.words and value not in entry.words:
            near = get_close_matches(str(value), entry.words, 1)
            hint = f"did you mean {str(near[0])!r}" if near else f"use {', '.join(entry.words)}"
            self.add(where, "must be a known word", value, hint)
            return None
        return self._check_range(value, where, entry)

    def _check_range(self, value: Any, where: str, entry: Entry) -> Any:
        numbers = value if isinstance(value, list) else [value]
        if entry.kind not in ("number", "whole", "numbers", "scale"):
            return value
        for number in numbers:
            if not entry.low <= number <= entry.high:
                limit = "" if entry.high == float("inf") else f" and at most {entry.high:g}"
                self.add(where, f"must be at least {entry.low:g}{limit}", number, "correct the number")
                return None
        return value


def _show(entry: Entry) -> str:
    samples = {"text": '"..."', "whole": "100", "truth": "true", "numbers": "[28, 56]", "date": "2026-01-31"}
    if entry.words:
        return f'"{entry.words[0]}"'
    return samples.get(entry.kind, "1.0")


def load_document(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    InputError
        If it is not TOML in UTF-8.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        # beside what is no TOML or no UTF-8: a number of thousands of digits, thousands of nested brackets
        fault = Fault(str(path), "must be TOML in UTF-8", str(error).strip(), "correct the line that is named")
        raise InputError.from_faults(path.name, [fault]) from error
