"""The command ``report``."""

import argparse
from pathlib import Path

from livingdrug.cli.arguments import DONE, NOT_CONVERGED, Parser, folder, positive, seed, tell
from livingdrug.cli.records import open_record

AUDIENCES = ("clinician", "patient")


def _file(text: str) -> Path:
    """Return a file to write; refuse a folder before any work is done."""
    path = Path(text)
    if not text.strip() or path.is_dir():
        raise argparse.ArgumentTypeError(f"must name a file such as report.html, but was {text!r}")
    return path


def add_report(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Describe the command."""
    report = commands.add_parser("report", help="one self-contained HTML file about one subject, sliders inside")
    source = report.add_mutually_exclusive_group(required=True)
    source.add_argument("record", nargs="?", type=Path, metavar="RECORD", help="folder with the three CSV files")
    source.add_argument("--example", metavar="NAME", help="a packaged record instead")
    report.add_argument("--subject", metavar="ID", help="where the record holds several")
    report.add_argument("--out", type=_file, required=True, metavar="FILE.html", help="file to write")
    report.add_argument("--figures", type=folder, metavar="DIR", help="each figure as SVG, PDF and CSV as well")
    report.add_argument("--audience", choices=AUDIENCES, default="clinician", help="for whom (default clinician)")
    report.add_argument("--seed", type=seed, metavar="N", default=1, help="same seed, same results (default 1)")
    report.add_argument("--jobs", type=positive, default=None, metavar="N", help="threads (default: every core)")
    report.set_defaults(run=run_report)


def run_report(arguments: argparse.Namespace) -> int:
    """Explain one subject and write the report for its audience."""
    from livingdrug.report.rendering import warm_renderer

    warm_renderer()
    from livingdrug.report.reports import write_reports
    from livingdrug.study.list_options import list_options
    from livingdrug.study.prepare_subject import prepare_subject

    tell("Fitting and explaining")
    record, chosen = open_record(arguments), {"seed": arguments.seed, "jobs": arguments.jobs}
    explained = prepare_subject(record, subject_id=arguments.subject, **chosen)
    tell("Judging and simulating options")
    subject = explained.explanation.subject_id
    options = list_options(
        record,
        subject_id=subject,
        simulate=arguments.audience == "clinician",
        explained=explained.explained,
        **chosen,
    )
    write_reports(explained, {arguments.audience: arguments.out}, options)
    if arguments.figures is not None:
        from livingdrug.report.document import draw_figures
        from livingdrug.report.write_figures import write_figures

        write_figures(draw_figures(explained.explanation, explained.beyond), arguments.figures)
    print(f"Report for the {arguments.audience}: {arguments.out}")
    return DONE if explained.explanation.fit.get("converged", True) else NOT_CONVERGED
