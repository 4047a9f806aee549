"""AMICI: CVODES with generated C++ (analytic sparse Jacobian, KLU), compiled with -O3; two OpenMP threads.

It takes one absolute tolerance, so the states are counted in their floors. Only the observables are returned.
"""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

os.environ.setdefault("AMICI_CXXFLAGS", "-O3;-march=native")
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # AMICI's own swig first

import amici.sim.sundials as sundials
import numpy as np
import sympy as sp
from amici._installation import amici as amici_swig
from amici.importers.sbml import SbmlImporter
from amici.importers.utils import MeasurementChannel
from equations import Equations
from gradient import NOISE
from sbml import write_sbml

from reference import Workload

logging.getLogger("amici").setLevel(logging.CRITICAL)  # a failed patient is a number in the results


def build_model(equations: Equations, observed: Mapping[str, sp.Expr], name: str, *, with_constants: bool):
    """Generate, compile and load the model; the folder lives as long as the process."""
    folder = tempfile.mkdtemp(prefix="amici_")
    path = Path(folder) / f"{name}.xml"
    path.write_text(write_sbml(equations, observed, with_constants=with_constants))
    channels = [
        MeasurementChannel(f"o_{n}", formula=f"seen_{n}", noise_distribution="log-normal", sigma=NOISE)
        for n in observed
    ]
    SbmlImporter(path).sbml2amici(
        name, f"{folder}/{name}", observation_model=channels, compute_conservation_laws=False,
        generate_sensitivity_code=not with_constants,
    )  # fmt: skip
    return sundials.import_model_module(name, f"{folder}/{name}").get_model()


def make_solver(model):
    """Return CVODES with the sparse direct solver, reporting observables and likelihood only."""
    solver = model.create_solver()
    solver.set_linear_solver(sundials.LinearSolver.KLU)
    solver.set_max_steps(200_000)
    solver.set_return_data_reporting_mode(sundials.RDataReporting.observables_likelihood)
    return solver


class Amici:
    """Two threads over patients."""

    def __init__(self, work: Workload, threads: int = 2) -> None:
        self.threads = threads
        self.scaled = work.equations.scale(work.floors)
        self.model = build_model(self.scaled, self.scaled.outputs, "bench_states", with_constants=True)
        self.model.set_parameter_list([])  # else it allocates for every parameter's derivative at every time
        self.solver = make_solver(self.model)

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
        lost = np.full((len(work.times), 2), np.nan)
        seen = np.array([r["y"] if r["status"] == sundials.AMICI_SUCCESS else lost for r in done])
        return seen, seconds

    def close(self) -> None:
        """Nothing to end."""


class Gradient:
    """Forward sensitivities to the logarithms of the free parameters; AMICI's own likelihood; two threads."""

    def __init__(self, work: Workload, names: Sequence[str], threads: int = 2) -> None:
        self.threads = threads
        scaled = work.equations.scale(work.floors)
        observed = {n: scaled.outputs[n] + sp.Float(one) for n, one in zip(work.looked_at, work.cell, strict=True)}
        self.model = build_model(scaled, observed, "bench_gradient", with_constants=False)
        ids = list(self.model.get_free_parameter_ids())
        self.model.set_parameter_list([ids.index(f"p_{n}") for n in names])
        own = [f"p_{n}" for n in work.equations.model.parameter_names]
        self.order = [own.index(n) for n in ids]
        free = {f"p_{n}" for n in names}
        scales = [int(sundials.ParameterScaling.ln if n in free else sundials.ParameterScaling.none) for n in ids]
        self.is_log = np.array([n in free for n in ids])
        self.model.set_parameter_scale(amici_swig.parameter_scaling_from_int_vector(scales))
        self.solver = make_solver(self.model)
        self.solver.set_sensitivity_order(sundials.SensitivityOrder.first)
        self.solver.set_sensitivity_method(sundials.SensitivityMethod.forward)

    def compute(self, work: Workload, measured: np.ndarray, rtol: float) -> tuple[np.ndarray, float]:
        """Return the gradient, (patient, name), and seconds."""
        values = work.parameters[:, self.order].copy()
        values[:, self.is_log] = np.log(values[:, self.is_log])
        self.solver.set_relative_tolerance(rtol)
        self.solver.set_absolute_tolerance(rtol)
        data = []
        for row, seen in zip(values, measured, strict=True):
            one = sundials.ExpData(self.model)
            one.set_timepoints(work.times)
            one.free_parameters = row
            one.set_measurements(seen.ravel())
            data.append(one)
        begin = time.perf_counter()
        done = sundials.run_simulations(self.model, self.solver, data, failfast=False, num_threads=self.threads)
        seconds = time.perf_counter() - begin
        return np.array([r["sllh"] for r in done]), seconds

    def close(self) -> None:
        """Nothing to end."""


def prepare_gradient(work: Workload, names: Sequence[str]) -> Gradient:
    """Generate and compile the model with its sensitivity equations."""
    return Gradient(work, names)


def prepare(work: Workload) -> Amici:
    """Generate and compile the model."""
    return Amici(work)
