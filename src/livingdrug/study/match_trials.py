"""Which trials may fit: index the records of a registry, hold a patient against each, show what was read."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl

from livingdrug.core.errors import Fault
from livingdrug.core.tables import Record
from livingdrug.io.clinical_trials import read_trials
from livingdrug.io.trial_index import IndexedTrial, read_trial_index, write_trial_index
from livingdrug.knowledge.rules import load_rules
from livingdrug.options.antigen_names import find_antigens
from livingdrug.options.eligibility import extract_statements, read_context
from livingdrug.options.facts import (
    FactTable,
    create_fact_table,
    list_event_facts,
    list_observation_facts,
    list_subject_facts,
)
from livingdrug.options.predicate import Trace, decode_predicate, evaluate
from livingdrug.options.trial_criteria import Criterion, list_criteria
from livingdrug.options.trial_facts import list_antigen_facts, list_disease_facts
from livingdrug.options.trial_match import TrialMatch, encode_match, find_rank, match_trial
from livingdrug.options.trial_record import TrialRecord
from livingdrug.study.patient_data import select_patient

RULES, ANTIGEN_RULES = "trial-matching/1", "failure/1"
INDEX = Path("trials.sqlite")
"""Where an index lies if nothing else is said."""
FIRST_ROW = 2
FEW, CHUNK = 300, 50
"""Records below which one process is quicker than several; records that a process is given at a time."""
OPEN_STATUS = ("RECRUITING", "NOT_YET_RECRUITING", "ENROLLING_BY_INVITATION")
Progress = Callable[[int, int], None]


def index_trials(
    source: Path | str, index: Path | str = INDEX, *, jobs: int = 1, progress: Progress | None = None
) -> tuple[int, list[Fault]]:
    """Read records of ClinicalTrials.gov and write them, with their criteria, into a local index.

    Parameters
    ----------
    source : Path or str
        A file or folder in the form of the API, version 2.
    index : Path or str
        The file of the index; what it holds of other trials stays.
    jobs : int
        Processes that read texts.
    progress : function of the trials done and of all, optional

    Returns
    -------
    count : int
    faults : list of Fault
        Records that could not be read, each with its file and row.
    """
    records, faults = read_trials(source)

    def watch(criteria: Iterable[tuple[Criterion, ...]]) -> Iterator[tuple[TrialRecord, tuple[Criterion, ...]]]:
        for number, pair in enumerate(zip(records, criteria, strict=True), 1):
            yield pair
            if progress is not None:
                progress(number, len(records))

    if jobs == 1 or len(records) < FEW:
        return write_trial_index(index, watch(map(list_criteria, records))), faults
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return write_trial_index(index, watch(pool.map(list_criteria, records, chunksize=CHUNK))), faults


def extract_trials(source: Path | str) -> tuple[list[dict[str, Any]], list[Fault]]:
    """Read what the records of a file state, each statement with the words that it stands in.

    What the products bind, by title and interventions, is told apart from the antigens that a tumour must carry.
    """
    records, faults = read_trials(source)
    rows = []
    for record in records:
        rows += [encode_statement(record, statement) for statement in extract_statements(record)]
        rows += [encode_product_target(record, antigen) for antigen in read_context(record).targets]
    return rows, faults


def encode_product_target(record: TrialRecord, antigen: str) -> dict[str, Any]:
    """Return an antigen that a trial's product binds as plain data."""
    place = next((start for start, _, name in find_antigens(record.title) if name == antigen), None)
    ends = {start: end for start, end, _ in find_antigens(record.title)}
    return {
        "nct_id": record.nct_id,
        "target": "product_antigen",
        "polarity": "binds",
        "value": antigen,
        "span": [0, 0] if place is None else [place, ends[place]],
        "text": None if place is None else record.title[place : ends[place]],
        "section": None,
        "certainty": "parsed",
        "source": "interventions" if place is None else "briefTitle",
    }


