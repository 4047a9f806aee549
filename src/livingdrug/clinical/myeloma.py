"""Multiple myeloma: the IMWG category of each visit, from laboratory values, with the rows it rests on.

Responses are counted from baseline, progression from the nadir. Levels are tested from the top: the
category is the first whose clause is true, and what kept a higher one open is named. Missing values never
make a response, a progression or a stable disease. Source: kumar2016.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from livingdrug.clinical.myeloma_baseline import Baseline, derive_baseline
from livingdrug.clinical.myeloma_progression import Nadir, find_progression
from livingdrug.clinical.myeloma_response import find_levels
from livingdrug.clinical.visits import Measured, Visit, build_visits
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
CARRIED = ("marrow_plasma_cells", "marrow_clonal_plasma_cells", "plasmacytoma_spd")
"""Marrow and imaging need no repeat: a result stands for later visits, within a limit."""
NEW_THERAPY = ("next_therapy", "second_infusion", "transplant")
IGG_KAPPA_ANTIBODIES = ("daratumumab", "isatuximab", "elotuzumab")


@dataclass(frozen=True, slots=True)
class TimePoint:
    """The category of one visit, before confirmation.

    ``is_imaging`` says that imaging shows the progression, ``is_after_therapy`` that a new treatment had
    begun: such a visit makes no response, but may confirm a progression.
    """

    day: float
    category: Response
    verdict: Verdict
    is_imaging: bool
    is_after_therapy: bool


@dataclass(frozen=True, slots=True)
class _Settings:
    urine_policy: str
    nadir: str
    carry_days: float
    antibody_days: float

    @classmethod
    def choose(cls, rules: Ruleset, options: Mapping[str, str | float | bool]) -> "_Settings":
        chosen = {**rules.options, **options}
        return cls(
            str(chosen["urine_policy"]),
            str(chosen["nadir"]),
            float(chosen["marrow_carry_days"]),
            float(chosen["antibody_window_days"]),
        )


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
        ``urine_policy``, ``nadir``, ``marrow_carry_days``, ``antibody_window_days`` in place of the ruleset's.

    Returns
    -------
    time_points : tuple of TimePoint, by day

    Source
    ------
    kumar2016
    """
    settings = _Settings.choose(rules, options)
    visits = build_visits(observations, VARIABLES)
    subject = observations["subject_id"][0] if "subject_id" in observations.columns and len(observations) else ""
    baseline = derive_baseline(visits, rules)
    nadir = Nadir(baseline, is_confirmed=settings.nadir == "confirmed")
    therapy = _find_day(events, NEW_THERAPY)
    antibodies = _find_antibodies(events)
    carried: dict[str, Measured] = {}
    points = []
    for visit in (v for v in visits if v.day > 0):
        carried |= {name: m for name, m in visit.measured.items() if name in CARRIED}
        seen = _see(visit, carried, settings, antibodies, baseline, rules)
        points.append(_judge(seen, baseline, nadir, rules, (settings.urine_policy, subject, therapy)))
        nadir.include(visit)
    return tuple(points)


def _judge(
    visit: Visit, baseline: Baseline, nadir: Nadir, rules: Ruleset, context: tuple[str, str, float | None]
) -> TimePoint:
    urine_policy, subject, therapy = context
    progression, is_imaging = find_progression(visit, baseline, nadir, rules)
    levels = find_levels(visit, baseline, rules, urine_policy)
    category, findings, capped_by = _choose(visit, baseline, progression, levels)
    not_excluded = progression.missing if progression.truth == Truth.UNKNOWN else ()
    verdict = Verdict(subject, visit.day, rules.name, category, findings, capped_by, not_excluded)
    is_late = therapy is not None and visit.day > therapy
    return TimePoint(visit.day, category, verdict, is_imaging, is_late)


def _choose(
    visit: Visit, baseline: Baseline, progression: Finding, levels: Sequence[tuple[Response, Finding]]
) -> tuple[Response, tuple[Finding, ...], tuple[str, ...]]:
    """Return the category, the findings that decided it, and what kept a higher level open."""
    if progression.truth == Truth.TRUE:
        return Response.PD, (progression,), ()
    above: list[Finding] = []
    for level, finding in levels:
        if finding.truth == Truth.TRUE:
            missing = tuple(dict.fromkeys(name for f in above for name in f.missing))
            return level, (finding, *above), missing
        if finding.truth == Truth.UNKNOWN:
            above.append(finding)
    lowest = [finding for level, finding in levels if level in (Response.PR, Response.MR)]
    is_known = any(name in visit.measured for name in baseline.followed)
    if is_known and all(finding.truth == Truth.FALSE for finding in lowest):
        return Response.SD, tuple(lowest), ()
    missing = tuple(dict.fromkeys(name for finding in lowest for name in finding.missing))
    return Response.NE, tuple(lowest), missing or baseline.followed


def _see(
    visit: Visit,
    carried: Mapping[str, Measured],
    settings: _Settings,
    antibodies: Sequence[tuple[float, str]],
    baseline: Baseline,
    rules: Ruleset,
) -> Visit:
    """Add the marrow and imaging that still stand, and set aside an immunofixation that an antibody may show."""
    measured = dict(visit.measured)
    for name, result in carried.items():
        if visit.day - result.day <= settings.carry_days:
            measured.setdefault(name, result)
    fixation = measured.get("serum_immunofixation")
    if fixation is not None and fixation.word == "positive" and "shift" not in fixation.assay.lower():
        is_recent = any(0 <= visit.day - day <= settings.antibody_days for day, _ in antibodies)
        level = measured.get("m_protein")
        is_faint = level is None or level.value is None or level.value <= rules.threshold("antibody_m_protein")
        if is_recent and is_faint and baseline.may_be_igg_kappa:
            measured["serum_immunofixation"] = Measured(
                None, "indeterminate", fixation.row, fixation.day, fixation.assay
            )
    return Visit(visit.day, measured)


def _find_day(events: pl.DataFrame, types: Sequence[str]) -> float | None:
    days = events.filter(pl.col("type").is_in(types) & (pl.col("day") > 0))["day"]
    return None if days.is_empty() else float(days.min())  # type: ignore[arg-type]


def _find_antibodies(events: pl.DataFrame) -> list[tuple[float, str]]:
    """Return days and names of antibodies that are IgG-kappa; one without a name may be."""
    rows = events.filter(pl.col("type") == "therapeutic_antibody").select("day", "note").iter_rows()
    named = [(day, (note or "").lower()) for day, note in rows]
    return [(day, note) for day, note in named if not note or any(a in note for a in IGG_KAPPA_ANTIBODIES)]
