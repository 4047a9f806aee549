"""The work of one explanation, and the files that pages and downloads are made of."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livingdrug.report.document import collect_fields, draw_figures, is_untold, write_headline, write_title
from livingdrug.report.page import render_page
from livingdrug.report.patient_document import write_patient_report
from livingdrug.report.what_if_frame import Frame
from livingdrug.report.what_if_section import choose_frames, prepare_section
from livingdrug.study.list_options import list_options
from livingdrug.study.option_list import OptionList
from livingdrug.study.prepare_subject import Prepared, prepare_subject
from livingdrug.study.what_if_grid import compute_what_if_grid
from livingdrug.study.write_what_if import write_what_if
from livingdrug.web.drafts import Report, open_draft, write_text
from livingdrug.web.figure_files import keep_figures
from livingdrug.web.library import Library

CLINICIAN, PATIENT, EXPLANATION = "clinician.html", "patient.html", "explanation.json"
FRAMES, FINDINGS, SLIDERS, SUMMARY = "frames.json", "findings.html", "sliders.html", "summary.json"


def explain_into(library: Library, arguments: Mapping[str, Any], folder: Path, report: Report) -> None:
    """Explain one subject and write everything that pages, downloads and sliders need."""
    report(0.05, "reading the record")
    record = library.open(arguments["record_id"])
    report(0.1, "fitting the model and asking why")
    chosen = {"seed": arguments["seed"], "jobs": 1}
    explained = prepare_subject(record, subject_id=arguments["subject_id"], **chosen)
    report(0.6, "judging options")
    # simulated on a page of their own, by a job of its own
    subject = explained.explanation.subject_id
    options = list_options(record, subject_id=subject, simulate=False, explained=explained.explained, **chosen)
    with open_draft(folder) as draft:
        _write_result(explained, options, draft, report)


def _write_result(explained: Prepared, options: OptionList, draft: Path, report: Report) -> None:
    explanation = explained.explanation
    section = None
    frames: tuple[Frame, ...] = ()
    if explained.start is not None:
        grid = compute_what_if_grid(explained.start)
        report(0.7, "writing the reports")
        section = prepare_section(grid, mark=explanation.failure_day)
        frames = choose_frames(grid.all_answers, grid.start.horizon)
        write_what_if(explained.start, draft)
        write_text(draft / SLIDERS, render_page("live_sliders.html.jinja", what_if=section))
    write_text(draft / FRAMES, json.dumps([asdict(frame) for frame in frames]))
    fields = collect_fields(explanation, section, options, beyond=explained.beyond)
    keep_figures(draw_figures(explanation, explained.beyond), draft)
    report(0.85, "writing the reports")
    write_text(draft / CLINICIAN, render_page("report.html.jinja", **fields))
    write_text(draft / FINDINGS, render_page("findings.html.jinja", **fields))
    write_patient_report(explanation, draft / PATIENT, options)
    write_text(draft / EXPLANATION, explanation.to_json())
    summary = {
        "title": write_title(explanation),
        "headline": write_headline(explanation),
        "is_untold": is_untold(explanation),
        "subject_id": explanation.subject_id,
        "why_no_sliders": explained.reason,
    }
    write_text(draft / SUMMARY, json.dumps(summary))


def read_frames(folder: Path) -> tuple[Frame, ...]:
    """Read the axes on which live answers are drawn."""
    return tuple(Frame(**frame) for frame in json.loads((folder / FRAMES).read_text(encoding="utf-8")))
