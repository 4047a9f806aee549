"""The application: pages and programming interface behind one guard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from livingdrug.core.version import VERSION
from livingdrug.study.what_if import compile_kernel
from livingdrug.web import cohort_pages, interface, options_pages, pages, trial_pages
from livingdrug.web.failures import add_failures
from livingdrug.web.library import Library
from livingdrug.web.security import Guard
from livingdrug.web.settings import Settings
from livingdrug.web.storage import Storage
from livingdrug.web.supervisor import Supervisor

NOTE = "Research software; not a medical device."


def create_application(settings: Settings) -> FastAPI:
    """Make the application of one server; it starts its job worker with it and ends it with it."""
    storage = Storage(settings.database)
    supervisor = Supervisor(settings, storage)

    @asynccontextmanager
    async def live(_: FastAPI) -> AsyncIterator[None]:
        compile_kernel()
        supervisor.start()
        try:
            yield
        finally:
            supervisor.stop()
            storage.close()

    app = FastAPI(
        title="livingdrug",
        version=VERSION,
        description=NOTE,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=live,
    )
    app.state.library = Library(settings, storage)
    app.state.supervisor = supervisor
    for part in (interface, pages, options_pages, cohort_pages, trial_pages):
        app.include_router(part.router)
    add_failures(app)
    app.add_middleware(Guard, settings=settings, storage=storage)
    return app
