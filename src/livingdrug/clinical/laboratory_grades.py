"""Laboratory grades of a patient by the Common Terminology Criteria for Adverse Events: one a variable and day."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from livingdrug.clinical.daily import Result, group_days, list_conflicts, read_results
from livingdrug.clinical.daily_series import read_ends
from livingdrug.clinical.grading import NOT_EVALUABLE, Graded, describe_grade
from livingdrug.clinical.laboratory_clauses import Sample
from livingdrug.clinical.limits_of_normal import UNKNOWN, Limits, read_limits_of_row
from livingdrug.clinical.term_grades import find_unit, grade_sample
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.grading import Term
from livingdrug.core.ruleset import OptionValue, Ruleset
from livingdrug.core.variables import VARIABLES as KNOWN
from livingdrug.core.variables import compute_variable_conversion

VARIABLES = (
    *("haemoglobin", "leukocytes", "lymphocytes", "neutrophils", "platelets", "cd4_cells"),
    *("alt", "ast", "alkaline_phosphatase", "ggt", "bilirubin", "ldh", "haptoglobin"),
    *("amylase", "lipase", "creatine_kinase", "creatinine", "creatinine_clearance", "uric_acid"),
    *("aptt", "inr", "fibrinogen", "blood_ph", "albumin", "calcium", "corrected_calcium", "ionised_calcium"),
    *("potassium", "sodium", "magnesium", "phosphate", "glucose", "fasting_glucose"),
    *("cholesterol", "hdl_cholesterol", "ldl_cholesterol", "triglycerides"),
)
_SCHEMA = {
    "day": pl.Float64,
    "variable": pl.String,
    "term": pl.String,
    "direction": pl.String,
    "grade": pl.Int64,
    "highest_grade": pl.Int64,
    "signed_grade": pl.Int64,
    "row": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class _TermGrade:
    """The worst grade of a day by one term, and the row that it stands in."""

    term: Term
    graded: Graded
    row: int


@dataclass(frozen=True, slots=True)
class _Patient:
    """What the grades of one patient are made from, in canonical units."""

    days: Mapping[float, Mapping[str, Sequence[Result]]]
    limits: Mapping[int, Limits]
    baselines: Mapping[tuple[str, str], Result]
    rules: Ruleset
    chosen: Mapping[str, OptionValue]


def assess_ctcae(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Grade the laboratory values of one patient.

    One verdict a variable and day: the worst grade of any of its terms and rows; its note names the term. A
    variable is 0 only if every term that it has in this version is 0. Limits of normal are those of the row; a
    baseline without its own is judged by them too.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        Such as ``ctcae/5.0``.
    options
        Those of the ruleset.

    Source
    ------
    ctcae5

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rows = pl.DataFrame({"subject_id": ["P1"], "day": [9.0], "variable": ["neutrophils"], "value": [0.3],
    ...                      "unit": ["10*9/L"], "row": [0]})
    >>> events = pl.DataFrame(schema={"subject_id": pl.String, "day": pl.Float64, "type": pl.String})
    >>> tables = SubjectTables({"subject_id": "P1"}, events, rows)
    >>> [assess_ctcae(tables, load_rules(name)).verdicts[0].time_point for name in ("ctcae/5.0", "ctcae/6.0")]
    ['4', '3']
    """
    chosen = rules.choose(options)
    terms = _list_terms(rules)
    patient = _read_patient(tables, rules, chosen)
    verdicts: list[Assessed] = []
    grades: list[tuple[str, _TermGrade]] = []
    for day, measured in patient.days.items():
        for variable in (name for name in measured if name in terms):
            found = [_grade_day(patient, term, variable, day) for term in terms[variable]]
            verdicts.append(_describe_day(variable, found, is_signed=bool(chosen["signed"])))
            grades += [(variable, grade) for grade in found]
    return SubjectAssessment(
        verdicts=tuple(verdicts),
        endpoints=tuple(_list_endpoints(grades)),
        warnings=tuple(list_conflicts(patient.days, terms)),
        details={"ctcae_grades": _build_table(grades)},
    )


