from concurrent.futures import ThreadPoolExecutor

import pytest

from livingdrug.core.errors import InputError
from livingdrug.web.settings import locate_database
from livingdrug.web.storage import DONE, FAILED, MOST_ATTEMPTS, QUEUED, RUNNING, Storage

TABLES = ("records", "jobs", "audit")


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    if request.param == "postgresql":
        import psycopg

        url = request.getfixturevalue("postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            for table in TABLES:
                connection.execute(f"DROP TABLE IF EXISTS {table}")
    one = Storage(url)
    yield one
    one.close()


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
    again = Storage(storage.url)
    again.recover_jobs()
    assert again.find_job(job.id).state == DONE
    assert again.list_audit()[0]["path"] == "/api/jobs"
    again.close()


def test_a_record_is_kept_once_with_any_text_in_it(storage):
    for name in ("first", "naïve \x00 ' ; DROP TABLE jobs; --"):
        storage.add_record("0" * 32, name, {"subjects": [{"subject_id": "a\u0000b\u202e"}]})
    assert [one.id for one in storage.list_records()] == ["0" * 32]
    assert storage.find_record("0" * 32).overview["subjects"][0]["subject_id"] == "a\u0000b\u202e"


def test_threads_that_queue_and_claim_at_once_share_each_job_out_once(storage):
    def queue(number):
        return storage.add_job("explain", f"key {number % 8}", {"number": number % 8}).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(queue, range(32)))) == 8
        claimed = [job.id for job in pool.map(lambda _: storage.claim_job(), range(16)) if job is not None]
    assert len(claimed) == len(set(claimed)) == 8


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@x/y", "must be sqlite:///FILE or postgresql://"),
        ("postgresql://u:secret@127.0.0.1:1/x", "could not be"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_sentence_without_the_password(tmp_path, url, words):
    pytest.importorskip("psycopg_pool", reason="the extra postgres is not installed")
    with pytest.raises(InputError, match=words) as error:
        Storage(locate_database(tmp_path, url))
    assert "secret" not in str(error.value)
