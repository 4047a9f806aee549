"""Simulated failures whose true reason is known: realistic visits, the fit's own noise, and the truth beside them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from livingdrug.core.parameters import ParameterSet, bind
from livingdrug.core.randomness import derive_generator
from livingdrug.core.ruleset import Ruleset
from livingdrug.core.tables import Record
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.explain.attribution import compute_winners
from livingdrug.explain.mechanisms import CATALOGUE
from livingdrug.explain.progression import choose_horizon, compute_failure
from livingdrug.explain.switches import LEAST, Experiment, compare_switches, select_candidates
from livingdrug.fit.problem import create_free
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.interventions import DOSE, EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.simulate.people import sample_people
from livingdrug.simulate.visits import list_days, list_outputs
from livingdrug.study.assess_response import Assessment, assess_response
from livingdrug.study.find_cause import list_visits
from livingdrug.study.patient_data import select_patient
from livingdrug.study.plans import COUNTED, PLANS, create_noise, list_landmarks, list_levels
from livingdrug.study.synthetic_record import list_events, name_subject, observe_subjects
from livingdrug.study.two_phases import TwoPhases, find_peak_day
from livingdrug.study.visit_plans import MONTHLY, STAGING, VISIT_PLANS, VisitPlan

COHORTS = (
    ("myeloma", "ide_cel"),
    ("myeloma", "cilta_cel"),
    ("lbcl", "axi_cel"),
    ("lbcl", "tisa_cel"),
    ("b_all", "tisa_cel"),
)
DAYS = 730.0
KINETICS = (7.0, 14.0, 21.0, 28.0, 60.0, 90.0, 180.0)
BASIC = (
    *("car_transgene", "m_protein", "serum_immunofixation", "urine_m_protein", "urine_immunofixation"),
    *("flc_kappa", "flc_lambda", "tumour_spd", "marrow_blasts", "blood_blasts"),
)
"""What is measured in everybody; the antigen beside it, at relapse, in half."""
ANTIGEN = "antigen_positive_fraction"
BATCH = 256


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """One failure and its truth.

    Parameters
    ----------
    record : Record
        Of this subject alone.
    assessment : Assessment
    reasons : mapping of mechanism to share of the reason
        More than one where they tie; ``none`` where nothing averts the failure.
    shares : mapping of mechanism to Shapley share
    """

    subject_id: str
    disease: str
    product: str
    record: Record
    assessment: Assessment
    reasons: Mapping[str, float]
    shares: Mapping[str, float]


def plan_visits(disease: str, settings: Ruleset, *, with_extra: bool) -> VisitPlan:
    """Return the visits of the benchmark: the fit's own noise, and the days that clinics have."""
    plan, noise = VISIT_PLANS[disease], create_noise(settings)
    renamed = {**PLANS[disease].names, "flc_kappa": "flc_involved", "flc_lambda": "flc_involved"}
    assays = []
    for assay in plan.assays:
        base = assay.variable.partition(":")[0]
        if not (with_extra or base in BASIC or base == ANTIGEN):
            continue
        rule = noise.get(renamed.get(base, base))
        # shares of a whole and counts keep the noise of their own scale
        own = assay.noise if rule is None or assay.kind != "log" or base in COUNTED else rule.sd
        days = assay.days
        if base == "car_transgene":
            days = KINETICS
        elif base == ANTIGEN or (days == STAGING and base == "tumour_spd"):
            days = MONTHLY
        assays.append(replace(assay, noise=own, days=days))
    return replace(plan, assays=tuple(assays))


