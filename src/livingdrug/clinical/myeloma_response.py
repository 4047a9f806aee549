"""Response levels in myeloma: one clause a level, counted from baseline."""

from collections.abc import Sequence

from livingdrug.clinical.comparison import (
    compute_fall,
    find,
    find_word,
    is_above,
    is_at_least,
    join_all,
    join_any,
)
from livingdrug.clinical.myeloma_baseline import Baseline, compute_difference
from livingdrug.clinical.visits import Measured, Visit
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, Ruleset, Truth

NOT_DEFINED = "not defined for this type of disease"


def find_levels(visit: Visit, baseline: Baseline, rules: Ruleset, urine_policy: str) -> list[tuple[Response, Finding]]:
    """Return the clause of each level at a visit, best level first.

    Parameters
    ----------
    urine_policy : ``strict``, ``if_measurable`` or ``serum_only``
        Whether the urine clauses of complete and very good partial response apply to everybody, to
        those whose urine was measurable, or to nobody.

    Source
    ------
    kumar2016
    """
    levels = _Levels(visit, baseline, rules, urine_policy)
    complete = levels.complete()
    stringent = join_all("stringent complete response", [complete, levels.normal_ratio(), levels.no_clone()])
    return [
        (Response.SCR, stringent),
        (Response.CR, complete),
        (Response.VGPR, levels.very_good()),
        (Response.PR, levels.partial()),
        (Response.MR, levels.minimal()),
    ]


