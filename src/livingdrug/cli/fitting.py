"""The command ``fit``."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from livingdrug.cli.arguments import DONE, NOT_CONVERGED, tell
from livingdrug.cli.explaining import choose_folders
from livingdrug.cli.records import open_record

ENOUGH = 200
"""Effective draws from which on the ends of a 90 % interval have settled."""


def describe(diagnostics: Mapping[str, Any], wanted: int | None) -> str:
    """Say what a fit rests on, and how to make it surer.

    >>> describe({"rows": 12, "effective_draws": 80.2, "runs": 1}, None)
    '12 measurements, 80 effective draws of 1 run (`--effective 200` repeats the fit until they are 200)'
    >>> describe({"rows": 12, "effective_draws": 80.2, "runs": 32}, 100)
    '12 measurements, 80 effective draws of 32 runs, fewer than the 100 asked for'
    """
    worth, runs = diagnostics["effective_draws"], diagnostics["runs"]
    words = f"{diagnostics['rows']} measurements, {worth:.0f} effective draws of {runs} run{'s' if runs > 1 else ''}"
    if wanted is not None and worth < wanted:
        return f"{words}, fewer than the {wanted} asked for"
    if wanted is None and worth < ENOUGH:
        return f"{words} (`--effective {ENOUGH}` repeats the fit until they are {ENOUGH})"
    return words


def run_fit(arguments: argparse.Namespace) -> int:
    """Fit every subject of a record; write draws, diagnostics and predictions."""
    from livingdrug.study.fit_record import fit_record, write_fit

    record = open_record(arguments)
    folders = choose_folders([str(subject) for subject in record.subjects["subject_id"]], arguments.out)
    told, converged = [], True
    for subject, folder in folders.items():
        tell(f"Fitting {subject}")
        result = fit_record(
            record,
            subject_id=subject,
            seed=arguments.seed,
            effective=arguments.effective,
            robust=arguments.robust,
            jobs=arguments.jobs,
            progress=lambda runs, worth: tell(f"  run {runs}: {worth:.0f} of {arguments.effective} effective draws"),
        )
        write_fit(result, folder)
        told.append(result.diagnostics)
        converged &= bool(result.diagnostics["converged"])
    if arguments.json:
        print(json.dumps(told[0] if len(told) == 1 else told, indent=2))
    else:
        for diagnostics, folder in zip(told, folders.values(), strict=True):
            words = describe(diagnostics, arguments.effective)
            print(f"{diagnostics['subject_id']}: {words}; {folder / 'diagnostics.json'}")
    sys.stdout.flush()
    return DONE if converged else NOT_CONVERGED
