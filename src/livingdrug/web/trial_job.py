"""The work of one virtual trial: parts that were complete when the program was stopped are kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livingdrug.report.trial_document import write_trial_report
from livingdrug.study.run_trial import run_trial
from livingdrug.study.write_trial import write_trial
from livingdrug.web.drafts import Report
from livingdrug.web.library import Library

TRIAL_REPORT = "report.html"
DESIGN = "design.toml"


def run_trial_into(_: Library, arguments: Mapping[str, Any], folder: Path, report: Report) -> None:
    """Run a trial and write its tables and its report."""
    folder.mkdir(parents=True, exist_ok=True)
    design = folder / DESIGN
    design.write_text(arguments["design"], encoding="utf-8")
    report(0.02, "simulating")

    def watch(done: int, count: int) -> None:
        report(0.02 + 0.9 * done / max(count, 1), f"{done} of {count} patients")

    result = run_trial(design, seed=arguments["seed"], jobs=1, out=folder, resume=True, progress=watch)
    report(0.95, "writing the report")
    write_trial(result, folder)
    write_trial_report(result, folder / TRIAL_REPORT)
