"""From the time points of each reader to verdicts, endpoints and sums: shared by RECIST 1.1 and iRECIST."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from livingdrug.clinical.best_response import (
    MISSING,
    NE,
    Best,
    Point,
    Scale,
    Windows,
    find_best,
    find_progression_block,
    select_counted,
)
from livingdrug.clinical.lesion_response import LesionSum, TargetHistory
from livingdrug.clinical.lesions import Reading
from livingdrug.clinical.solid_endpoints import build_course, build_endpoints, list_contradictions
from livingdrug.core.assessment import Assessed, Endpoint, ResponseCourse, SubjectAssessment

SUMS = {
    "reader": pl.String,
    "day": pl.Float64,
    "sum": pl.Float64,
    "measured_part": pl.Float64,
    "baseline": pl.Float64,
    "nadir": pl.Float64,
    "change_from_baseline": pl.Float64,
    "change_from_nadir": pl.Float64,
    "new_lesion_sum": pl.Float64,
    "is_complete": pl.Boolean,
}
"""Sums of diameters [mm] and changes [%]; ``sum`` only of complete scans, ``nadir`` of those before the day."""
AFTER_THERAPY = "after new treatment: not counted"


@dataclass(frozen=True, slots=True)
class SumRow:
    """Sum of target lesions of one scan, and what it is compared with."""

    reader: str
    day: float
    now: LesionSum
    baseline: LesionSum | None
    nadir: LesionSum | None
    new: float | None = None


@dataclass(frozen=True, slots=True)
class Walked:
    """One reader's scans, judged one by one."""

    reader: str
    assessed: tuple[Assessed, ...] = ()
    sums: tuple[SumRow, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Collected:
    verdicts: list[Assessed] = field(default_factory=list)
    courses: list[ResponseCourse] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def finish_assessment(
    walked: Sequence[Walked], scale: Scale, windows: Windows, therapy: float | None
) -> SubjectAssessment:
    """Confirm each reader's time points and derive the endpoints; a subject without any has them too.

    Parameters
    ----------
    therapy : float or None
        Day of new treatment: what was seen after it is shown and not counted.
    """
    found = _Collected()
    for one in walked or (Walked(""),):
        points = tuple(Point(a.day, a.time_point) for a in one.assessed)
        counted = select_counted(points, scale, therapy)
        found.verdicts += [
            _confirm(assessed, points[: index + 1], scale, windows, therapy)
            for index, assessed in enumerate(one.assessed)
        ]
        found.courses.append(build_course(points, scale, windows, therapy, one.reader))
        found.endpoints += build_endpoints(counted, scale, windows, one.reader)
        voice = f" ({one.reader})" if one.reader else ""
        found.warnings += [*one.warnings, *(f"{text}{voice}" for text in list_contradictions(counted, scale))]
    return SubjectAssessment(
        tuple(found.verdicts),
        tuple(found.courses),
        tuple(found.endpoints),
        tuple(dict.fromkeys(found.warnings)),
        {"sums": build_sums(row for one in walked for row in one.sums)},
    )


def _confirm(
    assessed: Assessed, points: Sequence[Point], scale: Scale, windows: Windows, therapy: float | None
) -> Assessed:
    """Add what is confirmed by this day: what comes later never changes it."""
    counted = select_counted(points, scale, therapy)
    if counted and counted[-1].category == scale.progression:
        dated = find_progression_block(counted, scale) or counted[-1]
        best = Best(scale.progression, dated.day, "")
    else:
        best = find_best(counted, scale, windows, with_confirmation=True)
    category = NE if best.category == MISSING else best.category
    note = assessed.note
    is_counted = bool(counted) and counted[-1].day == assessed.day
    if therapy is not None and assessed.day > therapy and not is_counted:
        note = f"{note}; {AFTER_THERAPY}" if note else AFTER_THERAPY
    return replace(assessed, confirmed=category, first_day=best.day, note=note)


def start_sums(reading: Reading, history: TargetHistory) -> list[SumRow]:
    """Return the row of the baseline; none without target lesions."""
    if history.baseline is None:
        return []
    day = max(found.day for name, found in reading.baseline.items() if name in reading.targets)
    return [SumRow(reading.reader, day, history.baseline, history.baseline, history.nadir)]


def build_sums(rows: Iterable[SumRow]) -> pl.DataFrame:
    """Return the sums of diameters as a table, one row a reader and scan.

    Examples
    --------
    >>> base = LesionSum(50.0, (0,))
    >>> build_sums([SumRow("A", 42.0, LesionSum(35.0, (1,)), base, base)]).row(0)[6:8]
    (-30.0, -30.0)
    """
    table = [
        (
            row.reader,
            row.day,
            row.now.value if row.now.is_complete else None,
            row.now.value,
            None if row.baseline is None or not row.baseline.is_complete else row.baseline.value,
            None if row.nadir is None else row.nadir.value,
            _change(row.now, row.baseline),
            _change(row.now, row.nadir),
            row.new,
            row.now.is_complete,
        )
        for row in rows
    ]
    return pl.DataFrame(table, schema=SUMS, orient="row")


def _change(now: LesionSum, before: LesionSum | None) -> float | None:
    if before is None or not (now.is_complete and before.is_complete) or before.value <= 0:
        return None
    return 100.0 * (now.value - before.value) / before.value
