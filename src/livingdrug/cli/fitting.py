"""The command ``fit``."""

import argparse
import json
import sys

from livingdrug.cli.arguments import DONE, NOT_CONVERGED, tell
from livingdrug.cli.explaining import choose_folders
from livingdrug.cli.records import open_record


def run_fit(arguments: argparse.Namespace) -> int:
    """Fit every subject of a record; write draws, diagnostics and predictions."""
    from livingdrug.study.fit_record import fit_record, write_fit

    record = open_record(arguments)
    folders = choose_folders([str(subject) for subject in record.subjects["subject_id"]], arguments.out)
    told, converged = [], True
    for subject, folder in folders.items():
        tell(f"Fitting {subject}")
        result = fit_record(record, subject_id=subject, seed=arguments.seed, jobs=arguments.jobs)
        write_fit(result, folder)
        told.append(result.diagnostics)
        converged &= bool(result.diagnostics["converged"])
    if arguments.json:
        print(json.dumps(told[0] if len(told) == 1 else told, indent=2))
    else:
        for diagnostics, folder in zip(told, folders.values(), strict=True):
            words = f"{diagnostics['rows']} measurements, {diagnostics['effective_draws']:.0f} effective draws"
            print(f"{diagnostics['subject_id']}: {words}; {folder / 'diagnostics.json'}")
    sys.stdout.flush()
    return DONE if converged else NOT_CONVERGED
