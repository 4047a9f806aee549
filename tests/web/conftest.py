"""A real server in a process of its own, and a real browser; a browser that is not there is a reason to skip."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "src" / "livingdrug" / "study" / "data" / "examples" / "myeloma_late_relapse"
CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), None)
FLAGS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run", "--no-default-browser-check", "--mute-audio"),
]


class Server:
    """`livingdrug serve` as a user starts it."""

    def __init__(self, data, *arguments, environment=None):
        self.data, self.arguments, self.environment = data, arguments, environment or {}
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "livingdrug.cli", "serve", "--port", str(self.port), "--data", str(self.data)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **self.environment}
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([*command, *self.arguments], env=environment, start_new_session=True, **silent)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                return httpx.get(f"{self.url}/health").raise_for_status()
            except httpx.TransportError:
                assert self.process.poll() is None, "the server did not start"
                time.sleep(0.1)
        raise AssertionError("the server did not answer")

    def kill(self, *, hard=False):
        if hard:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("server") / "data")
    one.start()
    yield one
    one.kill()


@pytest.fixture(scope="session")
def client(server):
    with httpx.Client(base_url=server.url, timeout=150) as one:
        yield one


@pytest.fixture(scope="session")
def postgres():
    from tests.web.postgres import find_programs, find_user, run_postgres

    pytest.importorskip("psycopg_pool", reason="the extra postgres is not installed")
    if find_programs() is None or (os.getuid() == 0 and find_user() is None):
        pytest.skip("no PostgreSQL server is installed here; .ci/run installs it")
    with run_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium is installed here; .ci/run installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield one
        one.close()


@pytest.fixture(scope="session")
def cohort_files(tmp_path_factory):
    """Twelve virtual patients with myeloma, as three files."""
    from livingdrug.io.tables import write_record
    from livingdrug.study.simulate_cohort import simulate_cohort

    folder = tmp_path_factory.mktemp("cohort")
    write_record(simulate_cohort("myeloma", "ide_cel", n=12, days=365, seed=3).record, folder)
    return [folder / f"{name}.csv" for name in ("subjects", "events", "observations")]


@pytest.fixture(scope="session")
def example_files():
    return [EXAMPLE / f"{name}.csv" for name in ("subjects", "events", "observations")]


@pytest.fixture(scope="session")
def cohort_page(client, cohort_files):
    """Address of the page of an assessed cohort."""
    files = [("files", (path.name, path.read_bytes())) for path in cohort_files]
    record = client.post("/api/records", files=files).json()["record_id"]
    assert client.post("/api/cohort", json={"record_id": record}).status_code == 200
    return f"/records/{record}/cohort"


def wait_for_job(client, job):
    end = time.monotonic() + 150
    while time.monotonic() < end:
        found = client.get(f"/api/jobs/{job}").json()
        if found["state"] in {"done", "failed"}:
            return found
        time.sleep(0.2)
    raise AssertionError(found)
