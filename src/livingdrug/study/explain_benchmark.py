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
from livingdrug.study.benchmark_cases import Case, explain_all, name_eighth
from livingdrug.study.benchmark_patients import COHORTS, KnownFailure, list_counts, simulate_failures
from livingdrug.study.benchmark_scores import compute_hits, compute_share_error, is_right, rank, summarise_cases
from livingdrug.study.explain_failure import QUICK_DRAWS
from livingdrug.study.plans import SETTINGS

ONE_IN, EFFECTIVE = 25, 200
"""One patient in so many, five at least, is explained once more, for the limit: fits are repeated until their draws are
worth so many independent ones."""


def run_benchmark(  # noqa: PLR0913 - whom to simulate, how to explain, what to compare with, where to keep
    n: int = 1000,
    *,
    seed: int = 1,
    with_extra: bool = False,
    training: int = 20_000,
    draws: int = QUICK_DRAWS,
    long: int | None = None,
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
    long : int, optional
        Patients explained once more for the limit; one in 25 where it is left out, and five at least.
    folder : Path, optional
        Where every case is kept as soon as it is done; a run of the same seed, assays and draws goes on from there.
    progress : function of the failures done and of all, optional

    Returns
    -------
    report : mapping
        ``limit`` is how probably the first mechanism is right by repeated fits, on some of the patients: how often
        the best possible guess would be right if the posterior is the exact one.
    """
    settings = load_rules(SETTINGS)
    failures = [
        failure
        for (disease, product), count in zip(COHORTS, list_counts(n, COHORTS), strict=True)
        for failure in simulate_failures(
            disease, product, count, seed=seed, settings=settings, with_extra=with_extra, jobs=jobs
        )
    ]
    kept = far_kept = None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"cases-{seed}-{'extra' if with_extra else 'basic'}"
        kept, far_kept = (folder / f"{name}-{draws}{end}.jsonl" for end in ("", "-repeated"))
    cases = list(explain_all(failures, settings, seed=seed, draws=draws, jobs=jobs, kept=kept, progress=progress))
    long = max(5, n // ONE_IN) if long is None else long
    repeated = failures[:: max(1, len(failures) // max(1, long))][:long]
    far = list(
        explain_all(
            repeated,
            settings,
            seed=seed + 1,
            draws=draws,
            effective=EFFECTIVE,
            jobs=jobs,
            kept=far_kept,
            progress=progress,
        )
    )
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
        **compare_repeated(far, cases),
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


def compare_repeated(far: list[Case], cases: list[Case]) -> dict[str, float | int | None]:
    """Set repeated fits of some patients beside the quick ones of the same: how far these are from what can be known.

    Returns
    -------
    comparison : mapping
        ``limit`` (see `run_benchmark`), of how many patients, and how many effective draws in the median; how often
        both name the same mechanism first; then of the repeated fits and of the quick ones how often the first is
        right, how many are answered and how often rightly, and the mean error of Shapley shares and of their medians.
    """
    if not far:
        return {"limit": None, "limit_patients": 0}
    by_subject = {case.subject: case for case in cases}
    quick = [by_subject[case.subject] for case in far]
    alike = [rank(one.eight)[0] == rank(other.eight)[0] for one, other in zip(far, quick, strict=True)]
    return {
        "limit": float(np.mean([max(case.eight.values()) for case in far])),
        "limit_patients": len(far),
        "limit_effective": float(np.median([case.effective for case in far])),
        "limit_agreement": float(np.mean(alike)),
        **{f"limit_{name}": value for name, value in describe_few(far).items()},
        **{f"limit_{name}_of_quick": value for name, value in describe_few(quick).items()},
    }


def describe_few(cases: list[Case]) -> dict[str, float | None]:
    """Return what repeated fits may change."""
    told = [case for case in cases if case.answered is not None]
    return {
        "top1": compute_hits(cases, "eight", name_eighth, 1),
        "answered": len(told) / len(cases),
        "accuracy_answered": float(np.mean([is_right(case) for case in told])) if told else None,
        "shapley_mae": compute_share_error(cases, "estimated"),
        "shapley_mae_of_medians": compute_share_error(cases, "medians"),
    }
