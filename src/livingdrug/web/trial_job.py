"""The work of one virtual trial: parts that were complete when the program was stopped are kept."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livingdrug.core.plain_values import make_plain
from livingdrug.report.page import render_page
from livingdrug.report.trial_document import collect_trial, draw_trial
from livingdrug.study.read_trial import read_trial
from livingdrug.study.run_trial import run_trial
from livingdrug.study.trial_result import TrialResult
from livingdrug.study.write_trial import write_trial
from livingdrug.web.drafts import Report, write_text
from livingdrug.web.figure_files import keep_figures
from livingdrug.web.library import Library

TRIAL_REPORT, BODY, SUMMARY, ANSWER, DESIGN = "report.html", "body.html", "summary.json", "answer.json", "design.toml"


def run_trial_into(library: Library, arguments: Mapping[str, Any], folder: Path, report: Report) -> None:
    """Run a trial, or read one that was run elsewhere, and write its tables, figures, page and report."""
    folder.mkdir(parents=True, exist_ok=True)
    if "trial_id" in arguments:
        report(0.05, "reading the trial")
        result = read_trial(library.locate_trial(arguments["trial_id"]))
    else:
        result = _run(arguments, folder, report)
        report(0.92, "writing the tables")
        write_trial(result, folder)
    report(0.95, "writing the report")
    _write_result(result, folder)


def _run(arguments: Mapping[str, Any], folder: Path, report: Report) -> TrialResult:
    design = folder / DESIGN
    design.write_text(arguments["design"], encoding="utf-8")
    report(0.02, "simulating")

    def watch(done: int, count: int) -> None:
        report(0.02 + 0.9 * done / max(count, 1), f"{done} of {count} patients")

    return run_trial(design, seed=arguments["seed"], jobs=1, out=folder, resume=True, progress=watch)


def _write_result(result: TrialResult, folder: Path) -> None:
    """Write everything that pages and downloads need; the summary comes last, and says that all is there."""
    figures = draw_trial(result)
    keep_figures(figures, folder)
    fields = collect_trial(result, figures)
    write_text(folder / TRIAL_REPORT, render_page("trial.html.jinja", **fields))
    write_text(folder / BODY, render_page("trial_body.html.jinja", **fields))
    tables = {"endpoints": result.endpoints.to_dicts(), "manifest": dict(result.manifest)}
    write_text(folder / ANSWER, json.dumps(make_plain(tables), ensure_ascii=False))
    summary = folder / f"{SUMMARY}.unfinished"
    write_text(summary, json.dumps({"title": fields["title"], "headline": fields["headline"]}))
    summary.replace(folder / SUMMARY)
