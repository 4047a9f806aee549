"""This project's engine: one compiled kernel, two threads.

Its absolute tolerance of a state is the relative one times the state's floor; another share is asked for by
another floor, so every engine is given the same choice.

The kernel is compiled for what is looked at (``keep``): states that cannot influence it are left out by the
compiler. ``whole`` integrates them as well, as the peers do, and is reported beside it.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from gradient import combine

from livingdrug.core.model import Model
from livingdrug.engine.compile import Kernel, compile_model
from livingdrug.engine.solve import solve
from reference import Workload


def lower_floors(model: Model, factor: float) -> Model:
    """Return the model with every floor multiplied."""
    return replace(model, states=tuple(replace(q, floor=q.floor * factor) for q in model.states))


class Livingdrug:
    """Two threads over patients; ``steps`` are those of the last call, (patient, 2)."""

    def __init__(self, work: Workload, threads: int = 2, *, whole: bool = False) -> None:
        self.threads = threads
        self.keep = None if whole else work.looked_at
        self.model = work.equations.model
        self.kernels: dict[float, Kernel] = {}
        self.steps = np.zeros((0, 2), dtype=np.int64)

    def get_kernel(self, factor: float) -> Kernel:
        """Return the kernel for floors times ``factor``."""
        factor = float(f"{factor:.3g}")
        if factor not in self.kernels:
            self.kernels[factor] = compile_model(lower_floors(self.model, factor), keep=self.keep)
        return self.kernels[factor]

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds."""
        kernel = self.get_kernel(share / rtol)
        begin = time.perf_counter()
        solution = solve(kernel, work.parameters, work.times, keep=work.looked_at, rtol=rtol, threads=self.threads)
        seconds = time.perf_counter() - begin
        self.steps = solution.steps
        return solution.values, seconds

    def close(self) -> None:
        """Nothing to end."""


class Gradient:
    """Derivatives of the computed solution with respect to the free parameters; two threads."""

    def __init__(self, work: Workload, names: Sequence[str], threads: int = 2) -> None:
        self.kernel = compile_model(work.equations.model, with_gradient=True)
        self.names = tuple(names)
        self.columns = [work.equations.model.parameter_names.index(n) for n in names]
        self.threads = threads

    def compute(self, work: Workload, measured: np.ndarray, rtol: float) -> tuple[np.ndarray, float]:
        """Return the gradient, (patient, name), and seconds."""
        begin = time.perf_counter()
        solution = solve(
            self.kernel, work.parameters, work.times, keep=work.looked_at, wrt=self.names, rtol=rtol,
            threads=self.threads,
        )  # fmt: skip
        derivative = solution.gradient if solution.gradient is not None else np.empty(0)
        gradient = combine(solution.values + work.cell, derivative, measured, work.parameters[:, self.columns])
        return gradient, time.perf_counter() - begin

    def close(self) -> None:
        """Nothing to end."""


def prepare_gradient(work: Workload, names: Sequence[str]) -> Gradient:
    """Compile the kernel with derivatives."""
    return Gradient(work, names)


def prepare(work: Workload, *, whole: bool = False) -> Livingdrug:
    """Set up; a kernel is compiled at its first use."""
    return Livingdrug(work, whole=whole)
