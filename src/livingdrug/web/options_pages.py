"""The page that compares what may be done next."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from livingdrug.web.figure_files import list_figures
from livingdrug.web.interface import Shelf
from livingdrug.web.library import NotFoundError
from livingdrug.web.messages import MOST_SEED
from livingdrug.web.options_job import COMPARED, PAGE, SECTION
from livingdrug.web.showing import Seed, find_subject, send_file, show_page
from livingdrug.web.work import find_result, list_links, queue_options

PATH = "/records/{record_id}/subjects/{number}/options"
router = APIRouter(include_in_schema=False)


@router.get(PATH)
def show_options(library: Shelf, record_id: str, number: int, seed: Seed = 1) -> Response:
    """Compare what may be done next, or offer to."""
    subject = find_subject(library, record_id, number)
    fields = {
        "record_id": record_id,
        "subject": subject,
        "number": number,
        "seed": seed,
        "title": f"What next for {subject}",
    }
    folder = find_result(library, "options", {"record_id": record_id, "subject_id": subject, "seed": seed})
    if folder is None:
        return show_page("not_compared.html.jinja", **fields)
    compared, section = ((folder / name).read_text(encoding="utf-8") for name in (COMPARED, SECTION))
    fields["files"] = list_figures(folder)
    return show_page("options_page.html.jinja", compared=Markup(compared), section=Markup(section), **fields)


@router.post(PATH)
def send_options(library: Shelf, record_id: str, number: int, seed: Annotated[int, Form()] = 1) -> Response:
    """Queue the comparison and show how far it is."""
    subject = find_subject(library, record_id, number)
    job = queue_options(library, record_id, subject, min(max(seed, 0), MOST_SEED))
    links = list_links(library, job)
    return RedirectResponse(links["page"] if links else f"/jobs/{job.id}", status_code=303)


@router.get(f"{PATH}/report")
def send_options_page(library: Shelf, record_id: str, number: int, seed: Seed = 1) -> Response:
    """Send the options as a file to keep."""
    subject = find_subject(library, record_id, number)
    folder = find_result(library, "options", {"record_id": record_id, "subject_id": subject, "seed": seed})
    if folder is None:
        raise NotFoundError("There is no such comparison yet. Compare the options first.")
    return send_file(folder / PAGE, f"{subject}-options.html")
