"""libRoadRunner: CVODE behind LLVM code made from SBML; two processes.

The model's constants are parameters that are set per patient, compiled by LLJIT at its highest level, with an
absolute tolerance per state. libRoadRunner gives CVODE no analytic Jacobian.
"""

import multiprocessing
import time
from collections.abc import Callable

import numpy as np
import roadrunner
from sbml import write_sbml

from reference import Workload

MACHINE: dict[str, object] = {}


def start_worker(text: str, times: np.ndarray) -> None:
    """Load the model once in this process."""
    roadrunner.Config.setValue(roadrunner.Config.LLVM_BACKEND, roadrunner.Config.LLJIT)
    roadrunner.Config.setValue(roadrunner.Config.LLJIT_OPTIMIZATION_LEVEL, roadrunner.Config.AGGRESSIVE)
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    runner = roadrunner.RoadRunner(text)
    states = [name for name in runner.model.getGlobalParameterIds() if name.startswith("y_")]
    runner.timeCourseSelections = states
    MACHINE["runner"] = runner
    MACHINE["times"] = [0.0, *times]
    free = [name for name in runner.model.getGlobalParameterIds() if name.startswith(("k_", "y_"))]
    MACHINE["order"] = free
    MACHINE["places"] = [runner.model.getGlobalParameterIds().index(name) for name in free]


def solve_part(
    job: tuple[list[str], np.ndarray, list[str], np.ndarray, float, np.ndarray],
) -> tuple[np.ndarray, float]:
    """Solve some patients in this process; return states and the seconds it took."""
    constant_names, constants, state_names, start, rtol, atol = job
    runner = MACHINE["runner"]
    order = MACHINE["order"]
    names = [*constant_names, *state_names]
    values = np.concatenate([constants, start], axis=1)[:, [names.index(n) for n in order]]
    integrator = runner.getIntegrator()
    integrator.stiff = True
    integrator.setValue("relative_tolerance", rtol)
    in_order = [n for n in order if n in state_names]
    integrator.setValue("absolute_tolerance", [float(atol[state_names.index(n)]) for n in in_order])
    runner.timeCourseSelections = state_names
    states = np.full((len(values), len(MACHINE["times"]) - 1, len(state_names)), np.nan)
    begin = time.perf_counter()
    for i, row in enumerate(values):
        runner.reset()
        runner.model.setGlobalParameterValues(MACHINE["places"], row)
        try:
            states[i] = np.asarray(runner.simulate(times=MACHINE["times"]))[1:]
        except RuntimeError:
            continue
    return states, time.perf_counter() - begin


class Roadrunner:
    """Two processes, each with its own compiled model."""

    def __init__(self, work: Workload, processes: int = 2) -> None:
        text = write_sbml(work.equations, {}, with_constants=True)
        self.processes = processes
        context = multiprocessing.get_context("spawn")
        self.pool = context.Pool(processes, start_worker, (text, work.times))

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds of the slower process."""
        constants = work.equations.compute_constants(work.parameters)
        start = work.equations.compute_initial(work.parameters)
        names = [s.name for s in work.equations.k], [s.name for s in work.equations.y]
        parts = np.array_split(np.arange(len(constants)), self.processes)
        jobs = [(names[0], constants[i], names[1], start[i], rtol, work.floors * share) for i in parts]
        done = self.pool.map(solve_part, jobs, chunksize=1)
        return work.look(np.concatenate([states for states, _ in done])), max(seconds for _, seconds in done)

    def close(self) -> None:
        """End the processes."""
        self.pool.terminate()


def prepare(work: Workload) -> Callable[..., tuple[np.ndarray, float]]:
    """Compile and return the solve function."""
    return Roadrunner(work)
