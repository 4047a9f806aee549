"""CAR-HEMATOTOX of 2021: risk of haematotoxicity, from values before lymphodepletion.

Made and validated for large B-cell lymphoma. Missing items leave the score between two bounds; the risk is
known where both lie on one side of the cut-off. Source: rejeski2021.
"""

from collections.abc import Mapping

from livingdrug.clinical.daily import (
    Result,
    Worst,
    find_lymphodepletion,
    find_standing,
    find_worst,
    group_days,
    list_conflicts,
    list_event_rows,
    read_results,
)
from livingdrug.clinical.points import Score, ask_bands
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset, Truth

VARIABLES = ("platelets", "neutrophils", "haemoglobin", "crp", "ferritin")
_WORST: Worst = {
    "platelets": "lowest",
    "neutrophils": "lowest",
    "haemoglobin": "lowest",
    "crp": "highest",
    "ferritin": "highest",
}
_RISK = {Truth.TRUE: "high", Truth.FALSE: "low", Truth.UNKNOWN: "NE"}


def assess_car_hematotox(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Compute the score before lymphodepletion: one verdict a subject.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        ``car-hematotox/2021``.
    options
        In place of the ruleset's: ``baseline_window_days``, ``day_without_lymphodepletion``.

    Returns
    -------
    assessment : SubjectAssessment
        The verdict is ``high`` or ``low``, NE where the bounds of the score lie on both sides of the cut-off;
        endpoints ``car_hematotox_score`` and ``car_hematotox_risk``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    rejeski2021

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> seen = pl.DataFrame({"day": [-6.0, -6.0], "variable": ["platelets", "crp"], "value": [60.0, 40.0],
    ...                      "unit": ["10*9/L", "mg/L"]})
    >>> events = pl.DataFrame({"day": [-5.0], "type": ["lymphodepletion"], "note": [None]})
    >>> found = assess_car_hematotox(SubjectTables({}, events, seen), load_rules("car-hematotox/2021"))
    >>> [(e.name, e.value) for e in found.endpoints]
    [('car_hematotox_score', '3-7'), ('car_hematotox_risk', 'high')]
    """
    chosen = rules.choose(options)
    events = list_event_rows(tables.events)
    start, row = find_lymphodepletion(events, float(chosen["day_without_lymphodepletion"]))
    rows = group_days(read_results(tables.observations, VARIABLES))
    worst = {day: find_worst(found, _WORST) for day, found in rows.items()}
    found = find_standing(worst, start, VARIABLES, float(chosen["baseline_window_days"]))
    score = compute_car_hematotox(found, rules)
    used = {result.day for result in found.values()}
    warnings = list_conflicts({day: names for day, names in rows.items() if day in used}, VARIABLES)
    if row is None:
        warnings.append(f"no lymphodepletion up to day 0: values up to day {start:g} are taken as those before it")
    return SubjectAssessment(
        verdicts=(_describe(start, score, rules),),
        endpoints=_list_endpoints(start, score, rules),
        warnings=tuple(warnings),
    )


def compute_car_hematotox(found: Mapping[str, Result], rules: Ruleset) -> Score:
    """Compute the score from results that are known; every item that is not leaves a range.

    Source
    ------
    rejeski2021
    """
    values = rules.thresholds
    return Score(
        (
            ask_bands(
                "platelets", found, [(2.0, "<", values["platelets_severe"]), (1.0, "<=", values["platelets_mild"])]
            ),
            ask_bands("neutrophils", found, [(1.0, "<=", values["neutrophils"])]),
            ask_bands("haemoglobin", found, [(1.0, "<=", values["haemoglobin"])]),
            ask_bands("crp", found, [(1.0, ">=", values["crp"])]),
            ask_bands("ferritin", found, [(2.0, ">", values["ferritin_severe"]), (1.0, ">=", values["ferritin_mild"])]),
        )
    )


def _describe(day: float, score: Score, rules: Ruleset) -> Assessed:
    limit = rules.threshold("high")
    risk = score.reaches(limit)
    would_change: tuple[str, ...] = ()
    if risk == Truth.UNKNOWN:
        would_change = (f"high or low, if {', '.join(score.missing)} were known",)
    return Assessed(
        day=day,
        time_point=_RISK[risk],
        confirmed=_RISK[risk],
        findings=score.findings,
        unknowns=score.missing,
        would_change=would_change,
        note=f"score {score.text}, high from {limit:g} on",
    )


def _list_endpoints(day: float, score: Score, rules: Ruleset) -> tuple[Endpoint, ...]:
    risk = score.reaches(rules.threshold("high"))
    reason = "from values before lymphodepletion"
    if score.missing:
        reason += f"; not known: {', '.join(score.missing)}"
    return (
        Endpoint("car_hematotox_score", "event", day, score.text, reason),
        Endpoint("car_hematotox_risk", "censored" if risk == Truth.UNKNOWN else "event", day, _RISK[risk], reason),
    )
