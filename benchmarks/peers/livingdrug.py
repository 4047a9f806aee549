"""This project's engine: one compiled kernel, two threads.

Its absolute tolerance of a state is the relative one times the state's floor; another share is asked for by
another floor, so every engine is given the same choice.
"""

import time
from dataclasses import replace

import numpy as np

from livingdrug.core.model import Model
from livingdrug.engine.compile import Kernel, compile_model
from livingdrug.engine.solve import Solution, solve
from reference import Workload


def lower_floors(model: Model, factor: float) -> Model:
    """Return the model with every floor multiplied."""
    return replace(model, states=tuple(replace(q, floor=q.floor * factor) for q in model.states))


class Livingdrug:
    """Two threads over patients."""

    def __init__(self, work: Workload, threads: int = 2) -> None:
        self.threads = threads
        self.model = work.equations.model
        self.kernels: dict[float, Kernel] = {}
        self.last: Solution | None = None

    def get_kernel(self, factor: float) -> Kernel:
        """Return the kernel for floors times ``factor``."""
        factor = float(f"{factor:.3g}")
        if factor not in self.kernels:
            self.kernels[factor] = compile_model(lower_floors(self.model, factor))
        return self.kernels[factor]

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds."""
        kernel = self.get_kernel(share / rtol)
        begin = time.perf_counter()
        solution = solve(kernel, work.parameters, work.times, keep=work.looked_at, rtol=rtol, threads=self.threads)
        seconds = time.perf_counter() - begin
        self.last = solution
        return solution.values, seconds

    def close(self) -> None:
        """Nothing to end."""


def prepare(work: Workload) -> Livingdrug:
    """Set up; a kernel is compiled at its first use."""
    return Livingdrug(work)
