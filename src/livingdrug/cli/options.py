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
    options.add_argument("--subject", metavar="ID", help="one subject of a record that holds several")
    options.add_argument("--answers", type=Path, metavar="FILE.csv", help="answers: fact, value, unit, day, note")
    options.add_argument("--no-simulation", action="store_true", help="bands and evidence only")
    add_shared(options)
    options.add_argument("--json", action="store_true", help="print options.json instead of text")
    options.set_defaults(run=run_options)


def run_options(arguments: argparse.Namespace) -> int:
    """List the options of every subject, or of one; write them and print them by band."""
    import json

    from livingdrug.cli.explaining import choose_folders
    from livingdrug.cli.records import open_record
    from livingdrug.core.errors import InputError
    from livingdrug.report.options_section import write_options_page
    from livingdrug.report.options_text import format_options
    from livingdrug.study.list_options import list_options
    from livingdrug.study.write_options import write_options

    record = open_record(arguments)
    known = [str(subject) for subject in record.subjects["subject_id"]]
    subjects = known if arguments.subject is None else [arguments.subject]
    answers = _read_answers(arguments.answers)
    if answers and len(subjects) > 1:
        raise InputError(f"`--answers` must be of one subject, but there are {len(subjects)}. Hint: add --subject.")
    written = {}
    for subject, folder in choose_folders(subjects, arguments.out).items():
        tell(f"Judging and simulating the options of {subject}")
        found = list_options(
            record,
            subject_id=subject,
            answers=answers,
            simulate=not arguments.no_simulation,
            seed=arguments.seed,
            jobs=arguments.jobs,
        )
        path = write_options(found, folder)
        page = write_options_page(found, folder / "options.html")
        written[subject] = path.read_text(encoding="utf-8").strip()
        if not arguments.json:
            print(f"{format_options(found)}\n\n  Page: {page}")
    if arguments.json:
        one = next(iter(written.values()))
        whole = ",\n".join(f"{json.dumps(subject)}: {text}" for subject, text in written.items())
        print(one if len(subjects) == 1 else f"{{{whole}}}")
    return DONE


def _read_answers(path: Path | None) -> "tuple[Fact, ...]":
    if path is None:
        return ()
    from livingdrug.knowledge.options import load_options
    from livingdrug.study.option_answers import read_answers

    return read_answers(path, load_options().facts)
