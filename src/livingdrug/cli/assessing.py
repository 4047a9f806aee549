"""The commands ``assess`` and ``criteria``."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from livingdrug.cli.arguments import DONE, tell

if TYPE_CHECKING:
    from livingdrug.core.tables import Record
    from livingdrug.study.assessment import Assessment

MOST_WARNINGS = 20
STEP = 1000
"""Subjects between two words on progress."""


def read_option(text: str) -> tuple[str, str]:
    """Split ``key=value``."""
    key, sign, value = text.partition("=")
    if not (key.strip() and sign):
        raise argparse.ArgumentTypeError(f"must be key=value, but was {text!r}")
    return key.strip(), value.strip()


def _open(arguments: argparse.Namespace) -> "Record":
    if arguments.example is not None:
        from livingdrug.study.examples import load_example

        return load_example(arguments.example)
    if arguments.sdtm:
        from livingdrug.io.sdtm import read_sdtm
        from livingdrug.io.sdtm_choices import SdtmConventions

        return read_sdtm(
            arguments.record,
            disease=arguments.disease,
            product=arguments.product,
            infusion=arguments.infusion,
            conventions=SdtmConventions(day_zero=arguments.day_zero),
        )
    from livingdrug.io.tables import read_record

    return read_record(arguments.record, keep_conflicts=True)


def _tell_progress(done: int, count: int) -> None:
    if done % STEP == 0:
        tell(f"Assessed {done} of {count} subjects")


def run_assess(arguments: argparse.Namespace) -> int:
    """Assess every subject of a record; write the tables and print what came out."""
    from livingdrug.study.assess_record import assess
    from livingdrug.study.write_assessment import write_assessment

    record = _open(arguments)
    options = dict(arguments.option)
    assessment = assess(record, arguments.criteria, progress=_tell_progress, **options)
    write_assessment(assessment, record, arguments.out)
    if arguments.adam:
        from livingdrug.io.adam import write_adam

        write_adam(assessment.verdicts, assessment.endpoints, assessment.details, record, arguments.out / "adam")
    for note in record.notes:
        print(f"Note: {note}.", file=sys.stderr)
    _print_warnings(assessment.warnings, arguments.out)
    if arguments.json:
        print(assessment.to_json())
    else:
        _print(assessment, arguments.out)
    return DONE


def _print(assessment: "Assessment", out: Path) -> None:
    from livingdrug.report.assessment_text import format_assessment

    print(format_assessment(assessment))
    print(f"\n  Tables: {out}")


def run_criteria(arguments: argparse.Namespace) -> int:
    """List the criteria with their options, defaults and sources."""
    from livingdrug.study.describe_criteria import describe_criteria

    found = describe_criteria()
    if arguments.json:
        import json

        print(json.dumps(found, indent=2, ensure_ascii=False))
        return DONE
    from livingdrug.report.assessment_text import format_criteria

    print(format_criteria(found))
    return DONE


def _print_warnings(warnings: tuple[str, ...], folder: Path) -> None:
    """Print each thing to look at once, with how many subjects it concerns."""
    whom: dict[str, list[str]] = {}
    for warning in warnings:
        subject, _, what = warning.partition(": ")
        whom.setdefault(what, []).append(subject)
    for what, subjects in list(whom.items())[:MOST_WARNINGS]:
        others = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
        print(f"Look at: {subjects[0]}{others}: {what}.", file=sys.stderr)
    if len(whom) > MOST_WARNINGS:
        print(f"And {len(whom) - MOST_WARNINGS} more: {folder / 'assessment.json'}.", file=sys.stderr)
