"""What the pages and the programming interface both do: queue work, wait for it, find its result."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livingdrug.core.errors import InputError
from livingdrug.web.explain_job import SUMMARY
from livingdrug.web.library import Library
from livingdrug.web.storage import DONE, FAILED, Job
from livingdrug.web.trial_job import TRIAL_REPORT

PATIENCE = 120.0
PAUSE = 0.05


class NotDoneError(Exception):
    """A job takes longer than a request may wait; ``job`` tells where to look."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.id)
        self.job = job


def queue_explanation(library: Library, record_id: str, subject_id: str | None, seed: int) -> Job:
    """Queue the explanation of one subject, or return the job that has done it."""
    subject = library.choose_subject(record_id, subject_id)
    arguments = {"record_id": record_id, "subject_id": subject, "seed": seed}
    return queue_job(library, "explain", arguments)


def queue_trial(library: Library, design: str, seed: int) -> Job:
    """Queue a virtual trial."""
    if not design.strip():
        raise InputError("`design` must describe a trial, but was empty. Hint: send the TOML of a design.")
    return queue_job(library, "trial", {"design": design, "seed": seed})


def queue_job(library: Library, kind: str, arguments: Mapping[str, Any]) -> Job:
    """Queue a job; one with the same arguments is done once."""
    return library.storage.add_job(kind, library.locate_result(kind, arguments)[0], arguments)


def wait_for(library: Library, job: Job, *, patience: float = PATIENCE) -> Path:
    """Wait until a job is over and return the folder of its result.

    Raises
    ------
    InputError
        With the message of a job that has failed.
    NotDoneError
        If it takes longer than ``patience`` seconds.
    """
    end = time.monotonic() + patience
    current = job
    while current.state not in {DONE, FAILED}:
        if time.monotonic() > end:
            raise NotDoneError(current)
        time.sleep(PAUSE)
        current = library.storage.find_job(job.id) or current
    if current.state == FAILED:
        raise InputError(current.message)
    return library.locate_result(job.kind, job.arguments)[1]


def find_explanation(library: Library, record_id: str, subject_id: str, seed: int) -> Path | None:
    """Return the folder of a finished explanation, or None."""
    arguments = {"record_id": record_id, "subject_id": subject_id, "seed": seed}
    folder = library.locate_result("explain", arguments)[1]
    return folder if (folder / SUMMARY).exists() else None


def list_links(library: Library, job: Job) -> dict[str, str] | None:
    """Return where the result of a finished job is shown and downloaded; None while there is none."""
    if job.state != DONE:
        return None
    if job.kind == "trial":
        return {"report": f"/jobs/{job.id}/report"} if find_trial_report(library, job) else None
    record, subject = job.arguments["record_id"], job.arguments["subject_id"]
    names = [str(name) for name in library.open(record).subjects["subject_id"]]
    page = f"/records/{record}/subjects/{names.index(subject) + 1}"
    seed = f"seed={job.arguments['seed']}"
    return {"page": f"{page}?{seed}", "report": f"{page}/report?{seed}"}


def find_trial_report(library: Library, job: Job) -> Path | None:
    """Return the report of a finished trial, or None."""
    path = library.locate_result("trial", job.arguments)[1] / TRIAL_REPORT
    return path if job.kind == "trial" and path.exists() else None
