"""Solid tumours by RECIST 1.1: from lesions, or from a reader's codes, to response and its endpoints.

Each reader is assessed alone, with a baseline and a nadir of one's own. Source: eisenhauer2009.
"""

from collections.abc import Mapping

from livingdrug.clinical.best_response import RECIST, Windows
from livingdrug.clinical.history import find_new_therapy, read_history
from livingdrug.clinical.lesion_response import CR, NE, PD, list_baseline_warnings
from livingdrug.clinical.lesions import CODES, NEW, SUM, TARGETS, Reading, Scan, confirm_equivocal, read_lesions
from livingdrug.clinical.response_codes import RECIST_CODES, choose_code, select_codes
from livingdrug.clinical.solid_course import SumRow, Walked, finish_assessment, start_sums
from livingdrug.clinical.solid_scan import (
    Parts,
    Seen,
    combine,
    find_parts,
    list_findings,
    list_open,
    remember,
    see_scan,
    start_seen,
)
from livingdrug.core.assessment import Assessed, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset, Truth

VARIABLES = (*TARGETS, SUM, "non_target_lesion", *NEW, *CODES)
"""Base names of the variables that RECIST 1.1 looks at."""


def assess_recist(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Assess one subject by RECIST 1.1, each reader alone.

    Parameters
    ----------
    tables : SubjectTables
        Observations ``target_lesion:ID``, ``target_node:ID`` [mm], ``non_target_lesion:ID``, ``new_lesion:ID``, or
        a reader's codes ``target_response``, ``non_target_response``, ``overall_response``; the column ``reader``
        tells readers apart. A lesion of the baseline without a row at a scan was not measured. Where a reader gives
        only the sum of diameters, ``target_lesion_sum`` stands for the targets.
    rules : Ruleset
        ``recist/1.1``.
    options
        In place of the ruleset's, which says what each one means.

    Returns
    -------
    assessment : SubjectAssessment
        With ``details["sums"]``, the sums of diameters by reader and day.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's, a diameter is none, or a code is not one of RECIST 1.1.

    Source
    ------
    eisenhauer2009

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> observations = pl.DataFrame({"day": [-7.0, 42.0, 84.0], "variable": ["target_lesion:T01"] * 3,
    ...                              "value": [30.0, 21.0, 20.0], "unit": ["mm"] * 3, "text": [None] * 3})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_recist(SubjectTables({}, events, observations), load_rules("recist/1.1"))
    >>> [(v.day, v.time_point, v.confirmed, v.first_day) for v in found.verdicts]
    [(42.0, 'PR', 'SD', 42.0), (84.0, 'PR', 'PR', 42.0)]
    """
    chosen = rules.choose(options)
    readings = read_lesions(
        select_codes(tables.observations, RECIST_CODES, "recist"),
        VARIABLES,
        baseline_day=float(chosen["baseline_day"]),
        window_days=float(chosen["visit_window_days"]),
        too_small=rules.threshold("too_small"),
    )
    walked = [_walk(reading, rules, chosen) for reading in readings]
    therapy = find_new_therapy(read_history(tables.events))
    return finish_assessment(walked, RECIST, Windows.from_options(chosen), therapy)


def _walk(reading: Reading, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Walked:
    """Judge the scans of one reader in order."""
    scans, notes = confirm_equivocal(reading.scans) if chosen["back_date_new_lesions"] else (reading.scans, [])
    seen = start_seen(reading)
    sums = start_sums(reading, seen.history)
    assessed, warnings = [], [*reading.warnings, *notes, *list_baseline_warnings(reading, rules)]
    for scan in scans:
        seen = see_scan(scan, seen)
        parts = find_parts(scan, reading, seen, rules, chosen)
        verdict, more = _judge(scan, reading, parts, seen, rules, chosen)
        assessed.append(verdict)
        warnings += more
        if parts.total is not None and parts.total.rows:
            sums.append(SumRow(reading.reader, scan.day, parts.total, seen.history.baseline, seen.history.nadir))
        is_complete = verdict.time_point == CR
        seen = remember(scan, seen, parts, is_complete=is_complete, ref_confirm=float(chosen["ref_confirm"]))
    return Walked(reading.reader, tuple(assessed), tuple(sums), tuple(warnings))


def _judge(
    scan: Scan, reading: Reading, parts: Parts, seen: Seen, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[Assessed, list[str]]:
    """Return the verdict of a scan; a reader's overall code counts where nothing was measured, or always."""
    category = combine(parts)
    unknowns, changes = list_open(parts, scan, reading, seen, rules)
    is_silent = parts.new.truth == Truth.UNKNOWN and not scan.select(*NEW)
    if is_silent and category != PD:
        category = NE
    computed = Assessed(
        scan.day,
        category,
        findings=list_findings(parts, category),
        unknowns=tuple(unknowns),
        would_change=tuple(changes),
        reader=reading.reader,
    )
    return choose_code(computed, scan, RECIST_CODES, str(chosen["coded_response"]), reading.voice)
