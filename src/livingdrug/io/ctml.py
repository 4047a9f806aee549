"""Trials as documents of CTML, the form that MatchMiner loads: JSON, or YAML where ``pyyaml`` is installed.

Beside the ``match`` that CTML defines, a written document holds every criterion verbatim under
``criteria_verbatim``; an engine of MatchMiner passes over that key, and reading the document gives all of it back.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from livingdrug.core.errors import Fault, InputError
from livingdrug.options.ctml import Clause, decode_clause, encode_clause
from livingdrug.options.predicate import Group, Predicate, Unread, decode_predicate, encode_predicate
from livingdrug.options.trial_criteria import Criterion
from livingdrug.options.trial_record import TrialRecord

VERBATIM = "criteria_verbatim"
SUFFIXES = (".json", ".yaml", ".yml")
SOURCE = "ctml"
_OPEN = "open to accrual"
_STATUS: Mapping[str, str] = MappingProxyType({"RECRUITING": _OPEN, "ENROLLING_BY_INVITATION": _OPEN})
Trial = tuple[TrialRecord, tuple[Criterion, ...]]


def encode_ctml(record: TrialRecord, criteria: Sequence[Criterion]) -> dict[str, Any]:
    """Return a trial as a document of CTML: what CTML can say in ``match``, everything verbatim beside it.

    Examples
    --------
    >>> from livingdrug.options.trial_criteria import list_criteria
    >>> record = TrialRecord("NCT00000001", eligibility="Inclusion Criteria: Myeloma; age 18-75 years; ECOG 0-1")
    >>> document = encode_ctml(record, list_criteria(record))
    >>> [row["in_match"] for row in document["criteria_verbatim"]]
    [True, True, False]
    """
    clauses: list[Clause] = []
    verbatim = []
    for criterion in criteria:
        clause = None if criterion.predicate is None else encode_clause(criterion.predicate)
        clauses += [clause] if clause is not None and clause not in clauses else []
        verbatim.append(_encode_criterion(criterion, is_in_match=clause is not None))
    arm = {"arm_code": "1", "arm_description": record.title, "arm_internal_id": 1, "arm_suspended": "N"}
    match = [{"and": clauses}] if clauses else []
    step = {"step_code": "1", "step_internal_id": 1, "step_type": "Registration"}
    return {
        "nct_id": record.nct_id,
        "protocol_no": record.nct_id,
        "short_title": record.title,
        "phase": ", ".join(record.phases),
        "status": _STATUS.get(record.status, "closed to accrual"),
        "registry_status": record.status,
        "registry_updated": record.updated,
        "summary": record.summary,
        "treatment_list": {"step": [{**step, "arm": [{**arm, "dose_level": [], "match": match}]}]},
        VERBATIM: verbatim,
    }


def decode_ctml(document: Any, where: str = "document") -> Trial:
    """Read a document of CTML: the trial, and its criteria.

    Several ``match`` clauses, as of several arms, are alternatives and are asked as one criterion.

    Raises
    ------
    InputError
        If it is no document of CTML, or a clause cannot be read.
    """
    if not isinstance(document, dict) or not (document.get("nct_id") or document.get("protocol_no")):
        raise InputError(
            f"`{where}` must be a trial of CTML with `nct_id` or `protocol_no`, but was {_show(document)}."
        )
    status = str(document.get("registry_status") or document.get("status") or "")
    record = TrialRecord(
        str(document.get("nct_id") or document["protocol_no"]),
        title=str(document.get("short_title") or document.get("long_title") or ""),
        summary=str(document.get("summary") or ""),
        status="RECRUITING" if status.lower() == _OPEN else status,
        updated=str(document.get("registry_updated") or ""),
        phases=tuple(filter(None, str(document.get("phase") or "").split(", "))),
    )
    matches = list(_list_matches(document.get("treatment_list"), f"{where}.treatment_list"))
    predicates = [decode_clause({"and": match}, place) for match, place in matches]
    rows = document.get(VERBATIM) or ()
    kept = [_decode_criterion(row, f"{where}.{VERBATIM}[{number}]") for number, row in enumerate(rows)]
    if kept and _says_the_same(record, kept, [match for match, _ in matches]):
        return record, tuple(kept)
    stated = [c for c, row in zip(kept, rows, strict=True) if not row.get("in_match")]
    return record, (*_read_matches(predicates), *stated)


def read_ctml(path: Path | str) -> tuple[list[Trial], list[Fault]]:
    """Read the documents of a file, or of the JSON and YAML files of a folder; what cannot be read is a fault."""
    place = Path(path)
    if not place.exists():
        raise InputError(f"`{place}` must be a file or folder with documents of CTML, but was missing.")
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES)
    trials: list[Trial] = []
    faults: list[Fault] = []
    for file in files:
        try:
            trials += [decode_ctml(document, where) for where, document in _list_documents(file)]
        except (InputError, json.JSONDecodeError) as error:
            faults.append(Fault(file.name, "must be a trial of CTML", str(error), "write it as MatchMiner does"))
    return trials, faults


def write_ctml(folder: Path | str, trials: Sequence[Trial]) -> int:
    """Write one JSON document a trial into a folder; return how many."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for record, criteria in trials:
        text = json.dumps(encode_ctml(record, criteria), indent=2, ensure_ascii=False, allow_nan=False)
        (place / f"{record.nct_id}.json").write_text(f"{text}\n", encoding="utf-8")
    return len(trials)


