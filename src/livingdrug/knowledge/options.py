"""Load options after a failure and the evidence that they rest on: one file an option, one file an item."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from livingdrug.core.errors import Fault, KnowledgeError
from livingdrug.core.evidence_item import EvidenceItem, EvidenceSource
from livingdrug.core.option import Option

Shape = TypeVar("Shape", bound=BaseModel)
FACT_KINDS = ("number", "word", "truth")
SOURCES = "sources"


@dataclass(frozen=True, slots=True)
class FactWord:
    """One fact that rules may ask: its kind and unit, and the question that would tell it."""

    name: str
    kind: str
    meaning: str
    ask: str
    unit: str = ""
    words: tuple[str, ...] = ()
    max_age: float | None = None


@dataclass(frozen=True, slots=True)
class OptionKnowledge:
    """Everything about options.

    Parameters
    ----------
    options, evidence, sources, facts : mapping of name to what it names
    excluded : mapping
        What the reference names and no option covers, with the reason.
    targets : mapping of a drug to the antigens that it binds
    baselines : mapping of disease to evidence items
        What became of all patients, whatever was done.
    pooled : mapping of id to salvage treatment of any kind
        What publications pool; never listed among the options.
    """

    options: Mapping[str, Option]
    evidence: Mapping[str, EvidenceItem]
    sources: Mapping[str, EvidenceSource]
    facts: Mapping[str, FactWord]
    excluded: Mapping[str, str]
    targets: Mapping[str, tuple[str, ...]]
    baselines: Mapping[str, tuple[str, ...]]
    pooled: Mapping[str, Option]


def _read(*place: str) -> tuple[dict[str, Any], list[Fault]]:
    path = files("livingdrug.knowledge").joinpath("data", *place)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), []
    except tomllib.TOMLDecodeError as error:
        return {}, [Fault("/".join(place), "must be TOML", str(error), "correct it")]


def decode(shape: type[Shape], document: Mapping[str, Any], where: str) -> tuple[Shape | None, list[Fault]]:
    """Read one document by its schema; every fault with its path.

    Examples
    --------
    >>> decode(EvidenceSource, {"title": "On x", "doi": "x"}, "sources.x")[1][0].where
    'sources.x.doi'
    """
    try:
        return shape.model_validate(document), []
    except ValidationError as error:
        return None, [
            Fault(
                ".".join([where, *map(str, found["loc"])]),
                found["msg"].removeprefix("Value error, "),
                repr(found["input"])[:80],
                "see the schema in docs/reference",
            )
            for found in error.errors()
        ]


def _read_folder(folder: str, shape: type[Shape], key: Callable[[Shape], str]) -> tuple[dict[str, Shape], list[Fault]]:
    found: dict[str, Shape] = {}
    faults: list[Fault] = []
    names = sorted(e.name for e in files("livingdrug.knowledge").joinpath("data", folder).iterdir())
    for name in names:
        stem = name.removesuffix(".toml")
        if stem == SOURCES or not name.endswith(".toml"):
            continue
        document, more = _read(folder, name)
        one, wrong = decode(shape, document, f"{folder}/{stem}") if not more else (None, [])
        faults += more + wrong
        if one is not None and key(one) != stem:
            faults.append(Fault(f"{folder}/{name}", "id must be the name of the file", repr(key(one)), "rename one"))
        if one is not None:
            found[stem] = one
    return found, faults


def _read_facts() -> tuple[dict[str, FactWord], list[Fault]]:
    document, faults = _read("option_facts.toml")
    found = {}
    for name, table in document.items():
        try:
            word = FactWord(name, **{**table, "words": tuple(table.get("words", ()))})
        except TypeError as error:
            faults.append(Fault(f"option_facts.{name}", "must have the fields of a fact", str(error), "correct it"))
            continue
        if word.kind not in FACT_KINDS:
            rule = f"kind must be one of {', '.join(FACT_KINDS)}"
            faults.append(Fault(f"option_facts.{name}.kind", rule, repr(word.kind), "correct it"))
        found[name] = word
    return found, faults


def read_options() -> tuple[OptionKnowledge, list[Fault]]:
    """Read everything about options with its faults; what is at fault is left out."""
    options, faults = _read_folder("options", Option, lambda one: one.id)
    pooled, more = _read_folder("salvage", Option, lambda one: one.id)
    faults += more
    evidence, more = _read_folder("evidence", EvidenceItem, lambda one: one.id)
    faults += more
    document, more = _read("evidence", f"{SOURCES}.toml")
    faults += more
    sources = {}
    for name, table in document.items():
        source, more = decode(EvidenceSource, table, f"{SOURCES}.{name}")
        faults += more
        if source is not None:
            sources[name] = source
    facts, more = _read_facts()
    excluded, worse = _read("option_exclusions.toml")
    faults += more + worse
    reasons = {name: str(table.get("reason", "")) for name, table in excluded.items()}
    targets, more = _read("drug_targets.toml")
    baselines, worse = _read("option_baselines.toml")
    binds, rows = ({name: tuple(values) for name, values in table.items()} for table in (targets, baselines))
    known = OptionKnowledge(options, evidence, sources, facts, reasons, binds, rows, pooled)
    return known, [*faults, *more, *worse]


@cache
def load_options() -> OptionKnowledge:
    """Load everything about options.

    Raises
    ------
    KnowledgeError
        If a file does not follow its schema.

    Examples
    --------
    >>> load_options().options["myeloma.bispecific.gprc5d"].intervention.targets
    ('GPRC5D',)
    """
    known, faults = read_options()
    if faults:
        raise KnowledgeError("\n".join(["options must be sound, but have faults:", *map(str, faults)]))
    return known
