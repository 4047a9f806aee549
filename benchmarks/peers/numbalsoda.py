"""numbalsoda: LSODA in C++ with a right-hand side compiled by Numba; two threads.

It takes one absolute tolerance, so the states are counted in their floors. LSODA makes its own Jacobian.
"""

import time

import numba
import numpy as np
from equations import Equations
from numba import prange
from numbalsoda import lsoda, lsoda_sig
from source import write_function

from reference import Workload


def build_address(equations: Equations) -> int:
    """Return the address of the compiled right-hand side."""
    namespace: dict[str, object] = {}
    text = "from math import exp, log, sqrt\n"
    text += write_function("rates", equations, equations.rhs, lambda i, e: f"out[{i}] = {e}")
    exec(compile(text, "<model>", "exec"), namespace)
    rates = numba.njit(namespace["rates"], error_model="numpy")

    @numba.cfunc(lsoda_sig)
    def function(t, y, dy, k):
        rates(t, y, k, dy)

    build_address.keep = function  # the code must outlive the call
    return int(function.address)


@numba.njit(parallel=True)
def solve_all(address, starts, constants, times, rtol, atol):
    states = np.full((len(starts), len(times) - 1, starts.shape[1]), np.nan)
    for i in prange(len(starts)):
        solution, is_done = lsoda(address, starts[i], times, constants[i], rtol, atol, 100_000)
        if is_done:
            states[i] = solution[1:]
    return states


class Numbalsoda:
    """Two threads over patients."""

    def __init__(self, work: Workload, threads: int = 2) -> None:
        self.scaled = work.equations.scale(work.floors)
        self.address = build_address(self.scaled)
        numba.set_num_threads(threads)

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds."""
        constants = np.ascontiguousarray(work.equations.compute_constants(work.parameters))
        starts = np.ascontiguousarray(self.scaled.compute_initial(work.parameters))
        begin = time.perf_counter()
        states = solve_all(self.address, starts, constants, np.concatenate([[0.0], work.times]), rtol, share)
        seconds = time.perf_counter() - begin
        return work.look(states * work.floors), seconds

    def close(self) -> None:
        """Nothing to end."""


def prepare(work: Workload) -> Numbalsoda:
    """Compile the right-hand side."""
    return Numbalsoda(work)
