"""The work of assessing every subject of a record, and the files that its page is made of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livingdrug.core.plain_values import make_plain
from livingdrug.report.cohort_document import draw_cohort, tabulate_cohort, tabulate_counts
from livingdrug.report.page import prepare_figures, render_page
from livingdrug.study.assess_cohort import assess_cohort
from livingdrug.web.drafts import Report, open_draft, write_text
from livingdrug.web.figure_files import keep_figures
from livingdrug.web.library import Library
from livingdrug.web.table_files import write_table

ANSWER, BODY, SUBJECTS, SUMMARY = "answer.json", "body.html", "subjects.csv", "summary.json"
MOST_SHOWN = 500
"""Rows of the table on the page; the file has every one."""


def assess_cohort_into(library: Library, arguments: Mapping[str, Any], folder: Path, report: Report) -> None:
    """Assess every subject and write everything that the page and downloads need."""
    report(0.02, "reading the record")
    record = library.open(arguments["record_id"])
    last = 0.0

    def watch(done: int, count: int) -> None:
        nonlocal last
        progress = 0.05 + 0.75 * done / max(count, 1)
        if progress - last > 0.01 or done == count:
            last = progress
            report(progress, f"{done} of {count} subjects")

    cohort = assess_cohort(record, arguments.get("criteria") or None, progress=watch)
    report(0.82, "drawing")
    figures = draw_cohort(cohort)
    with open_draft(folder) as draft:
        keep_figures(figures, draft)
        fields = {
            "figures": prepare_figures(figures),
            "counts": tabulate_counts(cohort),
            "table": tabulate_cohort(cohort, most=MOST_SHOWN),
            "count": len(cohort.subjects),
            "most": MOST_SHOWN,
            "warnings": list(cohort.warnings)[:MOST_SHOWN],
            "criteria": sorted({one.ruleset for one in cohort.assessments.values()}),
        }
        write_text(draft / BODY, render_page("cohort_body.html.jinja", **fields))
        write_text(draft / ANSWER, json.dumps(make_plain(cohort.to_dict()), ensure_ascii=False))
        write_table(cohort.subjects, draft / SUBJECTS)
        words = {"headline": f"{len(cohort.subjects)} subjects", "criteria": fields["criteria"]}
        write_text(draft / SUMMARY, json.dumps(words))
