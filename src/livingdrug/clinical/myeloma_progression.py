"""Progressive disease in myeloma: any one clause, counted from the lowest value so far."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livingdrug.clinical.myeloma_baseline import (
    KAPPA,
    LAMBDA,
    MARROW,
    NOT_MEASURABLE,
    PLASMACYTOMA,
    Baseline,
    subtract_chains,
    turn_around,
)
from livingdrug.clinical.myeloma_clauses import (
    CHANGE,
    FALSE,
    FREE_LIGHT_CHAINS,
    TRUE,
    UNKNOWN,
    Clause,
    Measure,
    ask_all,
    ask_any,
    ask_number,
    ask_word,
    find_missing,
    find_touched,
    leave_open,
    mark,
    take_numbers,
    take_words,
)
from livingdrug.clinical.myeloma_nadir import DIFFERENCE, REVERSED, Nadir
from livingdrug.clinical.myeloma_samples import LONGEST, SHORT
from livingdrug.clinical.panel import Column, Ints, Panel
from livingdrug.core.ruleset import OptionValue, Ruleset

IMAGES = (("new lesion", "new_lesion"), ("new or progressive bone lesion", "bone_lesion_progression"))


def find_progression(
    panel: Panel, baseline: Baseline, nadir: Nadir, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[Clause, Clause, Clause]:
    """Return whether the disease has progressed, whether imaging shows it, and whether marrow does.

    Parameters
    ----------
    chosen : mapping
        ``serum_progression`` and ``lesion_size_at`` are looked at.

    Source
    ------
    kumar2016
    """
    asking = _Progression(panel, baseline, nadir, rules, chosen)
    imaging, marrow = asking.imaging(), asking.marrow()
    clauses = [imaging, *asking.blood(), marrow]
    return ask_any("progressive disease", [asking.count(clause) for clause in clauses]), imaging, marrow


@dataclass(frozen=True, slots=True)
class _Progression:
    panel: Panel
    baseline: Baseline
    nadir: Nadir
    rules: Ruleset
    chosen: Mapping[str, OptionValue]

    def count(self, clause: Clause) -> Clause:
        """Leave a clause out where it is open but was never measured and is not followed."""
        counts = (clause.truth != UNKNOWN) | find_touched(clause)
        return clause.only(counts | ((find_missing(clause) & self.baseline.followed) > 0))

    def blood(self) -> Iterator[Clause]:
        """Serum and urine always; light chains and cells in blood where nothing before them was measurable."""
        yield self._serum()
        yield self._rise("urine M-protein", self._pair("urine_m_protein"), "progression_urine")
        is_neither = ~(self.baseline.serum | self.baseline.urine)
        yield self._light_chain().only(is_neither)
        yield self._other_chain().only(is_neither)
        yield self._circulating().only(self.baseline.kind == NOT_MEASURABLE)

    def marrow(self) -> Clause:
        """Plasma cells in marrow, where serum, urine and light chains were not measurable."""
        is_asked = np.isin(self.baseline.kind, (MARROW, PLASMACYTOMA, NOT_MEASURABLE))
        clause = self._rise("marrow plasma cells", self._pair("marrow_plasma_cells"), "progression_marrow")
        return ask_any(clause.text, [clause.only(is_asked)])

    def imaging(self) -> Clause:
        """Ask for new lesions and growing plasmacytomas; imaging that was not done leaves nothing open."""
        parts = []
        for text, name in IMAGES:
            column = self.panel.get(name)
            parts.append(ask_word(text, take_words(name, column), "yes").only(column.is_measured))
        spd, lesions = self.panel.get("plasmacytoma_spd"), self.panel.list_details(LONGEST)
        measured = [self.panel.get(name).is_measured for name in lesions]
        ever = np.add.reduce([np.logical_or.accumulate(m, axis=0).astype(int) for m in measured]) if measured else 0
        parts.append(self._grown(spd).only(spd.is_measured & (np.asarray(ever) != 1)))
        parts += [self._lesion(name).only(done) for name, done in zip(lesions, measured, strict=True)]
        is_imaged = np.logical_or.reduce([spd.is_measured, *measured])
        missed = leave_open("plasmacytoma imaged", mark("plasmacytoma_spd"))
        parts.append(missed.only(self.baseline.plasmacytoma & ~is_imaged))
        return ask_any("progression on imaging", parts)

    def _grown(self, now: Column) -> Clause:
        name, percent = "plasmacytoma_spd", self.rules.thresholds["progression_lesion"]
        text = f"plasmacytoma at least {percent.value:g} % above nadir"
        present = ask_number("plasmacytoma present", [take_numbers(now, mark(name))], ">", 0.0)
        return ask_all(text, [present, ask_number(text, self._pair(name), "percent rise >=", percent)])

    def _lesion(self, name: str) -> Clause:
        """Ask for a lesion of more than 1 cm across that has grown by half in its longest diameter."""
        percent, size = self.rules.thresholds["progression_lesion"], self.rules.thresholds["lesion_size"]
        short = f"{SHORT}:{name.partition(':')[2]}"
        across = take_numbers(self.panel.get(short), mark(SHORT))
        if self.chosen["lesion_size_at"] == "before":
            across = find_last(self.panel, short)
        text = f"longest diameter of a plasmacytoma at least {percent.value:g} % above nadir"
        parts = [
            ask_number(f"plasmacytoma more than {size.value:g} {size.unit} in short axis", [across], ">", size),
            ask_number(text, self._pair(name), "percent rise >=", percent),
        ]
        return ask_all(text, parts)

    def _pair(self, name: str) -> list[Measure]:
        now = take_numbers(self.panel.get(name), self._mark(name))
        return [self.nadir.lowest(name, self._mark(name)), now]

    def _mark(self, name: str) -> Ints | int:
        return self.baseline.serum_mark if name == "m_protein" else mark(name.partition(":")[0])

    def _rise(self, what: str, pair: Sequence[Measure], least: str, comparison: str = "rise >=") -> Clause:
        limit, percent = self.rules.thresholds[least], self.rules.thresholds["progression_rise"]
        words = "more than" if comparison == "rise >" else "at least"
        amount = f"{words} {limit.value:g} {limit.unit} above nadir"
        parts = [
            ask_number(f"{what} {amount}", pair, comparison, limit),
            ask_number(f"{what} at least {percent.value:g} % above nadir", pair, "percent rise >=", percent),
        ]
        return ask_all(f"{what} at least {percent.value:g} % and {amount}", parts)

    def _serum(self) -> Clause:
        pair = self._pair("m_protein")
        usual = self._rise("serum M-protein", pair, "progression_serum")
        if self.chosen["serum_progression"] == "absolute":
            usual = usual.parts[0]
        high, limit = (self.rules.thresholds[f"progression_serum_high{end}"] for end in ("_nadir", ""))
        parts = [
            ask_number(f"nadir of serum M-protein at least {high.value:g} {high.unit}", pair[:1], ">=", high),
            ask_number(f"serum M-protein at least {limit.value:g} {limit.unit} above nadir", pair, "rise >=", limit),
        ]
        text = f"serum M-protein at least {limit.value:g} {limit.unit} above a nadir of {high.value:g} or more"
        return ask_any(usual.text, [usual, ask_all(text, parts).only(np.asarray(usual.truth == FALSE))])

    def _difference(self) -> Measure:
        return subtract_chains(*self.panel.chains, self.baseline.involved)

    def _light_chain(self) -> Clause:
        involved = self.baseline.involved
        names = [mark("flc_kappa"), mark("flc_lambda")]
        missing = np.select([involved == KAPPA, involved == LAMBDA], names, mark(FREE_LIGHT_CHAINS))
        pair = [self.nadir.lowest(DIFFERENCE, missing), self._difference()]
        return self._rise("light chain difference", pair, "progression_flc", "rise >")

    def _other_chain(self) -> Clause:
        """Ask whether the other chain rose as far as would be progression: then a change of the clone is open."""
        now = turn_around(self._difference())
        pair = [self.nadir.lowest(REVERSED, mark(CHANGE)), now]
        rise = self._rise("the other light chain's difference", pair, "progression_flc", "rise >")
        is_open = (now.value > 0) & (rise.truth == TRUE)
        note = "the other light chain exceeds the involved one: judge whether the clone has changed"
        return Clause(
            "change to the other light chain",
            np.where(is_open, UNKNOWN, FALSE),
            (now,),
            missing=mark(CHANGE),
            notes=("", note),
            note=is_open.astype(np.int8),
        )

    def _circulating(self) -> Clause:
        name = "circulating_plasma_cells"
        percent = self.rules.thresholds["progression_circulating"]
        least = self.rules.thresholds["progression_circulating_level"]
        pair = self._pair(name)
        text = f"circulating plasma cells at least {percent.value:g} % above nadir and {least.value:g} {least.unit}"
        parts = [
            ask_number(f"circulating plasma cells at least {least.value:g} {least.unit}", pair[1:], ">=", least),
            ask_number("circulating plasma cells risen", pair, "percent rise >=", percent),
        ]
        return ask_all(text, parts)


def find_last(panel: Panel, name: str) -> Measure:
    """Return the last known value before each visit."""
    column = panel.get(name)
    index = np.where(column.is_known, np.arange(len(panel.day))[:, None], -1)
    before = np.vstack([np.full((1, index.shape[1]), -1), np.maximum.accumulate(index, axis=0)[:-1]])
    return take_numbers(column.pick(np.maximum(before, 0), before >= 0), mark(name.partition(":")[0]))
