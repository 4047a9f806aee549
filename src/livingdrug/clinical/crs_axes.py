"""The two axes of cytokine release syndrome beside fever: hypotension and hypoxia, one clause a grade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livingdrug.clinical.comparison import join_any
from livingdrug.clinical.daily import Result, Worst, ask_value, ask_word, ask_yes, find_worst
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

_WORST_OXYGEN = (
    "intubation",
    "ventilation",
    "bipap",
    "cpap",
    "positive_pressure",
    "venturi_mask",
    "non_rebreather",
    "face_mask",
    "high_flow",
    "nasal_cannula",
    "blow_by",
    "low_flow",
    "none",
)
_YES_FIRST = ("yes", "indeterminate", "no")
_TUBE = ("intubation", "ventilation")
CRS_WORST: Worst = {
    "temperature": "highest",
    "hypotension": _YES_FIRST,
    "systolic_bp": "lowest",
    "vasopressors": "highest",
    "vasopressin": _YES_FIRST,
    "oxygen": _WORST_OXYGEN,
    "oxygen_flow": "highest",
    "hypoxia": _YES_FIRST,
    "intubation_reason": ("hypoxia", "airway_protection"),
    "fever_explained_otherwise": ("no", "indeterminate", "yes"),
    "fever_treated": _YES_FIRST,
    "crs_active": _YES_FIRST,
}
AXIS_VARIABLES = (
    "hypotension",
    "systolic_bp",
    "vasopressors",
    "vasopressin",
    "oxygen",
    "oxygen_flow",
    "hypoxia",
    "intubation_reason",
)
ADULT_AGE = 18.0


@dataclass(frozen=True, slots=True)
class CrsDay:
    """What one day showed, and the rules it is judged by."""

    worst: Mapping[str, Result]
    rows: Mapping[str, Sequence[Result]]
    rules: Ruleset
    chosen: Mapping[str, OptionValue]
    age: float | None = None

    def find(self, name: str) -> Result | None:
        """Return the worst known result of a thing; None where there is none."""
        result = self.worst.get(name)
        return result if result is not None and result.is_known else None

    def list_contradictions(self, day: float) -> list[str]:
        """Say what the rows of a day contradict."""
        warnings = []
        word, drugs = self.find("hypotension"), self.find("vasopressors")
        if word is not None and drugs is not None and word.word == "no" and (drugs.low or 0.0) > 0:
            rows = f"{word.row} and {drugs.row}"
            warnings.append(f"no hypotension but vasopressors on day {day:g} in rows {rows}; vasopressors count")
        lack, oxygen = self.find("hypoxia"), self.find("oxygen")
        if lack is not None and oxygen is not None and lack.word == "yes" and oxygen.word == "none":
            rows = f"{lack.row} and {oxygen.row}"
            warnings.append(f"hypoxia but no oxygen on day {day:g} in rows {rows} of the observations; hypoxia counts")
        return warnings


def find_axis(day: CrsDay, axis: str, grade: int) -> Finding:
    """Ask whether an axis reaches a grade from 2 to 4.

    Parameters
    ----------
    axis : ``hypotension`` or ``hypoxia``

    Source
    ------
    lee2019
    """
    return _find_hypotension(day, grade) if axis == "hypotension" else _find_hypoxia(day, grade)


def _is_presumed(day: CrsDay) -> bool:
    return day.chosen["unrecorded"] == "none"


def _find_hypotension(day: CrsDay, grade: int) -> Finding:
    several = _ask_vasopressors(day, "several_vasopressors", "several vasopressors, vasopressin not counted")
    if grade == 4:
        return several
    clauses = [_ask_vasopressors(day, "one_vasopressor", "a vasopressor")]
    alone = day.find("vasopressin")
    if alone is not None and (day.chosen["vasopressin_alone"] == "3" or grade == 2):
        clauses.append(ask_yes("vasopressin", alone, "vasopressin"))
    if grade == 3:
        return join_any("hypotension that needs a vasopressor", clauses)
    return join_any("hypotension", [*clauses, _ask_hypotension(day)])


def _ask_vasopressors(day: CrsDay, threshold: str, clause: str) -> Finding:
    count, word = day.worst.get("vasopressors"), day.find("hypotension")
    if count is None and word is not None and word.word == "no":
        return Finding(clause, Truth.FALSE, (word.row,), note="no hypotension to be treated")
    if count is None and _is_presumed(day):
        return Finding(clause, Truth.FALSE, note="no row for vasopressors: taken as none")
    return ask_value(clause, "vasopressors", count, ">=", day.rules.thresholds[threshold])


def _ask_hypotension(day: CrsDay) -> Finding:
    word, pressure = day.worst.get("hypotension"), day.worst.get("systolic_bp")
    if word is not None:
        return ask_yes("hypotension", word, "hypotension")
    limit = float(day.chosen["systolic_limit"])
    is_child = day.age is not None and day.age < ADULT_AGE
    if pressure is not None and limit > 0 and not is_child:
        return ask_value(f"systolic pressure below {limit:g} mmHg", "systolic_bp", pressure, "<", limit)
    if _is_presumed(day):
        return Finding("hypotension", Truth.FALSE, note="no row for hypotension: taken as none")
    return Finding("hypotension", Truth.UNKNOWN, missing=("hypotension",), comparison="is yes")


def _find_hypoxia(day: CrsDay, grade: int) -> Finding:
    oxygen, is_airway = _find_oxygen(day)
    clauses = [_ask_device(day, oxygen, grade, is_airway=is_airway)]
    flow = day.worst.get("oxygen_flow")
    if flow is not None and grade < 4:
        clauses.append(_ask_flow(day, flow, grade))
    elif grade == 3 and oxygen is not None and oxygen.word == "nasal_cannula":
        clauses.append(Finding("nasal cannula above 6 L/min", Truth.UNKNOWN, (oxygen.row,), missing=("oxygen_flow",)))
    lack = day.find("hypoxia")
    if lack is not None and grade == 2:
        clauses.append(ask_yes("hypoxia that needs oxygen", lack, "hypoxia"))
    names = {2: "oxygen for hypoxia", 3: "oxygen at high flow or by mask", 4: "positive pressure for hypoxia"}
    return join_any(names[grade], clauses)


def _ask_flow(day: CrsDay, flow: Result, grade: int) -> Finding:
    if grade == 3:
        limit = day.rules.thresholds["low_flow"]
        return ask_value(f"oxygen above {limit.value:g} L/min", "oxygen_flow", flow, ">", limit)
    return ask_value("oxygen flows", "oxygen_flow", flow, ">", 0.0)


def _find_oxygen(day: CrsDay) -> tuple[Result | None, bool]:
    """Return the most oxygen given for hypoxia, and whether a tube for the airway alone was left out."""
    reason, lack = day.find("intubation_reason"), day.find("hypoxia")
    is_airway = (reason is not None and reason.word == "airway_protection") or (
        reason is None and lack is not None and lack.word == "no"
    )
    rows = day.rows.get("oxygen", ())
    kept = [r for r in rows if not (is_airway and r.word in _TUBE)]
    worst = find_worst({"oxygen": kept}, CRS_WORST).get("oxygen") if kept else None
    return worst, len(kept) < len(rows)


def _ask_device(day: CrsDay, oxygen: Result | None, grade: int, *, is_airway: bool) -> Finding:
    clause = {2: "oxygen given", 3: "oxygen by a means of grade 3 or more", 4: "positive pressure"}[grade]
    if oxygen is not None:
        return ask_word(clause, oxygen, "oxygen", day.rules.thresholds, grade)
    lack, flow = day.find("hypoxia"), day.find("oxygen_flow")
    if is_airway:
        rows = tuple(r.row for r in day.rows["oxygen"])
        is_hypoxic = lack is not None and lack.word != "no"
        if is_hypoxic:
            return Finding(clause, Truth.UNKNOWN, rows, missing=("oxygen",), note="intubated to protect the airway")
        return Finding(clause, Truth.FALSE, rows, note="intubated to protect the airway, not for hypoxia")
    if lack is not None and lack.word == "no":
        return Finding(clause, Truth.FALSE, (lack.row,), note="no hypoxia")
    limit = day.rules.threshold("low_flow")
    if flow is not None and flow.high is not None and flow.high <= limit:
        note = f"a flow up to {limit:g} L/min without a word for the device is low flow"
        return Finding(clause, Truth.FALSE, (flow.row,), note=note)
    if _is_presumed(day) and flow is None:
        return Finding(clause, Truth.FALSE, note="no row for oxygen: taken as none")
    return Finding(clause, Truth.UNKNOWN, missing=("oxygen",), comparison=">=")
