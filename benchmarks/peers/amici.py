"""AMICI: CVODES with generated C++ (analytic sparse Jacobian, KLU), compiled with -O3; two OpenMP threads.

It takes one absolute tolerance, so the states are counted in their floors. Only the observables are returned.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("AMICI_CXXFLAGS", "-O3;-march=native")
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # AMICI's own swig first

import amici.sim.sundials as sundials
import numpy as np
import sympy as sp
from amici.importers.sbml import SbmlImporter
from amici.importers.utils import MeasurementChannel

from equations import Equations
from reference import Workload
from sbml import write_sbml

NOISE = 0.3  # standard deviation of the logarithm of what is measured, as in the gradient benchmark


def build_model(equations: Equations, looked_at: tuple[str, ...], name: str, *, with_constants: bool):
    """Generate, compile and load the model; the folder lives as long as the process."""
    folder = tempfile.mkdtemp(prefix="amici_")
    path = Path(folder) / f"{name}.xml"
    path.write_text(write_sbml(equations, {}, with_constants=with_constants))
    channels = [
        MeasurementChannel(
            f"o_{i}", formula=plain(equations.plain_outputs[n]), noise_distribution="log-normal", sigma=NOISE
        )
        for i, n in enumerate(looked_at)
    ]
    SbmlImporter(path).sbml2amici(
        name, f"{folder}/{name}", observation_model=channels, compute_conservation_laws=False,
        generate_sensitivity_code=not with_constants,
    )  # fmt: skip
    sys.path.insert(0, f"{folder}/{name}")
    return sundials.import_model_module(name, f"{folder}/{name}").get_model()


def plain(expression: sp.Expr) -> sp.Expr:
    """Return the expression with symbols that carry no assumptions, as AMICI names its own."""
    return expression.xreplace({s: sp.Symbol(s.name, real=True) for s in expression.free_symbols})


class Amici:
    """Two threads over patients."""

    def __init__(self, work: Workload, threads: int = 2) -> None:
        self.threads = threads
        self.scaled = work.equations.scale(work.floors)
        self.model = build_model(self.scaled, work.looked_at, "bench_states", with_constants=True)
        self.model.set_parameter_list([])  # else it allocates for every parameter's derivative at every time
        self.solver = self.model.create_solver()
        self.solver.set_linear_solver(sundials.LinearSolver.KLU)
        self.solver.set_max_steps(200_000)
        self.solver.set_return_data_reporting_mode(sundials.RDataReporting.observables_likelihood)

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds."""
        names = [s.name for s in work.equations.k]
        order = [names.index(n) for n in self.model.get_free_parameter_ids()]
        constants = work.equations.compute_constants(work.parameters)[:, order]
        starts = self.scaled.compute_initial(work.parameters)
        names = [s.name for s in work.equations.y]
        starts = starts[:, [names.index(n) for n in self.model.get_state_ids()]]
        self.solver.set_relative_tolerance(rtol)
        self.solver.set_absolute_tolerance(share)
        data = []
        for k, start in zip(constants, starts, strict=True):
            one = sundials.ExpData(self.model)
            one.set_timepoints(work.times)
            one.free_parameters = k
            one.x0 = start
            data.append(one)
        begin = time.perf_counter()
        done = sundials.run_simulations(self.model, self.solver, data, failfast=False, num_threads=self.threads)
        seconds = time.perf_counter() - begin
        seen = np.array([r["y"] if r["status"] == sundials.AMICI_SUCCESS else np.full((len(work.times), 2), np.nan) for r in done])
        return seen, seconds

    def close(self) -> None:
        """Nothing to end."""


def prepare(work: Workload) -> Amici:
    """Generate and compile the model."""
    return Amici(work)
