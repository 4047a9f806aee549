"""The myeloma criteria of one subject: verdicts with their trail, the confirmed course, endpoints, warnings.

Categories come from laboratory values; where nothing was measured, from the codes that a site gave. Both go
through the same confirmation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from livingdrug.clinical.comparison import list_leaves
from livingdrug.clinical.confirmation import ROUTES, Courses, Seen, confirm
from livingdrug.clinical.history import Happening
from livingdrug.clinical.myeloma import CATEGORIES, IMMUNOGLOBULINS, TimePoints, judge_panel, read_samples
from livingdrug.clinical.myeloma import VARIABLES as SAMPLES
from livingdrug.clinical.myeloma_baseline import KINDS
from livingdrug.clinical.myeloma_clauses import list_names
from livingdrug.clinical.myeloma_codes import Reading, read_codes, see_codes
from livingdrug.clinical.myeloma_courses import build_courses, see
from livingdrug.clinical.myeloma_endpoints import derive_course_endpoints, derive_relapse_endpoints
from livingdrug.clinical.myeloma_group import Group, find_collection, judge_group, list_groups
from livingdrug.clinical.myeloma_residual import VARIABLES as RESIDUAL
from livingdrug.clinical.myeloma_residual import derive_residual_endpoints, find_marrow_samples
from livingdrug.clinical.panel import UNREAD, WORDS, Panel
from livingdrug.clinical.relapse import ORGANS
from livingdrug.clinical.response import choose_settings
from livingdrug.core.assessment import Assessed, SubjectAssessment, SubjectTables
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = (*SAMPLES, *IMMUNOGLOBULINS, *ORGANS, *RESIDUAL, "overall_response")
"""What the criteria look at."""
NO_ISOTYPE = (
    "immunoglobulins were measured, but no immunofixation at baseline names the clone, so they are not used; "
    "write the isotype into its assay, such as IgA-kappa"
)
BEFORE = ("lymphodepletion", "leukapheresis")


@dataclass(frozen=True, slots=True)
class _Told:
    """What one visit showed, in words."""

    findings: tuple[Finding, ...]
    unknowns: tuple[str, ...] = ()
    would_change: tuple[str, ...] = ()
    note: str = ""


def assess_imwg(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Assess one subject by the criteria of the International Myeloma Working Group.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        ``imwg/2016``.
    options
        In place of the ruleset's.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    kumar2016

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rows = {"day": [-7.0, 28.0, 56.0], "variable": ["m_protein"] * 3, "value": [3.0, 1.4, 1.2], "row": [1, 2, 3]}
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String})
    >>> found = assess_imwg(SubjectTables({}, events, pl.DataFrame(rows)), load_rules("imwg/2016"))
    >>> [(verdict.time_point, verdict.confirmed, verdict.first_day) for verdict in found.verdicts]
    [('PR', 'PR', 28.0), ('PR', 'PR', 28.0)]
    """
    return assess_imwg_subjects([tables], rules, **options)[0]


def assess_imwg_subjects(
    subjects: Sequence[SubjectTables], rules: Ruleset, **options: OptionValue
) -> list[SubjectAssessment]:
    """Assess some subjects at once: what each gets alone, in less time."""
    chosen = rules.choose(options)
    found: dict[int, SubjectAssessment] = {}
    for places in list_groups(subjects):
        group = judge_group([subjects[place] for place in places], rules, chosen)
        for number, place in enumerate(places):
            found[place] = _assess_one(group, number, subjects[place], rules, chosen)
    return [found[place] for place in range(len(subjects))]


