"""The first domain of ICANS: the ICE score, or its items, or in children the Cornell assessment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from livingdrug.clinical.comparison import join_all, join_any
from livingdrug.clinical.daily import Result, ask_value, ask_word
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth
from livingdrug.core.variables import VARIABLES

ITEMS = ("ice_orientation", "ice_naming", "ice_commands", "ice_writing", "ice_attention")
"""Orientation 4 points, naming 3, command, writing and counting 1 each."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """Which instrument counts: by age, or as chosen."""

    age: float | None
    rules: Ruleset
    chosen: Mapping[str, OptionValue]

    @property
    def is_child(self) -> bool | None:
        """Whether the Cornell assessment counts; None where the age is not known."""
        group = self.chosen["age_group"]
        if group != "by_age":
            return group == "child"
        return None if self.age is None else self.age < self.rules.threshold("child_age")

    def warn(self, days: Mapping[float, Iterable[str]]) -> list[str]:
        """Say where an instrument was scored that does not count, or the age would have decided between two."""
        seen = set(chain.from_iterable(days.values()))
        ice, capd = bool(seen & {"ice_score", *ITEMS}), "capd_score" in seen
        if self.is_child is None:
            return ["the age is not known: the worse of ICE and the Cornell assessment counts"] if ice and capd else []
        if self.is_child and ice:
            return ["ICE was scored below 12 years and does not count"]
        return (
            ["the Cornell assessment was scored from 12 years on and does not count"]
            if capd and not self.is_child
            else []
        )


def find_encephalopathy(worst: Mapping[str, Result], grade: int, instrument: Instrument) -> Finding:
    """Ask whether encephalopathy reaches a grade from 1 to 4.

    Source
    ------
    lee2019
    """
    if instrument.is_child is not None:
        return _ask_capd(worst, grade, instrument) if instrument.is_child else _ask_ice(worst, grade, instrument.rules)
    scored = [n for n in ("ice_score", *ITEMS) if n in worst]
    if "capd_score" not in worst:
        return _ask_ice(worst, grade, instrument.rules)
    capd = _ask_capd(worst, grade, instrument)
    return join_any(capd.clause, [capd, _ask_ice(worst, grade, instrument.rules)]) if scored else capd


def _ask_capd(worst: Mapping[str, Result], grade: int, instrument: Instrument) -> Finding:
    rules, capd = instrument.rules, worst.get("capd_score")
    clause = f"Cornell assessment of grade {grade}"
    if grade == 4:
        return _ask_arousal(worst, rules)
    low = int(str(instrument.chosen["capd_low"]))
    limit = rules.thresholds["capd_1" if grade <= low else "capd_3"]
    return ask_value(f"{clause}: at least {limit.value:g}", "capd_score", capd, ">=", limit)


def _ask_ice(worst: Mapping[str, Result], grade: int, rules: Ruleset) -> Finding:
    if grade == 4:
        zero = _ask_score(worst, "ICE 0", 0.0)
        return join_all("ICE 0 because the patient cannot be aroused", [zero, _ask_arousal(worst, rules)])
    limit = rules.threshold(f"ice_{grade}")
    return _ask_score(worst, f"ICE at most {limit:g}", limit)


def _ask_arousal(worst: Mapping[str, Result], rules: Ruleset) -> Finding:
    return ask_word("cannot be aroused", worst.get("consciousness"), "consciousness", rules.thresholds, 4)


def _ask_score(worst: Mapping[str, Result], clause: str, limit: float) -> Finding:
    """Ask the score, or the sum of its items; items that are not known leave a range."""
    total = worst.get("ice_score")
    items = [worst[n] for n in ITEMS if n in worst and worst[n].is_known]
    if (total is not None and total.is_known) or not items:
        return ask_value(clause, "ice_score", total, "<=", limit)
    missing = tuple(n for n in ITEMS if n not in worst or not worst[n].is_known)
    least = sum(item.low or 0.0 for item in items)
    most = sum(item.high or 0.0 for item in items) + sum(VARIABLES[n].upper for n in missing)
    rows, note = tuple(item.row for item in items), f"ICE is between {least:g} and {most:g}" if missing else ""
    if least <= limit < most:
        return Finding(clause, Truth.UNKNOWN, rows, (), limit, missing, note, "<=", "score")
    return Finding(
        clause, Truth.of(most <= limit), rows, (most if most <= limit else least,), limit, (), note, "<=", "score"
    )
