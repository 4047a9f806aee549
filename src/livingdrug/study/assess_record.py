"""Assess a record by published criteria: verdict a visit, confirmed course, endpoints, and the trail of it all."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice

import polars as pl

from livingdrug.clinical.criteria import CRITERIA
from livingdrug.clinical.early_warning import derive_early_warning
from livingdrug.clinical.endpoints import derive_endpoints, join_endpoints
from livingdrug.clinical.failure import derive_failure_endpoints
from livingdrug.core.assessment import Assessed, Endpoint, ResponseCourse, SubjectAssessment, SubjectTables
from livingdrug.core.errors import Fault, InputError
from livingdrug.core.patient import Product
from livingdrug.core.ruleset import OptionValue, Ruleset
from livingdrug.core.tables import Record, decode_again
from livingdrug.core.version import VERSION
from livingdrug.knowledge.rules import list_rules, load_rules
from livingdrug.study.assessment import (
    ENDPOINT_SCHEMA,
    VERDICT_SCHEMA,
    Assessment,
    list_endpoint,
    list_verdict,
    trace_verdict,
)
from livingdrug.study.provenance import compute_input_hash, list_assumed, list_sources

ENDPOINT_RULES, FAILURE_RULES, WARNING_RULES = "endpoints/1", "failure/1", "early-warning/1"
CONVENTIONS = (ENDPOINT_RULES, FAILURE_RULES, WARNING_RULES)
"""What the published criteria leave to the analysis plan."""
FIRST_LINE = 2
"""Line of a table's first row in its file: the header is line 1."""
SUBJECTS_PER_CHUNK = 200
Tables = Mapping[str, pl.DataFrame]
Progress = Callable[[int, int], None]


def list_criteria() -> tuple[str, ...]:
    """Name the criteria that a record can be assessed by, as ``name/version``.

    Examples
    --------
    >>> "imwg/2016" in list_criteria()
    True
    """
    return tuple(name for name in list_rules() if name.partition("/")[0] in CRITERIA)


def choose_criteria(name: str) -> Ruleset:
    """Load criteria by ``name/version``, or by name alone where there is one version; capitals do not matter.

    Raises
    ------
    InputError
        With the list of known ones.
    """
    known, name = list_criteria(), name.strip().lower()
    if name in known:
        return load_rules(name)
    versions = [other for other in known if other.partition("/")[0] == name]
    if len(versions) == 1:
        return load_rules(versions[0])
    family = [other for other in known if other.partition("/")[0] == name.partition("/")[0]]
    near = family or get_close_matches(name, known, 1)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    hint += f"Known are {', '.join(known)}"
    raise InputError(f"`criteria` must be a ruleset of this version, but was {name!r}. Hint: {hint}.")


def assess(
    record: Record | Tables,
    criteria: str = "imwg/2016",
    *,
    progress: Progress | None = None,
    **options: OptionValue,
) -> Assessment:
    """Assess every subject of a record by one set of criteria.

    Parameters
    ----------
    record : Record, or mapping of ``subjects``, ``events``, ``observations`` to tables
        Tables are checked as strictly as files are.
    criteria : str
        ``name/version``; see :func:`list_criteria`.
    progress : function of the subjects done and of all, optional
    options
        In place of the defaults of the criteria, of the endpoints and of the classes of failure.

    Raises
    ------
    InputError
        If the criteria or an option are not known, or if the tables have faults.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> assessment = assess(load_example("myeloma_late_relapse"), "imwg/2016")
    >>> best = assessment.endpoints.filter(pl.col("endpoint") == "best_overall_response")
    >>> best["value"].to_list()
    ['VGPR']
    """
    rules = choose_criteria(criteria)
    books = (rules, *(load_rules(name) for name in CONVENTIONS))
    chosen = choose_options(books, options)
    whole = record if isinstance(record, Record) else _check_tables(record)
    family = rules.name.partition("/")[0]
    verdicts, endpoints, warnings, courses = [], [], list(whole.conflicts), {}
    details: dict[str, list[pl.DataFrame]] = {}
    for subject, result in _assess_subjects(whole, family, books, chosen, progress):
        verdicts += [list_verdict(subject, rules.name, verdict) for verdict in result.verdicts]
        endpoints += [list_endpoint(subject, endpoint) for endpoint in result.endpoints]
        warnings += [f"{subject}: {warning}" for warning in result.warnings]
        courses[subject] = result.courses
        for name, table in result.details.items():
            details.setdefault(name, []).append(table.select(pl.lit(subject).alias("subject_id"), pl.all()))

    def trace() -> Iterator[dict[str, object]]:
        for tables, found in _judge_subjects(whole, family, rules, chosen[rules.name]):
            yield from (trace_verdict(tables.subject_id, rules.name, verdict) for verdict in found.verdicts)

    return Assessment(
        rules.name,
        pl.DataFrame(verdicts, schema=VERDICT_SCHEMA, orient="row"),
        pl.DataFrame(endpoints, schema=ENDPOINT_SCHEMA, orient="row"),
        tuple(warnings),
        {name: pl.concat(tables, how="diagonal_relaxed") for name, tables in details.items()},
        courses,
        _tell_provenance(whole, books, chosen),
        trace,
    )


