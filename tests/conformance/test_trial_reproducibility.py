"""The same seed gives the same bits: however a trial is cut, computed, killed and taken up again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.study.run_trial import run_trial
from livingdrug.study.trial_chunk import ChunkTask, compute_chunk
from livingdrug.study.trial_design_decoding import decode_design

ARMS = [{"name": name, "product": "axi_cel", "n": 24} for name in ("one", "two", "three", "four")]
ARMS[1]["event"] = [{"type": "second_infusion", "at": "progression", "after": 14, "share": 0.5}]
DESIGN = {
    "trial": {"name": "Four arms", "disease": "lbcl", "days": 200, "seed": 3},
    "arm": ARMS,
    "accrual": {"per_month": 10, "cutoff_day": 400},
    "dropout": {"per_year": 0.2},
    "deaths": {"per_year": 0.1, "after_progression_per_year": 0.5},
}
TOML = """
[trial]
name = "Two arms"
disease = "lbcl"
days = 200
[[arm]]
name = "one"
product = "axi_cel"
n = 1500
[[arm]]
name = "two"
product = "tisa_cel"
n = 500
"""
SOURCE = Path(__file__).parents[2] / "src"
MINUTE = 60.0


@pytest.fixture(scope="module")
def whole():
    return run_trial(DESIGN, jobs=1)


@pytest.mark.parametrize("jobs", [2, pytest.param(8, marks=pytest.mark.slow)])
def test_any_number_of_workers_gives_the_same_bits(jobs, tmp_path):
    design = {**DESIGN, "arm": [{**arm, "n": 150 * jobs} for arm in ARMS], "accrual": {}}
    alone, other = run_trial(design, jobs=1), run_trial(design, jobs=jobs, out=tmp_path)
    assert other.outcomes.equals(alone.outcomes)
    assert other.manifest["content_hash"] == alone.manifest["content_hash"]


def test_any_chunking_gives_the_same_bits(whole):
    design = decode_design(DESIGN)
    parts = [
        compute_chunk(ChunkTask(design, "two", i, first, count)) for i, (first, count) in enumerate([(0, 5), (5, 19)])
    ]
    assert pl.concat(parts).equals(whole.of("two"))


def test_an_arm_has_the_same_patients_whatever_arms_stand_beside_it(whole):
    alone = run_trial({**DESIGN, "arm": [ARMS[2]], "accrual": {"per_month": 2.5, "cutoff_day": 400}}, jobs=1)
    assert alone.outcomes.equals(whole.of("three"))


def test_another_seed_gives_other_patients(whole):
    assert not run_trial(DESIGN, jobs=1, seed=4).outcomes.equals(whole.outcomes)


def test_a_run_that_is_taken_up_keeps_what_is_whole_and_computes_the_rest(whole, tmp_path):
    run_trial(DESIGN, jobs=1, out=tmp_path)
    parts = tmp_path / "parts"
    (parts / "one-00000.parquet").unlink()
    with (parts / "two-00000.parquet").open("r+b") as file:
        file.truncate(100)
    (parts / "three-00000.sha256").unlink()
    (parts / "three-00000.unfinished").write_bytes(b"half")
    kept = (parts / "four-00000.parquet").stat().st_mtime_ns
    seen = []
    again = run_trial(
        DESIGN, jobs=1, out=tmp_path, resume=True, progress=lambda done, count: seen.append((done, count))
    )
    assert seen == [(48, 96), (72, 96), (96, 96)]
    assert (parts / "four-00000.parquet").stat().st_mtime_ns == kept
    assert again.manifest["content_hash"] == whole.manifest["content_hash"]


def test_parts_of_another_trial_are_refused(tmp_path):
    small = {**DESIGN, "arm": [{**ARMS[0], "n": 2}]}
    run_trial(small, jobs=1, out=tmp_path)
    with pytest.raises(InputError, match="another design, seed or version"):
        run_trial(small, jobs=1, out=tmp_path, resume=True, seed=99)
    assert run_trial(small, jobs=1, out=tmp_path, seed=99).manifest["seed"] == 99


def start(arguments, stdout=subprocess.DEVNULL):
    path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, "PYTHONPATH": path}, stdout=stdout, text=True
    )


def wait_for(condition, seconds=2 * MINUTE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.02)


def list_children(process):
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            found.append(int(path.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes under /proc")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_that_is_killed_loses_at_most_what_its_workers_were_at(jobs, tmp_path):
    path, out = tmp_path / "trial.toml", tmp_path / "out"
    path.write_text(TOML)
    run = start(["-m", "livingdrug.cli", "trial", str(path), "--out", str(out), "--jobs", jobs])
    try:
        wait_for(lambda: list(out.glob("parts/*.sha256")) or run.poll() is not None)
        children = list_children(run.pid)
        run.send_signal(signal.SIGKILL)
    finally:
        run.kill()
        run.wait()
    sealed = sorted(part.name for part in out.glob("parts/*.sha256"))
    assert 1 <= len(sealed) < 4, "killed half-way"
    wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 20.0)
    before = {name: (out / "parts" / name).read_bytes() for name in sealed}
    resumed = run_trial(path, jobs=1, out=out, resume=True)
    assert {name: (out / "parts" / name).read_bytes() for name in sealed} == before
    assert resumed.manifest["content_hash"] == run_trial(path, jobs=1).manifest["content_hash"]


CLUSTER = """
import sys
from pathlib import Path
from livingdrug.study.run_trial import run_trial

address, path, out = sys.argv[1:]

def progress(done, count):
    Path(out, "progress").write_text(str(done))

if __name__ == "__main__":
    print(run_trial(Path(path), cluster=address, out=Path(out), progress=progress).manifest["content_hash"])
"""


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_gives_the_same_bits(tmp_path):
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    path, out, script, info = (tmp_path / name for name in ("trial.toml", "out", "script.py", "scheduler.json"))
    path.write_text(TOML)
    script.write_text(CLUSTER)
    out.mkdir()
    running = [
        start(["-m", "distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(info)])
    ]
    try:
        wait_for(info.exists)
        address = json.loads(info.read_text())["address"]
        flags = ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
        running += [start(["-m", "distributed.cli.dask_worker", address, *flags]) for _ in range(2)]
        run = start([str(script), address, str(path), str(out)], stdout=subprocess.PIPE)
        running.append(run)
        wait_for((out / "progress").exists)
        running[1].kill()
        printed, _ = run.communicate(timeout=5 * MINUTE)
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert printed.strip() == run_trial(path, jobs=1).manifest["content_hash"]
