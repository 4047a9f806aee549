"""Lymphoma under immunotherapy by LYRIC: what Lugano calls progression may be an indeterminate response.

An indeterminate response is imaged again within 12 weeks, or biopsied. If it turns out to be progression, that is
dated back to the first indeterminate response; any other response in between ends the matter. Source: cheson2016.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from livingdrug.clinical.haematology_codes import keep_own_codes
from livingdrug.clinical.haematology_course import Ladder, ReaderCourse, finish_courses
from livingdrug.clinical.history import find_new_therapy, read_history
from livingdrug.clinical.lesions import Reading, Scan, confirm_equivocal
from livingdrug.clinical.lugano import (
    VARIABLES as LUGANO_VARIABLES,
)
from livingdrug.clinical.lugano import (
    Joined,
    describe,
    join_parts,
    list_baseline_warnings,
    list_contradictions,
    list_warnings,
)
from livingdrug.clinical.lymphoma_codes import LYRIC_CODES, choose_overall
from livingdrug.clinical.lymphoma_ct import find_ct
from livingdrug.clinical.lymphoma_pet import find_pet
from livingdrug.clinical.lymphoma_reading import BIOPSY, STATUS, has_images, read_lymphoma
from livingdrug.clinical.lymphoma_state import (
    CR,
    ND,
    NE,
    PD,
    PR,
    SD,
    Book,
    Part,
    Seen,
    remember,
    see_scan,
    start_seen,
)
from livingdrug.clinical.lyric_rules import (
    KINDS,
    Answer,
    Block,
    find_burden_rise,
    find_small_growth,
    has_biopsy,
    is_indeterminate,
    judge_first,
    judge_next,
    list_reasons,
    measure_burden,
)
from livingdrug.core.assessment import Assessed, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = (*LUGANO_VARIABLES, STATUS, BIOPSY)
"""Base names of the variables that LYRIC looks at."""
SWELLING = "may be pseudoprogression: lesions can swell in the weeks after CAR T cells; image again, or biopsy"


def assess_lyric(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Assess one subject by LYRIC, each reader alone.

    Parameters
    ----------
    tables : SubjectTables
        As for :func:`livingdrug.clinical.lugano.assess_lugano`, and ``clinical_status``, and ``lesion_biopsy``:
        whether a lesion that grew, or is new, holds lymphoma.
    rules : Ruleset
        ``lyric/2016``.
    options
        In place of the ruleset's, which says what each one means.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts as of Lugano, and IR1, IR2a, IR2b, IR3; ``first_day`` of a progression is the day to which it is
        dated. A last indeterminate response that nothing settles is a presumptive progression of the course.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's, a number is beyond what it can be, or a code is none of LYRIC.

    Source
    ------
    cheson2016

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> observations = pl.DataFrame({"day": [-7.0, 28.0, 84.0], "variable": ["tumour_spd"] * 3,
    ...                              "value": [1000.0, 1600.0, 400.0], "unit": ["mm2"] * 3, "text": [None] * 3})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_lyric(SubjectTables({}, events, observations), load_rules("lyric/2016"))
    >>> [(v.day, v.time_point) for v in found.verdicts]
    [(28.0, 'IR1'), (84.0, 'PR')]
    """
    chosen = rules.choose(options)
    book = Book(rules, chosen)
    observations = keep_own_codes(tables.observations, LYRIC_CODES, "lyric")
    readings = read_lymphoma(
        observations,
        VARIABLES,
        baseline_day=float(chosen["baseline_day"]),
        window_days=float(chosen["visit_window_days"]),
        too_small=rules.threshold("too_small"),
    )
    walked = [_walk(reading, book) for reading in readings]
    therapy = find_new_therapy(read_history(tables.events))
    order = (CR, PR, SD, *KINDS, PD)
    ladder = Ladder(order, (CR, PR), (CR,), (SD,), indeterminate=KINDS, min_days=float(chosen["min_sd_days"]))
    return finish_courses(walked, ladder, therapy)


@dataclass(frozen=True, slots=True)
class _Images:
    """One scan with what PET and CT say of it."""

    scan: Scan
    pet: Part | None
    ct: Part | None
    joined: Joined


