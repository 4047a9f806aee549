"""A screen for the HLH-like syndrome after immune effector cells (IEC-HS, 2023); never a diagnosis.

Ferritin must be high or rise fast; of transaminases, fibrinogen, cytopenia and haemophagocytosis some must be
there besides. Whether CRS, infection or progression explains it better is for a physician. Source: hines2023.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from livingdrug.clinical.comparison import compare, join_all, join_any, list_leaves
from livingdrug.clinical.daily import (
    Result,
    Worst,
    ask_value,
    ask_yes,
    find_lymphodepletion,
    find_standing,
    find_worst,
    group_days,
    list_conflicts,
    list_event_rows,
    read_results,
)
from livingdrug.clinical.limits_of_normal import Limits, find_limits, find_limits_at
from livingdrug.clinical.points import count_clauses
from livingdrug.clinical.visits import Measured
from livingdrug.core.assessment import Assessed, Endpoint, SubjectAssessment, SubjectTables
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

_LABORATORY = ("ferritin", "ast", "alt", "fibrinogen", "neutrophils", "platelets", "ldh", "triglycerides")
_SUPPORTING_LIMITS = ("direct_bilirubin", "inr", "aptt")
_FOUND = ("haemophagocytosis", "new_cytopenia", "splenomegaly")
_JUDGED = ("hyperinflammation_explained_otherwise", "crs_course")
VARIABLES = (*_LABORATORY, *_SUPPORTING_LIMITS, *_FOUND, *_JUDGED, "temperature")
_LOWEST = ("fibrinogen", "neutrophils", "platelets")
_WORST: Worst = {
    **{name: "lowest" if name in _LOWEST else "highest" for name in VARIABLES},
    **dict.fromkeys(_FOUND, ("yes", "indeterminate", "no")),
    "hyperinflammation_explained_otherwise": ("no", "indeterminate", "yes"),
    "crs_course": ("resolved", "resolving", "rising", "none"),
}
_SCREENED = ("ferritin", "ast", "alt", "fibrinogen", "haemophagocytosis", "new_cytopenia")
_LIMIT_OPTIONS = {
    "ferritin": "ferritin_upper_limit",
    "ast": "transaminase_upper_limit",
    "alt": "transaminase_upper_limit",
}
_WORDS = {Truth.TRUE: "screen_positive", Truth.FALSE: "screen_negative", Truth.UNKNOWN: "NE"}


def assess_iec_hs(tables: SubjectTables, rules: Ruleset, **options: OptionValue) -> SubjectAssessment:
    """Screen every day on which ferritin or a typical manifestation was looked at.

    Parameters
    ----------
    tables : SubjectTables
        Limits of normal stand in the optional columns ``lower_limit_of_normal`` and ``upper_limit_of_normal``.
    rules : Ruleset
        ``iec-hs/2023``.
    options
        In place of the ruleset's: ``least_typical``, ``ferritin_reference``, ``transaminase_reference``,
        ``rapid_rise_percent``, ``rapid_rise_days``, ``cytopenia``, ``timing`` and lengths of time.

    Returns
    -------
    assessment : SubjectAssessment
        Verdicts ``screen_positive``, ``screen_negative`` or NE; the note counts supporting findings and says
        where cytokine release stood; endpoint ``iec_hs_screen_positive``.

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    hines2023

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> seen = pl.DataFrame({"day": [12.0, 12.0], "variable": ["ferritin", "fibrinogen"], "value": [9000.0, 1.2],
    ...                      "unit": ["ng/mL", "g/L"], "upper_limit_of_normal": [300.0, 4.0]})
    >>> events = pl.DataFrame(schema={"day": pl.Float64, "type": pl.String, "note": pl.String})
    >>> assess_iec_hs(SubjectTables({}, events, seen), load_rules("iec-hs/2023")).verdicts[0].time_point
    'screen_positive'
    """
    chosen = rules.choose(options)
    rows = group_days(read_results(tables.observations, VARIABLES))
    worst = {day: find_worst(found, _WORST) for day, found in rows.items()}
    start, _ = find_lymphodepletion(list_event_rows(tables.events), float(chosen["day_without_lymphodepletion"]))
    before = find_standing(worst, start, _LABORATORY, float(chosen["baseline_window_days"]))
    limits = find_limits(tables.observations)
    length: dict[str, float] = dict.fromkeys(VARIABLES, float(chosen["window_days"]))
    length |= dict.fromkeys(_FOUND, float(chosen["finding_days"]))
    days = [day for day, found in worst.items() if day >= float(chosen["first_day"]) and set(found) & set(_SCREENED)]
    verdicts = []
    for day in days:
        found = find_standing(worst, day, VARIABLES, length)
        screen = _Screen(day, found, before, limits, rules, chosen, tuple(_list_ferritin(worst, day)))
        verdicts.append(screen.judge())
    return SubjectAssessment(
        verdicts=tuple(verdicts),
        endpoints=(_find_endpoint(verdicts),),
        warnings=tuple(list_conflicts(rows, _JUDGED)),
    )


def _list_ferritin(worst: Mapping[float, Mapping[str, Result]], day: float) -> Iterator[Result]:
    for when, found in worst.items():
        if when <= day and "ferritin" in found and found["ferritin"].is_known:
            yield found["ferritin"]


@dataclass(frozen=True, slots=True)
class _Screen:
    """One day's results, what they started from and the limits of normal."""

    day: float
    found: Mapping[str, Result]
    before: Mapping[str, Result]
    limits: Mapping[tuple[str, float], Limits]
    rules: Ruleset
    chosen: Mapping[str, OptionValue]
    ferritin: tuple[Result, ...]

    def judge(self) -> Assessed:
        """Screen the day; supporting findings are counted and decide nothing."""
        typical = list(self._list_typical())
        least = round(float(self.chosen["least_typical"]))
        enough = count_clauses("typical manifestations", typical, [(1.0, least)]).clauses[0][1]
        enough = replace(enough, clause=f"at least {least} typical manifestations besides ferritin")
        clauses = [self._ask_ferritin(), enough, *self._list_exclusions()]
        screen = join_all("IEC-HS screen", clauses)
        open_ = list_leaves(screen, Truth.UNKNOWN) if screen.truth == Truth.UNKNOWN else []
        missing = tuple(dict.fromkeys(name for leaf in open_ for name in leaf.missing))
        change = (f"screen positive or negative, if {', '.join(missing)} were known",) if missing else ()
        return Assessed(
            self.day,
            _WORDS[screen.truth],
            _WORDS[screen.truth],
            None,
            (screen,),
            missing,
            change,
            note=self._describe(),
        )

    def _ask_ferritin(self) -> Finding:
        reference = str(self.chosen["ferritin_reference"])
        ways = []
        if reference in ("either", "upper_limit"):
            ways.append(self._ask_limit("ferritin", "ferritin_multiple"))
        if reference in ("either", "baseline"):
            ways.append(self._ask_baseline("ferritin", "ferritin_multiple"))
        percent, within = float(self.chosen["rapid_rise_percent"]), float(self.chosen["rapid_rise_days"])
        now = self.found.get("ferritin")
        if percent > 0 and now is not None:
            earlier = [r for r in self.ferritin if now.day - within <= r.day < now.day]
            lowest = min(earlier, key=lambda r: (r.low or 0.0, r.row), default=None)
            if lowest is not None:
                pair = [("ferritin", _measure(lowest)), ("ferritin", _measure(now))]
                ways.append(
                    compare(f"ferritin up by {percent:g} % in {within:g} days", pair, "percent rise >=", percent)
                )
        return join_any("ferritin high or rising fast", ways)

    def _list_typical(self) -> Iterator[Finding]:
        yield join_any("transaminases high", [self._ask_transaminase(name) for name in ("ast", "alt")])
        yield self._ask_fibrinogen()
        yield self._ask_cytopenia()
        yield self._ask_found("haemophagocytosis", "haemophagocytosis")

    def _ask_transaminase(self, name: str) -> Finding:
        reference, key = str(self.chosen["transaminase_reference"]), "transaminase_multiple"
        by_limit, by_baseline = self._ask_limit(name, key), self._ask_baseline(name, key)
        if reference == "upper_limit" or name not in self.found:
            return by_limit
        if reference == "baseline":
            return by_baseline
        if reference == "either":
            return join_any(f"{name} high", [by_limit, by_baseline])
        upper = self._find_upper(name)
        normal = self._ask_normal_baseline(name, upper)
        shown = join_any(f"{name} above the baseline where that was abnormal", [normal, by_baseline])
        return join_all(f"{name} high", [by_limit, shown])

    def _find_upper(self, name: str) -> float | None:
        """Return the upper limit of normal as reported, or else as chosen for laboratories that report none."""
        reported = find_limits_at(self.limits, name, self.day).upper
        option = _LIMIT_OPTIONS.get(name)
        if reported is not None or option is None:
            return reported
        return float(self.chosen[option]) or None

    def _ask_normal_baseline(self, name: str, upper: float | None) -> Finding:
        clause, before = f"{name} normal before lymphodepletion", self.before.get(name)
        if upper is None:
            return Finding(clause, Truth.UNKNOWN, missing=(f"upper limit of normal of {name}",))
        return (
            replace(ask_value(clause, name, before, "<=", upper), note="") if before else _miss_baseline(clause, name)
        )

    def _ask_fibrinogen(self) -> Finding:
        limit, now = self.rules.thresholds["fibrinogen"], self.found.get("fibrinogen")
        low = ask_value(f"fibrinogen below {limit.value:g} {limit.unit}", "fibrinogen", now, "<", limit)
        lower = find_limits_at(self.limits, "fibrinogen", self.day).lower
        if now is None or lower is None:
            return low
        return join_any(
            "fibrinogen low", [low, ask_value("fibrinogen below its normal range", "fibrinogen", now, "<", lower)]
        )

    def _ask_cytopenia(self) -> Finding:
        ways = [self._ask_found("new or worse cytopenia", "new_cytopenia")]
        if self.chosen["cytopenia"] == "grade_4":
            for name in ("neutrophils", "platelets"):
                limit = self.rules.thresholds[f"grade_4_{name}"]
                clause = f"{name} below {limit.value:g} {limit.unit}"
                ways.append(ask_value(clause, name, self.found.get(name), "<", limit))
        return join_any("new, worse or refractory cytopenia", ways)

    def _ask_found(self, clause: str, name: str) -> Finding:
        found = self.found.get(name)
        if found is None and self.chosen["unrecorded"] == "absent":
            return Finding(clause, Truth.FALSE, note=f"no row for {name}: taken as absent")
        return ask_yes(clause, found, name)

    def _list_exclusions(self) -> Iterator[Finding]:
        other = self.found.get("hyperinflammation_explained_otherwise")
        if other is not None:
            yield ask_yes("CRS, infection or progression does not explain it better", other, other.name, "no")
        if self.chosen["timing"] == "require":
            course = self.found.get("crs_course")
            ways = [
                ask_yes(f"cytokine release {word}", course, "crs_course", word) for word in ("resolving", "resolved")
            ]
            yield join_any("cytokine release resolving or resolved", ways)

    def _ask_limit(self, name: str, threshold: str) -> Finding:
        times = self.rules.threshold(threshold)
        clause, now = f"{name} above {times:g} times its upper limit of normal", self.found.get(name)
        upper = self._find_upper(name)
        if now is not None and upper is None:
            return Finding(clause, Truth.UNKNOWN, (now.row,), missing=(f"upper limit of normal of {name}",))
        return ask_value(clause, name, now, ">", times * (upper or 0.0))

    def _ask_baseline(self, name: str, threshold: str) -> Finding:
        times = self.rules.threshold(threshold)
        clause, now, before = f"{name} above {times:g} times its baseline", self.found.get(name), self.before.get(name)
        if now is not None and (before is None or before.low is None or before.low != before.high):
            return _miss_baseline(clause, name)
        found = ask_value(clause, name, now, ">", times * (0.0 if before is None else before.low or 0.0))
        return found if before is None else replace(found, rows=(before.row, *found.rows))

    def _describe(self) -> str:
        """Name the supporting findings and where cytokine release stood."""
        course = self.found.get("crs_course")
        stood = "not recorded" if course is None else str(course.word)
        present = [name for name, clause in self._list_supporting() if clause.truth == Truth.TRUE]
        return f"a screen, no diagnosis; cytokine release {stood}; supporting: {', '.join(present) or 'none known'}"

    def _list_supporting(self) -> Iterator[tuple[str, Finding]]:
        yield "ldh", self._ask_limit("ldh", "ldh_multiple")
        for name in _SUPPORTING_LIMITS:
            yield name, self._ask_limit(name, "ldh_multiple")
        for name, key in (("triglycerides", "triglycerides"), ("temperature", "fever")):
            comparison = ">=" if key == "fever" else ">"
            yield name, ask_value(name, name, self.found.get(name), comparison, self.rules.thresholds[key])
        yield "splenomegaly", ask_yes("enlarged spleen", self.found.get("splenomegaly"), "splenomegaly")


def _measure(result: Result) -> Measured:
    exact = result.low if result.low == result.high else None
    return Measured(exact, None, result.row, result.day)


def _miss_baseline(clause: str, name: str) -> Finding:
    return Finding(clause, Truth.UNKNOWN, missing=(f"{name} before lymphodepletion",))


def _find_endpoint(verdicts: Sequence[Assessed]) -> Endpoint:
    name = "iec_hs_screen_positive"
    first = next((v.day for v in verdicts if v.time_point == _WORDS[Truth.TRUE]), None)
    if first is not None:
        return Endpoint(name, "event", first, f"{first:g}", "first day on which the screen is positive", 0.0)
    last = max((v.day for v in verdicts), default=None)
    is_open = any(v.time_point == "NE" for v in verdicts)
    reason = "not known on every day" if is_open else "no day on which the screen is positive"
    return Endpoint(name, "censored", last, "", reason if verdicts else "no day was screened", 0.0)
