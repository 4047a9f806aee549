"""Clauses of remission and relapse of acute lymphoblastic leukaemia on one day. Source: brown2021."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from livingdrug.clinical.comparison import compare, join_all, join_any
from livingdrug.clinical.daily import Result, ask_value, ask_yes
from livingdrug.clinical.visits import Measured
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

CR, CRH, CRI, MLFS, PR, NR, REL, NE = "CR", "CRh", "CRi", "MLFS", "PR", "NR", "REL", "NE"
ORDER = (CR, CRH, CRI, MLFS, PR, NR, REL)
REMISSIONS = (CR, CRH, CRI)
MARROW, BLOOD, ELSEWHERE = "marrow_blasts", "blood_blasts", "extramedullary_disease"
Chosen = Mapping[str, OptionValue]
Found = Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class History:
    """What came before a day: blasts at baseline, disease outside the marrow, remission."""

    baseline: Result | None = None
    was_elsewhere: bool = False
    was_remission: bool = False
    was_leukaemia_free: bool = False

    def include(self, category: str, elsewhere: Result | None) -> "History":
        """Return the history with one more day; after relapse there must be a new remission."""
        seen = self.was_elsewhere or (elsewhere is not None and elsewhere.word != "absent")
        if category == REL:
            return replace(self, was_elsewhere=seen, was_remission=False, was_leukaemia_free=False)
        return replace(
            self,
            was_elsewhere=seen,
            was_remission=self.was_remission or category in REMISSIONS,
            was_leukaemia_free=self.was_leukaemia_free or category == MLFS,
        )


def find_levels(found: Found, history: History, rules: Ruleset, chosen: Chosen) -> dict[str, Finding]:
    """Ask every level from the top: complete remission, the two lesser ones, leukaemia-free state, partial response."""
    limits = rules.thresholds
    marrow = ask_value("fewer than 5 % blasts in marrow", MARROW, found.get(MARROW), "<", limits["marrow_remission"])
    blood = find_no_blood_blasts(found, chosen)
    elsewhere = find_nothing_elsewhere(found, history, chosen)
    core = join_all("no leukaemia in marrow, blood and elsewhere", (marrow, blood, elsewhere))
    full, part = (_ask_counts(found, limits, suffix) for suffix in ("full", "partial"))
    recovered = join_any("one count recovered", full)
    incomplete = (core, recovered) if chosen["incomplete_recovery"] == "one_count" else (core,)
    unseen = _ask_no_known_blood_blasts(blood)
    return {
        CR: join_all("complete remission", (core, *full)),
        CRH: join_all("remission with partial recovery of counts", (core, *part)),
        CRI: join_all("remission with incomplete counts", incomplete),
        MLFS: join_all("leukaemia-free state", (marrow, elsewhere, unseen)),
        PR: _find_partial(found, history, rules),
    }


def find_no_blood_blasts(found: Found, chosen: Chosen) -> Finding:
    """Ask whether blood is free of blasts."""
    clause = "no blasts in blood"
    if BLOOD not in found and chosen["circulating_blasts"] == "recorded_when_found":
        return Finding(clause, Truth.TRUE, note="none were recorded")
    limit = Value(float(chosen["circulating_blasts_above"]), "%", "design", "option", "assumed")
    return ask_value(clause, BLOOD, found.get(BLOOD), "<=", limit)


def _ask_no_known_blood_blasts(blood: Finding) -> Finding:
    """Ask whether blasts in blood were seen; what is not known was not."""
    clause = "no blasts seen in blood"
    if blood.truth == Truth.UNKNOWN:
        return Finding(clause, Truth.TRUE, note="a leukaemia-free state does not ask for blood")
    return replace(blood, clause=clause)


def find_nothing_elsewhere(found: Found, history: History, chosen: Chosen) -> Finding:
    """Ask whether there is no leukaemia outside marrow and blood; asked where it was seen before, or always."""
    clause = "no disease outside marrow and blood"
    is_asked = history.was_elsewhere or ELSEWHERE in found or chosen["extramedullary"] == "always"
    if not is_asked:
        return Finding(clause, Truth.TRUE, note="none was ever recorded")
    return ask_yes(clause, found.get(ELSEWHERE), ELSEWHERE, "absent")


def _ask_counts(found: Found, limits: Mapping[str, Value], suffix: str) -> tuple[Finding, Finding]:
    neutrophils, platelets = limits[f"neutrophils_{suffix}"], limits[f"platelets_{suffix}"]
    return (
        ask_value(
            f"neutrophils above {neutrophils.value:g}", "neutrophils", found.get("neutrophils"), ">", neutrophils
        ),
        ask_value(f"platelets above {platelets.value:g}", "platelets", found.get("platelets"), ">", platelets),
    )


def _find_partial(found: Found, history: History, rules: Ruleset) -> Finding:
    limits = rules.thresholds
    now, most, fall = found.get(MARROW), limits["partial_most"], limits["partial_fall"]
    before = (f"{MARROW} at baseline", _measure(history.baseline))
    return join_all(
        "partial response",
        (
            ask_value("at least 5 % blasts in marrow", MARROW, now, ">=", limits["marrow_remission"]),
            ask_value(f"at most {most.value:g} % blasts in marrow", MARROW, now, "<=", most),
            compare(f"down at least {fall.value:g} %", [before, (MARROW, _measure(now))], "percent fall >=", fall),
        ),
    )


def _measure(found: Result | None) -> Measured | None:
    if found is None:
        return None
    exact = found.low if found.low == found.high else None
    return Measured(exact, None, found.row, found.day)


def find_relapse(found: Found, history: History, rules: Ruleset, chosen: Chosen) -> Finding:
    """Ask whether leukaemia is back, in marrow, blood or elsewhere, after a remission."""
    clause = "relapse"
    is_free = history.was_leukaemia_free and chosen["relapse_after"] == "leukaemia_free"
    if not (history.was_remission or is_free):
        return Finding(clause, Truth.FALSE, note="no remission before")
    name = "marrow_relapse_older" if chosen["relapse_marrow"] == "25_percent" else "marrow_remission"
    limit = rules.thresholds[name]
    above = Value(float(chosen["circulating_blasts_above"]), "%", "design", "option", "assumed")
    asked = [ask_value(f"at least {limit.value:g} % blasts in marrow", MARROW, found.get(MARROW), ">=", limit)]
    if BLOOD in found:
        asked.append(ask_value("blasts in blood", BLOOD, found.get(BLOOD), ">", above))
    if ELSEWHERE in found:
        asked.append(ask_yes("disease outside marrow and blood", found.get(ELSEWHERE), ELSEWHERE, "present"))
    return join_any(clause, asked)
