"""Tables behind the figures of a cohort: swimmers, waterfall, survival, incidence; one reader at a time.

They are made from the tables that an assessment gives: verdicts (``subject_id, day, time_point, confirmed,
reader``) and endpoints (``subject_id, endpoint, day, status, value, reason, start_day, reader``).
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import polars as pl

from livingdrug.clinical.survival import compute_at_risk, compute_cumulative_incidence, compute_kaplan_meier
from livingdrug.core.errors import InputError

ALL = "all"
SWIMMER = {
    "order": pl.Int64,
    "subject_id": pl.String,
    "kind": pl.String,
    "label": pl.String,
    "start_day": pl.Float64,
    "end_day": pl.Float64,
}
WATERFALL = {
    "order": pl.Int64,
    "subject_id": pl.String,
    "variable": pl.String,
    "baseline": pl.Float64,
    "best": pl.Float64,
    "best_day": pl.Float64,
    "change_percent": pl.Float64,
    "best_response": pl.String,
}
SURVIVAL = {
    "group": pl.String,
    "time": pl.Float64,
    "survival": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "at_risk": pl.Int64,
    "events": pl.Int64,
    "censored": pl.Int64,
}
INCIDENCE = {
    "group": pl.String,
    "cause": pl.String,
    "time": pl.Float64,
    "incidence": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "at_risk": pl.Int64,
}
MARKERS = {
    "response": ("confirmed_response", "event"),
    "complete response": ("confirmed_complete_response", "event"),
    "progression": ("progression", "event"),
    "death": ("overall_survival", "event"),
    "new treatment": ("time_to_next_treatment", "event"),
    "alive": ("overall_survival", "censored"),
}
BURDEN = ("target_lesion_sum", "tumour_spd", "metabolic_tumour_volume", "tumour_volume", "m_protein", "urine_m_protein")


def tabulate_swimmer(verdicts: pl.DataFrame, endpoints: pl.DataFrame, *, reader: str | None = None) -> pl.DataFrame:
    """Return bars, stretches of a confirmed category, and marks, one row each.

    Parameters
    ----------
    verdicts, endpoints : table
    reader : str, optional
        Whose; the first one by name where there are several. Subjects whom nobody has read by name are in it too.

    Returns
    -------
    table
        ``order, subject_id, kind, label, start_day, end_day``. ``kind`` is ``bar``: from the start to the
        last day known; ``state``: a confirmed category until it changes, progresses or the bar ends; ``mark``:
        response, progression, death, new treatment, or alive at the end. The longest bar has ``order`` 0.
    """
    verdicts, endpoints = _choose_reader(verdicts, reader), _choose_reader(endpoints, reader)
    ends = _find_ends(verdicts, endpoints)
    marks = {name: _pick(endpoints, *chosen) for name, chosen in MARKERS.items()}
    states = verdicts.sort("day").partition_by("subject_id", as_dict=True)
    rows: list[tuple[object, ...]] = []
    for order, (subject, start, end) in enumerate(sorted(ends, key=lambda found: (found[1] - found[2], found[0]))):
        rows.append((order, subject, "bar", "", start, end))
        own = states.get((subject,))
        if own is not None:
            rows += [(order, subject, "state", *state) for state in _join_states(own, end)]
        found = [(days[subject], name) for name, days in marks.items() if subject in days]
        reasons = {name for _, name in found}
        rows += [
            (order, subject, "mark", name, day, day)
            for day, name in sorted(found)
            if not (name == "new treatment" and "death" in reasons and day == marks["death"][subject])
        ]
    return pl.DataFrame(rows, schema=SWIMMER, orient="row")


def _choose_reader(table: pl.DataFrame, reader: str | None) -> pl.DataFrame:
    """Return the rows of a reader; those without a reader for subjects whom nobody has read by name."""
    if "reader" not in table.columns or table.is_empty():
        return table
    by = pl.col("reader").fill_null("")
    named = table.filter(by != "")["reader"].unique().sort().to_list()
    chosen = reader if reader is not None else named[0] if named else ""
    is_nobody = (by == "").all().over("subject_id")
    return table.filter((by == chosen) | is_nobody)


def _pick(endpoints: pl.DataFrame, endpoint: str, status: str) -> dict[str, float]:
    """Return subject and day of the rows of one endpoint and status that have a day."""
    is_it = (pl.col("endpoint") == endpoint) & (pl.col("status") == status) & pl.col("day").is_not_null()
    rows = endpoints.filter(is_it)
    return dict(zip(rows["subject_id"].to_list(), rows["day"].to_list(), strict=True))


def _find_ends(verdicts: pl.DataFrame, endpoints: pl.DataFrame) -> list[tuple[str, float, float]]:
    """Return each subject with the first and the last day that the bar spans."""
    survival = endpoints.filter(pl.col("endpoint") == "overall_survival")
    seen = verdicts.select("subject_id", "day", pl.lit(None, dtype=pl.Float64).alias("start_day"))
    known = pl.concat([survival.select("subject_id", "day", "start_day"), seen], how="vertical_relaxed")
    ends = known.group_by("subject_id").agg(pl.col("start_day").min(), pl.col("day").max())
    ends = ends.with_columns(pl.col("start_day").fill_null(0.0)).drop_nulls("day")
    return [(subject, start, max(start, end)) for subject, start, end in ends.iter_rows()]


def _join_states(own: pl.DataFrame, end: float) -> list[tuple[str, float, float]]:
    """Return the confirmed categories of one subject, those that follow each other joined."""
    points = list(zip(own["confirmed"].to_list(), own["day"].to_list(), strict=True))
    starts = [(category, next(group)[1]) for category, group in groupby(points, key=lambda point: point[0])]
    stops = [*(day for _, day in starts[1:]), max(end, starts[-1][1])]
    return [(category, day, stop) for (category, day), stop in zip(starts, stops, strict=True)]


def tabulate_waterfall(
    observations: pl.DataFrame,
    endpoints: pl.DataFrame,
    *,
    variables: Sequence[str] = BURDEN,
    reader: str | None = None,
) -> pl.DataFrame:
    """Return the best change of tumour burden of each subject, worst first.

    The best value counts up to progression or new treatment, with the value on the day of progression;
    baseline is the last value up to day 0. Not detected is 0.

    Parameters
    ----------
    observations : table
        Of a record; or the sums by day that an assessment gives, with a column ``variable``.
    endpoints : table
        Best response, progression and new treatment are looked up.
    variables : sequence of str
        A subject's first one with a baseline above 0 and a value after it counts.
    reader : str, optional

    Returns
    -------
    table
        ``order, subject_id, variable, baseline, best, best_day, change_percent, best_response``; subjects
        without such values are not in it.
    """
    endpoints = _choose_reader(endpoints, reader)
    observations = _choose_images(observations, endpoints)
    limits = [_pick(endpoints, *MARKERS[name]) for name in ("progression", "new treatment")]
    best = endpoints.filter(pl.col("endpoint") == "best_overall_response")
    named = dict(zip(best["subject_id"].to_list(), best["value"].to_list(), strict=True))
    detected = pl.col("value")
    if "censored" in observations.columns:
        detected = pl.when(pl.col("censored") == "left").then(0.0).otherwise(pl.col("value"))
    rows = observations.filter(pl.col("variable").is_in(variables)).with_columns(value=detected)
    rows = rows.drop_nulls(["value", "day"]).sort("day", "value")
    found = []
    for (subject,), own in rows.partition_by("subject_id", as_dict=True, maintain_order=True).items():
        limit = min((days[subject] for days in limits if subject in days), default=float("inf"))
        change = _find_change(own, variables, limit)
        if change is not None:
            found.append((str(subject), *change, named.get(subject)))
    found.sort(key=lambda row: (-row[5], row[0]))
    return pl.DataFrame([(order, *row) for order, row in enumerate(found)], schema=WATERFALL, orient="row")


def _choose_images(observations: pl.DataFrame, endpoints: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the reader whose endpoints count, and those that name none, such as laboratory values."""
    by = pl.col("reader").fill_null("")
    named = endpoints.filter(by != "")["reader"].unique().to_list() if "reader" in endpoints.columns else []
    if not named or "reader" not in observations.columns:
        return observations
    return observations.filter((by == "") | by.is_in(named))


