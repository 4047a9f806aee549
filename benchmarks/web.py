"""Latency and load of the web page: a real server, real requests, as many users as asked for.

``python benchmarks/web.py --json [--users 50] [--seconds 60]`` prints one JSON object.
A user asks what-if questions with a pause between them as a hand on a slider makes, and looks at pages.
"""

import argparse
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

EXAMPLE = "myeloma_late_relapse"
PAUSE = 1.0
WARM = 10.0
"""Seconds after which every thread of the server has been at work; memory must not grow from then on."""
PAGES = ("/", f"/records/{EXAMPLE}", f"/records/{EXAMPLE}/subjects/1?seed=1", "/jobs")
KNOBS = {"antigen": (0.25, 4.0), "potency": (0.25, 4.0), "environment": (0.0, 4.0), "burden": (0.1, 3.0)}


def start_server(folder):
    """Start a server on a free port and wait for it."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "livingdrug.cli", "serve", "--port", str(port), "--data", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            httpx.get(f"{url}/health").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return process, url


def read_memory(process):
    """Return the resident memory of the server [MiB]."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


class User(threading.Thread):
    """One person for some seconds."""

    def __init__(self, url, end, number):
        super().__init__(daemon=True)
        self.url, self.end, self.rng = url, end, random.Random(number)
        self.server_ms, self.whole_ms, self.errors, self.requests, self.jobs = [], [], [], 0, []

    def run(self):
        """Ask until the time is over."""
        with httpx.Client(base_url=self.url, timeout=60) as client:
            time.sleep(self.rng.random() * PAUSE)
            while time.monotonic() < self.end:
                try:
                    self.ask(client)
                except httpx.HTTPError as error:
                    self.errors.append(repr(error))
                time.sleep(PAUSE * (0.5 + self.rng.random()))

    def ask(self, client):
        """Move a slider, look at a page, or queue a job."""
        self.requests += 1
        chance = self.rng.random()
        if chance < 0.8:
            name = self.rng.choice(list(KNOBS))
            begin = time.perf_counter()
            answer = client.post(
                "/api/whatif", json={"record_id": EXAMPLE, "knobs": {name: self.rng.uniform(*KNOBS[name])}}
            )
            self.whole_ms.append(1000 * (time.perf_counter() - begin))
            if answer.status_code == 200:
                self.server_ms.append(answer.json()["ms"])
        elif chance < 0.99:
            answer = client.get(self.rng.choice(PAGES))
        else:
            answer = client.post(
                "/api/jobs", json={"kind": "explain", "record_id": EXAMPLE, "seed": self.rng.randrange(2, 5)}
            )
            self.jobs.append(answer.json()["id"])
        if answer.status_code >= 300:
            self.errors.append(f"{answer.status_code} {answer.text[:100]}")


def find_percentile(values, share):
    """Return a percentile by rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure_first(client):
    """Return the times of the first page [ms] and of a report after its fit [s]."""
    begin = time.perf_counter()
    client.get("/").raise_for_status()
    first = 1000 * (time.perf_counter() - begin)
    client.post("/api/explain", json={"record_id": EXAMPLE}).raise_for_status()
    return first


def measure_report():
    """Return how long writing the report takes after the fit, and its processor time [s]."""
    from livingdrug.report.rendering import warm_renderer
    from livingdrug.report.reports import write_reports
    from livingdrug.study.examples import load_example
    from livingdrug.study.prepare_subject import prepare_subject

    warm_renderer()  # as the command does, beside the fit
    explained = prepare_subject(load_example(EXAMPLE), seed=1)
    with tempfile.TemporaryDirectory() as folder:
        begin, began = time.perf_counter(), time.process_time()
        write_reports(explained, {"clinician": Path(folder) / "report.html"})
        return time.perf_counter() - begin, time.process_time() - began


def measure_question(count=50):
    """Return the processor time of one answer, paths included, without a server [ms]."""
    from livingdrug.report.what_if_section import choose_frames, describe_answer
    from livingdrug.study.examples import load_example
    from livingdrug.study.what_if import compute_what_if, prepare_what_if

    start = prepare_what_if(load_example(EXAMPLE), seed=1)
    as_it_was = compute_what_if(start, {})
    frames = choose_frames([as_it_was], start.horizon)
    begin = time.process_time()
    for k in range(count):
        answer = compute_what_if(start, {"antigen": 0.25 + 3.75 * k / count})
        describe_answer(answer, as_it_was, frames, start.horizon)
    return 1000 * (time.process_time() - begin) / count


def ask_alone(client, count=100):
    """Return the server's times for one user who moves a slider [ms]."""
    rng = random.Random(1)
    asked = ({"antigen": rng.uniform(0.25, 4.0)} for _ in range(count))
    return [client.post("/api/whatif", json={"record_id": EXAMPLE, "knobs": knobs}).json()["ms"] for knobs in asked]


def run(users, seconds):
    """Measure everything on one server."""
    with tempfile.TemporaryDirectory() as folder:
        process, url = start_server(Path(folder) / "data")
        try:
            with httpx.Client(base_url=url, timeout=150) as client:
                first = measure_first(client)
                alone = ask_alone(client)
                end = time.monotonic() + seconds
                crowd = [User(url, end, number) for number in range(users)]
                for user in crowd:
                    user.start()
                time.sleep(min(WARM, seconds / 2))
                before = read_memory(process)
                for user in crowd:
                    user.join()
                jobs = {job for user in crowd for job in user.jobs}
                lost = wait_for_jobs(client, jobs)
                after = read_memory(process)
        finally:
            process.terminate()
            process.wait(20)
    report_s, report_cpu_s = measure_report()
    errors = [error for user in crowd for error in user.errors]
    return {
        "whatif_p95_ms": round(find_percentile(alone, 0.95), 1),
        "whatif_cpu_ms": round(measure_question(), 1),
        "whatif_loaded_p95_ms": round(find_percentile([ms for user in crowd for ms in user.server_ms], 0.95), 1),
        "whatif_loaded_whole_median_ms": round(statistics.median([ms for user in crowd for ms in user.whole_ms]), 1),
        "first_page_ms": round(first, 1),
        "report_s": round(report_s, 2),
        "report_cpu_s": round(report_cpu_s, 2),
        "users": users,
        "requests": sum(user.requests for user in crowd),
        "errors": len(errors),
        "first_errors": errors[:3],
        "jobs": len(jobs),
        "lost_jobs": lost,
        "rss_growth_mib": round(after - before, 1),
    }


def wait_for_jobs(client, jobs, patience=480):
    """Return how many jobs did not come to a good end."""
    end = time.monotonic() + patience
    left = set(jobs)
    while left and time.monotonic() < end:
        left = {job for job in left if client.get(f"/api/jobs/{job}").json()["state"] != "done"}
        time.sleep(0.5)
    return len(left)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON; there is no other form")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    print(json.dumps(run(arguments.users, arguments.seconds), indent=2))
