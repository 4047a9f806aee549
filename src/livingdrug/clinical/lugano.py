"""Lymphoma by the Lugano classification: PET and CT of each visit, joined, and the endpoints of them.

Each reader is assessed alone. Where PET can be evaluated it decides; a PET that cannot gives way to a progression
on CT, then to the last PET that could be evaluated, then to CT; without PET, CT decides. No response needs
confirmation. Source: cheson2014.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from livingdrug.clinical.haematology_codes import keep_own_codes
from livingdrug.clinical.haematology_course import Ladder, ReaderCourse, finish_courses
from livingdrug.clinical.history import find_new_therapy, read_history
from livingdrug.clinical.lesions import Reading, Scan, confirm_equivocal, get_base
from livingdrug.clinical.lymphoma_codes import LUGANO_CODES, choose_overall
from livingdrug.clinical.lymphoma_ct import find_ct
from livingdrug.clinical.lymphoma_pet import find_pet
from livingdrug.clinical.lymphoma_reading import CODE, CT, MARROW, NEW, PET, has_images, read_lymphoma
from livingdrug.clinical.lymphoma_state import (
    CR,
    EVALUABLE,
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
from livingdrug.core.assessment import Assessed, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = (*PET, *CT, *NEW, MARROW, CODE)
"""Base names of the variables that the Lugano classification looks at."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Category of a visit, the part that decided it, and why."""

    category: str
    part: Part | None
    reason: str


