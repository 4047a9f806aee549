"""The yardstick: SUNDIALS CVODE at a relative tolerance of 1e-10, and the error measured against it."""

from dataclasses import dataclass

import numba
import numpy as np
from equations import Equations
from sksundae.cvode import CVODE
from source import build_functions, write_functions

RTOL = 1e-10
FLOOR_SHARE = 1e-12  # absolute tolerance of the reference, as a share of each state's floor


@dataclass(frozen=True)
class Workload:
    """What every engine is asked to do.

    Parameters
    ----------
    equations : Equations
    parameters : (patient, parameter)
    times : (time,) [day]
    looked_at : names of the CAR-T and the tumour quantity whose errors count
    cell : (2,) one cell in the unit of each, the floor of the error's denominator
    """

    equations: Equations
    parameters: np.ndarray
    times: np.ndarray
    looked_at: tuple[str, str]
    cell: np.ndarray

    def take(self, patients: np.ndarray | slice) -> "Workload":
        """Return the same work for some of the patients."""
        return Workload(self.equations, self.parameters[patients], self.times, self.looked_at, self.cell)

    @property
    def floors(self) -> np.ndarray:
        """Amount below which each state no longer matters, (state,)."""
        return np.array([q.floor for q in self.equations.model.states])

    def look(self, states: np.ndarray) -> np.ndarray:
        """Return CAR-T and tumour, (patient, time, 2), of states, (patient, time, state)."""
        return self.equations.compute_outputs(self.looked_at, states, self.parameters)


def solve_reference(work: Workload) -> np.ndarray:
    """Solve every patient with CVODE (BDF, exact Jacobian) and return the states, (patient, time, state)."""
    rates, jacobian = build_functions(write_functions(work.equations), numba.njit)
    constants = work.equations.compute_constants(work.parameters)
    start = work.equations.compute_initial(work.parameters)
    first = np.zeros(len(work.equations.y))
    states = np.full((len(constants), len(work.times), len(first)), np.nan)

    def rates_of(t: float, y: np.ndarray, yp: np.ndarray, data: tuple[np.ndarray]) -> None:
        rates(t, y, data[0], yp)

    def jacobian_of(t: float, y: np.ndarray, _: np.ndarray, out: np.ndarray, data: tuple[np.ndarray]) -> None:
        jacobian(t, y, data[0], out)

    for i, (k, y0) in enumerate(zip(constants, start, strict=True)):
        solver = CVODE(
            rates_of, rtol=RTOL, atol=work.floors * FLOOR_SHARE, jacfn=jacobian_of, userdata=(k,), max_num_steps=500_000
        )
        with_zero = np.unique(np.concatenate([[0.0], work.times]))
        solution = solver.solve(with_zero, y0)
        if solution.success:
            states[i] = solution.y[-len(work.times) :]
    return states


def compute_errors(work: Workload, seen: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return each patient's worst relative error over time of CAR-T and tumour, (patient,).

    ``seen`` and ``reference`` are (patient, time, 2). The denominator is never less than one cell. A failed
    patient has an infinite error.
    """
    size = np.maximum(np.abs(reference), work.cell)
    worst = np.max(np.abs(seen - reference) / size, axis=(1, 2))
    return np.where(np.isfinite(worst), worst, np.inf)


def compute_tier(errors: np.ndarray) -> float:
    """Return the 95th percentile over patients."""
    return float(np.quantile(errors, 0.95, method="higher"))
