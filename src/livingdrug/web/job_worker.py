"""The process that does the jobs, one after the other; it ends when the server does.

``python -m livingdrug.web.job_worker DATA DATABASE PARENT``.
"""

import os
import sys
import time
import traceback
from pathlib import Path

from livingdrug.core.errors import LivingDrugError
from livingdrug.web.explain_job import explain_into
from livingdrug.web.library import Library, NotFoundError
from livingdrug.web.settings import Settings
from livingdrug.web.storage import DONE, FAILED, RUNNING, Job, Storage
from livingdrug.web.trial_job import run_trial_into

PAUSE = 0.2
"""Seconds between two looks at an empty queue."""


def do_job(library: Library, job: Job) -> None:
    """Do one job and say how it ended; an error is its message."""
    storage = library.storage

    def report(progress: float, message: str) -> None:
        storage.update_job(job.id, state=RUNNING, progress=progress, message=message)

    folder = library.locate_result(job.kind, job.arguments)[1]
    try:
        if job.kind == "explain":
            explain_into(library, job.arguments, folder, report)
        else:
            run_trial_into(job.arguments, folder, report)
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
    while os.getppid() == parent:
        job = library.storage.claim_job()
        if job is None:
            time.sleep(PAUSE)
        else:
            do_job(library, job)


if __name__ == "__main__":
    data, database, server = sys.argv[1:]
    place = Settings(Path(data), Path(database))
    work(Library(place, Storage(place.database)), int(server))
