"""How often an explanation is right: simulated failures with a known reason, explained from their records alone.

The truth is the same Shapley rule at the true parameters. Patients and fit share one model, so that real patients
will be harder; what is measured here is the sampler, the rule and the honesty of the probabilities.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from livingdrug.core.outcome import Mechanism
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.benchmark_baseline import predict_baseline
from livingdrug.study.benchmark_patients import COHORTS, KnownFailure, list_counts, simulate_failures
from livingdrug.study.explain_failure import QUICK_DRAWS, explain_failure
from livingdrug.study.explanation import Explanation
from livingdrug.study.plans import SETTINGS
from livingdrug.study.reliability import tabulate_reliability

NONE = "none"
TUMOUR = "tumour"
CLASSES = {"environment": "quality"}
"""Groups that count as another in the four classes: suppression lowers the quality of CAR T cells."""
LONG = 5
"""Patients explained once more with eight times the draws, for the limit, unless told otherwise."""
BINS = np.linspace(0, 1, 11)


@dataclass(frozen=True, slots=True)
class Case:
    """One failure: its truth, what was found, and how long that took.

    Parameters
    ----------
    cohort : str
    truth, found : mapping of mechanism to probability
        Of being the reason; ``none`` among them.
    shares, estimated : mapping of mechanism to Shapley share
    answered : str or None
    is_misfit : bool
    effective : float
    seconds : float
    """

    cohort: str
    truth: Mapping[str, float]
    found: Mapping[str, float]
    shares: Mapping[str, float]
    estimated: Mapping[str, float]
    answered: str | None
    is_misfit: bool
    effective: float
    seconds: float


def name_group(mechanism: str) -> str:
    """Return the group of a mechanism; ``none`` is its own.

    >>> name_group("potency"), name_group("none")
    ('quality', 'none')
    """
    return NONE if mechanism == NONE else Mechanism(mechanism).group.value


def name_eighth(mechanism: str) -> str:
    """Return one of eight mechanisms: growth and burden of the tumour are one of them."""
    return TUMOUR if name_group(mechanism) == TUMOUR else mechanism


def name_class(mechanism: str) -> str:
    """Return one of four classes: quantity, quality, antigen, tumour; what was given counts as quantity."""
    group = name_group(mechanism)
    return CLASSES.get(group, "quantity" if group == "treatment" else group)


def merge(values: Mapping[str, float], name: Callable[[str], str]) -> dict[str, float]:
    """Sum values within a class.

    >>> merge({"tumour_growth": 0.25, "tumour_burden": 0.5, "potency": 0.25}, name_eighth)
    {'tumour': 0.75, 'potency': 0.25}
    """
    merged: dict[str, float] = {}
    for key, value in values.items():
        merged[name(key)] = merged.get(name(key), 0.0) + value
    return merged


def explain_known(failure: KnownFailure, *, seed: int, draws: int, jobs: int | None) -> tuple[Case, Explanation]:
    """Explain one failure from its record and set the truth beside it."""
    start = time.perf_counter()
    found = explain_failure(failure.record, seed=seed, draws=draws, jobs=jobs)
    seconds = time.perf_counter() - start
    probabilities = {item["name"]: item["probability"] for item in found.mechanisms}
    case = Case(
        cohort=f"{failure.disease}/{failure.product}",
        truth=failure.reasons,
        found={**probabilities, NONE: float(found.fit.get("unexplained", 1.0))},
        shares=failure.shares,
        estimated={item["name"]: item["share"] for item in found.mechanisms},
        answered=found.answered,
        is_misfit=bool(found.misfit["flag"]),
        effective=float(found.fit["effective_draws"]),
        seconds=seconds,
    )
    return case, found


def is_right(case: Case) -> bool:
    """Tell whether the answer holds a true reason."""
    true = [name for name, share in case.truth.items() if share > 0]
    return any(case.answered in (name, name_group(name)) for name in true)


def rank(values: Mapping[str, float]) -> list[str]:
    """Return names by falling value."""
    return sorted(values, key=lambda name: -values[name])


def compute_hits(cases: Sequence[Case], name: Callable[[str], str], depth: int) -> float:
    """Return how often a true class is among the first so many found."""
    hits = [
        any(merge(case.truth, name).get(found, 0) > 0 for found in rank(merge(case.found, name))[:depth])
        for case in cases
    ]
    return float(np.mean(hits))


def list_statements(cases: Sequence[Case]) -> tuple[list[float], list[bool]]:
    """Return the probability of each case's first mechanism, and whether it was a true one."""
    confidence, right = [], []
    for case in cases:
        found = merge(case.found, name_eighth)
        top = rank(found)[0]
        confidence.append(found[top])
        right.append(merge(case.truth, name_eighth).get(top, 0.0) > 0)
    return confidence, right


