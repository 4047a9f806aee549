"""Multiple myeloma: the IMWG category of each visit, from laboratory values, with the rows it rests on.

Responses are counted from baseline, progression from the nadir. Levels are tested from the top: the
category is the first whose clause is true, and what kept a higher one open is named. Missing values never
make a response, a progression or a stable disease. Source: kumar2016.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.comparison import OPEN_WORDS, is_at_least
from livingdrug.clinical.history import find_antibodies, find_new_therapy, find_start, read_history
from livingdrug.clinical.myeloma_baseline import Baseline, derive_baseline, is_other_isotype
from livingdrug.clinical.myeloma_progression import Nadir, find_progression
from livingdrug.clinical.myeloma_response import find_levels
from livingdrug.clinical.visits import DECISIVE, Measured, Visit, build_visits
from livingdrug.core.outcome import Response
from livingdrug.core.ruleset import Finding, Ruleset, Truth, Verdict

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
)
STANDING = ("marrow_plasma_cells", "marrow_clonal_plasma_cells", "plasmacytoma_spd")
"""Marrow and imaging need no repeat: a result stands for the response at later visits, within a limit."""


@dataclass(frozen=True, slots=True)
class TimePoint:
    """The category of one visit, before confirmation.

    ``is_imaging`` and ``is_marrow`` say that imaging or marrow shows the progression, which needs no second
    sample; ``is_after_therapy`` that a new treatment had begun: such a visit makes no response, but may
    confirm a progression.
    """

    day: float
    category: Response
    verdict: Verdict
    is_imaging: bool
    is_after_therapy: bool
    is_marrow: bool = False


@dataclass(frozen=True, slots=True)
class _Context:
    """What holds for all visits of one subject."""

    subject: str
    rules: Ruleset
    baseline: Baseline
    urine_policy: str
    minimal_plasmacytoma: str
    carry_days: float
    antibody_days: float
    antibodies: tuple[tuple[float, float], ...]
    therapy: float | None


def assess_myeloma(
    observations: pl.DataFrame, events: pl.DataFrame, rules: Ruleset, **options: str | float | bool
) -> tuple[TimePoint, ...]:
    """Derive the time-point category of each visit of one subject after day 0.

    Parameters
    ----------
    observations, events : table
        One subject's rows of a record, in canonical units.
    rules : Ruleset
        ``imwg/2016``.
    options
        In place of the ruleset's: ``urine_policy``, ``nadir``, ``baseline``, ``minimal_plasmacytoma``,
        ``visit_window_days``, ``marrow_carry_days``, ``antibody_window_days``.

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
    visits = build_visits(observations, VARIABLES, window_days=float(chosen["visit_window_days"]))
    context = _build_context(observations, events, rules, chosen, visits)
    nadir = Nadir(context.baseline, is_confirmed=chosen["nadir"] == "confirmed")
    carried: dict[str, Measured] = {}
    points = []
    for visit in visits:
        if visit.day > 0:
            carried |= {name: m for name, m in visit.measured.items() if name in STANDING}
            points.append(_judge(_see(visit, carried, context), nadir, context))
        nadir.include(visit)
    return tuple(points)


def _build_context(
    observations: pl.DataFrame,
    events: pl.DataFrame,
    rules: Ruleset,
    chosen: Mapping[str, str | float | bool],
    visits: Sequence[Visit],
) -> _Context:
    has_name = "subject_id" in observations.columns and len(observations) > 0
    history = read_history(events)
    return _Context(
        subject=observations["subject_id"][0] if has_name else "",
        rules=rules,
        baseline=derive_baseline(visits, rules, find_start(history, str(chosen["baseline"]))),
        urine_policy=str(chosen["urine_policy"]),
        minimal_plasmacytoma=str(chosen["minimal_plasmacytoma"]),
        carry_days=float(chosen["marrow_carry_days"]),
        antibody_days=float(chosen["antibody_window_days"]),
        antibodies=find_antibodies(history),
        therapy=find_new_therapy(history),
    )


def _judge(visit: Visit, nadir: Nadir, context: _Context) -> TimePoint:
    baseline, rules = context.baseline, context.rules
    progression, is_imaging, is_marrow = find_progression(visit, baseline, nadir, rules)
    verdict = Verdict(context.subject, visit.day, rules.name, Response.PD, (progression,))
    category = Response.PD
    if progression.truth != Truth.TRUE:
        levels = find_levels(visit, baseline, rules, context.urine_policy, context.minimal_plasmacytoma)
        category, findings, capped_by = _choose(visit, baseline, levels)
        open_clauses = progression.missing
        verdict = Verdict(context.subject, visit.day, rules.name, category, findings, capped_by, open_clauses)
    is_late = context.therapy is not None and visit.day > context.therapy
    return TimePoint(visit.day, category, verdict, is_imaging, is_late, is_marrow)


def _choose(
    visit: Visit, baseline: Baseline, levels: Iterable[tuple[Response, Finding]]
) -> tuple[Response, tuple[Finding, ...], tuple[str, ...]]:
    """Return the category, the findings that decided it, and what kept a higher level open."""
    above: list[Finding] = []
    lowest: list[Finding] = []
    fresh = {m.row for m in visit.measured.values() if m.value is not None or m.word not in (None, *OPEN_WORDS)}
    for level, finding in levels:
        if finding.truth == Truth.TRUE:
            if not fresh.intersection(finding.rows):
                # an earlier marrow or image alone makes no assessment: it would confirm itself
                return Response.NE, (finding, *above), baseline.followed
            missing = tuple(dict.fromkeys(name for f in above for name in f.missing))
            return level, (finding, *above), missing
        if finding.truth == Truth.UNKNOWN:
            above.append(finding)
        if level in (Response.PR, Response.MR):
            lowest.append(finding)
    measured = (visit.measured.get(name) for name in baseline.followed)
    is_known = any(m is not None and m.value is not None for m in measured)
    if is_known and all(finding.truth == Truth.FALSE for finding in lowest):
        return Response.SD, tuple(lowest), ()
    missing = tuple(dict.fromkeys(name for finding in lowest for name in finding.missing))
    return Response.NE, tuple(lowest), missing or baseline.followed


def _see(visit: Visit, carried: Mapping[str, Measured], context: _Context) -> Visit:
    """Add the marrow and imaging that still stand; set aside an immunofixation that may not show the clone."""
    standing = {name: m for name, m in carried.items() if visit.day - m.day <= context.carry_days}
    measured = dict(visit.measured)
    for name in ("serum_immunofixation", "urine_immunofixation"):
        fixation = measured.get(name)
        if fixation is None or fixation.word != "positive" or any(word in fixation.assay for word in DECISIVE):
            continue
        is_antibody = name == "serum_immunofixation" and _may_be_antibody(fixation, visit, context)
        if is_antibody or is_other_isotype(fixation.assay, context.baseline.isotype):
            measured[name] = Measured(None, "indeterminate", fixation.row, fixation.day, fixation.assay)
    return Visit(visit.day, measured, standing)


def _may_be_antibody(fixation: Measured, visit: Visit, context: _Context) -> bool:
    """Whether a positive immunofixation may show a therapeutic antibody in place of the clone."""
    is_recent = any(first <= visit.day < last + context.antibody_days for first, last in context.antibodies)
    level = visit.measured.get("m_protein")
    limit = context.rules.threshold("antibody_m_protein")
    is_faint = level is None or level.value is None or is_at_least(limit, level.value)
    may_be = not is_other_isotype("igg-kappa", context.baseline.isotype or fixation.assay)
    return is_recent and is_faint and may_be
