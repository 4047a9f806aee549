"""How a therapy failed, whatever the disease: resistance, incomplete response, early or late relapse, and why.

The day is stored; the bins are views over it. A cause is named only with rows that show it; what a surrogate
speaks for is reported under the word presumptive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from livingdrug.clinical.endpoint_sources import (
    Timeline,
    build_timeline,
    find_death,
    find_death_from_disease,
    find_recorded_relapse,
    find_treatment,
)
from livingdrug.clinical.failure_mechanism import find_cause
from livingdrug.clinical.failure_site import find_failure_site, list_rows
from livingdrug.clinical.failure_verdict import Certainty, FailureVerdict
from livingdrug.clinical.failure_views import compute_views
from livingdrug.clinical.residual_disease import find_residual_samples
from livingdrug.core.assessment import Assessed, ResponseCourse, SubjectTables
from livingdrug.core.outcome import FailureClass
from livingdrug.core.patient import Product
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

MINIMAL = ("MR",)
VERY_GOOD = ("VGPR", "CR", "sCR")
COMPLETE_DISEASES = ("lbcl", "mcl", "follicular", "b_all")
EARLY_ENDS = {"3_months": "quarter", "6_months": "half_year", "12_months": "year"}
SOLID = "solid"
STABLE = ("SD", "ISD", "NON-CR/NON-PD", "NON-ICR/NON-IUPD")
RELAPSES = (FailureClass.EARLY_RELAPSE, FailureClass.LATE_RELAPSE)
NOT_RESPONSES = ("", "ND", "NE", "SD", "PD", "NR", "ISD", "IUPD", "ICPD", "NON-CR/NON-PD", "NON-ICR/NON-IUPD")


@dataclass(frozen=True, slots=True)
class _Case:
    """What the classification looks at."""

    timeline: Timeline
    tables: SubjectTables
    rules: Ruleset
    chosen: Mapping[str, OptionValue]
    disease: str
    target: str
    verdicts: Sequence[Assessed]
    treatment: float | None

    @property
    def course(self) -> ResponseCourse:
        return self.timeline.course

    @property
    def has_response(self) -> bool:
        return self.course.response_day is not None or self.course.best in MINIMAL

    @property
    def is_stable(self) -> bool:
        """Whether a solid tumour did not shrink enough for a response, and did not progress either."""
        return self.disease == SOLID and not self.has_response and self.course.best.upper() in STABLE

    @property
    def level(self) -> str:
        """Best response below which one is incomplete; empty where none is."""
        wanted = self.chosen["incomplete_below"]
        if wanted == "disease" and self.disease == "myeloma":
            return "VGPR"
        is_asked = wanted == "complete" or (wanted == "disease" and self.disease in COMPLETE_DISEASES)
        return "complete response" if is_asked else ""

    @property
    def wait(self) -> float:
        """Day before which lack of a response is not concluded."""
        own = f"no_response_day_{self.disease}"
        return self.rules.threshold(own if own in self.rules.thresholds else "no_response_day")


def classify_course(
    course: ResponseCourse,
    tables: SubjectTables,
    rules: Ruleset,
    verdicts: Sequence[Assessed] = (),
    /,
    *,
    disease: str = "",
    target: str = "",
    **options: OptionValue,
) -> FailureVerdict:
    """Classify the failure of one subject's therapy, from a course by any criteria of response.

    Parameters
    ----------
    course : ResponseCourse
    tables : SubjectTables
        Antigen, CAR T cells, B cells, residual disease and lesions are looked at.
    rules : Ruleset
        ``failure/1``.
    verdicts : sequence of Assessed, optional
        The visits that the course was made of: their clauses become evidence, and what is open in them
        keeps a low response open.
    disease, target : str, optional
        In place of those that the subjects table names; the target is the antigen of the product.
    options
        In place of the ruleset's.

    Source
    ------
    di_blasi2022, maude2018
    """
    case = _build_case(course, tables, rules, disease, target, verdicts, rules.choose(options))
    verdict = _classify_progression(case) or _classify_without_progression(case)
    if verdict.day is None or verdict.failure in (FailureClass.NONE, FailureClass.UNKNOWN):
        return verdict
    cause = find_cause(
        tables.observations,
        verdict.day,
        rules,
        target=case.target,
        # what B cells speak for was seen in relapses: in the first weeks nobody has B cells
        with_presumptive=case.chosen["presumptive_mechanism"] == "report" and verdict.failure in RELAPSES,
        recovery=str(case.chosen["b_cell_recovery"]),
    )
    site, where = find_failure_site(tables.observations, verdict.day, rules, reader=course.reader)
    return replace(
        verdict,
        antigen=cause.antigen,
        persistence=cause.persistence,
        mechanism=cause.label,
        mechanism_certainty=cause.certainty,
        mechanism_findings=cause.findings,
        site=site,
        site_findings=where,
        rows=list_rows((*verdict.findings, *cause.findings, *where)),
        bins=compute_views(verdict.day, rules),
    )


def _build_case(
    course: ResponseCourse,
    tables: SubjectTables,
    rules: Ruleset,
    disease: str,
    target: str,
    verdicts: Sequence[Assessed],
    chosen: Mapping[str, OptionValue],
) -> _Case:
    product = str(tables.subject.get("product") or "")
    known = Product(product).target if product in set(Product) else ""
    timeline = build_timeline(course, tables)
    treatment = find_treatment(timeline, with_transplant=chosen["transplant"] == "therapy")
    own = tuple(v for v in verdicts if v.reader == course.reader)
    named = disease or str(tables.subject.get("disease") or "")
    return _Case(timeline, tables, rules, chosen, named, target or known, own, treatment)


def _classify_progression(case: _Case) -> FailureVerdict | None:
    """Return the verdict on a progression; None if there was none."""
    day, certainty, source, findings = _find_progression(case)
    if day is None:
        return None
    best, first = case.course.best, case.rules.threshold("primary_resistance_end")
    is_counted_in_days = case.chosen["early_until"] == "90_days"
    end = case.rules.threshold(
        "early_relapse_end" if is_counted_in_days else EARLY_ENDS[str(case.chosen["early_until"])]
    )
    if not case.has_response:
        failure, reason = FailureClass.PRIMARY_RESISTANCE, f"{source} without a confirmed response"
    elif is_counted_in_days and day <= first:
        failure, reason = FailureClass.PRIMARY_RESISTANCE, f"{source} by day {first:g}"
    elif day < end or (is_counted_in_days and day <= end):
        failure, reason = FailureClass.EARLY_RELAPSE, f"{source} after {best}, not later than day {end:g}"
    else:
        failure, reason = FailureClass.LATE_RELAPSE, f"{source} after {best}, later than day {end:g}"
    return FailureVerdict(failure, day, certainty, best, reason, findings=findings)


def _find_progression(case: _Case) -> tuple[float | None, Certainty, str, tuple[Finding, ...]]:
    """Return the day of progression, its certainty, what shows it, and the clauses."""
    course, limit = case.course, float("inf") if case.treatment is None else case.treatment
    day = course.progression_day if (course.progression_day or 0.0) <= limit else None
    if day is not None and not course.is_progression_presumptive:
        return day, "measured", "progression", _list_findings(case, day)
    if case.chosen["presumptive_progression"] == "ignore":
        day = None
    recorded = _find_recorded(case)
    if recorded is not None and recorded <= limit and (day is None or recorded < day):
        words = "relapse as the treating team recorded it"
        return recorded, "presumptive", words, _list_events(case, recorded, ("relapse", "progression"))
    if day is not None:
        return day, "presumptive", "progression that nothing confirmed", _list_findings(case, day)
    death = find_death_from_disease(case.timeline)
    if death is not None and death <= limit:
        return death, "presumptive", "death from the disease", _list_events(case, death, ("death",))
    return None, "unknown", "", ()


def _find_recorded(case: _Case) -> float | None:
    """Return the day of a recorded relapse; one that a confirmed response contradicts later is none."""
    day = find_recorded_relapse(case.timeline) if case.chosen["recorded_relapse"] == "event" else None
    response = case.course.response_day
    return None if day is not None and response is not None and day < response else day


def _list_findings(case: _Case, day: float) -> tuple[Finding, ...]:
    return next((verdict.findings for verdict in case.verdicts if verdict.day == day), ())


def _list_events(case: _Case, day: float, types: Sequence[str]) -> tuple[Finding, ...]:
    table = case.tables.events
    if "row" not in table.columns:
        return ()
    rows = zip(table["row"].to_list(), table["day"].to_list(), table["type"].to_list(), strict=True)
    found = tuple(row for row, at, kind in rows if at == day and kind in types)
    return (Finding(f"{' or '.join(types)} recorded", Truth.TRUE, event_rows=found),) if found else ()


def _classify_without_progression(case: _Case) -> FailureVerdict:
    course, treatment = case.course, case.treatment
    assessed = [day for day in course.assessed_days if treatment is None or day <= treatment]
    if course.is_progression_presumptive and course.progression_day is not None:
        assessed = [day for day in assessed if day < course.progression_day]
    if not assessed:
        return _leave_open(course.best, "no visit after infusion could be assessed")
    judged = next((day for day in assessed if day >= case.wait), None)
    if judged is not None:
        low = _judge_low_response(case, judged, assessed[-1])
        if low is not None:
            return low
    death = find_death(case.timeline)
    if death is not None and (treatment is None or death <= treatment):
        return _leave_open(course.best, f"death on day {death:g} without a documented progression")
    if not case.has_response:
        return _leave_open(course.best, f"no confirmed response yet, and assessments end before day {case.wait:g}")
    end = f"to day {assessed[-1]:g}" if treatment is None else f"until new treatment on day {treatment:g}"
    reason = f"{course.best} without progression {end}"
    return FailureVerdict(
        FailureClass.NONE, None, "measured", course.best, reason, findings=_list_findings(case, assessed[-1])
    )


def _judge_low_response(case: _Case, judged: float, last: float) -> FailureVerdict | None:
    """Return the verdict on no response or an incomplete one; None where the response is as good as wanted."""
    best = case.course.best
    if case.is_stable:
        return _judge_stable(case, last)
    if not case.has_response:
        failure, wanted = FailureClass.PRIMARY_RESISTANCE, "a response"
        reason = f"no confirmed response by day {last:g}"
    elif case.level and not _reaches(case):
        failure, wanted = FailureClass.INCOMPLETE_RESPONSE, case.level
        reason = f"best confirmed response {best}, below {case.level}, by day {last:g}"
    else:
        return _judge_residual(case, last)
    doubt = _find_doubt(case, wanted, last)
    if doubt:
        return _leave_open(best, doubt)
    return FailureVerdict(failure, judged, "measured", best, reason, findings=_list_findings(case, judged))


def _judge_stable(case: _Case, last: float) -> FailureVerdict:
    """Return that stable disease for long enough is no failure, and that before nobody can tell."""
    best, least = case.course.best, case.rules.threshold("stable_benefit_solid")
    if last < least:
        return _leave_open(best, f"{best} by day {last:g}: without progression open before day {least:g}")
    reason = f"{best} without progression to day {last:g}"
    return FailureVerdict(FailureClass.NONE, None, "measured", best, reason, findings=_list_findings(case, last))


def _reaches(case: _Case) -> bool:
    return case.course.complete_response_day is not None or (case.level == "VGPR" and case.course.best in VERY_GOOD)


def _find_doubt(case: _Case, wanted: str, last: float) -> str:
    """Say why a low response is not final: a better one awaits its second sample, or something was missing."""
    course = case.course
    seen = next((v.time_point for v in case.verdicts if v.day == last), None)
    if seen is None:
        seen = course.best_unconfirmed if course.unconfirmed_response_day == last or case.has_response else ""
    is_better = _is_response(seen) if not case.has_response else seen in VERY_GOOD and seen != course.best
    if is_better:
        return f"{seen} by day {last:g} awaits a second sample"
    late = [v for v in case.verdicts if v.day >= case.wait and v.unknowns and _would_reach(v, wanted)]
    missing = dict.fromkeys(name for verdict in late for name in verdict.unknowns)
    return f"{wanted} is open without {', '.join(missing)}" if late else ""


def _is_response(category: str) -> bool:
    return category.upper() not in NOT_RESPONSES


def _would_reach(verdict: Assessed, wanted: str) -> bool:
    """Whether what was missing could have made a visit as good as wanted."""
    words = {"a response": ("response", "remission"), "VGPR": ("very good", "complete", *VERY_GOOD)}
    sought = words.get(wanted, ("complete", "CR"))
    return any(word in change for change in verdict.would_change for word in sought)


def _judge_residual(case: _Case, last: float) -> FailureVerdict | None:
    """Return an incomplete response where the options ask for residual disease and the last sample shows it."""
    if case.chosen["residual_disease"] == "ignore":
        return None
    limit = case.rules.thresholds["residual_disease"]
    samples = [s for s in find_residual_samples(case.tables, limit.value) if s.is_negative != Truth.UNKNOWN]
    late = [s for s in samples if s.day >= case.wait and (case.treatment is None or s.day <= case.treatment)]
    if not late or late[-1].is_negative == Truth.TRUE:
        return None
    sample = late[-1]
    finding = Finding("residual disease", Truth.TRUE, (sample.row,), threshold=limit.value, unit=limit.unit)
    reason = f"{case.course.best} with residual disease on day {sample.day:g}, by day {last:g}"
    best = case.course.best
    return FailureVerdict(FailureClass.INCOMPLETE_RESPONSE, sample.day, "measured", best, reason, findings=(finding,))


def report_unsupported(disease: str) -> FailureVerdict:
    """Return the verdict on a disease for which there are no criteria here: unknown, and never a guess.

    Examples
    --------
    >>> report_unsupported("lbcl").reason
    'no criteria for lbcl in this version'
    """
    return _leave_open("NE", f"no criteria for {disease} in this version")


def _leave_open(best: str, reason: str) -> FailureVerdict:
    return FailureVerdict(FailureClass.UNKNOWN, None, "unknown", best, reason)
