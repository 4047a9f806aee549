"""How long before progression a first signal was there: of one subject, and of many.

A statistic of warnings is honest only with both sides: how many progressions had a signal before, and how
many subjects had one without progressing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from livingdrug.clinical.b_cell_aplasia import TARGETS
from livingdrug.clinical.endpoint_sources import build_timeline, find_death, find_treatment
from livingdrug.clinical.signals import B_CELLS, KINDS, Signal, find_signals, is_chosen, join_signals
from livingdrug.clinical.survival import Estimate
from livingdrug.core.assessment import Endpoint, ResponseCourse, SubjectTables
from livingdrug.core.patient import Product
from livingdrug.core.ruleset import OptionValue, Ruleset

FIRST, LEAD, KIND = "first_signal", "lead_time", "signal_"
WARNINGS = {
    "signal": pl.String,
    "progressed": pl.Int64,
    "warned": pl.Int64,
    "share_warned": pl.Float64,
    "median_lead": pl.Float64,
    "free": pl.Int64,
    "false_signals": pl.Int64,
    "share_false": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class EarlyWarning:
    """Warnings of a cohort.

    Parameters
    ----------
    progressed, warned : int
        Subjects with progression in whom something was watched, and those with a signal on a day before it.
    share_warned : Estimate
    lead : Estimate [day]
        Median and quartiles of the time from signal to progression, of those warned; not a number if none.
    free, false_signals : int
        Subjects without progression so far in whom something was watched, and those with a signal.
    share_false : Estimate
    not_watched : int
        Subjects in whom nothing that may signal was measured after infusion: in none of the shares.
    """

    progressed: int
    warned: int
    share_warned: Estimate
    lead: Estimate
    free: int
    false_signals: int
    share_false: Estimate
    not_watched: int


def derive_early_warning(
    course: ResponseCourse, tables: SubjectTables, rules: Ruleset, *, target: str = "", **options: OptionValue
) -> tuple[Endpoint, ...]:
    """Derive the first signal of one subject, and the time from it to progression.

    Signals after progression, new treatment or death are none. One on the day of progression warned of
    nothing: its lead is 0.

    Parameters
    ----------
    course : ResponseCourse
        A progression that nothing confirmed counts here too, for the signal may be all there is.
    tables : SubjectTables
    rules : Ruleset
        ``early-warning/1``.
    target : str, optional
        In place of the antigen of the product that the subjects table names.
    options
        In place of the ruleset's.

    Returns
    -------
    endpoints : tuple of Endpoint
        ``first_signal``, whose value names it; ``lead_time``, from signal to progression: censored where
        there was none so far, and without a day where there was no signal either or nothing was watched.
        ``signal_...``, one for each kind of signal that was watched for.
    """
    product = str(tables.subject.get("product") or "")
    known = Product(product).target if product in set(Product) else ""
    timeline = build_timeline(course, tables)
    ends = [d for d in (find_treatment(timeline), find_death(timeline)) if d is not None]
    progression = course.progression_day if course.progression_day is not None else None
    if progression is not None and any(end < progression for end in ends):
        progression = None
    limit = min([*ends, *([] if progression is None else [progression])], default=float("inf"))
    wanted = str(rules.choose(options)["signals"])
    found = find_signals(tables, rules, target=target or known, **options)
    signals = [signal for signal in found if signal.day <= limit]
    watched = {
        kind: day
        for kind, day in _find_watched(tables, limit).items()
        if kind != B_CELLS or (target or known).upper() in TARGETS
    }
    last = max((day for kind, day in watched.items() if is_chosen(kind, wanted)), default=None)
    first = join_signals([signal for signal in signals if is_chosen(signal.name, wanted)])
    kinds = [_say_kind(kind, day, signals, course.reader, timeline.infusion) for kind, day in watched.items()]
    return (*_say(first, progression, last, course.reader, timeline.infusion), *kinds)


def _find_watched(tables: SubjectTables, limit: float) -> dict[str, float]:
    """Return the last day up to a limit on which each kind of signal was watched for."""
    days: dict[str, float] = {}
    columns = (tables.observations[name].to_list() for name in ("variable", "day"))
    for variable, day in zip(*columns, strict=True):
        if variable is not None and day is not None and 0 < day <= limit:
            days[variable] = max(day, days.get(variable, 0.0))
    seen = {kind: [days[name] for name in names if name in days] for kind, names in KINDS.items()}
    return {kind: max(found) for kind, found in seen.items() if found}


def _say_kind(kind: str, last: float, signals: Sequence[Signal], reader: str, start: float) -> Endpoint:
    found = next((signal for signal in signals if signal.name == kind), None)
    if found is None:
        return Endpoint(KIND + kind, "censored", last, "", f"no such signal by day {last:g}", start, reader)
    reason = f"{found.finding.clause} on day {found.day:g}"
    return Endpoint(KIND + kind, "event", found.day, f"{found.day - start:g}", reason, start, reader)


def _say(
    first: Signal | None, progression: float | None, last: float | None, reader: str, start: float
) -> tuple[Endpoint, ...]:
    if last is None:
        reason = "not defined: nothing that may signal was measured after infusion"
        return tuple(Endpoint(name, "censored", None, "", reason, start, reader) for name in (FIRST, LEAD))
    if first is None:
        signal = Endpoint(FIRST, "censored", last, "", f"no signal by day {last:g}", start, reader)
        if progression is None:
            return signal, Endpoint(LEAD, "censored", None, "", "no signal and no progression", None, reader)
        return signal, Endpoint(LEAD, "event", progression, "0", "progression without a signal", progression, reader)
    reason = f"{first.finding.clause} on day {first.day:g}"
    signal = Endpoint(FIRST, "event", first.day, first.name, reason, start, reader)
    if progression is None:
        days, words = max(last - first.day, 0.0), "signal without progression so far"
        return signal, Endpoint(LEAD, "censored", first.day + days, f"{days:g}", words, first.day, reader)
    lead = progression - first.day
    words = f"progression on day {progression:g}, {lead:g} days after the first signal"
    words = words if lead > 0 else "first signal on the day of progression: no warning"
    return signal, Endpoint(LEAD, "event", progression, f"{lead:g}", words, first.day, reader)


def compute_early_warning(endpoints: pl.DataFrame, *, confidence: float = 0.95) -> EarlyWarning:
    """Sum up the warnings of a cohort.

    Parameters
    ----------
    endpoints : table
        ``subject_id, endpoint, day, status, value, reason, start_day``; one reader.

    Examples
    --------
    >>> table = pl.DataFrame(
    ...     [(210.0, "event", "60", 150.0), (90.0, "event", "0", 90.0), (300.0, "censored", "80", 220.0)],
    ...     schema=["day", "status", "value", "start_day"], orient="row",
    ... ).with_columns(endpoint=pl.lit("lead_time"))
    >>> found = compute_early_warning(table)
    >>> found.progressed, found.warned, found.lead.value, found.free, found.false_signals
    (2, 1, 60.0, 1, 1)
    """
    rows = endpoints.filter(pl.col("endpoint") == LEAD)
    undefined = pl.col("day").is_null() & pl.col("start_day").is_not_null()
    watched = rows.filter(~undefined)
    is_event = pl.col("status") == "event"
    leads = watched.filter(is_event)["value"].cast(pl.Float64)
    warned = leads.filter(leads > 0)
    free = watched.filter(~is_event)
    false_signals = len(free.filter(pl.col("day").is_not_null()))
    quartiles = np.quantile(warned.to_numpy(), [0.5, 0.25, 0.75]) if len(warned) else np.full(3, np.nan)
    return EarlyWarning(
        len(leads),
        len(warned),
        compute_share(len(warned), len(leads), confidence=confidence),
        Estimate(*(float(q) for q in quartiles)),
        len(free),
        false_signals,
        compute_share(false_signals, len(free), confidence=confidence),
        len(rows) - len(watched),
    )


def tabulate_early_warning(endpoints: pl.DataFrame) -> pl.DataFrame:
    """Sum up each kind of signal by itself: which ones warn, and which ones only sound.

    Parameters
    ----------
    endpoints : table
        As for :func:`compute_early_warning`.

    Returns
    -------
    table
        ``signal, progressed, warned, share_warned, median_lead, free, false_signals, share_false``; of those in
        whom it was watched for. A median without a warning is null.
    """
    leads = endpoints.filter((pl.col("endpoint") == LEAD) & (pl.col("status") == "event"))
    progression = dict(zip(leads["subject_id"].to_list(), leads["day"].to_list(), strict=True))
    rows = endpoints.filter(pl.col("endpoint").str.starts_with(KIND))
    parts = rows.sort("endpoint", "subject_id").partition_by("endpoint", as_dict=True, maintain_order=True)
    found = [_sum_up(str(key[0]).removeprefix(KIND), own, progression) for key, own in parts.items()]
    return pl.DataFrame(found, schema=WARNINGS, orient="row")


def _sum_up(kind: str, own: pl.DataFrame, progression: Mapping[str, float]) -> tuple[object, ...]:
    progressed, lead, free, false_signals = 0, [], 0, 0
    for subject, day, status in own.select("subject_id", "day", "status").iter_rows():
        if subject in progression:
            progressed += 1
            if status == "event" and day < progression[subject]:
                lead.append(progression[subject] - day)
        else:
            free += 1
            false_signals += status == "event"
    return (
        kind,
        progressed,
        len(lead),
        len(lead) / progressed if progressed else None,
        float(np.median(lead)) if lead else None,
        free,
        false_signals,
        false_signals / free if free else None,
    )


def compute_share(count: int, of: int, *, confidence: float = 0.95) -> Estimate:
    """Return a share with its interval by Wilson; not a number where there is nobody.

    Examples
    --------
    >>> share = compute_share(8, 10)
    >>> share.value, round(share.lower, 3), round(share.upper, 3)
    (0.8, 0.49, 0.943)
    """
    if of == 0:
        return Estimate(float("nan"), float("nan"), float("nan"))
    interval = stats.binomtest(count, of).proportion_ci(confidence, method="wilson")
    return Estimate(count / of, float(interval.low), float(interval.high))
