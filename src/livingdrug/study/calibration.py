"""Calibrate population values to published results: a plan in data, least squares around priors, a table of misfits.

What is free stands in ``knowledge/data/calibration``: each value with the prior it is held near and the sets that
share it, and each published result with the quantity of a simulated population it is compared with. The sum of
squared misfits and of squared distances from the priors is made small by Levenberg-Marquardt steps. The same people
are simulated throughout, so that differences between values are not differences of chance.
"""

import json
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from livingdrug.core.errors import InputError
from livingdrug.core.parameters import ParameterSet
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.knowledge.targets import load_targets
from livingdrug.study.target_results import AnyPopulation, compute_result, simulate_set

STEP = 0.15
"""Finite difference in units of a prior's spread: wide enough for shares of a few thousand people."""
RELATIVE_ERROR = 0.1
"""Standard error of a result that was published without one, relative to it."""
SMALLEST_SHARE_ERROR = 2.0
"""Percent: a model is not expected to be nearer."""
WIDTH = 2 * 1.96
"""Standard errors in a 95 % interval."""
NOT_AN_INTERVAL = ("IQR", "range", "SD", "random-effect")
"""What the two limits of a published row may mean instead: a spread between patients."""


@dataclass(frozen=True, slots=True)
class Free:
    """One value that is calibrated: its prior and the sets that share it.

    ``part`` is ``typical`` or ``spread``; ``scale`` is ``log`` or ``logit``.
    """

    name: str
    part: str
    sets: tuple[str, ...]
    scale: str
    prior: float
    sd: float
    why: str

    def value(self, z: float) -> float:
        """Return the value that lies ``z`` prior spreads from the prior.

        Examples
        --------
        >>> Free("r", "typical", ("a",), "log", 0.05, 0.2, "").value(0.0)
        0.05
        """
        if self.scale == "logit":
            return 1 / (1 + math.exp(-(math.log(self.prior / (1 - self.prior)) + self.sd * z)))
        return self.prior * math.exp(self.sd * z)

    def place(self, value: float) -> float:
        """Return how many prior spreads a value lies from the prior."""
        if self.scale == "logit":
            return (math.log(value / (1 - value)) - math.log(self.prior / (1 - self.prior))) / self.sd
        return math.log(value / self.prior) / self.sd


