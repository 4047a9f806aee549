"""A hundred thousand patients with myeloma by IMWG 2016: time points, confirmation, dates and courses.

    python benchmarks/criteria.py [--patients N] [--loop N] [--quick] [--json]

Records are made in chunks of a few thousand patients with a baseline and 24 visits, as a laboratory would export
them, and are assessed chunk by chunk. The same records, of some patients, go through a loop over patients in pandas:
both must give the same category at every visit. Returns 1 if they do not, or a limit is passed.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence

import polars as pl
from criteria_loop import assess_frames
from criteria_records import DAYS, create_records

from livingdrug.clinical.myeloma_cohort import assess_myeloma_cohort
from livingdrug.core.ruleset import Ruleset
from livingdrug.knowledge.rules import load_rules

CHUNK = 4000
LIMIT_S, LIMIT_GIB = 60.0, 1.5
PATIENTS, LOOP = 100_000, 400
QUICK_PATIENTS, QUICK_LOOP = 8_000, 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--patients", type=int, default=None)
    parser.add_argument("--loop", type=int, default=None, help="patients of the loop in pandas")
    parser.add_argument("--quick", action="store_true", help="fewer patients")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    patients = options.patients or (QUICK_PATIENTS if options.quick else PATIENTS)
    rules = load_rules("imwg/2016")
    result = run_cohort(patients, rules) | compare_with_loop(
        min(options.loop or (QUICK_LOOP if options.quick else LOOP), CHUNK), rules
    )
    result["ratio"] = result["patients_per_s"] / result["loop_patients_per_s"] if result["has_pandas"] else None
    say(result)
    if options.json:
        print(json.dumps(result))
    scaled = result["seconds"] * PATIENTS / patients
    return int(scaled > LIMIT_S or result["peak_gib"] > LIMIT_GIB or result["disagreements"] != 0)


def run_cohort(patients: int, rules: Ruleset) -> dict[str, float]:
    """Assess the whole cohort and measure it; making the records is not counted."""
    seconds, rows, visits, responders = 0.0, 0, 0, 0
    early = 0.0
    for number, first in enumerate(range(0, patients, CHUNK)):
        observations, events = create_records(min(CHUNK, patients - first), number)
        begin = time.perf_counter()
        cohort = assess_myeloma_cohort(observations, events, rules)
        seconds += time.perf_counter() - begin
        rows += len(observations)
        visits += len(cohort.verdicts)
        responders += int(cohort.courses["response_day"].is_not_null().sum())
        early = measure_peak() if number == 1 else early
    return {
        "patients": patients,
        "visits_per_patient": len(DAYS) - 1,
        "rows": rows,
        "visits": visits,
        "seconds": seconds,
        "patients_per_s": patients / seconds,
        "peak_gib": measure_peak(),
        "peak_gib_after_two_chunks": early or measure_peak(),
        "response_rate": responders / patients,
    }


def measure_peak() -> float:
    """Return the largest resident memory so far [GiB]."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def compare_with_loop(patients: int, rules: Ruleset) -> dict[str, float | bool]:
    """Assess some patients by both and compare every visit."""
    try:
        import pandas as pd
    except ImportError:
        return {"has_pandas": False, "disagreements": 0}
    observations, events = create_records(CHUNK, 0)
    chosen = observations["subject_id"].unique(maintain_order=True).head(patients)
    observations = observations.filter(pl.col("subject_id").is_in(chosen.to_list()))
    events = events.filter(pl.col("subject_id").is_in(chosen.to_list()))
    frames = [pd.DataFrame(table.to_dict(as_series=False)) for table in (observations, events)]
    begin = time.perf_counter()
    loop = {subject: (visits, progression) for subject, visits, progression in assess_frames(*frames)}
    seconds = time.perf_counter() - begin
    cohort = assess_myeloma_cohort(observations, events, rules)
    ours: dict[str, list[tuple[float, str, str]]] = {}
    for subject, *verdict in cohort.verdicts.select("subject_id", "day", "time_point", "confirmed").iter_rows():
        ours.setdefault(subject, []).append(tuple(verdict))
    wrong = sum(a != b for s in loop for a, b in zip(ours[s], loop[s][0], strict=True))
    return {
        "has_pandas": True,
        "loop_patients": patients,
        "loop_seconds": seconds,
        "loop_patients_per_s": patients / seconds,
        "compared_visits": sum(len(visits) for visits, _ in loop.values()),
        "disagreements": wrong,
    }


def say(result: dict[str, float | bool | None]) -> None:
    """Print the figures."""
    print(f"{result['patients']:,} patients, {result['visits']:,} visits, {result['rows']:,} rows of laboratory values")
    print(f"livingdrug        {result['seconds']:8.1f} s   {result['patients_per_s']:10,.0f} patients/s")
    if result["has_pandas"]:
        print(
            f"loop in pandas    {result['loop_seconds']:8.1f} s   {result['loop_patients_per_s']:10,.0f} patients/s"
            f"   ({result['loop_patients']:,} patients)"
        )
        print(f"ratio             {result['ratio']:8.0f}")
        print(f"visits that differ {result['disagreements']:7,} of {result['compared_visits']:,}")
    else:
        print("loop in pandas    not run: pandas is not installed")
    print(
        f"peak memory       {result['peak_gib']:8.2f} GiB ({result['peak_gib_after_two_chunks']:.2f} after two chunks)"
    )


if __name__ == "__main__":
    sys.exit(main())
