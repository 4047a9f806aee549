"""Response levels in myeloma: one clause a level, counted from baseline."""

from collections.abc import Iterator
from dataclasses import dataclass

from livingdrug.clinical.comparison import compare, find_word, join_all, join_any
from livingdrug.clinical.myeloma_baseline import Baseline, compare_ratio, compute_difference
from livingdrug.clinical.visits import Measured, Visit
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, Ruleset, Truth

NOT_DEFINED = "not defined for this type of disease"
VERY_GOOD = "very good partial response"
MEASURABLE = "measurable disease at baseline"


def find_levels(
    visit: Visit, baseline: Baseline, rules: Ruleset, urine_policy: str, minimal_plasmacytoma: str = "2016"
) -> Iterator[tuple[Response, Finding]]:
    """Yield the clause of each level at a visit, best level first.

    Parameters
    ----------
    urine_policy : ``strict``, ``if_measurable`` or ``serum_only``
        Whether the urine clauses of complete and very good partial response apply to everybody, to
        those whose urine was measurable, or to nobody.
    minimal_plasmacytoma : ``2016`` or ``2011``
        How far a plasmacytoma must shrink for a minimal response.

    Source
    ------
    kumar2016
    """
    levels = _Levels(visit, baseline, rules, urine_policy, minimal_plasmacytoma)
    complete = levels.complete()
    yield Response.SCR, levels.stringent(complete)
    yield Response.CR, complete
    yield Response.VGPR, levels.very_good()
    yield Response.PR, levels.partial()
    yield Response.MR, levels.minimal()


