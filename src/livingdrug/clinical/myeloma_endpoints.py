"""Endpoints that belong to the myeloma criteria: levels reached, benefit, refractory disease, labels of relapse."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import polars as pl

from livingdrug.clinical.comparison import join_any
from livingdrug.clinical.confirmation import LEVELS, SD, Courses, Seen
from livingdrug.clinical.history import Happening, find_new_therapy
from livingdrug.clinical.myeloma_residual import MarrowSample, find_resurgence
from livingdrug.clinical.relapse import Findings, Labels, list_findings
from livingdrug.core.assessment import Endpoint, ResponseCourse
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

YES, NO, OPEN = "Y", "N", "NE"
MINIMAL = ("MR", "PR", "VGPR", "CR", "sCR")


def derive_course_endpoints(
    seen: Seen,
    courses: Courses,
    course: ResponseCourse,
    history: Sequence[Happening],
    rules: Ruleset,
    chosen: Mapping[str, OptionValue],
) -> tuple[Endpoint, ...]:
    """Derive what follows from the confirmed course of one subject."""
    last = max(course.assessed_days, default=None)
    reader = course.reader
    progression = None if np.isnan(courses.progression[0]) else float(courses.progression[0])
    very_good = courses.level_days[LEVELS.index(Response.VGPR), 0]
    rows = (
        ("vgpr_response", None if np.isnan(very_good) else float(very_good), "confirmed very good partial response"),
        ("clinical_benefit", _find_benefit(seen, courses, float(chosen["sustained_days"])), "clinical benefit"),
        ("progression", progression, "confirmed progression"),
    )
    endpoints = [_say(name, day, words, last, reader) for name, day, words in rows]
    return (*endpoints, *_derive_refractory(course, progression, find_new_therapy(history), rules))


def _say(name: str, day: float | None, words: str, last: float | None, reader: str = "") -> Endpoint:
    if day is not None:
        return Endpoint(name, "event", day, YES, f"{words} on day {day:g}", 0.0, reader)
    if last is None:
        return Endpoint(name, "censored", None, OPEN, "no adequate assessment", 0.0, reader)
    return Endpoint(name, "censored", last, NO, f"no {words}", 0.0, reader)


def _find_benefit(seen: Seen, courses: Courses, least: float) -> float | None:
    """Return the earlier of a confirmed partial response and of stable disease, or better, for long enough."""
    response = courses.level_days[LEVELS.index(Response.PR), 0]
    counts = seen.is_visit & ~seen.is_after_therapy & (courses.at_visit >= SD) & (seen.day >= least)
    counts &= ~(seen.day >= courses.progression)
    days = [float(day) for day in (response, *seen.day[counts]) if not np.isnan(day)]
    return min(days, default=None)


def _derive_refractory(
    course: ResponseCourse, progression: float | None, therapy: float | None, rules: Ruleset
) -> tuple[Endpoint, Endpoint]:
    """Ask for disease that never had a minimal response, and for that or progression soon after treatment."""
    last, reader = max(course.assessed_days, default=None), course.reader
    soon = rules.threshold("refractory_days")
    day, value, reason = _judge_primary(course, progression, therapy, _find_late(course, rules))
    status: Literal["event", "censored"] = "event" if value == YES else "censored"
    primary = Endpoint("primary_refractory", status, last if day is None else day, value, reason, 0.0, reader)
    if progression is not None and progression <= soon:
        text = f"progression on day {progression:g}, within {soon:g} days of the last therapy"
        return primary, Endpoint("refractory", "event", progression, YES, text, 0.0, reader)
    return primary, replace(primary, name="refractory")


def _judge_primary(
    course: ResponseCourse, progression: float | None, therapy: float | None, late: float | None
) -> tuple[float | None, str, str]:
    """Return since when it is known that there was no minimal response, the answer, and why."""
    if not course.assessed_days:
        return None, OPEN, "no adequate assessment"
    if course.best in MINIMAL:
        return None, NO, f"{course.best} was confirmed"
    known = [day for day in (progression, therapy, late) if day is not None]
    is_awaited = course.best_unconfirmed in MINIMAL and progression is None and therapy is None
    if not known or is_awaited:
        return None, OPEN, "no minimal response is confirmed yet"
    day = min(known)
    return day, YES, f"no minimal response was confirmed, known on day {day:g}"


def _find_late(course: ResponseCourse, rules: Ruleset) -> float | None:
    """Return the first assessment late enough to say that there was no response."""
    wait = rules.threshold("no_response_day")
    return next((day for day in course.assessed_days if day >= wait), None)


def derive_relapse_endpoints(
    labels: Labels,
    subject: int,
    history: Sequence[Happening],
    course: ResponseCourse,
    marrow: Sequence[MarrowSample],
    chosen: Mapping[str, OptionValue],
) -> tuple[tuple[Endpoint, ...], pl.DataFrame]:
    """Derive one subject's labels of relapse, and the table of the visits that raised one or left one open."""
    asked = tuple(_list_labels(labels, subject, history, course, marrow, chosen))
    endpoints = tuple(_say_label(name, findings, why) for name, findings, why in asked)
    rows = [
        (name, day, finding.truth.value, _name_parts(finding), ", ".join(map(str, finding.rows)))
        for name, findings, _ in asked
        for day, finding in findings
        if finding.truth != Truth.FALSE
    ]
    schema = {
        "label": pl.String,
        "day": pl.Float64,
        "truth": pl.String,
        "clause": pl.String,
        "rows": pl.String,
    }
    return endpoints, pl.DataFrame(rows, schema=schema, orient="row")


