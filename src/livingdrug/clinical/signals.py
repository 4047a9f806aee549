"""First signals of a failure: each a clause with its rows, dated on the day on which it is known.

A marker rises beyond its noise above its lowest value; CAR T cells or B-cell aplasia are lost, residual
disease returns, the kappa/lambda ratio leaves normal. What needs a second sample is known with that sample.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp, inf, sqrt

from livingdrug.clinical.b_cell_aplasia import TARGETS, find_b_cell_samples
from livingdrug.clinical.comparison import compare, is_above, join_all, join_any
from livingdrug.clinical.persistence import find_car_loss
from livingdrug.clinical.residual_disease import find_residual_samples
from livingdrug.clinical.visits import Measured, Visit, build_visits
from livingdrug.core.assessment import SubjectTables
from livingdrug.core.parameters import Value
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth

MARKERS = (
    "m_protein",
    "urine_m_protein",
    "flc_involved",
    "sbcma",
    "tumour_spd",
    "metabolic_tumour_volume",
    "target_lesion_sum",
)
CHAINS = ("flc_kappa", "flc_lambda")
VARIABLES = (*(name for name in MARKERS if name != "flc_involved"), *CHAINS)
RATIO, RESIDUAL, CAR_LOSS, B_CELLS = "flc_ratio", "residual_disease", "car_loss", "b_cell_return"
KINDS: Mapping[str, tuple[str, ...]] = {
    **{f"rise_of_{name}": CHAINS if name == "flc_involved" else (name,) for name in MARKERS},
    RATIO: CHAINS,
    RESIDUAL: ("mrd",),
    CAR_LOSS: ("car_transgene", "car_t_cells"),
    B_CELLS: ("b_cells", "b_cell_fraction"),
}
"""Each kind of signal, and what must have been measured for it."""
SURROGATES = (CAR_LOSS, B_CELLS, "rise_of_sbcma")
"""What changes in remission too: CAR T cells wane, B cells and plasma cells recover."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: its name, the day on which it is known, and the clause that says so."""

    name: str
    day: float
    finding: Finding


def find_signals(
    tables: SubjectTables, rules: Ruleset, *, target: str = "", **options: OptionValue
) -> tuple[Signal, ...]:
    """Find the first signal of each kind after infusion, by day.

    Parameters
    ----------
    tables : SubjectTables
    rules : Ruleset
        ``early-warning/1``.
    target : str
        The antigen that the product recognises; only for one of B cells do B cells speak.
    options
        In place of the ruleset's.

    Examples
    --------
    >>> import polars as pl
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rows = pl.DataFrame({"day": [-7.0, 28.0, 56.0, 84.0], "variable": ["m_protein"] * 4,
    ...                      "value": [3.0, 0.5, 0.9, 1.2], "text": [None] * 4})
    >>> tables = SubjectTables({}, pl.DataFrame(schema={"day": pl.Float64, "type": pl.String}), rows)
    >>> signal = find_signals(tables, load_rules("early-warning/1"))[0]
    >>> signal.name, signal.day, signal.finding.rows
    ('rise_of_m_protein', 84.0, (1, 2, 3))
    """
    chosen = rules.choose(options)
    visits = build_visits(tables.observations, VARIABLES)
    found = [*_find_rises(visits, rules, chosen), *_find_ratio(visits, rules)]
    found += [*_find_residual(tables, rules), *_find_car_loss(tables)]
    if target.upper() in TARGETS:
        found += _find_b_cells(tables, rules, str(chosen["signal_b_cells"]))
    return tuple(sorted(found, key=lambda signal: (signal.day, signal.name)))


def is_chosen(kind: str, signals: str) -> bool:
    """Whether a kind of signal is among those of the disease, the surrogates, or all.

    Examples
    --------
    >>> is_chosen("car_loss", "disease"), is_chosen("car_loss", "surrogates"), is_chosen("rise_of_sbcma", "all")
    (False, True, True)
    """
    return signals == "all" or (kind in SURROGATES) == (signals == "surrogates")


