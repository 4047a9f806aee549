"""Many subjects with myeloma judged at once: those who have the same variables share the arrays of their visits.

What is asked of one is asked of all in the same clauses, so that a subject's answers do not depend on the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from livingdrug.clinical.confirmation import Courses, Seen, confirm
from livingdrug.clinical.history import Happening, read_history
from livingdrug.clinical.myeloma import IMMUNOGLOBULINS, TimePoints, judge_panel, read_samples
from livingdrug.clinical.myeloma import VARIABLES as SAMPLES
from livingdrug.clinical.myeloma_baseline import find_baseline, subtract_chains
from livingdrug.clinical.myeloma_clauses import TRUE, ask_number
from livingdrug.clinical.myeloma_courses import build_courses, see
from livingdrug.clinical.myeloma_flags import FLAGS
from livingdrug.clinical.panel import Bools, Column, list_measured
from livingdrug.clinical.relapse import ORGANS, Labels, ask_labels, read_relapse_samples
from livingdrug.clinical.response import choose_settings
from livingdrug.core.assessment import ResponseCourse, SubjectTables
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import OptionValue, Ruleset

LAG = "M-protein lags behind: light chains have fallen, so this is not a lack of response yet"
OTHER_BAND = "immunofixation shows a band of another isotype: immune reconstitution, an antibody, or another clone"
READ = frozenset((*SAMPLES, *IMMUNOGLOBULINS, *ORGANS, *FLAGS))


@dataclass(frozen=True, slots=True)
class Group:
    """Subjects judged at once.

    Parameters
    ----------
    histories : events of each subject, by day
    points, seen, courses : as arrays of (visit, subject)
    told : course of each subject
    labels : of relapse
    is_measured : (subject,) whether anything was measured after day 0
    collected : mapping of variable to Column
        What there was before leukapheresis.
    notes : mapping of (subject, visit) to sentence
    """

    histories: tuple[tuple[Happening, ...], ...]
    points: TimePoints
    seen: Seen
    courses: Courses
    told: tuple[ResponseCourse, ...]
    labels: Labels
    is_measured: Bools
    collected: Mapping[str, Column]
    notes: Mapping[tuple[int, int], str]


def list_groups(subjects: Sequence[SubjectTables]) -> list[list[int]]:
    """Return the places of subjects who have the same variables.

    Examples
    --------
    >>> nothing = pl.DataFrame(schema={"day": pl.Float64, "variable": pl.String})
    >>> some = pl.DataFrame({"day": [1.0, 1.0], "variable": ["m_protein", "crp"]})
    >>> list_groups([SubjectTables({}, nothing, rows) for rows in (some, nothing, some)])
    [[0, 2], [1]]
    """
    groups: dict[frozenset[str], list[int]] = {}
    for place, tables in enumerate(subjects):
        names = set(tables.observations["variable"].to_list())
        wanted = frozenset(name for name in names if name is not None and name.partition(":")[0] in READ)
        groups.setdefault(wanted, []).append(place)
    return list(groups.values())


def judge_group(subjects: Sequence[SubjectTables], rules: Ruleset, chosen: Mapping[str, OptionValue]) -> Group:
    """Judge and confirm what every subject's visits showed, and ask for the labels of relapse."""
    names = [str(place) for place in range(len(subjects))]
    observations = pl.concat(list(_name(subjects, names)), how="diagonal_relaxed")
    histories = tuple(read_history(tables.events) for tables in subjects)
    panel = read_samples(observations, chosen, names)
    points = judge_panel(panel, histories, rules, chosen)
    seen = see(points, histories)
    courses = confirm(seen, choose_settings(chosen)[0])
    return Group(
        histories,
        points,
        seen,
        courses,
        build_courses(seen, courses),
        ask_labels(read_relapse_samples(observations, histories, rules, chosen, names)),
        np.asarray((list_measured(panel, SAMPLES) & (panel.day > 0)).any(axis=0)),
        find_baseline(points.panel, np.array([find_collection(history) for history in histories])),
        _find_notes(points, rules),
    )


def find_collection(history: Sequence[Happening]) -> float:
    """Return the day of the first leukapheresis, or day 0."""
    return min((event.day for event in history if event.type == "leukapheresis"), default=0.0)


def _name(subjects: Sequence[SubjectTables], names: Sequence[str]) -> Iterator[pl.DataFrame]:
    for tables, name in zip(subjects, names, strict=True):
        rows = tables.observations
        if "row" not in rows.columns:
            rows = rows.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        yield rows.with_columns(subject_id=pl.lit(name))


def _find_notes(points: TimePoints, rules: Ruleset) -> dict[tuple[int, int], str]:
    """Say where to look again: light chains lead while M-protein lags, and bands of another isotype."""
    panel, baseline = points.panel, points.baseline
    first = (baseline.found["flc_kappa"], baseline.found["flc_lambda"])
    pair = [subtract_chains(*chains, baseline.involved) for chains in (first, panel.chains)]
    fallen = ask_number("light chain difference", pair, "percent fall >=", rules.thresholds["partial_flc"])
    is_early = (panel.day > 0) & (panel.day <= rules.threshold("early_look_end"))
    is_low = (points.category >= Response.PD.rank) & (points.category <= Response.MR.rank)
    lags = is_early & is_low & baseline.serum & (fallen.truth == TRUE)
    notes: dict[tuple[int, int], str] = {}
    for where, text in ((lags, LAG), (points.is_other_band, OTHER_BAND)):
        for visit, subject in np.argwhere(where).tolist():
            notes[subject, visit] = "; ".join(filter(None, (notes.get((subject, visit), ""), text)))
    return notes
