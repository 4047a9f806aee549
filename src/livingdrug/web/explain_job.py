"""The work of one explanation, and the files that pages and downloads are made of.

A result is written under another name and renamed when it is complete: a folder that is there is whole.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livingdrug.report.document import collect_fields, is_untold, write_headline, write_title
from livingdrug.report.page import render_page
from livingdrug.report.patient_document import write_patient_report
from livingdrug.report.what_if_frame import Frame
from livingdrug.report.what_if_section import choose_frames, prepare_section
from livingdrug.study.prepare_subject import Prepared, prepare_subject
from livingdrug.study.what_if_grid import compute_what_if_grid
from livingdrug.study.write_what_if import write_what_if
from livingdrug.web.library import Library

Report = Callable[[float, str], None]
CLINICIAN, PATIENT, EXPLANATION = "clinician.html", "patient.html", "explanation.json"
FRAMES, FINDINGS, SLIDERS, SUMMARY = "frames.json", "findings.html", "sliders.html", "summary.json"


def explain_into(library: Library, arguments: Mapping[str, Any], folder: Path, report: Report) -> None:
    """Explain one subject and write everything that pages, downloads and sliders need.

    Parameters
    ----------
    report : function
        Called with how far the work is, from 0 to 1, and what is being done.
    """
    report(0.05, "reading the record")
    record = library.open(arguments["record_id"])
    report(0.1, "fitting the model and asking why")
    explained = prepare_subject(record, subject_id=arguments["subject_id"], seed=arguments["seed"], jobs=1)
    report(0.6, "writing the reports")
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _write_result(explained, draft, report)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def _write_result(explained: Prepared, draft: Path, report: Report) -> None:
    explanation = explained.explanation
    section = None
    frames: tuple[Frame, ...] = ()
    if explained.start is not None:
        grid = compute_what_if_grid(explained.start)
        report(0.7, "writing the reports")
        section = prepare_section(grid, mark=explanation.failure_day)
        frames = choose_frames(grid.all_answers, grid.start.horizon)
        write_what_if(explained.start, draft)
        _write(draft / SLIDERS, render_page("live_sliders.html.jinja", what_if=section))
    _write(draft / FRAMES, json.dumps([asdict(frame) for frame in frames]))
    fields = collect_fields(explanation, section)
    report(0.85, "writing the reports")
    _write(draft / CLINICIAN, render_page("report.html.jinja", **fields))
    _write(draft / FINDINGS, render_page("findings.html.jinja", **fields))
    write_patient_report(explanation, draft / PATIENT)
    _write(draft / EXPLANATION, explanation.to_json())
    summary = {
        "title": write_title(explanation),
        "headline": write_headline(explanation),
        "is_untold": is_untold(explanation),
        "subject_id": explanation.subject_id,
        "why_no_sliders": explained.reason,
    }
    _write(draft / SUMMARY, json.dumps(summary))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def read_frames(folder: Path) -> tuple[Frame, ...]:
    """Read the axes on which live answers are drawn."""
    return tuple(Frame(**frame) for frame in json.loads((folder / FRAMES).read_text(encoding="utf-8")))
