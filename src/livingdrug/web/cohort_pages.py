"""The page of a cohort: every subject assessed, failures over time, survival, courses."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from livingdrug.study.assess_cohort import CRITERIA
from livingdrug.web.cohort_job import BODY, SUBJECTS
from livingdrug.web.figure_files import list_figures
from livingdrug.web.interface import Shelf
from livingdrug.web.library import NotFoundError
from livingdrug.web.showing import send_file, show_page
from livingdrug.web.work import find_result, list_links, queue_cohort

PATH = "/records/{record_id}/cohort"
CHOICES = tuple(dict.fromkeys(CRITERIA.values()))
Criteria = Annotated[str, Query(max_length=64)]
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def show_cohort(library: Shelf, record_id: str, criteria: Criteria = "") -> Response:
    """Show what became of every subject, or offer to assess them."""
    count = len(library.open(record_id).subjects)
    title = f"What became of {count} subject{'' if count == 1 else 's'}"
    fields = {"record_id": record_id, "title": title, "criteria": criteria, "choices": CHOICES}
    folder = find_result(library, "cohort", {"record_id": record_id, "criteria": criteria})
    if folder is None:
        return show_page("cohort.html.jinja", body=None, files=[], **fields)
    body = Markup((folder / BODY).read_text(encoding="utf-8"))
    return show_page("cohort.html.jinja", body=body, files=list_figures(folder), **fields)


@router.post(PATH)
def send_cohort(library: Shelf, record_id: str, criteria: Annotated[str, Form(max_length=64)] = "") -> Response:
    """Queue the assessment and show how far it is."""
    job = queue_cohort(library, record_id, criteria)
    links = list_links(library, job)
    return RedirectResponse(links["page"] if links else f"/jobs/{job.id}", status_code=303)


@router.get(f"{PATH}/subjects.csv")
def send_subjects(library: Shelf, record_id: str, criteria: Criteria = "") -> Response:
    """Send a row a subject as a file to keep."""
    folder = find_result(library, "cohort", {"record_id": record_id, "criteria": criteria})
    if folder is None:
        raise NotFoundError("These subjects have not been assessed yet. Assess them first.")
    return send_file(folder / SUBJECTS, "subjects.csv")