@dataclass(frozen=True, slots=True)
class Target:
    """One published result and the quantity of a set's population that is held against it."""

    id: str
    set: str
    quantity: str
    settings: Mapping[str, float]
    value: float
    lower: float | None
    upper: float | None
    error: float
    unit: str
    what: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """What is free and what it is held against."""

    name: str
    sets: tuple[str, ...]
    patients: int
    seed: int
    free: tuple[Free, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A place in the space of the free values, and what comes out there."""

    z: np.ndarray
    simulated: np.ndarray
    loss: float


@cache
def load_plan(name: str) -> CalibrationPlan:
    """Load a packaged plan by name.

    Examples
    --------
    >>> load_plan("bcma").sets
    ('unified_myeloma_cilta_cel', 'unified_myeloma_ide_cel')
    """
    path = files("livingdrug.knowledge").joinpath("data", "calibration", f"{name}.toml")
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    head = document["plan"]
    free = tuple(Free(**{**entry, "sets": tuple(entry["sets"])}) for entry in document["free"])
    targets = tuple(_read_target(entry) for entry in document["target"])
    return CalibrationPlan(head["name"], tuple(head["sets"]), head["patients"], head["seed"], free, targets)


def list_plans() -> tuple[str, ...]:
    """Name the packaged plans."""
    folder = files("livingdrug.knowledge").joinpath("data", "calibration")
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def find_plan(disease: str, product: str, *, block: str = "unified") -> CalibrationPlan:
    """Return the plan in which a disease and product are calibrated.

    Parameters
    ----------
    block : str
        ``unified`` for growth, kinetics and response; ``toxicity`` for what rests on them.

    Raises
    ------
    InputError
        If none is.
    """
    name = f"{block}_{disease}_{product}"
    known = []
    for plan in map(load_plan, list_plans()):
        if name in plan.sets:
            return plan
        known += [one.removeprefix(f"{block}_") for one in plan.sets if one.startswith(block)]
    raise InputError(
        f"`disease/product` must be one that is calibrated, but was '{disease}/{product}'. "
        f"Hint: there are {', '.join(sorted(known))}."
    )


def _read_target(entry: Mapping[str, Any]) -> Target:
    row = load_targets().row(by_predicate=pl.col("id") == entry["id"], named=True)
    rest = {key: value for key, value in entry.items() if key not in ("id", "set", "quantity", "note", "error")}
    what = f"{row['product']} {row['disease']}, {row['trial']}: {row['quantity']}"
    is_interval = row["lower"] is not None and not (row["spread"] or "").startswith(NOT_AN_INTERVAL)
    return Target(
        entry["id"],
        entry["set"],
        entry["quantity"],
        rest,
        row["value"],
        row["lower"] if is_interval else None,
        row["upper"] if is_interval else None,
        entry.get("error") or compute_error(row),
        row["unit"],
        what,
        entry.get("note", ""),
    )


def compute_error(row: Mapping[str, Any]) -> float:
    """Return the standard error of a published number: from its interval, its count of patients, or a tenth of it.

    Examples
    --------
    >>> row = {"value": 50.0, "lower": None, "upper": None, "spread": None, "unit": "percent", "n": 100.0}
    >>> round(compute_error(row), 6)
    5.0
    """
    spread = row["spread"] or ""
    if row["lower"] is not None and not spread.startswith(NOT_AN_INTERVAL):
        return float(row["upper"] - row["lower"]) / WIDTH
    if row["unit"] == "percent" and row["n"]:
        share = min(max(row["value"] / 100, 0.02), 0.98)
        return max(100 * math.sqrt(share * (1 - share) / row["n"]), SMALLEST_SHARE_ERROR)
    return RELATIVE_ERROR * abs(float(row["value"]))


def apply_free(values: ParameterSet, free: Sequence[Free], z: np.ndarray) -> ParameterSet:
    """Return a set with the free values that concern it."""
    changed = dict(values.values)
    for one, place in zip(free, z, strict=True):
        if values.name not in one.sets:
            continue
        old = changed[one.name]
        if one.part == "typical":
            changed[one.name] = replace(old, value=one.value(place), how="fitted")
        elif old.spread is not None:
            changed[one.name] = replace(old, spread=replace(old.spread, sd=one.value(place)))
    return replace(values, values=changed)


def compute_start(plan: CalibrationPlan) -> np.ndarray:
    """Return where the packaged values lie, in prior spreads."""
    start = []
    for one in plan.free:
        value = load_parameters(one.sets[0]).values[one.name]
        spread = value.spread.sd if value.spread is not None else one.prior
        start.append(one.place(value.value if one.part == "typical" else spread))
    return np.array(start)


class _Simulator:
    """Simulated results at a place; a set whose values have not changed is not simulated again."""

    def __init__(self, plan: CalibrationPlan, threads: int | None) -> None:
        self.plan, self.threads = plan, threads
        self._kept: dict[tuple[str, tuple[float, ...]], AnyPopulation] = {}

    def compute(self, z: np.ndarray, *, keep: bool = False) -> np.ndarray:
        populations = {name: self._simulate(name, z, keep=keep) for name in self.plan.sets}
        return np.array([compute_result(t.quantity, populations[t.set], t.settings) for t in self.plan.targets])

    def _simulate(self, name: str, z: np.ndarray, *, keep: bool) -> AnyPopulation:
        key = (name, tuple(place for one, place in zip(self.plan.free, z, strict=True) if name in one.sets))
        if key in self._kept:
            return self._kept[key]
        values = apply_free(load_parameters(name), self.plan.free, z)
        found = simulate_set(values, self.plan.patients, seed=self.plan.seed, threads=self.threads)
        if keep:
            self._kept = {other: kept for other, kept in self._kept.items() if other[0] != name} | {key: found}
        return found


def compute_misfit(plan: CalibrationPlan, simulated: np.ndarray) -> np.ndarray:
    """Return how far each result lies from the published one, in standard errors."""
    value, error = (np.array([getattr(t, name) for t in plan.targets]) for name in ("value", "error"))
    return np.asarray(np.clip((np.nan_to_num(simulated, nan=0.0, posinf=1e6) - value) / error, -FARTHEST, FARTHEST))


FARTHEST = 8.0
"""Standard errors beyond which a misfit does not grow: one result must not carry the others away."""


def calibrate(
    plan: CalibrationPlan,
    *,
    iterations: int = 12,
    threads: int | None = None,
    state: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Fitted:
    """Make misfits and distances from the priors small.

    Parameters
    ----------
    iterations : int
        Levenberg-Marquardt steps at most.
    state : Path, optional
        File that holds the place reached after each step; if it is there, the work goes on from it.
    progress : function of step and loss, optional
    """
    simulator = _Simulator(plan, threads)
    done, z, damping = _read_state(plan, state)
    here = _evaluate(plan, simulator, z)
    while done < iterations:
        jacobian = _differentiate(plan, simulator, here)
        here, damping, is_better = _step(plan, simulator, here, jacobian, damping)
        done += 1
        _write_state(plan, state, done, here.z, damping)
        if progress is not None:
            progress(done, here.loss)
        if not is_better:
            break
    return here


def _evaluate(plan: CalibrationPlan, simulator: _Simulator, z: np.ndarray) -> Fitted:
    simulated = simulator.compute(z, keep=True)
    misfit = compute_misfit(plan, simulated)
    return Fitted(z, simulated, float(misfit @ misfit + z @ z))


def _differentiate(plan: CalibrationPlan, simulator: _Simulator, here: Fitted) -> np.ndarray:
    base = compute_misfit(plan, here.simulated)
    columns = []
    for place in range(len(here.z)):
        moved = here.z.copy()
        moved[place] += STEP
        columns.append((compute_misfit(plan, simulator.compute(moved)) - base) / STEP)
    return np.stack(columns, axis=1)


def _step(
    plan: CalibrationPlan, simulator: _Simulator, here: Fitted, jacobian: np.ndarray, damping: float
) -> tuple[Fitted, float, bool]:
    """Try steps that become shorter until one is better."""
    misfit = compute_misfit(plan, here.simulated)
    precision = jacobian.T @ jacobian + np.eye(len(here.z))
    gradient = jacobian.T @ misfit + here.z
    for _ in range(6):
        raised = precision + damping * np.diag(np.diag(precision))
        step = np.clip(-np.linalg.solve(raised, gradient), -1.0, 1.0)
        there = _evaluate(plan, simulator, here.z + step)
        if there.loss < here.loss - 1e-3:
            return there, damping / 4, True
        damping *= 4
    return here, damping, False


def _read_state(plan: CalibrationPlan, state: Path | None) -> tuple[int, np.ndarray, float]:
    if state is None or not state.exists():
        return 0, compute_start(plan), 0.05
    kept = json.loads(state.read_text(encoding="utf-8"))
    if kept["plan"] != plan.name or len(kept["z"]) != len(plan.free):
        raise InputError(f"`{state}` must belong to the plan {plan.name!r}, but does not. Hint: remove it.")
    return kept["done"], np.array(kept["z"]), kept["damping"]


def _write_state(plan: CalibrationPlan, state: Path | None, done: int, z: np.ndarray, damping: float) -> None:
    if state is None:
        return
    fresh = state.with_suffix(".new")
    kept = {"plan": plan.name, "done": done, "z": z.tolist(), "damping": damping}
    fresh.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    fresh.replace(state)