def _find_change(
    own: pl.DataFrame, variables: Sequence[str], limit: float
) -> tuple[str, float, float, float, float] | None:
    for variable in variables:
        series = own.filter(pl.col("variable") == variable)
        before = series.filter(pl.col("day") <= 0)["value"]
        after = series.filter((pl.col("day") > 0) & (pl.col("day") <= limit))
        if before.is_empty() or after.is_empty() or before[-1] <= 0:
            continue
        baseline, place = float(before[-1]), int(after["value"].arg_min() or 0)
        best = float(after["value"][place])
        return variable, baseline, best, float(after["day"][place]), 100.0 * (best - baseline) / baseline
    return None


def select_times(
    endpoints: pl.DataFrame, endpoint: str, *, groups: Mapping[str, str] | None = None, reader: str | None = None
) -> pl.DataFrame:
    """Return ``subject_id, group, time, is_event`` of one time-to-event endpoint.

    Subjects in whom it is not defined are left out: those without a day or without a start.

    Parameters
    ----------
    groups : mapping of subject to group, optional
        Subjects that it does not name are left out.

    Raises
    ------
    InputError
        If nobody has the endpoint.
    """
    rows = _choose_reader(endpoints, reader).filter(pl.col("endpoint") == endpoint)
    if rows.is_empty():
        known = ", ".join(sorted(set(endpoints["endpoint"].to_list())))
        raise InputError(f"`endpoint` must be one of the table, but was {endpoint!r}. Hint: use one of {known}.")
    rows = rows.drop_nulls(["day", "start_day"])
    named = [ALL if groups is None else groups.get(subject) for subject in rows["subject_id"].to_list()]
    return rows.select(
        "subject_id",
        pl.Series("group", named, dtype=pl.String),
        (pl.col("day") - pl.col("start_day")).alias("time"),
        (pl.col("status") == "event").alias("is_event"),
    ).drop_nulls("group")


