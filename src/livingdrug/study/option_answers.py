"""Answers to the questions that options ask: a CSV file with one fact a line.

Columns ``fact, value``, and where they are known ``unit, day, note``. A fact is a name of ``option_facts.toml``.
"""

import csv
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from livingdrug.core.errors import Fault, InputError
from livingdrug.core.units import convert
from livingdrug.knowledge.options import FactWord
from livingdrug.options.facts import Fact, FactValue

COLUMNS = ("fact", "value", "unit", "day", "note")
TRUTHS = {"yes": True, "true": True, "no": False, "false": False}


def read_answers(path: Path, words: Mapping[str, FactWord]) -> tuple[Fact, ...]:
    """Read answers; empty values are unknown and left out.

    Raises
    ------
    InputError
        With every fault.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = [name for name in ("fact", "value") if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(
                f"`{path}` must have the columns fact and value, but had {reader.fieldnames}. Hint: add them."
            )
        rows = list(reader)
    faults: list[Fault] = []
    facts = [fact for number, row in enumerate(rows, start=2) for fact in _read(row, number, path.name, words, faults)]
    if faults:
        raise InputError.from_faults(str(path), faults)
    return tuple(facts)


def _read(
    row: Mapping[str, str | None], line: int, file: str, words: Mapping[str, FactWord], faults: list[Fault]
) -> Iterator[Fact]:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    where = f"{file}, row {line}"
    if not cells["value"] or cells["value"].lower() == "unknown":
        return
    word = words.get(cells["fact"])
    if word is None:
        near = get_close_matches(cells["fact"], words, 1)
        hint = f"did you mean {near[0]}?" if near else "livingdrug knowledge facts lists them"
        faults.append(Fault(f"{where}, column fact", "must be a known fact", repr(cells["fact"]), hint))
        return
    day = _number(cells["day"]) if cells["day"] else None
    if cells["day"] and day is None:
        faults.append(Fault(f"{where}, column day", "must be a number", repr(cells["day"]), "count days from infusion"))
        return
    value, rule = _decode(cells["value"], cells["unit"], word)
    if value is None:
        faults.append(Fault(f"{where}, column value", rule, repr(cells["value"]), "correct it, or leave it empty"))
        return
    yield Fact(word.name, value, word.unit, day, file, line, note=cells["note"])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _decode(text: str, unit: str, word: FactWord) -> tuple[FactValue | None, str]:
    if word.kind == "truth":
        return TRUTHS.get(text.lower()), "must be yes or no"
    if word.kind == "word":
        is_known = not word.words or text in word.words
        return (text if is_known else None), f"must be one of {', '.join(word.words)}"
    number = _number(text)
    if number is None:
        return None, "must be a number"
    if unit and unit != word.unit:
        return convert(number, unit, word.unit), f"must have a unit that converts to {word.unit}"
    return number, ""
