"""The typed fact table: what is known of one patient, each fact with its value, unit, day, file and row.

A fact that is absent is unknown, never false. Of a name that was stated several times the latest day counts;
what two rows of one day say differently is kept twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from livingdrug.core.patient import Product

FactValue = float | str | bool
"""A number in its canonical unit, a word, or yes and no."""
_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}
_INFUSIONS = ("car_t", "second_infusion", "other_car_t")
_OWN_COLUMNS = ("subject_id", "source", "row")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a patient.

    Parameters
    ----------
    name : str
        ``ecog``, ``prior.car_t.CD19``, ``antigen_positive_fraction:CD19``.
    value : number, word or truth
    unit : str
        Empty where there is none.
    day : float, optional
        Day after infusion; None where the fact has no day, such as sex.
    file, row : str and int, optional
        Where it stands in the record; the row is the line of the file.
    censored : str
        ``left`` where the true value lies below the value, ``right`` where it lies above it.
    note : str
        How it was obtained.
    """

    name: str
    value: FactValue
    unit: str = ""
    day: float | None = None
    file: str = ""
    row: int | None = None
    censored: str = "none"
    note: str = ""


@dataclass(frozen=True, slots=True)
class FactTable:
    """Every fact of one patient as of one day.

    Parameters
    ----------
    facts : mapping of name to facts
        The latest day only; more than one where rows of one day differ.
    day : float
        The day as of which they are asked.
    max_age_days : mapping of name to number
        How old a fact may be; a name covers what follows after a point or colon.
    """

    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    day: float = 0.0
    max_age_days: Mapping[str, float] = field(default_factory=dict)

    def find(self, name: str) -> tuple[Fact, ...]:
        """Return what is known under a name; empty where nothing is."""
        return self.facts.get(name, ())

    def find_limit(self, name: str) -> float | None:
        """Return how old a fact may be; None where it does not age.

        Examples
        --------
        >>> FactTable(max_age_days={"antigen": 180.0}).find_limit("antigen.CD19")
        180.0
        """
        limit = self.max_age_days.get(name)
        return self.max_age_days.get(name.replace(":", ".").partition(".")[0]) if limit is None else limit

    def is_stale(self, fact: Fact, max_age_days: float | None = None) -> bool:
        """Whether a fact is older than a rule, or else its kind, allows."""
        limit = self.find_limit(fact.name) if max_age_days is None else max_age_days
        return limit is not None and fact.day is not None and self.day - fact.day > limit


def create_fact_table(facts: Iterable[Fact], day: float, max_age_days: Mapping[str, float] | None = None) -> FactTable:
    """Keep of each name what was known last on a day; what came later is not known yet.

    Examples
    --------
    >>> table = create_fact_table([Fact("ecog", 0.0, day=1.0), Fact("ecog", 2.0, day=9.0)], day=10.0)
    >>> [fact.value for fact in table.find("ecog")], table.find("ldh")
    ([2.0], ())
    """
    known: dict[str, list[Fact]] = {}
    for fact in facts:
        if fact.day is None or fact.day <= day:
            known.setdefault(fact.name, []).append(fact)
    latest = {}
    for name, group in known.items():
        last = max((fact.day for fact in group if fact.day is not None), default=None)
        kept = [fact for fact in group if fact.day == last]
        latest[name] = tuple({(fact.value, fact.censored): fact for fact in kept}.values())
    return FactTable(latest, day, dict(max_age_days or {}))


def list_subject_facts(subject: Mapping[str, Any]) -> Iterator[Fact]:
    """List what a row of subjects.csv states; a further column is a fact of its own name.

    Examples
    --------
    >>> [(f.name, f.value) for f in list_subject_facts({"age_years": 61.0, "prior.car_t.CD22": "no"})]
    [('age_years', 61.0), ('prior.car_t.CD22', False)]
    """
    for name, value in subject.items():
        if name in _OWN_COLUMNS or value is None or value in {"", "unknown"}:
            continue
        typed = _TRUTHS.get(value.lower(), value) if isinstance(value, str) else value
        unit = {"age_years": "a", "weight_kg": "kg"}.get(name, "")
        yield Fact(name, typed, unit, file="subjects.csv", row=subject.get("row"))


def list_event_facts(events: Iterable[Mapping[str, Any]], product: str, day: float) -> Iterator[Fact]:
    """List the CAR T-cell therapies that a record holds, with the days since each, and that other events happened.

    A CAR T-cell therapy that is not in the record is not known not to have been given.

    Examples
    --------
    >>> events = [{"day": 0.0, "type": "car_t", "row": 4}]
    >>> [(f.name, f.value, f.row) for f in list_event_facts(events, "ide_cel", 100.0)]
    ... # doctest: +NORMALIZE_WHITESPACE
    [('event.car_t', True, 4), ('prior.car_t', True, 4), ('prior.car_t.days', 100.0, 4),
     ('prior.car_t.BCMA', True, 4), ('prior.car_t.BCMA.days', 100.0, 4)]
    """
    for event in events:
        kind, when, row = event["type"], event["day"], event.get("row")
        if when is None or when > day:
            continue
        yield Fact(f"event.{kind}", value=True, day=when, file="events.csv", row=row, note=event.get("note") or "")
        if kind not in _INFUSIONS:
            continue
        target = "" if kind == "other_car_t" else Product(product).target
        for name in ("prior.car_t", *([f"prior.car_t.{target}"] if target else [])):
            yield Fact(name, value=True, day=when, file="events.csv", row=row)
            yield Fact(f"{name}.days", day - when, "d", when, "events.csv", row)


def list_observation_facts(observations: Iterable[Mapping[str, Any]]) -> Iterator[Fact]:
    """List what observations.csv states: each variable under its name, numbers in canonical units.

    Examples
    --------
    >>> row = {"day": 20.0, "variable": "ecog", "value": 1.0, "unit": "score", "row": 7}
    >>> [(f.name, f.value, f.unit, f.row) for f in list_observation_facts([row])]
    [('ecog', 1.0, 'score', 7)]
    """
    for row in observations:
        censored = row.get("censored") or "none"
        value = row.get("lloq") if censored == "left" else row.get("value")
        value = row.get("text") if value is None else value
        if value is None or value in {"", "unknown"} or censored == "interval":
            continue
        unit, note = row.get("unit") or "", row.get("assay") or ""
        yield Fact(row["variable"], value, unit, row["day"], "observations.csv", row.get("row"), censored, note)
