"""The command ``trials``: index records of a registry, match a patient, show what was read of a text."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livingdrug.cli.arguments import DONE, MAX_FAULTS, Parser, positive

if TYPE_CHECKING:
    from livingdrug.core.errors import Fault

INDEX = Path("trials.sqlite")
SHOWN = 20


def add_trials(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the command and its three verbs."""
    trials = commands.add_parser("trials", help="which registered trials may fit, criterion by criterion")
    verbs = trials.add_subparsers(title="verbs", metavar="VERB", parser_class=Parser, required=True)

    index = verbs.add_parser("index", help="read records of ClinicalTrials.gov (API version 2) into a local index")
    index.add_argument("source", type=Path, metavar="FOLDER_OR_FILE", help="JSON or NDJSON")
    index.add_argument("--index", type=Path, default=INDEX, metavar="FILE", help=f"default {INDEX}")
    index.add_argument("--jobs", type=positive, default=None, metavar="N", help="processes (default: every core)")
    index.set_defaults(run=run_index)

    match = verbs.add_parser("match", help="hold a patient against every trial of the index")
    source = match.add_mutually_exclusive_group(required=True)
    source.add_argument("record", nargs="?", type=Path, metavar="RECORD", help="folder with the three CSV files")
    source.add_argument("--example", metavar="NAME", help="a packaged record instead")
    match.add_argument("--index", type=Path, default=INDEX, metavar="FILE", help=f"default {INDEX}")
    match.add_argument("--subject", metavar="ID", help="where the record holds several subjects")
    match.add_argument("--day", type=float, metavar="N", help="day after infusion (default: the last of the record)")
    match.add_argument("--search", default="", metavar="WORDS", help="only trials that hold these words")
    match.add_argument("--json", action="store_true", help="print every trial with every criterion as JSON")
    match.set_defaults(run=run_match)

    extract = verbs.add_parser("extract", help="show what is read of the criteria of a file")
    extract.add_argument("source", type=Path, metavar="FILE", help="JSON or NDJSON")
    extract.add_argument("--json", action="store_true", help="print JSON instead of text")
    extract.set_defaults(run=run_extract)

    export = verbs.add_parser("export-ctml", help="write the records of a file as documents of CTML (MatchMiner)")
    export.add_argument("source", type=Path, metavar="FOLDER_OR_FILE", help="JSON or NDJSON of ClinicalTrials.gov")
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="one JSON file a trial")
    export.set_defaults(run=run_export_ctml)

    read = verbs.add_parser("import-ctml", help="read documents of CTML into the index")
    read.add_argument("source", type=Path, metavar="FOLDER_OR_FILE", help="JSON or YAML")
    read.add_argument("--index", type=Path, default=INDEX, metavar="FILE", help=f"default {INDEX}")
    read.set_defaults(run=run_import_ctml)


def run_index(arguments: argparse.Namespace) -> int:
    """Write the index and say how many trials it took."""
    from livingdrug.study.match_trials import index_trials

    count, faults = index_trials(arguments.source, arguments.index, jobs=arguments.jobs or os.cpu_count() or 1)
    _report(faults)
    print(f"{count} trials indexed in {arguments.index}.")
    return DONE


def run_match(arguments: argparse.Namespace) -> int:
    """Print the trials, those first that nothing was found to exclude from."""
    from livingdrug.cli.records import open_record
    from livingdrug.study.match_trials import encode_matches, match_trials

    found = match_trials(
        open_record(arguments),
        arguments.index,
        subject_id=arguments.subject,
        day=arguments.day,
        search=arguments.search,
    )
    if arguments.json:
        _print_json(encode_matches(found))
        return DONE
    from livingdrug.report.trial_match_text import format_matches

    print(format_matches(found, SHOWN))
    return DONE


def run_extract(arguments: argparse.Namespace) -> int:
    """Print each statement with the words it stands in."""
    from livingdrug.study.match_trials import extract_trials

    statements, faults = extract_trials(arguments.source)
    _report(faults)
    if arguments.json:
        _print_json(statements)
        return DONE
    for one in statements:
        words = " ".join((one["text"] or one["source"]).split())
        print(f"{one['nct_id']}  {one['target']:12} {one['polarity']:9} {one['value']}  {one['certainty']}: {words}")
    return DONE


def run_export_ctml(arguments: argparse.Namespace) -> int:
    """Write the documents and say how many."""
    from livingdrug.study.exchange_ctml import export_ctml

    count, faults = export_ctml(arguments.source, arguments.out)
    _report(faults)
    print(f"{count} trials written to {arguments.out}. What CTML cannot say stands under `criteria_verbatim`.")
    return DONE


def run_import_ctml(arguments: argparse.Namespace) -> int:
    """Write the index and say how many trials it took."""
    from livingdrug.study.exchange_ctml import import_ctml

    count, faults = import_ctml(arguments.source, arguments.index)
    _report(faults)
    print(f"{count} trials indexed in {arguments.index}.")
    return DONE


def _report(faults: "list[Fault]") -> None:
    for fault in faults[:MAX_FAULTS]:
        print(fault, file=sys.stderr)
    if len(faults) > MAX_FAULTS:
        print(f"... and {len(faults) - MAX_FAULTS} more.", file=sys.stderr)


def _print_json(rows: list[dict[str, Any]]) -> None:
    print(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False))
