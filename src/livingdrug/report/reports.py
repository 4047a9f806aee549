"""The reports of one explained subject, each for its audience."""

import os
from collections.abc import Mapping
from pathlib import Path

from livingdrug.report.document import write_report
from livingdrug.report.patient_document import write_patient_report
from livingdrug.report.what_if_section import prepare_section
from livingdrug.study.option_list import OptionList
from livingdrug.study.prepare_subject import Prepared
from livingdrug.study.what_if_grid import compute_what_if_grid


def write_reports(explained: Prepared, paths: Mapping[str, Path], options: OptionList | None = None) -> None:
    """Write a file for each audience: ``clinician``, with sliders where a model covers the subject, or ``patient``.

    What can be done next is a section of either, where it is given.
    """
    for audience, path in paths.items():
        if audience == "patient":
            write_patient_report(explained.explanation, path, options)
            continue
        section = None
        if explained.start is not None:
            grid = compute_what_if_grid(explained.start, threads=os.cpu_count() or 1)
            section = prepare_section(grid, mark=explained.explanation.failure_day)
        write_report(explained.explanation, path, section, options, beyond=explained.beyond)
