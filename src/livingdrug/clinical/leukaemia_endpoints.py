"""Endpoints of acute lymphoblastic leukaemia: remission in time that lasts, no remission, residual disease.

Source: maude2018.
"""

from collections.abc import Mapping, Sequence

from livingdrug.clinical.haematology_course import UNSEEN, Point, say
from livingdrug.clinical.leukaemia_rules import CR, MLFS, REMISSIONS
from livingdrug.clinical.residual_disease import find_residual_samples
from livingdrug.core.assessment import Endpoint, SubjectTables
from livingdrug.core.ruleset import OptionValue, Ruleset, Truth


def derive_leukaemia_endpoints(
    counted: Sequence[Point], tables: SubjectTables, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[Endpoint, ...]:
    """Derive the endpoints of counted time points.

    Parameters
    ----------
    counted : sequence of Point
        Up to relapse and not after new treatment.
    chosen : mapping
        Every option of ``all/nccn-eln``.
    """
    complete = next((p.day for p in counted if p.category == CR), None)
    return (
        find_overall_remission(counted, chosen),
        find_no_remission(counted, chosen),
        say("complete_remission", complete, "complete remission with full counts"),
        _find_negative_remission(counted, tables, rules, chosen),
    )


def find_overall_remission(counted: Sequence[Point], chosen: Mapping[str, OptionValue]) -> Endpoint:
    """Return whether a remission began in time and lasted: the overall remission rate of trials of CAR T cells.

    It lasted once a remission is seen again after enough days, and every look between showed one. What nobody
    looked at again is not known.

    Examples
    --------
    >>> chosen = {"remission_within_days": 92.0, "maintained_days": 28.0}
    >>> points = [Point(28.0, "CRi", 28.0), Point(60.0, "CR", 60.0)]
    >>> [find_overall_remission(points[:n], chosen).value for n in (1, 2)]
    ['NE', 'Y']
    """
    name, days = "overall_remission", float(chosen["maintained_days"])
    within = float(chosen["remission_within_days"])
    words = f"remission within {within:g} days that lasted {days:g}"
    is_open = False
    for index, point in enumerate(counted):
        if point.category not in REMISSIONS or point.day > within:
            continue
        later = [p for p in counted[index + 1 :] if p.category not in (*UNSEEN, MLFS)]
        end = next((p.day for p in later if p.category not in REMISSIONS), float("inf"))
        if days <= 0 or any(p.day - point.day >= days for p in later if p.day < end):
            return say(name, point.day, words)
        is_open = is_open or end == float("inf")
    if is_open:
        last = counted[-1].day
        return Endpoint(name, "censored", last, "NE", f"remission, not seen again after {days:g} days", 0.0)
    if not any(p.category not in UNSEEN for p in counted):
        return Endpoint(name, "censored", None, "NE", "no look at the marrow that could be evaluated", 0.0)
    return say(name, None, words)


def find_no_remission(counted: Sequence[Point], chosen: Mapping[str, OptionValue]) -> Endpoint:
    """Return whether there was no remission by the day on which there should be one.

    Examples
    --------
    >>> chosen = {"no_remission_day": 28.0, "no_remission_window_days": 7.0}
    >>> [find_no_remission([Point(29.0, category, 29.0)], chosen).value for category in ("NR", "CR", "NE")]
    ['Y', 'N', 'NE']
    """
    name, day = "no_remission", float(chosen["no_remission_day"])
    until = day + float(chosen["no_remission_window_days"])
    looked = [p for p in counted if p.day <= until and p.category not in (*UNSEEN, MLFS)]
    if any(p.category in REMISSIONS for p in looked):
        return Endpoint(name, "censored", looked[0].day, "N", f"remission by day {day:g}", 0.0)
    if not looked:
        return Endpoint(name, "censored", None, "NE", f"no look by day {until:g} that could be evaluated", 0.0)
    reason = f"no remission by day {day:g}, as last looked for on day {looked[-1].day:g}"
    return Endpoint(name, "event", day, "Y", reason, 0.0)


def _find_negative_remission(
    counted: Sequence[Point], tables: SubjectTables, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> Endpoint:
    """Return the first remission in which residual disease was below 0.01 %, in a sample of about that day."""
    window = float(chosen["marrow_window_days"])
    samples = find_residual_samples(tables, rules.threshold("mrd_negative"))
    words = "remission without residual disease"
    is_open = False
    for point in counted:
        near = [s for s in samples if 0 <= point.day - s.day <= window]
        if point.category not in REMISSIONS:
            continue
        if near and near[-1].is_negative == Truth.TRUE:
            return say("mrd_negative_remission", point.day, words)
        is_open = is_open or not near or near[-1].is_negative == Truth.UNKNOWN
    if is_open:
        reason = "remission without a sample of residual disease that could tell"
        return Endpoint("mrd_negative_remission", "censored", None, "NE", reason, 0.0)
    return say("mrd_negative_remission", None, words)