def _assess_one(
    group: Group, number: int, tables: SubjectTables, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> SubjectAssessment:
    coded = () if chosen["codes"] == "never" else read_codes(tables.observations)
    if coded and (chosen["codes"] == "first" or not group.is_measured[number]):
        return _join([_assess_codes(reading, group.histories[number], rules, chosen) for reading in coded])
    found = _assess_samples(group, number, tables, rules, chosen)
    return replace(found, warnings=(*found.warnings, *_compare_codes(found, coded)))


def _assess_samples(
    group: Group, number: int, tables: SubjectTables, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> SubjectAssessment:
    history = group.histories[number]
    seen = group.seen.take(number)
    courses = group.courses.take(number, len(seen.day))
    course = group.told[number]
    marrow = find_marrow_samples(tables.observations, rules)
    labels, relapses = derive_relapse_endpoints(group.labels, number, history, course, marrow, chosen)
    endpoints = (
        *derive_course_endpoints(seen, courses, course, history, rules, chosen),
        *derive_residual_endpoints(marrow, course, rules, chosen),
        *labels,
    )
    details = {"baseline": _tabulate_baseline(group, number), "relapses": relapses}
    if chosen["baseline_reset"] == "at_relapse" and course.progression_day is not None:
        details["after_relapse"] = _assess_again(tables, course.progression_day, history, rules, chosen)
    tell = partial(_tell_samples, group=group, number=number, ruleset=rules.name)
    verdicts = _list_verdicts(seen, courses, tell, chosen)
    return SubjectAssessment(verdicts, (course,), endpoints, _list_warnings(group.points, number, chosen), details)


def _assess_codes(
    reading: Reading, history: Sequence[Happening], rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> SubjectAssessment:
    seen = see_codes(reading, history)
    courses = confirm(seen, choose_settings(chosen)[0])
    course = build_courses(seen, courses, reading.reader)[0]

    def tell(visit: int) -> _Told:
        is_open = reading.find_category(visit) == Response.NE
        return _Told((reading.describe(visit),), ("overall_response",) if is_open else ())

    verdicts = tuple(replace(v, reader=reading.reader) for v in _list_verdicts(seen, courses, tell, chosen))
    endpoints = derive_course_endpoints(seen, courses, course, history, rules, chosen)
    return SubjectAssessment(verdicts, (course,), endpoints, _list_conflicts(reading.panel, 0))


def _join(parts: Sequence[SubjectAssessment]) -> SubjectAssessment:
    return SubjectAssessment(
        tuple(verdict for part in parts for verdict in part.verdicts),
        tuple(course for part in parts for course in part.courses),
        tuple(endpoint for part in parts for endpoint in part.endpoints),
        tuple(warning for part in parts for warning in part.warnings),
    )


def _list_verdicts(
    seen: Seen, courses: Courses, tell: Callable[[int], _Told], chosen: Mapping[str, OptionValue]
) -> tuple[Assessed, ...]:
    warn_days = choose_settings(chosen)[1]
    verdicts = []
    for visit in (int(v) for v in np.flatnonzero(seen.is_visit[:, 0])):
        told, first, gap = tell(visit), courses.first_day[visit, 0], courses.gap[visit, 0]
        route = ROUTES[courses.route[visit, 0]]
        notes = [told.note, f"progression confirmed by {route}" if route else ""]
        notes.append(f"the second sample came {gap:g} days later" if gap > warn_days else "")
        verdicts.append(
            Assessed(
                float(seen.day[visit, 0]),
                CATEGORIES[seen.category[visit, 0]].value,
                CATEGORIES[courses.confirmed[visit, 0]].value,
                None if np.isnan(first) else float(first),
                told.findings,
                told.unknowns,
                told.would_change,
                note="; ".join(note for note in notes if note),
            )
        )
    return tuple(verdicts)


def _tell_samples(visit: int, *, group: Group, number: int, ruleset: str) -> _Told:
    points = group.points
    verdict = points.find_verdict(number, visit, ruleset)
    findings = verdict.findings
    if verdict.not_excluded:
        findings = (*findings, points.find_progression(number, visit))
    unknowns = tuple(dict.fromkeys((*verdict.capped_by, *verdict.not_excluded)))
    changes = tuple(_say_change(finding) for finding in findings if finding.truth == Truth.UNKNOWN)
    return _Told(findings, unknowns, changes, group.notes.get((number, visit), ""))


def _say_change(finding: Finding) -> str:
    leaves = dict.fromkeys(leaf.clause for leaf in list_leaves(finding, Truth.UNKNOWN))
    joint = " or " if finding.comparison == "any" else " and "
    return f"{finding.clause}, if this were known to hold: {joint.join(leaves)}"


def _list_warnings(points: TimePoints, subject: int, chosen: Mapping[str, OptionValue]) -> tuple[str, ...]:
    kind, panel = KINDS[int(points.baseline.kind[subject])], points.panel
    is_measured = any(panel.get(name).is_measured[:, subject].any() for name in IMMUNOGLOBULINS)
    with_immunoglobulin = chosen["serum_measure"] == "immunoglobulin" and is_measured
    warnings = list(_list_conflicts(points.panel, subject))
    if with_immunoglobulin and points.baseline.isotype[subject] < 0:
        warnings.append(NO_ISOTYPE)
    if kind == "not_measurable" and points.is_judged[:, subject].any():
        warnings.append("no measurable disease at baseline: responses other than complete cannot be told")
    return tuple(warnings)


def _list_conflicts(panel: Panel, subject: int) -> tuple[str, ...]:
    return tuple(
        f"rows {', '.join(str(row) for row in c.rows)}: {c.variable} on day {c.day:g} is {' and '.join(c.said)}; "
        "the worse one counts"
        for c in panel.conflicts
        if c.subject == subject
    )


def _compare_codes(found: SubjectAssessment, coded: Sequence[Reading]) -> tuple[str, ...]:
    """Say where a code differs from what the values of the same day give."""
    computed = {verdict.day: verdict.time_point for verdict in found.verdicts}
    warnings = []
    for reading in coded:
        for visit, day in enumerate(reading.panel.day[:, 0]):
            given = reading.find_category(visit).value
            if computed.get(float(day), given) not in (given, "NE"):
                row = reading.describe(visit).rows[0]
                found_here = computed[float(day)]
                what = f"overall_response on day {day:g} is {given} where the results give {found_here}"
                warnings.append(f"row {row}: {what}")
    return tuple(warnings)


def _tabulate_baseline(group: Group, number: int) -> pl.DataFrame:
    """Return each thing at baseline, before leukapheresis, and whether the disease is followed by it."""
    start, baseline = find_collection(group.histories[number]), group.points.baseline
    followed = list_names(int(baseline.followed[number]))
    rows = []
    for name, column in baseline.found.items():
        value, code = column.value[number], column.code[number]
        if np.isnan(value) and (code < 0 or code == UNREAD):
            continue
        earlier = group.collected[name]
        is_earlier = bool(earlier.is_known[number]) and earlier.day[number] <= start
        rows.append(
            (
                name,
                *_read(value, code),
                float(column.day[number]),
                int(column.rows[0][number]),
                *(_read(earlier.value[number], earlier.code[number]) if is_earlier else (None, None)),
                float(earlier.day[number]) if is_earlier else None,
                name in followed,
            )
        )
    schema = {
        "variable": pl.String,
        "value": pl.Float64,
        "text": pl.String,
        "day": pl.Float64,
        "row": pl.Int64,
        "value_before_leukapheresis": pl.Float64,
        "text_before_leukapheresis": pl.String,
        "day_before_leukapheresis": pl.Float64,
        "is_followed": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _read(value: float, code: int) -> tuple[float | None, str | None]:
    return None if np.isnan(value) else float(value), WORDS[code] if code >= 0 else None


def _assess_again(
    tables: SubjectTables,
    relapse: float,
    history: Sequence[Happening],
    rules: Ruleset,
    chosen: Mapping[str, OptionValue],
) -> pl.DataFrame:
    """Return the visits after a relapse, counted from the values at the relapse or at the start of new treatment."""
    therapies = [event.day for event in history if event.type == "next_therapy" and event.day >= relapse]
    start = min(therapies, default=relapse)
    later = [replace(event, day=event.day - start) for event in history if event.type not in BEFORE]
    panel = read_samples(tables.observations.drop("subject_id", strict=False), chosen)
    points = judge_panel(panel.shift_days(start), (later,), rules, chosen)
    seen = see(points, (later,))
    courses = confirm(seen, choose_settings(chosen)[0])
    visits = np.flatnonzero(seen.is_visit[:, 0])
    return pl.DataFrame(
        {
            "day": seen.day[visits, 0] + start,
            "time_point": [CATEGORIES[rank].value for rank in seen.category[visits, 0]],
            "confirmed": [CATEGORIES[rank].value for rank in courses.confirmed[visits, 0]],
            "baseline_day": np.full(len(visits), start),
        },
        schema={"day": pl.Float64, "time_point": pl.String, "confirmed": pl.String, "baseline_day": pl.Float64},
    )
