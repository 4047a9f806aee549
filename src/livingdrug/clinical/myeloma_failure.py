"""How a therapy of myeloma failed, from its confirmed course by IMWG: with the rows of the visit that decided.

The day is stored; the bins are views over it. What is not measured is not named.
"""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from livingdrug.clinical.failure_verdict import Certainty, FailureVerdict, name_mechanism
from livingdrug.clinical.history import Happening, find_disease_death, find_first, find_new_therapy, read_history
from livingdrug.clinical.myeloma_response import VERY_GOOD
from livingdrug.clinical.persistence import find_antigen, find_persistence
from livingdrug.clinical.response import NOT_ASSESSED, Confirmed, Course
from livingdrug.core.outcome import FailureClass, Response
from livingdrug.core.ruleset import Ruleset


def classify_failure(
    course: Course, observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, *, target: str = ""
) -> FailureVerdict:
    """Classify the failure of one subject's therapy.

    Parameters
    ----------
    course : Course
        The confirmed course.
    observations, events : table
        One subject's rows; those of the antigen and of CAR T cells are looked at.
    rules : Ruleset
    target : str, optional
        The antigen that the product recognises, such as BCMA.

    Source
    ------
    kumar2016, di_blasi2022
    """
    history = read_history(events)
    verdict = _classify_progression(course, history, rules)
    if verdict is None:
        verdict = _classify_without_progression(course, history, rules)
    if verdict.day is None:
        return verdict
    antigen, antigen_rows = find_antigen(observations, verdict.day, rules, target)
    persistence, persistence_rows = find_persistence(observations, verdict.day, rules)
    rows = tuple(dict.fromkeys((*verdict.rows, *antigen_rows, *persistence_rows)))
    bins = compute_bins(verdict.day, rules)
    mechanism = name_mechanism(antigen, persistence)
    return replace(
        verdict,
        antigen=antigen,
        persistence=persistence,
        rows=rows,
        bins=bins,
        mechanism=mechanism,
        mechanism_certainty="unknown" if mechanism == "unknown" else "measured",
    )


def _classify_progression(course: Course, history: Sequence[Happening], rules: Ruleset) -> FailureVerdict | None:
    """Return the verdict on a progression; None if there was none."""
    day, certainty, source = _find_progression(course, history)
    if day is None:
        return None
    best = course.best
    first, second = rules.threshold("primary_resistance_end"), rules.threshold("early_relapse_end")
    if not best.is_at_least(Response.MR):
        failure, reason = FailureClass.PRIMARY_RESISTANCE, f"{source} without a confirmed response of at least MR"
    elif day <= first:
        failure, reason = FailureClass.PRIMARY_RESISTANCE, f"{source} by day {first:g}"
    elif day <= second:
        failure, reason = FailureClass.EARLY_RELAPSE, f"{source} after {best} between day {first:g} and day {second:g}"
    else:
        failure, reason = FailureClass.LATE_RELAPSE, f"{source} after {best} later than day {second:g}"
    visit = next((v for v in course.visits if v.day == day and v.time_point == Response.PD), None)
    return _rest_on(FailureVerdict(failure, day, certainty, best, reason), visit)


def _find_progression(course: Course, history: Sequence[Happening]) -> tuple[float | None, Certainty, str]:
    """Return the day of progression, its certainty, and what shows it."""
    day = course.progression_day
    if day is not None and not course.is_progression_presumptive:
        return day, "measured", "progression"
    therapy = find_new_therapy(history)
    recorded = find_first(history, ("relapse",))
    if recorded is not None and therapy is not None and recorded > therapy:
        recorded = None
    if recorded is not None and (day is None or recorded < day):
        return recorded, "presumptive", "relapse as the treating team recorded it"
    if day is not None:
        return day, "presumptive", "progression in one sample"
    death = find_disease_death(history)
    if death is not None and (therapy is None or death <= therapy):
        return death, "presumptive", "death from myeloma"
    return None, "unknown", ""


def _rest_on(verdict: FailureVerdict, visit: Confirmed | None) -> FailureVerdict:
    if visit is None:
        return verdict
    rows = tuple(dict.fromkeys(row for finding in visit.findings for row in finding.rows))
    return replace(verdict, rows=rows, findings=visit.findings)


def _classify_without_progression(course: Course, history: Sequence[Happening], rules: Ruleset) -> FailureVerdict:
    best, therapy = course.best, find_new_therapy(history)
    evaluable = [v for v in course.visits if v.time_point not in NOT_ASSESSED and (therapy is None or v.day <= therapy)]
    if not evaluable:
        return _leave_open(best, "no visit after infusion could be assessed")
    wait = rules.threshold("no_response_day")
    judged = next((v for v in evaluable if v.day >= wait), None)
    if judged is not None and not best.is_at_least(Response.VGPR):
        return _judge_low_response(course, [v for v in evaluable if v.day >= wait])
    death = find_first(history, ("death",))
    if death is not None and (therapy is None or death <= therapy):
        return _leave_open(best, f"death on day {death:g} without a documented progression")
    if not best.is_at_least(Response.MR):
        return _leave_open(best, f"no confirmed response yet, and assessments end before day {wait:g}")
    last = evaluable[-1]
    end = f"to day {last.day:g}" if therapy is None else f"until new treatment on day {therapy:g}"
    return _rest_on(
        FailureVerdict(FailureClass.NONE, None, "measured", best, f"{best} without progression {end}"), last
    )


def _judge_low_response(course: Course, visits: list[Confirmed]) -> FailureVerdict:
    """Return the verdict on a best response below VGPR; unknown where VGPR is open, or awaits its second sample."""
    best, last = course.best, visits[-1]
    if best.is_at_least(Response.MR):
        failure, wanted = FailureClass.INCOMPLETE_RESPONSE, Response.VGPR
        reason = f"best confirmed response {best}, below VGPR, by day {last.day:g}"
        missing = [name for v in visits for f in v.findings if f.clause == VERY_GOOD for name in f.missing]
        if missing:
            return _leave_open(
                best, f"{best} without progression, but VGPR is open without {', '.join(dict.fromkeys(missing))}"
            )
    else:
        failure, wanted = FailureClass.PRIMARY_RESISTANCE, Response.MR
        reason = f"no confirmed response of at least MR by day {last.day:g}"
    if last.time_point.is_at_least(wanted):
        return _leave_open(best, f"{last.time_point} on day {last.day:g} awaits a second sample")
    return _rest_on(FailureVerdict(failure, visits[0].day, "measured", best, reason), visits[0])


def _leave_open(best: Response, reason: str) -> FailureVerdict:
    return FailureVerdict(FailureClass.UNKNOWN, None, "unknown", best, reason)


def compute_bins(day: float, rules: Ruleset) -> dict[str, str]:
    """Return the names of a day of failure in the binnings in use: views over time, none of them the rule.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> ends = {"primary_resistance_end": 30.0, "early_relapse_end": 90.0, "half_year": 183.0, "year": 365.0}
    >>> compute_bins(60.0, SimpleNamespace(threshold=ends.get))
    {'0-30 / 31-90 / > 90 days': '31-90', '6 months': 'early', '12 months': 'early'}
    """
    first, second = rules.threshold("primary_resistance_end"), rules.threshold("early_relapse_end")
    names = (f"0-{first:g}", f"{first + 1:g}-{second:g}", f"> {second:g}")
    return {
        f"{' / '.join(names)} days": names[0 if day <= first else 1 if day <= second else 2],
        "6 months": "early" if day < rules.threshold("half_year") else "late",
        "12 months": "early" if day < rules.threshold("year") else "late",
    }