def encode_statement(record: TrialRecord, statement: Any) -> dict[str, Any]:
    """Return one statement of a trial as plain data."""
    is_text = statement.source == "eligibilityCriteria"
    return {
        "nct_id": record.nct_id,
        "target": statement.target,
        "polarity": statement.polarity,
        "value": statement.value,
        "span": [statement.start, statement.end],
        "text": record.eligibility[statement.start : statement.end] if is_text else None,
        "section": statement.section,
        "certainty": statement.certainty,
        "source": statement.source,
        **statement.extra,
    }


def match_trials(
    record: Record,
    index: Path | str = INDEX,
    *,
    subject_id: str | None = None,
    day: float | None = None,
    search: str = "",
) -> list[tuple[IndexedTrial, TrialMatch]]:
    """Hold a patient against every trial of an index, or those that a search finds.

    Parameters
    ----------
    record : Record
    index : Path or str
    subject_id : str, optional
        May be left out where the record holds one subject.
    day : float, optional
        Day after infusion as of which is asked; the last of the record by default.
    search : str
        Words that a trial must hold.

    Returns
    -------
    list of trial and match
        Not excluded first, then fewer open questions, more that is met, recruiting; equal ones by their number.
    """
    table = collect_facts(record, subject_id=subject_id, day=day)

    @cache
    def ask(predicate: str) -> Trace | None:
        return evaluate(decode_predicate(json.loads(predicate)), table)

    found = [(trial, match_trial(trial.criteria, ask)) for trial in read_trial_index(index, search=search)]
    return sorted(found, key=lambda pair: (*find_rank(pair[1]), pair[0].status not in OPEN_STATUS, pair[0].nct_id))


def encode_matches(found: Iterable[tuple[IndexedTrial, TrialMatch]]) -> list[dict[str, Any]]:
    """Return matches as plain data: each trial with its criteria, and a summary."""

    @cache
    def read(predicate: str) -> Any:
        return json.loads(predicate) if predicate else None

    return [
        {
            "nct_id": trial.nct_id,
            "title": trial.title,
            "status": trial.status,
            "updated": trial.updated,
            "criteria": [encode_match(match, read(match.criterion.predicate)) for match in whole.criteria],
            "summary": {
                "result": whole.result,
                "sentence": whole.sentence,
                "counts": dict(whole.counts),
                "excluded_by": list(whole.excluded_by),
                "ask": list(whole.asks),
            },
        }
        for trial, whole in found
    ]


def collect_facts(record: Record, *, subject_id: str | None = None, day: float | None = None) -> FactTable:
    """Collect what a record holds of a subject as facts, with the rows that they stand in.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> table = collect_facts(load_example("myeloma_late_relapse"))
    >>> [(fact.value, fact.file, fact.row) for fact in table.find("prior.car_t.BCMA")], table.find("ecog")
    ([(True, 'events.csv', 4)], ())
    """
    data = select_patient(record, subject_id)
    is_it = pl.col("subject_id") == data.subject_id
    subject = _list_rows(record.subjects, is_it)[0]
    events = _list_rows(record.events, is_it)
    observations = _list_rows(record.observations, is_it)
    last = max((row["day"] for row in (*events, *observations) if row["day"] is not None), default=0.0)
    as_of = last if day is None else day
    rules = load_rules(RULES)
    facts = list(list_subject_facts(subject))
    facts += list_event_facts(events, data.product, as_of)
    measured = list(list_observation_facts(observations))
    facts += measured
    facts += list_antigen_facts(measured, load_rules(ANTIGEN_RULES).threshold("antigen_negative"))
    facts += [kind for fact in facts if fact.name == "disease" for kind in list_disease_facts(fact)]
    limits: Mapping[str, float] = {name: rules.threshold(f"fresh_{name}") for name in ("ecog", "antigen")}
    return create_fact_table(facts, as_of, limits)


def _list_rows(table: pl.DataFrame, is_it: pl.Expr) -> list[dict[str, Any]]:
    return table.with_row_index("row", FIRST_ROW).filter(is_it).to_dicts()
