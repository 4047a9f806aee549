"""Where a lymphoma or a solid tumour failed: in a lesion that was there before treatment, in a new one, or both.

Only lesions with a name can tell: the one that grew must be the one that was measured before infusion.
In one series of large B-cell lymphoma 86 % of failures had a local component (Figura and others, 2021).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.comparison import compare, join_all
from livingdrug.clinical.failure_verdict import Site
from livingdrug.clinical.visits import Measured
from livingdrug.core.ruleset import Finding, Ruleset, Truth

LENGTHS = (
    "target_lesion",
    "target_node",
    "node_longest_diameter",
    "extranodal_longest_diameter",
    "plasmacytoma_longest_diameter",
)
STATES = ("non_target_lesion",)
NEW_LENGTHS = ("new_target_lesion", "new_target_node")
NEW_STATES = ("new_lesion", "new_non_target_lesion")
WORSE = ("increased", "unequivocal_progression")
THERE = ("yes", "present", *WORSE)


@dataclass(frozen=True, slots=True)
class _Lesion:
    """What was seen of one lesion, by day."""

    name: str
    seen: tuple[Measured, ...]

    @property
    def is_old(self) -> bool:
        """Whether it was there before infusion."""
        return any(m.day <= 0 and _is_there(m) for m in self.seen)


def find_failure_site(
    observations: pl.DataFrame, day: float, rules: Ruleset, *, reader: str = ""
) -> tuple[Site, tuple[Finding, ...]]:
    """Return where a failure on a day was, and the clauses with their rows.

    Parameters
    ----------
    observations : table
        One subject's rows; the lesions are named, as in ``target_lesion:T01``.
    day : float [day]
    rules : Ruleset
        ``failure/1``.
    reader : str
        Whose images to look at; all where it is empty.

    Returns
    -------
    site : str
        ``local``: an old lesion grew, and there was no new one. ``de_novo``: a new one, and old ones were
        measured and did not grow. ``local_and_de_novo``. ``local_component``, ``de_novo_component``: as
        much as that is known, and the other is not. ``unknown``.
    findings : tuple of Finding
    """
    lesions = _read_lesions(observations, reader)
    window = rules.threshold("site_window")
    local = tuple(_ask_growth(lesion, day, window, rules) for lesion in lesions if lesion.is_old)
    new = tuple(_ask_new(lesion, day, window) for lesion in lesions if not lesion.is_old)
    grew, appeared = _sum_up(local), _sum_up(new)
    telling = tuple(f for f in (*local, *new) if f.truth == Truth.TRUE) or (*local, *new)
    if grew == appeared == Truth.TRUE:
        return "local_and_de_novo", telling
    if grew == Truth.TRUE:
        return ("local" if appeared == Truth.FALSE else "local_component"), telling
    if appeared == Truth.TRUE:
        return ("de_novo" if grew == Truth.FALSE else "de_novo_component"), telling
    return "unknown", ()


def _read_lesions(observations: pl.DataFrame, reader: str) -> list[_Lesion]:
    wanted = (*LENGTHS, *STATES, *NEW_LENGTHS, *NEW_STATES)
    seen: dict[str, list[Measured]] = {}
    names = {(name or "").partition(":")[0] for name in observations["variable"].to_list()}
    if names.isdisjoint(wanted):
        return []
    table = observations
    if reader and "reader" in table.columns:
        table = table.filter(pl.col("reader") == reader)
    if "row" not in table.columns:
        table = table.with_row_index("row")
    for row in table.sort("day", maintain_order=True).iter_rows(named=True):
        name = row["variable"] or ""
        if name.partition(":")[0] in wanted and row["day"] is not None:
            seen.setdefault(name, []).append(_read(row))
    return [_Lesion(name, tuple(seen[name])) for name in sorted(seen)]


def _read(row: Mapping[str, object]) -> Measured:
    value, word = row["value"], row.get("text")
    is_known = isinstance(value, int | float) and (row.get("unit") is not None or "unit" not in row)
    number = float(value) if is_known and isinstance(value, int | float) else None
    return Measured(number, None if word is None else str(word), int(str(row["row"])), float(str(row["day"])))


def _is_there(measured: Measured) -> bool:
    return measured.word in THERE if measured.word is not None else (measured.value or 0.0) > 0


def _find_near(lesion: _Lesion, day: float, window: float) -> Measured | None:
    """Return the image nearest to the failure, the worst of several as near; never one before infusion."""
    near = [m for m in lesion.seen if m.day > 0 and abs(m.day - day) <= window]
    return min(near, key=lambda m: (abs(m.day - day), not _is_there(m), -(m.value or 0.0)), default=None)


def _ask_growth(lesion: _Lesion, day: float, window: float, rules: Ruleset) -> Finding:
    clause = f"{lesion.name}, there before infusion, has grown"
    now = _find_near(lesion, day, window)
    if lesion.name.partition(":")[0] in STATES:
        if now is None or now.word is None or now.word == "not_evaluable":
            return Finding(clause, Truth.UNKNOWN, missing=(lesion.name,))
        return Finding(clause, Truth.of(now.word in WORSE), (now.row,), note=f"{lesion.name} was {now.word}")
    before = [m for m in lesion.seen if m.value is not None and (now is None or m.day < now.day)]
    smallest = min(before, key=lambda m: (m.value or 0.0, m.day), default=None)
    pair = [(lesion.name, smallest), (lesion.name, now)]
    return join_all(
        clause,
        (
            compare("longer than at its smallest", pair, "percent rise >=", rules.thresholds["lesion_growth"]),
            compare("longer than at its smallest", pair, "rise >=", rules.thresholds["lesion_growth_length"]),
        ),
    )


def _ask_new(lesion: _Lesion, day: float, window: float) -> Finding:
    """Ask whether something that was not there before infusion is there at failure; an open word is unknown."""
    clause = f"{lesion.name}, not there before infusion"
    now = _find_near(lesion, day, window)
    is_open = now is None or (now.word is None and now.value is None)
    if now is None or is_open or now.word in ("equivocal", "not_evaluable"):
        return Finding(clause, Truth.UNKNOWN, () if now is None else (now.row,), missing=(lesion.name,))
    words = now.word or f"{now.value:g} mm"
    return Finding(clause, Truth.of(_is_there(now)), (now.row,), note=f"{lesion.name} was {words}")


def _sum_up(findings: Sequence[Finding]) -> Truth:
    """Return whether any holds; of nothing, and of nothing but unknowns, unknown."""
    truths = [finding.truth for finding in findings]
    if Truth.TRUE in truths:
        return Truth.TRUE
    return Truth.FALSE if truths and Truth.UNKNOWN not in truths else Truth.UNKNOWN


def list_rows(findings: Iterable[Finding]) -> tuple[int, ...]:
    """Return the rows that clauses and their parts rest on, each once."""
    rows = [row for finding in findings for row in (*finding.rows, *list_rows(finding.parts))]
    return tuple(dict.fromkeys(rows))
