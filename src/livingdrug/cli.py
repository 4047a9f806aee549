"""The command line: decode arguments, call study, print. No science.

Exit codes: 0 done, 2 bad input, 3 did not converge (results are written all the same), 130 interrupted.
"""

import argparse
import itertools
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from livingdrug.core.tables import Record
    from livingdrug.study.explanation import Explanation

DONE, FAILED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 1, 2, 3, 130
MAX_FAULTS = 40
MAX_NAME = 60
"""Characters of a subject's name in the name of its folder; file systems count up to four bytes for each."""


class _Parser(argparse.ArgumentParser):
    """Usage errors as one sentence and where to read on."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}.\nHint: `{self.prog} --help` lists what it understands.\n")


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, but was {text!r}")
    return number


def _seed(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be a whole number of 0 or more, but was {text!r}")
    return number


def _folder(text: str) -> Path:
    """Refuse what cannot be a folder before any work is done."""
    path = Path(text)
    if not text.strip():
        raise argparse.ArgumentTypeError("must name a folder, but was empty")
    parent = next(p for p in (path, *path.absolute().parents) if os.path.exists(p))  # noqa: PTH110 - never raises
    if not parent.is_dir():
        raise argparse.ArgumentTypeError(f"must be a folder, but {str(parent)!r} is a file")
    return path


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=_folder, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--seed", type=_seed, metavar="N", default=1, help="same seed, same results (default 1)")
    parser.add_argument("--jobs", type=_positive, default=None, metavar="N", help="threads (default: every core)")


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands and their flags."""
    parser = _Parser(
        prog="livingdrug",
        description="What happens if CAR T-cell therapy fails: when, why, and what next.",
        epilog="Research software; not a medical device.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    examples = commands.add_parser("examples", help="list the packaged records (synthetic)")
    examples.set_defaults(run=run_examples)

    explain = commands.add_parser("explain", help="explain whether, when, how and why a therapy failed")
    source = explain.add_mutually_exclusive_group(required=True)
    source.add_argument("record", nargs="?", type=Path, metavar="RECORD", help="folder with the three CSV files")
    source.add_argument("--example", metavar="NAME", help="a packaged record instead")
    _add_shared(explain)
    explain.add_argument("--json", action="store_true", help="print explanation.json instead of text")
    explain.set_defaults(run=run_explain)

    simulate = commands.add_parser(
        "simulate", help="simulate virtual patients as the records that a hospital would have"
    )
    simulate.add_argument("--disease", required=True, help="myeloma, lbcl, b_all or mcl")
    simulate.add_argument("--product", required=True, help="ide_cel, cilta_cel, axi_cel, tisa_cel, liso_cel, brexu_cel")
    simulate.add_argument("--n", type=_positive, default=100, metavar="N", help="virtual patients (default 100)")
    simulate.add_argument("--days", type=_positive, default=730, metavar="N", help="days after infusion (default 730)")
    _add_shared(simulate)
    simulate.set_defaults(run=run_simulate)

    check = commands.add_parser("check", help="check that every packaged number has unit, source and provenance")
    check.set_defaults(run=run_check)

    doctor = commands.add_parser("doctor", help="versions, processor and speed of this installation")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=run_doctor)
    return parser


def _tell(sentence: str) -> None:
    """Say on stderr what is going on, if a person is watching."""
    if sys.stderr.isatty():
        print(sentence, file=sys.stderr, flush=True)


def run_examples(_: argparse.Namespace) -> int:
    """Print the packaged records, one a line."""
    from livingdrug.study.examples import list_examples

    for name in list_examples():
        print(name)
    return DONE


def _open_record(arguments: argparse.Namespace) -> "Record":
    if arguments.example is not None:
        from livingdrug.study.examples import load_example

        return load_example(arguments.example)
    from livingdrug.io.tables import read_record

    return read_record(arguments.record)


def _write_all(explanation: "Explanation", folder: Path) -> None:
    from livingdrug.report.document import write_report
    from livingdrug.study.write_explanation import write_explanation

    write_explanation(explanation, folder)
    write_report(explanation, folder / "report.html")


def _choose_folders(subjects: Sequence[str], out: Path) -> dict[str, Path]:
    """Give each subject a folder whose name every file system takes; a single subject uses ``out`` itself."""
    if len(subjects) == 1:
        return {subjects[0]: out}
    folders: dict[str, Path] = {}
    for subject in subjects:
        name = re.sub(r"[^\w-]+", "_", subject)[:MAX_NAME] or "_"
        taken = {folder.name.casefold() for folder in folders.values()}
        candidates = (name if i == 0 else f"{name}-{i}" for i in itertools.count())
        folders[subject] = out / next(c for c in candidates if c.casefold() not in taken)
    return folders


