"""Why did the treatment of this subject fail? Response, fit, attribution and evidence, joined."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from livingdrug.core.tables import Record
from livingdrug.explain.attribution import MechanismShare
from livingdrug.explain.evidence import Evidence
from livingdrug.explain.misfit import Misfit
from livingdrug.explain.narrative import Alternative, Facts, write_sentences
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.assess_response import Assessment, assess_response
from livingdrug.study.examine_subject import Findings, examine_subject
from livingdrug.study.explanation import Explanation
from livingdrug.study.find_cause import Cause
from livingdrug.study.fit_patient import (
    BAND_SCHEMA,
    FULL,
    Effort,
    PatientFit,
    compute_bands,
    describe_fit,
    fit_patient,
)
from livingdrug.study.patient_data import PatientData, find_dose, select_patient
from livingdrug.study.plans import PLANS, SETTINGS, create_noise
from livingdrug.study.provenance import create_provenance

QUICK_DRAWS = 512
"""Posterior draws of an explanation, which somebody waits for; a fit of its own takes more."""
COUNTERFACTUAL_SCHEMA = {
    "mechanism": pl.String,
    "group": pl.String,
    "horizon_day": pl.Float64,
    "failure_as_is": pl.Float64,
    "failure_without": pl.Float64,
    "reduction": pl.Float64,
    "reduction_lower": pl.Float64,
    "reduction_upper": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation and the fit that it rests on; None where the subject could not be fitted."""

    explanation: Explanation
    fit: PatientFit | None


def explain_failure(
    record: Record,
    *,
    subject_id: str | None = None,
    seed: int = 0,
    draws: int = QUICK_DRAWS,
    jobs: int | None = None,
) -> Explanation:
    """Explain why the treatment of one subject failed, or say that it did not or that it cannot be told.

    Parameters
    ----------
    record : Record
    subject_id : str, optional
        May be left out where the record holds one subject.
    seed : int
        The same seed and record give the same bits on any number of workers.
    draws : int
        Posterior draws; more of them take longer and narrow the intervals of probabilities.
    jobs : int, optional
        Workers; all processors by default.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        If the subject is not in the record.

    Examples
    --------
    >>> from livingdrug.study.examples import load_example
    >>> explanation = explain_failure(load_example("myeloma_late_relapse"), seed=1, draws=64)
    >>> explanation.failed, explanation.failure_class
    (True, 'late_relapse')
    """
    return explain_subject(record, subject_id=subject_id, seed=seed, draws=draws, jobs=jobs).explanation


def explain_subject(
    record: Record,
    *,
    subject_id: str | None = None,
    seed: int = 0,
    draws: int = QUICK_DRAWS,
    jobs: int | None = None,
) -> Explained:
    """Explain one subject and keep the fit, for whoever asks what would happen next."""
    data = select_patient(record, subject_id)
    assessment = assess_response(data)
    fit = fit_subject(data, seed=seed, effort=Effort(draws), jobs=jobs)
    settings = load_rules(SETTINGS)
    findings = examine_subject(data, assessment, fit, settings=settings, seed=seed, jobs=jobs)
    cause = findings.cause
    rules = [ruleset for ruleset in (settings, assessment.rules) if ruleset is not None]
    provenance = create_provenance(record, None if fit is None else fit.values, seed=seed, rules=rules)
    facts = collect_facts(data, assessment, fit, findings, assumed=len(provenance["assumed"]))
    explanation = Explanation(
        subject_id=data.subject_id,
        disease=data.disease,
        product=data.product,
        failed=assessment.failed,
        failure_class=assessment.failure_class,
        failure_day=assessment.failure_day,
        response_rows=assessment.rows,
        best_response=assessment.best_response,
        answered=None if cause is None else cause.answer.answered,
        mechanisms=[] if cause is None else [describe_share(share) for share in cause.attribution.shares],
        evidence=[describe_evidence(item, data, findings) for item in findings.evidence],
        sentences=write_sentences(facts),
        fit=describe_result(fit, cause),
        bands=pl.DataFrame(schema=BAND_SCHEMA) if fit is None else compute_bands(fit, data, jobs=jobs),
        observations=data.observations,
        events=data.events,
        counterfactuals=tabulate_counterfactuals(cause),
        provenance=provenance,
        thresholds=assessment.thresholds,
        cannot_tell_because=tell_why_not(assessment, cause),
        measure_next=findings.measure_next,
        misfit=describe_misfit(findings.misfit),
        forecast=findings.forecast,
        rescue=find_rescue(cause),
        ties=[] if cause is None else list(cause.attribution.ties),
        alternatives=findings.alternatives,
    )
    return Explained(explanation, fit)


def tell_why_not(assessment: Assessment, cause: Cause | None) -> str | None:
    """Say why a failure has no answer."""
    if assessment.failed is None:
        return f"whether the treatment failed is not known: {assessment.reason}"
    if not assessment.failed or (cause is not None and cause.answer.answered is not None):
        return None
    return "no model here covers this disease, product and marker" if cause is None else cause.answer.reason


