"""Commands that look at the package itself."""

import argparse
import sys

from livingdrug.cli.arguments import BAD_INPUT, DONE


def run_examples(_: argparse.Namespace) -> int:
    """Print the packaged records, one a line."""
    from livingdrug.study.examples import list_examples

    for name in list_examples():
        print(name)
    return DONE


def run_check(_: argparse.Namespace) -> int:
    """Print every fault of the packaged knowledge; none is the only way to pass."""
    from livingdrug.knowledge.check import check_all
    from livingdrug.models import ALL, CLOSED

    faults = check_all((*ALL, *CLOSED))
    for fault in faults:
        print(fault, file=sys.stderr)
    count = len(faults)
    print("Every packaged number has a unit, a source and a provenance." if not count else f"{count} faults.")
    return DONE if not count else BAD_INPUT


def run_doctor(arguments: argparse.Namespace) -> int:
    """Print what this installation is made of and how fast it runs."""
    from livingdrug.study.inspect_installation import inspect_installation

    found = inspect_installation()
    if arguments.json:
        import json

        print(json.dumps(found.to_dict(), indent=2))
        return DONE
    print(f"livingdrug {found.livingdrug}, Python {found.python}, {found.platform}")
    print("packages   " + ", ".join(f"{name} {version}" for name, version in found.packages.items()))
    wide = [name for name in found.cpu_features if name in {"avx2", "avx512f", "fma", "neon", "sve"}]
    print(f"processor  {found.cpu}, {found.cores} cores, vector units: {', '.join(wide) or 'none named'}")
    if found.kernel is not None:
        kernel = found.kernel
        print(
            f"engine     {kernel.model}: ready in {kernel.compile_seconds:.2f} s, "
            f"{kernel.patients_per_second:,.0f} patients/s ({kernel.patients} patients x {kernel.days:g} days)"
        )
    return DONE
