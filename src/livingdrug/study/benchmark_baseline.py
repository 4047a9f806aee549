"""A baseline for the benchmark: gradient-boosted trees that see the raw numbers and no model."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from livingdrug.core.ruleset import Ruleset
from livingdrug.study.benchmark_patients import KINETICS, KnownFailure, simulate_failures

MARKERS = ("m_protein", "tumour_spd", "marrow_blasts")
MONTHS = tuple(28.0 * month for month in range(1, 13))
ENOUGH = 500
"""Failures of which some can be spared to tell when the trees have learned enough."""
FEWEST = 10
"""Failures of a class that some can be spared of."""
CALM = 0.05
"""Learning rate of the trees."""


def tabulate_features(failures: Sequence[KnownFailure]) -> np.ndarray:
    """Return what the trees see of each failure: day, transgene, marker, antigen; not a number where unknown."""
    rows = []
    for failure in failures:
        table = failure.record.observations.filter(pl.col("value").is_not_null())
        values: Mapping[tuple[str, float], float] = {
            (name.partition(":")[0], day): value
            for name, day, value in table.select("variable", "day", "value").iter_rows()
        }
        marker = next((name for name in MARKERS if any(key[0] == name for key in values)), MARKERS[0])
        antigen = [value for (name, _), value in values.items() if name == "antigen_positive_fraction"]
        asked = [("car_transgene", day) for day in KINETICS] + [(marker, day) for day in (-7.0, *MONTHS)]
        numbers = [values.get(key, np.nan) for key in asked]
        rows.append(
            [
                float(failure.assessment.failure_day or np.nan),
                antigen[0] if antigen else np.nan,
                *np.log(np.maximum(np.array(numbers, dtype=float), 1e-6)),
            ]
        )
    return np.array(rows, dtype=float)


def predict_baseline(
    failures: Sequence[KnownFailure],
    name: Callable[[str], str],
    training: int,
    *,
    seed: int,
    settings: Ruleset,
    with_extra: bool,
    jobs: int | None = None,
) -> dict[str, float]:
    """Train the trees on other simulated failures of each cohort; return how often they are right, by cohort.

    Nothing where scikit-learn is not installed, or nothing is to be learned from.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
    except ModuleNotFoundError:
        return {}
    cohorts = list(dict.fromkeys((one.disease, one.product) for one in failures))
    each = training // max(1, len(cohorts))
    if each < 1:
        return {}
    shares: dict[str, float] = {}
    for disease, product in cohorts:
        known = list(
            simulate_failures(disease, product, each, seed=seed, settings=settings, with_extra=with_extra, jobs=jobs)
        )
        labels = [name(max(one.reasons, key=lambda key: one.reasons[key])) for one in known]
        own = [one for one in failures if (one.disease, one.product) == (disease, product)]
        # to tell when enough is learned, each class must be among those spared: a class of one is in nobody's reach
        common = [place for place, label in enumerate(labels) if len(known) < ENOUGH or labels.count(label) >= FEWEST]
        trees = HistGradientBoostingClassifier(
            learning_rate=CALM, early_stopping=len(known) >= ENOUGH, class_weight=None, random_state=seed
        ).fit(tabulate_features([known[place] for place in common]), [labels[place] for place in common])
        right = [
            any(name(key) == guess and share > 0 for key, share in one.reasons.items())
            for one, guess in zip(own, trees.predict(tabulate_features(own)), strict=True)
        ]
        shares[f"{disease}/{product}"] = float(np.mean(right))
    return shares
