"""Cytokine release syndrome by the ASTCT consensus of 2019: a grade a day, and episodes from first to last sign.

Fever that nothing else explains starts it. While it lasts, fever may be gone after an antipyretic, tocilizumab
or a steroid, and blood pressure and oxygen alone make the grade. It ends on the first day without any sign.
The grade is the worst of the axes; organ toxicity never counts. Source: lee2019.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from livingdrug.clinical.comparison import join_all, join_any
from livingdrug.clinical.crs_axes import AXIS_VARIABLES, CRS_WORST, CrsDay, find_axis
from livingdrug.clinical.crs_episode import State, ask_going_on, carry, end_by_death, find_untimed
from livingdrug.clinical.daily import (
    ask_value,
    ask_yes,
    find_worst,
    group_days,
    list_conflicts,
    list_event_rows,
    read_results,
)
from livingdrug.clinical.grading import (
    Episode,
    Graded,
    ask_death,
    build_details,
    describe_grade,
    find_grade,
    list_endpoints,
)
from livingdrug.core.assessment import SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = (*AXIS_VARIABLES, "temperature", "fever_explained_otherwise", "fever_treated", "crs_active")
ANTIPYRETICS = ("antipyretic",)
TREATMENTS = ("antipyretic", "tocilizumab", "corticosteroid", "anakinra")
GRADES = (4, 3, 2, 1)
DEATH = 5
_DEATH_WORDS = r"\bcrs\b|cytokine[- ]release"
_JUDGED = ("fever_explained_otherwise", "fever_treated", "crs_active", "intubation_reason")
"""Judgements of which a day can hold only one."""


def assess_crs(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Grade cytokine release syndrome on every day on which one of its signs was looked at.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        ``astct-crs/2019``.
    options
        In place of the ruleset's: ``unrecorded``, ``systolic_limit``, ``vasopressin_alone``, ``masking``,
        ``masked_days``, ``resolved_days``, ``silent_days``, ``first_day``, ``late_onset_warn_days``.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts 0 to 5, the lower bound where something is not known, NE where that bound is none;
        endpoints ``crs_maximum_grade``, ``crs_onset_day``, ``crs_end_day``, ``crs_duration``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    lee2019

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> seen = pl.DataFrame({"day": [2.0, 2.0, 2.0], "variable": ["temperature", "oxygen", "hypotension"],
    ...                      "value": [38.5, None, None], "text": [None, "face_mask", "no"],
    ...                      "unit": ["Cel", None, None]})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> found = assess_crs(SubjectTables({}, events, seen), load_rules("astct-crs/2019"))
    >>> found.verdicts[0].time_point, [(e.name, e.value) for e in found.endpoints][:2]
    ('3', [('crs_maximum_grade', '3'), ('crs_onset_day', '2')])
    """
    chosen = rules.choose(options)
    first = float(chosen["first_day"])
    rows = read_results(tables.observations, VARIABLES)
    days = {day: found for day, found in group_days(rows).items() if day >= first}
    events = list_event_rows(tables.events)
    treated = tuple(e for e in events if e["type"] in TREATMENTS and e["day"] >= first)
    context = _Context(rules, chosen, tables.subject.get("age_years"), treated)
    state, graded, warnings = State(untimed=find_untimed(treated, days)), [], list_conflicts(days, _JUDGED)
    for day, found in days.items():
        now = CrsDay(find_worst(found, CRS_WORST), found, rules, chosen, context.age)
        grade, state = _grade(day, now, state, context)
        graded.append(grade)
        warnings += now.list_contradictions(day)
    death = ask_death(events, "cytokine release syndrome", _DEATH_WORDS)
    if death is not None and death[0] >= first:
        graded, state = _add_death(graded, state, chosen, *death)
    return SubjectAssessment(
        verdicts=tuple(describe_grade(g, "CRS") for g in graded),
        endpoints=list_endpoints("crs", graded, state.episodes, None if death is None else death[0]),
        warnings=(*warnings, *_warn(state.episodes, treated, chosen)),
        details=build_details(graded, state.episodes),
    )


@dataclass(frozen=True, slots=True)
class _Context:
    """What holds for all days of one subject."""

    rules: Ruleset
    chosen: Mapping[str, OptionValue]
    age: float | None
    treated: tuple[dict[str, Any], ...]


