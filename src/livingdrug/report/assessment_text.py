"""An assessment and the list of criteria as plain text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from livingdrug.study.assessment import Assessment

MOST_VISITS = 40
MAIN = (
    "best_overall_response",
    "confirmed_best_overall_response",
    "confirmed_response",
    "time_to_response",
    "duration_of_response",
    "progression_free_survival",
    "overall_survival",
    "failure",
    "failure_mechanism",
    "first_signal",
)
"""Endpoints that a terminal shows where criteria of response give dozens; all stand in endpoints.csv."""
NOTE = "Research software; not a medical device."


def format_assessment(assessment: Assessment) -> str:
    """Return what a reader wants first: the visits of one subject, or the counts of a cohort.

    Examples
    --------
    >>> from livingdrug.study.assess_record import assess
    >>> from livingdrug.study.examples import load_example
    >>> print(format_assessment(assess(load_example("myeloma_late_relapse"))).splitlines()[0])
    imwg/2016, 1 subject
    """
    subjects = len(assessment.courses)
    readers = assessment.endpoints["reader"].n_unique()
    head = f"{assessment.ruleset}, {subjects} subject{'' if subjects == 1 else 's'}"
    head += f", {readers} readers" if readers > 1 else ""
    is_one = subjects == 1 and readers <= 1
    body = _list_visits(assessment) if subjects == 1 else _count_verdicts(assessment)
    return "\n".join([head, "", *body, "", *_list_endpoints(assessment, is_one=is_one), "", NOTE])


def _list_visits(assessment: Assessment) -> list[str]:
    rows = assessment.verdicts.rows(named=True)
    several = len({row["reader"] for row in rows}) > 1
    lines = [f"{'day':>8}  {'visit':<16} {'confirmed':<16} not known"]
    for row in rows[:MOST_VISITS]:
        reader = f"  [{row['reader']}]" if several else ""
        unknown = ", ".join(row["unknowns"])
        lines.append(f"{row['day']:>8g}  {row['time_point']:<16} {row['confirmed']:<16} {unknown}{reader}".rstrip())
    if len(rows) > MOST_VISITS:
        lines.append(f"{'...':>8}  and {len(rows) - MOST_VISITS} more in verdicts.csv")
    return lines


def _count_verdicts(assessment: Assessment) -> list[str]:
    counts = assessment.verdicts.group_by("time_point").len().sort("len", "time_point", descending=[True, False])
    return ["time points: " + ", ".join(f"{name} {count}" for name, count in counts.iter_rows())]


def _list_endpoints(assessment: Assessment, *, is_one: bool) -> list[str]:
    table = assessment.endpoints
    names = table["endpoint"].unique(maintain_order=True).to_list()
    shown = [name for name in MAIN if name in names] if any(assessment.courses.values()) else names
    lines = []
    for name in shown:
        own = table.filter(pl.col("endpoint") == name)
        if not is_one:
            lines.append(f"  {name.replace('_', ' ')}: {_summarise(own)}")
            continue
        rows = own.select("value", "status", "reason").rows()
        lines += [f"  {name.replace('_', ' ')}: {_say_value(v, s)} ({r})" for v, s, r in rows if v]
    rest = len(names) - len(shown)
    return [*lines, f"  and {rest} more in endpoints.csv"] if rest else lines


def _say_value(value: str, status: str) -> str:
    """Return a category as it is, and a time with its unit and whether the event has happened."""
    is_time = value.replace(".", "", 1).isdigit()
    return f"{value} days, {status}" if is_time else value


def _summarise(own: pl.DataFrame) -> str:
    """Return how often each category came out; for times, how many events of how many subjects."""
    numbers = own["value"].cast(pl.Float64, strict=False)
    if numbers.null_count() < len(own):
        events = int((own["status"] == "event").sum())
        return f"{events} event{'' if events == 1 else 's'} in {len(own)}"
    counts = own.group_by("value").len().sort("len", "value", descending=[True, False])
    return ", ".join(f"{value or 'none'} {count}" for value, count in counts.iter_rows())


def format_criteria(criteria: Sequence[Mapping[str, Any]]) -> str:
    """Return the criteria with their options, one paragraph each.

    Examples
    --------
    >>> option = {"name": "nadir", "default": "raw_min", "choices": ["raw_min", "confirmed"], "meaning": "which value"}
    >>> one = {"name": "imwg/2016", "title": "Myeloma", "source": "Kumar 2016", "options": [option], "thresholds": 3,
    ...        "assumed": 1}
    >>> print(format_criteria([one]))
    imwg/2016  Myeloma
        source: Kumar 2016
        3 thresholds, 1 of them assumed
        nadir = raw_min (or confirmed): which value
    """
    return "\n\n".join(_format_one(one) for one in criteria)


def _format_one(one: Mapping[str, Any]) -> str:
    lines = [f"{one['name']}  {one['title']}", f"    source: {one['source']}"]
    lines.append(f"    {one['thresholds']} thresholds, {one['assumed']} of them assumed")
    for option in one["options"]:
        text = _say(option["default"])
        others = [choice for choice in option["choices"] if choice != text]
        also = f" (or {', '.join(others)})" if others else ""
        lines.append(f"    {option['name']} = {text}{also}: {option['meaning']}")
    return "\n".join(lines)


def _say(default: str | float | bool) -> str:  # noqa: FBT001 - the value is what it is about
    if isinstance(default, bool):
        return "yes" if default else "no"
    return f"{default:g}" if isinstance(default, float) else default
