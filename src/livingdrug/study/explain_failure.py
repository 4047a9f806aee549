"""Why did the treatment of this subject fail? Response, fit, attribution and evidence, joined."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from livingdrug.core.tables import Record
from livingdrug.explain.attribution import MechanismShare
from livingdrug.explain.evidence import Evidence, find_evidence
from livingdrug.explain.narrative import Facts, write_sentences
from livingdrug.knowledge.parameters import list_parameters, load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.model import UNIFIED
from livingdrug.study.assess_response import Assessment, assess_response
from livingdrug.study.explanation import Explanation
from livingdrug.study.find_cause import Cause, find_cause
from livingdrug.study.fit_patient import BAND_SCHEMA, PatientFit, compute_bands, describe_fit, fit_patient
from livingdrug.study.patient_data import PatientData, find_dose, select_patient
from livingdrug.study.plans import PLANS, SETTINGS, create_limits, create_noise
from livingdrug.study.provenance import create_provenance

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
    record: Record, *, subject_id: str | None = None, seed: int = 0, jobs: int | None = None
) -> Explanation:
    """Explain why the treatment of one subject failed, or say that it did not or that it cannot be told.

    Parameters
    ----------
    record : Record
    subject_id : str, optional
        May be left out where the record holds one subject.
    seed : int
        The same seed and record give the same bits on any number of workers.
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
    >>> explanation = explain_failure(load_example("myeloma_late_relapse"), seed=1)
    >>> explanation.failed, explanation.failure_class
    (True, 'late_relapse')
    """
    return explain_subject(record, subject_id=subject_id, seed=seed, jobs=jobs).explanation


def explain_subject(
    record: Record, *, subject_id: str | None = None, seed: int = 0, jobs: int | None = None
) -> Explained:
    """Explain one subject and keep the fit, for whoever asks what would happen next."""
    data = select_patient(record, subject_id)
    assessment = assess_response(data)
    fit = fit_subject(data, seed=seed, jobs=jobs)
    cause = None
    evidence: tuple[Evidence, ...] = ()
    settings = load_rules(SETTINGS)
    if assessment.failed and assessment.failure_day is not None:
        evidence = find_evidence(data.named_observations, assessment.failure_day, create_limits(settings))
        if fit is not None and assessment.marker is not None:
            cause = find_cause(
                fit, data, assessment.marker, assessment.failure_day, settings=settings, seed=seed, jobs=jobs
            )
    rules = [ruleset for ruleset in (settings, assessment.rules) if ruleset is not None]
    provenance = create_provenance(record, None if fit is None else fit.values, seed=seed, rules=rules)
    facts = collect_facts(data, assessment, fit, cause, evidence=evidence, assumed=len(provenance["assumed"]))
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
        evidence=[describe_evidence(item, data) for item in evidence],
        sentences=write_sentences(facts),
        fit=describe_result(fit, cause),
        bands=pl.DataFrame(schema=BAND_SCHEMA) if fit is None else compute_bands(fit, data, jobs=jobs),
        observations=data.observations,
        events=data.events,
        counterfactuals=tabulate_counterfactuals(cause),
        provenance=provenance,
        thresholds=assessment.thresholds,
    )
    return Explained(explanation, fit)


def fit_subject(data: PatientData, *, seed: int, jobs: int | None) -> PatientFit | None:
    """Fit the subject; None where the disease has no plan or the product no parameter set."""
    plan = PLANS.get(data.disease)
    name = f"unified_{data.disease}_{data.product}"
    if plan is None or name not in list_parameters():
        return None
    noise = create_noise(load_rules(SETTINGS))
    return fit_patient(data, plan, UNIFIED, load_parameters(name), noise, seed=seed, jobs=jobs)


def describe_share(share: MechanismShare) -> dict[str, Any]:
    """Return one mechanism as plain values."""
    return asdict(share)


def describe_evidence(item: Evidence, data: PatientData) -> dict[str, Any]:
    """Return one finding as plain values; its rows are counted from 0 in the record's observations."""
    return {
        "statement": item.statement,
        "mechanism": item.mechanism.value,
        "direction": item.direction,
        "rows": [data.rows[row] for row in item.rows],
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
    data: PatientData,
    assessment: Assessment,
    fit: PatientFit | None,
    cause: Cause | None,
    *,
    evidence: Sequence[Evidence],
    assumed: int,
) -> Facts:
    """Collect what the sentences are made of."""
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
        evidence=tuple(evidence),
        horizon=None if cause is None else cause.horizon,
        is_converged=fit is None or describe_fit(fit)["converged"],
        rows=0 if fit is None else fit.posterior.rows,
        assumed=assumed,
        is_dose_known=find_dose(data.events) is not None,
    )


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
