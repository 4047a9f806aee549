"""Progressive disease in myeloma: any one clause, counted from the lowest value so far."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from livingdrug.clinical.comparison import compare, find_word, join_all, join_any
from livingdrug.clinical.myeloma_baseline import Baseline, compute_difference
from livingdrug.clinical.visits import Measured, Visit
from livingdrug.core.ruleset import Finding, Ruleset, Truth

FOLLOWED = (
    "m_protein",
    "urine_m_protein",
    "marrow_plasma_cells",
    "plasmacytoma_spd",
    "circulating_plasma_cells",
)
DIFFERENCE, REVERSED = "difference", "reversed_difference"


@dataclass(slots=True)
class Nadir:
    """The lowest value of each measure from baseline to the visit before the present one.

    With ``is_confirmed`` it is the lowest of the larger of two consecutive values.
    """

    baseline: Baseline
    is_confirmed: bool = False
    _lowest: dict[str, Measured] = field(default_factory=dict)
    _last: dict[str, Measured] = field(default_factory=dict)
    _has_pair: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._add(self.baseline.measured)

    def include(self, visit: Visit) -> None:
        """Add a visit that is over; values before those of the baseline do not count."""
        if visit.day > 0:
            self._add(visit.measured)
            return
        first = self.baseline.measured
        self._add({n: m for n, m in visit.measured.items() if n in first and m.day > first[n].day})

    def _add(self, measured: Mapping[str, Measured]) -> None:
        difference = compute_difference(measured, self.baseline.involved)
        if difference is not None and difference.value is not None:
            self._follow(DIFFERENCE, difference)
            self._follow(REVERSED, Measured(-difference.value, None, difference.row, difference.day))
        for name in FOLLOWED:
            found = measured.get(name)
            if found is not None and found.value is not None:
                self._follow(name, found)

    def _follow(self, name: str, found: Measured) -> None:
        last = self._last.get(name)
        self._last[name] = found
        value = found
        if self.is_confirmed and last is not None:
            value = found if _number(found) >= _number(last) else last
            if name not in self._has_pair:
                self._has_pair.add(name)
                self._lowest[name] = value
        if name not in self._lowest or _number(value) < _number(self._lowest[name]):
            self._lowest[name] = value

    def lowest(self, name: str) -> Measured | None:
        """Return the nadir of a measure; None where there is no value yet."""
        return self._lowest.get(name)


def _number(measured: Measured) -> float:
    return measured.value or 0.0


def find_progression(visit: Visit, baseline: Baseline, nadir: Nadir, rules: Ruleset) -> tuple[Finding, bool, bool]:
    """Return whether the disease has progressed at a visit, whether imaging shows it, and whether marrow does.

    Source
    ------
    kumar2016
    """
    asking = _Progression(visit, baseline, nadir, rules)
    imaging, marrow = asking.imaging(), asking.marrow()
    clauses = [imaging, *asking.blood()]
    if marrow is not None:
        clauses.append(marrow)
    finding = join_any("progressive disease", (clause for clause in clauses if asking.counts(clause)))
    return finding, imaging.truth == Truth.TRUE, marrow is not None and marrow.truth == Truth.TRUE


@dataclass(frozen=True, slots=True)
class _Progression:
    """The clauses of one visit."""

    visit: Visit
    baseline: Baseline
    nadir: Nadir
    rules: Ruleset

    def counts(self, finding: Finding) -> bool:
        """Whether a clause counts: what was never measured and is not followed leaves nothing open."""
        if finding.truth != Truth.UNKNOWN or finding.rows:
            return True
        return any(name in self.baseline.followed for name in finding.missing)

    def blood(self) -> Iterator[Finding]:
        """Serum and urine always; light chains and cells in blood where nothing before them was measurable."""
        yield self._serum()
        yield self._rise("urine M-protein", "urine_m_protein", "progression_urine")
        if not (self.baseline.serum or self.baseline.urine):
            yield self._light_chain()
            yield self._other_chain()
        if self.baseline.kind == "not_measurable":
            yield self._circulating()

    def marrow(self) -> Finding | None:
        """Plasma cells in marrow, where serum, urine and light chains were not measurable."""
        if self.baseline.kind not in ("marrow", "plasmacytoma", "not_measurable"):
            return None
        return self._rise("marrow plasma cells", "marrow_plasma_cells", "progression_marrow")

    def imaging(self) -> Finding:
        """Ask for new lesions and growing plasmacytomas; imaging that was not done leaves nothing open."""
        measured = self.visit.measured
        done = [
            find_word(clause, name, measured[name], "yes")
            for clause, name in (
                ("new lesion", "new_lesion"),
                ("new or progressive bone lesion", "bone_lesion_progression"),
            )
            if name in measured
        ]
        name = "plasmacytoma_spd"
        if name in measured:
            done.append(self._grown(measured[name]))
        elif self.baseline.plasmacytoma:
            done.append(Finding("plasmacytoma imaged", Truth.UNKNOWN, missing=(name,)))
        return join_any("progression on imaging", done)

    def _grown(self, now: Measured) -> Finding:
        name, percent = "plasmacytoma_spd", self.rules.thresholds["progression_lesion"]
        clause = f"plasmacytoma at least {percent.value:g} % above nadir"
        clauses = [
            compare("plasmacytoma present", [(name, now)], ">", 0.0),
            compare(clause, self._pair(name), "percent rise >=", percent),
        ]
        return join_all(clause, clauses)

    def _pair(self, name: str) -> list[tuple[str, Measured | None]]:
        return [(name, self.nadir.lowest(name)), (name, self.visit.measured.get(name))]

    def _rise(self, what: str, name: str, least: str) -> Finding:
        return self._rise_of(what, self._pair(name), least)

    def _rise_of(
        self, what: str, pair: Sequence[tuple[str, Measured | None]], least: str, comparison: str = "rise >="
    ) -> Finding:
        limit, percent = self.rules.thresholds[least], self.rules.thresholds["progression_rise"]
        words = "more than" if comparison == "rise >" else "at least"
        amount = f"{words} {limit.value:g} {limit.unit} above nadir"

        def ask() -> Iterator[Finding]:
            yield compare(f"{what} {amount}", pair, comparison, limit)
            yield compare(f"{what} at least {percent.value:g} % above nadir", pair, "percent rise >=", percent)

        return join_all(f"{what} at least {percent.value:g} % and {amount}", ask())

    def _serum(self) -> Finding:
        pair = self._pair("m_protein")
        usual = self._rise_of("serum M-protein", pair, "progression_serum")
        if usual.truth != Truth.FALSE:
            return usual
        high, least = self.rules.thresholds["progression_serum_high_nadir"], "progression_serum_high"
        limit = self.rules.thresholds[least]
        clauses = [
            compare(f"nadir of serum M-protein at least {high.value:g} {high.unit}", pair[:1], ">=", high),
            compare(f"serum M-protein at least {limit.value:g} {limit.unit} above nadir", pair, "rise >=", limit),
        ]
        clause = f"serum M-protein at least {limit.value:g} {limit.unit} above a nadir of {high.value:g} or more"
        return join_any(usual.clause, [usual, join_all(clause, clauses)])

    def _light_chain(self) -> Finding:
        involved = self.baseline.involved
        name = "free light chains" if involved is None else f"flc_{involved}"
        now = compute_difference(self.visit.measured, involved)
        pair = [(name, self.nadir.lowest(DIFFERENCE)), (name, now)]
        return self._rise_of("light chain difference", pair, "progression_flc", "rise >")

    def _other_chain(self) -> Finding:
        """Ask whether the other chain rose as far as would be progression: then a change of the clone is open."""
        now = compute_difference(self.visit.measured, self.baseline.involved)
        clause = "change to the other light chain"
        if now is None or now.value is None or now.value >= 0:
            return Finding(clause, Truth.FALSE)
        name = "change of the light chain"
        reversed_now = Measured(-now.value, None, now.row, now.day)
        pair = [(name, self.nadir.lowest(REVERSED)), (name, reversed_now)]
        rise = self._rise_of("the other light chain's difference", pair, "progression_flc", "rise >")
        if rise.truth != Truth.TRUE:
            return Finding(clause, Truth.FALSE, rise.rows)
        note = "the other light chain exceeds the involved one: judge whether the clone has changed"
        return Finding(clause, Truth.UNKNOWN, rise.rows, (now.value,), missing=(name,), note=note)

    def _circulating(self) -> Finding:
        name = "circulating_plasma_cells"
        percent = self.rules.thresholds["progression_circulating"]
        least = self.rules.thresholds["progression_circulating_level"]
        clause = f"circulating plasma cells at least {percent.value:g} % above nadir and {least.value:g} {least.unit}"
        clauses = [
            compare("circulating plasma cells at least 200/uL", [(name, self.visit.measured.get(name))], ">=", least),
            compare("circulating plasma cells risen", self._pair(name), "percent rise >=", percent),
        ]
        return join_all(clause, clauses)