def _find_rises(visits: Sequence[Visit], rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Iterator[Signal]:
    involved = _find_involved(visits, rules)
    for marker in MARKERS:
        variable = involved if marker == "flc_involved" else marker
        if variable is None:
            continue
        series = [visit.measured[variable] for visit in visits if variable in visit.measured]
        found = _find_rise(marker, [m for m in series if m.value is not None], rules, chosen)
        if found is not None:
            yield found


def _find_rise(
    marker: str, series: Sequence[Measured], rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> Signal | None:
    """Return the first sample that lies beyond noise above the lowest one before it."""
    error = sqrt(2.0) * rules.threshold(f"noise_{marker}")
    percent = 100.0 * (exp(float(chosen["signal_z"]) * error) - 1.0)
    lowest: Measured | None = None
    earlier: Finding | None = None
    first, floor = max(0.0, float(chosen["signal_first_day"])), rules.thresholds[f"floor_{marker}"]
    for measured in series:
        if lowest is not None and measured.day > first:
            is_above_lowest = (measured.value or 0.0) > (lowest.value or 0.0)
            finding = _ask_rise(marker, lowest, measured, percent, floor) if is_above_lowest else None
            is_risen = finding is not None and finding.truth == Truth.TRUE
            if finding is not None and is_risen and not chosen["signal_confirmation"]:
                return Signal(f"rise_of_{marker}", measured.day, finding)
            if finding is not None and is_risen and earlier is not None:
                both = join_all(f"{finding.clause}, twice", (earlier, finding))
                return Signal(f"rise_of_{marker}", measured.day, both)
            earlier = finding if is_risen else None
        if lowest is None or (measured.value or 0.0) < (lowest.value or 0.0):
            lowest = measured
    return None


def _ask_rise(marker: str, lowest: Measured, now: Measured, percent: float, floor: Value) -> Finding:
    pair, clause = [(marker, lowest), (marker, now)], f"{marker} risen above its lowest value beyond noise"
    asked = (compare(clause, pair, "percent rise >=", percent), compare(clause, pair, "rise >=", floor))
    return join_all(clause, asked)


def _find_involved(visits: Sequence[Visit], rules: Ruleset) -> str | None:
    """Return the light chain that the tumour makes, from the last pair up to day 0; None if it is not known."""
    sides = [_judge_ratio(visit, rules) for visit in visits if visit.day <= 0]
    known = [side for side, _ in sides if side]
    return {"kappa": CHAINS[0], "lambda": CHAINS[1]}.get(known[-1]) if known else None


def _judge_ratio(visit: Visit, rules: Ruleset) -> tuple[str, tuple[int, ...]]:
    """Return which chain is in excess, or normal, and the rows; empty where the ratio is not known."""
    kappa, light = (visit.measured.get(chain) for chain in CHAINS)
    if kappa is None or light is None or kappa.value is None or light.value is None:
        return "", ()
    rows = (kappa.row, light.row)
    if kappa.value == light.value == 0.0:
        return "", rows
    ratio = inf if light.value == 0.0 else kappa.value / light.value
    if is_above(ratio, rules.threshold("ratio_high")):
        return "kappa", rows
    return ("lambda" if is_above(rules.threshold("ratio_low"), ratio) else "normal"), rows


def _find_ratio(visits: Sequence[Visit], rules: Ruleset) -> Iterator[Signal]:
    """Yield the first abnormal kappa/lambda ratio after a normal one, both after infusion."""
    sides = [(visit.day, *_judge_ratio(visit, rules)) for visit in visits if visit.day > 0]
    known = [side for side in sides if side[1]]
    for before, after in pairwise(known):
        if before[1] == "normal" != after[1]:
            finding = Finding(
                "kappa/lambda ratio left normal", Truth.TRUE, (*before[2], *after[2]), note=f"excess of {after[1]}"
            )
            yield Signal(RATIO, after[0], finding)
            return


def _find_residual(tables: SubjectTables, rules: Ruleset) -> Iterator[Signal]:
    """Yield the first positive sample after a negative one."""
    is_myeloma = tables.subject.get("disease") == "myeloma"
    limit = rules.thresholds["mrd_negative_myeloma" if is_myeloma else "mrd_negative"]
    samples = [s for s in find_residual_samples(tables, limit.value) if s.is_negative != Truth.UNKNOWN]
    for before, after in pairwise(samples):
        if before.is_negative == Truth.TRUE and after.is_negative == Truth.FALSE:
            rows = (before.row, after.row)
            finding = Finding("residual disease again", Truth.TRUE, rows, threshold=limit.value, unit=limit.unit)
            yield Signal(RESIDUAL, after.day, finding)
            return


def _find_car_loss(tables: SubjectTables) -> Iterator[Signal]:
    day, _, rows, words = find_car_loss(tables.observations)
    if day is None:
        return
    by_row = dict(zip(_list_rows(tables), tables.observations["day"].to_list(), strict=True))
    yield Signal(CAR_LOSS, by_row[rows[-1]], Finding(words, Truth.TRUE, rows))


def _list_rows(tables: SubjectTables) -> list[int]:
    table = tables.observations
    return table["row"].to_list() if "row" in table.columns else list(range(len(table)))


def _find_b_cells(tables: SubjectTables, rules: Ruleset, recovery: str) -> Iterator[Signal]:
    """Yield the second of two samples in a row in which B cells have come back, once they were away."""
    samples = find_b_cell_samples(tables.observations, rules, recovery=recovery)
    known = [sample for sample in samples if sample.truth != Truth.UNKNOWN]
    was_away = False
    for before, after in pairwise(known):
        was_away = was_away or before.truth == Truth.FALSE
        if was_away and before.truth == after.truth == Truth.TRUE:
            clause = "B cells have come back, twice"
            finding = join_all(clause, (before.finding, after.finding))
            yield Signal(B_CELLS, after.day, finding)
            return


def join_signals(signals: Sequence[Signal]) -> Signal | None:
    """Return the signals of the first day as one.

    Examples
    --------
    >>> known = Finding("x", Truth.TRUE)
    >>> signals = [Signal("a", 30.0, known), Signal("b", 30.0, known), Signal("c", 60.0, known)]
    >>> join_signals(signals).name
    'a; b'
    """
    if not signals:
        return None
    day = min(signal.day for signal in signals)
    first = [signal for signal in signals if signal.day == day]
    name = "; ".join(signal.name for signal in first)
    finding = first[0].finding if len(first) == 1 else join_any(name, [signal.finding for signal in first])
    return Signal(name, day, replace(finding, clause=name) if len(first) > 1 else finding)
