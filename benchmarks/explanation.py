"""How often is an explanation right? Simulated failures whose true reason is known, explained from their records.

Run from the repository root: ``python benchmarks/explanation.py [--failures N] [--json]``.

Virtual myeloma patients given ide-cel are simulated with visits, noise and limits of quantification. The true
reason of a failure is what switching off one mechanism at a time in the *true* parameters says; the answer
comes from the record alone. Patients and fit share one model, so real patients will be harder.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass

import numpy as np

from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.explain.attribution import compare_switches, select_candidates
from livingdrug.explain.mechanisms import CATALOGUE
from livingdrug.explain.progression import choose_horizon, compute_failure
from livingdrug.fit.problem import create_free
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.rules import load_rules
from livingdrug.models.unified.interventions import EXTINCTION_DRAWS
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.assess_response import Assessment, assess_response
from livingdrug.study.explain_failure import explain_failure
from livingdrug.study.patient_data import select_patient
from livingdrug.study.plans import PLANS, SETTINGS, list_landmarks, list_levels
from livingdrug.study.simulate_cohort import simulate_cohort

SEED = 77
VALUES = load_parameters("unified_myeloma_ide_cel")
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Case:
    """One failure: the true share of each reason, the answer's, and what was answered."""

    truth: dict[str, float]
    found: dict[str, float]
    answered: str | None
    groups: dict[str, str]
    seconds: float


def find_truth(parameters: np.ndarray, assessment: Assessment) -> dict[str, float]:
    """Switch off each mechanism in the true parameters; return each one's share of the reason."""
    settings = load_rules(SETTINGS)
    names = [name for name in PLANS["myeloma"].free if VALUES.values[name].spread is not None]
    free = create_free(UNIFIED, VALUES, names, bind(UNIFIED, VALUES))
    horizon = choose_horizon(assessment.failure_day, list_landmarks(settings))
    times = np.unique(np.concatenate([np.arange(0.0, horizon, 14.0), [horizon]]))
    kernel, marker = compile_model(UNIFIED), assessment.marker
    candidates = select_candidates(CATALOGUE, free)

    def assess(p):
        return compute_failure(solve(kernel, p, times, keep=(marker.marker,), rtol=1e-4).values[:, :, 0], marker)

    alone = parameters[None]
    options = {"levels": list_levels(settings), "tie": settings.threshold("tie")}
    _, winners = compare_switches(alone, assess(alone), UNIFIED.parameter_names, free, candidates, assess, **options)
    shares = {c.mechanism.value: float(winners[k, 0]) for k, c in enumerate(candidates)}
    return {**shares, "none": 1.0 - sum(shares.values())}


def collect_cases(failures: int) -> list[Case]:
    """Simulate until so many failures were explained."""
    cohort = simulate_cohort("myeloma", "ide_cel", n=2 * failures, days=730.0, seed=SEED, records=2 * failures)
    truth = sample_parameters(UNIFIED, VALUES, 0, 2 * failures, seed=SEED, exponential=EXTINCTION_DRAWS)
    cases: list[Case] = []
    for number, subject_id in enumerate(cohort.record.subjects["subject_id"]):
        assessment = assess_response(select_patient(cohort.record, subject_id))
        if not assessment.failed or assessment.marker is None or len(cases) == failures:
            continue
        start = time.perf_counter()
        found = explain_failure(cohort.record, subject_id=subject_id, seed=1)
        seconds = time.perf_counter() - start
        shares = {item["name"]: item["probability"] for item in found.mechanisms}
        groups = {item["name"]: item["group"] for item in found.mechanisms}
        shares["none"] = found.fit["unexplained"]
        cases.append(Case(find_truth(truth[number], assessment), shares, found.answered, groups, seconds))
    return cases


def summarise(cases: list[Case]) -> dict[str, object]:
    """Return accuracy of the most probable reason, by how probable it was, and of the answers given."""
    top = [max(case.found, key=case.found.get) for case in cases]
    confidence = np.array([case.found[name] for case, name in zip(cases, top, strict=True)])
    right = np.array([case.truth[name] for case, name in zip(cases, top, strict=True)])
    majority = max(np.mean([case.truth[name] for case in cases]) for name in cases[0].truth)
    answered = [
        sum(share for name, share in case.truth.items() if case.answered in (name, case.groups.get(name)))
        for case in cases
        if case.answered
    ]
    return {
        "failures": len(cases),
        "right": round(float(right.mean()), 3),
        "majority_guess": round(float(majority), 3),
        "mean_probability": round(float(confidence.mean()), 3),
        "above": {
            str(level): [
                round(float((confidence > level).mean()), 3),
                round(float(right[confidence > level].mean()), 3),
            ]
            for level in LEVELS
            if (confidence > level).any()
        },
        "answered": round(len(answered) / len(cases), 3),
        "answers_right": round(float(np.mean(answered)), 3) if answered else None,
        "median_seconds": round(float(np.median([case.seconds for case in cases])), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", type=int, default=120)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = summarise(collect_cases(options.failures))
    if options.json:
        sys.stdout.write(json.dumps(result) + "\n")
        return
    for name, value in result.items():
        sys.stdout.write(f"{name:18} {value}\n")


if __name__ == "__main__":
    main()
