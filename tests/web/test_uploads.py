import io
import warnings

import pytest
from tests.web.malformed import NAMES, list_malformed, list_malformed_trials

from livingdrug.core.errors import InputError
from livingdrug.web.parsing import describe_record, parse_in_worker
from livingdrug.web.uploads import Upload, save_upload

MIB = 2**20


@pytest.fixture(scope="module")
def good(example_files):
    return {path.name: path.read_bytes() for path in example_files}


def list_paths(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_two_hundred_malformed_uploads_are_refused_in_sentences_and_leave_nothing_outside(good, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the archive with a name twice is made on purpose
        uploads = list_malformed(good)
    assert len(uploads) >= 200
    accepted, said = [], []
    for number, files in enumerate(uploads):
        folder = tmp_path / f"{number}"
        try:
            save_upload([Upload(name, io.BytesIO(data)) for name, data in files], folder, most_unpacked=10 * MIB)
            describe_record(folder)
        except InputError as error:
            said.append((files[0][0], str(error)))
        else:
            accepted.append(number)
        assert set(list_paths(tmp_path)) <= {f"{number}", *(f"{number}/{name}" for name in NAMES)}
        for path in sorted(folder.rglob("*"), reverse=True):
            path.unlink()
        folder.rmdir()
    # bytes changed at random may spoil nothing that matters
    assert len(accepted) <= 14, accepted
    assert [name for name, sentence in said if "Hint: " not in sentence or "Traceback" in sentence] == []


def test_malformed_results_of_a_trial_are_refused_in_sentences_too(tmp_path):
    from livingdrug.study.read_trial import MANIFEST, OUTCOMES
    from livingdrug.study.run_trial import run_trial
    from livingdrug.study.write_trial import write_trial
    from livingdrug.web.trial_parsing import describe_trial

    arm = {"name": "ide", "product": "ide_cel", "n": 8}
    design = {"trial": {"name": "One", "disease": "myeloma", "days": 180}, "arm": [arm]}
    write_trial(run_trial(design, jobs=1), tmp_path / "good")
    sent = [(tmp_path / "good" / name).read_bytes() for name in (MANIFEST, OUTCOMES)]
    accepted = []
    for number, files in enumerate(list_malformed_trials(*sent)):
        folder = tmp_path / f"{number}"
        try:
            uploads = [Upload(name, io.BytesIO(data)) for name, data in files]
            save_upload(uploads, folder, most_unpacked=10 * MIB, names=(MANIFEST, OUTCOMES))
            describe_trial(folder)
        except InputError as error:
            assert "Hint: " in str(error)  # noqa: PT017 - what is said of each of many
        else:
            accepted.append(files[0])
        assert set(list_paths(folder)) <= {MANIFEST, OUTCOMES}
    assert accepted == []


def test_a_good_record_is_read_in_a_worker_and_counted(example_files):
    found = parse_in_worker(example_files[0].parent, most_memory=4096 * MIB, most_seconds=30)
    assert [subject["subject_id"] for subject in found["subjects"]] == ["myeloma_late_relapse"]
    assert found["observations"] == 132


def test_a_worker_without_enough_memory_is_a_sentence(example_files):
    with pytest.raises(InputError, match=r"readable in 30 s and 64 MiB of memory"):
        parse_in_worker(example_files[0].parent, most_memory=64 * MIB, most_seconds=30)
