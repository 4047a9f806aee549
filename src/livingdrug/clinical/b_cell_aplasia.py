"""B-cell aplasia, a surrogate of CAR T cells against B-cell antigens: it never counts as having seen them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from livingdrug.clinical.comparison import compare, join_any
from livingdrug.clinical.visits import Measured, Visit, build_visits
from livingdrug.core.ruleset import Finding, Ruleset, Truth

VARIABLES = ("b_cells", "b_cell_fraction", "lymphocytes")
TARGETS = ("CD19", "CD20", "CD22")
"""Antigens of products that kill B cells too."""
PER_MICROLITRE = 1000.0
"""Cells a microlitre in 10^9 cells a litre."""


@dataclass(frozen=True, slots=True)
class BCellSample:
    """One sample after infusion: whether B cells have come back, and the clause that says so."""

    day: float
    finding: Finding

    @property
    def truth(self) -> Truth:
        """Whether B cells have come back."""
        return self.finding.truth


def find_b_cell_samples(
    observations: pl.DataFrame, rules: Ruleset, *, recovery: str = "100_or_1_percent"
) -> tuple[BCellSample, ...]:
    """Ask of each sample after infusion whether B cells have come back.

    The share of lymphocytes is the one that was reported, or the count of B cells over that of
    lymphocytes. Without it a low count is unknown rather than aplasia, unless no B cells were seen.

    Parameters
    ----------
    observations : table
        One subject's rows.
    rules : Ruleset
        ``failure/1``.
    recovery : ``100_or_1_percent`` or ``10_or_3_percent``
    """
    visits = build_visits(observations, VARIABLES)
    asked = [v for v in visits if v.day > 0 and v.measured.keys() & {"b_cells", "b_cell_fraction"}]
    return tuple(BCellSample(visit.day, _ask_recovery(visit, rules, recovery)) for visit in asked)


def _ask_recovery(visit: Visit, rules: Ruleset, recovery: str) -> Finding:
    count, share = visit.measured.get("b_cells"), visit.measured.get("b_cell_fraction")
    rows: tuple[int, ...] = ()
    if share is None or share.value is None:
        share, rows = _compute_share(count, visit.measured.get("lymphocytes"))
    names = ("b_cell_count", "b_cell_percent", ">")
    if recovery != "100_or_1_percent":
        names = ("b_cell_count_low", "b_cell_percent_high", ">=")
    by_count = compare("B cells a microlitre", [("b_cells", count)], ">=", rules.thresholds[names[0]])
    by_share = compare("B cells of lymphocytes", [("b_cell_fraction", share)], names[2], rules.thresholds[names[1]])
    by_share = replace(by_share, rows=rows) if rows else by_share
    # where only the share was measured it is enough to know
    asked = (by_share,) if count is None else (by_count, by_share)
    return join_any("B cells have come back", asked)


def _compute_share(count: Measured | None, lymphocytes: Measured | None) -> tuple[Measured | None, tuple[int, ...]]:
    """Return the share of lymphocytes in percent, and the rows that it rests on."""
    if count is None or count.value is None:
        return None, ()
    if count.value == 0.0:
        return replace(count, value=0.0), (count.row,)
    if lymphocytes is None or not lymphocytes.value:
        return None, ()
    share = 100.0 * count.value / (lymphocytes.value * PER_MICROLITRE)
    return replace(count, value=share), (count.row, lymphocytes.row)


def find_aplasia_loss(samples: Sequence[BCellSample]) -> tuple[float | None, tuple[Finding, ...]]:
    """Return the day on which aplasia was lost: of the first of two samples in a row with B cells, after aplasia.

    A sample that does not tell is passed over.

    Returns
    -------
    day : float or None
    findings : tuple of Finding
        Of the two samples, or of the last one that tells where aplasia was not lost.
    """
    known = [sample for sample in samples if sample.truth != Truth.UNKNOWN]
    first = next((place for place, sample in enumerate(known) if sample.truth == Truth.FALSE), len(known))
    for before, after in zip(known[first:], known[first + 1 :], strict=False):
        if before.truth == after.truth == Truth.TRUE:
            return before.day, (before.finding, after.finding)
    return None, tuple(sample.finding for sample in known[-1:])


def judge_aplasia(samples: Sequence[BCellSample], day: float, window: float) -> tuple[Truth, tuple[Finding, ...]]:
    """Return whether B cells were absent on a day, by the last sample up to it that tells.

    B cells have come back where that sample and the one before or after it show them; one alone is unknown.

    Parameters
    ----------
    day, window : float [day]
        The last sample must lie no further before the day than the window.
    """
    known = [sample for sample in samples if sample.truth != Truth.UNKNOWN]
    until = [sample for sample in known if sample.day <= day]
    if not until or until[-1].day < day - window:
        return Truth.UNKNOWN, ()
    last = until[-1]
    if last.truth == Truth.FALSE:
        return Truth.TRUE, (last.finding,)
    neighbours = [*until[-2:-1], *known[len(until) : len(until) + 1]]
    confirming = [sample for sample in neighbours if sample.truth == Truth.TRUE]
    if not confirming:
        return Truth.UNKNOWN, (last.finding,)
    return Truth.FALSE, (last.finding, confirming[0].finding)
