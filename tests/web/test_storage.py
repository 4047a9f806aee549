import pytest

from livingdrug.web.storage import DONE, FAILED, MOST_ATTEMPTS, QUEUED, RUNNING, Storage


@pytest.fixture
def storage(tmp_path):
    return Storage(tmp_path / "jobs.sqlite")


def test_the_same_work_is_queued_once_and_again_after_it_failed(storage):
    first = storage.add_job("explain", "key", {"seed": 1})
    assert storage.add_job("explain", "key", {"seed": 1}).id == first.id
    storage.update_job(first.id, state=FAILED, progress=1.0, message="no")
    assert storage.add_job("explain", "key", {"seed": 1}).id != first.id


def test_a_job_is_claimed_by_one_worker_only(storage):
    job = storage.add_job("explain", "key", {})
    assert storage.claim_job().id == job.id
    assert storage.claim_job() is None
    assert storage.find_job(job.id).state == RUNNING


def test_what_a_killed_worker_left_goes_on_and_fails_in_the_end(storage):
    job = storage.add_job("explain", "key", {})
    for _ in range(MOST_ATTEMPTS - 1):
        storage.claim_job()
        storage.recover_jobs()
        assert storage.find_job(job.id).state == QUEUED
    storage.claim_job()
    storage.recover_jobs()
    found = storage.find_job(job.id)
    assert (found.state, found.is_over) == (FAILED, True)
    assert "tried 3 times" in found.message


def test_a_finished_job_and_the_audit_log_survive_a_restart(storage):
    job = storage.add_job("explain", "key", {"seed": 1})
    storage.update_job(job.id, state=DONE, progress=1.0, message="done")
    storage.add_audit("127.0.0.1", "POST", "/api/jobs", 202)
    again = Storage(storage.path)
    again.recover_jobs()
    assert again.find_job(job.id).state == DONE
    assert again.list_audit()[0]["path"] == "/api/jobs"
