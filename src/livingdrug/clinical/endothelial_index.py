"""EASIX and its relatives: endothelial activation from LDH, platelets, and creatinine or C-reactive protein.

The index is reported as a binary logarithm; no cut-off is universal. Relatives with ferritin (EASIX-F, -FC) are
risk groups whose cut-offs were not obtained, and are not computed. Sources: luft2017, pennisi2021.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isinf, log2

import polars as pl

from livingdrug.clinical.daily import (
    Result,
    Worst,
    convert_range,
    find_lymphodepletion,
    find_standing,
    find_worst,
    group_days,
    list_conflicts,
    list_event_rows,
    read_results,
)
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

VARIABLES = ("ldh", "creatinine", "crp", "platelets")
_WORST: Worst = {"ldh": "highest", "creatinine": "highest", "crp": "highest", "platelets": "lowest"}
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "easix": ("ldh", "creatinine", "platelets"),
    "s_easix": ("ldh", "platelets"),
    "m_easix": ("ldh", "crp", "platelets"),
}
_UNITS = {"ldh": "one_ldh", "creatinine": "one_creatinine", "crp": "one_crp", "platelets": "one_platelet"}


def assess_easix(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Compute the index on every day with LDH, and before lymphodepletion.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        ``easix/2017``.
    options
        In place of the ruleset's: ``variant``, ``window_days``, ``baseline_window_days``,
        ``day_without_lymphodepletion``.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts are the binary logarithm of the chosen variant, NE where a value is missing; endpoints are each
        variant before lymphodepletion; the details ``indices`` hold every variant by day.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    luft2017, pennisi2021

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> seen = pl.DataFrame({"day": [-6.0] * 3, "variable": ["ldh", "creatinine", "platelets"],
    ...                      "value": [400.0, 1.0, 100.0], "unit": ["U/L", "mg/dL", "10*9/L"]})
    >>> events = pl.DataFrame({"day": [-5.0], "type": ["lymphodepletion"], "note": [None]})
    >>> assess_easix(SubjectTables({}, events, seen), load_rules("easix/2017")).verdicts[0].time_point
    '2.000'
    """
    chosen = rules.choose(options)
    variant = str(chosen["variant"])
    rows = group_days(read_results(tables.observations, VARIABLES))
    worst = {day: find_worst(found, _WORST) for day, found in rows.items()}
    start, row = find_lymphodepletion(list_event_rows(tables.events), float(chosen["day_without_lymphodepletion"]))
    before = find_standing(worst, start, VARIABLES, float(chosen["baseline_window_days"]))
    daily = {
        day: find_standing(worst, day, VARIABLES, float(chosen["window_days"])) for day in worst if "ldh" in worst[day]
    }
    indices = {day: {name: compute_index(found, name, rules) for name in VARIANTS} for day, found in daily.items()}
    warnings = list_conflicts(rows, VARIABLES)
    if row is None:
        warnings.append(f"no lymphodepletion up to day 0: values up to day {start:g} are taken as those before it")
    return SubjectAssessment(
        verdicts=tuple(_describe(day, found[variant]) for day, found in indices.items()),
        endpoints=tuple(_list_endpoints(start, before, rules)),
        warnings=tuple(warnings),
        details={"indices": _build_table(indices)},
    )


@dataclass(frozen=True, slots=True)
class Index:
    """The binary logarithm of an index, between two bounds; None where it is not known."""

    variant: str
    low: float | None
    high: float | None
    finding: Finding

    @property
    def value(self) -> float | None:
        """The logarithm, where it is known exactly."""
        return self.low if self.low == self.high else None

    @property
    def text(self) -> str:
        """The logarithm to three digits; NE where it is not known."""
        return "NE" if self.value is None else f"{self.value:.3f}"


def compute_index(found: Mapping[str, Result], variant: str, rules: Ruleset) -> Index:
    """Compute one variant from the results of a day.

    Parameters
    ----------
    variant : ``easix``, ``s_easix`` or ``m_easix``

    Source
    ------
    luft2017, pennisi2021
    """
    names = VARIANTS[variant]
    clause = f"log2 of {' x '.join(names[:-1])} / {names[-1]}"
    ranges = {name: convert_range(found.get(name), rules.thresholds[_UNITS[name]].unit) for name in names}
    rows = tuple(found[name].row for name in names if name in found)
    missing = tuple(name for name, ends in ranges.items() if ends is None or ends[1] <= 0)
    if missing:
        return Index(variant, None, None, Finding(clause, Truth.UNKNOWN, rows, missing=missing))
    ends = [ranges[name] or (0.0, 0.0) for name in names]
    values = tuple(low for low, _ in ends)
    low, high = _compute_log(ends, 0), _compute_log(ends, 1)
    if low != high:
        vague = tuple(name for name, (a, b) in zip(names, ends, strict=True) if a != b)
        note = f"between {low:.3f} and {high:.3f}"
        return Index(variant, low, high, Finding(clause, Truth.UNKNOWN, rows, values, missing=vague, note=note))
    return Index(variant, low, high, Finding(clause, Truth.TRUE, rows, values, note=f"{low:.3f}"))


def _compute_log(ends: list[tuple[float, float]], side: int) -> float:
    """Return the logarithm at the lower (0) or the upper (1) end of every value; platelets divide."""
    above = [pair[side] for pair in ends[:-1]]
    below = ends[-1][1 - side]
    if below <= 0 or any(isinf(value) for value in above):
        return float("inf")
    if isinf(below) or any(value <= 0 for value in above):
        return float("-inf")
    return sum(log2(value) for value in above) - log2(below)


def _describe(day: float, index: Index) -> Assessed:
    missing = index.finding.missing
    return Assessed(
        day=day,
        time_point=index.text,
        confirmed=index.text,
        findings=(index.finding,),
        unknowns=missing,
        would_change=(f"a value, if {', '.join(missing)} were known",) if missing else (),
        note=f"binary logarithm of {index.variant}",
    )


def _list_endpoints(start: float, before: Mapping[str, Result], rules: Ruleset) -> Iterator[Endpoint]:
    for variant in VARIANTS:
        index = compute_index(before, variant, rules)
        name, missing = f"{variant}_before_lymphodepletion", index.finding.missing
        if missing:
            yield Endpoint(name, "censored", start, index.text, f"not known: {', '.join(missing)}")
        else:
            yield Endpoint(name, "event", start, index.text, "binary logarithm, last values before lymphodepletion")


def _build_table(indices: Mapping[float, Mapping[str, Index]]) -> pl.DataFrame:
    schema = {"day": pl.Float64} | {f"log2_{name}": pl.Float64 for name in VARIANTS}
    rows = [(day, *(found[name].value for name in VARIANTS)) for day, found in indices.items()]
    return pl.DataFrame(rows, schema=schema, orient="row")
