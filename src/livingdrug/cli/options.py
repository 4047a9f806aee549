"""The command ``options``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from livingdrug.cli.arguments import DONE, Parser, add_shared, tell

if TYPE_CHECKING:
    from livingdrug.options.facts import Fact


def add_options(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the command."""
    options = commands.add_parser("options", help="what can be done after a failure, with evidence for and against")
    source = options.add_mutually_exclusive_group(required=True)
    source.add_argument("record", nargs="?", type=Path, metavar="RECORD", help="folder with the three CSV files")
    source.add_argument("--example", metavar="NAME", help="a packaged record instead")
    options.add_argument("--subject", metavar="ID", help="where the record holds several")
    options.add_argument("--answers", type=Path, metavar="FILE.csv", help="answers: fact, value, unit, day, note")
    options.add_argument("--no-simulation", action="store_true", help="bands and evidence only")
    add_shared(options)
    options.add_argument("--json", action="store_true", help="print options.json instead of text")
    options.set_defaults(run=run_options)


def run_options(arguments: argparse.Namespace) -> int:
    """List the options of one subject; write them and print them by band."""
    from livingdrug.cli.records import open_record
    from livingdrug.report.options_section import write_options_page
    from livingdrug.report.options_text import format_options
    from livingdrug.study.list_options import list_options
    from livingdrug.study.write_options import write_options

    record = open_record(arguments)
    tell("Judging and simulating the options")
    found = list_options(
        record,
        subject_id=arguments.subject,
        answers=_read_answers(arguments.answers),
        simulate=not arguments.no_simulation,
        seed=arguments.seed,
        jobs=arguments.jobs,
    )
    path = write_options(found, arguments.out)
    page = write_options_page(found, arguments.out / "options.html")
    if arguments.json:
        print(path.read_text(encoding="utf-8").strip())
        return DONE
    print(format_options(found))
    print(f"\n  Page: {page}")
    return DONE


def _read_answers(path: Path | None) -> "tuple[Fact, ...]":
    if path is None:
        return ()
    from livingdrug.knowledge.options import load_options
    from livingdrug.study.option_answers import read_answers

    return read_answers(path, load_options().facts)
