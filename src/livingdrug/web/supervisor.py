"""Keeps one job worker alive beside the server, and puts back what a killed one left unfinished."""

import os
import signal
import subprocess
import sys
import threading

from livingdrug.web.settings import DATABASE, Settings
from livingdrug.web.storage import Storage

PAUSE = 0.5
PATIENCE = 10.0


class Supervisor:
    """Starts the worker, starts it again when it dies, ends it with the server."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self.settings, self.storage = settings, storage
        self._worker: subprocess.Popen[bytes] | None = None
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def worker_id(self) -> int | None:
        """Process of the worker."""
        return None if self._worker is None else self._worker.pid

    def start(self) -> None:
        """Put back unfinished jobs and start the worker."""
        self.storage.recover_jobs()
        self._worker = self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """End the worker."""
        self._has_ended.set()
        self._thread.join(PATIENCE)
        if self._worker is not None:
            self._worker.send_signal(signal.SIGTERM)
            self._worker.wait(PATIENCE)

    def _spawn(self) -> subprocess.Popen[bytes]:
        words = [str(self.settings.data), str(os.getpid())]
        # not among the words: anybody on the machine may list those, and a URL may hold a password
        environment = {**os.environ, DATABASE: self.settings.database}
        return subprocess.Popen([sys.executable, "-m", "livingdrug.web.job_worker", *words], env=environment)

    def _watch(self) -> None:
        while not self._has_ended.wait(PAUSE):
            if self._worker is not None and self._worker.poll() is not None:
                self.storage.recover_jobs()
                self._worker = self._spawn()
