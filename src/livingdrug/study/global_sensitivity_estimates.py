"""Points of a global sensitivity study, and its estimates where some runs failed: SALib, block by block."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from livingdrug.core.errors import InputError, SolverError

MAIN = {"morris": "mean_effect", "sobol": "total"}
"""By method, the statistic that ranks the properties."""
LEVELS = 6
"""Of the grid of Morris."""
SMALLEST_KEPT = 0.5
"""Share of the blocks that must be left for the rest to stand for all."""
SCHEMA = {
    "outcome": pl.String,
    "property": pl.String,
    "statistic": pl.String,
    "value": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "blocks": pl.Int64,
    "blocks_left_out": pl.Int64,
}
ESTIMATES = {
    "morris": {"mean_effect": ("mu_star", "mu_star_conf")},
    "sobol": {"total": ("ST", "ST_conf"), "first": ("S1", "S1_conf")},
}
"""By method: our name of a statistic, and SALib's of its value and of half the width of its 95 % interval."""


def check_method(method: str, blocks: int) -> None:
    """Raise if a method is not known, or cannot have that many blocks.

    Raises
    ------
    InputError
        With what can be used.
    """
    if method not in MAIN:
        raise InputError(f"`method` must be one of {', '.join(MAIN)}, but was {method!r}. Hint: start with morris.")
    if blocks < 2 or (method == "sobol" and blocks & (blocks - 1)):
        rule = "a power of two for sobol" if method == "sobol" else "at least 2"
        raise InputError(f"`blocks` must be {rule}, but was {blocks}. Hint: 32, 64 or 128.")


def _describe(names: Sequence[str]) -> dict[str, Any]:
    return {"num_vars": len(names), "names": list(names), "bounds": [[0.0, 1.0]] * len(names)}


def sample_points(names: Sequence[str], *, method: str, blocks: int, seed: int) -> np.ndarray:
    """Return points of the unit cube, (block * runs of a block, property), one block after the other.

    Raises
    ------
    InputError
        If SALib is not installed.
    """
    try:
        from SALib.sample import morris, sobol
    except ImportError as error:
        raise InputError(
            "SALib must be installed for global sensitivity, but is not. "
            'Hint: install livingdrug with its extra "sensitivity".'
        ) from error
    number = seed % 2**32
    if method == "morris":
        return np.asarray(morris.sample(_describe(names), blocks, num_levels=LEVELS, seed=number))
    return np.asarray(sobol.sample(_describe(names), blocks, calc_second_order=False, seed=number))


def estimate_effects(
    names: Sequence[str], points: np.ndarray, outcomes: Mapping[str, np.ndarray], *, method: str, seed: int
) -> pl.DataFrame:
    """Estimate what each property does to each outcome, from the blocks of which every run is known.

    Parameters
    ----------
    names : properties
    points : (run, property)
        As :func:`sample_points` gave them.
    outcomes : mapping of name to (run,)
        Not a number where a run failed.

    Returns
    -------
    table
        ``outcome, property, statistic, value, lower, upper, blocks, blocks_left_out``; a share of a variance that is
        0 is unknown.

    Raises
    ------
    SolverError
        If more than half of the blocks hold a run that failed.
    """
    size = len(names) + (1 if method == "morris" else 2)
    rows: list[tuple[object, ...]] = []
    for outcome, values in outcomes.items():
        is_whole = np.isfinite(values.reshape(-1, size)).all(axis=1)
        kept, lost = int(is_whole.sum()), int((~is_whole).sum())
        if kept < 2 or kept < SMALLEST_KEPT * len(is_whole):
            raise SolverError(
                f"At least half of the blocks must be without a failed run for {outcome}, but {lost} of "
                f"{len(is_whole)} have one. Hint: narrow the spread of the values, or see which patients fail."
            )
        chosen = np.repeat(is_whole, size)
        found = _analyse(names, points[chosen], values[chosen], method, seed % 2**32)
        rows += [
            (outcome, name, statistic, *_bound(*found[statistic][place]), kept, lost)
            for place, name in enumerate(names)
            for statistic in found
        ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _analyse(
    names: Sequence[str], points: np.ndarray, values: np.ndarray, method: str, seed: int
) -> dict[str, list[tuple[float, float]]]:
    """Return value and half the width of its interval of each statistic and property."""
    from SALib.analyze import morris, sobol

    if np.ptp(values) == 0:
        nothing = (0.0, 0.0) if method == "morris" else (np.nan, np.nan)
        return {statistic: [nothing] * len(names) for statistic in ESTIMATES[method]}
    problem = _describe(names)
    if method == "morris":
        found = morris.analyze(problem, points, values, num_levels=LEVELS, seed=seed)
    else:
        found = sobol.analyze(problem, values, calc_second_order=False, seed=seed)
    return {
        statistic: [(float(v), float(h)) for v, h in zip(found[value], found[half], strict=True)]
        for statistic, (value, half) in ESTIMATES[method].items()
    }


def _bound(value: float, half: float) -> tuple[float | None, float | None, float | None]:
    if not np.isfinite(value):
        return None, None, None
    return (value, value - half, value + half) if np.isfinite(half) else (value, None, None)
