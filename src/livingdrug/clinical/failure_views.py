"""Published and customary names for the time of a failure: views over a day that is stored, none of them the rule."""

from collections.abc import Mapping

from livingdrug.core.assessment import ResponseCourse
from livingdrug.core.ruleset import Ruleset

YES, NO, NOT_EVALUABLE = "Y", "N", "NE"
LYMPHOMAS = ("lbcl", "mcl", "follicular")


def compute_views(day: float, rules: Ruleset) -> dict[str, str]:
    """Return the bin of a day of failure in each binning in use.

    Parameters
    ----------
    day : float [day]
        From infusion.
    rules : Ruleset
        ``failure/1``.

    Source
    ------
    di_blasi2022

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> ends = {"primary_resistance_end": 30.0, "early_relapse_end": 90.0, "quarter": 91.0, "half_year": 183.0,
    ...         "year": 365.0}
    >>> compute_views(120.0, SimpleNamespace(threshold=ends.get))  # doctest: +ELLIPSIS
    {'failure_30_90_days': '> 90', 'failure_3_months': 'late', 'failure_6_months': 'early', ...}
    """
    first, second = rules.threshold("primary_resistance_end"), rules.threshold("early_relapse_end")
    names = (f"0-{first:g}", f"{first + 1:g}-{second:g}", f"> {second:g}")
    ends = {"failure_3_months": "quarter", "failure_6_months": "half_year", "failure_12_months": "year"}
    return {
        "failure_30_90_days": names[0 if day <= first else 1 if day <= second else 2],
        **{name: "early" if day < rules.threshold(end) else "late" for name, end in ends.items()},
    }


def compute_labels(
    course: ResponseCourse, progression: float | None, rules: Ruleset, disease: str
) -> Mapping[str, str]:
    """Return the published labels of a disease: yes, no, or not evaluable where nobody looked in time.

    Parameters
    ----------
    course : ResponseCourse
    progression : float or None [day]
        As the failure counts it.
    rules : Ruleset
        ``failure/1``.
    disease : str

    Returns
    -------
    labels : mapping
        Myeloma: ``refractory_6_months``, progression within six months. Lymphomas: ``refractory_day_30``,
        no response at the first assessment. Acute lymphoblastic leukaemia: ``non_response_day_28``, no
        complete remission by day 28.
    """
    if disease == "myeloma":
        return {"refractory_6_months": _label_half_year(course, progression, rules)}
    if disease in LYMPHOMAS:
        return {"refractory_day_30": _label_first(course, rules)}
    if disease == "b_all":
        return {"non_response_day_28": _label_remission(course, rules)}
    return {}


def _label_half_year(course: ResponseCourse, progression: float | None, rules: Ruleset) -> str:
    end = rules.threshold("myeloma_refractory_end")
    if progression is not None:
        return YES if progression <= end else NO
    return NO if any(day >= end for day in course.assessed_days) else NOT_EVALUABLE


def _label_first(course: ResponseCourse, rules: Ruleset) -> str:
    first = next((day for day in course.assessed_days if day > 0), None)
    if first is None or first > rules.threshold("first_assessment_end"):
        return NOT_EVALUABLE
    response = course.unconfirmed_response_day
    return NO if response is not None and response <= first else YES


def _label_remission(course: ResponseCourse, rules: Ruleset) -> str:
    day = rules.threshold("no_response_day_b_all")
    latest = day + rules.threshold("assessment_window")
    response = course.response_day if course.response_day is not None else course.unconfirmed_response_day
    if response is not None and response <= latest:
        return NO
    if course.progression_day is not None and course.progression_day <= latest:
        return YES
    return YES if any(assessed >= day for assessed in course.assessed_days) else NOT_EVALUABLE