def tabulate_kaplan_meier(
    endpoints: pl.DataFrame,
    endpoint: str = "progression_free_survival",
    *,
    groups: Mapping[str, str] | None = None,
    reader: str | None = None,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Return the Kaplan-Meier curve of each group, from time 0.

    Returns
    -------
    table
        ``group, time, survival, lower, upper, at_risk, events, censored``; a row a distinct time, and one at 0.

    Examples
    --------
    >>> table = pl.DataFrame({"subject_id": ["a", "b"], "endpoint": ["overall_survival"] * 2, "day": [90.0, 200.0],
    ...                       "status": ["event", "censored"], "start_day": [0.0, 0.0]})
    >>> tabulate_kaplan_meier(table, "overall_survival").select("time", "survival", "at_risk").rows()
    [(0.0, 1.0, 2), (90.0, 0.5, 2), (200.0, 0.5, 1)]
    """
    times = select_times(endpoints, endpoint, groups=groups, reader=reader)
    rows: list[tuple[object, ...]] = []
    for group, own in _split(times):
        curve = compute_kaplan_meier(own["time"].to_numpy(), own["is_event"].to_numpy(), confidence=confidence)
        if curve.time[0] > 0:
            rows.append((group, 0.0, 1.0, 1.0, 1.0, len(own), 0, 0))
        columns = (curve.time, curve.survival, curve.lower, curve.upper, curve.at_risk, curve.events, curve.censored)
        rows += [(group, *row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return pl.DataFrame(rows, schema=SURVIVAL, orient="row")


def _split(times: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    parts = {str(key[0]): own for key, own in times.partition_by("group", as_dict=True).items()}
    return [(group, parts[group]) for group in sorted(parts)]


def tabulate_at_risk(
    endpoints: pl.DataFrame,
    endpoint: str,
    days: Sequence[float],
    *,
    groups: Mapping[str, str] | None = None,
    reader: str | None = None,
) -> pl.DataFrame:
    """Return ``group, time, at_risk``: those with ``time >= day`` on each of some days.

    Examples
    --------
    >>> table = pl.DataFrame({"subject_id": ["a", "b"], "endpoint": ["overall_survival"] * 2, "day": [90.0, 200.0],
    ...                       "status": ["event", "censored"], "start_day": [0.0, 0.0]})
    >>> tabulate_at_risk(table, "overall_survival", [0.0, 90.0, 91.0])["at_risk"].to_list()
    [2, 2, 1]
    """
    times = select_times(endpoints, endpoint, groups=groups, reader=reader)
    asked = np.asarray(days, dtype=float)
    rows = [
        (group, day, count)
        for group, own in _split(times)
        for day, count in zip(asked.tolist(), compute_at_risk(own["time"].to_numpy(), asked).tolist(), strict=True)
    ]
    return pl.DataFrame(rows, schema={"group": pl.String, "time": pl.Float64, "at_risk": pl.Int64}, orient="row")


def tabulate_cumulative_incidence(
    endpoints: pl.DataFrame,
    causes: Sequence[str] = ("progression_incidence", "non_relapse_mortality"),
    *,
    groups: Mapping[str, str] | None = None,
    reader: str | None = None,
    confidence: float = 0.95,
) -> pl.DataFrame:
    """Return the cumulative incidence of each of some endpoints that rule each other out.

    Parameters
    ----------
    causes : sequence of str
        Endpoints that end on one day in one subject, of which at most one is an event.

    Returns
    -------
    table
        ``group, cause, time, incidence, lower, upper, at_risk``.
    """
    first, *others = (select_times(endpoints, cause, groups=groups, reader=reader) for cause in causes)
    joined = first.with_columns(cause=pl.col("is_event").cast(pl.Int64))
    for number, other in enumerate(others, start=2):
        mine = other.select("subject_id", (pl.col("is_event").cast(pl.Int64) * number).alias("_more"))
        joined = joined.join(mine, on="subject_id", how="left").with_columns(
            cause=pl.max_horizontal("cause", pl.col("_more").fill_null(0))
        )
        joined = joined.drop("_more")
    rows: list[tuple[object, ...]] = []
    for group, own in _split(joined):
        for number, cause in enumerate(causes, start=1):
            curve = compute_cumulative_incidence(
                own["time"].to_numpy(), own["cause"].to_numpy(), number, confidence=confidence
            )
            columns = (curve.time, curve.incidence, curve.lower, curve.upper, curve.at_risk)
            rows += [(group, cause, *row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return pl.DataFrame(rows, schema=INCIDENCE, orient="row")
