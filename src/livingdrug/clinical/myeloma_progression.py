"""Progressive disease in myeloma: any one clause, counted from the lowest value so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from livingdrug.clinical.comparison import find, find_word, is_above, is_at_least, join_any
from livingdrug.clinical.myeloma_baseline import Baseline, compute_difference
from livingdrug.clinical.visits import Measured, Visit
from livingdrug.core.ruleset import Finding, Ruleset, Truth

FOLLOWED = (
    "m_protein",
    "urine_m_protein",
    "difference",
    "marrow_plasma_cells",
    "plasmacytoma_spd",
    "circulating_plasma_cells",
)


@dataclass(slots=True)
class Nadir:
    """The lowest value of each measure from baseline to the visit before the present one.

    With ``is_confirmed`` it is the lowest of the larger of two consecutive values.
    """

    baseline: Baseline
    is_confirmed: bool = False
    history: dict[str, list[Measured]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._add(self.baseline.measured)

    def include(self, visit: Visit) -> None:
        """Add a visit that is over."""
        self._add(visit.measured)

    def _add(self, measured: Mapping[str, Measured]) -> None:
        values = dict(measured)
        difference = compute_difference(values, self.baseline.involved)
        if difference is not None:
            values["difference"] = difference
        for name in FOLLOWED:
            found = values.get(name)
            if found is not None and found.value is not None:
                self.history.setdefault(name, []).append(found)

    def lowest(self, name: str) -> Measured | None:
        """Return the nadir of a measure; None where there is no value yet."""
        values = self.history.get(name, [])
        if self.is_confirmed and len(values) > 1:
            values = [max(pair, key=lambda m: m.value or 0.0) for pair in pairwise(values)]
        return min(values, key=lambda m: m.value or 0.0) if values else None


def find_progression(visit: Visit, baseline: Baseline, nadir: Nadir, rules: Ruleset) -> tuple[Finding, bool]:
    """Return whether the disease has progressed at a visit, and whether imaging shows it.

    Source
    ------
    kumar2016
    """
    imaging = _find_imaging(visit, baseline, nadir, rules)
    clauses = [_find_serum(visit, nadir, rules), _find_urine(visit, nadir, rules)]
    if not (baseline.serum or baseline.urine):
        clauses.append(_find_light_chain(visit, baseline, nadir, rules))
    if baseline.kind in {"marrow", "plasmacytoma", "not_measurable"}:
        clauses.append(_find_marrow(visit, nadir, rules))
    if baseline.kind == "not_measurable":
        clauses.append(_find_circulating(visit, nadir, rules))
    asked = [c for c in clauses if _counts(c, baseline)]
    return join_any("progressive disease", [*asked, imaging]), imaging.truth == Truth.TRUE


def _counts(finding: Finding, baseline: Baseline) -> bool:
    """Whether a clause counts: one about what was never measured and is not followed leaves nothing open."""
    return finding.truth != Truth.UNKNOWN or any(name in baseline.followed for name in finding.missing)


def _rises(values: list[float], percent: float) -> bool:
    low, now = values
    return low <= 0 or is_at_least(100.0 * (now - low) / low, percent)


def _find_serum(visit: Visit, nadir: Nadir, rules: Ruleset) -> Finding:
    percent, least = rules.threshold("progression_rise"), rules.threshold("progression_serum")
    high, high_least = rules.threshold("progression_serum_high_nadir"), rules.threshold("progression_serum_high")

    def test(values: list[float]) -> bool:
        rise = values[1] - values[0]
        is_usual = _rises(values, percent) and is_at_least(rise, least)
        return is_usual or (is_at_least(values[0], high) and is_at_least(rise, high_least))

    pair = [("m_protein", nadir.lowest("m_protein")), ("m_protein", visit.measured.get("m_protein"))]
    return find("serum M-protein at least 25 % and 0.5 g/dL above nadir", pair, test, least)


def _find_urine(visit: Visit, nadir: Nadir, rules: Ruleset) -> Finding:
    percent, least = rules.threshold("progression_rise"), rules.threshold("progression_urine")
    name = "urine_m_protein"
    pair = [(name, nadir.lowest(name)), (name, visit.measured.get(name))]
    clause = "urine M-protein at least 25 % and 200 mg/24 h above nadir"
    return find(clause, pair, lambda v: _rises(v, percent) and is_at_least(v[1] - v[0], least), least)


def _find_light_chain(visit: Visit, baseline: Baseline, nadir: Nadir, rules: Ruleset) -> Finding:
    percent, least = rules.threshold("progression_rise"), rules.threshold("progression_flc")
    now = compute_difference(visit.measured, baseline.involved)
    name = f"flc_{baseline.involved}"
    clause = "light chain difference at least 25 % and more than 100 mg/L above nadir"
    pair = [(name, nadir.lowest("difference")), (name, now)]
    return find(clause, pair, lambda v: _rises(v, percent) and is_above(v[1] - v[0], least), least)


def _find_marrow(visit: Visit, nadir: Nadir, rules: Ruleset) -> Finding:
    percent, least = rules.threshold("progression_rise"), rules.threshold("progression_marrow")
    name = "marrow_plasma_cells"
    pair = [(name, nadir.lowest(name)), (name, visit.measured.get(name))]
    clause = "marrow plasma cells at least 25 % and 10 points above nadir"
    return find(clause, pair, lambda v: _rises(v, percent) and is_at_least(v[1] - v[0], least), least)


def _find_circulating(visit: Visit, nadir: Nadir, rules: Ruleset) -> Finding:
    percent, least = rules.threshold("progression_circulating"), rules.threshold("progression_circulating_level")
    name = "circulating_plasma_cells"
    pair = [(name, nadir.lowest(name)), (name, visit.measured.get(name))]
    clause = "circulating plasma cells at least 50 % above nadir and 200 per uL"
    return find(clause, pair, lambda v: _rises(v, percent) and is_at_least(v[1], least), least)


def _find_imaging(visit: Visit, baseline: Baseline, nadir: Nadir, rules: Ruleset) -> Finding:
    """Ask for new lesions and growing plasmacytomas; imaging that was not done leaves nothing open."""
    clauses = [
        find_word("new lesion", "new_lesion", visit.measured.get("new_lesion"), "yes"),
        find_word(
            "new or progressive bone lesion",
            "bone_lesion_progression",
            visit.measured.get("bone_lesion_progression"),
            "yes",
        ),
    ]
    percent, name = rules.threshold("progression_lesion"), "plasmacytoma_spd"
    now = visit.measured.get(name)
    if now is not None and now.day == visit.day:
        pair = [(name, nadir.lowest(name)), (name, now)]
        clauses.append(find("plasmacytoma at least 50 % above nadir", pair, lambda v: v[1] > 0 and _rises(v, percent)))
    done = [c for c in clauses if c.truth != Truth.UNKNOWN or c.rows]
    if not done:
        missing = (name,) if baseline.plasmacytoma else ()
        return Finding("progression on imaging", Truth.FALSE if not missing else Truth.UNKNOWN, missing=missing)
    return join_any("progression on imaging", done)
