"""How a therapy failed: primary resistance, incomplete response, early or late relapse, and when.

The day is stored; the bins are views over it. What is not measured is not named.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from livingdrug.clinical.response import Course
from livingdrug.core.outcome import AntigenStatus, FailureClass, Response
from livingdrug.core.ruleset import Ruleset

Certainty = Literal["measured", "presumptive", "unknown"]
SIX_MONTHS, ONE_YEAR = 183.0, 365.0


@dataclass(frozen=True, slots=True)
class FailureVerdict:
    """How and when a therapy failed.

    Parameters
    ----------
    failure : FailureClass
    day : float or None
    certainty : ``measured``, ``presumptive`` (one sample, or as the treating team recorded it) or ``unknown``
    best : Response
        Best confirmed response before it.
    reason : str
        The rule that decided, in words.
    antigen : AntigenStatus
        Of the target at failure; unknown unless it was measured.
    rows : tuple of int
        Rows of the observations behind ``antigen``.
    bins : mapping of a published or customary binning to its bin
    """

    failure: FailureClass
    day: float | None
    certainty: Certainty
    best: Response
    reason: str
    antigen: AntigenStatus = AntigenStatus.UNKNOWN
    rows: tuple[int, ...] = ()
    bins: Mapping[str, str] = field(default_factory=dict)


def classify_failure(
    course: Course, observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset
) -> FailureVerdict:
    """Classify the failure of one subject's therapy.

    Source
    ------
    kumar2016, di_blasi2022
    """
    recorded = _find_recorded(events)
    day = course.progression_day
    certainty: Certainty = "presumptive" if course.is_progression_presumptive else "measured"
    if recorded is not None and (day is None or (recorded < day and certainty == "presumptive")):
        day, certainty = recorded, "presumptive"
    if day is not None:
        failure, reason = _classify_progression(day, course.best, rules)
        antigen, rows = find_antigen(observations, day, rules)
        return FailureVerdict(failure, day, certainty, course.best, reason, antigen, rows, compute_bins(day))
    return _classify_without_progression(course, events, rules)


def _classify_progression(day: float, best: Response, rules: Ruleset) -> tuple[FailureClass, str]:
    has_responded = best.is_at_least(Response.MR)
    first, second = rules.threshold("primary_resistance_end"), rules.threshold("early_relapse_end")
    if not has_responded:
        return FailureClass.PRIMARY_RESISTANCE, "progression without a confirmed response of at least MR"
    if day <= first:
        return FailureClass.PRIMARY_RESISTANCE, f"progression by day {first:g}"
    if day <= second:
        return FailureClass.EARLY_RELAPSE, f"progression after {best} between day {first:g} and day {second:g}"
    return FailureClass.LATE_RELAPSE, f"progression after {best} later than day {second:g}"


def _classify_without_progression(course: Course, events: pl.DataFrame, rules: Ruleset) -> FailureVerdict:
    best = course.best
    evaluable = [v.day for v in course.visits if v.time_point not in (Response.NE, Response.ND)]
    wait = rules.threshold("no_response_day")
    if not evaluable:
        return FailureVerdict(FailureClass.UNKNOWN, None, "unknown", best, "no visit after infusion could be assessed")
    deaths = events.filter(pl.col("type") == "death")["day"]
    if not best.is_at_least(Response.MR) and evaluable[-1] >= wait:
        reason = f"no confirmed response of at least MR by day {evaluable[-1]:g}"
        return FailureVerdict(FailureClass.PRIMARY_RESISTANCE, evaluable[-1], "measured", best, reason)
    if not best.is_at_least(Response.VGPR) and evaluable[-1] >= wait:
        reason = f"best confirmed response {best} by day {evaluable[-1]:g}, below VGPR"
        return FailureVerdict(FailureClass.INCOMPLETE_RESPONSE, evaluable[-1], "measured", best, reason)
    if len(deaths):
        reason = f"death on day {float(deaths.to_list()[0]):g} without a documented progression"
        return FailureVerdict(FailureClass.UNKNOWN, None, "unknown", best, reason)
    if not best.is_at_least(Response.MR):
        reason = f"no confirmed response yet, and follow-up ends before day {wait:g}"
        return FailureVerdict(FailureClass.UNKNOWN, None, "unknown", best, reason)
    return FailureVerdict(FailureClass.NONE, None, "measured", best, f"{best} without progression")


def _find_recorded(events: pl.DataFrame) -> float | None:
    """Return the day of a relapse that the treating team recorded."""
    days = events.filter(pl.col("type") == "relapse")["day"]
    return None if days.is_empty() else float(days.min())  # type: ignore[arg-type]


def compute_bins(day: float) -> dict[str, str]:
    """Return the names of a day of failure in the binnings in use.

    Examples
    --------
    >>> compute_bins(60.0)
    {'0-30 / 31-90 / > 90 days': '31-90', '6 months': 'early', '12 months': 'early'}
    """
    return {
        "0-30 / 31-90 / > 90 days": "0-30" if day <= 30 else "31-90" if day <= 90 else "> 90",
        "6 months": "early" if day < SIX_MONTHS else "late",
        "12 months": "early" if day < ONE_YEAR else "late",
    }


def find_antigen(observations: pl.DataFrame, day: float, rules: Ruleset) -> tuple[AntigenStatus, tuple[int, ...]]:
    """Return the antigen status around a day of failure, and its rows; unknown unless measured."""
    window = rules.threshold("antigen_window")
    table = observations.with_row_index("row").with_columns(
        pl.col("variable").str.split(":").list.first().alias("base")
    )
    near = table.filter((pl.col("day") - day).abs() <= window).filter(pl.col("day") > 0).sort("day")
    fraction = near.filter((pl.col("base") == "antigen_positive_fraction") & pl.col("value").is_not_null())
    if len(fraction):
        value, row = fraction["value"][-1], int(fraction["row"][-1])
        if value < rules.threshold("antigen_negative"):
            return AntigenStatus.NEGATIVE, (row,)
    is_density = (pl.col("base") == "antigen_density") & pl.col("value").is_not_null()
    before, after = table.filter(is_density & (pl.col("day") <= 0)), near.filter(is_density)
    if len(before) and len(after):
        first, last = before["value"][-1], after["value"][-1]
        rows = (int(before["row"][-1]), int(after["row"][-1]))
        if first > 0 and 100 * (first - last) / first >= rules.threshold("antigen_low"):
            return AntigenStatus.LOW, rows
        return AntigenStatus.POSITIVE, rows
    if len(fraction):
        return AntigenStatus.POSITIVE, (int(fraction["row"][-1]),)
    return AntigenStatus.UNKNOWN, ()
