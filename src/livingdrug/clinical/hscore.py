"""HScore of 2014: points and probability of a reactive haemophagocytic syndrome; it over-calls during CRS.

What is not known leaves the score between two bounds; the probability is that of the published bands, never
of a curve laid through them. Source: fardet2014.
"""

from collections.abc import Mapping
from math import inf

import polars as pl

from livingdrug.clinical.comparison import join_all, join_any
from livingdrug.clinical.daily import (
    Result,
    Worst,
    ask_value,
    ask_yes,
    find_standing,
    find_worst,
    group_days,
    list_conflicts,
    read_results,
)
from livingdrug.clinical.points import Item, Score, ask_bands, count_clauses
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset, Truth

VARIABLES = (
    "immunosuppression",
    "temperature",
    "hepatomegaly",
    "splenomegaly",
    "haemoglobin",
    "leukocytes",
    "platelets",
    "ferritin",
    "triglycerides",
    "fibrinogen",
    "ast",
    "haemophagocytosis",
)
LINEAGES = ("haemoglobin", "leukocytes", "platelets")
EXAMINED = ("hepatomegaly", "splenomegaly", "haemophagocytosis")
_LOWEST = (*LINEAGES, "fibrinogen")
_WORDS = ("immunosuppression", *EXAMINED)
_WORST: Worst = {
    **{name: "lowest" if name in _LOWEST else "highest" for name in VARIABLES},
    **dict.fromkeys(_WORDS, ("yes", "indeterminate", "no")),
}


