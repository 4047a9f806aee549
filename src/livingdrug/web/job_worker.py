"""The process that does the jobs, one after the other; it ends when the server does.

``python -m livingdrug.web.job_worker DATA PARENT``, with the URL of the database in ``LIVINGDRUG_DATABASE``.
"""

import os
import sys
import time
import traceback
from pathlib import Path

from livingdrug.core.errors import LivingDrugError
from livingdrug.web.drafts import remove_drafts
from livingdrug.web.job_kinds import KINDS
from livingdrug.web.library import RESULTS, Library, NotFoundError
from livingdrug.web.settings import DATABASE, Settings
from livingdrug.web.storage import DONE, FAILED, RUNNING, Job, Storage

NICENESS = 10
"""A person at a slider comes first."""
PAUSE = 0.2
"""Seconds between two looks at an empty queue."""


def do_job(library: Library, job: Job) -> None:
    """Do one job and say how it ended; an error is its message."""
    storage = library.storage

    def report(progress: float, message: str) -> None:
        storage.update_job(job.id, state=RUNNING, progress=progress, message=message)

    folder = library.locate_result(job.kind, job.arguments)[1]
    try:
        KINDS[job.kind][0](library, job.arguments, folder, report)
    except (LivingDrugError, NotFoundError) as error:
        storage.update_job(job.id, state=FAILED, progress=1.0, message=str(error))
    except Exception:  # noqa: BLE001 - a job that breaks must not stop the others
        traceback.print_exc()
        words = "something of ours is broken; the server's log says what"
        storage.update_job(job.id, state=FAILED, progress=1.0, message=words)
    else:
        storage.update_job(job.id, state=DONE, progress=1.0, message="done")


def work(library: Library, parent: int) -> None:
    """Do jobs until the server is gone."""
    remove_drafts(library.settings.data / RESULTS)
    while os.getppid() == parent:
        job = library.storage.claim_job()
        if job is None:
            time.sleep(PAUSE)
        else:
            do_job(library, job)


if __name__ == "__main__":
    data, server = sys.argv[1:]
    os.nice(NICENESS)
    place = Settings(Path(data), os.environ[DATABASE])
    kept = Storage(place.database)
    try:
        work(Library(place, kept), int(server))
    finally:
        kept.close()
