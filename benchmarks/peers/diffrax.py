"""diffrax on the CPU: float64, ``jit`` over ``vmap``, one thread for each of two CPU devices.

XLA must be told of two devices before JAX starts, so this module sets the flag when it is imported.
"""

import os

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import sympy as sp
from equations import PLAIN, Equations
from gradient import NOISE
from source import write_function

from reference import Workload

jax.config.update("jax_enable_x64", True)  # noqa: FBT003 (JAX's own signature)

SOLVERS = {"tsit5": diffrax.Tsit5, "kvaerno3": diffrax.Kvaerno3, "kvaerno5": diffrax.Kvaerno5}


def build_rates(equations: Equations):
    """Return the vector field ``f(t, y, k)``."""
    namespace = {"exp": jnp.exp, "log": jnp.log, "sqrt": jnp.sqrt, "stack": jnp.stack}
    text = write_function("rates", equations, equations.rhs, lambda i, e: f"r_{i} = {e}", "ENDING")
    ending = ", ".join(f"r_{i}" for i in range(len(equations.rhs)))
    exec(compile(text.replace("ENDING", f"return stack([{ending}])"), "<model>", "exec"), namespace)
    rates = namespace["rates"]
    return lambda t, y, k: rates(t, y, k, None)


def split(rows: np.ndarray, width: int, *tables: np.ndarray) -> list:
    """Put half of the patients on each device, (batch, width, ...) each."""
    return [
        jax.device_put(tuple(t[half].reshape(-1, width, *t.shape[1:]) for t in tables), device)
        for half, device in zip(np.split(rows, 2), jax.devices(), strict=True)
    ]


def run_halves(run, halves: list, *shared) -> tuple[np.ndarray, float]:
    """Run both devices at once; return the results in order and seconds."""
    begin = time.perf_counter()
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda half: np.asarray(run(half, *shared)), halves))
    seconds = time.perf_counter() - begin
    return np.concatenate([d.reshape(-1, *d.shape[2:]) for d in done]), seconds


def pad(count: int, width: int) -> np.ndarray:
    """Return row numbers that fill whole batches on both devices."""
    chunk = 2 * width
    return np.arange(-(-count // chunk) * chunk) % count


class Diffrax:
    """One solver, one batch width."""

    def __init__(self, work: Workload, solver: str, width: int) -> None:
        self.width = width
        rates = diffrax.ODETerm(build_rates(work.equations))
        save = diffrax.SaveAt(ts=jnp.asarray(work.times))
        end = float(work.times[-1])

        def solve_one(start, k, rtol, atol):
            control = diffrax.PIDController(rtol=rtol, atol=atol)
            solution = diffrax.diffeqsolve(
                rates, SOLVERS[solver](), 0.0, end, None, start, k, saveat=save, stepsize_controller=control,
                max_steps=200_000, throw=False,
            )  # fmt: skip
            return jnp.where(solution.result == diffrax.RESULTS.successful, solution.ys, jnp.nan)

        many = jax.vmap(solve_one, in_axes=(0, 0, None, None))
        self.run = jax.jit(lambda half, rtol, atol: jax.lax.map(lambda batch: many(*batch, rtol, atol), half))

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds."""
        starts = work.equations.compute_initial(work.parameters)
        constants = work.equations.compute_constants(work.parameters)
        rows = pad(len(starts), self.width)
        halves = split(rows, self.width, starts, constants)
        states, seconds = run_halves(self.run, halves, rtol, work.floors * share)
        return work.look(states[: len(starts)]), seconds * len(starts) / len(rows)

    def close(self) -> None:
        """Nothing to end."""


class Gradient:
    """Forward-mode derivatives of Tsit5; two devices."""

    def __init__(self, work: Workload, names: Sequence[str], width: int = 16) -> None:
        self.width = width
        equations = work.equations
        rates = diffrax.ODETerm(build_rates(equations))
        save = diffrax.SaveAt(ts=jnp.asarray(work.times))
        outputs = [equations.plain_outputs[n] for n in work.looked_at]
        columns = jnp.array([equations.model.parameter_names.index(n) for n in names])
        inward = sp.lambdify(
            [equations.p], [list(equations.constants), list(equations.initial)], [PLAIN, "jax"], cse=True
        )
        outward = sp.lambdify([equations.y, equations.p], outputs, [PLAIN, "jax"], cse=True)
        one = jnp.asarray(work.cell)

        def likelihood(moved, p, measured, rtol, atol):
            p = p.at[columns].set(p[columns] * jnp.exp(moved))
            k, start = (jnp.stack([jnp.asarray(v, dtype=float) for v in vs]) for vs in inward(p))
            solution = diffrax.diffeqsolve(
                rates, diffrax.Tsit5(), 0.0, float(work.times[-1]), None, start, k, saveat=save,
                stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol), max_steps=200_000, throw=False,
                adjoint=diffrax.ForwardMode(),
            )  # fmt: skip
            seen = jnp.stack(outward(solution.ys.T, p), axis=-1) + one
            return -0.5 * jnp.sum((jnp.log(measured / seen) / NOISE) ** 2)

        slope = jax.jacfwd(likelihood)
        zero = jnp.zeros(len(names))
        many = jax.vmap(lambda p, m, rtol, atol: slope(zero, p, m, rtol, atol), in_axes=(0, 0, None, None))
        self.run = jax.jit(lambda half, rtol, atol: jax.lax.map(lambda batch: many(*batch, rtol, atol), half))

    def compute(self, work: Workload, measured: np.ndarray, rtol: float) -> tuple[np.ndarray, float]:
        """Return the gradient, (patient, name), and seconds."""
        count = len(work.parameters)
        rows = pad(count, self.width)
        halves = split(rows, self.width, work.parameters, measured)
        gradient, seconds = run_halves(self.run, halves, rtol, work.floors * rtol)
        return gradient[:count], seconds * count / len(rows)

    def close(self) -> None:
        """Nothing to end."""


def prepare_gradient(work: Workload, names: Sequence[str]) -> Gradient:
    """Set up the derivative; compiled at the first call of each size."""
    return Gradient(work, names)


def prepare(work: Workload, solver: str = "tsit5", width: int = 32) -> Diffrax:
    """Set up one solver; compiled at the first call of each size."""
    return Diffrax(work, solver, width)
