"""Trajectories of one patient or a million."""

import ctypes
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np

from livingdrug.core.errors import InputError
from livingdrug.engine.arguments import (
    check_count,
    check_length,
    check_names,
    check_parameters,
    check_times,
    check_tolerance,
)
from livingdrug.engine.compile import Kernel, compile_model
from livingdrug.engine.lanes import ARGUMENTS
from livingdrug.engine.outcome import Outcome
from livingdrug.engine.schedule import Schedule
from livingdrug.engine.summary import mark_unseen

CHUNK = 256
"""Patients a thread takes at a time; results do not depend on it."""

MOST_THREADS = 256
"""More of them gain nothing and may not start."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Trajectories of a cohort.

    Parameters
    ----------
    times : (time,) [day]
    names : names of what was kept
    values : (patient, time, kept)
        Not a number from the day on which a patient's integration failed.
    gradient : (patient, time, kept, wrt) or None
        Derivatives of the values with respect to the parameters ``wrt``.
    summaries : (patient, summary)
    outcome : (patient,) uint8
        Code of :class:`~livingdrug.engine.outcome.Outcome`; 0 is done.
    steps : (patient, 2) int64
        Accepted and refused steps.
    """

    times: np.ndarray
    names: tuple[str, ...]
    values: np.ndarray
    gradient: np.ndarray | None
    summaries: np.ndarray
    outcome: np.ndarray
    steps: np.ndarray

    def at(self, name: str) -> np.ndarray:
        """Return one kept quantity, (patient, time)."""
        if name not in self.names:
            raise InputError(f"`name` must be a kept quantity, but was {name!r}. Hint: one of {', '.join(self.names)}.")
        return np.asarray(self.values[:, :, self.names.index(name)])

    @property
    def failures(self) -> dict[int, Outcome]:
        """Patients whose integration did not reach the end, and why."""
        return {int(i): Outcome(int(self.outcome[i])) for i in np.flatnonzero(self.outcome)}


def solve(  # noqa: PLR0913 - ten independent questions, eight with a default
    kernel: Kernel,
    parameters: np.ndarray,
    times: np.ndarray | Sequence[float],
    *,
    schedule: Schedule | None = None,
    keep: Sequence[str] | None = None,
    wrt: Sequence[str] = (),
    rtol: float = 1e-6,
    threads: int | None = None,
    max_steps: int = 100_000,
    longest_step: float = inf,
) -> Solution:
    """Integrate every patient from day 0 to the last time.

    A value at the very day of a change is the value after it. The result of a patient has the same
    bits alone, in any cohort, and on any number of threads.

    Parameters
    ----------
    kernel : Kernel
    parameters : (patient, parameter) or (parameter,)
        In the model's order and units.
    times : (time,) [day]
        Strictly increasing, 0 or later; the last one is the end.
    schedule : Schedule, optional
        Changes of each patient. Those after the end are not made.
    keep : names of states and outputs, optional
        All of them by default.
    wrt : names of parameters, optional
        With respect to which derivatives are wanted. They are the exact derivatives of the computed
        solution, for the steps that it took; the summaries have none.
    rtol : float
        Relative tolerance; the absolute one of a state is ``rtol`` times its floor.
    threads : int, optional
        All processors by default, at most 256.
    max_steps : int
        Of one patient.
    longest_step : float [day]
        For equations with a short pulse of the day itself, which a long step would not see. What happens
        on known days is better written as a schedule.

    Returns
    -------
    Solution

    Raises
    ------
    InputError
        If an argument does not have the shape or range said here.

    Examples
    --------
    >>> from livingdrug.core.model import Model, Quantity
    >>> from livingdrug.engine.compile import compile_model
    >>> decay = Model("decay", (Quantity("x", "1", "amount"),), (Quantity("k", "1/day", "loss rate"),),
    ...               lambda day, y, p: {"x": -p.k * y.x}, lambda p: {"x": 1.0}, "illustrative")
    >>> solution = solve(compile_model(decay), [[0.5], [1.0]], [0.0, 2.0], wrt=["k"])
    >>> solution.values[:, 1, 0].round(5).tolist(), solution.gradient[:, 1, 0, 0].round(4).tolist()
    ([0.36788, 0.13534], [-0.7358, -0.2707])
    """
    parameters = check_parameters(kernel.model, parameters)
    times = check_times(times)
    names = kernel.names if keep is None else check_names("keep", keep, kernel.names)
    along = check_names("wrt", wrt, kernel.model.parameter_names)
    changes = _check_schedule(kernel, schedule, len(parameters))
    limits = _Limits(check_tolerance(rtol), check_count("max_steps", max_steps), check_length(longest_step))
    workers = (os.cpu_count() or 1) if threads is None else min(check_count("threads", threads), MOST_THREADS)
    if along and not kernel.with_gradient:
        kernel = compile_model(kernel.model, kernel.summaries, with_gradient=True)
    columns = [kernel.model.parameter_names.index(name) for name in along]
    task = _Task.prepare(kernel, parameters, columns, times, names, changes, limits)
    task.run(workers)
    return task.collect(names)


def _check_schedule(kernel: Kernel, schedule: Schedule | None, patients: int) -> Schedule:
    if schedule is None:
        return Schedule.none(patients)
    if not isinstance(schedule, Schedule):
        was = type(schedule).__name__
        raise InputError(f"`schedule` must be a Schedule, but was a {was}. Hint: Schedule.from_changes makes one.")
    if len(schedule.offsets) != patients + 1:
        raise InputError(
            f"`schedule` must have one entry a patient ({patients}), but had {len(schedule.offsets) - 1}. "
            "Hint: give an empty list for a patient without changes."
        )
    return schedule.fit_to(kernel.model)


