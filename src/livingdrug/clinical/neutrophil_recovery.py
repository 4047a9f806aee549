"""The day from which neutrophils stay up: the first of several days in a row after the first low one."""

from collections.abc import Mapping, Sequence
from math import inf

from livingdrug.clinical.daily_series import Series
from livingdrug.core.assessment import Endpoint
from livingdrug.core.ruleset import OptionValue, Ruleset

NAME = "neutrophil_recovery_day"


def find_recovery(series: Series, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Endpoint:
    """Find the first day of stable recovery; censored where neutrophils were never low or are not up yet.

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rules, counts = load_rules("icaht/2023"), (900.0, 300.0, 600.0, 400.0, 600.0, 700.0, 800.0)
    >>> find_recovery(Series(0, counts, counts, tuple(range(7))), rules, rules.choose({})).day
    4.0
    """
    threshold = rules.threshold("neutropenia")
    is_inclusive = chosen["recovery"] == "at_least"
    wanted = max(int(float(chosen["recovery_days"])), 1)
    is_up = [low >= threshold if is_inclusive else low > threshold for low in series.low]
    days = [series.start + place for place in range(len(is_up))]
    if chosen["recovery_count"] == "laboratory":
        kept = [place for place, row in enumerate(series.rows) if row is not None]
        days, is_up = [days[place] for place in kept], [is_up[place] for place in kept]
    known = [series.start + place for place, high in enumerate(series.high) if high < inf]
    if not known:
        return Endpoint(NAME, "censored", None, "NE", "neutrophils were not measured", 0.0)
    low = [
        series.start + place
        for place, high in enumerate(series.high)
        if high < inf and not _is_up(high, threshold, is_inclusive=is_inclusive)
    ]
    sign = "at or above" if is_inclusive else "above"
    if not low:
        return Endpoint(NAME, "censored", float(known[-1]), "", f"neutrophils were always {sign} {threshold:g}/uL", 0.0)
    day = _find_stretch(days, is_up, low[0], wanted)
    text = f"{sign} {threshold:g}/uL on {wanted} {chosen['recovery_count']} days in a row"
    if day is None:
        return Endpoint(NAME, "censored", float(known[-1]), "", f"not yet {text}", 0.0)
    return Endpoint(NAME, "event", float(day), str(day), f"first of days {text}", 0.0)


def _is_up(count: float, threshold: float, *, is_inclusive: bool) -> bool:
    return count >= threshold if is_inclusive else count > threshold


def _find_stretch(days: Sequence[int], is_up: Sequence[bool], after: int, wanted: int) -> int | None:
    """Return the first day of the first stretch that is long enough."""
    length = 0
    for place, (day, up) in enumerate(zip(days, is_up, strict=True)):
        length = length + 1 if up and day > after else 0
        if length == wanted:
            return days[place - wanted + 1]
    return None