def _list_terms(rules: Ruleset) -> dict[str, list[Term]]:
    terms: dict[str, list[Term]] = {}
    for term in rules.terms:
        for variable in term.variables:
            terms.setdefault(variable, []).append(term)
    return terms


def _read_patient(tables: SubjectTables, rules: Ruleset, chosen: Mapping[str, OptionValue]) -> _Patient:
    observations = tables.observations
    if "row" not in observations.columns:
        observations = observations.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    limits = {}
    if any(name.endswith("_limit_of_normal") for name in observations.columns):
        kept = observations.filter(pl.col("variable").is_in(VARIABLES))
        limits = {row["row"]: read_limits_of_row(row) for row in kept.iter_rows(named=True)}
    start = 0.0
    if chosen["baseline"] == "lymphodepletion" and len(tables.events):
        began = tables.events.filter(pl.col("type") == "lymphodepletion")["day"].min()
        start = min(float(began), 0.0) if isinstance(began, int | float) else 0.0
    days = group_days(read_results(observations, VARIABLES))
    directions = {(name, term.direction) for term in rules.terms for name in term.variables}
    found = {key: _find_baseline(days, *key, start) for key in directions}
    return _Patient(days, limits, {key: row for key, row in found.items() if row is not None}, rules, chosen)


def _grade_day(patient: _Patient, term: Term, variable: str, day: float) -> _TermGrade:
    """Grade every row of a day and return the worst; a row that says nothing counts only where there is no other."""
    rows = patient.days[day][variable]
    known = [row for row in rows if row.is_known] or list(rows)
    found = []
    for result in known:
        sample = _build_sample(patient, term, variable, result)
        found.append(_TermGrade(term, grade_sample(term, sample, patient.chosen, day), result.row))
    return max(found, key=lambda grade: (grade.graded.lower, grade.graded.upper, -grade.row))


def _build_sample(patient: _Patient, term: Term, variable: str, result: Result) -> Sample:
    """Put value, limits and baseline into the unit of the term."""
    limits = patient.limits.get(result.row, UNKNOWN)
    low, high = read_ends(result) or (None, None)
    start = patient.baselines.get((variable, term.direction))
    own = UNKNOWN if start is None else patient.limits.get(start.row, UNKNOWN)
    sample = Sample(
        variable,
        low,
        high,
        (result.row,),
        limits.lower,
        limits.upper,
        baseline=None if start is None else start.low,
        baseline_lower=limits.lower if own.lower is None else own.lower,
        baseline_upper=limits.upper if own.upper is None else own.upper,
        baseline_rows=() if start is None else (start.row,),
    )
    if variable == "calcium" and patient.chosen["calcium"] == "corrected":
        sample = _correct_calcium(patient, sample, result.day)
    return _convert_sample(sample, variable, find_unit(term, patient.chosen))


def _convert_sample(sample: Sample, variable: str, unit: str) -> Sample:
    if not unit or unit == KNOWN[variable].unit:
        return sample
    conversion = compute_variable_conversion(variable, unit)
    if conversion is None:
        return replace(sample, low=None, high=None)
    names = ("low", "high", "lower_limit", "upper_limit", "baseline", "baseline_lower", "baseline_upper")
    numbers = {name: getattr(sample, name) for name in names}
    return replace(sample, **{name: number / conversion[0] for name, number in numbers.items() if number is not None})


def _correct_calcium(patient: _Patient, sample: Sample, day: float) -> Sample:
    """Correct calcium [mg/dL] by the albumin [g/dL] of the day; without one it is not known."""
    albumin = [row for row in patient.days[day].get("albumin", ()) if row.low is not None and row.high is not None]
    if sample.low is None or sample.high is None:
        return sample
    if not albumin:
        return replace(sample, name="albumin", low=None, high=None)
    normal, slope = patient.rules.threshold("albumin_normal"), patient.rules.threshold("albumin_correction")
    lowest = min(albumin, key=lambda row: (row.low, row.row))
    least, most = lowest.low or 0.0, lowest.high or 0.0
    return replace(
        sample,
        low=sample.low + slope * (normal - most),
        high=sample.high + slope * (normal - least),
        rows=(*sample.rows, lowest.row),
    )


