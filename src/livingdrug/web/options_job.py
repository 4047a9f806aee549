"""The work of comparing the options of one subject, and the files that its page is made of."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livingdrug.core.plain_values import make_plain
from livingdrug.report.options_figure import draw_options
from livingdrug.report.options_section import render_options_section, write_options_page
from livingdrug.report.options_text import describe_failure
from livingdrug.report.page import prepare_figure, render_page
from livingdrug.study.list_options import list_options
from livingdrug.study.write_options import write_options
from livingdrug.web.drafts import Report, open_draft, write_text
from livingdrug.web.figure_files import keep_figures
from livingdrug.web.library import Library

ANSWER, COMPARED, SECTION, PAGE, SUMMARY = "answer.json", "compared.html", "section.html", "page.html", "summary.json"


def list_options_into(library: Library, arguments: Mapping[str, Any], folder: Path, report: Report) -> None:
    """Judge and simulate the options of one subject and write everything that its page and downloads need."""
    report(0.05, "fitting the model and judging the options")
    record = library.open(arguments["record_id"])

    def watch(done: int, count: int) -> None:
        report(0.4 + 0.5 * done / max(count, 1), f"{done} of {count} options simulated")

    found = list_options(record, subject_id=arguments["subject_id"], seed=arguments["seed"], jobs=1, progress=watch)
    report(0.92, "writing the page")
    figure = draw_options(found)
    with open_draft(folder) as draft:
        drawn = None if figure is None else prepare_figure(figure)
        keep_figures([] if figure is None else [figure], draft)
        write_text(draft / COMPARED, "" if drawn is None else render_page("one_figure.html.jinja", item=drawn))
        write_text(draft / SECTION, render_options_section(found))
        write_options_page(found, draft / PAGE)
        write_options(found, draft)
        write_text(draft / ANSWER, json.dumps(make_plain(asdict(found)), ensure_ascii=False))
        words = {"subject_id": found.subject_id, "headline": describe_failure(found), "options": len(found.options)}
        write_text(draft / SUMMARY, json.dumps(words))
