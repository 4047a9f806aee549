"""The store of compiled kernels: damaged, shared, not writable, not there."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from livingdrug.core.model import Model, Quantity
from livingdrug.engine import compile as compiling
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve

PROGRAM = """
from livingdrug.core.model import Model, Quantity
from livingdrug.engine.compile import compile_model
from livingdrug.engine.solve import solve
model = Model("decay", (Quantity("x", "1", ""),), (Quantity("k", "1/day", ""),),
              lambda day, y, p: {"x": -p.k * y.x}, lambda p: {"x": 1.0}, "illustrative")
print(solve(compile_model(model), [[0.5]], [1.0]).values.item().hex())
"""
DECAY = Model(
    "decay",
    (Quantity("x", "1", "amount"),),
    (Quantity("k", "1/day", "loss"),),
    lambda day, y, p: {"x": -p.k * y.x},
    lambda p: {"x": 1.0},
    "illustrative",
)


def compile_afresh(monkeypatch):
    monkeypatch.setattr(compiling, "_COMPILED", {})
    return compile_model(DECAY)


@pytest.mark.parametrize(
    "damage",
    [
        lambda blob: b"",
        lambda blob: b"livingdrug-kernel\n",
        lambda blob: blob[:30],
        lambda blob: blob[:-1],
        lambda blob: blob[:200] + bytes([blob[200] ^ 1]) + blob[201:],
        lambda blob: bytes(reversed(blob)),
    ],
)
def test_a_stored_kernel_that_is_damaged_anywhere_is_never_run(damage, tmp_path, monkeypatch):
    monkeypatch.setenv(compiling.CACHE_VARIABLE, str(tmp_path))
    good = solve(compile_afresh(monkeypatch), [[0.5]], [1.0]).values.item()
    (stored,) = tmp_path.glob("*.kernel")
    stored.write_bytes(damage(stored.read_bytes()))
    kernel = compile_afresh(monkeypatch)
    assert not kernel.from_cache
    assert solve(kernel, [[0.5]], [1.0]).values.item() == good
    assert compile_afresh(monkeypatch).from_cache


@pytest.mark.parametrize("place", ["/dev/null", "/dev/null/below", "", "x" * 5000])
def test_a_folder_that_cannot_be_used_is_no_fault(place, monkeypatch):
    monkeypatch.setenv(compiling.CACHE_VARIABLE, place)
    assert not compile_afresh(monkeypatch).from_cache
    assert not compile_afresh(monkeypatch).from_cache


def test_a_folder_in_the_place_of_a_kernel_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setenv(compiling.CACHE_VARIABLE, str(tmp_path))
    compile_afresh(monkeypatch)
    (stored,) = tmp_path.glob("*.kernel")
    stored.unlink()
    stored.mkdir()
    assert not compile_afresh(monkeypatch).from_cache


def test_a_user_without_a_home_compiles_without_a_store(monkeypatch):
    def refuse():
        raise RuntimeError("Could not determine home directory.")

    for name in (compiling.CACHE_VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", refuse)
    assert not compile_afresh(monkeypatch).from_cache


def test_processes_that_start_together_on_an_empty_store_agree(tmp_path, monkeypatch):
    monkeypatch.setenv(compiling.CACHE_VARIABLE, str(tmp_path))
    source = str(Path(compiling.__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", source)
    with ThreadPoolExecutor(2) as pool:
        calls = [[sys.executable, "-c", PROGRAM]] * 2
        said = list(pool.map(lambda call: subprocess.run(call, capture_output=True, text=True, check=True), calls))
    assert len({one.stdout for one in said}) == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".kernel"]


def test_threads_that_compile_one_model_together_agree(tmp_path, monkeypatch):
    monkeypatch.setenv(compiling.CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(compiling, "_COMPILED", {})
    with ThreadPoolExecutor(4) as pool:
        kernels = list(pool.map(lambda _: compile_model(DECAY), range(4)))
    assert len({solve(kernel, [[0.5]], [1.0]).values.item() for kernel in kernels}) == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".kernel"]