def _name_parts(finding: Finding) -> str:
    return "; ".join(part.clause for part in finding.parts if part.truth == finding.truth) or finding.clause


def _list_labels(
    labels: Labels,
    subject: int,
    history: Sequence[Happening],
    course: ResponseCourse,
    marrow: Sequence[MarrowSample],
    chosen: Mapping[str, OptionValue],
) -> Iterator[tuple[str, Findings, str]]:
    """Yield the name of each label, its findings by day up to new treatment, and why it could not be asked."""
    samples = labels.samples
    day, therapy = samples.panel.day[:, subject], find_new_therapy(history)
    is_early = day <= (np.inf if therapy is None else therapy)
    yield "relapse_clinical", list_findings(samples, labels.clinical, is_early & (day > 0), subject, is_brief=True), ""
    is_pair = is_early & labels.is_pair[:, subject]
    yield "relapse_biochemical", list_findings(samples, labels.biochemical, is_pair, subject, is_brief=True), ""
    since, name = course.complete_response_day, "relapse_from_complete_response"
    if since is None:
        yield name, (), "no confirmed complete response"
    else:
        yield (
            name,
            list_findings(samples, labels.complete_response, is_early & (day > since), subject, is_brief=True),
            "",
        )
    negative = next((s for s in marrow if s.is_negative == Truth.TRUE and _counts(s, course, chosen)), None)
    if negative is None:
        yield "relapse_from_mrd_negative", (), "residual disease was not known to be negative"
        return
    clause = labels.residual_disease
    found = list_findings(samples, clause, is_early & (day > negative.day), subject, is_brief=True)
    again = find_resurgence(marrow, negative.day)
    if again is not None and (therapy is None or again.day <= therapy):
        clause_again = Finding("residual disease again", Truth.TRUE, (again.row,), note=again.words)
        found = (*found, (again.day, join_any(clause.text, [clause_again])))
    yield "relapse_from_mrd_negative", tuple(sorted(found, key=lambda pair: pair[0])), ""


def _counts(sample: MarrowSample, course: ResponseCourse, chosen: Mapping[str, OptionValue]) -> bool:
    if chosen["mrd_requires"] == "nothing":
        return True
    complete = course.complete_response_day
    return complete is not None and sample.day >= complete - float(chosen["mrd_window_days"])


def _say_label(name: str, findings: Findings, why: str) -> Endpoint:
    true = next(((day, finding) for day, finding in findings if finding.truth == Truth.TRUE), None)
    if true is not None:
        day_seen, finding = true
        return Endpoint(name, "event", day_seen, YES, _name_parts(finding), 0.0)
    asked = [(day, finding) for day, finding in findings if finding.parts]
    open_names = dict.fromkeys(n for _, finding in asked for n in finding.missing)
    last = max((d for d, _ in asked), default=None)
    if why or last is None:
        return Endpoint(name, "censored", last, OPEN, why or "nothing to ask it of", 0.0)
    if open_names:
        return Endpoint(name, "censored", last, OPEN, f"not excluded without {', '.join(open_names)}", 0.0)
    return Endpoint(name, "censored", last, NO, "not seen", 0.0)