def choose_options(books: Iterable[Ruleset], given: Mapping[str, OptionValue]) -> dict[str, dict[str, OptionValue]]:
    """Give each option to the rulesets that have it; one that none has is a fault.

    Raises
    ------
    InputError
        With every fault of every option.
    """
    books = tuple(books)
    known = [name for rules in books for name in rules.options]
    faults = [
        Fault(f"options.{name}", f"must be an option of {books[0].name}", repr(value), _hint_at_option(name, known))
        for name, value in given.items()
        if name not in known
    ]
    if faults:
        raise InputError.from_faults("options", faults)
    return {
        rules.name: rules.choose({name: value for name, value in given.items() if name in rules.options})
        for rules in books
    }


def _hint_at_option(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"use {', '.join(known)}"


def _check_tables(tables: Tables) -> Record:
    wanted = ("subjects", "events", "observations")
    missing = [name for name in wanted if name not in tables]
    if missing:
        raise InputError(
            f"`record` must hold the tables {', '.join(wanted)}, but {', '.join(missing)} is missing. "
            "Hint: a table without rows is allowed."
        )
    wrong = [
        f"{name} was {type(tables[name]).__name__}" for name in wanted if not isinstance(tables[name], pl.DataFrame)
    ]
    if wrong:
        hint = "Hint: polars.from_pandas(table) makes one of a pandas table"
        raise InputError(f"`record` must hold polars tables, but {', '.join(wrong)}. {hint}.")
    record = Record(tables["subjects"], tables["events"], tables["observations"], source="tables")
    return decode_again(record, keep_conflicts=True)


def _assess_subjects(
    record: Record,
    family: str,
    books: Sequence[Ruleset],
    chosen: Mapping[str, Mapping[str, OptionValue]],
    progress: Progress | None,
) -> Iterator[tuple[str, SubjectAssessment]]:
    count = len(record.subjects)
    judged = _judge_subjects(record, family, books[0], chosen[books[0].name])
    for place, (tables, found) in enumerate(judged, start=1):
        derived = [e for course in found.courses for e in _derive(course, tables, found.verdicts, books, chosen)]
        warnings = (*_warn(tables, family, books[0], found), *found.warnings)
        endpoints = join_endpoints(found.endpoints, derived)
        yield tables.subject_id, replace(found, endpoints=endpoints, warnings=warnings)
        if progress is not None:
            progress(place, count)


def _judge_subjects(
    record: Record, family: str, rules: Ruleset, options: Mapping[str, OptionValue]
) -> Iterator[tuple[SubjectTables, SubjectAssessment]]:
    """Yield each subject with what the criteria say of it, some at a time so that memory stays flat."""
    subjects = split_subjects(record)
    while chunk := list(islice(subjects, SUBJECTS_PER_CHUNK)):
        yield from zip(chunk, CRITERIA[family].assess_each(chunk, rules, options), strict=True)


def _derive(
    course: ResponseCourse,
    tables: SubjectTables,
    verdicts: Sequence[Assessed],
    books: Sequence[Ruleset],
    chosen: Mapping[str, Mapping[str, OptionValue]],
) -> Iterator[Endpoint]:
    """Yield what follows from a course, whatever the criteria: times, failure, and the first signal of it."""
    times, failure, warning = books[1:]
    disease, target = str(tables.subject["disease"]), Product(str(tables.subject["product"])).target
    own = tuple(verdict for verdict in verdicts if verdict.reader == course.reader)
    yield from derive_endpoints(course, tables, times, **chosen[times.name])
    yield from derive_failure_endpoints(
        course, tables, failure, own, disease=disease, target=target, **chosen[failure.name]
    )
    yield from derive_early_warning(course, tables, warning, target=target, **chosen[warning.name])


def split_subjects(record: Record) -> Iterator[SubjectTables]:
    """Yield each subject's rows, in the order of the subjects table."""
    place = (pl.int_range(pl.len(), dtype=pl.Int64) + FIRST_LINE).alias("row")
    events, observations = record.events.with_columns(place), record.observations.with_columns(place)
    own_events = events.partition_by("subject_id", as_dict=True, maintain_order=True)
    own_rows = observations.partition_by("subject_id", as_dict=True, maintain_order=True)
    no_events, no_rows = events.clear(), observations.clear()
    for subject in record.subjects.iter_rows(named=True):
        key = (subject["subject_id"],)
        yield SubjectTables(subject, own_events.get(key, no_events), own_rows.get(key, no_rows))


def _warn(tables: SubjectTables, family: str, rules: Ruleset, found: SubjectAssessment) -> Iterator[str]:
    """Say what may surprise: criteria of another disease, or nothing to assess."""
    disease, meant = str(tables.subject.get("disease", "")), CRITERIA[family].diseases
    if meant and disease not in meant:
        yield f"{rules.name} is for {' or '.join(meant)}, but the disease is {disease}"
    if not found.verdicts:
        yield f"nothing that {rules.name} looks at was measured after infusion"


def _tell_provenance(
    record: Record, books: Iterable[Ruleset], chosen: Mapping[str, Mapping[str, OptionValue]]
) -> dict[str, object]:
    books = tuple(books)
    keys = {rules.source for rules in books} | {v.source for rules in books for v in rules.thresholds.values()}
    return {
        "version": VERSION,
        "ruleset": books[0].name,
        "options": {f"{name}.{option}": value for name, own in chosen.items() for option, value in own.items()},
        "input_hash": compute_input_hash(record),
        "assumed": list_assumed(None, books),
        "sources": list_sources(keys),
    }
