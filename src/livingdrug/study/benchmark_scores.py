"""What the cases of the benchmark add up to: how often right, how honest the probabilities, how fast."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from livingdrug.explain.attribution import NONE
from livingdrug.study.benchmark_cases import Case, name_class, name_eighth, name_group
from livingdrug.study.reliability import tabulate_reliability

BINS = np.linspace(0, 1, 11)
REPEATS = 2000
"""Repetitions that show what calibration error chance alone gives."""
LIMITS = tuple(round(0.4 + 0.05 * k, 2) for k in range(11))
"""Probabilities at which an answer might be given."""


def merge(values: Mapping[str, float], name: Callable[[str], str]) -> dict[str, float]:
    """Sum values within a class.

    >>> merge({"tumour_growth": 0.25, "tumour_burden": 0.5, "potency": 0.25}, name_eighth)
    {'tumour': 0.75, 'potency': 0.25}
    """
    merged: dict[str, float] = {}
    for key, value in values.items():
        merged[name(key)] = merged.get(name(key), 0.0) + value
    return merged


def rank(values: Mapping[str, float]) -> list[str]:
    """Return names by falling value."""
    return sorted(values, key=lambda name: -values[name])


def is_right(case: Case) -> bool:
    """Tell whether the answer holds a true reason."""
    true = [name for name, share in case.truth.items() if share > 0]
    return any(case.answered in (name, name_group(name)) for name in true)


def compute_hits(cases: Sequence[Case], found: str, name: Callable[[str], str], depth: int) -> float:
    """Return how often a true class is among the first so many found; of those that tie each is true."""
    hits = [
        any(merge(case.truth, name).get(one, 0) > 0 for one in rank(getattr(case, found))[:depth]) for case in cases
    ]
    return float(np.mean(hits))


def compute_gap(sure: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error in ten bins.

    >>> round(compute_gap(np.array([0.75, 0.75]), np.array([1.0, 0.0])), 2)
    0.25
    """
    place = np.clip(np.digitize(sure, BINS) - 1, 0, len(BINS) - 2)
    count = np.bincount(place, minlength=len(BINS) - 1)
    gap = np.bincount(place, weights=sure - right, minlength=len(BINS) - 1)
    return float(np.abs(gap).sum() / count.sum())


def compute_calibration(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the calibration error of the first of eight, what chance alone would give, and the bins.

    The probability is that of being right, alone or tied; so is what it is compared with.
    """
    first = [rank(case.eight)[0] for case in cases]
    sure = np.array([case.eight[top] for case, top in zip(cases, first, strict=True)])
    right = np.array([merge(c.truth, name_eighth).get(top, 0.0) > 0 for c, top in zip(cases, first, strict=True)])
    rng = np.random.default_rng(0)
    chance = [compute_gap(sure, (rng.random(len(sure)) < sure).astype(float)) for _ in range(REPEATS)]
    table = tabulate_reliability(sure.tolist(), right.tolist())
    return {
        "ece": compute_gap(sure, right.astype(float)),
        "ece_by_chance": float(np.mean(chance)),
        "reliability": table.to_dicts(),
    }


def find_commonest(cases: Sequence[Case]) -> float:
    """Return how often the commonest true mechanism of each cohort would be right, said of everybody in it."""
    right = []
    for cohort in {case.cohort for case in cases}:
        own = [merge(case.truth, name_eighth) for case in cases if case.cohort == cohort]
        total: dict[str, float] = {}
        for truth in own:
            for name, share in truth.items():
                total[name] = total.get(name, 0.0) + (share > 0)
        right.append(max(total.values()))
    return float(sum(right) / len(cases))


def count_confusion(cases: Sequence[Case]) -> dict[str, dict[str, int]]:
    """Return how often each true mechanism (rows) was found as each (columns), by the first of both."""
    confusion: dict[str, dict[str, int]] = {}
    for case in cases:
        true, found = rank(merge(case.truth, name_eighth))[0], rank(case.eight)[0]
        row = confusion.setdefault(true, {})
        row[found] = row.get(found, 0) + 1
    return confusion


def list_limits(cases: Sequence[Case]) -> list[dict[str, float | None]]:
    """Return, for each probability at which a group might be answered, how often one would be and be right.

    The groups are the four classes, which every patient's data may tell apart; an answer may be finer.
    """
    rows: list[dict[str, float | None]] = []
    for limit in LIMITS:
        able = [(case, top) for case in cases if (top := rank(case.four)[0]) != NONE and case.four[top] >= limit]
        right = [merge(case.truth, name_class).get(top, 0.0) > 0 for case, top in able]
        accuracy = float(np.mean(right)) if right else None
        rows.append({"at": limit, "answered": len(able) / len(cases), "accuracy": accuracy})
    return rows


def compute_share_error(cases: Sequence[Case], found: str) -> float | None:
    """Return the mean absolute error of Shapley shares."""
    errors = [
        abs(getattr(case, found)[name] - true)
        for case in cases
        for name, true in case.shares.items()
        if name in getattr(case, found)
    ]
    return float(np.mean(errors)) if errors else None


def average_known(values: Sequence[float]) -> float | None:
    """Return the mean of the values that are numbers; None without any.

    >>> average_known([0.25, float("nan"), 0.75]), average_known([float("nan")])
    (0.5, None)
    """
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else None


def summarise_cases(cases: Sequence[Case]) -> dict[str, Any]:
    """Return what the benchmark reports of its cases, baselines and limit aside."""
    answered = [case for case in cases if case.answered is not None]
    return {
        "n": len(cases),
        "answered": len(answered) / len(cases),
        "accuracy_answered": float(np.mean([is_right(case) for case in answered])) if answered else None,
        "answered_as_mechanism": float(np.mean([case.answered in case.estimated for case in cases])),
        "top1": compute_hits(cases, "eight", name_eighth, 1),
        "top2": compute_hits(cases, "eight", name_eighth, 2),
        "top1_four_classes": compute_hits(cases, "four", name_class, 1),
        **compute_calibration(cases),
        "shapley_mae": compute_share_error(cases, "estimated"),
        "shapley_mae_of_medians": compute_share_error(cases, "medians"),
        "shapley_mae_expected": average_known([case.expected_error for case in cases]),
        "baseline_commonest": find_commonest(cases),
        "tied": float(np.mean([sum(share > 0 for share in case.truth.values()) > 1 for case in cases])),
        "misfit_flagged": float(np.mean([case.is_misfit for case in cases])),
        "effective_200": float(np.mean([case.effective >= 200 for case in cases])),
        "effective_answer_median": float(np.median([case.effective_answer for case in cases])),
        "seconds_per_patient": float(np.median([case.seconds for case in cases])),
        "processor_seconds_fit": float(np.median([case.processor_fit for case in cases])),
        "processor_seconds_attribution": float(np.median([case.processor_cause for case in cases])),
        "limits": list_limits(cases),
        "confusion": count_confusion(cases),
    }
