"""diffrax on the CPU: float64, `jit` over `vmap`, one thread for each of two CPU devices; every solver at its own best batch width.

XLA must be told of two devices before JAX starts, so this module sets the flag when it is imported.
"""

import os

os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2"

import time
from concurrent.futures import ThreadPoolExecutor

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from equations import Equations
from reference import Workload
from source import write_function

jax.config.update("jax_enable_x64", True)  # noqa: FBT003 (JAX's own signature)

SOLVERS = {"tsit5": diffrax.Tsit5, "kvaerno3": diffrax.Kvaerno3, "kvaerno5": diffrax.Kvaerno5}


def build_rates(equations: Equations):
    """Return the vector field ``f(t, y, k)``."""
    namespace = {"exp": jnp.exp, "log": jnp.log, "sqrt": jnp.sqrt, "stack": jnp.stack}
    text = write_function("rates", equations, equations.rhs, lambda i, e: f"r_{i} = {e}", "ENDING")
    ending = ", ".join(f"r_{i}" for i in range(len(equations.rhs)))
    exec(compile(text.replace("ENDING", f"return stack([{ending}])"), "<model>", "exec"), namespace)  # noqa: S102
    rates = namespace["rates"]
    return lambda t, y, k: rates(t, y, k, None)


class Diffrax:
    """One solver, one batch width."""

    def __init__(self, work: Workload, solver: str, width: int = 64) -> None:
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
        self.run = jax.jit(
            lambda starts, ks, rtol, atol: jax.lax.map(lambda batch: many(*batch, rtol, atol), (starts, ks))
        )

    def solve(self, work: Workload, rtol: float, share: float) -> tuple[np.ndarray, float]:
        """Return CAR-T and tumour, (patient, time, 2), and seconds; patients come in multiples of twice the width."""
        starts = work.equations.compute_initial(work.parameters)
        constants = work.equations.compute_constants(work.parameters)
        count = len(starts)
        chunk = 2 * self.width
        padded = -(-count // chunk) * chunk
        rows = np.arange(padded) % count
        shape = (padded // chunk, self.width, -1)
        halves = [
            jax.device_put((starts[half].reshape(shape), constants[half].reshape(shape), rtol, work.floors * share), device)
            for half, device in zip(np.split(rows, 2), jax.devices(), strict=True)
        ]
        begin = time.perf_counter()
        with ThreadPoolExecutor(2) as threads:
            done = list(threads.map(lambda arguments: np.asarray(self.run(*arguments)), halves))
        seconds = (time.perf_counter() - begin) * count / padded
        states = np.concatenate(done)
        return work.look(states.reshape(padded, len(work.times), -1)[:count]), seconds

    def close(self) -> None:
        """Nothing to end."""


def prepare(work: Workload, solver: str = "kvaerno5", width: int = 64) -> Diffrax:
    """Set up one solver; compiled at the first call of each size."""
    return Diffrax(work, solver, width)
