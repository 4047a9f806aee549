"""Chronic lymphocytic leukaemia by the iwCLL guidelines: nodes, spleen, blood and marrow to response and endpoints.

A response is confirmed once it has lasted two months. A fall of the counts is progression only where the treating
physician puts it down to the leukaemia. Source: hallek2018.
"""

from collections.abc import Mapping, Sequence

from livingdrug.clinical.chronic_leukaemia_bulk import Bulk, start_bulk
from livingdrug.clinical.chronic_leukaemia_rules import (
    CR,
    CRI,
    NE,
    PD,
    PR,
    PRL,
    SD,
    Baseline,
    Look,
    find_levels,
)
from livingdrug.clinical.daily import (
    Result,
    Results,
    Worst,
    find_standing,
    find_worst,
    group_days,
    list_conflicts,
    list_event_rows,
    read_results,
)
from livingdrug.clinical.haematology_codes import CODE, keep_own_codes
from livingdrug.clinical.haematology_course import Ladder, ReaderCourse, finish_courses
from livingdrug.clinical.history import find_new_therapy, read_history
from livingdrug.clinical.lesions import Reading, Scan
from livingdrug.clinical.lymphoma_reading import read_lymphoma
from livingdrug.clinical.lymphoma_state import Book
from livingdrug.core.assessment import Assessed, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

EXAMINED = ("node_longest_diameter", "node_shortest_diameter", "spleen_length", "new_lesion")
COUNTS = ("lymphocytes", "platelets", "haemoglobin", "neutrophils")
SIGNS = ("splenomegaly", "hepatomegaly", "constitutional_symptoms", "cytopenia_due_to_disease")
MARROW = ("marrow_lymphocytes", "marrow_lymphoid_nodules")
VARIABLES = (*EXAMINED, *COUNTS, *SIGNS, *MARROW, CODE)
"""Base names of the variables that the iwCLL guidelines look at."""
CODES: Mapping[str, str] = {
    **{"cr": CR, "cri": CRI, "npr": PR, "pr": PR, "pr-l": PRL},
    **{"sd": SD, "pd": PD, "ne": NE, "nd": "ND"},
}
LEVELS = {
    CR: "complete response",
    CRI: "complete response with incomplete counts",
    PR: "partial response",
    PRL: "partial response with lymphocytosis",
    SD: "stable disease",
    PD: "progression",
}
"""Levels as words."""
_WORST: Worst = {
    "lymphocytes": "highest",
    "platelets": "lowest",
    "haemoglobin": "lowest",
    "neutrophils": "lowest",
    **dict.fromkeys(SIGNS, ("yes", "indeterminate", "no")),
    "marrow_lymphocytes": "highest",
    "marrow_lymphoid_nodules": ("present", "indeterminate", "absent"),
    CODE: ("pd", "sd", "pr-l", "pr", "npr", "cri", "cr", "ne", "nd"),
}


