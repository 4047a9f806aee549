"""The pages of virtual trials: run one from a design, or look at one that was run elsewhere."""

import json
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from livingdrug.core.errors import InputError
from livingdrug.web.figure_files import list_figures
from livingdrug.web.interface import Shelf
from livingdrug.web.library import NotFoundError
from livingdrug.web.messages import MOST_SEED
from livingdrug.web.showing import describe_row, send_file, show_page
from livingdrug.web.trial_job import BODY, SUMMARY, TRIAL_REPORT
from livingdrug.web.uploads import Upload
from livingdrug.web.work import find_result, list_links, queue_sent_trial, queue_trial

MOST_DESIGN = 200_000
EXAMPLE = """[trial]
name    = "Two products"
disease = "myeloma"
days    = 365

[[arm]]
name    = "cilta-cel"
product = "cilta_cel"
n       = 60

[[arm]]
name    = "ide-cel"
product = "ide_cel"
n       = 60
"""
"""What the page offers to change."""
router = APIRouter(include_in_schema=False)


@router.get("/trials")
def show_trials(library: Shelf) -> Response:
    """Show the virtual trials that were run, and where to describe another."""
    jobs = [describe_row(library, job) for job in library.storage.list_jobs() if job.kind == "trial"]
    fields = {"jobs": jobs, "example": EXAMPLE, "most": library.settings.most_patients}
    return show_page("trials.html.jinja", title="Virtual trials", **fields)


@router.post("/trials")
def send_trial(
    library: Shelf,
    design: Annotated[str, Form(max_length=MOST_DESIGN)] = "",
    file: Annotated[UploadFile | None, File()] = None,
    seed: Annotated[int, Form()] = 1,
) -> Response:
    """Queue a virtual trial and show how far it is; a file takes the place of the text."""
    text = _read_design(file) if file is not None and file.filename else design
    job = queue_trial(library, text.replace("\r\n", "\n"), min(max(seed, 0), MOST_SEED))
    links = list_links(library, job)
    return RedirectResponse(links["page"] if links else f"/jobs/{job.id}", status_code=303)


def _read_design(file: UploadFile) -> str:
    content = file.file.read(MOST_DESIGN + 1)
    if len(content) > MOST_DESIGN:
        raise InputError(f"a design must be at most {MOST_DESIGN} bytes, but is larger. Hint: is it the TOML file?")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("a design must be UTF-8 text, but is not. Hint: is it the TOML file?") from error


@router.post("/trials/results")
def send_results(library: Shelf, files: Annotated[list[UploadFile], File()]) -> Response:
    """Check and keep a trial that was run elsewhere, then show it."""
    identity = library.add_trial([Upload(file.filename or "", file.file) for file in files])
    job = queue_sent_trial(library, identity)
    links = list_links(library, job)
    return RedirectResponse(links["page"] if links else f"/jobs/{job.id}", status_code=303)


@router.get("/trials/{job_id}")
def show_trial(library: Shelf, job_id: str) -> Response:
    """Show a finished trial."""
    job = library.storage.find_job(job_id)
    folder = None if job is None or job.kind != "trial" else find_result(library, "trial", job.arguments)
    if folder is None:
        raise NotFoundError("There is no finished trial of that identifier.")
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    body = Markup((folder / BODY).read_text(encoding="utf-8"))
    fields = {"title": summary["title"], "headline": summary["headline"], "job_id": job_id}
    return show_page("trial_page.html.jinja", body=body, files=list_figures(folder), **fields)


@router.get("/jobs/{job_id}/report")
def send_trial_report(library: Shelf, job_id: str) -> Response:
    """Send the report of a finished trial as a file to keep."""
    job = library.storage.find_job(job_id)
    folder = None if job is None or job.kind != "trial" else find_result(library, "trial", job.arguments)
    if folder is None:
        raise NotFoundError("There is no report of that job yet.")
    return send_file(folder / TRIAL_REPORT, "trial.html")
