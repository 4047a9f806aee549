"""A million virtual patients streamed through the engine: summaries are kept, trajectories are not.

    python benchmarks/million.py [--patients N] [--json]

Prints patients per second and the peak of resident memory, which must stay below 1.5 GiB.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence

import numpy as np
from workload import DAYS, sample_parameters

from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
from livingdrug.engine.summary import FirstAbove, FirstBelow, Integral, Maximum, Minimum, TimeOfMaximum, TimeOfMinimum
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.model import UNIFIED

BATCH = 50_000
LIMIT_GIB = 1.5
SUMMARIES = (
    Maximum("car_t_cells"), TimeOfMaximum("car_t_cells"), Integral("car_t_cells", 0, 28),
    Minimum("tumour_cells"), TimeOfMinimum("tumour_cells"),
    FirstBelow("tumour_cells", 1e9), FirstAbove("tumour_cells", 1e12),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 1 if the memory limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--set", default="unified_lbcl_axi_cel", help="packaged parameter set of the unified model")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    values = load_parameters(options.set)
    kernel = compile_model(UNIFIED, SUMMARIES)
    kept = np.empty((options.patients, len(SUMMARIES)))
    failed = 0
    begin = time.perf_counter()
    solving = 0.0
    for first in range(0, options.patients, BATCH):
        count = min(BATCH, options.patients - first)
        parameters = sample_parameters(values, count, seed=first)
        start = time.perf_counter()
        solution = solve(kernel, parameters, [DAYS], keep=(), rtol=1e-4)
        solving += time.perf_counter() - start
        kept[first : first + count] = solution.summaries
        failed += len(solution.failures)
    seconds = time.perf_counter() - begin
    unit = 1 if sys.platform == "darwin" else 1024
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
    result = {
        "patients": options.patients, "seconds": seconds, "patients_per_s": options.patients / seconds,
        "solving_patients_per_s": options.patients / solving, "peak_gib": gib, "failed": failed,
        "median_peak_car_t": float(np.nanmedian(kept[:, 0])),
    }  # fmt: skip
    print(
        f"{options.patients} patients in {seconds:.1f} s ({result['patients_per_s']:.0f} per second with sampling, "
        f"{result['solving_patients_per_s']:.0f} solving); "
        f"peak memory {gib:.2f} GiB (limit {LIMIT_GIB}); {failed} failed"
    )
    if options.json:
        print(json.dumps(result))
    return 0 if gib < LIMIT_GIB else 1


if __name__ == "__main__":
    sys.exit(main())
