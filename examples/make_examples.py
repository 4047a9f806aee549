"""Make the packaged example records: synthetic patients of the simulator, chosen by what truly made them fail.

Run from the repository root: ``python examples/make_examples.py``. The same seed gives the same files.

A cohort of virtual myeloma patients given ide-cel is simulated with its visits, noise and limits of
quantification. For each example the first patient is taken whose failure has the wanted class and whose
true parameters, with one mechanism switched off at a time, give the wanted reason alone; for two of them
a measurement must speak for it as well, so that the example is a clear one. They are no fair sample.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from livingdrug.core.tables import Record
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.explain.attribution import attribute_failure
from livingdrug.explain.evidence import find_evidence
from livingdrug.explain.mechanisms import CATALOGUE
from livingdrug.explain.progression import MarkerRule, choose_horizon, compute_failure
from livingdrug.fit.problem import create_free
from livingdrug.io.tables import write_record
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.assess_response import Assessment, assess_response
from livingdrug.study.patient_data import PatientData, select_patient
from livingdrug.study.plans import PLANS, SETTINGS, create_limits, list_landmarks
from livingdrug.study.simulate_cohort import simulate_cohort

SEED = 20260101
PATIENTS = 1000
DISEASE, PRODUCT = "myeloma", "ide_cel"
FOLDER = Path("src/livingdrug/study/data/examples")


@dataclass(frozen=True)
class Wanted:
    """One example: its name, the class of failure, the true reason, and whether a measurement must speak for it."""

    name: str
    failure_class: str
    mechanisms: tuple[str, ...]
    with_evidence: bool


EXAMPLES = (
    Wanted("myeloma_late_relapse", "late_relapse", ("antigen_low",), with_evidence=True),
    Wanted("myeloma_early_relapse", "early_relapse", ("persistence", "tumour_growth"), with_evidence=False),
    Wanted("myeloma_primary_resistance", "primary_resistance", ("exhaustion",), with_evidence=True),
)


def has_evidence(data: PatientData, day: float, mechanism: str) -> bool:
    """Tell whether a measurement of the record speaks for the mechanism."""
    found = find_evidence(data.named_observations, day, create_limits(load_rules(SETTINGS)))
    return any(item.mechanism == mechanism and item.direction == "for" for item in found)


def find_true_reason(parameters: np.ndarray, assessment: Assessment) -> str | None:
    """Return the mechanism that alone would have averted the failure of this patient, or None."""
    assert assessment.failure_day is not None
    settings = load_rules(SETTINGS)
    values = load_parameters(f"unified_{DISEASE}_{PRODUCT}")
    typical = np.array([values.values[name].value for name in UNIFIED.parameter_names])
    known = [name for name in PLANS[DISEASE].free if values.values[name].spread is not None]
    marker = assessment.marker or MarkerRule("m_protein", 0.25, 0.5, 0.5, 0.15)
    horizon = choose_horizon(assessment.failure_day, list_landmarks(settings))
    times = np.unique(np.concatenate([np.arange(0.0, horizon, 14.0), [horizon]]))
    kernel = compile_model(UNIFIED)
    result = attribute_failure(
        parameters[None],
        UNIFIED.parameter_names,
        create_free(UNIFIED, values, known, typical),
        CATALOGUE,
        lambda p: compute_failure(solve(kernel, p, times, keep=(marker.marker,)).values[:, :, 0], marker),
        effective=1.0,
        quantile=settings.threshold("reference_quantile"),
        tie=settings.threshold("tie"),
    )
    top = result.shares[0]
    return top.name if top.probability == 1.0 and top.reduction > 0.9 else None


def rename(record: Record, subject_id: str, name: str) -> Record:
    """Return one subject as a record of its own, labelled as synthetic."""
    chosen = pl.col("subject_id") == subject_id
    label = pl.lit(f"synthetic: livingdrug simulator, cohort seed {SEED}, {subject_id}")
    new = pl.lit(name).alias("subject_id")
    return Record(
        record.subjects.filter(chosen).with_columns(new, label.alias("source")),
        record.events.filter(chosen).with_columns(new),
        record.observations.filter(chosen).with_columns(
            new, pl.lit("synthetic").alias("source"), pl.col("value", "lloq").round_sig_figs(4)
        ),
        source="synthetic",
    )


def main() -> None:
    """Simulate, choose, write."""
    cohort = simulate_cohort(DISEASE, PRODUCT, n=PATIENTS, days=730.0, seed=SEED)
    values = load_parameters(f"unified_{DISEASE}_{PRODUCT}")
    truth = sample_parameters(UNIFIED, values, 0, PATIENTS, seed=SEED, exponential=EXTINCTION_DRAWS)
    missing = list(EXAMPLES)
    for number, subject_id in enumerate(cohort.record.subjects["subject_id"]):
        data = select_patient(cohort.record, subject_id)
        assessment = assess_response(data)
        fitting = [w for w in missing if w.failure_class == assessment.failure_class and assessment.failed]
        reason = find_true_reason(truth[number], assessment) if fitting else None
        for wanted in fitting:
            is_seen = not wanted.with_evidence or has_evidence(data, assessment.failure_day or 0.0, str(reason))
            if reason in wanted.mechanisms and is_seen:
                write_record(rename(cohort.record, subject_id, wanted.name), FOLDER / wanted.name)
                missing.remove(wanted)
                sys.stdout.write(f"{wanted.name}: {subject_id}, true reason {reason}\n")
        if not missing:
            return
    sys.stdout.write(f"not found: {[w.name for w in missing]}\n")


if __name__ == "__main__":
    main()
