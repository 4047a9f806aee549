"""What a trial hands back: a row a patient, and the tables that are made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from livingdrug.clinical.survival import compute_cumulative_incidence
from livingdrug.clinical.survival_comparison import compute_log_rank
from livingdrug.core.errors import InputError
from livingdrug.study.trial_design import TrialDesign
from livingdrug.study.trial_plausibility import WEIGHTED, Weights, compute_weights, tabulate_weighted
from livingdrug.study.trial_result_rates import (
    COLUMNS,
    DIED_FIRST,
    FAILURES,
    SCHEMA,
    SURVIVAL,
    Row,
    compute_curve,
    tabulate_arm,
    take_times,
)
from livingdrug.study.trial_result_words import tell_trial

CURVE = {
    "arm": pl.String,
    "endpoint": pl.String,
    "time": pl.Float64,
    "survival": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "at_risk": pl.Int64,
    "events": pl.Int64,
    "censored": pl.Int64,
}
COMPETING = (*FAILURES, "death_without_failure")
"""Ways to leave a response, each of which rules out the others."""
COMPARED = ("pfs", "os", "dor")


@dataclass(frozen=True, repr=False, eq=False)  # no slots: tables are made once and kept
class TrialResult:
    """The outcomes of a virtual trial.

    Parameters
    ----------
    design : TrialDesign
    frame : lazy table
        The outcomes; of a very large trial they stay in its folder and are read as far as they are asked for.
    manifest : mapping
        What ran: versions, seed, hashes, options, assumed values, sources.
    """

    design: TrialDesign
    frame: pl.LazyFrame
    manifest: Mapping[str, Any]

    @property
    def outcomes(self) -> pl.DataFrame:
        """One row a patient: arm, responses, failure, and ``..._time`` and ``..._event`` of each endpoint."""
        return self.frame.collect()

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms."""
        return tuple(arm.name for arm in self.design.arms)

    def of(self, arm: str, *columns: str) -> pl.DataFrame:
        """Return the outcomes of one arm, or some columns of them.

        Raises
        ------
        InputError
            If there is no such arm.
        """
        if arm not in self.arms:
            known = ", ".join(self.arms)
            raise InputError(f"`arm` must be one of the trial, but was {arm!r}. Hint: use one of {known}.")
        return self.frame.filter(pl.col("arm") == arm).select(*(columns or (pl.all(),))).collect()

    @cached_property
    def endpoints(self) -> pl.DataFrame:
        """Rates, medians and landmarks of each arm with 95 % intervals, and log-rank tests against the first arm.

        Columns ``arm, endpoint, statistic, value, lower, upper, unit, n, events``.
        """
        rows = [row for arm in self.arms for row in tabulate_arm(arm, self.of(arm, *COLUMNS), self.design.days)]
        if self.design.plausible:
            columns = ("response", "complete_response", "pfs_time", "pfs_event")
            weighed = ((arm, self.of(arm, *columns), self.weigh(arm)) for arm in self.arms)
            rows += [row for arm, own, weights in weighed for row in tabulate_weighted(arm, own, weights)]
        rows += [row for arm in self.arms[1:] for row in self._compare(arm)]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def weigh(self, arm: str) -> Weights:
        """Return the plausibility weights of the patients of an arm; even ones where the design states nothing."""
        rules = [rule for rule in self.design.plausible if not rule.arms or arm in rule.arms]
        own = self.of(arm, *dict.fromkeys(["subject_id", *(rule.column for rule in rules)]))
        return compute_weights(own, rules, arm)

    @property
    def weights(self) -> pl.DataFrame:
        """Plausibility weights: ``arm, subject_id, weight``, with mean 1 in each arm."""
        tables = [
            self.of(arm, "arm", "subject_id").with_columns(weight=pl.Series(self.weigh(arm).weight))
            for arm in self.arms
        ]
        return pl.concat(tables)

    def _compare(self, arm: str) -> list[Row]:
        rows: list[Row] = []
        for name in COMPARED:
            columns = ("arm", f"{name}_time", f"{name}_event")
            own = pl.concat([self.of(one, *columns) for one in (self.arms[0], arm)]).drop_nulls()
            time, is_event = take_times(own, name)
            if own["arm"].n_unique() < 2 or not is_event.any():
                continue
            found = compute_log_rank(time, is_event, own["arm"].to_numpy())
            say = f"{arm} against {self.arms[0]}", SURVIVAL[name], "log-rank p value"
            rows.append((*say, found.p_value, None, None, "1", len(own), int(is_event.sum())))
        return rows

    def km(self, arm: str | None = None, endpoint: str = "progression_free_survival") -> pl.DataFrame:
        """Return Kaplan-Meier curves from time 0.

        Parameters
        ----------
        arm : str, optional
            All by default.
        endpoint : str
            ``progression_free_survival``, ``overall_survival``, ``duration_of_response``, ...

        Returns
        -------
        table
            ``arm, endpoint, time, survival, lower, upper, at_risk, events, censored``.

        Raises
        ------
        InputError
            If there is no such arm or endpoint.
        """
        names = {whole: name for name, whole in SURVIVAL.items()}
        if endpoint not in names:
            hint = f"use one of {', '.join(names)}"
            raise InputError(f"`endpoint` must be a time to an event, but was {endpoint!r}. Hint: {hint}.")
        chosen = self.arms if arm is None else (arm,)
        tables = [self._tabulate_curve(one, endpoint, names[endpoint]) for one in chosen]
        return pl.concat(tables)

    def _tabulate_curve(self, arm: str, endpoint: str, name: str) -> pl.DataFrame:
        curve = compute_curve(self.of(arm, f"{name}_time", f"{name}_event"), name)
        if curve is None:
            return pl.DataFrame(schema=CURVE)
        columns = {
            c: getattr(curve, c) for c in ("time", "survival", "lower", "upper", "at_risk", "events", "censored")
        }
        table = pl.DataFrame(columns)
        if curve.time[0] > 0:
            start = pl.DataFrame([(0.0, 1.0, 1.0, 1.0, int(curve.at_risk[0]), 0, 0)], schema=table.schema, orient="row")
            table = pl.concat([start, table])
        return table.select(pl.lit(arm).alias("arm"), pl.lit(endpoint).alias("endpoint"), pl.all()).cast(CURVE)  # type: ignore[arg-type]

    @property
    def curves(self) -> pl.DataFrame:
        """Kaplan-Meier curves of every arm and endpoint."""
        return pl.concat([self.km(endpoint=endpoint) for endpoint in SURVIVAL.values()])

    @cached_property
    def failures(self) -> pl.DataFrame:
        """Cumulative incidence of each class of failure and of death without one, which compete.

        Columns ``arm, failure, time, incidence, lower, upper``.
        """
        tables = []
        for arm in self.arms:
            own = _take_causes(self.of(arm, *CAUSES))
            for number, name in enumerate(COMPETING, start=1):
                if own.is_empty():
                    continue
                curve = compute_cumulative_incidence(own["time"].to_numpy(), own["cause"].to_numpy(), number)
                found = {c: getattr(curve, c) for c in ("time", "incidence", "lower", "upper")}
                tables.append(
                    pl.DataFrame(found).select(arm=pl.lit(arm), failure=pl.lit(name), **{c: pl.col(c) for c in found})
                )
        schema = {
            "arm": pl.String,
            "failure": pl.String,
            **dict.fromkeys(("time", "incidence", "lower", "upper"), pl.Float64),
        }
        return pl.concat(tables) if tables else pl.DataFrame(schema=schema)

    def summary(self) -> str:
        """Return the main results as text.

        Examples
        --------
        >>> from livingdrug.study.run_trial import run_trial
        >>> arm = {"name": "ide", "product": "ide_cel", "n": 8}
        >>> design = {"trial": {"name": "One arm", "disease": "myeloma", "days": 180}, "arm": [arm]}
        >>> print(run_trial(design, jobs=1).summary().splitlines()[0])
        One arm: 8 virtual patients, 1 arm, imwg/2016, seed 1
        """
        design, table = self.design, self.endpoints
        arms = f"{len(self.arms)} arm{'' if len(self.arms) == 1 else 's'}"
        lines = [f"{design.name}: {design.n} virtual patients, {arms}, {design.criteria}, seed {design.seed}"]
        for arm in self.arms:
            own = table.filter(pl.col("arm") == arm)
            lines.append(f"  {arm} (n = {design.arm(arm).n})")
            lines += [line for row in own.iter_rows(named=True) if (line := _say(row))]
        lines += [f"  {line}" for line in tell_trial(table, self.arms)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.summary()


CAUSES = ("failure", "failure_day", "death_day", "next_therapy_day", "last_assessment_day", "follow_up_day")


def _take_causes(own: pl.DataFrame) -> pl.DataFrame:
    """Return when and how patients left the response: ``time, cause``, where cause 0 is none of :data:`COMPETING`.

    Those in whom the therapy had not failed are at risk of death until they were last followed, not only until they
    were last assessed; beyond a new therapy nothing is known of this one.
    """
    named = own.with_columns(failure=pl.when(DIED_FIRST).then(pl.lit(COMPETING[-1])).otherwise(pl.col("failure")))
    numbers = list(range(1, len(COMPETING) + 1))
    until = pl.when(pl.col("next_therapy_day").is_null()).then(pl.col("follow_up_day"))
    followed = pl.when(pl.col("last_assessment_day").is_not_null()).then(pl.coalesce(until, "last_assessment_day"))
    is_death = pl.col("failure") == COMPETING[-1]
    return named.select(
        time=pl.when(is_death).then(pl.col("death_day")).otherwise(pl.coalesce("failure_day", followed)),
        cause=pl.col("failure").replace_strict(list(COMPETING), numbers, default=0, return_dtype=pl.Int64),
    ).drop_nulls()


SHOWN = ("overall_response", "complete_response", "very_good_partial_response_or_better", "mrd_negative")


def _say(row: Mapping[str, Any]) -> str:
    """Return a row of the endpoints as a line of the summary; empty where it is left to the table."""
    name, value, lower, upper = row["endpoint"].replace("_", " "), row["value"], row["lower"], row["upper"]
    if row["statistic"] == WEIGHTED:
        return ""
    if row["endpoint"] in SHOWN:
        return f"    {name:<40} {100 * value:5.1f} % ({100 * lower:.1f} to {100 * upper:.1f})"
    if row["endpoint"] == "failure" and row["statistic"] in FAILURES:
        words = f"failure: {row['statistic'].replace('_', ' ')}"
        return f"    {words:<40} {100 * value:5.1f} % ({100 * lower:.1f} to {100 * upper:.1f})"
    if row["statistic"] == "median" and row["endpoint"] in ("progression_free_survival", "overall_survival"):
        bounds = ["not reached" if bound is None else f"{bound:.1f}" for bound in (value, lower, upper)]
        return f"    {name + ', median months':<40} {bounds[0]:>5} ({bounds[1]} to {bounds[2]})"
    return ""
