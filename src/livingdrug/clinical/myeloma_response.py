"""Response levels in myeloma: one clause a level, counted from baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livingdrug.clinical.myeloma_baseline import (
    HIGH,
    KAPPA,
    LAMBDA,
    LIGHT_CHAIN,
    LOW,
    MARROW,
    NORMAL,
    OPEN,
    PLASMACYTOMA,
    SIDES,
    Baseline,
    find_side,
    subtract_chains,
    take_baseline,
)
from livingdrug.clinical.myeloma_clauses import (
    FALSE,
    MEASURABLE,
    TRUE,
    UNKNOWN,
    Clause,
    Measure,
    ask_all,
    ask_any,
    ask_number,
    ask_word,
    deny,
    leave_open,
    mark,
    take_numbers,
    take_words,
)
from livingdrug.clinical.panel import Bools, Column, Ints, Panel
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import OptionValue, Ruleset

NOT_DEFINED = "not defined for this type of disease"
VERY_GOOD = "very good partial response"
STANDING = ("marrow_plasma_cells", "marrow_clonal_plasma_cells", "plasmacytoma_spd")
"""Marrow and imaging need no repeat: a result stands for the response at later visits, within a limit."""


def find_levels(
    panel: Panel, baseline: Baseline, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[tuple[Response, Clause], ...]:
    """Return the clause of each level, best level first.

    Parameters
    ----------
    chosen : mapping
        ``urine_policy``, ``minimal_plasmacytoma``, ``marrow_carry_days`` and ``marrow_very_good`` are looked at.

    Source
    ------
    kumar2016
    """
    days = float(chosen["marrow_carry_days"])
    standing = {name: carry(panel, name, days) for name in STANDING if name in panel.columns}
    levels = _Levels(panel, baseline, rules, chosen, standing)
    complete = levels.complete()
    return (
        (Response.SCR, levels.stringent(complete)),
        (Response.CR, complete),
        (Response.VGPR, levels.very_good()),
        (Response.PR, levels.partial()),
        (Response.MR, levels.minimal()),
    )


def carry(panel: Panel, name: str, days: float) -> Column:
    """Return the last result after day 0 at each visit, as long as it stands."""
    column = panel.columns[name]
    counts = column.is_measured & (panel.day > 0)
    index = np.maximum.accumulate(np.where(counts, np.arange(len(panel.day))[:, None], -1), axis=0)
    place = np.maximum(index, 0)
    with np.errstate(invalid="ignore"):
        is_recent = panel.day - np.take_along_axis(column.day, place, axis=0) <= days
    return column.pick(place, (index >= 0) & is_recent)


@dataclass(frozen=True, slots=True)
class _Levels:
    panel: Panel
    baseline: Baseline
    rules: Ruleset
    chosen: Mapping[str, OptionValue]
    standing: Mapping[str, Column]

    @property
    def counts_serum(self) -> Bools:
        return self.baseline.serum

    @property
    def counts_urine(self) -> Bools:
        """Whose fall of urine M-protein is asked for."""
        return self.baseline.urine & (self.chosen["urine_policy"] != "serum_only")

    @property
    def needs_urine(self) -> Bools:
        """Whose urine must be known for a very good or complete response."""
        return self.counts_urine | (self.chosen["urine_policy"] == "strict")

    def _is(self, *kinds: int) -> Bools:
        return np.isin(self.baseline.kind, kinds)

    def stringent(self, complete: Clause) -> Clause:
        """Complete response, normal light chain ratio, no clonal plasma cells."""
        clonal = self._word("no clonal plasma cells", "marrow_clonal_plasma_cells", "absent")
        return ask_all("stringent complete response", [complete, self.normal_ratio(), clonal])

    def complete(self) -> Clause:
        """Immunofixation negative, no plasmacytoma, marrow below 5 %; in light chain disease a normal ratio."""
        spd = self._find("plasmacytoma_spd")
        gone = ask_number("plasmacytomas gone", [self._standing("plasmacytoma_spd", spd)], "<=", 0.0)
        urine = self._word("urine immunofixation negative", "urine_immunofixation", "negative")
        parts = [
            leave_open("disease at baseline", mark(MEASURABLE)).only(~self.baseline.has_disease),
            self._word("serum immunofixation negative", "serum_immunofixation", "negative"),
            urine.only(self.needs_urine),
            gone.only(self.baseline.plasmacytoma | spd.is_measured),
            self._below("marrow plasma cells", "marrow_plasma_cells", "complete_marrow"),
            self.normal_ratio().only(self._is(LIGHT_CHAIN)),
        ]
        return ask_all("complete response", parts)

    def normal_ratio(self) -> Clause:
        """Kappa/lambda within the normal range, both ends included."""
        chains = self.panel.chains
        marks = [mark("flc_kappa"), mark("flc_lambda")]
        side = find_side(*chains, self.rules)
        truth = np.select([side == OPEN, side == NORMAL], [UNKNOWN, TRUE], FALSE)
        lacks = [np.where(np.isnan(chain.value), own, 0) for chain, own in zip(chains, marks, strict=True)]
        missing = np.where(lacks[0] | lacks[1], lacks[0] | lacks[1], marks[0] | marks[1])
        measures = tuple(take_numbers(chain, own, is_now=True) for chain, own in zip(chains, marks, strict=True))
        notes = tuple(f"ratio was {side}" for side in SIDES)
        text = "kappa/lambda ratio normal"
        return Clause(text, truth, measures, None, "is normal", None, "", missing, notes, side)

    def very_good(self) -> Clause:
        """M-protein down by 90 % and urine below 100 mg/24 h; or light chain difference down by 90 %."""
        with_marrow = self.chosen["marrow_very_good"] == "percent"
        undefined = self._is(PLASMACYTOMA) if with_marrow else self._is(MARROW, PLASMACYTOMA)
        parts = [
            self._fall("serum M-protein", "m_protein", "very_good_serum").only(self.counts_serum),
            self._urine_very_good().only(self.needs_urine & (self.counts_serum | self.counts_urine)),
            *self._difference_fall("very_good_flc"),
        ]
        if with_marrow:
            marrow = self._fall("marrow plasma cells", "marrow_plasma_cells", "very_good_marrow")
            parts.append(marrow.only(self._is(MARROW)))
        return self._level(VERY_GOOD, parts, "partial_plasmacytoma", undefined)

    def partial(self) -> Clause:
        """M-protein down by 50 % and urine by 90 % or below 200 mg/24 h; other diseases by 50 %."""
        marrow = self._fall("marrow plasma cells", "marrow_plasma_cells", "partial_marrow")
        parts = [
            self._fall("serum M-protein", "m_protein", "partial_serum").only(self.counts_serum),
            self._urine_partial().only(self.counts_urine),
            *self._difference_fall("partial_flc"),
            marrow.only(self._is(MARROW)),
        ]
        return self._level("partial response", parts, "partial_plasmacytoma", None)

    def minimal(self) -> Clause:
        """M-protein down by 25 % and urine by 50 %; defined for serum and urine disease only."""
        parts = [
            self._fall("serum M-protein", "m_protein", "minimal_serum").only(self.counts_serum),
            self._fall("urine M-protein", "urine_m_protein", "minimal_urine").only(self.counts_urine),
        ]
        plasmacytoma = f"minimal_plasmacytoma_{self.chosen['minimal_plasmacytoma']}"
        return self._level("minimal response", parts, plasmacytoma, self._is(LIGHT_CHAIN, MARROW, PLASMACYTOMA))

    def _level(self, text: str, parts: Sequence[Clause], plasmacytoma: str, undefined: Bools | None) -> Clause:
        """Join the clauses of a level; plasmacytomas must have shrunk; a level without any clause is open."""
        own = [part.asked for part in parts if part.asked is not None]
        has_none = ~np.logical_or.reduce([asked if asked.ndim == 1 else asked.any(axis=0) for asked in own])
        is_unmeasured = has_none & ~self._is(PLASMACYTOMA)
        shrunk = self._fall("plasmacytomas", "plasmacytoma_spd", plasmacytoma)
        opening = [leave_open(MEASURABLE, mark(MEASURABLE)).only(is_unmeasured)]
        if undefined is not None:
            opening = [
                deny(text, NOT_DEFINED).only(undefined),
                leave_open(MEASURABLE, mark(MEASURABLE)).only(is_unmeasured & ~undefined),
            ]
        return ask_all(text, [*opening, *parts, shrunk.only(self.baseline.plasmacytoma)])

    def _urine_very_good(self) -> Clause:
        below = self._below("urine M-protein", "urine_m_protein", "very_good_urine")
        negative = self._word("urine immunofixation negative", "urine_immunofixation", "negative")
        return ask_any(below.text, [below, negative.only(np.asarray(negative.truth == TRUE))])

    def _urine_partial(self) -> Clause:
        fall = self._fall("urine M-protein", "urine_m_protein", "partial_urine")
        below = self._below("urine M-protein", "urine_m_protein", "partial_urine_level")
        return ask_any(f"{fall.text}, or below {below.threshold:g} {below.unit}", [fall, below])

    def _find(self, name: str) -> Column:
        """Return a result of the visit, or an earlier one that still stands."""
        return self.standing.get(name) or self.panel.get(name)

    def _word(self, text: str, name: str, expected: str) -> Clause:
        found = self._find(name)
        fresh = self.panel.get(name).is_measured & found.is_known
        return ask_word(text, take_words(name, found, fresh), expected)

    def _standing(self, name: str, found: Column) -> Measure:
        missing: Ints | int = self.baseline.serum_mark if name == "m_protein" else mark(name)
        fresh = self.panel.get(name).is_measured & ~np.isnan(found.value)
        return Measure(found.value, found.rows, missing, fresh)

    def _below(self, what: str, name: str, threshold: str) -> Clause:
        limit = self.rules.thresholds[threshold]
        measure = self._standing(name, self._find(name))
        return ask_number(f"{what} below {limit.value:g} {limit.unit}", [measure], "<", limit)

    def _fall(self, what: str, name: str, threshold: str) -> Clause:
        now = self._standing(name, self._find(name))
        return self._fall_of(what, [take_baseline(self.baseline, name, now.missing), now], threshold)

    def _fall_of(self, what: str, pair: Sequence[Measure], threshold: str) -> Clause:
        percent = self.rules.thresholds[threshold]
        return ask_number(f"{what} down at least {percent.value:g} %", pair, "percent fall >=", percent)

    def _difference_fall(self, threshold: str) -> tuple[Clause, Clause]:
        """Ask whether the difference fell; open where the other chain has become measurable."""
        found, involved = self.baseline.found, self.baseline.involved
        chains = self.panel.chains
        now = subtract_chains(*chains, involved)
        before = subtract_chains(found["flc_kappa"], found["flc_lambda"], involved)
        name = np.where(involved == KAPPA, mark("flc_kappa"), mark("flc_lambda"))
        side, limit = find_side(*chains, self.rules), self.rules.thresholds["measurable_flc"]
        other = np.where(involved == KAPPA, chains[1].value, chains[0].value)
        abnormal = np.where(involved == KAPPA, side == LOW, (involved == LAMBDA) & (side == HIGH))
        is_large = ask_number("other chain", [Measure(other, (), 0)], ">=", limit).truth == TRUE
        is_changed = abnormal & is_large & ~np.isnan(now.value)
        note = "the other light chain has become measurable: a change of the clone cannot be excluded"
        is_asked = self._is(LIGHT_CHAIN)
        changed = leave_open("light chain difference", name, [now], note).only(is_asked & is_changed)
        fall = self._fall_of("light chain difference", [before, now], threshold)
        return changed, fall.only(is_asked & ~is_changed)
