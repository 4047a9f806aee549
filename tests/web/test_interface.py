"""The programming interface, asked as a program would."""

import pytest
from tests.web.conftest import Server, wait_for_job

RECORD = {"record_id": "myeloma_late_relapse"}


def test_the_server_says_that_it_is_there_and_what_it_can(client):
    assert client.get("/health").json()["status"] == "ok"
    paths = client.get("/api/openapi.json").json()["paths"]
    promised = {"/health", "/api/records", "/api/assess", "/api/explain", "/api/whatif", "/api/options"}
    promised |= {"/api/trials/match", "/api/jobs", "/api/jobs/{job_id}", "/api/jobs/{job_id}/result", "/api/cohort"}
    promised |= {"/api/trials", "/api/trials/results", "/api/figures/{key}/{file}", "/api/jobs/{job_id}/figures"}
    assert promised <= set(paths)


def test_a_record_is_kept_explained_and_asked_again(client, example_files):
    files = [("files", (path.name, path.read_bytes())) for path in example_files]
    sent = client.post("/api/records", files=files)
    assert sent.status_code == 200, sent.text
    body = {"record_id": sent.json()["record_id"]}
    job = client.post("/api/jobs", json={"kind": "explain", **body}).json()
    assert wait_for_job(client, job["id"])["state"] == "done"
    explained = client.post("/api/explain", json=body).json()
    assert explained["answered"] == "antigen_low"
    as_it_was = client.post("/api/whatif", json=body).json()
    denser = client.post("/api/whatif", json={**body, "knobs": {"antigen": 4.0}}).json()
    assert denser["summary"]["failure"] < as_it_was["summary"]["failure"]
    assert as_it_was["summary"]["draws"] == 200
    again = client.post("/api/whatif", json={**body, "knobs": {"antigen": 4.0}}).json()
    assert again["series"] == denser["series"]
    assert client.post("/api/whatif", json={**body, "knobs": {"luck": 2.0}}).status_code == 422
    assert client.post("/api/records", files=files).json()["record_id"] == body["record_id"]


def test_assessing_gives_the_same_verdicts_as_the_library(client):
    from livingdrug import assess, load_example

    found = client.post("/api/assess", json={**RECORD, "criteria": "imwg/2016"}).json()
    expected = assess(load_example("myeloma_late_relapse"), "imwg/2016")
    assert [row["confirmed"] for row in found["verdicts"]] == expected.verdicts["confirmed"].to_list()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/assess", {**RECORD, "criteria": "imwg/1990"}, 422),
        ("/api/assess", {**RECORD, "criteria": "imwg/2016", "options": {"progress": "x"}}, 422),
        ("/api/explain", {"record_id": "../../etc"}, 404),
        ("/api/explain", {**RECORD, "subject_id": "nobody"}, 422),
        ("/api/explain", {}, 422),
        ("/api/jobs", {"kind": "magic"}, 422),
        ("/api/jobs", {"kind": "trial"}, 422),
        ("/api/jobs", {"kind": "options", "record_id": "none"}, 404),
        ("/api/cohort", {"record_id": "none"}, 404),
        ("/api/cohort", {**RECORD, "criteria": "imwg/1990"}, 422),
    ],
)
def test_what_cannot_be_used_is_a_sentence(client, path, body, status):
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].endswith(".")


def test_what_cannot_be_done_here_is_said_and_not_made_up(client):
    answer = client.post("/api/trials/match", json=RECORD)
    assert answer.status_code == 501
    assert "index of trials" in answer.json()["error"]


def test_options_are_a_job_and_listed_in_bands(client):
    job = client.post("/api/jobs", json={"kind": "options", **RECORD}).json()
    found = wait_for_job(client, job["id"])
    assert found["state"] == "done"
    answer = client.post("/api/options", json=RECORD)
    assert answer.status_code == 200, answer.text
    assert {"id", "band", "why", "states", "evidence"} <= set(answer.json()["options"][0])
    assert client.get(found["result"]["answer"]).json() == answer.json()
    assert "Options" in client.get(found["result"]["report"]).text


def test_every_subject_of_a_cohort_is_assessed_once_and_drawn(client, cohort_page):
    body = {"record_id": cohort_page.split("/")[2]}
    rows = client.post("/api/cohort", json=body).json()["subjects"]
    assert len(rows) == 12
    assert {row["criteria"] for row in rows} == {"imwg/2016"}
    job = client.post("/api/jobs", json={"kind": "cohort", **body}).json()
    figures = {figure["name"]: figure["links"] for figure in client.get(f"/api/jobs/{job['id']}/figures").json()}
    assert {"pfs", "os", "swimmer", "waterfall", "failures", "failure-flow"} <= set(figures)
    heads = {kind: client.get(link).content[:5] for kind, link in figures["swimmer"].items()}
    assert heads["svg"] == b"<svg "
    assert heads["pdf"] == b"%PDF-"
    assert client.get(figures["pfs"]["csv"]).text.startswith("group,day,at_risk")
    assert client.get(figures["pfs"]["csv"].replace("pfs.csv", "..%2Fanswer.json")).status_code == 404