def find_rescue(cause: Cause | None) -> dict[str, Any] | None:
    """Return the single fix that would most likely have prevented the failure."""
    if cause is None or not cause.attribution.shares:
        return None
    best = max(cause.attribution.shares, key=lambda share: share.rescue)
    return {"mechanism": best.name, "probability": best.rescue}


def describe_misfit(misfit: Misfit | None) -> dict[str, Any]:
    """Return the predictive check as plain values; unknown where nothing was fitted."""
    if misfit is None:
        return {"flag": None, "why": "nothing was fitted", "probability": None}
    return {"flag": misfit.flag, "why": misfit.why or None, "probability": misfit.probability}


def fit_subject(
    data: PatientData,
    *,
    seed: int,
    effort: Effort = FULL,
    robust: bool = False,
    jobs: int | None,
) -> PatientFit | None:
    """Fit the subject; None where the disease has no plan or the product no parameter set.

    Parameters
    ----------
    effort : Effort
    robust : bool
        Whether the noise of measured values has the tails of a Student t.
    """
    plan = PLANS.get(data.disease)
    name = f"unified_{data.disease}_{data.product}"
    if plan is None or name not in list_parameters():
        return None
    return fit_patient(
        data,
        plan,
        UNIFIED,
        load_parameters(name),
        create_noise(load_rules(SETTINGS), robust=robust),
        seed=seed,
        effort=effort,
        jobs=jobs,
    )


def describe_share(share: MechanismShare) -> dict[str, Any]:
    """Return one mechanism as plain values."""
    return asdict(share)


def describe_evidence(item: Evidence, data: PatientData, findings: Findings) -> dict[str, Any]:
    """Return one finding as plain values; its rows are counted from 0 in the record's observations.

    ``moved`` is by how much the answer's probability would fall without these rows; None where it cannot be told.
    """
    return {
        "statement": item.statement,
        "mechanism": item.mechanism.value,
        "direction": item.direction,
        "rows": [data.rows[row] for row in item.rows],
        "moved": findings.moved.get(item.rows),
    }


def describe_result(fit: PatientFit | None, cause: Cause | None) -> dict[str, Any]:
    """Say how fit and attribution went; a subject without a fit has ``converged`` true and no rows."""
    described = {"converged": True, "rows": 0} if fit is None else describe_fit(fit)
    if cause is None:
        return described
    return {
        **described,
        "answer_level": cause.answer.level,
        "answer_probability": cause.answer.probability,
        "answer_reason": cause.answer.reason,
        "horizon_day": cause.horizon,
        "failure_probability": cause.attribution.failure,
        "unexplained": cause.attribution.unexplained,
        "draws_attributed": cause.attribution.draws,
    }


def collect_facts(
    data: PatientData, assessment: Assessment, fit: PatientFit | None, findings: Findings, *, assumed: int
) -> Facts:
    """Collect what the sentences are made of."""
    cause, misfit = findings.cause, findings.misfit
    return Facts(
        subject_id=data.subject_id,
        disease=data.disease,
        product=data.product,
        failed=assessment.failed,
        failure_class=assessment.failure_class,
        failure_day=assessment.failure_day,
        best_response=assessment.best_response,
        reason=assessment.reason,
        rule="" if assessment.rules is None else assessment.rules.title,
        answer=None if cause is None else cause.answer,
        attribution=None if cause is None else cause.attribution,
        evidence=findings.evidence,
        horizon=None if cause is None else cause.horizon,
        is_converged=fit is None or describe_fit(fit)["converged"],
        rows=0 if fit is None else fit.posterior.rows,
        assumed=assumed,
        is_dose_known=find_dose(data.events) is not None,
        misfit=misfit.why if misfit is not None and misfit.flag else "",
        measure_next=tuple((str(item["assay"]), float(item["day"])) for item in findings.measure_next),
        forecast=tuple((float(item["day"]), float(item["probability"])) for item in findings.forecast),
        alternatives=tuple(summarise_alternative(item) for item in findings.alternatives if item["mechanisms"]),
    )


def summarise_alternative(item: Mapping[str, Any]) -> Alternative:
    """Return what a reader is told of one alternative: parameter, spreads, and each mechanism's probability."""
    chances = {str(row["name"]): float(row["probability"]) for row in item["mechanisms"]}
    return Alternative(str(item["parameter"]), float(item["spread"]), float(item["instead_of"]), chances)


def tabulate_counterfactuals(cause: Cause | None) -> pl.DataFrame:
    """Return one row per mechanism: failure probability as it is and without the mechanism."""
    if cause is None:
        return pl.DataFrame(schema=COUNTERFACTUAL_SCHEMA)
    failure = cause.attribution.failure
    rows = [
        {
            "mechanism": share.name,
            "group": share.group,
            "horizon_day": cause.horizon,
            "failure_as_is": failure,
            "failure_without": max(0.0, failure - share.reduction),
            "reduction": share.reduction,
            "reduction_lower": share.reduction_lower,
            "reduction_upper": share.reduction_upper,
        }
        for share in cause.attribution.shares
    ]
    return pl.DataFrame(rows, schema=COUNTERFACTUAL_SCHEMA)
