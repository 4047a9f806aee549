"""The pages for people: pick or upload a record, data check, why, what if, what next, jobs, trials."""

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from livingdrug.report.tables import Table, tabulate_rows
from livingdrug.report.wording import DISEASES, PRODUCTS, describe_variable
from livingdrug.study.examples import list_examples
from livingdrug.web.capabilities import find_options, has_ability
from livingdrug.web.explain_job import CLINICIAN, FINDINGS, PATIENT, SLIDERS, SUMMARY
from livingdrug.web.interface import Shelf
from livingdrug.web.library import Library, NotFoundError
from livingdrug.web.messages import MOST_SEED
from livingdrug.web.parsing import describe_tables
from livingdrug.web.rendering import read_static, render
from livingdrug.web.security import COOKIE, is_token, sign_session
from livingdrug.web.storage import Job
from livingdrug.web.uploads import Upload
from livingdrug.web.work import find_explanation, find_trial_report, list_links, queue_explanation, queue_trial

REPORTS = {"clinician": CLINICIAN, "patient": PATIENT}
MARK = "<!-- sliders -->"
MOST_DESIGN = 200_000
Seed = Annotated[int, Query(ge=0, le=MOST_SEED)]
router = APIRouter(include_in_schema=False)


def _page(template: str, **fields: Any) -> HTMLResponse:
    return HTMLResponse(render(template, **fields))


def _find_overview(library: Library, record_id: str) -> tuple[str, dict[str, Any]]:
    """Return a record's name and what its check found."""
    record = library.open(record_id)
    stored = library.storage.find_record(record_id)
    if stored is not None:
        return stored.name, dict(stored.overview)
    return f"{record_id} (synthetic example)", describe_tables(record)


def _find_subject(library: Library, record_id: str, number: int) -> str:
    subjects = [str(name) for name in library.open(record_id).subjects["subject_id"]]
    if not 1 <= number <= len(subjects):
        raise NotFoundError(f"This record has {len(subjects)} subjects, and no number {number}.")
    return subjects[number - 1]


@router.get("/")
def show_start(library: Shelf) -> Response:
    """Show what is here, and where to send a record."""
    records = library.storage.list_records()
    return _page("start.html.jinja", title="Records", examples=list_examples(), records=records)


@router.get("/static/{name}")
def send_static(name: str) -> Response:
    """Send a script or the style sheet."""
    found = read_static(name)
    if found is None:
        raise NotFoundError("There is no such file.")
    return Response(found[0], media_type=found[1], headers={"cache-control": "max-age=3600"})


@router.post("/records")
def send_record(library: Shelf, files: Annotated[list[UploadFile], File()]) -> Response:
    """Check and keep an upload, then show what is in it."""
    uploads = [Upload(file.filename or "", file.file) for file in files]
    identity = library.add(uploads)
    return RedirectResponse(f"/records/{identity}", status_code=303)


@router.get("/records/{record_id}")
def show_record(library: Shelf, record_id: str) -> Response:
    """Show the data check."""
    name, overview = _find_overview(library, record_id)
    subjects = [
        {
            **subject,
            "number": number,
            "disease": DISEASES.get(subject["disease"], subject["disease"]),
            "product": PRODUCTS.get(subject["product"], subject["product"]),
        }
        for number, subject in enumerate(overview["subjects"], start=1)
    ]
    fields = {"record_id": record_id, "subjects": subjects, "overview": overview}
    return _page("record.html.jinja", title=name, variables=_tabulate_variables(overview), **fields)


def _tabulate_variables(overview: dict[str, Any]) -> Table:
    rows = [{**row, "variable": describe_variable(row["variable"]).label} for row in overview["variables"]]
    return tabulate_rows(rows, caption="What was measured")


@router.post("/records/{record_id}/subjects/{number}/explain")
def send_explanation(library: Shelf, record_id: str, number: int, seed: Annotated[int, Form()] = 1) -> Response:
    """Queue the explanation of a subject and show how far it is."""
    subject = _find_subject(library, record_id, number)
    job = queue_explanation(library, record_id, subject, min(max(seed, 0), MOST_SEED))
    links = list_links(library, job)
    return RedirectResponse(links["page"] if links else f"/jobs/{job.id}", status_code=303)


def _find_result(library: Library, record_id: str, number: int, seed: int) -> tuple[Path | None, str]:
    subject = _find_subject(library, record_id, number)
    return find_explanation(library, record_id, subject, seed), subject


