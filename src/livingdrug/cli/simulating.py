"""The command ``simulate``."""

import argparse
import sys

from livingdrug.cli.arguments import DONE, NOT_CONVERGED, tell


def run_simulate(arguments: argparse.Namespace) -> int:
    """Simulate a cohort and write it as a record with its summaries and manifest."""
    from livingdrug.study.simulate_cohort import simulate_cohort, write_simulation

    tell(f"Simulating {arguments.n} virtual patients over {arguments.days} days")
    cohort = simulate_cohort(
        arguments.disease,
        arguments.product,
        n=arguments.n,
        days=arguments.days,
        seed=arguments.seed,
        jobs=arguments.jobs,
    )
    write_simulation(cohort, arguments.out)
    print(f"{arguments.n} virtual patients (synthetic) over {arguments.days} days: {arguments.out}")
    failures = cohort.manifest["failures"]
    if failures:
        print(f"{failures} of them could not be integrated to the end; summaries.parquet names them.", file=sys.stderr)
    return NOT_CONVERGED if failures else DONE