def _find_baseline(
    days: Mapping[float, Mapping[str, Sequence[Result]]], variable: str, direction: str, start: float
) -> Result | None:
    """Return the last exact value up to the start, or else the first one up to day 0; of several, the worse one."""
    before = [
        (day, row)
        for day, measured in days.items()
        if day <= 0
        for row in measured.get(variable, ())
        if row.low is not None and row.low == row.high
    ]
    if not before:
        return None
    early = [day for day, _ in before if day <= start]
    chosen = max(early) if early else min(day for day, _ in before)
    same = [row for day, row in before if day == chosen]
    sign = -1.0 if direction == "low" else 1.0
    return min(same, key=lambda row: (sign * (row.low or 0.0), row.row))


def _describe_day(variable: str, found: Sequence[_TermGrade], *, is_signed: bool) -> Assessed:
    """Return the verdict of a variable on a day from the grades of its terms."""
    worst = max(found, key=lambda grade: (grade.graded.lower, grade.graded.upper))
    if worst.graded.lower or len(found) == 1:
        verdict = describe_grade(worst.graded, worst.term.name, _name(variable, [worst]))
        if is_signed and worst.graded.lower and worst.term.direction == "low":
            verdict = replace(verdict, time_point=f"-{verdict.time_point}", confirmed=f"-{verdict.confirmed}")
        return verdict
    described = [describe_grade(grade.graded, grade.term.name) for grade in found]
    is_known = all(verdict.time_point == "0" for verdict in described)
    return Assessed(
        day=worst.graded.day,
        time_point="0" if is_known else "NE",
        confirmed="0" if is_known else "NE",
        findings=tuple(f for verdict in sorted(described, key=_is_closed) for f in verdict.findings),
        unknowns=tuple(dict.fromkeys(name for verdict in described for name in verdict.unknowns)),
        would_change=tuple(text for verdict in described for text in verdict.would_change),
        note=_name(variable, found),
    )


def _is_closed(verdict: Assessed) -> bool:
    return not verdict.unknowns


def _name(variable: str, found: Sequence[_TermGrade]) -> str:
    return f"{variable}: {' and '.join(grade.term.name for grade in found)}"


def _list_endpoints(grades: Iterable[tuple[str, _TermGrade]]) -> Iterator[Endpoint]:
    """Yield the worst grade from day 0 on: by term, and of all."""
    after = [grade for _, grade in grades if grade.graded.day >= 0]
    by_term: dict[str, list[_TermGrade]] = {}
    for grade in after:
        by_term.setdefault(grade.term.name, []).append(grade)
    if after:
        yield _find_worst("ctcae_worst_grade", after)
    for name, found in by_term.items():
        yield _find_worst(f"ctcae_worst_grade:{name}", found)


def _find_worst(name: str, found: Sequence[_TermGrade]) -> Endpoint:
    worst = max(found, key=lambda grade: (grade.graded.lower, -grade.graded.day))
    upper = max(grade.graded.upper for grade in found)
    lower, last = worst.graded.lower, max(grade.graded.day for grade in found)
    reason = f"{worst.term.name}, highest grade of any day from infusion"
    if lower < upper:
        reason += f"; grade {upper} is not excluded"
    if lower:
        return Endpoint(name, "event", worst.graded.day, str(lower), reason, 0.0)
    return Endpoint(name, "censored", last, "NE" if upper else "0", reason, 0.0)


def _build_table(grades: Sequence[tuple[str, _TermGrade]]) -> pl.DataFrame:
    rows = []
    for variable, found in grades:
        term, graded = found.term, found.graded
        value = None if graded.text == NOT_EVALUABLE else graded.lower
        signed = -value if value is not None and term.direction == "low" else value
        rows.append((graded.day, variable, term.name, term.direction, value, graded.upper, signed, found.row))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
