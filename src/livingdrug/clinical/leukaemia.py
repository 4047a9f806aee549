"""Acute lymphoblastic leukaemia: remission by marrow, blood, other sites and counts, relapse, and their endpoints.

Where the counts are not known, complete remission and remission with incomplete counts cannot be told apart: the
lesser is given, and what caps it is named. Sources: brown2021, maude2018.
"""

from collections.abc import Mapping, Sequence

from livingdrug.clinical.daily import Result, Results, Worst, find_standing, find_worst, group_days, list_conflicts
from livingdrug.clinical.daily import read_results as read_daily
from livingdrug.clinical.haematology_codes import CODE, keep_own_codes
from livingdrug.clinical.haematology_course import Ladder, ReaderCourse, finish_courses, select_points
from livingdrug.clinical.history import find_new_therapy, read_history
from livingdrug.clinical.leukaemia_endpoints import derive_leukaemia_endpoints
from livingdrug.clinical.leukaemia_rules import (
    CR,
    MLFS,
    NE,
    NR,
    ORDER,
    PR,
    REL,
    REMISSIONS,
    History,
    find_levels,
    find_relapse,
)
from livingdrug.core.assessment import Assessed, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = (
    *("marrow_blasts", "blood_blasts", "extramedullary_disease", "neutrophils", "platelets", "mrd"),
    CODE,
)
"""Base names of the variables that these criteria look at."""
CODES: Mapping[str, str] = {
    **{"cr": CR, "crh": "CRh", "cri": "CRi", "mlfs": MLFS, "pr": PR, "nr": NR, "sd": NR},
    **{"rel": REL, "pd": REL, "ne": NE, "nd": "ND"},
}
LEVELS = {
    CR: "complete remission",
    "CRh": "remission with partial recovery of counts",
    "CRi": "remission with incomplete counts",
    MLFS: "leukaemia-free state",
    PR: "partial response",
    REL: "relapse",
}
"""Levels as words."""
_WORST: Worst = {
    "marrow_blasts": "highest",
    "blood_blasts": "highest",
    "neutrophils": "lowest",
    "platelets": "lowest",
    "extramedullary_disease": ("present", "indeterminate", "absent"),
    CODE: ("rel", "pd", "nr", "sd", "pr", "mlfs", "cri", "crh", "cr", "ne", "nd"),
}