def assess_lugano(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Assess one subject by the Lugano classification, each reader alone.

    Parameters
    ----------
    tables : SubjectTables
        Observations ``deauville``, ``fdg_uptake_change``, ``fdg_new_foci``, ``fdg_marrow`` of PET;
        ``node_longest_diameter:ID``, ``node_shortest_diameter:ID`` and the same of ``extranodal`` [mm],
        ``spleen_length`` [cm], ``non_target_lesion:ID``, ``marrow_involvement``, ``new_lesion:ID``; or a reader's
        codes ``pet_response``, ``ct_response``, ``overall_response``. The column ``reader`` tells readers apart.
        ``tumour_spd`` [mm2] stands in where no lesion is named.
    rules : Ruleset
        ``lugano/2014``.
    options
        In place of the ruleset's, which says what each one means.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts CR, PR, SD, PD, NE, and ND where neither was done.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's, a number is beyond what it can be, or a code is none of Lugano.

    Source
    ------
    cheson2014

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> observations = pl.DataFrame({"day": [-7.0, 30.0, 90.0], "variable": ["deauville"] * 3,
    ...                              "value": [5.0, 4.0, 2.0], "unit": ["score"] * 3, "text": [None] * 3})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_lugano(SubjectTables({}, events, observations), load_rules("lugano/2014"))
    >>> [(v.day, v.time_point) for v in found.verdicts]
    [(30.0, 'PR'), (90.0, 'CR')]
    """
    chosen = rules.choose(options)
    book = Book(rules, chosen)
    observations = keep_own_codes(tables.observations, LUGANO_CODES, "lugano")
    readings = read_lymphoma(
        observations,
        VARIABLES,
        baseline_day=float(chosen["baseline_day"]),
        window_days=float(chosen["visit_window_days"]),
        too_small=rules.threshold("too_small"),
    )
    walked = [_walk(reading, book) for reading in readings]
    therapy = find_new_therapy(read_history(tables.events))
    ladder = Ladder((CR, PR, SD, PD), (CR, PR), (CR,), (SD,), min_days=float(chosen["min_sd_days"]))
    return finish_courses(walked, ladder, therapy)


def _walk(reading: Reading, book: Book) -> ReaderCourse:
    """Judge the scans of one reader in order."""
    scans, notes = confirm_equivocal(reading.scans) if book.chosen["back_date_new_lesions"] else (reading.scans, [])
    seen = start_seen(reading)
    assessed: list[Assessed] = []
    warnings = [*reading.warnings, *notes, *list_baseline_warnings(seen, reading, book)]
    for scan in scans:
        seen = see_scan(scan, seen)
        pet, ct = find_pet(scan, seen, book), find_ct(scan, seen, book)
        joined = join_parts(pet, ct, seen.last_pet, book)
        if has_images(scan) or joined.category == PD:
            verdict = describe(scan, joined, pet, ct, reading.reader)
            policy = str(book.chosen["coded_response"])
            verdict, more = choose_overall(verdict, scan, LUGANO_CODES, policy, reading.voice)
            assessed.append(verdict)
            warnings += [*more, *list_warnings(scan, seen, pet, ct, reading.voice)]
        seen = remember(scan, seen, pet)
    warnings += list_contradictions(assessed, reading.voice)
    return ReaderCourse(reading.reader, tuple(assessed), tuple(dict.fromkeys(warnings)))


def join_parts(pet: Part | None, ct: Part | None, last_pet: str, book: Book) -> Joined:
    """Join what PET and CT say at one visit.

    Parameters
    ----------
    pet, ct : Part or None
        None where it was not done.
    last_pet : str
        The last category that a PET of this patient gave, whatever the visit as a whole was; empty before.

    Examples
    --------
    >>> book = Book(Ruleset("lugano/2014", "", "", {}), {"unresolved_uptake": "not_evaluable"})
    >>> join_parts(Part("NE"), Part("PR"), "CR", book).category, join_parts(None, Part("PR"), "CR", book).category
    ('CR', 'PR')
    """
    if pet is None:
        if ct is not None and ct.category in EVALUABLE:
            return Joined(ct.category, ct, "CT, as there is no PET")
        return Joined(ND, ct, "neither PET nor CT could be evaluated" if ct else "neither PET nor CT was done")
    if pet.category in EVALUABLE:
        return Joined(pet.category, pet, "PET")
    if ct is not None and ct.category == PD:
        return Joined(PD, ct, "progression on CT, as PET could not be evaluated")
    if pet.is_open and book.chosen["unresolved_uptake"] == "not_evaluable":
        return Joined(NE, pet, "PET shows uptake, and not whether it is less than at baseline")
    if last_pet:
        return Joined(last_pet, None, "the last PET that could be evaluated")
    if ct is not None and ct.category in EVALUABLE:
        return Joined(ct.category, ct, "CT, as PET could not be evaluated")
    return Joined(NE, pet, "PET could not be evaluated")


def describe(scan: Scan, joined: Joined, pet: Part | None, ct: Part | None, reader: str) -> Assessed:
    """Return the verdict of a visit with what it rests on."""
    findings: list[Finding] = []
    unknowns: list[str] = []
    changes: list[str] = []
    asked = [joined.part] if joined.category in EVALUABLE and joined.part is not None else [pet, ct]
    for part in asked:
        if part is None:
            continue
        findings += list_findings(part)
        missing, texts = part.list_open()
        unknowns += missing
        changes += texts
    if joined.category in EVALUABLE and joined.part is None:
        note = f"category of {joined.reason}"
        findings.append(Finding("response of the last PET stands", Truth.TRUE, note=note))
    note = f"decided by {joined.reason}" if pet is not None and joined.reason != "PET" else ""
    if joined.part is pet and joined.category in (CR, PR, SD) and ct is not None and ct.category == PD:
        note = "CT shows progression; PET decides"
    return Assessed(
        scan.day,
        joined.category,
        findings=tuple(findings),
        unknowns=tuple(dict.fromkeys(unknowns)),
        would_change=tuple(dict.fromkeys(changes)),
        reader=reader,
        note=note,
    )


def list_findings(part: Part) -> list[Finding]:
    """Return the clause that gave a category first, then those that were asked before it."""
    if part.category in part.levels:
        own = part.levels[part.category]
        others = [f for f in part.levels.values() if f is not own and f.truth == Truth.UNKNOWN]
        closed = [part.levels[PD]] if PD in part.levels and part.category != PD else []
        return [own, *others, *(f for f in closed if f not in others)]
    return list(part.levels.values())


def list_warnings(scan: Scan, seen: Seen, pet: Part | None, ct: Part | None, voice: str) -> list[str]:
    """Say where what was recorded does not fit together."""
    warnings = []
    for name, part in (("pet_response", pet), ("ct_response", ct)):
        code = scan.measured.get(name)
        has_own = part is not None and part.levels.get(part.category) is not None
        if code is None or part is None or not has_own or code.word in ("ne", "nd"):
            continue
        given = LUGANO_CODES.get(code.word or "") or {"car": CR, "par": PR, "sad": SD, "pad": PD}.get(code.word or "")
        if given != part.category:
            what = f"{name} on day {scan.day:g} is {code.word} where the images give {part.category}"
            warnings.append(f"row {code.row}: {what}{voice}")
    foci = scan.measured.get("fdg_new_foci")
    new = next((m for m in scan.select("new_lesion").values() if m.word == "yes"), None)
    if foci is not None and foci.word == "no" and new is not None:
        what = f"new lesion on day {scan.day:g} without new uptake"
        warnings.append(f"rows {new.row} and {foci.row}: {what}; the worse counts{voice}")
    if seen.was_uptake_gone and pet is not None and pet.category in (PR, SD):
        what = f"uptake is back on day {scan.day:g} after a complete metabolic response"
        warnings.append(f"{what}: compared with baseline it is {pet.category}, but it may be relapse{voice}")
    return warnings


def list_baseline_warnings(seen: Seen, reading: Reading, book: Book) -> list[str]:
    """Say which lesions of the baseline are smaller or more than the classification allows."""
    rules = book.rules
    warnings = []
    for name in seen.targets:
        found = reading.baseline[name]
        is_node = get_base(name).startswith("node")
        limit = rules.threshold("new_node" if is_node else "new_extranodal")
        if found.value is not None and found.value <= limit:
            size = f"{found.value:g} mm at baseline, not above the {limit:g} mm of a target"
            warnings.append(f"row {found.row}: {name} is {size}{reading.voice}")
    most = float(book.chosen["targets_most"])
    if len(seen.targets) > most:
        warnings.append(f"{len(seen.targets)} target lesions where at most {most:g} are allowed{reading.voice}")
    return warnings


def list_contradictions(assessed: Sequence[Assessed], voice: str) -> list[str]:
    """Say where a complete response is followed by a lesser one, which calls for a look at the data."""
    texts = []
    first = next((v for v in assessed if v.time_point == CR), None)
    for verdict in assessed:
        if first is not None and verdict.day > first.day and verdict.time_point in (PR, SD):
            what = f"CR on day {first.day:g} is followed by {verdict.time_point} on day {verdict.day:g}"
            texts.append(f"{what}: disease that is back after a complete response is progression{voice}")
    return texts
