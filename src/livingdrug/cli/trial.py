"""The command ``trial``."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livingdrug.cli.arguments import DONE, NOT_CONVERGED, Parser, folder, positive, seed, tell

MINUTE = 60.0


def add_trial(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the command."""
    trial = commands.add_parser("trial", help="run a virtual trial, or hold the values against published results")
    source = trial.add_mutually_exclusive_group(required=True)
    source.add_argument("design", nargs="?", type=Path, metavar="FILE.toml", help="design of the trial")
    source.add_argument("--validate", action="store_true", help="compare every published result that was calibrated to")
    trial.add_argument("--out", type=folder, metavar="DIR", help="folder for the results")
    trial.add_argument("--seed", type=seed, default=None, metavar="N", help="in place of the design's")
    trial.add_argument("--jobs", type=positive, default=None, metavar="N", help="processes (default: every core)")
    trial.add_argument("--resume", action="store_true", help="keep the complete parts that DIR holds")
    trial.add_argument("--cluster", metavar="ADDRESS", help="Dask scheduler, as tcp://host:8786 (needs the extra dask)")
    trial.add_argument("--json", action="store_true", help="print JSON instead of text")
    trial.set_defaults(run=run_trial_command)


def run_trial_command(arguments: argparse.Namespace) -> int:
    """Run a trial and write its results, or validate."""
    if arguments.validate:
        return _validate(arguments)
    from livingdrug.core.errors import InputError
    from livingdrug.report.trial_document import write_trial_report
    from livingdrug.study.run_trial import run_trial
    from livingdrug.study.write_trial import write_trial

    if arguments.out is None:
        raise InputError("`--out` must name a folder, but was left out. Hint: livingdrug trial FILE.toml --out DIR.")
    result = run_trial(
        arguments.design,
        seed=arguments.seed,
        jobs=arguments.jobs,
        out=arguments.out,
        resume=arguments.resume,
        cluster=arguments.cluster,
        progress=_watch(),
    )
    write_trial(result, arguments.out)
    write_trial_report(result, arguments.out / "report.html")
    if arguments.json:
        _print_json(result.endpoints.to_dicts())
    else:
        print(result.summary())
        print(f"\n  Synthetic patients; not a clinical trial. Results: {arguments.out}")
    failures = sum(result.manifest["failures"].values())
    if failures:
        print(f"{failures} patients could not be integrated to the end; outcomes.parquet names them.", file=sys.stderr)
    return NOT_CONVERGED if failures else DONE


def _watch() -> Callable[[int, int], None]:
    """Return what tells how far a trial is, with the time it may still take."""
    start = time.monotonic()
    first: list[int] = []

    def progress(done: int, count: int) -> None:
        if not first:
            first.append(done)
        spent, new = time.monotonic() - start, done - first[0]
        left = f", about {spent / new * (count - done) / MINUTE:.1f} min left" if new else ""
        tell(f"{done} of {count} patients{left}")

    return progress


def _validate(arguments: argparse.Namespace) -> int:
    from livingdrug.study.validate_targets import validate_targets

    table = validate_targets(threads=arguments.jobs, progress=tell)
    columns = ("id", "value", "lower", "upper", "simulated", "sim_lower", "sim_upper", "inside", "note")
    if arguments.json:
        rest = [name for name in table.columns if name not in columns]
        _print_json(table.select(*columns, *rest).to_dicts())
        return DONE
    from livingdrug.report.trial_text import format_validation

    print(format_validation(table))
    return DONE


def _print_json(rows: list[dict[str, Any]]) -> None:
    import json
    from math import isfinite

    plain = [{k: None if isinstance(v, float) and not isfinite(v) else v for k, v in row.items()} for row in rows]
    print(json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False))