@dataclass(frozen=True, slots=True)
class _Levels:
    """The clauses of one visit."""

    visit: Visit
    baseline: Baseline
    rules: Ruleset
    urine_policy: str
    minimal_plasmacytoma: str

    @property
    def counts_serum(self) -> bool:
        return self.baseline.serum

    @property
    def counts_urine(self) -> bool:
        """Whether the fall of urine M-protein is asked for."""
        return self.baseline.urine and self.urine_policy != "serum_only"

    @property
    def needs_urine(self) -> bool:
        """Whether urine must be known for a very good or complete response."""
        return self.counts_urine or self.urine_policy == "strict"

    def stringent(self, complete: Finding) -> Finding:
        """Complete response, normal light chain ratio, no clonal plasma cells."""

        def ask() -> Iterator[Finding]:
            yield complete
            yield self.normal_ratio()
            yield self._word("no clonal plasma cells", "marrow_clonal_plasma_cells", "absent")

        return join_all("stringent complete response", ask())

    def complete(self) -> Finding:
        """Immunofixation negative, no plasmacytoma, marrow below 5 %; in light chain disease a normal ratio."""

        def ask() -> Iterator[Finding]:
            if not self.baseline.has_disease:
                yield Finding("disease at baseline", Truth.UNKNOWN, missing=(MEASURABLE,))
            yield self._word("serum immunofixation negative", "serum_immunofixation", "negative")
            if self.needs_urine:
                yield self._word("urine immunofixation negative", "urine_immunofixation", "negative")
            if self.baseline.plasmacytoma or self.visit.find("plasmacytoma_spd") is not None:
                yield self._now("plasmacytomas gone", "plasmacytoma_spd", "<=", 0.0)
            yield self._below("marrow plasma cells", "marrow_plasma_cells", "complete_marrow")
            if self.baseline.kind == "light_chain":
                yield self.normal_ratio()

        return join_all("complete response", ask())

    def normal_ratio(self) -> Finding:
        """Kappa/lambda within the normal range, both ends included."""
        clause = "kappa/lambda ratio normal"
        pair = [(name, self.visit.measured.get(name)) for name in ("flc_kappa", "flc_lambda")]
        side = compare_ratio(pair[0][1], pair[1][1], self.rules)
        values = tuple(m.value for _, m in pair if m is not None and m.value is not None)
        rows = tuple(m.row for _, m in pair if m is not None)
        if side is None:
            missing = tuple(n for n, m in pair if m is None or m.value is None) or tuple(n for n, _ in pair)
            return Finding(clause, Truth.UNKNOWN, rows, values, None, missing, "ratio was not known", "is normal")
        note = f"ratio was {side}"
        return Finding(clause, Truth.of(side == "normal"), rows, values, None, (), note, "is normal")

    def very_good(self) -> Finding:
        """M-protein down by 90 % and urine below 100 mg/24 h; or light chain difference down by 90 %."""
        clause, kind = VERY_GOOD, self.baseline.kind
        if kind in ("marrow", "plasmacytoma"):
            return Finding(clause, Truth.FALSE, note=NOT_DEFINED)

        def ask() -> Iterator[Finding]:
            if kind == "serum_urine":
                if self.counts_serum:
                    yield self._fall("serum M-protein", "m_protein", "very_good_serum")
                if self.needs_urine and (self.counts_serum or self.counts_urine):
                    yield self._urine_very_good()
            elif kind == "light_chain":
                yield self._difference_fall("very_good_flc")

        return self._level(clause, ask(), "partial_plasmacytoma")

    def partial(self) -> Finding:
        """M-protein down by 50 % and urine by 90 % or below 200 mg/24 h; other diseases by 50 %."""
        kind = self.baseline.kind

        def ask() -> Iterator[Finding]:
            if kind == "serum_urine":
                if self.counts_serum:
                    yield self._fall("serum M-protein", "m_protein", "partial_serum")
                if self.counts_urine:
                    yield self._urine_partial()
            elif kind == "light_chain":
                yield self._difference_fall("partial_flc")
            elif kind == "marrow":
                yield self._fall("marrow plasma cells", "marrow_plasma_cells", "partial_marrow")

        return self._level("partial response", ask(), "partial_plasmacytoma")

    def minimal(self) -> Finding:
        """M-protein down by 25 % and urine by 50 %; defined for serum and urine disease only."""
        clause, kind = "minimal response", self.baseline.kind
        if kind in ("light_chain", "marrow", "plasmacytoma"):
            return Finding(clause, Truth.FALSE, note=NOT_DEFINED)

        def ask() -> Iterator[Finding]:
            if self.counts_serum:
                yield self._fall("serum M-protein", "m_protein", "minimal_serum")
            if self.counts_urine:
                yield self._fall("urine M-protein", "urine_m_protein", "minimal_urine")

        return self._level(clause, ask(), f"minimal_plasmacytoma_{self.minimal_plasmacytoma}")

    def _level(self, clause: str, clauses: Iterator[Finding], plasmacytoma: str) -> Finding:
        """Join the clauses of a level; plasmacytomas must have shrunk; a level without any clause is unknown."""
        first = next(clauses, None)
        is_alone = first is None and self.baseline.kind == "plasmacytoma"
        if first is None and not is_alone:
            return Finding(clause, Truth.UNKNOWN, missing=(MEASURABLE,))

        def ask() -> Iterator[Finding]:
            if first is not None:
                yield first
                yield from clauses
            if self.baseline.plasmacytoma:
                yield self._fall("plasmacytomas", "plasmacytoma_spd", plasmacytoma)

        return join_all(clause, ask())

    def _urine_very_good(self) -> Finding:
        below = self._below("urine M-protein", "urine_m_protein", "very_good_urine")
        negative = self._word("urine immunofixation negative", "urine_immunofixation", "negative")
        return below if negative.truth != Truth.TRUE else join_any(below.clause, [below, negative])

    def _urine_partial(self) -> Finding:
        fall = self._fall("urine M-protein", "urine_m_protein", "partial_urine")
        below = self._below("urine M-protein", "urine_m_protein", "partial_urine_level")
        return join_any(f"{fall.clause}, or below {below.threshold:g} {below.unit}", [fall, below])

    def _word(self, clause: str, name: str, expected: str) -> Finding:
        return find_word(clause, name, self.visit.find(name), expected)

    def _now(self, clause: str, name: str, comparison: str, threshold: float) -> Finding:
        return compare(clause, [(name, self.visit.find(name))], comparison, threshold)

    def _below(self, what: str, name: str, threshold: str) -> Finding:
        limit = self.rules.thresholds[threshold]
        return compare(f"{what} below {limit.value:g} {limit.unit}", [(name, self.visit.find(name))], "<", limit)

    def _fall(self, what: str, name: str, threshold: str) -> Finding:
        pair = [(name, self.baseline.measured.get(name)), (name, self.visit.find(name))]
        return self._fall_of(what, pair, threshold)

    def _fall_of(self, what: str, pair: list[tuple[str, Measured | None]], threshold: str) -> Finding:
        percent = self.rules.thresholds[threshold]
        return compare(f"{what} down at least {percent.value:g} %", pair, "percent fall >=", percent)

    def _difference_fall(self, threshold: str) -> Finding:
        involved = self.baseline.involved
        name = f"flc_{involved}"
        before = compute_difference(self.baseline.measured, involved)
        now = compute_difference(self.visit.measured, involved)
        if now is not None and now.value is not None and self._has_changed_chain():
            note = "the other light chain has become measurable: a change of the clone cannot be excluded"
            return Finding("light chain difference", Truth.UNKNOWN, (now.row,), (now.value,), None, (name,), note)
        return self._fall_of("light chain difference", [(name, before), (name, now)], threshold)

    def _has_changed_chain(self) -> bool:
        """Whether the uninvolved chain alone would be measurable disease now."""
        kappa, chain_lambda = (self.visit.measured.get(f"flc_{chain}") for chain in ("kappa", "lambda"))
        other, abnormal = (chain_lambda, "low") if self.baseline.involved == "kappa" else (kappa, "high")
        if other is None or compare_ratio(kappa, chain_lambda, self.rules) != abnormal:
            return False
        return compare("other chain", [("other", other)], ">=", self.rules.thresholds["measurable_flc"]).truth == (
            Truth.TRUE
        )
