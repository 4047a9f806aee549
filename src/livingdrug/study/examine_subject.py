"""Everything that one subject's fit is asked: does the model hold, why did it fail, what next, what lies ahead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from livingdrug.core.ruleset import Ruleset
from livingdrug.explain.evidence import Evidence, find_evidence
from livingdrug.explain.misfit import Misfit
from livingdrug.study.assess_response import Assessment
from livingdrug.study.find_cause import Cause, find_cause, find_misfit
from livingdrug.study.fit_patient import PatientFit
from livingdrug.study.forecast_progression import forecast_progression
from livingdrug.study.patient_data import PatientData, find_end
from livingdrug.study.plans import create_limits, create_noise
from livingdrug.study.suggest_measurement import suggest_measurements
from livingdrug.study.weigh_alternatives import weigh_alternatives
from livingdrug.study.weigh_evidence import weigh_evidence


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found about one subject; what does not apply is None or empty.

    ``moved`` holds, for the rows of each piece of evidence, how much they moved the answer.
    """

    misfit: Misfit | None = None
    cause: Cause | None = None
    evidence: tuple[Evidence, ...] = ()
    moved: Mapping[tuple[int, ...], float | None] = field(default_factory=dict)
    measure_next: list[dict[str, Any]] = field(default_factory=list)
    forecast: list[dict[str, Any]] = field(default_factory=list)
    alternatives: list[dict[str, Any]] = field(default_factory=list)


def examine_subject(
    data: PatientData,
    assessment: Assessment,
    fit: PatientFit | None,
    *,
    settings: Ruleset,
    seed: int,
    jobs: int | None = None,
) -> Findings:
    """Ask the fit of one subject whatever its outcome allows."""
    misfit = None if fit is None else find_misfit(fit, settings=settings, jobs=jobs)
    if assessment.failed is None:
        return Findings(misfit)
    marker, day = assessment.marker, assessment.failure_day
    if not assessment.failed:
        if fit is None or marker is None:
            return Findings(misfit)
        return Findings(misfit, forecast=forecast_progression(fit, marker, find_end(data), jobs=jobs))
    if day is None:
        return Findings(misfit)
    evidence = find_evidence(data.named_observations, day, create_limits(settings))
    if fit is None or misfit is None or marker is None:
        return Findings(misfit, evidence=evidence)
    cause = find_cause(fit, data, marker, day, settings=settings, misfit=misfit, jobs=jobs)
    asked = suggest_measurements(
        fit, data, cause.attribution, cause.draws, create_noise(settings), day=day, seed=seed, jobs=jobs
    )
    moved = weigh_evidence(fit, data, cause, evidence, jobs=jobs)
    return Findings(misfit, cause, evidence, moved, asked, alternatives=weigh_alternatives(fit, cause, settings))
