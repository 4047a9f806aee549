"""A person with a browser: upload, verdict, slider, download; every page held against axe."""

import re

import pytest

SERIOUS = {"serious", "critical"}


class Visit:
    """One tab that remembers what it asked for and what went wrong in it."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(viewport={"width": 1100, "height": 1400}, accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def list_problems(self):
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page).response["violations"]
        return [(one["id"], one["nodes"][0]["html"][:120]) for one in found if one["impact"] in SERIOUS]


@pytest.fixture
def visit(browser):
    one = Visit(browser)
    yield one
    one.context.close()


@pytest.fixture(scope="module")
def record_page(client, example_files):
    """Address of a record that was sent."""
    files = [("files", (path.name, path.read_bytes())) for path in example_files]
    return f"/records/{client.post('/api/records', files=files).json()['record_id']}"


@pytest.fixture(scope="module")
def patient_page(client, record_page):
    """Address of an explained subject."""
    job = client.post("/api/explain", json={"record_id": record_page.split("/")[-1]})
    assert job.status_code == 200, job.text
    return f"{record_page}/subjects/1?seed=1"


def test_a_person_gets_from_three_files_to_the_report(server, visit, example_files, tmp_path, browser):
    page = visit.page
    page.goto(server.url)
    page.get_by_label("Files:").set_input_files(example_files)
    page.get_by_role("button", name="Check the record").click()
    assert "no fault" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Explain").click()
    page.wait_for_url(re.compile(r"/subjects/1"), timeout=120_000)
    assert "The therapy failed on day 308" in page.get_by_role("heading", level=1).inner_text()
    answer = page.locator("#what-if-answer")
    before, drawn = answer.inner_text(), page.locator("#line-progression").get_attribute("d")
    page.get_by_label("Target on the tumour").focus()
    with page.expect_response("**/api/whatif") as seen:
        page.keyboard.press("End")
    assert seen.value.ok
    page.wait_for_function("text => document.getElementById('what-if-answer').textContent !== text", arg=before)
    assert page.locator("#line-progression").get_attribute("d") != drawn
    assert page.locator("#shown-antigen").inner_text() == "4 times"
    explained = page.url
    page.get_by_role("button", name="Compare the options").click()
    page.wait_for_url(re.compile(r"/options\?"), timeout=120_000)
    assert page.locator("figure#options svg").is_visible()
    assert page.get_by_text("No further therapy").first.is_visible()
    page.goto(explained)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the report", exact=True).click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    assert [url for url in visit.requests if not url.startswith((server.url, "data:"))] == []
    assert visit.errors == []
    check_report(browser, report)


def check_report(browser, report):
    """The report opens from a disk without a network, asks for nothing, and its sliders work."""
    assert report.stat().st_size < 3_000_000
    visit = Visit(browser, offline=True)
    visit.page.goto(report.as_uri())
    answer = visit.page.locator("#what-if-answer")
    before = answer.inner_text()
    visit.page.get_by_label("Killing by each CAR T cell").focus()
    visit.page.keyboard.press("End")
    assert answer.inner_text() != before
    visit.page.get_by_role("button", name="Back to as it was").click()
    assert answer.inner_text() == before
    assert [url for url in visit.requests if url != report.as_uri()] == []
    assert visit.errors == []
    assert visit.list_problems() == []
    visit.context.close()


def test_axe_finds_nothing_serious_on_any_page(server, visit, client, record_page, patient_page, cohort_page, tmp_path):
    design = '[trial]\nname = "Axe"\ndisease = "myeloma"\ndays = 180\n[[arm]]\nname = "a"\nproduct = "ide_cel"\nn = 8\n'
    assert client.post("/api/trials", json={"design": design}).status_code == 200
    assert client.post("/api/options", json={"record_id": record_page.split("/")[-1]}).status_code == 200
    ran = next(job for job in client.get("/api/jobs").json() if job["kind"] == "trial")
    trial, job = ran["result"]["page"], ran["id"]
    pages = ["/", record_page, patient_page, "/jobs", f"/jobs/{job}", "/trials", trial, "/login"]
    pages += [patient_page.replace("?", "/options?"), patient_page.replace("?seed=1", "/options?seed=9")]
    pages += [cohort_page, f"{record_page}/cohort"]
    pages += ["/records/nothing", "/records/myeloma_late_relapse/subjects/1?seed=77"]
    found = {}
    for path in pages:
        visit.page.goto(f"{server.url}{path}")
        problems = visit.list_problems()
        if problems:
            found[path] = problems
    for path in (patient_page.replace("?", "/options/report?"), ran["result"]["report"]):
        saved = tmp_path / "saved.html"
        saved.write_text(client.get(path).text, encoding="utf-8")
        visit.requests.clear()
        visit.page.goto(saved.as_uri())
        assert (visit.list_problems(), visit.requests) == ([], [saved.as_uri()])
    assert found == {}


def test_a_person_runs_a_trial_from_a_file_and_takes_a_figure(server, visit, tmp_path):
    page = visit.page
    page.goto(f"{server.url}/trials")
    design = page.get_by_label("Design, as TOML").input_value().replace("60", "10")
    (tmp_path / "design.toml").write_text(design, encoding="utf-8")
    page.get_by_label("Or a file").set_input_files(tmp_path / "design.toml")
    page.get_by_role("button", name="Run the trial").click()
    page.wait_for_url(re.compile(r"/trials/[0-9a-f]{32}"), timeout=60_000)
    assert "20 virtual patients" in page.get_by_role("heading", level=1).inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="From response to failure as PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    assert visit.errors == []


def test_the_progress_of_a_job_survives_a_reload(server, visit, client):
    job = client.post("/api/jobs", json={"kind": "options", "record_id": "myeloma_early_relapse"}).json()["id"]
    visit.page.goto(f"{server.url}/jobs/{job}")
    visit.page.reload()
    visit.page.wait_for_url(re.compile(r"/options\?"), timeout=120_000)
    assert visit.errors == []


def test_the_report_in_plain_words_has_no_problem_either(visit, client, tmp_path, patient_page):
    place = patient_page.replace("?", "/report?")
    path = tmp_path / "patient.html"
    path.write_text(client.get(f"{place}&audience=patient").text, encoding="utf-8")
    visit.page.goto(path.as_uri())
    assert visit.list_problems() == []
    assert visit.requests == [path.as_uri()]


def test_a_page_reads_without_javascript(server, browser, patient_page):
    visit = Visit(browser, java_script_enabled=False)
    visit.page.goto(f"{server.url}{patient_page}")
    assert visit.page.get_by_text("The sliders need JavaScript").is_visible()
    visit.page.get_by_text("Every position of every slider").click()
    assert visit.page.get_by_role("cell", name="Target on the tumour").first.is_visible()
    visit.context.close()


def test_a_name_full_of_markup_is_shown_and_not_run(server, visit, example_files, tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    for path in example_files:
        text = path.read_text(encoding="utf-8").replace("myeloma_late_relapse", evil)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    dialogs = []
    visit.page.on("dialog", lambda dialog: dialogs.append(dialog.message) or dialog.dismiss())
    visit.page.goto(server.url)
    visit.page.get_by_label("Files:").set_input_files([tmp_path / path.name for path in example_files])
    visit.page.get_by_role("button", name="Check the record").click()
    assert visit.page.get_by_role("rowheader", name=evil).is_visible()
    assert dialogs == []
    assert visit.page.locator("img").count() == 0
