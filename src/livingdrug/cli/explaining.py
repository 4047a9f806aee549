"""The command ``explain``."""

import argparse
import itertools
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livingdrug.cli.arguments import BAD_INPUT, DONE, NOT_CONVERGED, report_error, tell
from livingdrug.cli.records import open_record

if TYPE_CHECKING:
    from livingdrug.core.tables import Record
    from livingdrug.study.explanation import Explanation

MAX_NAME = 60
"""Characters of a subject's name in the name of its folder; file systems count up to four bytes for each."""


def _write_all(explanation: "Explanation", folder: Path) -> None:
    from livingdrug.report.document import write_report
    from livingdrug.study.write_explanation import write_explanation

    write_explanation(explanation, folder)
    write_report(explanation, folder / "report.html")


def choose_folders(subjects: Sequence[str], out: Path) -> dict[str, Path]:
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

    folders = choose_folders([str(subject) for subject in record.subjects["subject_id"]], arguments.out)
    explained, refused = {}, 0
    for position, (subject, folder) in enumerate(folders.items(), start=1):
        tell(f"Explaining {subject} ({position} of {len(folders)})")
        try:
            explanation = explain_failure(record, subject_id=subject, seed=arguments.seed, jobs=arguments.jobs)
        except InputError as error:
            if len(folders) == 1:
                raise
            report_error(error)
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


def _run_benchmark(arguments: argparse.Namespace) -> int:
    """Explain simulated failures with a known reason and print how often that was right."""
    from livingdrug.study.explain_benchmark import run_benchmark

    report = run_benchmark(
        arguments.n,
        seed=arguments.seed,
        with_extra=arguments.extra,
        training=arguments.training,
        jobs=arguments.jobs,
        folder=arguments.out,
        progress=lambda done, all_: tell(f"Explained {done} of {all_}"),
    )
    text = json.dumps(report, indent=2)
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / "benchmark.json").write_text(text + "\n", encoding="utf-8")
        _draw_benchmark(report, arguments.out)
    if arguments.json:
        print(text)
        return DONE
    for name, value in report.items():
        if not isinstance(value, dict | list):
            print(f"{name:22} {value:.3f}" if isinstance(value, float) else f"{name:22} {value}")
    return DONE


def _draw_benchmark(report: Mapping[str, Any], folder: Path) -> None:
    """Write the calibration of the stated probabilities as SVG, PDF and CSV."""
    import polars as pl

    from livingdrug.report.check_figures import draw_calibration
    from livingdrug.report.write_figures import write_figures

    figure = draw_calibration(pl.DataFrame(report["reliability"]), of="the first reason")
    write_figures([] if figure is None else [figure], folder)


def run_explain(arguments: argparse.Namespace) -> int:
    """Explain every subject of a record; write the results and print the verdict."""
    if arguments.benchmark:
        return _run_benchmark(arguments)
    from livingdrug.report.rendering import warm_renderer

    warm_renderer()
    explained, refused = _explain_all(open_record(arguments), arguments)
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
