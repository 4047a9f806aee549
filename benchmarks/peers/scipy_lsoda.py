"""SciPy LSODA with a right-hand side and Jacobian compiled by Numba; one process, as SciPy comes, or two.

Both doors are measured: ``solve_ivp(method="LSODA")`` and the older ``odeint``, which spends less in Python. LSODA has
no sensitivities: gradients are forward differences, by ``odeint`` in two processes.
"""

import multiprocessing
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace

import numba
import numpy as np
from gradient import combine
from scipy.integrate import odeint, solve_ivp
from source import build_functions, write_functions

from reference import Workload

STEP = 1e-4
"""Step of a forward difference, of the logarithm of a parameter."""

MACHINE: dict[str, object] = {}


def start_worker(text: str, size: int, count: int) -> None:
    """Compile the right-hand side once in this process."""
    rates, jacobian = build_functions(text, numba.njit)

    @numba.njit
    def fun(t, y, k):
        out = np.empty(size)
        rates(t, y, k, out)
        return out

    @numba.njit
    def jac(t, y, k):
        out = np.zeros((size, size))
        jacobian(t, y, k, out)
        return out

    MACHINE["fun"], MACHINE["jac"] = fun, jac
    y, k = np.ones(size), np.ones(count)
    fun(0.0, y, k), jac(0.0, y, k)


def solve_with_odeint(start, k, times, rtol, atol):
    """Return states, (time, state), or None."""
    states, info = odeint(
        MACHINE["fun"], start, np.concatenate([[0.0], times]), args=(k,), Dfun=MACHINE["jac"], tfirst=True,
        rtol=rtol, atol=atol, mxstep=100_000, full_output=True,
    )  # fmt: skip
    return states[1:] if info["message"] == "Integration successful." else None


def solve_with_ivp(start, k, times, rtol, atol):
    """Return states, (time, state), or None."""
    solution = solve_ivp(
        MACHINE["fun"], (0.0, times[-1]), start, method="LSODA", t_eval=times, args=(k,), jac=MACHINE["jac"],
        rtol=rtol, atol=atol,
    )  # fmt: skip
    return solution.y.T if solution.success else None


DOORS = {"odeint": solve_with_odeint, "solve_ivp": solve_with_ivp}


def solve_part(job: tuple[str, np.ndarray, np.ndarray, np.ndarray, float, np.ndarray]) -> tuple[np.ndarray, float]:
    """Solve some patients in this process; return states and seconds."""
    door, starts, constants, times, rtol, atol = job
    states = np.full((len(starts), len(times), starts.shape[1]), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begin = time.perf_counter()
        for i, (start, k) in enumerate(zip(starts, constants, strict=True)):
            done = DOORS[door](start, k, times, rtol, atol)
            if done is not None:
                states[i] = done
        return states, time.perf_counter() - begin


class ScipyLsoda:
    """One or two processes over patients."""

    def __init__(self, work: Workload, door: str, processes: int = 2) -> None:
        self.door = door
        self.processes = processes
        context = multiprocessing.get_context("spawn")
        self.pool = context.Pool(
            processes, start_worker, (write_functions(work.equations), len(work.equations.y), len(work.equations.k))
        )

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds of the slower process."""
        constants = work.equations.compute_constants(work.parameters)
        starts = work.equations.compute_initial(work.parameters)
        atol = work.floors * share
        parts = np.array_split(np.arange(len(constants)), self.processes)
        jobs = [(self.door, starts[i], constants[i], work.times, rtol, atol) for i in parts]
        done = self.pool.map(solve_part, jobs, chunksize=1)
        return work.look(np.concatenate([states for states, _ in done])), max(seconds for _, seconds in done)

    def close(self) -> None:
        """End the processes."""
        self.pool.terminate()


def prepare(work: Workload, door: str = "solve_ivp", processes: int = 2) -> ScipyLsoda:
    """Start the processes."""
    return ScipyLsoda(work, door, processes)


class Gradient:
    """Forward differences by the logarithm of each free parameter."""

    def __init__(self, work: Workload, names: Sequence[str]) -> None:
        self.solver = ScipyLsoda(work, "odeint")
        self.columns = [work.equations.model.parameter_names.index(n) for n in names]

    def compute(self, work: Workload, measured: np.ndarray, rtol: float) -> tuple[np.ndarray, float]:
        """Return the gradient, (patient, name), and the seconds of the slower process."""
        copies = 1 + len(self.columns)
        moved = np.repeat(work.parameters[:, None, :], copies, axis=1)
        for k, column in enumerate(self.columns):
            moved[:, k + 1, column] *= np.exp(STEP)
        many = replace(work, parameters=moved.reshape(-1, work.parameters.shape[1]))
        values, seconds = self.solver.solve(many, rtol, rtol)
        values = values.reshape(len(work.parameters), copies, *values.shape[1:])
        change = np.moveaxis(values[:, 1:] - values[:, :1], 1, -1) / STEP
        return combine(values[:, 0] + work.cell, change, measured, np.ones((len(values), copies - 1))), seconds

    def close(self) -> None:
        """End the processes."""
        self.solver.close()


def prepare_gradient(work: Workload, names: Sequence[str]) -> Gradient:
    """Start the processes."""
    return Gradient(work, names)
