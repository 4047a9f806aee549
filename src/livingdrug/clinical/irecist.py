"""Solid tumours under immunotherapy by iRECIST: from lesions, or from a reader's codes, to confirmed progression.

Each reader is assessed alone. Source: seymour2017.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from livingdrug.clinical.best_response import IRECIST, Windows
from livingdrug.clinical.comparison import join_any
from livingdrug.clinical.history import find_new_therapy, read_history
from livingdrug.clinical.irecist_blocks import (
    Block,
    State,
    Step,
    continue_block,
    find_further,
    is_evaluable,
    name_without_progression,
    open_block,
    still_stands,
)
from livingdrug.clinical.irecist_view import NEW_DISEASE, REST, TARGET, View, view_scan
from livingdrug.clinical.lesion_response import CR, NE, add_up, list_baseline_warnings
from livingdrug.clinical.lesions import CODES, NEW, SUM, TARGETS, Reading, Scan, confirm_equivocal, read_lesions
from livingdrug.clinical.response_codes import IRECIST_CODES, choose_code, select_codes
from livingdrug.clinical.solid_course import SumRow, Walked, finish_assessment, start_sums
from livingdrug.clinical.solid_scan import find_parts, list_open, remember, see_scan, start_seen
from livingdrug.core.assessment import Assessed, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = (*TARGETS, SUM, "non_target_lesion", *NEW, *CODES, "clinical_status")
"""Base names of the variables that iRECIST looks at."""
IUPD, ICPD = "iUPD", "iCPD"
NAMES = {"CR": "iCR", "PR": "iPR", "SD": "iSD", "NON-CR/NON-PD": "NON-iCR/NON-iUPD"}
"""What iRECIST calls the categories of RECIST 1.1."""


def assess_irecist(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Assess one subject by iRECIST, each reader alone.

    Parameters
    ----------
    tables : SubjectTables
        As for RECIST 1.1; besides, ``new_target_lesion:ID``, ``new_target_node:ID`` [mm] and
        ``new_non_target_lesion:ID``, and ``clinical_status``. Codes are those of iRECIST.
    rules : Ruleset
        ``irecist/2017``.
    options
        In place of the ruleset's, which says what each one means.

    Returns
    -------
    assessment : SubjectAssessment
        ``progression`` is dated to the first scan of the block that was confirmed; ``unconfirmed_progression`` is one
        after which nothing else was seen. With ``details["sums"]``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's, a diameter is none, or a code is not one of iRECIST.

    Source
    ------
    seymour2017

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> days, sizes = [-7.0, 42.0, 70.0, 98.0], [30.0, 40.0, 41.0, 45.0]
    >>> observations = pl.DataFrame({"day": days, "variable": ["target_lesion:T01"] * 4, "value": sizes,
    ...                              "unit": ["mm"] * 4, "text": [None] * 4})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_irecist(SubjectTables({}, events, observations), load_rules("irecist/2017"))
    >>> [(v.day, v.time_point) for v in found.verdicts], found.courses[0].progression_day
    ([(42.0, 'iUPD'), (70.0, 'iUPD'), (98.0, 'iCPD')], 42.0)
    """
    chosen = rules.choose(options)
    readings = read_lesions(
        select_codes(tables.observations, IRECIST_CODES, "irecist"),
        VARIABLES[:-1],
        baseline_day=float(chosen["baseline_day"]),
        window_days=float(chosen["visit_window_days"]),
        too_small=rules.threshold("too_small"),
    )
    unstable = _read_unstable(tables.observations)
    walked = [_walk(reading, unstable, rules, chosen) for reading in readings]
    therapy = find_new_therapy(read_history(tables.events))
    return finish_assessment(walked, IRECIST, Windows.from_options(chosen), therapy)


def _read_unstable(observations: pl.DataFrame) -> tuple[float, ...]:
    """Return the days on which the patient was clinically unstable."""
    rows = observations.filter((pl.col("variable") == "clinical_status") & (pl.col("text") == "unstable"))
    return tuple(sorted(rows["day"].drop_nulls().to_list()))


