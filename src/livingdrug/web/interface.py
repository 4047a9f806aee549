"""The programming interface: JSON in, JSON out."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, File, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from livingdrug.core.errors import InputError
from livingdrug.core.plain_values import make_plain
from livingdrug.core.version import VERSION
from livingdrug.study.assess_record import assess
from livingdrug.web.capabilities import find_matches
from livingdrug.web.explain_job import EXPLANATION
from livingdrug.web.figure_files import list_figures, read_figure
from livingdrug.web.library import RESULTS, Library, NotFoundError
from livingdrug.web.live import write_answer
from livingdrug.web.messages import (
    AssessRequest,
    CohortRequest,
    ErrorAnswer,
    FigureAnswer,
    HealthAnswer,
    JobAnswer,
    JobRequest,
    SubjectRequest,
    TrialRequest,
    WhatIfRequest,
)
from livingdrug.web.storage import Job
from livingdrug.web.uploads import Upload
from livingdrug.web.work import (
    find_explanation,
    find_result,
    list_links,
    queue_cohort,
    queue_explanation,
    queue_options,
    queue_sent_trial,
    queue_trial,
    read_answer,
    wait_for,
)

if TYPE_CHECKING:
    from pathlib import Path

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "the request could not be read"},
    401: {"model": ErrorAnswer, "description": "not logged in"},
    403: {"model": ErrorAnswer, "description": "caused by a page of another site"},
    404: {"model": ErrorAnswer, "description": "not here"},
    413: {"model": ErrorAnswer, "description": "too large"},
    422: {"model": ErrorAnswer, "description": "cannot be used; the sentence says why, and what to do"},
    501: {"model": ErrorAnswer, "description": "not part of this version"},
}
JSON = "application/json"
RESERVED = ("record", "criteria", "progress")
"""What an option cannot be called."""
LATER: dict[int | str, dict[str, Any]] = {**ERRORS, 202: {"model": JobAnswer, "description": "still at work"}}


def find_library(request: Request) -> Library:
    """Return the library of the server that the request came to."""
    library: Library = request.app.state.library
    return library


Shelf = Annotated[Library, Depends(find_library)]
router = APIRouter(responses=ERRORS)


def describe_job(library: Library, job: Job) -> JobAnswer:
    """Return a job as the interface answers it."""
    return JobAnswer(
        id=job.id,
        kind=job.kind,
        state=job.state,  # type: ignore[arg-type]
        progress=job.progress,
        message=job.message,
        created=job.created,
        updated=job.updated,
        result=list_links(library, job),
    )


@router.get("/health")
def health() -> HealthAnswer:
    """Say that the server is there."""
    return HealthAnswer(status="ok", version=VERSION)


@router.post("/api/records")
def add_record(library: Shelf, files: Annotated[list[UploadFile], File(description="3 CSV files or 1 zip")]) -> Any:
    """Check a record and keep it."""
    uploads = [Upload(file.filename or "", file.file) for file in files]
    identity = library.add(uploads)
    stored = library.storage.find_record(identity)
    overview = dict(stored.overview) if stored is not None else {}
    return JSONResponse({"record_id": identity, "overview": make_plain(overview)})


@router.post("/api/assess")
def assess_record(library: Shelf, body: AssessRequest) -> Any:
    """Judge every subject of a record by published criteria."""
    record = library.open(body.record_id)
    options: dict[str, Any] = {name: value for name, value in body.options.items() if name not in RESERVED}
    if len(options) < len(body.options):
        raise InputError(
            f"an option must be one of the criteria, but was one of {', '.join(RESERVED)}. Hint: leave it out."
        )
    return JSONResponse(make_plain(assess(record, body.criteria, **options).to_dict()))


def _find_explanation(library: Library, body: SubjectRequest | WhatIfRequest) -> "Path | Job":
    """Return the folder of an explanation that is there, or the job that makes it."""
    subject = library.choose_subject(body.record_id, body.subject_id)
    folder = find_explanation(library, body.record_id, subject, body.seed)
    return queue_explanation(library, body.record_id, subject, body.seed) if folder is None else folder


async def _explain(library: Library, body: SubjectRequest | WhatIfRequest) -> "Path":
    found = await run_in_threadpool(_find_explanation, library, body)
    return await wait_for(library, found) if isinstance(found, Job) else found


@router.post("/api/explain", responses=LATER)
async def explain(library: Shelf, body: SubjectRequest) -> Any:
    """Explain why the treatment of one subject failed; the first time takes seconds, later none."""
    path = await _explain(library, body) / EXPLANATION
    return Response(await run_in_threadpool(path.read_bytes), media_type=JSON)


@router.post("/api/whatif", responses=LATER)
async def what_if(library: Shelf, body: WhatIfRequest) -> Any:
    """Ask the fitted subject again with knobs turned; fits it first if that has not been done."""
    folder = await _explain(library, body)
    return Response(await run_in_threadpool(write_answer, folder, body.knobs), media_type=JSON)


@router.post("/api/options", responses=LATER)
async def options(library: Shelf, body: SubjectRequest) -> Any:
    """List what may be done next, with what speaks for and against; the first time takes seconds, later none."""
    return await _answer(
        library, await run_in_threadpool(queue_options, library, body.record_id, body.subject_id, body.seed)
    )


@router.post("/api/cohort", responses=LATER)
async def assess_cohort(library: Shelf, body: CohortRequest) -> Any:
    """Assess every subject of a record by the criteria of its disease: one row a subject."""
    return await _answer(library, await run_in_threadpool(queue_cohort, library, body.record_id, body.criteria))


@router.post("/api/trials", responses=LATER)
async def run_trial(library: Shelf, body: TrialRequest) -> Any:
    """Run a virtual trial; where it takes long, look at the job."""
    return await _answer(library, await run_in_threadpool(queue_trial, library, body.design, body.seed))


@router.post("/api/trials/results", status_code=202)
def add_trial(
    library: Shelf, files: Annotated[list[UploadFile], File(description="manifest.json, outcomes.parquet or 1 zip")]
) -> JobAnswer:
    """Check and keep a trial that `livingdrug trial` wrote elsewhere, and make its page."""
    identity = library.add_trial([Upload(file.filename or "", file.file) for file in files])
    return describe_job(library, queue_sent_trial(library, identity))


@router.get("/api/figures/{key}/{file}", response_class=Response)
def send_figure(library: Shelf, key: str, file: str) -> Response:
    """Send a figure of a result as NAME.svg, NAME.pdf, its table as NAME.csv or its specification as NAME.json."""
    found = read_figure(library.settings.data / RESULTS, key, file)
    if found is None:
        raise NotFoundError("There is no such figure. Hint: the result of a job lists its figures.")
    return Response(found[0], media_type=found[1])


async def _answer(library: Library, job: Job) -> Response:
    """Wait for a job and return its result."""
    await wait_for(library, job)
    return Response(await run_in_threadpool(read_answer, library, job), media_type=JSON)


@router.post("/api/trials/match")
def match_trials(library: Shelf, body: SubjectRequest) -> Any:
    """Match one subject to trials."""
    record = library.open(body.record_id)
    subject = library.choose_subject(body.record_id, body.subject_id)
    return JSONResponse(make_plain(find_matches(record, subject)))


@router.post("/api/jobs", status_code=202)
def add_job(library: Shelf, body: JobRequest) -> JobAnswer:
    """Queue work and return at once."""
    if body.kind == "trial":
        return describe_job(library, queue_trial(library, body.design or "", body.seed))
    if body.kind == "cohort":
        return describe_job(library, queue_cohort(library, body.record_id or "", body.criteria))
    queue = queue_options if body.kind == "options" else queue_explanation
    return describe_job(library, queue(library, body.record_id or "", body.subject_id, body.seed))


@router.get("/api/jobs")
def list_jobs(library: Shelf) -> list[JobAnswer]:
    """List jobs, newest first."""
    return [describe_job(library, job) for job in library.storage.list_jobs()]


@router.get("/api/jobs/{job_id}")
def find_job(library: Shelf, job_id: str) -> JobAnswer:
    """Say how far a job is."""
    job = library.storage.find_job(job_id)
    if job is None:
        raise NotFoundError("There is no job of that identifier.")
    return describe_job(library, job)


@router.get("/api/jobs/{job_id}/result")
def find_job_result(library: Shelf, job_id: str) -> Any:
    """Return what a finished job found."""
    job = library.storage.find_job(job_id)
    text = None if job is None else read_answer(library, job)
    if text is None:
        raise NotFoundError("There is no result of that job yet.")
    return Response(text, media_type=JSON)


@router.get("/api/jobs/{job_id}/figures")
def list_job_figures(library: Shelf, job_id: str) -> list[FigureAnswer]:
    """List the figures of a finished job, with links to their files."""
    job = library.storage.find_job(job_id)
    folder = None if job is None else find_result(library, job.kind, job.arguments)
    if folder is None:
        raise NotFoundError("There is no result of that job yet.")
    return [FigureAnswer(**figure) for figure in list_figures(folder)]
