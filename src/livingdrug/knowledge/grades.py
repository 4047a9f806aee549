"""Graded laboratory terms from a decoded ruleset: ``[[term]]`` tables, compact, each number with its provenance.

A term says once where its numbers stand; a grade is a list of clauses, one of which must hold::

    [[term]]
    name      = "Anemia"
    variables = ["haemoglobin"]
    direction = "low"
    unit      = "g/L"
    source    = "ctcae5"
    where     = "Blood and lymphatic system disorders"
    how       = "reported"
    grade_3   = [{ below = 80 }]
    grade_1   = [{ below = 1, of = "lower_limit" }]

``of`` makes the number a multiple of a limit of normal or of baseline, ``add_to`` an amount above it;
``us`` is the bound as printed in ``us_unit``; ``when`` must hold besides, ``if`` is what no laboratory measures;
``unsigned`` marks a range that is printed without a sign where it starts.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args

from livingdrug.core.errors import Fault
from livingdrug.core.grading import Clause, Comparison, Condition, Qualifier, Reference, Sense, Term
from livingdrug.core.parameters import Value
from livingdrug.core.variables import VARIABLES, compute_variable_conversion
from livingdrug.knowledge.provenance import decode_value, is_number

_SENSES: tuple[Sense, ...] = get_args(Sense)
_REFERENCES = tuple(name for name in get_args(Reference) if name)
_CONDITIONS = tuple(name for name in get_args(Condition) if name)
_QUALIFIERS = tuple(name for name in get_args(Qualifier) if name)
_TEXTS = ("name", "direction", "source", "where", "how")
_GRADES = {f"grade_{grade}": grade for grade in (4, 3, 2, 1)}
_FIELDS = (*_TEXTS, "variables", "unit", "us_unit", "note", "needs", "ungraded", *_GRADES)
_CLAUSE = (*_SENSES, "us", "of", "add_to", "when", "if", "unsigned")

Decoded = tuple[tuple[Term, ...], dict[str, Value], list[Fault]]


def decode_terms(tables: Any, name: str) -> Decoded:
    """Read the ``[[term]]`` tables of a ruleset.

    Returns
    -------
    terms : tuple of Term
    values : dict
        Every number of every term by ``term.grade.place``, so that its provenance is checked like any other.
    faults : list of Fault

    Examples
    --------
    >>> anaemia = {"name": "Anemia", "variables": ["haemoglobin"], "direction": "low", "unit": "g/L",
    ...            "source": "ctcae5", "where": "Anemia", "how": "reported", "grade_3": [{"below": 80}]}
    >>> terms, values, faults = decode_terms([anaemia], "x/1")
    >>> list(values), values["anemia.grade_3.1"].value, faults
    (['anemia.grade_3.1'], 80.0, [])
    >>> print(*decode_terms([{**anaemia, "grade_3": [{"under": 80}]}], "x/1")[2])
    x/1.anemia.grade_3.1: must compare with one number, or lie between two, but was {'under': 80}. Hint: use above, ...
    """
    if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
        return (), {}, [Fault(f"{name}.term", "must be a list of tables", repr(tables), "write [[term]]")]
    terms: list[Term] = []
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    for place, table in enumerate(tables, start=1):
        slug = _slug(table.get("name")) or f"term {place}"
        reader = _TermReader(table, f"{name}.{slug}")
        term = reader.read()
        faults += reader.faults
        values |= {f"{slug}.{key}": value for key, value in reader.values.items()}
        if term is not None:
            terms.append(term)
    names = [term.name.casefold() for term in terms]
    again = sorted({text for text in names if names.count(text) > 1})
    faults += [Fault(f"{name}.term", "must have a name of its own", repr(text), "remove one") for text in again]
    return tuple(terms), values, faults


def _slug(text: object) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") if isinstance(text, str) else ""


class _TermReader:
    """One ``[[term]]`` table, and the faults and numbers found in it."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.table, self.where = table, where
        self.faults: list[Fault] = []
        self.values: dict[str, Value] = {}

    def read(self) -> Term | None:
        """Return the term; None if there is a fault."""
        self._check_fields()
        if self.faults:
            return None
        grades = {grade: self._read_clauses(key) for key, grade in _GRADES.items() if key in self.table}
        if not grades:
            self._add("", "must have a grade", "none", "write grade_1 = [{ ... }]")
        ungraded = self._read_clauses("ungraded") if "ungraded" in self.table else ()
        if self.faults:
            return None
        return Term(
            self.table["name"],
            tuple(self.table["variables"]),
            self.table["direction"],
            MappingProxyType(grades),
            self.table.get("unit", ""),
            self.table.get("us_unit", ""),
            tuple(self.table.get("needs", ())),
            ungraded,
        )

    def _add(self, key: str, rule: str, was: object, hint: str) -> None:
        self.faults.append(Fault(f"{self.where}.{key}".rstrip("."), rule, str(was), hint))

    def _check_fields(self) -> None:
        table = self.table
        for key in table:
            if key not in _FIELDS:
                self._add(key, "must be a field of a term", "unknown", f"use {', '.join(_FIELDS)}")
        for key in _TEXTS:
            if not (isinstance(table.get(key), str) and table[key].strip()):
                self._add(key, "must be a text that is not empty", repr(table.get(key, "missing")), f"say the {key}")
        if table.get("direction") not in ("low", "high"):
            self._add("direction", "must be low or high", repr(table.get("direction")), "use one of them")
        needs = table.get("needs", [])
        if not (isinstance(needs, list) and all(need in _REFERENCES for need in needs)):
            self._add("needs", f"must list {', '.join(_REFERENCES)}", repr(needs), "correct it")
        self._check_variables()

    def _check_variables(self) -> None:
        variables = self.table.get("variables")
        if not (isinstance(variables, list) and variables and all(name in VARIABLES for name in variables)):
            self._add("variables", "must list known variables", repr(variables), "see the list of variables")
            return
        for key in ("unit", "us_unit"):
            unit = self.table.get(key)
            if unit is None:
                continue
            for variable in variables:
                if not isinstance(unit, str) or compute_variable_conversion(variable, unit) is None:
                    self._add(key, f"must convert to the unit of {variable}", repr(unit), "correct one of the two")

    def _read_clauses(self, key: str) -> tuple[Clause, ...]:
        tables = self.table[key]
        if not isinstance(tables, list) or not tables or not all(isinstance(t, Mapping) for t in tables):
            self._add(key, "must list clauses", repr(tables), "write [{ below = 1.0 }]")
            return ()
        found = [self._read_clause(table, f"{key}.{place}") for place, table in enumerate(tables, start=1)]
        return tuple(clause for clause in found if clause is not None)

    def _read_clause(self, table: Mapping[str, Any], key: str) -> Clause | None:
        senses = [sense for sense in _SENSES if sense in table]
        if not 1 <= len(senses) <= 2 or not all(is_number(table[sense]) for sense in senses):
            rule = "must compare with one number, or lie between two"
            self._add(key, rule, repr(dict(table)), "use above, ...")
            return None
        self._check_clause(table, key)
        is_added, is_unsigned = "add_to" in table, bool(table.get("unsigned", False))
        of = table.get("add_to", table.get("of", ""))
        unit = self._find_unit(senses[0], of, is_added=is_added)
        comparisons = []
        for place, sense in enumerate(senses):
            path = key if place == 0 else f"{key}.to"
            printed = self._read_value(table[sense], unit, path)
            us = self._read_value(table["us"], self.table.get("us_unit", ""), f"{path}.us") if "us" in table else None
            if printed is not None:
                comparisons.append(Comparison(sense, printed, us))
        return Clause(tuple(comparisons), of, is_added, table.get("when", ""), table.get("if", ""), is_unsigned)

    def _find_unit(self, sense: Sense, of: str, *, is_added: bool) -> str:
        if sense.startswith("fall"):
            return "%"
        return "1" if of and not is_added else str(self.table.get("unit", "1"))

    def _check_clause(self, table: Mapping[str, Any], key: str) -> None:
        words = {"of": _REFERENCES, "add_to": _REFERENCES, "when": _CONDITIONS, "if": _QUALIFIERS}
        for field, known in words.items():
            if field in table and table[field] not in known:
                self._add(f"{key}.{field}", f"must be one of {', '.join(known)}", repr(table[field]), "use one")
        for field in table:
            if field not in _CLAUSE:
                self._add(f"{key}.{field}", "must be a field of a clause", "unknown", f"use {', '.join(_CLAUSE)}")
        is_absolute = "of" not in table and not any(sense.startswith("fall") for sense in table)
        is_printed_twice = "us_unit" in self.table and is_absolute
        if ("us" in table) != is_printed_twice:
            rule = "must be given exactly where the term has a us_unit and the number is an amount"
            self._add(f"{key}.us", rule, repr(table.get("us", "missing")), "add it or remove it")

    def _read_value(self, number: object, unit: str, key: str) -> Value | None:
        fields = {name: self.table[name] for name in ("source", "how", "note") if name in self.table}
        where = f"{self.table['where']}: {self.table['name']}, {key.split('.')[0].replace('_', ' ')}"
        value, faults = decode_value({"value": number, "unit": unit, "where": where, **fields}, f"{self.where}.{key}")
        self.faults += faults
        if value is not None:
            self.values[key] = value
        return value