def _list_documents(file: Path) -> Iterator[tuple[str, Any]]:
    text = file.read_text(encoding="utf-8-sig")
    whole = json.loads(text) if file.suffix.lower() == ".json" else _read_yaml(text, file)
    for number, document in enumerate(whole if isinstance(whole, list) else [whole], 1):
        yield f"{file.name}, {number}", document


def _read_yaml(text: str, file: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise InputError(f"`{file.name}` is YAML, which needs `pyyaml`. Hint: install `livingdrug[ctml]`.") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"`{file.name}` must be YAML, but was not: {error}.") from None


def _list_matches(node: Any, where: str) -> Iterator[tuple[list[Any], str]]:
    """Yield each ``match`` with its place: of a step, an arm or a dose level."""
    if isinstance(node, list):
        for number, part in enumerate(node):
            yield from _list_matches(part, f"{where}[{number}]")
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "match" and isinstance(value, list) and value:
                yield value, f"{where}.match"
            elif key != "match":
                yield from _list_matches(value, f"{where}.{key}")


def _read_matches(predicates: Sequence[Predicate]) -> Iterator[Criterion]:
    parts: tuple[Predicate, ...] = tuple(predicates)
    while len(parts) == 1 and isinstance(parts[0], Group) and parts[0].kind == "all":
        parts = parts[0].parts
    if len(predicates) > 1:
        parts = (Group("any", tuple(predicates)),)
    for part in parts:
        text = json.dumps(encode_clause(part), ensure_ascii=False)
        asked = None if isinstance(part, Unread) else part
        yield Criterion(text, (0, len(text)), "inclusion", "", "", None, asked, SOURCE)


def _says_the_same(record: TrialRecord, kept: Sequence[Criterion], matches: Sequence[Any]) -> bool:
    """Whether nobody changed the clauses of a document after they were written from its criteria."""
    again = [m for m, _ in _list_matches(encode_ctml(record, kept)["treatment_list"], "")]
    return again == list(matches)


def _encode_criterion(criterion: Criterion, *, is_in_match: bool) -> dict[str, Any]:
    asked = criterion.predicate
    return {
        "text": criterion.text,
        "section": criterion.section,
        "target": criterion.target,
        "polarity": criterion.polarity,
        "value": criterion.value,
        "predicate": None if asked is None else encode_predicate(asked),
        "in_match": is_in_match,
        "source": criterion.source,
        "span": list(criterion.span),
    }


def _decode_criterion(row: Any, where: str) -> Criterion:
    if not isinstance(row, dict) or "text" not in row:
        raise InputError(f"`{where}` must be a criterion with `text`, but was {_show(row)}.")
    asked = row.get("predicate")
    first, last = row.get("span") or (0, len(row["text"]))
    names = ("text", "section", "target", "polarity")
    text, section, target, polarity = (str(row.get(name) or "") for name in names)
    predicate = None if asked is None else decode_predicate(asked)
    place = str(row.get("source") or SOURCE)
    return Criterion(text, (first, last), section, target, polarity, row.get("value"), predicate, place)


def _show(value: Any) -> str:
    return f"{value!r:.60}"
