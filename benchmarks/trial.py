"""Virtual trials of growing size: patients per second, memory, and how both grow.

    python benchmarks/trial.py [--sizes N ...] [--jobs N] [--json]

Two arms with myeloma over 24 months, with visits, criteria, endpoints, classes of failure, drop-out and deaths. Each
size runs in processes of its own. Memory is that of the parent and of all its workers together. The slope of time
against size, on logarithmic scales, is 1 where the cost is linear. The patients of the first
arm are also dealt out to 2,000 trials in which nothing differs: the share that finds a difference is the type-I
error. From 1,000,000 patients on none is used twice; in fewer they are drawn with replacement.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from livingdrug.study.operating_characteristics import compute_type_one_error
from livingdrug.study.run_trial import run_trial
from livingdrug.study.trial_result import TrialResult
from livingdrug.study.write_trial import write_trial

LIMIT_GIB = 2.0
LIMIT_SECONDS = {10_000: 60.0}
TRIALS, TRIAL_ARM = 2000, 125
FIRST_FOR_TRIALS = 1_000_000


def describe(size: int) -> dict:
    """Return a null two-arm design."""
    arms = [{"name": name, "product": "ide_cel", "n": size // 2} for name in ("one", "other")]
    return {
        "trial": {"name": "Benchmark", "disease": "myeloma", "days": 730},
        "arm": arms,
        "dropout": {"per_year": 0.03},
        "deaths": {"per_year": 0.02},
    }


def measure(size: int, jobs: int) -> dict:
    """Run one trial in this process and its workers."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = run_trial(describe(size), jobs=jobs, out=Path(folder))
        write_trial(result, Path(folder))
        seconds = time.perf_counter() - start
        return _report(result, size, jobs, seconds)


def _report(result: TrialResult, size: int, jobs: int, seconds: float) -> dict:
    unit = 1 if sys.platform == "darwin" else 1024
    own, workers = (
        resource.getrusage(who).ru_maxrss * unit / 2**30 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    used = os.times()
    found = {
        "patients": size,
        "seconds": seconds,
        "processor_seconds": used.user + used.system + used.children_user + used.children_system,
        "patients_per_s": size / seconds,
        "gib": own + jobs * workers if jobs > 1 else own,
        "content_hash": result.manifest["content_hash"],
    }
    error = compute_type_one_error(result, TRIAL_ARM, trials=TRIALS, with_reuse=size < FIRST_FOR_TRIALS)
    return found | {"type_one_error": error.share, "type_one_lower": error.lower, "type_one_upper": error.upper}


def run_alone(size: int, jobs: int) -> dict:
    """Run one trial in a fresh process, so that its memory is its own."""
    command = [sys.executable, __file__, "--one", str(size), "--jobs", str(jobs)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    if options.one is not None:
        print(json.dumps(measure(options.one, options.jobs)))
        return 0
    rows = []
    for size in options.sizes:
        row = run_alone(size, options.jobs)
        rows.append(row)
        print(
            f"{size} patients in {row['seconds']:.1f} s ({row['patients_per_s']:.0f} per second; "
            f"{row['processor_seconds']:.1f} s of processor time); memory {row['gib']:.2f} GiB (limit {LIMIT_GIB})"
        )
        share, lower, upper = (100 * row[f"type_one_{name}"] for name in ("error", "lower", "upper"))
        print(f"  type-I error over {TRIALS} trials of 2 x {TRIAL_ARM}: {share:.2f} % ({lower:.1f} to {upper:.1f})")
    result = {"jobs": options.jobs, "rows": rows}
    if len(rows) > 1:
        size, seconds, gib = (
            np.log10([row[name] for row in rows]) for name in ("patients", "processor_seconds", "gib")
        )
        result |= {
            "slope_time": float(np.polyfit(size, seconds, 1)[0]),
            "slope_memory": float(np.polyfit(size, gib, 1)[0]),
        }
        print(f"slope of time {result['slope_time']:.2f}, of memory {result['slope_memory']:.2f} (1 is linear)")
    if options.json:
        print(json.dumps(result))
    is_slow = any(row["seconds"] > LIMIT_SECONDS.get(row["patients"], float("inf")) for row in rows)
    return 1 if is_slow or any(row["gib"] > LIMIT_GIB for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