def simulate_failures(
    disease: str, product: str, count: int, *, seed: int, settings: Ruleset, with_extra: bool, jobs: int | None = None
) -> Iterator[KnownFailure]:
    """Simulate patients until so many have failed, and yield these with their truth."""
    values = load_parameters(f"unified_{disease}_{product}")
    visits = plan_visits(disease, settings, with_extra=with_extra)
    phases = TwoPhases(UNIFIED, find_peak_day(UNIFIED, values))
    found, first = 0, 0
    while found < count and first < 40 * count + BATCH:
        parameters = sample_parameters(UNIFIED, values, first, BATCH, seed=seed, exponential=EXTINCTION_DRAWS)
        record = write_records(disease, product, visits, parameters, first, seed, jobs)
        tables = (record.subjects, record.events, record.observations)
        for place, subject in enumerate(record.subjects["subject_id"].to_list()):
            own = [table.filter(pl.col("subject_id") == subject) for table in tables]
            one = Record(own[0], own[1], own[2], source=f"simulated, seed {seed}")
            assessment = assess_response(select_patient(one))
            if not assessment.failed or assessment.marker is None or assessment.failure_day is None:
                continue
            own_parameters = parameters[place : place + 1]
            truth = find_truth(values, phases, disease, own_parameters, assessment, settings, jobs=jobs)
            yield KnownFailure(f"{disease}/{product}/{subject}", disease, product, one, assessment, *truth)
            found += 1
            if found == count:
                return
        first += BATCH


def write_records(
    disease: str, product: str, visits: VisitPlan, parameters: np.ndarray, first: int, seed: int, jobs: int | None
) -> Record:
    """Return the records of a batch; antigen on tumour cells is known at the last visit, in half of the patients."""
    count = len(parameters)
    solution = solve(
        compile_model(UNIFIED),
        parameters,
        list_days(visits.assays, DAYS),
        keep=list_outputs(visits.assays, visits.stop),
        rtol=1e-5,
        threads=jobs,
    )
    identity = pl.DataFrame({"subject": np.arange(first, first + count)}).select(name_subject())
    people = sample_people(visits.population, first, count, seed=seed)
    subjects = identity.with_columns(disease=pl.lit(disease), product=pl.lit(product))
    subjects = subjects.with_columns(people.get_columns()).with_columns(source=pl.lit("simulated"))
    dose = parameters[:, UNIFIED.parameter_names.index(DOSE)]
    observations = observe_subjects(visits, solution, first, seed)
    known = derive_generator(seed, "biopsy", first).random(count) < 0.5
    biopsied = pl.Series(identity["subject_id"].to_list()).filter(pl.Series(known)).to_list()
    is_antigen = pl.col("variable").str.starts_with("antigen")
    last = pl.col("day").filter(is_antigen).max().over("subject_id")
    kept = ~is_antigen | (pl.col("subject_id").is_in(biopsied) & (pl.col("day") == last) & (pl.col("day") > 0))
    return Record(subjects, list_events(identity, visits.before, dose, DAYS), observations.filter(kept))


def find_truth(
    values: ParameterSet,
    phases: TwoPhases,
    disease: str,
    parameters: np.ndarray,
    assessment: Assessment,
    settings: Ruleset,
    *,
    jobs: int | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """Switch off every subset of the mechanisms in the true parameters; return reasons and Shapley shares."""
    marker, day = assessment.marker, assessment.failure_day
    assert marker is not None
    assert day is not None
    names = [name for name in PLANS[disease].free if values.values[name].spread is not None]
    free = phases.list_free(create_free(UNIFIED, values, names, bind(UNIFIED, values)))
    times = list_visits(choose_horizon(day, list_landmarks(settings)))
    kernel, candidates = compile_model(UNIFIED), select_candidates(CATALOGUE, free)

    def assess(split: np.ndarray) -> np.ndarray:
        draws, schedule = phases.join(split)
        course = solve(kernel, draws, times, schedule=schedule, keep=(marker.marker,), rtol=1e-4, threads=jobs)
        return compute_failure(course.values[:, :, 0], marker)

    experiment, known = Experiment(phases.names, free, candidates, assess), phases.split(parameters)
    found = compare_switches(experiment, known, assess(known), list_levels(settings))
    winners = compute_winners(found.shapley, settings.threshold("tie"))[:, 0]
    labels = [c.mechanism.value for c in candidates]
    reasons = dict(zip(labels, winners.tolist(), strict=True))
    shares = found.shapley[:, 0] / max(float(found.together[0]), LEAST)
    return {**reasons, "none": 1.0 - sum(reasons.values())}, dict(zip(labels, shares.tolist(), strict=True))


def list_counts(total: int, parts: Sequence[object]) -> list[int]:
    """Share a number out as evenly as it goes.

    >>> list_counts(7, "abc")
    [3, 2, 2]
    """
    return [total // len(parts) + (place < total % len(parts)) for place in range(len(parts))]