def _walk(reading: Reading, unstable: Sequence[float], rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Walked:
    """Judge the scans of one reader in order."""
    scans, notes = confirm_equivocal(reading.scans) if chosen["back_date_new_lesions"] else (reading.scans, [])
    state = State(start_seen(reading))
    sums = start_sums(reading, state.seen.history)
    assessed, warnings = [], [*reading.warnings, *notes, *list_baseline_warnings(reading, rules)]
    before = float("-inf")
    for scan in scans:
        history, new_names = state.seen.history, state.new.names
        verdict, state, more = _judge(scan, reading, state, rules, chosen)
        if verdict.time_point == IUPD and any(before < day <= scan.day for day in unstable):
            text = "clinically unstable at an unconfirmed progression: it may be unwise to wait for confirmation"
            verdict = replace(verdict, note=f"{verdict.note}; {text}" if verdict.note else text)
            more.append(f"day {scan.day:g}: {text}{reading.voice}")
        assessed.append(verdict)
        warnings += more
        total = add_up(scan.measured, reading.targets) if reading.targets else None
        if total is not None and total.rows:
            new = add_up(scan.measured, state.new.names or new_names)
            size = new.value if new.rows else None
            sums.append(SumRow(reading.reader, scan.day, total, history.baseline, history.nadir, size))
        before = scan.day
    return Walked(reading.reader, tuple(assessed), tuple(sums), tuple(warnings))


def _judge(
    scan: Scan, reading: Reading, state: State, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[Assessed, State, list[str]]:
    """Return the verdict of a scan, the state after it, and what to look at."""
    seen = see_scan(scan, state.seen)
    parts = find_parts(scan, reading, seen, rules, chosen)
    view = view_scan(scan, reading, parts, seen, state.new, rules, chosen)
    step = _step(view, replace(state, seen=seen), rules, chosen)
    known = replace(parts, new=view.additional, progression=Finding("progression", Truth.FALSE))
    unknowns, changes = list_open(known, scan, reading, seen, rules)
    if step.category == IUPD and state.block is not None:
        missing = [name for finding in step.findings[:1] for name in finding.missing]
        unknowns = list(dict.fromkeys([*missing, *unknowns]))
        changes += [f"confirmed progression, if {' and '.join(missing)} had increased further"] * bool(missing)
    elif step.category in (IUPD, ICPD):
        unknowns, changes = [], []
    computed = Assessed(
        scan.day,
        step.category,
        findings=step.findings,
        unknowns=tuple(unknowns),
        would_change=tuple(text.replace("progressive disease", "unconfirmed progression") for text in changes),
        reader=reading.reader,
        note=step.note,
    )
    verdict, warnings = choose_code(computed, scan, IRECIST_CODES, str(chosen["coded_response"]), reading.voice)
    if step.note.startswith("more than"):
        warnings.append(f"day {scan.day:g}: {step.note}{reading.voice}")
    if verdict.time_point != step.category:
        return verdict, _follow_code(verdict.time_point, scan.day, step.state), warnings
    return verdict, step.state, warnings


def _follow_code(code: str, day: float, state: State) -> State:
    """Return the state after a scan that a reader's code stands for: what it compares with is not known."""
    if code == ICPD:
        return replace(state, is_confirmed=True)
    if code == NE:
        return state
    if code != IUPD:
        return replace(state, block=None)
    if state.block is not None:
        return replace(state, block=replace(state.block, last_day=day))
    kinds = frozenset({TARGET, REST, NEW_DISEASE})
    return replace(state, block=Block(day, day, kinds, None, None, None, {}, {}))


def _step(view: View, state: State, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Step:
    """Go from one state to the next."""
    day, block = view.scan.day, state.block
    if state.is_confirmed:
        return Step(ICPD, (view.parts.progression,), state, "after confirmed progression: not counted")
    if block is None:
        return _start(view, state, chosen)
    reference = block.first_day if chosen["iupd_reference"] == "first" else block.last_day
    least, most = rules.threshold("confirmation_from"), rules.threshold("confirmation_to")
    if day - reference < least:
        note = f"less than {least:g} days after unconfirmed progression: counts neither for the state nor for the nadir"
        return Step(IUPD, (view.parts.progression,), state, note)
    step = _continue(view, block, state, rules, chosen)
    gap = day - block.last_day
    if gap > most and step.category != NE:
        return replace(step, note=f"more than {most:g} days after unconfirmed progression: {gap:g}")
    return step


def _start(view: View, state: State, chosen: Mapping[str, OptionValue]) -> Step:
    """Judge a scan where no progression waits for confirmation."""
    asked = [*view.progressed.values(), view.additional, view.growth]
    progression = join_any("progression", asked)
    if progression.truth == Truth.TRUE:
        return Step(IUPD, (progression,), _pass(view, replace(state, block=open_block(view)), NE, chosen))
    category = NE if _is_silent(view) else name_without_progression(view)
    findings = (*_list_own(view), progression)
    return Step(NAMES.get(category, category), findings, _pass(view, state, category, chosen))


def _continue(view: View, block: Block, state: State, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Step:
    """Judge a scan that may confirm a progression, leave it open, or end it."""
    words = str(chosen["non_target_words"])
    further = find_further(view, block, state.new.known, rules, words)
    if further.truth == Truth.TRUE:
        confirmed = replace(state, is_confirmed=True)
        return Step(ICPD, (further,), _pass(view, confirmed, NE, chosen))
    findings = (further, *_list_own(view))
    if _is_silent(view) or not is_evaluable(view, block):
        return Step(NE, findings, _pass(view, state, NE, chosen))
    if still_stands(view, block, words, str(chosen["stable_new_lesion"])):
        longer = continue_block(block, view, str(chosen["iupd_reference"]))
        return Step(IUPD, findings, _pass(view, replace(state, block=longer), NE, chosen))
    category = name_without_progression(view)
    after = _pass(view, replace(state, block=None), category, chosen)
    return Step(NAMES.get(category, category), findings, after, "the bar is reset")


def _is_silent(view: View) -> bool:
    """Whether nothing was said on new lesions where it must be."""
    return view.parts.new.truth == Truth.UNKNOWN and not view.scan.select(*NEW)


def _list_own(view: View) -> tuple[Finding, ...]:
    parts = (view.parts.target, view.parts.other)
    return tuple(finding for part in parts if part is not None for finding in part.findings)


def _pass(view: View, state: State, category: str, chosen: Mapping[str, OptionValue]) -> State:
    """Return the state with what a scan that counts has shown."""
    is_complete, ref_confirm = category == CR, float(chosen["ref_confirm"])
    seen = remember(view.scan, state.seen, view.parts, is_complete=is_complete, ref_confirm=ref_confirm)
    return replace(state, seen=seen, new=view.new)
