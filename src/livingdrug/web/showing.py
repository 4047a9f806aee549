"""What every page needs: a template filled, a subject by its number, a job as a row, a file to keep."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import FileResponse, HTMLResponse

from livingdrug.web.explain_job import CLINICIAN, PATIENT
from livingdrug.web.library import Library, NotFoundError
from livingdrug.web.messages import MOST_SEED
from livingdrug.web.rendering import render
from livingdrug.web.storage import Job
from livingdrug.web.work import list_links

REPORTS = {"clinician": CLINICIAN, "patient": PATIENT}
WHAT = {"explain": "why it failed", "options": "what next", "cohort": "every subject", "trial": "a virtual trial"}
Seed = Annotated[int, Query(ge=0, le=MOST_SEED)]
TYPES = {".html": "text/html", ".csv": "text/csv"}


def show_page(template: str, **fields: Any) -> HTMLResponse:
    """Fill a template and answer with it."""
    return HTMLResponse(render(template, **fields))


def find_subject(library: Library, record_id: str, number: int) -> str:
    """Return the subject of a record by its number, from 1.

    Raises
    ------
    NotFoundError
        If the record has fewer.
    """
    subjects = [str(name) for name in library.open(record_id).subjects["subject_id"]]
    if not 1 <= number <= len(subjects):
        raise NotFoundError(f"This record has {len(subjects)} subjects, and no number {number}.")
    return subjects[number - 1]


def name_work(library: Library, job: Job) -> str:
    """Say what a job is about: the record of a cohort, or the name that a design gives its trial."""
    if job.kind == "cohort":
        stored = library.storage.find_record(job.arguments["record_id"])
        return str(job.arguments["record_id"]) if stored is None else stored.name
    if "design" not in job.arguments:
        return "a trial from elsewhere"
    return str(tomllib.loads(job.arguments["design"])["trial"]["name"])


def describe_row(library: Library, job: Job) -> dict[str, Any]:
    """Return a job as a row of a table."""
    links = list_links(library, job) or {}
    what = job.arguments.get("subject_id") or name_work(library, job)
    return {
        "job": job,
        "what": what,
        "kind": WHAT[job.kind],
        "link": links.get("page"),
        "percent": round(100 * job.progress),
    }


def send_file(path: Path, name: str) -> FileResponse:
    """Send a file to keep, under a name that is safe anywhere."""
    stem, dot, ending = name.rpartition(".")
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", stem)[:60]
    return FileResponse(path, media_type=TYPES[f"{dot}{ending}"], filename=f"{plain}{dot}{ending}")
