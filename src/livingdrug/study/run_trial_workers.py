"""Who computes the chunks: this process, processes beside it, or a Dask cluster. The bits are the same."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any

import polars as pl

from livingdrug.core.errors import InputError, SolverError
from livingdrug.core.version import VERSION
from livingdrug.study.trial_chunk import CHUNK, ChunkTask, compute_chunk

AHEAD = 2
"""Chunks given out for each worker: enough to keep all busy, few enough to keep memory flat."""
RETRIES = 5
"""Of a chunk whose worker was lost in a cluster."""
THREADS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
Part = tuple[ChunkTask, pl.DataFrame]


def compute_parts(tasks: Sequence[ChunkTask], jobs: int | None, cluster: str | None) -> Iterator[Part]:
    """Yield the outcomes of chunks, in the order in which they are done.

    Parameters
    ----------
    tasks : sequence of ChunkTask
    jobs : int, optional
        Processes, all processors by default; but no more than have a full chunk's worth of patients each, since
        to start one takes about as long.
    cluster : str, optional
        Address of a Dask scheduler, which is used in their place.

    Raises
    ------
    InputError
        If the cluster cannot be used.
    SolverError
        If a worker process was lost.
    """
    if cluster is not None:
        yield from _compute_on_cluster(tasks, cluster)
        return
    processors = jobs or os.cpu_count() or 1
    workers = min(processors, len(tasks), -(-sum(task.count for task in tasks) // CHUNK))
    if workers <= 1:
        for task in tasks:
            yield task, compute_chunk(task, threads=processors)
        return
    yield from _compute_in_processes(tasks, workers)


def _compute_in_processes(tasks: Iterable[ChunkTask], workers: int) -> Iterator[Part]:
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise InputError(
            '`run_trial` must be called below `if __name__ == "__main__":` in a script, but was called while the '
            "script was read again by a worker. Hint: put the call there, or use jobs=1."
        )
    context, others = multiprocessing.get_context("spawn"), set(multiprocessing.active_children())
    with _one_thread_each(), ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker) as pool:
        rest = iter(tasks)
        waiting: dict[Future[pl.DataFrame], ChunkTask] = {}
        is_done = False
        try:
            while True:
                for task in islice(rest, AHEAD * workers - len(waiting)):
                    waiting[pool.submit(compute_chunk, task)] = task
                if not waiting:
                    is_done = True
                    return
                done = wait(waiting, return_when=FIRST_COMPLETED).done
                for future in done:
                    yield waiting.pop(future), future.result()
        except BrokenProcessPool as error:
            raise SolverError(
                "every worker process must live until the trial is done, but one was lost. "
                "Hint: the parts written so far are complete; go on with --resume, with fewer jobs if memory was short."
            ) from error
        finally:
            if not is_done:
                # stopped, by Ctrl-C for instance: nobody waits for what the workers are at
                for worker in set(multiprocessing.active_children()) - others:
                    worker.terminate()
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let each worker process use one thread: there are as many of them as processors."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end when the parent does, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def compute_remotely(task: ChunkTask, version: str) -> pl.DataFrame:
    """Compute a chunk in a worker of a cluster, if it runs the same version.

    Examples
    --------
    >>> compute_remotely(None, "0")
    Traceback (most recent call last):
    livingdrug.core.errors.InputError: the workers must run livingdrug 0, but run ... Hint: install it there.
    """
    if version != VERSION:
        raise InputError(f"the workers must run livingdrug {version}, but run {VERSION}. Hint: install it there.")
    return compute_chunk(task)


def _compute_on_cluster(tasks: Iterable[ChunkTask], address: str) -> Iterator[Part]:
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise InputError(
            "Dask must be installed to use a cluster, but is not. "
            'Hint: install livingdrug with its extra "dask", here and on the workers.'
        ) from error
    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise InputError(
            f"`cluster` must be the address of a Dask scheduler, but {address!r} does not answer. "
            "Hint: as tcp://host:8786, the line that the scheduler prints."
        ) from error
    with client:
        rest = iter(tasks)
        names: dict[str, ChunkTask] = {}

        def submit(number: int) -> list[Any]:
            chosen = list(islice(rest, number))
            given = [client.submit(compute_remotely, t, VERSION, pure=False, retries=RETRIES) for t in chosen]
            names.update({future.key: task for future, task in zip(given, chosen, strict=True)})
            return given

        running = as_completed(submit(AHEAD * max(2, sum(client.nthreads().values()))))
        for future in running:
            yield names.pop(future.key), future.result()
            for more in submit(1):
                running.add(more)
