"""Whether CAR T cells and the target antigen were still there when a therapy failed: only what was measured."""

from enum import StrEnum

import polars as pl

from livingdrug.core.outcome import AntigenStatus
from livingdrug.core.ruleset import Ruleset

DENSITY, FRACTION = "antigen_density", "antigen_positive_fraction"


class Persistence(StrEnum):
    """CAR T cells in blood at failure."""

    PRESENT = "present"
    LOST = "lost"
    UNKNOWN = "unknown"


def find_persistence(observations: pl.DataFrame, day: float, rules: Ruleset) -> tuple[Persistence, tuple[int, ...]]:
    """Return whether CAR T cells were there at failure, by transgene or by flow cytometry, and the rows.

    Lost means: transgene below its limit in the last two samples, or no CAR T cells in the last sample by
    flow cytometry. B-cell aplasia and soluble BCMA are surrogates and say nothing here.

    Parameters
    ----------
    observations : table
        One subject's rows.
    day : float [day]
        Of failure; the last sample must lie no further before it than ``persistence_window``.
    rules : Ruleset
    """
    flow = _read_samples(observations, "car_t_cells", day)
    transgene = _read_samples(observations, "car_transgene", day)
    oldest = day - rules.threshold("persistence_window")
    found = [
        _judge_samples(samples, needed)
        for samples, needed in ((transgene, 2), (flow, 1))
        if samples and samples[-1][0] >= oldest
    ]
    for status in (Persistence.PRESENT, Persistence.LOST):
        for answer, rows in found:
            if answer == status:
                return status, rows
    return Persistence.UNKNOWN, ()


def _judge_samples(samples: list[tuple[float, bool, int]], needed: int) -> tuple[Persistence, tuple[int, ...]]:
    if samples[-1][1]:
        return Persistence.PRESENT, (samples[-1][2],)
    last = samples[-needed:]
    if len(last) == needed and not any(is_detected for _, is_detected, _ in last):
        return Persistence.LOST, tuple(row for _, _, row in last)
    return Persistence.UNKNOWN, ()


def _list_rows(observations: pl.DataFrame) -> list[int]:
    """Return each row's place in the record; without it, its place in this table."""
    return observations["row"].to_list() if "row" in observations.columns else list(range(len(observations)))


def _read_samples(observations: pl.DataFrame, variable: str, day: float) -> list[tuple[float, bool, int]]:
    """Return day, whether detected, and row of each sample after infusion and up to a day."""
    names = ("day", "variable", "value", "censored")
    columns = [observations[n].to_list() if n in observations.columns else [None] * len(observations) for n in names]
    samples = [
        (at, censored != "left" and (value or 0.0) > 0, row)
        for row, at, name, value, censored in zip(_list_rows(observations), *columns, strict=True)
        if name == variable and at is not None and 0 < at <= day and (value is not None or censored == "left")
    ]
    return sorted(samples)


def find_car_loss(observations: pl.DataFrame) -> tuple[float | None, float | None, tuple[int, ...], str]:
    """Return the day on which CAR T cells were lost, the last day they were looked for, rows, and why.

    By transgene where that was measured, otherwise by flow cytometry: lost is the first of two samples in a
    row below the limit of the transgene, or the first sample without CAR T cells by flow, once they had been
    seen. Surrogates say nothing here.

    Parameters
    ----------
    observations : table
        One subject's rows.
    """
    for variable, needed, words in (
        ("car_transgene", 2, "transgene below its limit twice"),
        ("car_t_cells", 1, "no CAR T cells by flow cytometry"),
    ):
        samples = _read_samples(observations, variable, float("inf"))
        if not samples:
            continue
        seen = next((place for place, (_, is_detected, _) in enumerate(samples) if is_detected), None)
        if seen is None:
            return None, None, (), "CAR T cells were never seen"
        for place in range(seen, len(samples) - needed + 1):
            run = samples[place : place + needed]
            if not any(is_detected for _, is_detected, _ in run):
                return run[0][0], samples[-1][0], tuple(row for _, _, row in run), words
        return None, samples[-1][0], (samples[-1][2],), "CAR T cells not lost by the last sample"
    return None, None, (), "CAR T cells were not looked for"


def find_antigen(
    observations: pl.DataFrame, day: float, rules: Ruleset, target: str = ""
) -> tuple[AntigenStatus, tuple[int, ...]]:
    """Return the antigen status around a day of failure, and its rows; unknown unless measured.

    Parameters
    ----------
    observations : table
        One subject's rows; the antigen may be named as ``antigen_density:BCMA``.
    day : float [day]
    rules : Ruleset
    target : str, optional
        The antigen that the product recognises; without it, antigens of two names leave the status unknown.
    """
    samples = _read_antigens(observations, target)
    names = {antigen for _, antigen, _, _, _ in samples if antigen}
    if len(names) > 1:
        return AntigenStatus.UNKNOWN, ()
    window = rules.threshold("antigen_window")
    near = [s for s in samples if s[2] > 0 and abs(s[2] - day) <= window]
    fraction = min((s for s in near if s[0] == FRACTION), key=lambda s: (abs(s[2] - day), s[3]), default=None)
    if fraction is not None and fraction[3] < rules.threshold("antigen_negative"):
        return AntigenStatus.NEGATIVE, (fraction[4],)
    before = max((s for s in samples if s[0] == DENSITY and s[2] <= 0), key=lambda s: (s[2], s[3]), default=None)
    after = min((s for s in near if s[0] == DENSITY), key=lambda s: (abs(s[2] - day), s[3]), default=None)
    if before is not None and after is not None and before[3] > 0:
        is_low = 100 * (before[3] - after[3]) / before[3] >= rules.threshold("antigen_low")
        return (AntigenStatus.LOW if is_low else AntigenStatus.POSITIVE), (before[4], after[4])
    return (AntigenStatus.POSITIVE, (fraction[4],)) if fraction is not None else (AntigenStatus.UNKNOWN, ())


def _read_antigens(observations: pl.DataFrame, target: str) -> list[tuple[str, str, float, float, int]]:
    """Return kind, antigen's name, day, value and row of each measurement of an antigen."""
    samples = []
    columns = [observations[name].to_list() for name in ("day", "variable", "value")]
    for row, day, variable, value in zip(_list_rows(observations), *columns, strict=True):
        kind, _, antigen = (variable or "").partition(":")
        if kind not in (DENSITY, FRACTION) or day is None or value is None:
            continue
        if not (target and antigen and antigen.lower() != target.lower()):
            samples.append((kind, antigen.lower(), day, value, row))
    return samples