@router.get("/records/{record_id}/subjects/{number}")
def show_subject(library: Shelf, record_id: str, number: int, seed: Seed = 1) -> Response:
    """Show the verdict, why, what if, what next, and what it rests on."""
    folder, subject = _find_result(library, record_id, number, seed)
    fields = {"record_id": record_id, "subject": subject, "number": number, "seed": seed}
    if folder is None:
        return _page("not_explained.html.jinja", title=subject, **fields)
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    first, _, rest = (folder / FINDINGS).read_text(encoding="utf-8").partition(MARK)
    sliders = (folder / SLIDERS).read_text(encoding="utf-8") if (folder / SLIDERS).exists() else ""
    return _page(
        "subject.html.jinja",
        title=summary["headline"],
        summary=summary,
        first=Markup(first),
        sliders=Markup(sliders),
        rest=Markup(rest),
        has_options=has_ability("options"),
        **fields,
    )


@router.get("/records/{record_id}/subjects/{number}/options")
def show_options(library: Shelf, record_id: str, number: int, seed: Seed = 1) -> Response:
    """Compare what may be done next."""
    subject = _find_subject(library, record_id, number)
    found = find_options(library.open(record_id), subject, seed)
    rows = found.get("options", []) if isinstance(found, dict) else found
    shown = ("title", "band", "why", "mechanism_fit")
    plain = [{name: row.get(name) for name in shown} for row in rows]
    fields = {"record_id": record_id, "subject": subject, "number": number, "seed": seed}
    table = tabulate_rows(plain, caption="Options")
    return _page("options.html.jinja", title=f"What next for {subject}", table=table, **fields)


@router.get("/records/{record_id}/subjects/{number}/report")
def send_report(library: Shelf, record_id: str, number: int, seed: Seed = 1, audience: str = "clinician") -> Response:
    """Send a report as a file to keep."""
    folder, subject = _find_result(library, record_id, number, seed)
    if folder is None or audience not in REPORTS:
        raise NotFoundError("There is no such report yet. Explain the subject first.")
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in subject)[:60]
    return FileResponse(folder / REPORTS[audience], media_type="text/html", filename=f"{plain}-{audience}.html")


@router.get("/jobs")
def show_jobs(library: Shelf) -> Response:
    """List the jobs."""
    jobs = [_describe(library, job) for job in library.storage.list_jobs()]
    return _page("jobs.html.jinja", title="Jobs", jobs=jobs)


@router.get("/jobs/{job_id}")
def show_job(library: Shelf, job_id: str) -> Response:
    """Show how far a job is."""
    job = library.storage.find_job(job_id)
    if job is None:
        raise NotFoundError("There is no job of that identifier.")
    return _page("job.html.jinja", title="Job", job=_describe(library, job))


def _describe(library: Library, job: Job) -> dict[str, Any]:
    what = job.arguments.get("subject_id") or "a virtual trial"
    links = list_links(library, job) or {}
    link = links.get("page") or links.get("report")
    return {"job": job, "what": what, "link": link, "percent": round(100 * job.progress)}


@router.get("/jobs/{job_id}/report")
def send_trial_report(library: Shelf, job_id: str) -> Response:
    """Send the report of a finished trial as a file to keep."""
    job = library.storage.find_job(job_id)
    path = None if job is None else find_trial_report(library, job)
    if path is None:
        raise NotFoundError("There is no report of that job yet.")
    return FileResponse(path, media_type="text/html", filename="trial.html")


@router.get("/trials")
def show_trials(library: Shelf) -> Response:
    """Show the virtual trials that were run, and where to describe another."""
    jobs = [_describe(library, job) for job in library.storage.list_jobs() if job.kind == "trial"]
    return _page("trials.html.jinja", title="Virtual trials", jobs=jobs)


@router.post("/trials")
def send_trial(
    library: Shelf, design: Annotated[str, Form(max_length=MOST_DESIGN)], seed: Annotated[int, Form()] = 1
) -> Response:
    """Queue a virtual trial and show how far it is."""
    job = queue_trial(library, design, min(max(seed, 0), MOST_SEED))
    return RedirectResponse(f"/jobs/{job.id}", status_code=303)


@router.get("/login")
def show_login() -> Response:
    """Ask for the token."""
    return _page("login.html.jinja", title="Log in", message="")


@router.post("/login")
def log_in(request: Request, library: Shelf, token: Annotated[str, Form(max_length=400)]) -> Response:
    """Compare the token; who has it gets a cookie that only this server reads."""
    if not is_token(library.settings, token):
        page = render("login.html.jinja", title="Log in", message="That is not the token of this server.")
        return HTMLResponse(page, status_code=401)
    answer = RedirectResponse("/", status_code=303)
    is_secure = request.url.scheme == "https"
    value = sign_session(library.settings.token)
    answer.set_cookie(COOKIE, value, httponly=True, samesite="strict", secure=is_secure)
    return answer
