"""Small declarative predicates over the fact table, and the trace of what each came to and why.

A predicate is data: a leaf asks one fact one question, a group joins leaves by Kleene's logic. Nothing is
evaluated as code, and nothing that is missing counts as false.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from livingdrug.core.errors import InputError
from livingdrug.core.units import convert
from livingdrug.options.facts import Fact, FactTable, FactValue
from livingdrug.options.states import FactState, join_all, join_any, join_at_least

Operand = float | str | bool | tuple[float, ...] | tuple[str, ...]


def _number(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


OPERATORS: Mapping[str, Callable[[FactValue, Any], bool]] = MappingProxyType(
    {
        "eq": lambda value, other: value == other,
        "in": lambda value, others: value in others,
        "gte": lambda value, other: _number(value) >= other,
        "gt": lambda value, other: _number(value) > other,
        "lte": lambda value, other: _number(value) <= other,
        "lt": lambda value, other: _number(value) < other,
        "between": lambda value, limits: limits[0] <= _number(value) <= limits[1],
        "within_days": lambda value, days: _number(value) < days,
    }
)
"""Questions that a leaf may ask; ``within_days`` is asked of a number of days since something."""
GROUPS = ("all", "any", "not", "at_least")
NUMERIC = frozenset({"gte", "gt", "lte", "lt", "between", "within_days"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question of one fact.

    Parameters
    ----------
    fact : str
    operator : str
        A name of OPERATORS, or ``exists``.
    value : what it is compared with
    unit : str
        Of the value; it is converted to the fact's unit, and one that does not convert leaves the leaf unknown.
    ask : str
        The question that would resolve an unknown.
    max_age_days : float, optional
        How old the fact may be, in place of the table's limit.
    any_of : bool
        Whether a fact that holds several is met by one of them, rather than in conflict where they differ.
    """

    fact: str
    operator: str
    value: Operand
    unit: str = ""
    ask: str = ""
    max_age_days: float | None = None
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Predicates joined by ``all``, ``any``, ``not`` or ``at_least`` (``count`` of them)."""

    kind: str
    parts: "tuple[Predicate, ...]"
    count: int = 0


@dataclass(frozen=True, slots=True)
class Unread:
    """A criterion that no machine reads; its text is shown as it stands."""

    text: str


Predicate = Leaf | Group | Unread


@dataclass(frozen=True, slots=True)
class Trace:
    """What a predicate came to.

    Parameters
    ----------
    state : FactState
    predicate : Predicate
    facts : tuple of Fact
        Those that were asked, also where they are stale.
    asks : tuple of str
        The questions that would resolve it.
    reason : str
        Why it is not known.
    parts : tuple of Trace
    """

    state: FactState
    predicate: Predicate
    facts: tuple[Fact, ...] = ()
    asks: tuple[str, ...] = ()
    reason: str = ""
    parts: "tuple[Trace, ...]" = ()


def evaluate(predicate: Predicate, table: FactTable) -> Trace:
    """Ask a predicate of a patient's facts.

    Examples
    --------
    >>> table = FactTable({"ecog": (Fact("ecog", 1.0, "score", 20.0, "observations", 7),)}, day=30.0)
    >>> evaluate(Leaf("ecog", "lte", 1.0), table).state, evaluate(Leaf("age_years", "gte", 18.0), table).state
    (<FactState.MET: 'met'>, <FactState.UNKNOWN: 'unknown'>)
    """
    if isinstance(predicate, Unread):
        return Trace(FactState.UNSUPPORTED, predicate, reason="not machine readable")
    if isinstance(predicate, Leaf):
        return _ask(predicate, table)
    parts = tuple(evaluate(part, table) for part in predicate.parts)
    states = [part.state for part in parts]
    if predicate.kind == "not":
        state = ~states[0]
    elif predicate.kind == "at_least":
        state = join_at_least(predicate.count, states)
    else:
        state = join_all(states) if predicate.kind == "all" else join_any(states)
    deciding = [part for part in parts if part.state is state or predicate.kind == "not"]
    facts = tuple(dict.fromkeys(fact for part in deciding or parts for fact in part.facts))
    asks = tuple(dict.fromkeys(ask for part in parts for ask in part.asks)) if state.truth == "unknown" else ()
    reason = next((part.reason for part in parts if part.state is state and part.reason), "")
    return Trace(state, predicate, facts, asks, reason, parts)


def _ask(leaf: Leaf, table: FactTable) -> Trace:
    known = table.find(leaf.fact)
    asks = (leaf.ask or f"{leaf.fact}?",)
    if not known:
        return Trace(FactState.UNKNOWN, leaf, asks=asks, reason="not in the record")
    fresh = [fact for fact in known if not table.is_stale(fact, leaf.max_age_days)]
    if not fresh:
        reason = f"stale: last known on day {known[0].day:g}"
        return Trace(FactState.UNKNOWN, leaf, known, asks, reason)
    answers = {_compare(leaf, fact) for fact in fresh}
    facts = tuple(fresh)
    if leaf.any_of and True in answers:
        return Trace(FactState.MET, leaf, tuple(f for f in fresh if _compare(leaf, f)))
    if None in answers:
        return Trace(FactState.UNKNOWN, leaf, facts, asks, "the unit or kind of the value does not fit")
    if len(answers) > 1:
        return Trace(FactState.CONFLICT, leaf, facts, asks, "rows of the record disagree across the threshold")
    return Trace(FactState.MET if answers == {True} else FactState.NOT_MET, leaf, facts)


def _compare(leaf: Leaf, fact: Fact) -> bool | None:
    if leaf.operator == "exists":
        return fact.value is not False if leaf.value else fact.value is False
    value = leaf.value
    if leaf.operator in NUMERIC and (isinstance(fact.value, str | bool)):
        return None
    if leaf.unit and leaf.unit != fact.unit:
        numbers = value if isinstance(value, tuple) else (value,)
        converted = [convert(float(number), leaf.unit, fact.unit) if fact.unit else None for number in numbers]
        if None in converted:
            return None
        value = tuple(n for n in converted if n is not None)
        value = value if isinstance(leaf.value, tuple) else value[0]
    if fact.censored != "none":
        return _compare_censored(leaf.operator, fact, value)
    return OPERATORS[leaf.operator](fact.value, value)


def _compare_censored(operator: str, fact: Fact, limit: object) -> bool | None:
    """Answer for a value that is only known to lie below, or above, what is written; None where that is not enough."""
    known, is_below = _number(fact.value), fact.censored == "left"
    if operator in {"gte", "gt"}:
        return (False if known <= _number(limit) else None) if is_below else (True if known >= _number(limit) else None)
    if operator in {"lte", "lt", "within_days"}:
        return (True if known <= _number(limit) else None) if is_below else (False if known >= _number(limit) else None)
    return None


def encode_predicate(predicate: Predicate) -> dict[str, Any]:
    """Return a predicate as the plain data that :func:`decode_predicate` reads.

    Examples
    --------
    >>> encode_predicate(Group("not", (Leaf("prior.car_t", "eq", True),)))
    {'not': {'fact': 'prior.car_t', 'eq': True}}
    """
    if isinstance(predicate, Unread):
        return {"text": predicate.text}
    if isinstance(predicate, Leaf):
        value = list(predicate.value) if isinstance(predicate.value, tuple) else predicate.value
        plain: dict[str, Any] = {"fact": predicate.fact, predicate.operator: value}
        rest = {"unit": predicate.unit, "ask": predicate.ask, "max_age_days": predicate.max_age_days}
        plain |= {name: given for name, given in rest.items() if given not in ("", None)}
        return plain | ({"any_of": True} if predicate.any_of else {})
    parts = [encode_predicate(part) for part in predicate.parts]
    if predicate.kind == "not":
        return {"not": parts[0]}
    return (
        {"at_least": {"k": predicate.count, "of": parts}} if predicate.kind == "at_least" else {predicate.kind: parts}
    )


def decode_predicate(plain: Mapping[str, Any]) -> Predicate:
    """Read a predicate from plain data.

    Raises
    ------
    InputError
        If it is neither a group, nor a leaf with one known operator, nor a text.

    Examples
    --------
    >>> decode_predicate({"fact": "ecog", "between": [0, 1]})
    Leaf(fact='ecog', operator='between', value=(0, 1), unit='', ask='', max_age_days=None, any_of=False)
    """
    for kind in GROUPS:
        if kind in plain and len(plain) == 1:
            return _decode_group(kind, plain[kind])
    if set(plain) == {"text"}:
        return Unread(str(plain["text"]))
    known = [name for name in (*OPERATORS, "exists") if name in plain]
    rest = set(plain) - {"fact", "unit", "ask", "max_age_days", "any_of", *known}
    if "fact" not in plain or len(known) != 1 or rest:
        kinds = ", ".join((*OPERATORS, "exists"))
        raise InputError(
            f"a predicate must be one of {', '.join(GROUPS)}, a text, or a fact with one operator, but was "
            f"{dict(plain)!r}. Hint: operators are {kinds}."
        )
    value = plain[known[0]]
    return Leaf(
        str(plain["fact"]),
        known[0],
        tuple(value) if isinstance(value, list) else value,
        unit=str(plain.get("unit", "")),
        ask=str(plain.get("ask", "")),
        max_age_days=plain.get("max_age_days"),
        any_of=bool(plain.get("any_of", False)),
    )


def _decode_group(kind: str, inner: Any) -> Group:
    if kind == "not":
        return Group("not", (decode_predicate(inner),))
    if kind == "at_least":
        return Group(kind, tuple(decode_predicate(part) for part in inner["of"]), int(inner["k"]))
    return Group(kind, tuple(decode_predicate(part) for part in inner))
