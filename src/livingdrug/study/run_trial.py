"""Run a virtual trial: chunks of patients, computed anywhere, kept as parts, put together in one order."""

import hashlib
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from livingdrug.core.errors import InputError
from livingdrug.core.parameters import ParameterSet
from livingdrug.core.ruleset import Ruleset
from livingdrug.core.version import VERSION
from livingdrug.study.fate import find_fate
from livingdrug.study.provenance import list_assumed, list_sources
from livingdrug.study.run_trial_parts import FolderStore, MemoryStore, Store
from livingdrug.study.run_trial_workers import compute_parts
from livingdrug.study.simulate_cohort import compute_content_hash
from livingdrug.study.trial_chunk import CHUNK, list_tasks, load_books
from livingdrug.study.trial_chunk_treatment import choose_model
from livingdrug.study.trial_design import TrialDesign
from livingdrug.study.trial_design_decoding import decode_design, load_design
from livingdrug.study.trial_result import TrialResult

IN_MEMORY = 200_000
"""Patients whose outcomes are held in memory; those of more are left in their file."""
PACKAGES = ("numpy", "scipy", "polars", "llvmlite")
Progress = Callable[[int, int], None]


def run_trial(
    design: TrialDesign | Path | str | Mapping[str, Any],
    *,
    seed: int | None = None,
    jobs: int | None = None,
    out: Path | None = None,
    resume: bool = False,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> TrialResult:
    """Run a virtual trial.

    Parameters
    ----------
    design : TrialDesign, path of a TOML file, or its decoded content
    seed : int, optional
        In place of the design's. The same seed gives the same bits.
    jobs : int, optional
        Processes; all processors by default. Does not change the result. More than one needs
        ``if __name__ == "__main__":`` in a script.
    out : Path, optional
        Folder where the parts are written as they come; otherwise they stay in memory.
    resume : bool
        Keep the complete parts in ``out``.
    cluster : str, optional
        Address of a Dask scheduler whose workers compute the chunks.
    progress : function of the patients done and of all, optional

    Returns
    -------
    TrialResult

    Raises
    ------
    InputError
        If the design has faults, or if ``out`` holds parts of another trial.

    Examples
    --------
    >>> arm = {"name": "ide", "product": "ide_cel", "n": 8}
    >>> design = {"trial": {"name": "One arm", "disease": "myeloma", "days": 180}, "arm": [arm]}
    >>> result = run_trial(design, seed=1, jobs=1)
    >>> result.outcomes.height
    8
    """
    whole = _read_design(design)
    whole = whole if seed is None else replace(whole, seed=_check_seed(seed))
    if resume and out is None:
        raise InputError(
            "`resume` must come with `out`, but there is none. Hint: name the folder that holds the parts."
        )
    plan = compute_plan_hash(whole)
    store: Store = MemoryStore() if out is None else FolderStore(out, plan, resume=resume)
    tasks = list(list_tasks(whole))
    missing = [task for task in tasks if not store.has(task)]
    done = whole.n - sum(task.count for task in missing)
    for task, table in compute_parts(missing, jobs, cluster):
        store.write(task, table)
        done += task.count
        if progress is not None:
            progress(done, whole.n)
    frame = store.gather(tasks)
    frame = frame.collect().lazy() if whole.n <= IN_MEMORY else frame
    return TrialResult(whole, frame, _write_manifest(whole, plan, len(tasks), frame))


def _read_design(design: TrialDesign | Path | str | Mapping[str, Any]) -> TrialDesign:
    if isinstance(design, TrialDesign):
        return design
    return decode_design(design) if isinstance(design, Mapping) else load_design(Path(design))


def _check_seed(seed: int) -> int:
    if seed < 0:
        raise InputError(f"`seed` must be 0 or more, but was {seed}. Hint: any whole number from 0 will do.")
    return seed


def _list_sets(design: TrialDesign) -> dict[str, ParameterSet]:
    """Return the sets that each arm rests on by its name: of the model, and of deaths and lineage where there are."""
    found = {arm.name: choose_model(design.disease, arm).values for arm in design.arms}
    fates = {f"{arm.name}, fate": find_fate(design.disease, arm.product) for arm in design.arms}
    return found | {name: fate for name, fate in fates.items() if fate is not None}


def _list_books(design: TrialDesign) -> tuple[Ruleset, ...]:
    books = load_books(design)
    return books.rules, books.times, books.failure


def compute_plan_hash(design: TrialDesign) -> str:
    """Return a hash of all that the outcomes follow from: design, seed, version, values and rules.

    Examples
    --------
    >>> from livingdrug.study.trial_design import Arm
    >>> design = TrialDesign("x", "myeloma", 365.0, 1, (Arm("ide", "ide_cel", 10),), "imwg/2016")
    >>> compute_plan_hash(design) == compute_plan_hash(replace(design, seed=2))
    False
    """
    # patients are weighed when all is done: other weights are no reason to simulate again
    drawn = replace(design, plausible=())
    digest = hashlib.sha256(f"{VERSION} {CHUNK} {drawn.digest()}".encode())
    for name, values in sorted(_list_sets(design).items()):
        digest.update(f"{name} {dict(values.values)!r} {dict(values.correlations)!r}".encode())
    for rules in _list_books(design):
        digest.update(f"{rules.name} {dict(rules.thresholds)!r}".encode())
    return digest.hexdigest()


def _hash_outcomes(frame: pl.LazyFrame) -> str:
    """Return a hash of the outcomes, column by column so that it takes little memory."""
    hashes = (compute_content_hash((frame.select(name).collect(),)) for name in frame.collect_schema())
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _write_manifest(design: TrialDesign, plan: str, chunks: int, frame: pl.LazyFrame) -> dict[str, Any]:
    sets = {values.name: values for values in _list_sets(design).values()}
    rules = _list_books(design)
    assumed = list_assumed(None, rules) + [one for values in sets.values() for one in list_assumed(values, ())]
    keys = {value.source for values in sets.values() for value in values.values.values()}
    keys |= {rules_.source for rules_ in rules} | {v.source for one in rules for v in one.thresholds.values()}
    failures = frame.group_by("arm", maintain_order=True).agg((pl.col("outcome") != "done").sum()).collect()
    chosen = load_books(design).chosen
    return {
        "name": design.name,
        "version": VERSION,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "seed": design.seed,
        "n": {arm.name: arm.n for arm in design.arms},
        "criteria": design.criteria,
        "options": {f"{book}.{name}": value for book, own in chosen.items() for name, value in own.items()},
        "parameters": sorted(sets),
        "failures": dict(failures.iter_rows()),
        "chunks": chunks,
        "design": design.to_dict(),
        "design_hash": design.digest(),
        "plan_hash": plan,
        "content_hash": _hash_outcomes(frame),
        "assumed": assumed,
        "sources": list_sources(keys),
    }
