"""Grades of haematotoxicity by platelets (T-ICAHT): days altogether below a threshold, unlike neutrophils."""

from collections.abc import Mapping

from livingdrug.clinical.daily_series import Series, say_days
from livingdrug.clinical.neutrophil_grades import find_low_days
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

EARLY = ((4, "platelets_20", "platelets_4_days"), (3, "platelets_20", "platelets_1_days"))
EARLY_MILD = ((2, "platelets_50", "platelets_2_days"), (1, "platelets_50", "platelets_1_days"))
LATE_MILD = ((2, "platelets_50", "platelets_1_days"), (1, "platelets_100", "platelets_1_days"))


def ask_platelets(
    series: Series, rules: Ruleset, chosen: Mapping[str, OptionValue], *, is_late: bool
) -> list[tuple[int, Finding]]:
    """Ask for each grade, the most severe first.

    Source
    ------
    rejeski2025

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rules = load_rules("icaht/2023")
    >>> series = Series(0, (45.0,) * 7, (45.0,) * 7, tuple(range(7)))
    >>> [found.truth.value for _, found in ask_platelets(series, rules, rules.choose({}), is_late=False)]
    ['false', 'false', 'true', 'true']
    """
    levels = (*EARLY, *(LATE_MILD if is_late else EARLY_MILD))
    return [
        (grade, _ask_total(series, rules.thresholds[count], rules.thresholds[days], chosen))
        for grade, count, days in levels
    ]


def _ask_total(series: Series, count: Value, least: Value, chosen: Mapping[str, OptionValue]) -> Finding:
    days = find_low_days(series, count.value, chosen, "platelets")
    text = f"platelets below {count.value:g} {count.unit} on {say_days(least.value)} or more"
    certain, possible = (sum(run.length for run in runs) for runs in (days.certain, days.possible))
    runs = days.certain or days.possible
    rows = tuple(row for run in runs for row in series.list_rows(run.first, run.last))
    rows = rows or series.list_rows(series.start, series.end)
    if certain < least.value <= possible:
        note = f"between {certain} and {possible} days"
        return Finding(text, Truth.UNKNOWN, rows, (), least.value, ("platelets",), note, ">=", "day")
    return Finding(text, Truth.of(certain >= least.value), rows, (float(certain),), least.value, (), "", ">=", "day")
