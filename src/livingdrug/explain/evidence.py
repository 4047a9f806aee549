"""Measurements that speak for or against a mechanism by themselves, each with its rows.

Every function looks at one patient's observations and returns findings or nothing: what was not
measured is silent. None of them changes the fit; they let a reader check it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from livingdrug.core.outcome import Mechanism


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation and where it points.

    Parameters
    ----------
    statement : str
    mechanism : Mechanism
        The mechanism that it speaks about.
    direction : str
        ``for`` or ``against``.
    rows : tuple of int
        Rows of the patient's observations, counted from 0 in the order given.
    """

    statement: str
    mechanism: Mechanism
    direction: str
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a measurement starts to speak; given by study, with their sources in the knowledge files.

    Parameters
    ----------
    antigen_fraction : float
        Share of tumour cells with the target below which the tumour counts as target-negative.
    antigen_fall : float
        Ratio of target density at failure to baseline below which density counts as lost.
    b_cells : float [cells/uL]
        B cells at or above this have returned.
    exhausted : float
        Share of CAR T cells with PD-1 and TIM-3 above which exhaustion is supported.
    doubling : float [day]
        Marker doubling time before treatment below which growth counts as fast.
    """

    antigen_fraction: float
    antigen_fall: float
    b_cells: float
    exhausted: float
    doubling: float


def select_variable(observations: pl.DataFrame, variable: str) -> pl.DataFrame:
    """Return the rows of one variable in order of day."""
    return observations.filter(pl.col("variable") == variable).sort("day", maintain_order=True)


def find_antigen_fraction(observations: pl.DataFrame, day: float, limits: Limits) -> list[Evidence]:
    """Look at the share of target-positive tumour cells at or after the failure."""
    rows = select_variable(observations, "antigen_positive_fraction").filter(
        (pl.col("day") >= day - 30) & (pl.col("day") > 0) & pl.col("value").is_not_null()
    )
    if rows.is_empty():
        return []
    last = rows.row(-1, named=True)
    is_lost = last["value"] < limits.antigen_fraction
    share = f"{100 * last['value']:.0f} %" if last["value"] >= 0.01 else "under 1 %"
    statement = (
        f"At the biopsy on day {last['day']:g}, {share} of tumour cells carried the target "
        f"(below {100 * limits.antigen_fraction:.0f} % counts as lost)."
    )
    return [Evidence(statement, Mechanism.ANTIGEN_NEGATIVE, "for" if is_lost else "against", (last["row"],))]


def find_antigen_density(observations: pl.DataFrame, day: float, limits: Limits) -> list[Evidence]:
    """Compare the target's density at failure with the density before treatment."""
    rows = select_variable(observations, "antigen_density").filter(pl.col("value") > 0)
    before = rows.filter(pl.col("day") <= 0)
    after = rows.filter((pl.col("day") >= day - 30) & (pl.col("day") > 0))
    if before.is_empty() or after.is_empty():
        return []
    first, last = before.row(-1, named=True), after.row(-1, named=True)
    ratio = last["value"] / first["value"]
    under = "below " if last["censored"] == "left" else ""
    statement = (
        f"Target density was {first['value']:.3g} molecules per cell before treatment and {under}{last['value']:.3g} "
        f"on day {last['day']:g} (ratio {under}{ratio:.2f}; below {limits.antigen_fall:.2g} counts as fallen)."
    )
    direction = "for" if ratio < limits.antigen_fall else "against"
    return [Evidence(statement, Mechanism.ANTIGEN_LOW, direction, (first["row"], last["row"]))]


def find_b_cell_return(observations: pl.DataFrame, day: float, limits: Limits) -> list[Evidence]:
    """See whether B cells, which a CD19 CAR keeps away, came back before the failure."""
    rows = select_variable(observations, "b_cells").filter((pl.col("day") > 0) & (pl.col("day") <= day))
    back = rows.filter(pl.col("value") >= limits.b_cells)
    if rows.is_empty():
        return []
    if back.is_empty():
        last = rows.row(-1, named=True)
        words = f"B cells had not returned by day {last['day']:g}: CAR T cells were still at work."
        return [Evidence(words, Mechanism.PERSISTENCE, "against", (last["row"],))]
    first = back.row(0, named=True)
    words = f"B cells returned on day {first['day']:g} ({first['value']:.3g} cells/uL), before the failure."
    return [Evidence(words, Mechanism.PERSISTENCE, "for", (first["row"],))]


def find_transgene_loss(observations: pl.DataFrame, day: float, limits: Limits) -> list[Evidence]:  # noqa: ARG001
    """See whether the transgene was below its limit at the last sample up to the failure."""
    rows = select_variable(observations, "car_transgene").filter((pl.col("day") > 0) & (pl.col("day") <= day))
    if rows.is_empty():
        return []
    last = rows.row(-1, named=True)
    if last["censored"] == "left":
        words = f"The transgene was below its limit on day {last['day']:g}, the last sample up to the failure."
        return [Evidence(words, Mechanism.PERSISTENCE, "for", (last["row"],))]
    if last["value"] is None:
        return []
    words = (
        f"The transgene was still measurable on day {last['day']:g}, the last sample up to the failure "
        f"({last['value']:.3g} {last['unit']})."
    )
    return [Evidence(words, Mechanism.PERSISTENCE, "against", (last["row"],))]


def find_exhaustion(observations: pl.DataFrame, day: float, limits: Limits) -> list[Evidence]:
    """Look at the share of CAR T cells with PD-1 and TIM-3."""
    rows = select_variable(observations, "pd1_tim3_fraction").filter(
        (pl.col("day") <= day) & pl.col("value").is_not_null()
    )
    if rows.is_empty():
        return []
    top = rows.sort("value").row(-1, named=True)
    direction = "for" if top["value"] > limits.exhausted else "against"
    words = f"{100 * top['value']:.0f} % of CAR T cells carried PD-1 and TIM-3 on day {top['day']:g}."
    return [Evidence(words, Mechanism.EXHAUSTION, direction, (top["row"],))]


def find_growth_before(observations: pl.DataFrame, day: float, limits: Limits) -> list[Evidence]:  # noqa: ARG001
    """Compute the M-protein's doubling time from two samples before infusion."""
    rows = select_variable(observations, "m_protein").filter((pl.col("day") <= 0) & (pl.col("value") > 0))
    if rows.height < 2:
        return []
    first, last = rows.row(0, named=True), rows.row(-1, named=True)
    growth = math.log(last["value"] / first["value"])
    if last["day"] - first["day"] < 14 or growth <= 0:
        return []
    doubling = (last["day"] - first["day"]) * math.log(2) / growth
    direction = "for" if doubling < limits.doubling else "against"
    words = f"Before infusion the M-protein doubled in about {doubling:.0f} days."
    return [Evidence(words, Mechanism.TUMOUR_GROWTH, direction, (first["row"], last["row"]))]


FINDERS: tuple[Callable[[pl.DataFrame, float, Limits], list[Evidence]], ...] = (
    find_antigen_fraction,
    find_antigen_density,
    find_b_cell_return,
    find_transgene_loss,
    find_exhaustion,
    find_growth_before,
)


def find_evidence(observations: pl.DataFrame, day: float, limits: Limits) -> tuple[Evidence, ...]:
    """Collect the evidence of one patient.

    Parameters
    ----------
    observations : table
        One patient's rows; antigen variables speak about the product's target.
    day : float [day]
        Day of the failure.
    limits : Limits
    """
    numbered = observations.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    return tuple(item for find in FINDERS for item in find(numbered, day, limits))
