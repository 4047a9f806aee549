"""Pictures of every page of the web page, for the documents: a real server, a real browser.

``python benchmarks/web_pictures.py [--out docs/figures] [--chromium /usr/bin/chromium]``; needs the extra test.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import httpx

from livingdrug.io.tables import write_record
from livingdrug.study.simulate_cohort import simulate_cohort
from livingdrug.web.trial_pages import EXAMPLE as SMALL_TRIAL
from web import EXAMPLE, start_server

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--font-render-hinting=none"]
WIDTH = 900
DESIGN = SMALL_TRIAL.replace("365", "540")
BROKEN = b"subject_id,day,variable,value\nA,soon,m_protein,3\n"


def prepare(client, folder):
    """Make every page have something to show, and return their addresses with the height of a picture."""
    write_record(simulate_cohort("myeloma", "ide_cel", n=40, days=540, seed=3).record, folder)
    names = ("subjects.csv", "events.csv", "observations.csv")
    sent = client.post("/api/records", files=[("files", (name, (folder / name).read_bytes())) for name in names])
    cohort = sent.json()["record_id"]
    for path, body in (
        ("/api/explain", {"record_id": EXAMPLE}),
        ("/api/options", {"record_id": EXAMPLE}),
        ("/api/cohort", {"record_id": cohort}),
        ("/api/trials", {"design": DESIGN}),
    ):
        client.post(path, json=body).raise_for_status()
    jobs = client.get("/api/jobs").json()
    trial = next(job for job in jobs if job["kind"] == "trial")
    subject = f"/records/{EXAMPLE}/subjects/1"
    return {
        "web-start": ("/", "main", 620),
        "web-data-check": (f"/records/{cohort}", "main", 620),
        "web-verdict": (f"{subject}?seed=1", "main", 900),
        "web-what-if": (f"{subject}?seed=1", "#live", 1200),
        "web-course": (f"{subject}?seed=1", "#course-tumour", 900),
        "web-options": (f"{subject}/options?seed=1", "main", 900),
        "web-cohort": (f"/records/{cohort}/cohort", "main", 900),
        "web-cohort-swimmer": (f"/records/{cohort}/cohort", "#swimmer", 900),
        "web-trials": ("/trials", "main", 900),
        "web-trial": (trial["result"]["page"], "#pfs", 900),
        "web-jobs": ("/jobs", "main", 500),
        "web-job": (f"/jobs/{trial['id']}", "main", 400),
        "web-login": ("/login", "main", 300),
        "web-report": (f"{subject}/report?seed=1", None, 1000),
        "web-report-patient": (f"{subject}/report?seed=1&audience=patient", None, 1000),
    }


def take(browser, client, url, pages, out):
    """Take a picture of each page, and of an upload that is wrong."""
    context = browser.new_context(viewport={"width": WIDTH, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    for name, (path, place, height) in pages.items():
        if place is None:
            saved = out / f"{name}.html"
            saved.write_text(client.get(path).text, encoding="utf-8")
            page.goto(saved.absolute().as_uri())
            saved.unlink()
        else:
            page.goto(f"{url}{path}")
        if name == "web-what-if":
            page.get_by_label("Target on the tumour").focus()
            with page.expect_response("**/api/whatif"):
                page.keyboard.press("End")
            page.wait_for_timeout(300)
        whereabouts = "place => document.querySelector(place).getBoundingClientRect().top + window.scrollY"
        top = max(page.evaluate(whereabouts, place) - 8, 0) if place not in {None, "main"} else 0
        whole = page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": top, "width": WIDTH, "height": min(height, whole - top)}
        page.screenshot(path=out / f"{name}.png", clip=clip, full_page=True)
    page.goto(url)
    files = [
        {"name": n, "mimeType": "text/csv", "buffer": BROKEN}
        for n in ("subjects.csv", "events.csv", "observations.csv")
    ]
    page.get_by_label("Files:").set_input_files(files)
    page.get_by_role("button", name="Check the record").click()
    page.wait_for_load_state()
    page.screenshot(path=out / "web-faults.png", clip={"x": 0, "y": 0, "width": WIDTH, "height": 500})
    context.close()


def main():
    """Start a server, fill it, take the pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        process, url = start_server(Path(folder) / "data")
        try:
            with httpx.Client(base_url=url, timeout=150) as client, sync_playwright() as driver:
                pages = prepare(client, Path(folder) / "cohort")
                browser = driver.chromium.launch(executable_path=arguments.chromium, args=FLAGS)
                take(browser, client, url, pages, arguments.out)
                browser.close()
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    sys.exit(main())
