"""Haematotoxicity after immune effector cells: early and late grades by neutrophils and by platelets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Any

import polars as pl

from livingdrug.clinical.daily import Result, group_days, list_conflicts, list_event_rows, read_results
from livingdrug.clinical.daily_series import Series, build_series, find_minima
from livingdrug.clinical.grading import describe_grade, find_grade
from livingdrug.clinical.neutrophil_grades import ask_early, ask_late, find_low_days
from livingdrug.clinical.neutrophil_recovery import find_recovery
from livingdrug.clinical.platelet_grades import ask_platelets
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset
from livingdrug.core.variables import compute_variable_conversion

VARIABLES = ("neutrophils", "platelets")
STOPS = ("progression", "relapse", "next_therapy")
"""Events after which counts no longer tell of the product."""


@dataclass(frozen=True, slots=True)
class _Course:
    """One patient's counts by day, and the last days of the windows that they are looked at in."""

    results: Mapping[str, Sequence[Result]]
    follow_up: int
    early_end: int
    late_end: int
    stop: str
    rules: Ruleset
    chosen: Mapping[str, OptionValue]

    def build(self, name: str, start: int, end: int, *, carries: bool = True) -> Series:
        """Fill the days of a window, of neutrophils in cells per microlitre."""
        scale, to = (_PER_MICROLITRE, float(self.chosen["round_to"])) if name == "neutrophils" else (1.0, 0.0)
        carry = float(self.chosen["carry_days"]) if carries else 0.0
        minima = find_minima(self.results[name], start, end, scale)
        gap = float(self.chosen["gap_days"])
        return build_series(minima, start, end, gap_days=gap, carry_days=carry, round_to=to)


def _find_scale() -> float:
    conversion = compute_variable_conversion("neutrophils", "/uL")
    return 1.0 if conversion is None else round(1.0 / conversion[0])


_PER_MICROLITRE = _find_scale()