def _walk(reading: Reading, book: Book) -> ReaderCourse:
    """Judge the scans of one reader in order."""
    scans, notes = confirm_equivocal(reading.scans) if book.chosen["back_date_new_lesions"] else (reading.scans, [])
    seen = start_seen(reading)
    block: Block | None = None
    assessed: list[Assessed] = []
    warnings = [*reading.warnings, *notes, *list_baseline_warnings(seen, reading, book)]
    for scan in scans:
        seen = see_scan(scan, seen)
        pet, ct = find_pet(scan, seen, book), find_ct(scan, seen, book)
        images = _Images(scan, pet, ct, join_parts(pet, ct, seen.last_pet, book))
        verdict = _judge(images, seen, block, book, reading.reader)
        policy = str(book.chosen["coded_response"])
        verdict, more = choose_overall(verdict, scan, LYRIC_CODES, policy, reading.voice)
        if verdict.time_point == PD and verdict.first_day is None:
            verdict = replace(verdict, first_day=scan.day if block is None else block.day)
        is_shown = has_images(scan) or verdict.time_point == PD
        if is_shown:
            assessed.append(verdict)
            warnings += [*more, *list_warnings(scan, seen, pet, ct, reading.voice)]
            block = _follow(verdict, scan, seen, block)
        seen = remember(scan, seen, pet)
    warnings += [*_list_late(assessed, book, reading.voice), *list_contradictions(assessed, reading.voice)]
    return ReaderCourse(reading.reader, tuple(assessed), tuple(dict.fromkeys(warnings)))


def _judge(images: _Images, seen: Seen, block: Block | None, book: Book, reader: str) -> Assessed:
    scan, joined = images.scan, images.joined
    verdict = replace(describe(scan, joined, images.pet, images.ct, reader), first_day=None)
    if block is not None and has_biopsy(scan) and joined.category in (NE, ND):
        answer = judge_next(scan, seen, {}, block, book)
        return _tell(verdict, answer, book) if answer.category == PD else verdict
    if block is not None and joined.category == PD and joined.part is None:
        return replace(verdict, time_point=block.kind, note="PET could not be evaluated: the last one stands")
    reasons = list_reasons(images.pet, images.ct) if joined.category == PD else {}
    if joined.category in (PR, SD) and book.chosen["small_growth"] == "any":
        reasons |= _list_small(scan, seen, book)
    if not reasons:
        return verdict
    judged = judge_first(scan, seen, reasons, book) if block is None else judge_next(scan, seen, reasons, block, book)
    return _tell(verdict, judged, book)


def _list_small(scan: Scan, seen: Seen, book: Book) -> dict[str, list[Finding]]:
    """Return growth that the Lugano classification does not call progression."""
    asked = [find_burden_rise(scan, seen, book), find_small_growth(scan, seen, book)]
    found = [finding for finding in asked if finding.truth == Truth.TRUE]
    return {"growth": found} if found else {}


def _tell(verdict: Assessed, answer: Answer, book: Book) -> Assessed:
    rules = book.rules
    note = ""
    if is_indeterminate(answer.category):
        elapsed = verdict.day - float(book.chosen["start_day"])
        if rules.threshold("swelling_from") <= elapsed <= rules.threshold("swelling_to"):
            note = SWELLING
    elif answer.category == PD and answer.from_day < verdict.day:
        note = f"dated back to the indeterminate response on day {answer.from_day:g}"
    return replace(
        verdict,
        time_point=answer.category,
        first_day=answer.from_day if answer.category == PD else None,
        findings=answer.findings,
        unknowns=tuple(dict.fromkeys(answer.unknowns)),
        would_change=answer.would_change,
        note=note,
    )


def _follow(verdict: Assessed, scan: Scan, seen: Seen, block: Block | None) -> Block | None:
    """Return the block that stands open after a scan."""
    if verdict.time_point in (NE, ND):
        return block
    if not is_indeterminate(verdict.time_point):
        return None
    if block is not None:
        is_settled = block.kind == verdict.time_point or verdict.time_point != "IR1"
        return block if is_settled else replace(_open(verdict, scan, seen), day=block.day)
    return _open(verdict, scan, seen)


def _open(verdict: Assessed, scan: Scan, seen: Seen) -> Block:
    total, sizes = measure_burden(scan, seen)
    return Block(verdict.day, verdict.time_point, total, sizes)


def _list_late(assessed: Sequence[Assessed], book: Book, voice: str) -> list[str]:
    """Say which indeterminate responses were not imaged again, or biopsied, in time."""
    limit = book.rules.threshold("reimage_days")
    warnings = []
    for place, verdict in enumerate(assessed):
        if not is_indeterminate(verdict.time_point):
            continue
        later = assessed[place + 1].day if place + 1 < len(assessed) else None
        what = f"{verdict.time_point} on day {verdict.day:g}"
        if later is None:
            warnings.append(f"{what} was not followed by another scan, nor by a biopsy{voice}")
        elif later - verdict.day > limit:
            warnings.append(f"{what} was followed by a scan only on day {later:g}, after {limit:g} days{voice}")
    return warnings
