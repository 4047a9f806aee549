"""Errors as sentences: JSON for programs, a page for people, never a traceback."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from livingdrug.core.errors import Fault, InputError, LivingDrugError
from livingdrug.web.capabilities import NotAvailableError
from livingdrug.web.library import NotFoundError
from livingdrug.web.rendering import render
from livingdrug.web.work import NotDoneError

MOST_FAULTS = 200
BROKEN = "Something of ours is broken. Hint: the server's log says what; please tell us."
_log = logging.getLogger("livingdrug.web")


def answer_failure(request: Request, status: int, sentence: str, faults: Sequence[Fault] = ()) -> Response:
    """Say what went wrong in the form that was asked for."""
    rows = [{"where": f.where, "rule": f.rule, "was": f.was, "hint": f.hint} for f in faults[:MOST_FAULTS]]
    if request.url.path.startswith("/api/") or request.url.path == "/health":
        content = {"error": _encode(sentence), "faults": [{k: _encode(v) for k, v in row.items()} for row in rows]}
        return JSONResponse(content, status_code=status)
    page = render("failure.html.jinja", title="That did not work", sentence=sentence, faults=rows, more=len(faults))
    return HTMLResponse(_encode(page), status_code=status)


def _encode(text: str) -> str:
    """Replace halves of characters, which no file may hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _shorten(error: InputError) -> str:
    """Say how many faults there are; each is listed after."""
    return f"{str(error).splitlines()[0].rstrip(':.')}." if error.faults else str(error)


def add_failures(app: FastAPI) -> None:
    """Teach the application every error that it may meet."""

    def on_input(request: Request, error: Any) -> Response:
        return answer_failure(request, 422, _shorten(error), error.faults)

    def on_broken(request: Request, error: Any) -> Response:
        _log.error("%s %s", request.method, request.url.path, exc_info=error)
        return answer_failure(request, 500, BROKEN)

    def on_missing(request: Request, error: Any) -> Response:
        return answer_failure(request, 404, str(error))

    def on_unavailable(request: Request, error: Any) -> Response:
        return answer_failure(request, 501, str(error))

    def on_late(_: Request, error: Any) -> Response:
        words = {"error": "This takes longer; look at the job.", "job": f"/api/jobs/{error.job.id}"}
        return JSONResponse(words, status_code=202)

    def on_http(request: Request, error: Any) -> Response:
        answer = answer_failure(request, error.status_code, f"{error.detail}.")
        for name, value in (error.headers or {}).items():
            answer.headers[name] = value
        return answer

    def on_request(request: Request, error: Any) -> Response:
        faults = [
            Fault(".".join(map(str, item["loc"])), item["msg"], repr(item.get("input"))[:80], "see /api/openapi.json")
            for item in error.errors()
        ]
        return answer_failure(request, 422, "The request cannot be understood.", faults)

    app.add_exception_handler(InputError, on_input)
    app.add_exception_handler(LivingDrugError, on_broken)
    app.add_exception_handler(NotFoundError, on_missing)
    app.add_exception_handler(NotAvailableError, on_unavailable)
    app.add_exception_handler(NotDoneError, on_late)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_request)
    app.add_exception_handler(Exception, on_broken)
