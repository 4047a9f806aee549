"""Multiple myeloma: the IMWG category of each visit, from laboratory values, with the rows it rests on.

Responses are counted from baseline, progression from the nadir. Levels are tested from the top: the
category is the first whose clause is true, and what kept a higher one open is named. Missing values never
make a response, a progression or a stable disease. All subjects of a table are judged at once; the trail of
one is cut out of the same clauses. Source: kumar2016.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from livingdrug.clinical.confirmation import ROUTES
from livingdrug.clinical.history import Happening, find_new_therapy, find_start, read_history
from livingdrug.clinical.myeloma_baseline import Baseline, derive_baseline
from livingdrug.clinical.myeloma_clauses import (
    FALSE,
    TRUE,
    Clause,
    describe,
    find_fresh,
    find_missing,
    find_truth,
    list_names,
    mark,
)
from livingdrug.clinical.myeloma_flags import FLAGS, find_routes
from livingdrug.clinical.myeloma_nadir import Nadir
from livingdrug.clinical.myeloma_progression import find_progression
from livingdrug.clinical.myeloma_response import find_levels
from livingdrug.clinical.myeloma_samples import (
    LONGEST,
    SHORT,
    find_therapeutic_antibodies,
    replace_serum,
    set_aside_bands,
    sum_lesions,
)
from livingdrug.clinical.panel import Bools, Codes, Ints, Panel
from livingdrug.clinical.panel_reading import read_panel
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, OptionValue, Ruleset, Truth, Verdict

VARIABLES = (
    "m_protein",
    "urine_m_protein",
    "flc_kappa",
    "flc_lambda",
    "serum_immunofixation",
    "urine_immunofixation",
    "marrow_plasma_cells",
    "marrow_clonal_plasma_cells",
    "plasmacytoma_spd",
    "new_lesion",
    "bone_lesion_progression",
    "circulating_plasma_cells",
    LONGEST,
    SHORT,
)
IMMUNOGLOBULINS = ("immunoglobulin_a", "immunoglobulin_d")
CATEGORIES = tuple(Response)
"""Categories by their code, which is their rank."""
NE, PD, SD = (np.int8(Response(name).rank) for name in ("NE", "PD", "SD"))
LOWEST = (Response.PR, Response.MR)


@dataclass(frozen=True, slots=True)
class TimePoint:
    """The category of one visit, before confirmation.

    ``is_imaging`` and ``is_marrow`` say that imaging or marrow shows the progression, which needs no second
    sample; ``is_after_therapy`` that a new treatment had begun: such a visit makes no response, but may
    confirm a progression. ``confirmed_by`` is how a site says that a progression was confirmed.
    """

    day: float
    category: Response
    verdict: Verdict
    is_imaging: bool
    is_after_therapy: bool
    is_marrow: bool = False
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class TimePoints:
    """The categories of many subjects, as arrays of (visit, subject), and the clauses that they rest on.

    Parameters
    ----------
    panel : Panel
    category : rank in ``Response``
    is_judged : where there is a visit after day 0
    is_imaging, is_marrow, is_after_therapy : bool
    capped_by, not_excluded : sets of names
        What kept a higher level open, and what kept progression open.
    route : how a site says that a progression was confirmed
    is_other_band : where immunofixation shows another clone
    """

    panel: Panel
    baseline: Baseline
    category: Codes
    is_judged: Bools
    is_imaging: Bools
    is_marrow: Bools
    is_after_therapy: Bools
    capped_by: Ints
    not_excluded: Ints
    route: Codes
    is_other_band: Bools
    progression: Clause
    levels: tuple[tuple[Response, Clause], ...] = field(default=())

    def find_verdict(self, subject: int, visit: int, ruleset: str) -> Verdict:
        """Return the category of one visit and everything it rests on."""
        category = CATEGORIES[int(self.category[visit, subject])]
        name, day = self.panel.subjects[subject], float(self.panel.day[visit, subject])
        if category == Response.PD:
            return Verdict(name, day, ruleset, category, (describe(self.progression, visit, subject),))
        findings = tuple(self._list_findings(visit, subject))
        capped, open_names = (list_names(int(m[visit, subject])) for m in (self.capped_by, self.not_excluded))
        return Verdict(name, day, ruleset, category, findings, capped, open_names)

    def find_progression(self, subject: int, visit: int) -> Finding:
        """Return what was asked of progression at one visit."""
        return describe(self.progression, visit, subject)

    def _list_findings(self, visit: int, subject: int) -> Iterator[Finding]:
        """Yield the clause that decided, then those above it that stayed open; or the lowest levels."""
        truths = [find_truth(clause, visit, subject) for _, clause in self.levels]
        true = truths.index(Truth.TRUE) if Truth.TRUE in truths else None
        if true is not None:
            chosen = [true, *(place for place in range(true) if truths[place] == Truth.UNKNOWN)]
        else:
            chosen = [place for place, (level, _) in enumerate(self.levels) if level in LOWEST]
        yield from (describe(self.levels[place][1], visit, subject) for place in chosen)


def assess_myeloma(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, **options: OptionValue
) -> tuple[TimePoint, ...]:
    """Derive the time-point category of each visit of one subject after day 0.

    Parameters
    ----------
    observations, events : table
        One subject's rows of a record, in canonical units.
    rules : Ruleset
        ``imwg/2016``.
    options
        In place of the ruleset's.

    Returns
    -------
    time_points : tuple of TimePoint, by day

    Raises
    ------
    InputError
        If an option is not one of the ruleset's.

    Source
    ------
    kumar2016
    """
    chosen = rules.choose(options)
    has_name = "subject_id" in observations.columns and len(observations) > 0
    name = observations["subject_id"][0] if has_name else ""
    own = observations.drop("subject_id", strict=False)
    points = judge_panel(read_samples(own, chosen), (read_history(events),), rules, chosen)
    return list_time_points(points, 0, rules, name)


def read_samples(
    observations: pl.DataFrame, chosen: Mapping[str, OptionValue], subjects: Sequence[str] | None = None
) -> Panel:
    """Read what the criteria look at."""
    with_immunoglobulin = chosen["serum_measure"] == "immunoglobulin"
    names = (*VARIABLES, *IMMUNOGLOBULINS) if with_immunoglobulin else VARIABLES
    window = float(chosen["visit_window_days"])
    return read_panel(observations, names, beside=tuple(FLAGS), window_days=window, subjects=subjects)


def judge_panel(
    panel: Panel, histories: Sequence[Sequence[Happening]], rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> TimePoints:
    """Derive the categories of all subjects of a panel.

    Parameters
    ----------
    panel : Panel
    histories : events of each subject, by day
    rules : Ruleset
    chosen : mapping
        Every option.
    """
    panel, baseline, is_other_band = prepare_panel(panel, histories, rules, chosen)
    therapies = [find_new_therapy(history) for history in histories]
    nadir = Nadir(panel, baseline, is_confirmed=chosen["nadir"] == "confirmed")
    progression, imaging, marrow = find_progression(panel, baseline, nadir, rules, chosen)
    levels = find_levels(panel, baseline, rules, chosen)
    category, capped_by = _choose(panel, baseline, progression, levels)
    has_progressed = category == PD
    therapy = np.array([np.nan if day is None else day for day in therapies], dtype=float)
    shape = panel.day.shape
    return TimePoints(
        panel,
        baseline,
        category,
        is_judged=panel.day > 0,
        is_imaging=np.broadcast_to(imaging.truth == TRUE, shape) & has_progressed,
        is_marrow=np.broadcast_to(marrow.truth == TRUE, shape) & has_progressed,
        is_after_therapy=panel.day > therapy,
        capped_by=capped_by,
        not_excluded=np.where(has_progressed, 0, find_missing(progression)),
        route=find_routes(panel, histories),
        is_other_band=is_other_band,
        progression=progression,
        levels=levels,
    )


def prepare_panel(
    panel: Panel, histories: Sequence[Sequence[Happening]], rules: Ruleset, chosen: Mapping[str, OptionValue]
) -> tuple[Panel, Baseline, Bools]:
    """Return the panel with what its samples stand for, the baseline, and where a band is of another clone."""
    start = np.array([find_start(history, str(chosen["baseline"])) for history in histories], dtype=float)
    panel, serum_mark = replace_serum(sum_lesions(panel), start, str(chosen["serum_measure"]))
    baseline = derive_baseline(panel, rules, start, serum_mark)
    panel, is_other_band = set_aside_bands(
        panel,
        baseline,
        [find_therapeutic_antibodies(history) for history in histories],
        rules,
        float(chosen["antibody_window_days"]),
        str(chosen["other_band"]),
    )
    return panel, baseline, is_other_band


def _choose(
    panel: Panel, baseline: Baseline, progression: Clause, levels: Sequence[tuple[Response, Clause]]
) -> tuple[Codes, Ints]:
    """Return the first level that holds, and what kept those above it open."""
    shape = panel.day.shape
    is_open = np.broadcast_to(progression.truth != TRUE, shape)
    category = np.where(is_open, NE, PD)
    above, lowest = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    is_stable = is_open & _has_followed(panel, baseline)
    for level, clause in levels:
        holds = is_open & (clause.truth == TRUE)
        is_fresh = find_fresh(clause)
        # an earlier marrow or image alone makes no assessment: it would confirm itself
        category = np.where(holds & is_fresh, np.int8(level.rank), category)
        above = np.where(holds & ~is_fresh, baseline.followed, above)
        is_open = is_open & ~holds
        missing = find_missing(clause)
        above = above | np.where(is_open, missing, 0)
        if level in LOWEST:
            lowest = lowest | missing
            is_stable = is_stable & (clause.truth == FALSE)
    is_stable = is_stable & is_open
    unknown = np.where(lowest > 0, lowest, baseline.followed)
    category = np.where(is_stable, SD, category)
    return category, np.where(is_open, np.where(is_stable, 0, unknown), np.where(category == PD, 0, above))


def _has_followed(panel: Panel, baseline: Baseline) -> Bools:
    """Return where a measure that the disease is followed by has a value at the visit itself."""
    total = np.zeros(panel.day.shape, dtype=bool)
    for name in ("urine_m_protein", "flc_kappa", "flc_lambda", "marrow_plasma_cells", "plasmacytoma_spd"):
        if name in panel.columns:
            total |= ((baseline.followed & mark(name)) > 0) & ~np.isnan(panel.columns[name].value)
    return total | (baseline.serum & ~np.isnan(panel.get("m_protein").value))


def list_time_points(points: TimePoints, subject: int, rules: Ruleset, name: str = "") -> tuple[TimePoint, ...]:
    """Return the visits of one subject with their trails."""
    found = []
    for visit in np.flatnonzero(points.is_judged[:, subject]):
        verdict = points.find_verdict(subject, int(visit), rules.name)
        verdict = replace(verdict, subject_id=name or verdict.subject_id)
        found.append(
            TimePoint(
                verdict.day,
                Response(verdict.category),
                verdict,
                bool(points.is_imaging[visit, subject]),
                bool(points.is_after_therapy[visit, subject]),
                bool(points.is_marrow[visit, subject]),
                ROUTES[points.route[visit, subject]],
            )
        )
    return tuple(found)