def assess_iwcll(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Assess one subject with chronic lymphocytic leukaemia on every day with an examination or a marrow.

    Parameters
    ----------
    tables : SubjectTables
        Observations ``node_longest_diameter:ID``, ``node_shortest_diameter:ID`` [mm], ``spleen_length`` [cm] or
        ``splenomegaly``, ``hepatomegaly``, ``constitutional_symptoms``, ``lymphocytes``, ``platelets``,
        ``haemoglobin``, ``neutrophils``, ``marrow_lymphocytes`` [%], ``marrow_lymphoid_nodules``,
        ``new_lesion``, ``cytopenia_due_to_disease``, or a code in ``overall_response``. Events
        ``kinase_inhibitor`` excuse lymphocytes in blood.
    rules : Ruleset
        ``iwcll/2018``.
    options
        In place of the ruleset's, which says what each one means.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts CR, CRi, PR, PR-L, SD, PD, NE.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's, a size is beyond what it can be, or a code is none of iwCLL.

    Source
    ------
    hallek2018

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> names = ["node_longest_diameter:N1", "lymphocytes", "platelets"] * 2
    >>> seen = pl.DataFrame({"day": [-7.0] * 3 + [90.0] * 3, "variable": names, "text": [None] * 6,
    ...                      "value": [50.0, 40.0, 120.0, 20.0, 3.0, 110.0], "unit": ["mm", "10*9/L", "10*9/L"] * 2})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_iwcll(SubjectTables({}, events, seen), load_rules("iwcll/2018"))
    >>> [(v.day, v.time_point) for v in found.verdicts]
    [(90.0, 'PR')]
    """
    chosen = rules.choose(options)
    book = Book(rules, chosen)
    observations = keep_own_codes(tables.observations, CODES, "iwcll")
    days = group_days(read_results(observations, (*COUNTS, *SIGNS, *MARROW, CODE)))
    worst = {day: find_worst(found, _WORST) for day, found in days.items()}
    readings = read_lymphoma(
        observations, EXAMINED, baseline_day=float(chosen["baseline_day"]), window_days=0.0, too_small=5.0
    )
    inhibited = _list_inhibited(tables)
    assessed, warnings = _walk(readings[0] if readings else Reading("", {}, ()), worst, inhibited, book)
    if len(readings) > 1:
        warnings.append(f"{len(readings)} readers measured nodes or spleen: {readings[0].reader or 'the first'} counts")
    warnings += list_conflicts(days, (*COUNTS, *SIGNS, *MARROW))
    responses = (CR, CRI, PR, PRL) if chosen["lymphocytosis_counts"] else (CR, CRI, PR)
    ladder = Ladder(
        (CR, CRI, PR, PRL, SD, PD), responses, (CR, CRI), (SD,), hold_days=float(chosen["response_least_days"])
    )
    therapy = find_new_therapy(read_history(tables.events))
    return finish_courses([ReaderCourse("", tuple(assessed), tuple(warnings))], ladder, therapy)


def _list_inhibited(tables: SubjectTables) -> list[tuple[float, float, int]]:
    """Return first and last day and row of each kinase inhibitor; one without a duration goes on."""
    return [
        (e["day"], float("inf") if e["duration_days"] is None else e["day"] + e["duration_days"], e["row"])
        for e in list_event_rows(tables.events)
        if e["type"] == "kinase_inhibitor"
    ]


def _walk(
    reading: Reading, worst: Mapping[float, Results], inhibited: Sequence[tuple[float, float, int]], book: Book
) -> tuple[list[Assessed], list[str]]:
    chosen = book.chosen
    first = float(chosen["baseline_day"])
    after = {day: found for day, found in worst.items() if day > first}
    scans = {float(int(scan.day)): scan for scan in reading.scans}
    looks = [d for d, own in after.items() if any(n in own for n in ("splenomegaly", "hepatomegaly", *MARROW, CODE))]
    bulk = start_bulk(reading.baseline, book)
    baseline = _start({day: found for day, found in worst.items() if day <= first})
    assessed: list[Assessed] = []
    warnings = list(reading.warnings)
    for day in sorted({*scans, *looks}):
        scan = scans.get(day, Scan(day))
        found = _find_results(after, day, chosen)
        drug = next((row for begin, end, row in inhibited if begin <= day <= end), None)
        verdict = _judge(Look(day, scan.measured, found, drug), baseline, bulk, book)
        own = after.get(day, {})
        is_seen = bool(scan.measured) or any(name in own for name in (*SIGNS, *MARROW))
        verdict, more = _choose_code(verdict, own, str(chosen["coded_response"]), is_seen=is_seen)
        assessed.append(verdict)
        warnings += more
        bulk = bulk.include(scan.measured, book)
        baseline = baseline.include(found)
    return assessed, warnings


def _start(before: Mapping[float, Results]) -> Baseline:
    last: dict[str, Result] = {}
    for found in before.values():
        last |= {name: result for name, result in found.items() if result.is_known}
    return Baseline(last).include(last)


def _find_results(after: Mapping[float, Results], day: float, chosen: Mapping[str, OptionValue]) -> dict[str, Result]:
    windows = {
        **dict.fromkeys((*COUNTS, *SIGNS), float(chosen["counts_window_days"])),
        **dict.fromkeys(MARROW, float(chosen["marrow_window_days"])),
    }
    unread = {name for name, result in after.get(day, {}).items() if not result.is_known}
    return find_standing(after, day, [name for name in windows if name not in unread], windows)


def _judge(look: Look, baseline: Baseline, bulk: Bulk, book: Book) -> Assessed:
    levels = find_levels(look, baseline, bulk, book)
    category = next((name for name, finding in levels.items() if finding.truth == Truth.TRUE), NE)
    findings = [levels[category]] if category in levels else []
    findings += [f for name, f in levels.items() if name != category and f.truth == Truth.UNKNOWN]
    if category == SD:
        findings += [levels[PR], levels[PD]]
    unknowns: list[str] = []
    changes: list[str] = []
    for name, finding in levels.items():
        if name == category:
            break
        if finding.truth == Truth.UNKNOWN and name != SD:
            missing = finding.missing or ("baseline",)
            unknowns += missing
            changes.append(f"{LEVELS[name]}, if {' and '.join(missing)} were known to show it")
    if category == PD:
        unknowns, changes = [], []
    return Assessed(
        look.day,
        category,
        findings=tuple(findings),
        unknowns=tuple(dict.fromkeys(unknowns)),
        would_change=tuple(changes),
    )


def _choose_code(computed: Assessed, own: Results, policy: str, *, is_seen: bool) -> tuple[Assessed, Sequence[str]]:
    code = own.get(CODE)
    if code is None or code.word is None:
        return computed, []
    given = CODES.get(code.word, NE)
    warnings = []
    if computed.time_point not in (given, NE):
        what = f"{CODE} on day {computed.day:g} is {given} where the rest of the record gives {computed.time_point}"
        warnings.append(f"row {code.row}: {what}")
    if policy != "first" and is_seen:
        return computed, warnings
    said = Finding("overall response as it was given", Truth.TRUE, (code.row,), note=f"{CODE} was {code.word}")
    return Assessed(computed.day, given, findings=(said,), unknowns=(CODE,) if given in (NE, "ND") else ()), warnings