@lru_cache(maxsize=1)  # threads of another number end when they are no longer needed
def _get_pool(threads: int) -> ThreadPoolExecutor:
    """Return the threads that wait for work: to start them takes as long as a hundred courses."""
    return ThreadPoolExecutor(threads, thread_name_prefix="livingdrug-engine")


if hasattr(os, "register_at_fork"):
    # a process that was forked has none of the threads
    os.register_at_fork(after_in_child=_get_pool.cache_clear)


@dataclass(frozen=True, slots=True)
class _Limits:
    rtol: float
    max_steps: int
    longest_step: float


@dataclass(frozen=True, slots=True)
class _Task:
    """Arrays that the kernel reads and writes; kept alive here while it runs."""

    kernel: Kernel
    parameters: np.ndarray
    wrt: np.ndarray
    times: np.ndarray
    schedule: Schedule
    atol: np.ndarray
    kept: np.ndarray
    values: np.ndarray
    summaries: np.ndarray
    outcome: np.ndarray
    steps: np.ndarray
    limits: _Limits

    @classmethod
    def prepare(
        cls,
        kernel: Kernel,
        parameters: np.ndarray,
        columns: list[int],
        times: np.ndarray,
        names: tuple[str, ...],
        schedule: Schedule,
        limits: _Limits,
    ) -> "_Task":
        patients, copies = len(parameters), 1 + len(columns)
        floors = np.array([q.floor for q in kernel.model.states])
        atol = np.repeat(floors * limits.rtol, kernel.width)
        return cls(
            kernel,
            parameters,
            np.array(columns, dtype=np.int32),
            times,
            schedule,
            _aligned(atol),
            np.array([kernel.names.index(name) for name in names], dtype=np.int32),
            np.empty((patients, copies, len(times), len(names))),
            np.empty((patients, kernel.size["watched"])),
            np.full(patients, Outcome.STOPPED, dtype=np.uint8),
            np.zeros((patients, 2), dtype=np.int64),
            limits,
        )

    def run(self, threads: int) -> None:
        chunks = list(self._chunks(threads))
        if threads == 1 or len(chunks) == 1:
            for chunk in chunks:
                self._run_chunk(chunk)
            return
        parts = [_get_pool(threads).submit(self._run_chunk, chunk) for chunk in chunks]
        try:
            for part in parts:
                part.result()
        except BaseException:
            for part in parts:
                part.cancel()
            wait(parts)
            raise

    def _chunks(self, threads: int) -> Iterator[tuple[int, int]]:
        patients = len(self.parameters)
        size = min(CHUNK, max(self.kernel.width, -(-patients // threads)))
        return ((begin, min(begin + size, patients)) for begin in range(0, patients, size))

    def _run_chunk(self, chunk: tuple[int, int]) -> None:
        kernel, copies = self.kernel, 1 + len(self.wrt)
        each = kernel.size["states"] + kernel.size["constants"] + self.parameters.shape[1]
        workspace = _aligned(np.zeros(kernel.width * (copies * each + kernel.size["watched"])))
        fields: dict[str, float | int | np.ndarray] = {
            "begin": chunk[0],
            "end": chunk[1],
            "copies": copies,
            "parameters": self.parameters,
            "parameter_count": self.parameters.shape[1],
            "wrt": self.wrt,
            "times": self.times,
            "time_count": len(self.times),
            "end_day": float(self.times[-1]),
            "change_offsets": self.schedule.offsets,
            "change_day": self.schedule.day,
            "change_action": self.schedule.action,
            "change_target": self.schedule.target,
            "change_value": self.schedule.value,
            "atol": self.atol,
            "rtol": self.limits.rtol,
            "longest_step": self.limits.longest_step,
            "max_steps": self.limits.max_steps,
            "kept": self.kept,
            "kept_count": len(self.kept),
            "keeps_states": int(np.any(self.kept < kernel.size["states"])),
            "values": self.values,
            "summaries": self.summaries,
            "outcome": self.outcome,
            "steps": self.steps,
            "workspace": workspace,
        }
        kernel(_pack(fields))

    def collect(self, names: tuple[str, ...]) -> Solution:
        gradient = np.moveaxis(self.values[:, 1:], 1, -1) if len(self.wrt) else None
        summaries = self.summaries[:, : len(self.kernel.summaries)]
        mark_unseen(self.kernel.summaries, summaries, float(self.times[-1]))
        return Solution(self.times, names, self.values[:, 0], gradient, summaries, self.outcome, self.steps)


def _pack(fields: dict[str, float | int | np.ndarray]) -> "ctypes.Array[ctypes.c_int64]":
    job = (ctypes.c_int64 * len(ARGUMENTS))()
    for i, name in enumerate(ARGUMENTS):
        value = fields[name]
        if isinstance(value, np.ndarray):
            job[i] = value.ctypes.data
        elif isinstance(value, float):
            job[i] = int(np.float64(value).view(np.int64))
        else:
            job[i] = value
    return job


def _aligned(array: np.ndarray) -> np.ndarray:
    """Copy an array to an address that is a multiple of 64 bytes."""
    room = np.empty(array.size + 8)
    start = (-room.ctypes.data % 64) // 8
    out = room[start : start + array.size]
    out[:] = array
    return out
