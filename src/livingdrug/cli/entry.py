"""Describe the commands, run one, turn errors into sentences and exit codes."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from livingdrug.cli.arguments import (
    BAD_INPUT,
    DONE,
    FAILED,
    INTERRUPTED,
    Parser,
    add_shared,
    folder,
    positive,
    report_error,
)
from livingdrug.cli.assessing import read_option, run_assess, run_criteria
from livingdrug.cli.calibrating import read_pair, run_calibrate
from livingdrug.cli.explaining import run_explain
from livingdrug.cli.fitting import run_fit
from livingdrug.cli.inspecting import run_check, run_doctor, run_examples
from livingdrug.cli.knowledge import add_knowledge
from livingdrug.cli.options import add_options
from livingdrug.cli.reporting import add_report
from livingdrug.cli.sensitivity import add_sensitivity
from livingdrug.cli.serving import add_serve
from livingdrug.cli.simulating import run_simulate
from livingdrug.cli.trial import add_trial
from livingdrug.cli.trials import add_trials


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands and their flags."""
    parser = Parser(
        prog="livingdrug",
        description="What happens if CAR T-cell therapy fails: when, why, and what next.",
        epilog="Research software; not a medical device.",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)

    examples = commands.add_parser("examples", help="list the packaged records (synthetic)")
    examples.set_defaults(run=run_examples)

    explain = commands.add_parser("explain", help="explain whether, when, how and why a therapy failed")
    source = explain.add_mutually_exclusive_group(required=True)
    source.add_argument("record", nargs="?", type=Path, metavar="RECORD", help="folder with the three CSV files")
    source.add_argument("--example", metavar="NAME", help="a packaged record instead")
    source.add_argument("--benchmark", action="store_true", help="how often it is right, on simulated failures")
    add_shared(explain, needs_out=False)
    explain.add_argument("--json", action="store_true", help="print explanation.json instead of text")
    explain.add_argument("--n", type=positive, default=1000, metavar="N", help="with --benchmark, failures")
    explain.add_argument(
        "--training", type=positive, default=20_000, metavar="N", help="with --benchmark, of the trees"
    )
    explain.add_argument("--extra", action="store_true", help="with --benchmark, with the extra assays")
    explain.set_defaults(run=run_explain, refuse=explain.error)

    fit = commands.add_parser("fit", help="fit the model to each subject of a record: draws, diagnostics, predictions")
    fit.add_argument("record", type=Path, metavar="RECORD", help="folder with the three CSV files")
    add_shared(fit)
    fit.add_argument(
        "--effective", type=positive, metavar="N", help="repeat the fit until its draws are worth N independent ones"
    )
    fit.add_argument("--robust", action="store_true", help="noise with the tails of a Student t: outliers pull less")
    fit.add_argument("--json", action="store_true", help="print the diagnostics")
    fit.set_defaults(run=run_fit, example=None)

    add_report(commands)
    add_serve(commands)
    _add_assess(commands)
    _add_calibrate(commands)
    add_trial(commands)
    add_options(commands)
    add_knowledge(commands)
    add_trials(commands)
    add_sensitivity(commands)

    simulate = commands.add_parser(
        "simulate", help="simulate virtual patients as the records that a hospital would have"
    )
    simulate.add_argument("--disease", required=True, help="myeloma, lbcl or b_all")
    simulate.add_argument("--product", required=True, help="ide_cel, cilta_cel, axi_cel, tisa_cel, liso_cel, brexu_cel")
    simulate.add_argument("--n", type=positive, default=100, metavar="N", help="virtual patients (default 100)")
    simulate.add_argument("--days", type=positive, default=730, metavar="N", help="days after infusion (default 730)")
    add_shared(simulate)
    simulate.set_defaults(run=run_simulate)

    check = commands.add_parser("check", help="check that every packaged number has unit, source and provenance")
    check.set_defaults(run=run_check)

    doctor = commands.add_parser("doctor", help="versions, processor and speed of this installation")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=run_doctor)
    return parser


def _add_calibrate(commands: "argparse._SubParsersAction[Parser]") -> None:
    calibrate = commands.add_parser("calibrate", help="fit population values to published results")
    calibrate.add_argument("pair", type=read_pair, metavar="DISEASE/PRODUCT", help="for example lbcl/axi_cel")
    block = calibrate.add_mutually_exclusive_group()
    block.add_argument("--toxicity", action="store_true", help="the values of cytokine release and neurotoxicity")
    block.add_argument("--inflammation", action="store_true", help="the values of markers before infusion")
    calibrate.add_argument("--out", type=folder, required=True, metavar="DIR", help="folder for the value files")
    calibrate.add_argument("--resume", action="store_true", help="go on from the last step that DIR holds")
    calibrate.add_argument("--jobs", type=positive, default=None, metavar="N", help="threads (default: every core)")
    calibrate.add_argument("--without", metavar="TRIAL", help="leave a trial out, start at the priors, and predict it")
    calibrate.set_defaults(run=run_calibrate)


def _add_assess(commands: "argparse._SubParsersAction[Parser]") -> None:
    assess = commands.add_parser("assess", help="response, progression, grades and endpoints by published criteria")
    source = assess.add_mutually_exclusive_group(required=True)
    source.add_argument("record", nargs="?", type=Path, metavar="RECORD", help="folder with the three CSV files")
    source.add_argument("--example", metavar="NAME", help="a packaged record instead")
    assess.add_argument("--criteria", required=True, metavar="NAME/VERSION", help="see `livingdrug criteria`")
    assess.add_argument(
        "--option", action="append", type=read_option, default=[], metavar="KEY=VALUE", help="a convention; repeat"
    )
    assess.add_argument("--sdtm", action="store_true", help="RECORD is a folder with SDTM domains")
    assess.add_argument("--disease", help="with --sdtm, where DM does not tell")
    assess.add_argument("--product", help="with --sdtm, where DM and EX do not tell")
    assess.add_argument("--infusion", metavar="NAME", help="with --sdtm, the product as EXTRT names it")
    assess.add_argument(
        "--day-zero",
        choices=("infusion", "reference_start", "first_assessment"),
        default="infusion",
        help="with --sdtm, what day 0 is (default infusion)",
    )
    assess.add_argument("--adam", action="store_true", help="write ADRS, ADTTE and ADTR as well")
    assess.add_argument("--out", type=folder, required=True, metavar="DIR", help="folder for the results")
    assess.add_argument("--json", action="store_true", help="print verdicts and endpoints as JSON instead of text")
    assess.set_defaults(run=run_assess)

    criteria = commands.add_parser("criteria", help="list the criteria, their options, defaults and sources")
    criteria.add_argument("--json", action="store_true", help="print JSON")
    criteria.set_defaults(run=run_criteria)


def _run(command: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a command; errors that we raise on purpose become sentences and exit codes."""
    from livingdrug.core.errors import InputError, LivingDrugError

    try:
        return command(arguments)
    except InputError as error:
        report_error(error)
        return BAD_INPUT
    except LivingDrugError as error:
        report_error(error)
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
    # the engine has threads of its own; those of small matrix products would only wait in their way
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
        if hasattr(arguments, "benchmark") and not arguments.benchmark and arguments.out is None:
            arguments.refuse("the following arguments are required: --out")
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