def compute_calibration_error(cases: Sequence[Case]) -> float:
    """Return the expected calibration error of the first mechanism's probability, in ten bins."""
    confidence, right = list_statements(cases)
    place = np.clip(np.digitize(confidence, BINS) - 1, 0, len(BINS) - 2)
    sure, hit = np.array(confidence), np.array(right, dtype=float)
    gaps = [(place == b).mean() * abs(sure[place == b].mean() - hit[place == b].mean()) for b in np.unique(place)]
    return float(np.sum(gaps))


def find_commonest(cases: Sequence[Case]) -> float:
    """Return how often the commonest true mechanism of each cohort would be right, said of everybody in it."""
    right = []
    for cohort in {case.cohort for case in cases}:
        own = [merge(case.truth, name_eighth) for case in cases if case.cohort == cohort]
        total = merge({}, name_eighth)
        for truth in own:
            for name, share in truth.items():
                total[name] = total.get(name, 0.0) + (share > 0)
        right.append(max(total.values()))
    return float(sum(right) / len(cases))


def count_confusion(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """Return how often each true mechanism (rows) was found as each (columns), by the first of both."""
    confusion: dict[str, dict[str, int]] = {}
    for case in cases:
        true, found = rank(merge(case.truth, name_eighth))[0], rank(merge(case.found, name_eighth))[0]
        row = confusion.setdefault(true, {})
        row[found] = row.get(found, 0) + 1
    return confusion


def summarise_cases(cases: Sequence[Case]) -> dict[str, Any]:
    """Return what the benchmark reports of its cases, baselines and limit aside."""
    answered = [case for case in cases if case.answered is not None]
    pairs = [
        (case.estimated[name], true) for case in cases for name, true in case.shares.items() if name in case.estimated
    ]
    errors = [abs(estimated - true) for estimated, true in pairs]
    return {
        "n": len(cases),
        "answered": len(answered) / len(cases),
        "accuracy_answered": float(np.mean([is_right(case) for case in answered])) if answered else None,
        "top1": compute_hits(cases, name_eighth, 1),
        "top2": compute_hits(cases, name_eighth, 2),
        "top1_four_classes": compute_hits(cases, name_class, 1),
        "ece": compute_calibration_error(cases),
        "reliability": tabulate_reliability(*list_statements(cases)).to_dicts(),
        "shapley_mae": float(np.mean(errors)) if errors else None,
        "baseline_commonest": find_commonest(cases),
        "misfit_flagged": float(np.mean([case.is_misfit for case in cases])),
        "effective_200": float(np.mean([case.effective >= 200 for case in cases])),
        "seconds_per_patient": float(np.median([case.seconds for case in cases])),
        "confusion": count_confusion(cases),
    }


def run_benchmark(
    n: int = 1000,
    *,
    seed: int = 1,
    with_extra: bool = False,
    training: int = 20_000,
    draws: int = QUICK_DRAWS,
    long: int = LONG,
    jobs: int | None = None,
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
    progress : function of the failures done and of all, optional

    Returns
    -------
    report : mapping
        ``limit`` is the mean probability of the first mechanism in a run with eight times the draws, on some of
        the patients: how often the best possible guess would be right if the posterior is the exact one.
    """
    settings = load_rules(SETTINGS)
    failures = [
        failure
        for (disease, product), count in zip(COHORTS, list_counts(n, COHORTS), strict=True)
        for failure in simulate_failures(
            disease, product, count, seed=seed, settings=settings, with_extra=with_extra, jobs=jobs
        )
    ]
    cases = []
    for failure in failures:
        cases.append(explain_known(failure, seed=seed, draws=draws, jobs=jobs)[0])
        if progress is not None:
            progress(len(cases), len(failures))
    repeated = failures[:: max(1, len(failures) // max(1, long))][:long]
    confidence = [
        max(merge(explain_known(one, seed=seed + 1, draws=8 * draws, jobs=jobs)[0].found, name_eighth).values())
        for one in repeated
    ]
    by_cohort = {
        cohort: summarise_cases([case for case in cases if case.cohort == cohort])
        for cohort in dict.fromkeys(case.cohort for case in cases)
    }
    return {
        **summarise_cases(cases),
        "baseline_classifier": predict_baseline(
            failures, name_eighth, training, seed=seed + 1000, settings=settings, with_extra=with_extra, jobs=jobs
        ),
        "limit": float(np.mean(confidence)) if confidence else None,
        "limit_patients": len(confidence),
        "with_extra": with_extra,
        "seed": seed,
        "cohorts": by_cohort,
    }