DESIGN = """[trial]
name = "Small"
disease = "myeloma"
days = 180
[[arm]]
name = "one"
product = "ide_cel"
n = 8
"""


def test_a_trial_is_run_or_brought_and_both_say_the_same(client, tmp_path):
    from livingdrug.study.run_trial import run_trial
    from livingdrug.study.write_trial import write_trial

    ran = client.post("/api/trials", json={"design": DESIGN, "seed": 5})
    assert ran.status_code == 200, ran.text
    (tmp_path / "design.toml").write_text(DESIGN, encoding="utf-8")
    write_trial(run_trial(tmp_path / "design.toml", seed=5, jobs=1), tmp_path)
    files = [("files", (name, (tmp_path / name).read_bytes())) for name in ("manifest.json", "outcomes.parquet")]
    sent = client.post("/api/trials/results", files=files)
    assert sent.status_code == 202, sent.text
    done = wait_for_job(client, sent.json()["id"])
    assert client.get(done["result"]["answer"]).json()["endpoints"] == ran.json()["endpoints"]
    assert "Small" in client.get(done["result"]["page"]).text
    assert client.get(done["result"]["report"]).text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("design", "words"),
    [
        (DESIGN.replace("n = 8", "n = 90000"), "at most 10000 patients"),
        (DESIGN.replace("ide_cel", "magic"), "product"),
        ("x = [", "must be TOML"),
    ],
)
def test_a_design_with_faults_does_not_wait_to_say_so(client, design, words):
    answer = client.post("/api/trials", json={"design": design})
    assert answer.status_code == 422
    assert words in answer.text


def test_a_killed_server_goes_on_with_its_jobs_on_postgresql_too(tmp_path, postgres):
    import httpx

    one = Server(tmp_path / "data", environment={"LIVINGDRUG_DATABASE": postgres})
    one.start()
    with httpx.Client(base_url=one.url, timeout=150) as client:
        bodies = [{"kind": "options", **RECORD}, {"kind": "cohort", **RECORD}]
        bodies.append({"kind": "trial", "design": DESIGN.replace("n = 8", "n = 300")})
        jobs = [client.post("/api/jobs", json=body).json()["id"] for body in bodies]
        while client.get(f"/api/jobs/{jobs[0]}").json()["state"] == "queued":
            pass
        one.kill(hard=True)
        one.start()
        assert [wait_for_job(client, job)["state"] for job in jobs] == ["done"] * 3
    one.kill()


def test_another_site_cannot_make_the_browser_ask(client):
    headers = {"origin": "https://elsewhere.example"}
    assert client.post("/api/jobs", json={"kind": "explain", **RECORD}, headers=headers).status_code == 403
    assert client.get("/health", headers={"host": "elsewhere.example"}).status_code == 421


def test_a_body_that_is_too_large_is_refused_before_it_is_read(client):
    answer = client.post("/api/records", files=[("files", ("subjects.csv", b"x" * (21 * 2**20)))])
    assert answer.status_code == 413
    assert "20 MiB" in answer.json()["error"]


def test_every_answer_carries_the_strict_policy(client):
    for path in ("/", "/health", "/nowhere", "/static/sliders.js"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_server_for_others_asks_for_its_token_and_a_killed_one_goes_on(tmp_path):
    import httpx

    one = Server(tmp_path / "data", environment={"LIVINGDRUG_TOKEN": "correct horse"})
    one.start()
    assert httpx.post(f"{one.url}/api/explain", json=RECORD).status_code == 401
    assert httpx.get(one.url).headers["location"] == "/login"
    assert httpx.post(f"{one.url}/login", data={"token": "wrong"}).status_code in {401}
    with httpx.Client(base_url=one.url, timeout=150, headers={"authorization": "Bearer correct horse"}) as client:
        jobs = [client.post("/api/jobs", json={"kind": "explain", **RECORD, "seed": k}).json()["id"] for k in (1,)]
        while client.get(f"/api/jobs/{jobs[0]}").json()["state"] == "queued":
            pass
        one.kill(hard=True)
        one.start()
        assert [wait_for_job(client, job)["state"] for job in jobs] == ["done"]
    one.kill()
