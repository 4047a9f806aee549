"""A cohort with myeloma at once: verdicts and courses as tables, in chunks, so that memory stays flat."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.clinical.confirmation import Courses, confirm
from livingdrug.clinical.history import read_histories
from livingdrug.clinical.myeloma import TimePoint, TimePoints, assess_myeloma, judge_panel, read_samples
from livingdrug.clinical.myeloma_clauses import list_names
from livingdrug.clinical.myeloma_courses import CATEGORIES, see, tabulate_courses, take_days
from livingdrug.clinical.response import choose_settings
from livingdrug.core.ruleset import OptionValue, Ruleset

SUBJECTS_PER_CHUNK = 4000


@dataclass(frozen=True, slots=True)
class MyelomaCohort:
    """What the criteria say of many subjects.

    Parameters
    ----------
    verdicts : table
        ``subject_id, day, time_point, confirmed, first_day, unknowns``; one row a visit after day 0.
    courses : table
        ``subject_id, best, best_day, best_unconfirmed, response_day, unconfirmed_response_day,
        complete_response_day, progression_day, is_progression_presumptive, assessed_days, missed_days``; one row
        a subject who has results.
    """

    verdicts: pl.DataFrame
    courses: pl.DataFrame
    _observations: pl.DataFrame
    _events: pl.DataFrame
    _rules: Ruleset
    _options: Mapping[str, OptionValue]

    def trace(self, subject_id: str) -> tuple[TimePoint, ...]:
        """Return the visits of one subject with the findings that they rest on.

        They are cut out of the clauses that gave the tables, asked again of this subject's rows alone.
        """
        rows = self._observations
        if "row" not in rows.columns:
            rows = rows.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        own = rows.filter(pl.col("subject_id") == subject_id)
        events = self._events.filter(pl.col("subject_id") == subject_id)
        return assess_myeloma(own, events, self._rules, **self._options)


def assess_myeloma_cohort(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, **options: OptionValue
) -> MyelomaCohort:
    """Assess every subject of a cohort: time points, confirmation, dates, and the course.

    Parameters
    ----------
    observations, events : table
        Of a record, with ``subject_id``.
    rules : Ruleset
        ``imwg/2016``.
    options
        In place of the ruleset's.

    Source
    ------
    kumar2016

    Examples
    --------
    >>> from livingdrug.knowledge.rules import load_rules
    >>> rows = [("a", -7.0, 3.0), ("a", 28.0, 1.4), ("a", 56.0, 1.2), ("b", -7.0, 2.0), ("b", 28.0, 1.9)]
    >>> table = pl.DataFrame(rows, schema=["subject_id", "day", "value"], orient="row")
    >>> table = table.with_columns(variable=pl.lit("m_protein"))
    >>> events = pl.DataFrame(schema={"subject_id": pl.String, "day": pl.Float64, "type": pl.String})
    >>> cohort = assess_myeloma_cohort(table, events, load_rules("imwg/2016"))
    >>> cohort.courses["best"].to_list(), cohort.verdicts["time_point"].to_list()
    (['PR', 'SD'], ['PR', 'PR', 'SD'])
    """
    parts = list(iterate_cohort(observations, events, rules, **options))
    verdicts, courses = ([part[place] for part in parts] for place in (0, 1))
    return MyelomaCohort(pl.concat(verdicts), pl.concat(courses), observations, events, rules, options)


def iterate_cohort(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, **options: OptionValue
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield verdicts and courses of some thousand subjects at a time, in the order of their first rows."""
    chosen = rules.choose(options)
    table, starts, subjects = _group(observations)
    for first in range(0, max(len(subjects), 1), SUBJECTS_PER_CHUNK):
        names = subjects[first : first + SUBJECTS_PER_CHUNK]
        begin, end = starts[first], starts[min(first + SUBJECTS_PER_CHUNK, len(subjects))]
        own = table.slice(begin, end - begin)
        histories = read_histories(events.filter(pl.col("subject_id").is_in(names)), names)
        points = judge_panel(read_samples(own, chosen, names), histories, rules, chosen)
        seen = see(points, histories)
        courses = confirm(seen, choose_settings(chosen)[0])
        yield tabulate_verdicts(points, courses), tabulate_courses(points.panel.subjects, seen, courses)


def _group(observations: pl.DataFrame) -> tuple[pl.DataFrame, Sequence[int], list[str]]:
    """Return the rows with those of a subject together, where each subject's begin, and the subjects."""
    ids = observations["subject_id"]
    subjects = ids.unique(maintain_order=True)
    table = observations
    if "row" not in observations.columns:
        table = table.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    runs = ids.rle()
    if len(runs) > len(subjects):
        order = pl.DataFrame({"subject_id": subjects, "_place": np.arange(len(subjects))})
        table = table.join(order, on="subject_id", how="left", maintain_order="left")
        table = table.sort("_place", maintain_order=True).drop("_place")
        runs = table["subject_id"].rle()
    lengths = runs.struct.field("len").to_numpy() if len(runs) else np.zeros(0, dtype=np.int64)
    return table, [0, *np.cumsum(lengths).tolist()], subjects.to_list()


def tabulate_verdicts(points: TimePoints, courses: Courses) -> pl.DataFrame:
    """Return one row a visit after day 0."""
    subject, visit = np.nonzero(points.is_judged.T)
    unknowns = (points.capped_by | points.not_excluded)[visit, subject]
    sets, place = np.unique(unknowns, return_inverse=True)
    lists = pl.Series([list(list_names(int(marks))) for marks in sets], dtype=pl.List(pl.String))
    return pl.DataFrame(
        {
            "subject_id": pl.Series(points.panel.subjects, dtype=pl.String).gather(subject),
            "day": points.panel.day[visit, subject],
            "time_point": CATEGORIES.gather(points.category[visit, subject]),
            "confirmed": CATEGORIES.gather(courses.confirmed[visit, subject]),
            "first_day": take_days(courses.first_day[visit, subject]),
            "unknowns": lists.gather(place),
        }
    )
