"""How often an explanation is right: simulated failures with a known reason, explained from their records alone.

The truth is the same Shapley rule at the true parameters. Patients and fit share one model, so that real patients
will be harder; what is measured here is the sampler, the rule and the honesty of the probabilities.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from livingdrug.knowledge.rules import load_rules
from livingdrug.study.benchmark_baseline import predict_baseline
from livingdrug.study.benchmark_cases import Case, explain_all, explain_known, name_eighth
from livingdrug.study.benchmark_patients import COHORTS, KnownFailure, list_counts, simulate_failures
from livingdrug.study.benchmark_scores import rank, summarise_cases
from livingdrug.study.explain_failure import QUICK_DRAWS
from livingdrug.study.plans import SETTINGS

LONG = 5
"""Patients explained once more with eight times the draws, for the limit, unless told otherwise."""


def run_benchmark(  # noqa: PLR0913 - whom to simulate, how to explain, what to compare with, where to keep
    n: int = 1000,
    *,
    seed: int = 1,
    with_extra: bool = False,
    training: int = 20_000,
    draws: int = QUICK_DRAWS,
    long: int = LONG,
    jobs: int | None = None,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Explain simulated failures of every cohort and compare with the truth.

    Parameters
    ----------
    n : int
        Failures, shared among the cohorts.
    with_extra : bool
        With phenotype, residual disease, B cells, flow cytometry, antigen density.
    training : int
        Simulated failures that the classifier learns from; without scikit-learn there is none.
    long : int
        Patients explained once more for the limit.
    folder : Path, optional
        Where every case is kept as soon as it is done; a run of the same seed, assays and draws goes on from there.
    progress : function of the failures done and of all, optional

    Returns
    -------
    report : mapping
        ``limit`` is how probably the first mechanism is right by a run with eight times the draws, on some of the
        patients: how often the best possible guess would be right if the posterior is the exact one.
    """
    settings = load_rules(SETTINGS)
    failures = [
        failure
        for (disease, product), count in zip(COHORTS, list_counts(n, COHORTS), strict=True)
        for failure in simulate_failures(
            disease, product, count, seed=seed, settings=settings, with_extra=with_extra, jobs=jobs
        )
    ]
    kept = None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / f"cases-{seed}-{'extra' if with_extra else 'basic'}-{draws}.jsonl"
    cases = list(explain_all(failures, settings, seed=seed, draws=draws, jobs=jobs, kept=kept, progress=progress))
    repeated = failures[:: max(1, len(failures) // max(1, long))][:long]
    far = [explain_known(one, settings, seed=seed + 1, draws=8 * draws, jobs=jobs) for one in repeated]
    by_cohort = {
        cohort: summarise_cases([case for case in cases if case.cohort == cohort])
        for cohort in dict.fromkeys(case.cohort for case in cases)
    }
    guess = predict_baseline(
        failures, name_eighth, training, seed=seed + 1000, settings=settings, with_extra=with_extra, jobs=jobs
    )
    for cohort, share in guess.items():
        by_cohort[cohort]["baseline_classifier"] = share
    return {
        **summarise_cases(cases),
        "baseline_classifier": weigh_cohorts(guess, failures),
        "limit": float(np.mean([max(case.eight.values()) for case in far])) if far else None,
        "limit_patients": len(far),
        "limit_agreement": compare_first(far, cases) if far else None,
        "draws": draws,
        "with_extra": with_extra,
        "seed": seed,
        "cohorts": by_cohort,
    }


def weigh_cohorts(shares: dict[str, float], failures: list[KnownFailure]) -> float | None:
    """Return the share over all failures from that of each cohort; None where there is none."""
    if not shares:
        return None
    return float(np.mean([shares[f"{one.disease}/{one.product}"] for one in failures]))


def compare_first(far: list[Case], cases: list[Case]) -> float:
    """Return how often the long run names the same mechanism first as the short one."""
    short = {case.subject: rank(case.eight)[0] for case in cases}
    return float(np.mean([rank(case.eight)[0] == short[case.subject] for case in far]))
