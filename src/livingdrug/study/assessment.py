"""What `assess` hands back: verdicts, endpoints, and the trail of every verdict."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from livingdrug.core.assessment import Assessed, Endpoint, ResponseCourse
from livingdrug.core.plain_values import make_plain
from livingdrug.core.ruleset import Finding

WORDS = pl.List(pl.String)
VERDICT_SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "subject_id": pl.String,
    "day": pl.Float64,
    "ruleset": pl.String,
    "time_point": pl.String,
    "confirmed": pl.String,
    "first_day": pl.Float64,
    "unknowns": WORDS,
    "reader": pl.String,
    "note": pl.String,
}
ENDPOINT_SCHEMA = {
    "subject_id": pl.String,
    "endpoint": pl.String,
    "day": pl.Float64,
    "status": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "start_day": pl.Float64,
    "reader": pl.String,
}
TRAIL_SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "subject_id": pl.String,
    "day": pl.Float64,
    "ruleset": pl.String,
    "reader": pl.String,
    "time_point": pl.String,
    "confirmed": pl.String,
    "clause": pl.String,
    "rows": pl.List(pl.Struct({"file": pl.String, "row": pl.Int64})),
    "missing": WORDS,
    "would_change": WORDS,
    "findings": pl.String,
    "note": pl.String,
}


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one set of criteria says of every subject of a record.

    Parameters
    ----------
    ruleset : str
        ``name/version``.
    verdicts : table
        ``subject_id, day, ruleset, time_point, confirmed, first_day, unknowns, reader, note``; one row a
        subject, reader and day.
    endpoints : table
        ``subject_id, endpoint, day, status, value, reason, start_day, reader``.
    warnings : tuple of str
        Rows that contradict each other and other things to look at.
    details : mapping of name to table
        Such as ``sums``: sums of diameters by day.
    courses : mapping of subject to courses
        What the endpoints were computed from.
    provenance : mapping
        ``version, ruleset, options, input_hash, assumed, sources``.
    trace : function
        Goes through the trail, one object a verdict; made anew each time, so that it takes no memory.
    """

    ruleset: str
    verdicts: pl.DataFrame
    endpoints: pl.DataFrame
    warnings: tuple[str, ...] = ()
    details: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    courses: Mapping[str, tuple[ResponseCourse, ...]] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    trace: Callable[[], Iterator[dict[str, Any]]] = lambda: iter(())

    @property
    def trail(self) -> pl.DataFrame:
        """The clauses that decided each verdict, with rows, what was missing, and what would change it.

        ``findings`` is the tree of clauses with values and thresholds, as JSON.
        """
        rows = [
            {**{name: found[name] for name in TRAIL_SCHEMA}, "findings": json.dumps(found["findings"])}
            for found in self.trace()
        ]
        return pl.DataFrame(rows, schema=TRAIL_SCHEMA)

    def to_dict(self) -> dict[str, Any]:
        """Return verdicts, endpoints, warnings and provenance as plain values."""
        return {
            "ruleset": self.ruleset,
            "verdicts": self.verdicts.to_dicts(),
            "endpoints": self.endpoints.to_dicts(),
            "warnings": list(self.warnings),
            "provenance": dict(self.provenance),
        }

    def to_json(self) -> str:
        """Return the assessment as JSON.

        Examples
        --------
        >>> nothing = Assessment("imwg/2016", pl.DataFrame(schema=VERDICT_SCHEMA), pl.DataFrame(schema=ENDPOINT_SCHEMA))
        >>> json.loads(nothing.to_json())["ruleset"]
        'imwg/2016'
        """
        return json.dumps(make_plain(self.to_dict()), indent=2, ensure_ascii=False, allow_nan=False)


def list_verdict(subject: str, ruleset: str, verdict: Assessed) -> tuple[object, ...]:
    """Return one row of the table of verdicts."""
    return (
        subject,
        float(verdict.day),
        ruleset,
        verdict.time_point,
        verdict.confirmed or verdict.time_point,
        verdict.first_day,
        list(verdict.unknowns),
        verdict.reader,
        verdict.note,
    )


def list_endpoint(subject: str, endpoint: Endpoint) -> tuple[object, ...]:
    """Return one row of the table of endpoints."""
    return (
        subject,
        endpoint.name,
        endpoint.day,
        endpoint.status,
        endpoint.value,
        endpoint.reason,
        endpoint.start_day,
        endpoint.reader,
    )


def trace_verdict(subject: str, ruleset: str, verdict: Assessed) -> dict[str, Any]:
    """Return what one verdict rests on, so that a reader can check it by hand."""
    rows = sorted({row for finding in verdict.findings for row in _list_rows(finding)})
    return {
        "subject_id": subject,
        "day": float(verdict.day),
        "ruleset": ruleset,
        "reader": verdict.reader,
        "time_point": verdict.time_point,
        "confirmed": verdict.confirmed or verdict.time_point,
        "clause": verdict.findings[0].clause if verdict.findings else "",
        "rows": [{"file": name, "row": row} for name, row in rows],
        "missing": list(verdict.unknowns),
        "would_change": list(verdict.would_change),
        "findings": [trace_finding(finding) for finding in verdict.findings],
        "note": verdict.note,
    }


def _list_rows(finding: Finding) -> set[tuple[str, int]]:
    rows = {("observations.csv", row) for row in finding.rows}
    rows |= {("events.csv", row) for row in finding.event_rows}
    return rows.union(*(_list_rows(part) for part in finding.parts))


def trace_finding(finding: Finding) -> dict[str, Any]:
    """Return one clause as plain values, with the clauses that it joins.

    Examples
    --------
    >>> from livingdrug.core.ruleset import Truth
    >>> one = Finding("down at least 50 %", Truth.TRUE, (3, 7), (3.0, 1.2), 50.0, comparison="percent fall >=")
    >>> trace_finding(one)["rows"], trace_finding(one)["values"]
    ([{'file': 'observations.csv', 'row': 3}, {'file': 'observations.csv', 'row': 7}], [3.0, 1.2])
    """
    own = [{"file": "observations.csv", "row": row} for row in finding.rows]
    own += [{"file": "events.csv", "row": row} for row in finding.event_rows]
    traced: dict[str, Any] = {"clause": finding.clause, "truth": finding.truth.value, "rows": own}
    if finding.values:
        traced["values"] = list(finding.values)
    if finding.comparison:
        traced["comparison"] = finding.comparison
    if finding.threshold is not None:
        traced["threshold"], traced["unit"] = finding.threshold, finding.unit
    if finding.missing:
        traced["missing"] = list(finding.missing)
    if finding.note:
        traced["note"] = finding.note
    if finding.parts:
        traced["parts"] = [trace_finding(part) for part in finding.parts]
    return traced
