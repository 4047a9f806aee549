"""Records of ClinicalTrials.gov in the form of its API, version 2: JSON, a list, a page of studies, or NDJSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from livingdrug.core.errors import Fault, InputError
from livingdrug.options.trial_record import TrialRecord

SUFFIXES = (".json", ".ndjson", ".jsonl")
SHOWN = 60
_FORM = "must be a study with `protocolSection.identificationModule.nctId`"


def read_trials(path: Path | str) -> tuple[list[TrialRecord], list[Fault]]:
    """Read every record of a file, or of the JSON and NDJSON files of a folder.

    A record that cannot be read is a fault with its file and row; the others are kept. Where one trial stands
    several times the record posted last counts.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    records : list of TrialRecord
    faults : list of Fault

    Raises
    ------
    InputError
        If there is no such file or folder, or the folder holds no such file.
    """
    place = Path(path)
    if not place.exists():
        raise InputError(f"`{place}` must be a file or folder with records of ClinicalTrials.gov, but was missing.")
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(f"`{place}` must hold files that end in {', '.join(SUFFIXES)}, but held none.")
    found: dict[str, TrialRecord] = {}
    faults: list[Fault] = []
    for file in files:
        for where, study in _list_studies(file, faults):
            record = _decode(study, where, faults)
            if record is not None and (record.nct_id not in found or record.updated >= found[record.nct_id].updated):
                found[record.nct_id] = record
    return list(found.values()), faults


def _list_studies(file: Path, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    """Yield the place and the content of each study of a file."""
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        rule = "must be UTF-8 text"
        faults.append(Fault(f"{file.name}, row {row}", rule, f"byte {raw[error.start]:#04x}", "save it as UTF-8"))
        text = raw.decode("utf-8-sig", errors="replace")
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        yield from _list_lines(file, text, faults)
        return
    studies = whole.get("studies", [whole]) if isinstance(whole, dict) else whole
    studies = studies if isinstance(studies, list) else [studies]
    if not studies:
        faults.append(Fault(file.name, "must hold a study", "empty", "export the records again"))
    for number, study in enumerate(studies, 1):
        yield f"{file.name}, row {number}", study


def _list_lines(file: Path, text: str, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{file.name}, row {number}"
        try:
            yield where, json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            faults.append(Fault(where, "must be JSON, one study a line", repr(line[:SHOWN]), "export the record again"))


def _decode(study: Any, where: str, faults: list[Fault]) -> TrialRecord | None:
    section = study.get("protocolSection") if isinstance(study, dict) else None
    nct_id = _find_text(section, "identificationModule", "nctId")
    if not nct_id:
        faults.append(Fault(where, _FORM, repr(study)[:SHOWN], "use the form of the API, version 2"))
        return None
    eligibility = _find(section, "eligibilityModule")
    if eligibility is not None and not isinstance(eligibility, dict):
        rule = "`eligibilityModule` must be an object"
        faults.append(
            Fault(f"{where}, {nct_id}", rule, repr(eligibility)[:SHOWN], "the trial is kept without criteria")
        )
    locations = _find_list(section, "contactsLocationsModule", "locations")
    return TrialRecord(
        nct_id=nct_id,
        title=_find_text(section, "identificationModule", "briefTitle"),
        summary=_find_text(section, "descriptionModule", "briefSummary"),
        status=_find_text(section, "statusModule", "overallStatus"),
        updated=_find_text(section, "statusModule", "lastUpdatePostDateStruct", "date"),
        conditions=_list_words(_find_list(section, "conditionsModule", "conditions")),
        interventions=_list_names(_find_list(section, "armsInterventionsModule", "interventions"), "name"),
        phases=_list_words(_find_list(section, "designModule", "phases")),
        countries=tuple(dict.fromkeys(_list_names(locations, "country"))),
        eligibility=_find_text(section, "eligibilityModule", "eligibilityCriteria"),
        minimum_age=_find_text(section, "eligibilityModule", "minimumAge"),
        maximum_age=_find_text(section, "eligibilityModule", "maximumAge"),
        sex=_find_text(section, "eligibilityModule", "sex"),
    )


def _find(tree: Any, *path: str) -> Any:
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _find_text(tree: Any, *path: str) -> str:
    found = _find(tree, *path)
    return found if isinstance(found, str) else ""


def _find_list(tree: Any, *path: str) -> list[Any]:
    found = _find(tree, *path)
    return found if isinstance(found, list) else []


def _list_words(items: list[Any]) -> tuple[str, ...]:
    return tuple(item for item in items if isinstance(item, str))


def _list_names(items: list[Any], key: str) -> tuple[str, ...]:
    return tuple(name for item in items if (name := _find_text(item, key)))