def assess_hscore(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Compute the HScore on every day on which one of its items was looked at.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        ``hscore/2014``.
    options
        In place of the ruleset's: ``window_days``, ``finding_days``.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts are the score, or its bounds as ``95-187`` where items are missing, with the published
        probability in the note; endpoints ``hscore_maximum`` and ``hscore_likely``; details ``scores``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    fardet2014

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> seen = pl.DataFrame({"day": [9.0], "variable": ["ferritin"], "value": [7000.0], "unit": ["ug/L"]})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> assess_hscore(SubjectTables({}, events, seen), load_rules("hscore/2014")).verdicts[0].time_point
    '50-337'
    """
    chosen = rules.choose(options)
    rows = group_days(read_results(tables.observations, VARIABLES))
    worst = {day: find_worst(found, _WORST) for day, found in rows.items()}
    length: dict[str, float] = dict.fromkeys(VARIABLES, float(chosen["window_days"]))
    length |= dict.fromkeys(EXAMINED, float(chosen["finding_days"])) | {"immunosuppression": inf}
    scores = {day: compute_hscore(find_standing(worst, day, VARIABLES, length), rules) for day in worst}
    return SubjectAssessment(
        verdicts=tuple(_describe(day, score, rules) for day, score in scores.items()),
        endpoints=_list_endpoints(scores, rules),
        warnings=tuple(list_conflicts(rows, [name for name in VARIABLES if name != "temperature"])),
        details={"scores": _build_table(scores, rules)},
    )


def compute_hscore(found: Mapping[str, Result], rules: Ruleset) -> Score:
    """Compute the score from results that are known; every item that is not leaves a range.

    Source
    ------
    fardet2014
    """
    values = rules.thresholds

    def points(name: str) -> float:
        return rules.threshold(f"{name}_points")

    def two_steps(name: str) -> Item:
        high, low = f"{name}_high", f"{name}_low"
        return ask_bands(name, found, [(points(high), ">", values[high]), (points(low), ">=", values[low])])

    def yes(name: str) -> Item:
        clause = f"{points(name):g} points: {name}"
        return Item(name, ((points(name), ask_yes(clause, found.get(name), name)),))

    organs = [ask_yes(f"{name} enlarged", found.get(name), name) for name in EXAMINED[:2]]
    both = join_all(f"{points('two_organs'):g} points: liver and spleen enlarged", organs)
    one = join_any(f"{points('one_organ'):g} points: liver or spleen enlarged", organs)
    low_counts = [
        ask_value(
            f"{name} at most {values[name].value:g} {values[name].unit}", name, found.get(name), "<=", values[name]
        )
        for name in LINEAGES
    ]
    return Score(
        (
            yes("immunosuppression"),
            two_steps("temperature"),
            Item("organomegaly", ((points("two_organs"), both), (points("one_organ"), one))),
            count_clauses("lineages_low", low_counts, [(points("three_lineages"), 3), (points("two_lineages"), 2)]),
            two_steps("ferritin"),
            two_steps("triglycerides"),
            ask_bands("fibrinogen", found, [(points("fibrinogen"), "<=", values["fibrinogen"])]),
            ask_bands("ast", found, [(points("ast"), ">=", values["ast"])]),
            yes("haemophagocytosis"),
        )
    )


def compute_probability(score: float, rules: Ruleset) -> tuple[float, float]:
    """Return the published band of probability, in percent.

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rules = load_rules("hscore/2014")
    >>> compute_probability(90, rules), compute_probability(169, rules), compute_probability(250, rules)
    ((0.0, 1.0), (40.0, 54.0), (99.0, 100.0))
    """
    below, band = 0.0, rules.threshold("band_00_probability")
    number = 1
    while f"band_{number:02d}_start" in rules.thresholds and score >= rules.threshold(f"band_{number:02d}_start"):
        below, band = band, rules.threshold(f"band_{number:02d}_probability")
        number += 1
    return below, band


def _describe(day: float, score: Score, rules: Ruleset) -> Assessed:
    likely = score.reaches(rules.threshold("likely"))
    low, high = compute_probability(score.lower, rules)[0], compute_probability(score.upper, rules)[1]
    words = {Truth.TRUE: "likely", Truth.FALSE: "not likely", Truth.UNKNOWN: "not decided"}
    would_change: tuple[str, ...] = ()
    if score.missing:
        rest = score.upper - score.lower
        would_change = (f"up to {rest} points more, if {', '.join(score.missing)} were known",)
    return Assessed(
        day=day,
        time_point=score.text,
        confirmed=score.text,
        findings=score.findings,
        unknowns=score.missing,
        would_change=would_change,
        note=f"haemophagocytic syndrome {words[likely]}, probability {low:g} to {high:g} %",
    )


def _list_endpoints(scores: Mapping[float, Score], rules: Ruleset) -> tuple[Endpoint, ...]:
    if not scores:
        reason = "no item was looked at"
        return tuple(
            Endpoint(name, "censored", None, "NE", reason, 0.0) for name in ("hscore_maximum", "hscore_likely")
        )
    last = max(scores)
    highest = max(scores, key=lambda day: (scores[day].lower, -day))
    limit = rules.threshold("likely")
    likely = next((day for day, score in scores.items() if score.reaches(limit) == Truth.TRUE), None)
    is_open = any(score.reaches(limit) == Truth.UNKNOWN for score in scores.values())
    reason = f"first day with {limit:g} or more" if likely is not None else f"no day with {limit:g} or more"
    if likely is None and is_open:
        reason = f"items are missing: {limit:g} is not excluded"
    return (
        Endpoint("hscore_maximum", "event", highest, scores[highest].text, "highest of any day, by what is known", 0.0),
        Endpoint(
            "hscore_likely",
            "censored" if likely is None else "event",
            last if likely is None else likely,
            "yes" if likely is not None else "NE" if is_open else "no",
            reason,
            0.0,
        ),
    )


def _build_table(scores: Mapping[float, Score], rules: Ruleset) -> pl.DataFrame:
    rows = []
    for day, score in scores.items():
        low, high = compute_probability(score.lower, rules)[0], compute_probability(score.upper, rules)[1]
        rows.append((day, score.lower, score.upper, low, high, str(score.reaches(rules.threshold("likely")))))
    schema = {
        "day": pl.Float64,
        "lowest_score": pl.Int64,
        "highest_score": pl.Int64,
        "lowest_probability_percent": pl.Float64,
        "highest_probability_percent": pl.Float64,
        "is_likely": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")