def _grade(day: float, now: CrsDay, state: State, context: _Context) -> tuple[Graded, State]:
    """Grade a day, and carry the state over it."""
    fever = _ask_fever(now)
    has_started = _ask_started(day, now, fever, state)
    axes = {grade: [find_axis(now, axis, grade) for axis in ("hypotension", "hypoxia")] for grade in (4, 3, 2)}
    masking = _list_masking(day, now, context.treated if state.clear is None else ())
    sign = join_any("a sign of cytokine release", [fever, *_list_judged(now), *masking, *axes[2]])
    clauses = []
    for grade, found in axes.items():
        worse = join_any(f"hypotension or hypoxia of grade {grade}", found)
        clauses.append((grade, join_all(f"CRS grade at least {grade}", [has_started, worse])))
    clauses.append((1, join_all("CRS grade at least 1", [has_started, sign])))
    graded = find_grade(day, clauses)
    return graded, carry(state, day, has_started, sign, graded.lower, context.chosen)


def _ask_fever(now: CrsDay) -> Finding:
    limit, other = now.rules.thresholds["fever"], now.worst.get("fever_explained_otherwise")
    clause = f"temperature at least {limit.value:.1f} {limit.unit}"
    hot = ask_value(clause, "temperature", now.worst.get("temperature"), ">=", limit)
    if other is None:
        return hot
    return join_all("fever that nothing else explains", [hot, ask_yes("no other cause", other, other.name, "no")])


def _ask_started(day: float, now: CrsDay, fever: Finding, state: State) -> Finding:
    judged, treated = now.find("crs_active"), now.find("fever_treated")
    clause = "cytokine release as the treating team judged it"
    if judged is not None and judged.word == "no":
        return ask_yes(clause, judged, "crs_active")
    ways = [fever]
    if judged is not None:
        ways.append(ask_yes(clause, judged, "crs_active"))
    if treated is not None:
        ways.append(ask_yes("fever of cytokine release was treated", treated, "fever_treated"))
    return join_any("cytokine release has started", [*ways, ask_going_on(state, day, now.chosen)])


def _list_judged(now: CrsDay) -> Iterator[Finding]:
    judged = now.find("crs_active")
    if judged is not None and judged.word == "yes":
        yield ask_yes("cytokine release as the treating team judged it", judged, "crs_active")


def _list_masking(day: float, now: CrsDay, treated: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what may keep fever down; ``treated`` are the treatments that can while an episode is open."""
    masking, clause = str(now.chosen["masking"]), "fever may be absent because it is treated"
    if masking == "none":
        return
    word = now.find("fever_treated")
    if word is not None and word.word == "yes":
        yield ask_yes(clause, word, "fever_treated")
    kinds = ANTIPYRETICS if masking == "antipyretic" else TREATMENTS
    longer = float(now.chosen["masked_days"])
    given = [e for e in treated if e["type"] in kinds]
    covering = [e for e in given if floor(e["day"]) <= day <= e["day"] + (e["duration_days"] or 0.0) + longer]
    if covering:
        kind, rows = covering[0]["type"], tuple(e["row"] for e in covering)
        yield Finding(clause, Truth.TRUE, note=f"{kind} on day {covering[0]['day']:g}", event_rows=rows)


def _add_death(
    graded: list[Graded], state: State, chosen: Mapping[str, OptionValue], day: float, death: Finding
) -> tuple[list[Graded], State]:
    """Add a death from the syndrome; one without a cause leaves the grade open while the syndrome lasts."""
    day = float(floor(day))
    may_go_on = state.clear is None and ask_going_on(state, day, chosen).truth != Truth.FALSE
    if death.truth == Truth.FALSE or (death.truth == Truth.UNKNOWN and not may_go_on):
        return graded, state
    before = next((g for g in graded if g.day == day), Graded(day, 0, 0))
    lower = DEATH if death.truth == Truth.TRUE else before.lower
    after = Graded(day, lower, DEATH, (death, *before.findings))
    if death.truth == Truth.TRUE:
        state = end_by_death(state, day, DEATH)
    return sorted([*(g for g in graded if g.day != day), after], key=lambda g: g.day), state


def _warn(
    episodes: Sequence[Episode], treated: Sequence[Mapping[str, Any]], chosen: Mapping[str, OptionValue]
) -> Iterator[str]:
    late = float(chosen["late_onset_warn_days"])
    if episodes and episodes[0].onset > late:
        yield f"onset on day {episodes[0].onset:g}, later than day {late:g}: look for another cause"
    for event in treated:
        if event["type"] == "tocilizumab" and not any(episode.onset <= event["day"] for episode in episodes):
            where = f"on day {event['day']:g} (row {event['row']} of the events)"
            yield f"tocilizumab {where}, but no cytokine release by then: is the fever missing?"
