"""The kinds of job: what is done, and the file by which a finished one is known."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from livingdrug.web import cohort_job, explain_job, options_job, trial_job
from livingdrug.web.drafts import Report
from livingdrug.web.library import Library

Work = Callable[[Library, Mapping[str, Any], Path, Report], None]
KINDS: Mapping[str, tuple[Work, str]] = {
    "explain": (explain_job.explain_into, explain_job.SUMMARY),
    "options": (options_job.list_options_into, options_job.SUMMARY),
    "cohort": (cohort_job.assess_cohort_into, cohort_job.SUMMARY),
    "trial": (trial_job.run_trial_into, trial_job.SUMMARY),
}
