"""International Staging System of myeloma: beta-2 microglobulin and albumin. Source: greipp2005."""

from collections.abc import Mapping

from livingdrug.clinical.comparison import join_all
from livingdrug.clinical.daily import (
    Result,
    Worst,
    ask_value,
    find_standing,
    find_worst,
    group_days,
    list_conflicts,
    read_results,
)
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset, Truth

VARIABLES = ("beta2_microglobulin", "albumin")
_WORST: Worst = {"beta2_microglobulin": "highest", "albumin": "lowest"}


def assess_iss(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Stage myeloma on every day with beta-2 microglobulin, its own or one that still stands.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        ``iss/2005``.
    options
        In place of the ruleset's: ``window_days``.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts I, II, III, or NE; endpoints ``iss_first`` and ``iss_before_infusion``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    greipp2005

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> seen = pl.DataFrame({"day": [-9.0, -9.0], "variable": ["beta2_microglobulin", "albumin"],
    ...                      "value": [3.4, 35.0], "unit": ["mg/L", "g/L"]})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> assess_iss(SubjectTables({}, events, seen), load_rules("iss/2005")).verdicts[0].time_point
    'I'
    """
    window = float(rules.choose(options)["window_days"])
    rows = group_days(read_results(tables.observations, VARIABLES))
    worst = {day: find_worst(found, _WORST) for day, found in rows.items()}
    verdicts = []
    for day in worst:
        found = find_standing(worst, day, VARIABLES, window)
        if "beta2_microglobulin" in found or "beta2_microglobulin" in worst[day]:
            verdicts.append(find_stage(day, found, rules))
    known = [v for v in verdicts if v.time_point != "NE"]
    before = [v for v in known if v.day <= 0]
    return SubjectAssessment(
        verdicts=tuple(verdicts),
        endpoints=(
            _build_endpoint("iss_first", known[0] if known else None, "first day with a stage"),
            _build_endpoint("iss_before_infusion", before[-1] if before else None, "last stage up to day 0"),
        ),
        warnings=tuple(list_conflicts(rows, VARIABLES)),
    )


def find_stage(day: float, found: Mapping[str, Result], rules: Ruleset) -> Assessed:
    """Find the stage from the results of a day.

    Source
    ------
    greipp2005
    """
    low, high, albumin = (rules.thresholds[n] for n in ("microglobulin_low", "microglobulin_high", "albumin"))
    microglobulin = found.get("beta2_microglobulin")
    below = ask_value(
        f"beta-2 microglobulin below {low.value:g} {low.unit}", "beta2_microglobulin", microglobulin, "<", low
    )
    enough = ask_value(
        f"albumin at least {albumin.value:g} {albumin.unit}", "albumin", found.get("albumin"), ">=", albumin
    )
    first = join_all("stage I", [below, enough])
    third = ask_value(
        f"stage III: beta-2 microglobulin at least {high.value:g} {high.unit}",
        "beta2_microglobulin",
        microglobulin,
        ">=",
        high,
    )
    second = ~first.truth & ~third.truth
    stages = {"I": first.truth, "II": second, "III": third.truth}
    stage = next((name for name, truth in stages.items() if truth == Truth.TRUE), "NE")
    missing = tuple(dict.fromkeys((*first.missing, *third.missing))) if stage == "NE" else ()
    possible = [name for name, truth in stages.items() if truth != Truth.FALSE]
    would_change = (f"stage {' or '.join(possible)}, if {', '.join(missing)} were known",) if missing else ()
    findings = {"I": (first,), "III": (third,)}.get(stage, (first, third))
    return Assessed(day, stage, stage, None, findings, missing, would_change)


def _build_endpoint(name: str, verdict: Assessed | None, reason: str) -> Endpoint:
    if verdict is None:
        return Endpoint(name, "censored", None, "NE", "no day with a stage")
    return Endpoint(name, "event", verdict.day, verdict.time_point, reason)
