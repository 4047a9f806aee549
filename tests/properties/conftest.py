"""Patients of the unified model, typical or drawn from the prior, and one door to the solver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from livingdrug.core.parameters import bind
from livingdrug.engine.compile import compile_model
from livingdrug.engine.schedule import Change, Schedule
from livingdrug.engine.solve import Solution, solve
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters

DAYS = np.unique(np.concatenate([np.arange(0, 60.5, 0.5), np.arange(60, 731, 5.0)]))


@dataclass(frozen=True)
class Laboratory:
    """Builds patients and runs them."""

    kernel: object

    def patients(self, name: str, overrides: Sequence[Mapping[str, float]] = ({},)) -> np.ndarray:
        """Typical patients of a set, each with some parameters changed, (patient, parameter)."""
        rows = np.tile(bind(UNIFIED, load_parameters(name)), (len(overrides), 1))
        for row, override in zip(rows, overrides, strict=True):
            for parameter, value in override.items():
                row[UNIFIED.parameter_names.index(parameter)] = value
        return rows

    def prior(self, name: str, count: int, *, seed: int = 20, **override: float) -> np.ndarray:
        """Patients drawn from the spread of a set, all with some parameters changed."""
        rows = sample_parameters(UNIFIED, load_parameters(name), 0, count, seed=seed)
        for parameter, value in override.items():
            rows[:, UNIFIED.parameter_names.index(parameter)] = value
        return rows

    def scaled(self, rows: np.ndarray, **factor: float) -> np.ndarray:
        """The same patients with parameters multiplied."""
        out = rows.copy()
        for parameter, value in factor.items():
            out[:, UNIFIED.parameter_names.index(parameter)] *= value
        return out

    def run(
        self,
        rows: np.ndarray,
        times: Sequence[float] | np.ndarray = DAYS,
        changes: Sequence[Sequence[Change]] | None = None,
        *,
        rtol: float = 1e-6,
    ) -> Solution:
        schedule = None if changes is None else Schedule.from_changes(UNIFIED, changes)
        solution = solve(self.kernel, rows, times, schedule=schedule, rtol=rtol)
        assert solution.failures == {}
        return solution

    def typical(self, name: str, *overrides: Mapping[str, float], times: np.ndarray = DAYS) -> Solution:
        return self.run(self.patients(name, overrides or ({},)), times)

    def peak(self, solution: Solution) -> np.ndarray:
        return solution.at("car_t_cells").max(axis=1)

    def nadir(self, solution: Solution) -> np.ndarray:
        """Decimal logarithm of the fewest tumour cells; less than one cell counts as one."""
        return np.log10(np.maximum(solution.at("tumour_cells").min(axis=1), 1.0))

    def relapse_day(self, solution: Solution, cells: float = 1e10) -> np.ndarray:
        """First day after the nadir with so many cells; infinite if never."""
        burden = solution.at("tumour_cells")
        fell = np.minimum.accumulate(burden, axis=1) < cells
        is_back = fell & (burden > cells)
        return np.where(is_back.any(axis=1), solution.times[is_back.argmax(axis=1)], np.inf)


@pytest.fixture(scope="session")
def lab() -> Laboratory:
    return Laboratory(compile_model(UNIFIED))