def _explain_all(record: "Record", arguments: argparse.Namespace) -> tuple[dict[Path, "Explanation"], int]:
    """Explain each subject into its folder; one that cannot be explained does not stop the others."""
    from livingdrug.core.errors import InputError
    from livingdrug.study.explain_failure import explain_failure

    folders = _choose_folders([str(subject) for subject in record.subjects["subject_id"]], arguments.out)
    explained, refused = {}, 0
    for position, (subject, folder) in enumerate(folders.items(), start=1):
        _tell(f"Explaining {subject} ({position} of {len(folders)})")
        try:
            explanation = explain_failure(record, subject_id=subject, seed=arguments.seed, jobs=arguments.jobs)
        except InputError as error:
            if len(folders) == 1:
                raise
            _report(error)
            refused += 1
            continue
        _write_all(explanation, folder)
        explained[folder] = explanation
    return explained, refused


def _print_json(folders: Sequence[Path], *, is_one: bool) -> None:
    """Print what was written: one object, or a list of them where the record has several subjects."""
    documents = [(folder / "explanation.json").read_text(encoding="utf-8").strip() for folder in folders]
    print(documents[0] if is_one else "[" + ",\n".join(documents) + "]")


def _print_verdicts(explained: Mapping[Path, "Explanation"]) -> None:
    from livingdrug.report.terminal import format_explanation

    for folder, explanation in explained.items():
        print(format_explanation(explanation))
        print(f"\n  Report: {folder / 'report.html'}\n")


def run_explain(arguments: argparse.Namespace) -> int:
    """Explain every subject of a record; write the results and print the verdict."""
    explained, refused = _explain_all(_open_record(arguments), arguments)
    if arguments.json:
        _print_json(list(explained), is_one=len(explained) + refused == 1)
    else:
        _print_verdicts(explained)
    if len(explained) + refused > 1:
        from livingdrug.report.document import write_index

        links = {f"{folder.name}/report.html": item for folder, item in explained.items()}
        index = write_index(links, arguments.out / "index.html")
        print(f"{len(explained)} of {len(explained) + refused} subjects have a report: {index}", file=sys.stderr)
    if refused:
        return BAD_INPUT
    converged = all(item.fit.get("converged", True) for item in explained.values())
    return DONE if converged else NOT_CONVERGED


def run_simulate(arguments: argparse.Namespace) -> int:
    """Simulate a cohort and write it as a record with its summaries and manifest."""
    from livingdrug.study.simulate_cohort import simulate_cohort, write_simulation

    _tell(f"Simulating {arguments.n} virtual patients over {arguments.days} days")
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


def run_check(_: argparse.Namespace) -> int:
    """Print every fault of the packaged knowledge; none is the only way to pass."""
    from livingdrug.knowledge.check import check_all
    from livingdrug.models import ALL

    faults = check_all(ALL)
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


def _report(error: Exception) -> None:
    """Print an error's sentences; a document with very many faults is cut."""
    lines = str(error).splitlines() or [type(error).__name__]
    for line in lines[: MAX_FAULTS + 1]:
        print(line, file=sys.stderr)
    if len(lines) > MAX_FAULTS + 1:
        print(f"  and {len(lines) - MAX_FAULTS - 1} more.", file=sys.stderr)


def _run(command: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a command; errors that we raise on purpose become sentences and exit codes."""
    from livingdrug.core.errors import InputError, LivingDrugError

    try:
        return command(arguments)
    except InputError as error:
        _report(error)
        return BAD_INPUT
    except LivingDrugError as error:
        _report(error)
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has left; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        where = f" `{error.filename}`" if error.filename else ""
        print(f"The file{where} could not be used: {error.strerror or error}.", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("\nStopped as asked; what was written before is complete.", file=sys.stderr)
        return INTERRUPTED


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Examples
    --------
    >>> main(["--version"])
    livingdrug 0.1.0
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as exit_:
        return int(exit_.code or 0)
    if arguments.version:
        from livingdrug.core.version import VERSION

        print(f"livingdrug {VERSION}")
        return DONE
    if not hasattr(arguments, "run"):
        parser.print_help()
        return BAD_INPUT
    return _run(arguments.run, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