class _Levels:
    """The clauses of one visit."""

    __slots__ = ("_baseline", "_rules", "_urine_policy", "_visit")

    def __init__(self, visit: Visit, baseline: Baseline, rules: Ruleset, urine_policy: str) -> None:
        self._visit, self._baseline, self._rules, self._urine_policy = visit, baseline, rules, urine_policy

    def _now(self, name: str) -> Measured | None:
        return self._visit.measured.get(name)

    def _asks_urine(self) -> bool:
        return self._urine_policy == "strict" or (self._urine_policy == "if_measurable" and self._baseline.urine)

    def _fall(self, clause: str, name: str, percent: float) -> Finding:
        pair = [(name, self._baseline.measured.get(name)), (name, self._now(name))]

        def test(values: list[float]) -> bool | None:
            fall = compute_fall(*values)
            return None if fall is None else is_at_least(fall, percent)

        return find(clause, pair, test, percent)

    def complete(self) -> Finding:
        """Immunofixation negative, no plasmacytoma, marrow below 5 %; in light chain disease a normal ratio."""
        clauses = [
            find_word(
                "serum immunofixation negative", "serum_immunofixation", self._now("serum_immunofixation"), "negative"
            )
        ]
        if self._asks_urine():
            fixation = self._now("urine_immunofixation")
            clauses.append(find_word("urine immunofixation negative", "urine_immunofixation", fixation, "negative"))
        least = self._rules.threshold("complete_marrow")
        marrow = [("marrow_plasma_cells", self._now("marrow_plasma_cells"))]
        clauses.append(find("marrow plasma cells below 5 %", marrow, lambda v: is_above(least, v[0]), least))
        clauses.extend(self._no_plasmacytoma())
        if self._baseline.kind == "light_chain":
            clauses.append(self.normal_ratio())
        return join_all("complete response", clauses)

    def _no_plasmacytoma(self) -> list[Finding]:
        name = "plasmacytoma_spd"
        now = self._now(name)
        if not self._baseline.plasmacytoma and now is None:
            return []
        return [find("plasmacytomas gone", [(name, now)], lambda v: v[0] == 0)]

    def normal_ratio(self) -> Finding:
        """Kappa/lambda between 0.26 and 1.65, both included."""
        low, high = self._rules.threshold("ratio_low"), self._rules.threshold("ratio_high")
        pair = [(name, self._now(name)) for name in ("flc_kappa", "flc_lambda")]

        def test(values: list[float]) -> bool | None:
            if values[1] == 0:
                return None if values[0] == 0 else False
            ratio = values[0] / values[1]
            return is_at_least(ratio, low) and is_at_least(high, ratio)

        return find("kappa/lambda ratio normal", pair, test, high)

    def no_clone(self) -> Finding:
        """No clonal plasma cells in the marrow."""
        name = "marrow_clonal_plasma_cells"
        return find_word("no clonal plasma cells", name, self._now(name), "absent")

    def very_good(self) -> Finding:
        """M-protein down by 90 % and urine below 100 mg/24 h; or light chain difference down by 90 %."""
        percent = self._rules.threshold("very_good_serum")
        kind = self._baseline.kind
        if kind == "light_chain":
            return self._with_plasmacytoma("very good partial response", [self._difference_fall(percent)])
        if kind != "serum_urine":
            return Finding("very good partial response", Truth.FALSE, note=NOT_DEFINED)
        clauses = (
            [self._fall("serum M-protein down at least 90 %", "m_protein", percent)] if self._baseline.serum else []
        )
        if self._asks_urine() or self._baseline.urine:
            clauses.append(self._urine_below("very_good_urine", "urine M-protein below 100 mg/24 h"))
        return self._with_plasmacytoma("very good partial response", clauses)

    def partial(self) -> Finding:
        """M-protein down by 50 % and urine by 90 % or below 200 mg/24 h; other diseases by 50 %."""
        percent = self._rules.threshold("partial_serum")
        kind = self._baseline.kind
        clauses = []
        if kind == "serum_urine":
            if self._baseline.serum:
                clauses.append(self._fall("serum M-protein down at least 50 %", "m_protein", percent))
            if self._counts_urine():
                fall = self._fall(
                    "urine M-protein down at least 90 %", "urine_m_protein", self._rules.threshold("partial_urine")
                )
                below = self._urine_below("partial_urine_level", "urine M-protein below 200 mg/24 h")
                clauses.append(join_any("urine M-protein down at least 90 % or below 200 mg/24 h", [fall, below]))
        elif kind == "light_chain":
            clauses.append(self._difference_fall(percent))
        elif kind == "marrow":
            clauses.append(self._fall("marrow plasma cells down at least 50 %", "marrow_plasma_cells", percent))
        elif kind == "not_measurable":
            return Finding("partial response", Truth.UNKNOWN, missing=("measurable disease at baseline",))
        return self._with_plasmacytoma("partial response", clauses)

    def minimal(self) -> Finding:
        """M-protein down by 25 % and urine by 50 %; defined for serum and urine disease only."""
        if self._baseline.kind == "not_measurable":
            return Finding("minimal response", Truth.UNKNOWN, missing=("measurable disease at baseline",))
        if self._baseline.kind != "serum_urine":
            return Finding("minimal response", Truth.FALSE, note=NOT_DEFINED)
        clauses = []
        if self._baseline.serum:
            percent = self._rules.threshold("minimal_serum")
            clauses.append(self._fall("serum M-protein down at least 25 %", "m_protein", percent))
        if self._counts_urine():
            percent = self._rules.threshold("minimal_urine")
            clauses.append(self._fall("urine M-protein down at least 50 %", "urine_m_protein", percent))
        return self._with_plasmacytoma("minimal response", clauses)

    def _counts_urine(self) -> bool:
        return self._baseline.urine and self._urine_policy != "serum_only"

    def _urine_below(self, threshold: str, clause: str) -> Finding:
        least = self._rules.threshold(threshold)
        urine = [("urine_m_protein", self._now("urine_m_protein"))]
        return find(clause, urine, lambda v: is_above(least, v[0]), least)

    def _difference_fall(self, percent: float) -> Finding:
        involved = self._baseline.involved
        name = f"flc_{involved}"
        before = compute_difference(self._baseline.measured, involved)
        now = compute_difference(self._visit.measured, involved)
        clause = f"light chain difference down at least {percent:g} %"
        if now is not None and now.value is not None and now.value < 0 and self.normal_ratio().truth != Truth.TRUE:
            note = "the other light chain exceeds the involved one: a change of the clone cannot be excluded"
            return Finding(clause, Truth.UNKNOWN, (now.row,), (now.value,), percent, (name,), note)

        def test(values: list[float]) -> bool | None:
            fall = compute_fall(*values)
            return None if fall is None else is_at_least(fall, percent)

        return find(clause, [(name, before), (name, now)], test, percent)

    def _with_plasmacytoma(self, clause: str, clauses: Sequence[Finding]) -> Finding:
        """Join the clauses of a level; with a plasmacytoma at baseline it must have shrunk by half."""
        asked = list(clauses)
        if self._baseline.plasmacytoma:
            percent = self._rules.threshold("partial_serum")
            asked.append(self._fall("plasmacytomas down at least 50 %", "plasmacytoma_spd", percent))
        return join_all(clause, asked)
