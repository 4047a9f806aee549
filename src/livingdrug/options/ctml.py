"""Predicates as clauses of CTML, the language of MatchMiner for trials: ``and``, ``or``, ``clinical``, ``genomic``.

CTML asks for a diagnosis of OncoTree, an age and a sex; it has no word for performance status, an earlier CAR T-cell
therapy or an antigen. What it cannot say is not forced into it, and what it says that we do not ask is kept as text
that comes out again as it went in.
"""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from livingdrug.core.errors import InputError
from livingdrug.options.eligibility_disease import ask_disease
from livingdrug.options.oncotree_names import ONCOTREE, find_disease
from livingdrug.options.predicate import Group, Leaf, Predicate, Unread

Clause = dict[str, Any]
_COMPARE: Mapping[str, str] = MappingProxyType({"gte": ">=", "gt": ">", "lte": "<=", "lt": "<"})
_AGAINST: Mapping[str, str] = MappingProxyType({"gte": "lt", "gt": "lte", "lte": "gt", "lt": "gte"})
_AGE = re.compile(r"(>=|<=|>|<)\s*(\d+(?:\.\d+)?)")
_DISEASE = "disease."
_AGE_ASKED, _SEX_ASKED = "age at enrolment?", "sex?"


def encode_clause(predicate: Predicate) -> Clause | None:
    """Return a predicate as a clause of CTML; None where CTML cannot say all of it.

    Examples
    --------
    >>> encode_clause(Group("not", (ask_disease(["burkitt"]),)))
    {'clinical': {'oncotree_primary_diagnosis': '!Burkitt Lymphoma'}}
    >>> encode_clause(Leaf("ecog", "lte", 1.0)) is None
    True
    """
    return _encode(predicate, is_denied=False)


def _encode(predicate: Predicate, *, is_denied: bool) -> Clause | None:
    if isinstance(predicate, Unread):
        return None if is_denied else _read_kept(predicate.text)
    if isinstance(predicate, Leaf):
        return _encode_leaf(predicate, is_denied=is_denied)
    if predicate.kind == "not":
        return _encode(predicate.parts[0], is_denied=not is_denied)
    parts = [_encode(part, is_denied=is_denied) for part in predicate.parts]
    if not parts or any(part is None for part in parts) or predicate.kind == "at_least":
        return None
    word = "and" if (predicate.kind == "all") != is_denied else "or"
    return {word: parts}


def _encode_leaf(leaf: Leaf, *, is_denied: bool) -> Clause | None:
    if leaf.fact == "age_years" and leaf.operator in _COMPARE:
        operator = _AGAINST[leaf.operator] if is_denied else leaf.operator
        return {"clinical": {"age_numerical": f"{_COMPARE[operator]}{leaf.value:g}"}}
    if leaf.operator != "eq":
        return None
    mark = "!" if is_denied != (leaf.value is False) else ""
    name = ONCOTREE.get(leaf.fact.removeprefix(_DISEASE)) if leaf.fact.startswith(_DISEASE) else None
    if name is not None:
        return {"clinical": {"oncotree_primary_diagnosis": f"{mark}{name}"}}
    if leaf.fact == "sex" and isinstance(leaf.value, str):
        return {"clinical": {"gender": f"{mark}{leaf.value.capitalize()}"}}
    return None


def decode_clause(clause: Any, where: str = "match") -> Predicate:
    """Read a clause of CTML; what we do not ask of a patient is kept as text.

    Raises
    ------
    InputError
        If it is not a mapping, or ``and`` and ``or`` do not hold a list.

    Examples
    --------
    >>> decode_clause({"and": [{"clinical": {"age_numerical": ">=18"}}, {"genomic": {"hugo_symbol": "BRAF"}}]}).parts
    ... # doctest: +NORMALIZE_WHITESPACE
    (Leaf(fact='age_years', operator='gte', value=18.0, unit='', ask='age at enrolment?', max_age_days=None,
     any_of=False), Unread(text='{"genomic": {"hugo_symbol": "BRAF"}}'))
    """
    if not isinstance(clause, dict) or not clause:
        raise InputError(f"`{where}` must be a clause such as {{'clinical': {{...}}}}, but was {clause!r}.")
    parts = [_decode_entry(str(key), value, f"{where}.{key}") for key, value in clause.items()]
    return parts[0] if len(parts) == 1 else Group("all", tuple(parts))


def _decode_entry(key: str, value: Any, where: str) -> Predicate:
    word = key.lower()
    if word in {"and", "or"}:
        if not isinstance(value, list) or not value:
            raise InputError(f"`{where}` must be a list of clauses, but was {value!r}. Hint: write each with a dash.")
        parts = tuple(decode_clause(part, f"{where}[{number}]") for number, part in enumerate(value))
        return Group("all" if word == "and" else "any", parts)
    if word == "clinical" and isinstance(value, dict) and value:
        leaves = tuple(_decode_clinical(str(name), given) for name, given in value.items())
        return leaves[0] if len(leaves) == 1 else Group("all", leaves)
    return _keep({key: value})


def _decode_clinical(name: str, value: Any) -> Predicate:
    reader = _CLINICAL.get(name.lower())
    text = str(value).strip()
    is_denied = text.startswith("!")
    found = None if reader is None else reader(text.removeprefix("!").strip())
    if found is None:
        return _keep({"clinical": {name: value}})
    return Group("not", (found,)) if is_denied else found


def _read_age(text: str) -> Predicate | None:
    found = _AGE.fullmatch(text)
    if found is None:
        return None
    operator = next(name for name, sign in _COMPARE.items() if sign == found[1])
    return Leaf("age_years", operator, float(found[2]), ask=_AGE_ASKED)


def _read_diagnosis(text: str) -> Predicate | None:
    name = find_disease(text)
    return ask_disease([name]) if name else None


def _read_sex(text: str) -> Predicate | None:
    return Leaf("sex", "eq", text.lower(), ask=_SEX_ASKED) if text.lower() in {"female", "male"} else None


_CLINICAL: Mapping[str, Callable[[str], Predicate | None]] = MappingProxyType(
    {"age_numerical": _read_age, "oncotree_primary_diagnosis": _read_diagnosis, "gender": _read_sex}
)


def _keep(clause: Clause) -> Unread:
    return Unread(json.dumps(clause, ensure_ascii=False))


def _read_kept(text: str) -> Clause | None:
    """Return the clause that a text was made of; None where it is the text of a registry."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and found else None