def assess_icaht(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Grade the early and the late haematotoxicity of one patient.

    There is one verdict for the early grade, on day 30 or on the last day of follow-up, and one for the late grade,
    on the last day of its window; where platelets were measured, two more. The note says which is which. Values
    outside a window are not used to fill its days.

    Parameters
    ----------
    tables : SubjectTables
        Events ``progression``, ``relapse`` and ``next_therapy`` end the late window; ``death``, or else
        ``last_contact`` or a later row, ends follow-up.
    rules : Ruleset
        ``icaht/2023``.
    options
        Those of the ruleset.

    Source
    ------
    rejeski2023, rejeski2025

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> days = [float(day) for day in range(31)]
    >>> counts = [2.0 if day < 4 or day > 10 else 0.4 for day in days]
    >>> rows = pl.DataFrame({"day": days, "variable": ["neutrophils"] * 31, "value": counts, "unit": ["10*9/L"] * 31})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String})
    >>> found = assess_icaht(SubjectTables({"subject_id": "P1"}, events, rows), load_rules("icaht/2023"))
    >>> [verdict.time_point for verdict in found.verdicts], found.verdicts[0].note
    (['2', 'NE'], 'early ICAHT; neutrophils at or below 500/uL for 7 days or more in a row (days 4 to 10)')
    """
    chosen = rules.choose(options)
    course = _read_course(tables, rules, chosen)
    verdicts = [_grade_early(course), _grade_late(course)]
    endpoints = [_list_grade("icaht_early_grade", verdicts[0]), _list_grade("icaht_late_grade", verdicts[1])]
    if course.results["platelets"]:
        more = [_grade_platelets(course, is_late=False), _grade_platelets(course, is_late=True)]
        names = ("t_icaht_early_grade", "t_icaht_late_grade")
        endpoints += [_list_grade(name, verdict) for name, verdict in zip(names, more, strict=True)]
        verdicts += more
    endpoints += _count_days(course)
    endpoints.append(find_recovery(course.build("neutrophils", 0, course.follow_up, carries=False), rules, chosen))
    days = group_days([row for rows in course.results.values() for row in rows])
    notes = [replace(verdict, note=_add_growth_factor(verdict, tables)) for verdict in verdicts]
    return SubjectAssessment(
        verdicts=tuple(notes),
        endpoints=tuple(endpoints),
        warnings=tuple(list_conflicts(days, VARIABLES)),
        details={"daily_counts": _build_table(course)},
    )


def _read_course(tables: SubjectTables, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> _Course:
    results = read_results(tables.observations, VARIABLES)
    known = {name: [r for r in results if r.name == name and r.is_known] for name in VARIABLES}
    events = list_event_rows(tables.events)
    follow_up = _find_follow_up(tables, events)
    stops = [(floor(e["day"]), str(e["type"])) for e in events if e["type"] in STOPS and e["day"] >= 0]
    stop = min([*stops, (follow_up, "end of follow-up")])
    early, late = int(rules.threshold("early_end")), int(rules.threshold("late_end"))
    text = stop[1].replace("_", " ") if stop[0] < late else ""
    return _Course(known, follow_up, min(early, follow_up), min(late, stop[0]), text, rules, chosen)


def _find_follow_up(tables: SubjectTables, events: Sequence[Mapping[str, Any]]) -> int:
    """Return the last day of follow-up: death, or else last contact or the last row, whichever is later.

    Without a last contact, an event is a contact too.
    """
    deaths = [floor(float(event["day"])) for event in events if event["type"] == "death"]
    if deaths:
        return max(min(deaths), 0)
    contacts = [event for event in events if event["type"] == "last_contact"] or events
    days = [*tables.observations["day"].to_list(), *(event["day"] for event in contacts)]
    return max([0, *(floor(float(day)) for day in days if day is not None)])


def _grade_early(course: _Course) -> Assessed:
    series = course.build("neutrophils", 0, course.early_end)
    graded = find_grade(float(course.early_end), ask_early(series, course.rules, course.chosen))
    return describe_grade(graded, "early ICAHT", "early ICAHT")


def _grade_late(course: _Course) -> Assessed:
    start = int(course.rules.threshold("early_end")) + 1
    minima = find_minima(course.results["neutrophils"], start, course.late_end, _PER_MICROLITRE)
    graded = find_grade(float(course.late_end), ask_late(minima, course.rules, course.chosen))
    return _explain_window(describe_grade(graded, "late ICAHT", "late ICAHT"), course, start, "late ICAHT")


def _explain_window(verdict: Assessed, course: _Course, start: int, name: str) -> Assessed:
    """Say of a window without a day why it has none."""
    if course.late_end >= start:
        return verdict
    reason = f"{name}: {course.stop} on day {course.late_end} is before day {start}"
    return replace(verdict, note=reason, would_change=())


def _grade_platelets(course: _Course, *, is_late: bool) -> Assessed:
    """Grade platelets; a late day without a value is no day of low platelets, for late grades are by the lowest."""
    split = int(course.rules.threshold("early_end"))
    name = "late T-ICAHT" if is_late else "early T-ICAHT"
    start, end = (split + 1, course.late_end) if is_late else (0, min(split, course.late_end))
    if end < start:
        missing = ask_platelets(
            Series(start, (0.0,), (float("inf"),), (None,)), course.rules, course.chosen, is_late=True
        )
        return _explain_window(describe_grade(find_grade(float(end), missing), name, name), course, start, name)
    series = course.build("platelets", start, end, carries=not is_late)
    has_value = any(row is not None for row in series.rows)
    chosen = {**course.chosen, "unfilled_days": "above"} if is_late and has_value else course.chosen
    clauses = ask_platelets(series, course.rules, chosen, is_late=is_late)
    return describe_grade(find_grade(float(end), clauses), name, name)


def _list_grade(name: str, verdict: Assessed) -> Endpoint:
    is_event = verdict.time_point not in ("0", "NE")
    reason = "; ".join((verdict.note, *verdict.would_change))
    return Endpoint(name, "event" if is_event else "censored", verdict.day, verdict.time_point, reason, 0.0)


def _count_days(course: _Course) -> Iterator[Endpoint]:
    """Yield how many early days lie at or below each threshold, without joining runs."""
    chosen = {**course.chosen, "join_days": 0.0, "platelet_join_days": 0.0}
    wanted = [("neutrophils", "neutropenia", "at or below"), ("neutrophils", "profound", "at or below")]
    wanted += [("platelets", "platelets_50", "below"), ("platelets", "platelets_20", "below")]
    for name, threshold, words in wanted:
        if not course.results[name]:
            continue
        limit = course.rules.thresholds[threshold]
        low = find_low_days(course.build(name, 0, course.early_end), limit.value, chosen, name)
        certain, possible = (sum(run.length for run in runs) for runs in (low.certain, low.possible))
        reason = f"days {words} {limit.value:g} {limit.unit} from day 0 to day {course.early_end}"
        reason += f"; up to {possible}, for some days have no value" if possible > certain else ""
        label = f"days_{name}_{words.replace(' ', '_')}_{limit.value:g}"
        yield Endpoint(label, "event" if certain else "censored", float(course.early_end), f"{certain}", reason, 0.0)


def _add_growth_factor(verdict: Assessed, tables: SubjectTables) -> str:
    events = list_event_rows(tables.events)
    days = [f"{e['day']:g}" for e in events if e["type"] == "g_csf" and 0 <= e["day"] <= verdict.day]
    is_about = days and "T-ICAHT" not in verdict.note
    return f"{verdict.note}; G-CSF on day {', '.join(days)}" if is_about else verdict.note


def _build_table(course: _Course) -> pl.DataFrame:
    """Return the early counts by day as they were graded: filled and rounded."""
    tables = []
    for name in VARIABLES:
        if course.results[name]:
            series = course.build(name, 0, course.early_end)
            days = [float(day) for day in range(series.start, series.end + 1)]
            columns = {"day": days, "low": series.low, "high": series.high, "row": series.rows}
            tables.append(pl.DataFrame(columns).with_columns(variable=pl.lit(name), row=pl.col("row").cast(pl.Int64)))
    schema = {"day": pl.Float64, "low": pl.Float64, "high": pl.Float64, "row": pl.Int64, "variable": pl.String}
    return pl.concat(tables) if tables else pl.DataFrame(schema=schema)
