"""Measurable residual disease in myeloma: negative only as deep as the assay looked, and with enough cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.residual_disease import judge_residual
from livingdrug.clinical.visits import Measured, build_visits
from livingdrug.core.assessment import Endpoint, ResponseCourse
from livingdrug.core.ruleset import OptionValue, Ruleset, Truth

VARIABLES = ("mrd", "mrd_cells")


@dataclass(frozen=True, slots=True)
class MarrowSample:
    """One sample: its day, whether it was negative, and how it was looked at."""

    day: float
    is_negative: Truth
    words: str
    row: int


def find_marrow_samples(observations: pl.DataFrame, rules: Ruleset) -> tuple[MarrowSample, ...]:
    """Return the samples after infusion, by day.

    Not detected is negative where the limit of the assay is no higher than ``mrd_negative``, and no fewer cells
    were analysed than one cell at that limit takes. How many were analysed is a row of ``mrd_cells``; without it
    the limit that the laboratory gives is believed.

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rows = {"day": [28.0, 28.0], "variable": ["mrd", "mrd_cells"], "value": [0.0, 20000.0], "text": [None, None],
    ...         "lloq": [1e-5, None], "censored": ["left", "none"]}
    >>> find_marrow_samples(pl.DataFrame(rows), load_rules("imwg/2016"))[0].is_negative
    <Truth.UNKNOWN: 'unknown'>
    """
    threshold = rules.threshold("mrd_negative")
    found = []
    for visit in build_visits(observations, VARIABLES):
        measured, cells = visit.measured.get("mrd"), visit.measured.get("mrd_cells")
        if visit.day > 0 and measured is not None:
            truth = judge_residual(measured, threshold)
            is_shallow = cells is not None and cells.value is not None and _needs_more(measured, cells.value)
            truth = Truth.UNKNOWN if truth == Truth.TRUE and is_shallow else truth
            found.append(MarrowSample(visit.day, truth, _say_how(measured, cells), measured.row))
    return tuple(found)


def _needs_more(measured: Measured, cells: float) -> bool:
    return measured.limit is not None and measured.limit > 0 and cells < (1 / measured.limit) * (1 - 1e-9)


def _say_how(measured: Measured, cells: Measured | None) -> str:
    method = measured.assay or "method not told"
    limit = "" if measured.limit is None else f", sensitivity {measured.limit:g}"
    count = "" if cells is None or cells.value is None else f", {cells.value:g} cells"
    return f"{method}{limit}{count}"


def derive_residual_endpoints(
    samples: Sequence[MarrowSample], course: ResponseCourse, rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[Endpoint, ...]:
    """Derive whether residual disease was negative in complete response, and for a year; nothing without a sample."""
    if not samples:
        return ()
    complete, end = course.complete_response_day, course.progression_day
    earliest = None if complete is None else complete - float(chosen["mrd_window_days"])
    if chosen["mrd_requires"] == "nothing":
        earliest = 0.0
    counted = [s for s in samples if earliest is not None and s.day >= earliest and (end is None or s.day < end)]
    negative = [s for s in counted if s.is_negative == Truth.TRUE]
    last = samples[-1].day
    name = "mrd_negative_complete_response"
    if not negative:
        is_open = any(s.is_negative == Truth.UNKNOWN for s in counted)
        reason = "no complete response" if earliest is None else "no negative sample"
        reason = f"not known: {counted[0].words}" if is_open else reason
        return tuple(
            Endpoint(each, "censored", last, "NE" if is_open else "N", reason, 0.0)
            for each in (name, "sustained_mrd_negative")
        )
    first = negative[0]
    day = max(first.day, complete) if complete is not None and chosen["mrd_requires"] != "nothing" else first.day
    found = Endpoint(name, "event", day, "Y", f"negative on day {first.day:g}: {first.words}", 0.0)
    return found, _derive_sustained(counted, rules.threshold("mrd_sustained"), last)


def _derive_sustained(samples: Sequence[MarrowSample], least: float, last: float) -> Endpoint:
    """Ask for two negative samples a year apart, and no positive one between them."""
    name, first = "sustained_mrd_negative", None
    for sample in samples:
        if sample.is_negative == Truth.FALSE:
            first = None
        elif sample.is_negative == Truth.TRUE:
            first = first or sample
            if sample.day - first.day >= least:
                reason = f"negative on day {first.day:g} ({first.words}) and on day {sample.day:g} ({sample.words})"
                return Endpoint(name, "event", sample.day, "Y", reason, 0.0)
    return Endpoint(name, "censored", last, "N", f"no two negative samples {least:g} days apart", 0.0)


def find_resurgence(samples: Sequence[MarrowSample], since: float) -> MarrowSample | None:
    """Return the first positive sample after a day; None if there is none."""
    return next((s for s in samples if s.day > since and s.is_negative == Truth.FALSE), None)
