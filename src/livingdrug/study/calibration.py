"""Calibrate population values to published results: a plan in data, least squares around priors, a table of misfits.

What is free stands in ``knowledge/data/calibration``: each value with the prior it is held near and the sets that
share it, and each published result with the quantity of a simulated population it is compared with. The sum of
squared misfits and of squared distances from the priors is made small by Levenberg-Marquardt steps. The same people
are simulated throughout, so that differences between values are not differences of chance. Slopes are finite
differences, computed anew every few steps and corrected after each step in between (Broyden).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from livingdrug.core.errors import InputError
from livingdrug.core.parameters import ParameterSet
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.study.calibration_plan import CalibrationPlan, Free
from livingdrug.study.target_results import AnyPopulation, compute_result, simulate_set

STEP = 0.15
"""Finite difference in units of a prior's spread: wide enough for shares of a few thousand people."""
DAMPING = 0.05
"""Of the first step along fresh slopes."""
SLOPES_LAST = 5
"""Steps after which slopes are computed anew; between, each step corrects them."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A place in the space of the free values, and what comes out there."""

    z: np.ndarray
    simulated: np.ndarray
    loss: float


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a calibration stands: steps done, place, damping, and the slopes with their age in steps."""

    done: int
    z: np.ndarray
    damping: float
    age: int
    jacobian: np.ndarray | None


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
        return np.array([compute_result(target, populations) for target in self.plan.targets])

    def _simulate(self, name: str, z: np.ndarray, *, keep: bool) -> AnyPopulation:
        key = (name, tuple(place for one, place in zip(self.plan.free, z, strict=True) if name in one.sets))
        if key in self._kept:
            return self._kept[key]
        values = apply_free(load_parameters(name), self.plan.free, z)
        found = simulate_set(values, self.plan.patients, self.plan.question, seed=self.plan.seed, threads=self.threads)
        if keep:
            self._kept = {other: kept for other, kept in self._kept.items() if other[0] != name} | {key: found}
        return found


def compute_misfit(plan: CalibrationPlan, simulated: np.ndarray) -> np.ndarray:
    """Return how far each result lies from the published one, in standard errors; far ones are drawn in."""
    value, error = (np.array([getattr(t, name) for t in plan.targets]) for name in ("value", "error"))
    misfit = (np.nan_to_num(simulated, nan=0.0, posinf=1e6) - value) / error
    return np.asarray(FAR * np.arcsinh(misfit / FAR))


FAR = 4.0
"""Standard errors beyond which a misfit grows as its logarithm: one result must not carry the others away."""


def calibrate(
    plan: CalibrationPlan,
    *,
    iterations: int = 24,
    from_prior: bool = False,
    threads: int | None = None,
    state: Path | None = None,
    progress: Callable[[int, float], None] | None = None,
) -> Fitted:
    """Make misfits and distances from the priors small.

    Parameters
    ----------
    iterations : int
        Levenberg-Marquardt steps at most.
    from_prior : bool
        Start where the priors stand, not where the packaged values do.
    state : Path, optional
        File that holds the place reached after each step; if it is there, the work goes on from it.
    progress : function of step and loss, optional
    """
    simulator = _Simulator(plan, threads)
    here, reached = _begin(plan, simulator, state, from_prior=from_prior)
    while reached.done < iterations:
        jacobian = _differentiate(plan, simulator, here) if reached.jacobian is None else reached.jacobian
        there, damping, is_better = _step(plan, simulator, here, jacobian, reached.damping)
        age = reached.age + 1 if is_better else 0
        is_kept = is_better and age < SLOPES_LAST
        kept = _correct(plan, jacobian, here, there) if is_kept else None
        was_fresh = reached.age == 0
        damping = damping if is_better else DAMPING  # fresh slopes deserve a long step
        here, reached = there, Reached(reached.done + 1, there.z, damping, age if is_kept else 0, kept)
        _write_state(plan, state, reached)
        if progress is not None:
            progress(reached.done, here.loss)
        if not is_better and was_fresh:
            break
    return here


def predict(plan: CalibrationPlan, z: np.ndarray, *, threads: int | None = None) -> Fitted:
    """Return what comes out at a place, of results that need not have been calibrated to."""
    return _evaluate(plan, _Simulator(plan, threads), z)


def _begin(
    plan: CalibrationPlan, simulator: "_Simulator", state: Path | None, *, from_prior: bool
) -> tuple[Fitted, "Reached"]:
    reached = _read_state(plan, state)
    if reached is None:
        z = np.zeros(len(plan.free)) if from_prior else compute_start(plan)
        reached = Reached(0, z, DAMPING, 0, None)
    return _evaluate(plan, simulator, reached.z), reached


def _correct(plan: CalibrationPlan, jacobian: np.ndarray, here: Fitted, there: Fitted) -> np.ndarray:
    """Return slopes that agree with the step just made (Broyden's update)."""
    moved = there.z - here.z
    change = compute_misfit(plan, there.simulated) - compute_misfit(plan, here.simulated)
    return np.asarray(jacobian + np.outer(change - jacobian @ moved, moved) / (moved @ moved))


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


def _read_state(plan: CalibrationPlan, state: Path | None) -> Reached | None:
    if state is None or not state.exists():
        return None
    kept = json.loads(state.read_text(encoding="utf-8"))
    if kept["plan"] != plan.name or len(kept["z"]) != len(plan.free):
        raise InputError(f"`{state}` must belong to the plan {plan.name!r}, but does not. Hint: remove it.")
    jacobian = None if kept["jacobian"] is None else np.array(kept["jacobian"])
    return Reached(kept["done"], np.array(kept["z"]), kept["damping"], kept["age"], jacobian)


def _write_state(plan: CalibrationPlan, state: Path | None, reached: Reached) -> None:
    if state is None:
        return
    fresh = state.with_suffix(".new")
    jacobian = None if reached.jacobian is None else reached.jacobian.tolist()
    kept = {"plan": plan.name, "done": reached.done, "z": reached.z.tolist(), "damping": reached.damping}
    fresh.write_text(json.dumps({**kept, "age": reached.age, "jacobian": jacobian}) + "\n", encoding="utf-8")
    fresh.replace(state)
