"""The pages for people: pick or upload a record, data check, why, what if, jobs."""

import json
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from livingdrug.report.tables import Table, tabulate_rows
from livingdrug.report.wording import DISEASES, PRODUCTS, describe_variable
from livingdrug.study.examples import list_examples
from livingdrug.web.explain_job import FINDINGS, SLIDERS, SUMMARY
from livingdrug.web.figure_files import list_figures
from livingdrug.web.interface import Shelf
from livingdrug.web.library import Library, NotFoundError
from livingdrug.web.messages import MOST_SEED
from livingdrug.web.parsing import describe_tables
from livingdrug.web.rendering import read_static, render
from livingdrug.web.security import COOKIE, is_token, sign_session
from livingdrug.web.showing import REPORTS, Seed, describe_row, find_subject, send_file, show_page
from livingdrug.web.uploads import Upload
from livingdrug.web.work import find_explanation, list_links, queue_explanation

MARK = "<!-- sliders -->"
router = APIRouter(include_in_schema=False)


def _find_overview(library: Library, record_id: str) -> tuple[str, dict[str, Any]]:
    """Return a record's name and what its check found."""
    record = library.open(record_id)
    stored = library.storage.find_record(record_id)
    if stored is not None:
        return stored.name, dict(stored.overview)
    return f"{record_id} (synthetic example)", describe_tables(record)


@router.get("/")
def show_start(library: Shelf) -> Response:
    """Show what is here, and where to send a record."""
    records = library.storage.list_records()
    return show_page("start.html.jinja", title="Records", examples=list_examples(), records=records)


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
    return show_page("record.html.jinja", title=name, variables=_tabulate_variables(overview), **fields)


def _tabulate_variables(overview: dict[str, Any]) -> Table:
    rows = [{**row, "variable": describe_variable(row["variable"]).label} for row in overview["variables"]]
    return tabulate_rows(rows, caption="What was measured")


@router.post("/records/{record_id}/subjects/{number}/explain")
def send_explanation(library: Shelf, record_id: str, number: int, seed: Annotated[int, Form()] = 1) -> Response:
    """Queue the explanation of a subject and show how far it is."""
    subject = find_subject(library, record_id, number)
    job = queue_explanation(library, record_id, subject, min(max(seed, 0), MOST_SEED))
    links = list_links(library, job)
    return RedirectResponse(links["page"] if links else f"/jobs/{job.id}", status_code=303)


def _find_result(library: Library, record_id: str, number: int, seed: int) -> tuple[Path | None, str]:
    subject = find_subject(library, record_id, number)
    return find_explanation(library, record_id, subject, seed), subject


@router.get("/records/{record_id}/subjects/{number}")
def show_subject(library: Shelf, record_id: str, number: int, seed: Seed = 1) -> Response:
    """Show the verdict, why, what if, what next, and what it rests on."""
    folder, subject = _find_result(library, record_id, number, seed)
    fields = {"record_id": record_id, "subject": subject, "number": number, "seed": seed}
    if folder is None:
        return show_page("not_explained.html.jinja", title=subject, **fields)
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    first, _, rest = (folder / FINDINGS).read_text(encoding="utf-8").partition(MARK)
    sliders = (folder / SLIDERS).read_text(encoding="utf-8") if (folder / SLIDERS).exists() else ""
    return show_page(
        "subject.html.jinja",
        title=summary["headline"],
        summary=summary,
        first=Markup(first),
        sliders=Markup(sliders),
        rest=Markup(rest),
        files=list_figures(folder),
        **fields,
    )


@router.get("/records/{record_id}/subjects/{number}/report")
def send_report(library: Shelf, record_id: str, number: int, seed: Seed = 1, audience: str = "clinician") -> Response:
    """Send a report as a file to keep."""
    folder, subject = _find_result(library, record_id, number, seed)
    if folder is None or audience not in REPORTS:
        raise NotFoundError("There is no such report yet. Explain the subject first.")
    return send_file(folder / REPORTS[audience], f"{subject}-{audience}.html")


@router.get("/jobs")
def show_jobs(library: Shelf) -> Response:
    """List the jobs."""
    jobs = [describe_row(library, job) for job in library.storage.list_jobs()]
    return show_page("jobs.html.jinja", title="Jobs", jobs=jobs)


@router.get("/jobs/{job_id}")
def show_job(library: Shelf, job_id: str) -> Response:
    """Show how far a job is."""
    job = library.storage.find_job(job_id)
    if job is None:
        raise NotFoundError("There is no job of that identifier.")
    return show_page("job.html.jinja", title="Job", job=describe_row(library, job))


@router.get("/login")
def show_login() -> Response:
    """Ask for the token."""
    return show_page("login.html.jinja", title="Log in", message="")


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
