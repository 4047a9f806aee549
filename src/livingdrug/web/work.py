"""What the pages and the programming interface both do: queue work, wait for it, find its result."""

import time
import tomllib
from asyncio import sleep
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from livingdrug.core.errors import InputError
from livingdrug.study.assess_record import choose_criteria
from livingdrug.study.trial_design_decoding import decode_design
from livingdrug.web import cohort_job, explain_job, options_job, trial_job
from livingdrug.web.job_kinds import KINDS
from livingdrug.web.library import Library
from livingdrug.web.storage import DONE, FAILED, Job

PATIENCE = 120.0
PAUSE = 0.05
ANSWERS = {
    "explain": explain_job.EXPLANATION,
    "options": options_job.ANSWER,
    "cohort": cohort_job.ANSWER,
    "trial": trial_job.ANSWER,
}
"""The file that programs are answered with."""


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


def queue_options(library: Library, record_id: str, subject_id: str | None, seed: int) -> Job:
    """Queue the comparison of one subject's options, or return the job that has done it."""
    subject = library.choose_subject(record_id, subject_id)
    return queue_job(library, "options", {"record_id": record_id, "subject_id": subject, "seed": seed})


def queue_cohort(library: Library, record_id: str, criteria: str | None) -> Job:
    """Queue the assessment of every subject of a record; without criteria, by those of each disease."""
    library.open(record_id)
    chosen = choose_criteria(criteria).name if criteria else ""
    return queue_job(library, "cohort", {"record_id": record_id, "criteria": chosen})


def queue_trial(library: Library, design: str, seed: int) -> Job:
    """Queue a virtual trial; its design is checked before it waits.

    Raises
    ------
    InputError
        With every fault of the design, or if it has more patients than this server simulates.
    """
    if not design.strip():
        raise InputError("`design` must describe a trial, but was empty. Hint: send the TOML of a design.")
    check_design(design, most=library.settings.most_patients)
    return queue_job(library, "trial", {"design": design, "seed": seed})


def queue_sent_trial(library: Library, trial_id: str) -> Job:
    """Queue the page of a trial that was run elsewhere."""
    library.locate_trial(trial_id)
    return queue_job(library, "trial", {"trial_id": trial_id})


def check_design(text: str, *, most: int) -> None:
    """Read a design without running it.

    Raises
    ------
    InputError
        With every fault, or if it has more patients than ``most``.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"the design must be TOML, but was not: {error}. Hint: check that line.") from error
    design = decode_design(document)
    if design.n > most:
        raise InputError(
            f"a trial on this server must have at most {most} patients, but has {design.n}. "
            "Hint: run it with `livingdrug trial` and send its folder here."
        )


def queue_job(library: Library, kind: str, arguments: Mapping[str, Any]) -> Job:
    """Queue a job; one with the same arguments is done once."""
    return library.storage.add_job(kind, library.locate_result(kind, arguments)[0], arguments)


async def wait_for(library: Library, job: Job, *, patience: float = PATIENCE) -> Path:
    """Wait until a job is over and return the folder of its result; no thread is held meanwhile.

    Raises
    ------
    InputError
        With the message of a job that has failed.
    NotDoneError
        If it takes longer than ``patience`` seconds.
    """
    end = time.monotonic() + patience
    current = job
    while not current.is_over:
        if time.monotonic() > end:
            raise NotDoneError(current)
        await sleep(PAUSE)
        found = await run_in_threadpool(library.storage.find_job, job.id)
        current = current if found is None else found
    if current.state == FAILED:
        raise InputError(current.message)
    return library.locate_result(job.kind, job.arguments)[1]


def find_result(library: Library, kind: str, arguments: Mapping[str, Any]) -> Path | None:
    """Return the folder of a finished piece of work, or None."""
    folder = library.locate_result(kind, arguments)[1]
    return folder if (folder / KINDS[kind][1]).exists() else None


def find_explanation(library: Library, record_id: str, subject_id: str, seed: int) -> Path | None:
    """Return the folder of a finished explanation, or None."""
    return find_result(library, "explain", {"record_id": record_id, "subject_id": subject_id, "seed": seed})


def list_links(library: Library, job: Job) -> dict[str, str] | None:
    """Return where the result of a finished job is shown and downloaded; None while there is none."""
    if job.state != DONE or find_result(library, job.kind, job.arguments) is None:
        return None
    answer = {"answer": f"/api/jobs/{job.id}/result"}
    if job.kind == "trial":
        return {"page": f"/trials/{job.id}", "report": f"/jobs/{job.id}/report", **answer}
    record = job.arguments["record_id"]
    if job.kind == "cohort":
        criteria = job.arguments["criteria"]
        asked = f"?criteria={criteria}" if criteria else ""
        return {"page": f"/records/{record}/cohort{asked}", **answer}
    names = [str(name) for name in library.open(record).subjects["subject_id"]]
    page = f"/records/{record}/subjects/{names.index(job.arguments['subject_id']) + 1}"
    seed = f"seed={job.arguments['seed']}"
    if job.kind == "options":
        return {"page": f"{page}/options?{seed}", "report": f"{page}/options/report?{seed}", **answer}
    return {"page": f"{page}?{seed}", "report": f"{page}/report?{seed}", **answer}


def read_answer(library: Library, job: Job) -> str | None:
    """Return the result of a finished job as JSON, or None."""
    folder = find_result(library, job.kind, job.arguments)
    return None if folder is None else (folder / ANSWERS[job.kind]).read_text(encoding="utf-8")