def assess_all(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Assess one subject with acute lymphoblastic leukaemia on every day with a marrow, or with disease elsewhere.

    Parameters
    ----------
    tables : SubjectTables
        Observations ``marrow_blasts``, ``blood_blasts`` [%], ``extramedullary_disease``, ``neutrophils``,
        ``platelets``, ``mrd``, or a code in ``overall_response``.
    rules : Ruleset
        ``all/nccn-eln``.
    options
        In place of the ruleset's, which says what each one means.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts CR, CRh, CRi, MLFS, PR, NR (no response), REL (relapse), NE. For the course a response, and a
        complete one, is any of the three remissions. Endpoints ``overall_remission``, ``no_remission``,
        ``complete_remission`` and ``mrd_negative_remission`` besides those of every course.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's, or a code is none of these criteria.

    Source
    ------
    brown2021

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> names = ["marrow_blasts", "marrow_blasts", "blood_blasts", "neutrophils", "platelets"]
    >>> seen = pl.DataFrame({"day": [-7.0, 28.0, 28.0, 28.0, 28.0], "variable": names,
    ...                      "value": [60.0, 1.0, 0.0, 1.2, 80.0], "unit": ["%", "%", "%", "10*9/L", "10*9/L"]})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_all(SubjectTables({}, events, seen), load_rules("all/nccn-eln"))
    >>> [(v.day, v.time_point) for v in found.verdicts]
    [(28.0, 'CRh')]
    """
    chosen = rules.choose(options)
    observations = keep_own_codes(tables.observations, CODES, "all")
    days = group_days(read_daily(observations, VARIABLES[:-2] + VARIABLES[-1:]))
    worst = {day: find_worst(found, _WORST) for day, found in days.items()}
    assessed, warnings = _walk(worst, rules, chosen)
    warnings += list_conflicts(days, VARIABLES[:-2])
    therapy = find_new_therapy(read_history(tables.events))
    ladder = Ladder(ORDER, REMISSIONS, REMISSIONS, neutral=(MLFS,), hold_days=float(chosen["maintained_days"]))
    one = ReaderCourse("", tuple(assessed), tuple(warnings))
    found = finish_courses([one], ladder, therapy)
    counted = select_points(one.points, ladder, therapy)
    own = derive_leukaemia_endpoints(counted, tables, rules, chosen)
    return SubjectAssessment(found.verdicts, found.courses, (*found.endpoints, *own), found.warnings)


def _walk(
    worst: Mapping[float, Results], rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[list[Assessed], list[str]]:
    first = float(chosen["baseline_day"])
    before = {day: found for day, found in worst.items() if day <= first}
    after = {day: found for day, found in worst.items() if day > first}
    history = _start(before)
    assessed: list[Assessed] = []
    warnings: list[str] = []
    for day, own in after.items():
        if not _is_look(own, float(chosen["circulating_blasts_above"])):
            continue
        found = _find_results(after, day, chosen)
        verdict = _judge(day, found, history, rules, chosen)
        verdict, more = _choose_code(verdict, own, str(chosen["coded_response"]))
        assessed.append(verdict)
        warnings += more
        history = history.include(verdict.time_point, found.get("extramedullary_disease"))
    return assessed, warnings


def _start(before: Mapping[float, Results]) -> History:
    marrow = [r["marrow_blasts"] for r in before.values() if "marrow_blasts" in r and r["marrow_blasts"].is_known]
    elsewhere = [r["extramedullary_disease"].word for r in before.values() if "extramedullary_disease" in r]
    return History(marrow[-1] if marrow else None, was_elsewhere=any(word != "absent" for word in elsewhere))


def _is_look(own: Results, limit: float) -> bool:
    """Whether a day was one of looking for leukaemia: counts alone are none, blasts in blood are."""
    blood = own.get("blood_blasts")
    has_blasts = blood is not None and blood.low is not None and blood.low > limit
    return has_blasts or any(name in own for name in ("marrow_blasts", "extramedullary_disease", CODE))


def _find_results(after: Mapping[float, Results], day: float, chosen: Mapping[str, OptionValue]) -> dict[str, Result]:
    counts = float(chosen["counts_window_days"])
    windows = {
        "marrow_blasts": float(chosen["marrow_window_days"]),
        "extramedullary_disease": float(chosen["extramedullary_window_days"]),
        **dict.fromkeys(("blood_blasts", "neutrophils", "platelets"), counts),
    }
    unread = {name for name, result in after[day].items() if not result.is_known}
    found = find_standing(after, day, [name for name in windows if name not in unread], windows)
    elsewhere = found.get("extramedullary_disease")
    if elsewhere is not None and elsewhere.day < day and elsewhere.word != "absent":
        del found["extramedullary_disease"]
    return found


def _judge(
    day: float, found: Mapping[str, Result], history: History, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> Assessed:
    relapse = find_relapse(found, history, rules, chosen)
    levels = {REL: relapse, **find_levels(found, history, rules, chosen)}
    category = next((name for name, finding in levels.items() if finding.truth == Truth.TRUE), "")
    if not category:
        category = NR if all(finding.truth == Truth.FALSE for finding in levels.values()) else NE
    findings = [levels[category]] if category in levels else []
    findings += [f for name, f in levels.items() if name != category and (f.truth == Truth.UNKNOWN or category == NR)]
    unknowns, changes = _list_open(category, levels)
    return Assessed(day, category, findings=tuple(findings), unknowns=unknowns, would_change=changes)


def _list_open(category: str, levels: Mapping[str, Finding]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what was not known and could give a better category, or relapse."""
    unknowns: list[str] = []
    changes: list[str] = []
    for name, finding in levels.items():
        if name == category:
            break
        if finding.truth == Truth.UNKNOWN:
            unknowns += finding.missing
            changes.append(f"{LEVELS[name]}, if {' and '.join(finding.missing)} were known to show it")
    if category == REL:
        return (), ()
    return tuple(dict.fromkeys(unknowns)), tuple(changes)


def _choose_code(computed: Assessed, own: Results, policy: str) -> tuple[Assessed, Sequence[str]]:
    code = own.get(CODE)
    if code is None or code.word is None:
        return computed, []
    given = CODES.get(code.word, NE)
    warnings = []
    if computed.time_point not in (given, NE):
        what = f"{CODE} on day {computed.day:g} is {given} where the rest of the record gives {computed.time_point}"
        warnings.append(f"row {code.row}: {what}")
    if policy != "first" and "marrow_blasts" in own:
        return computed, warnings
    said = Finding("overall response as it was given", Truth.TRUE, (code.row,), note=f"{CODE} was {code.word}")
    return Assessed(computed.day, given, findings=(said,), unknowns=(CODE,) if given in (NE, "ND") else ()), warnings
