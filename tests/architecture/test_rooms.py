import os
import shutil
import subprocess
import sys

import grimp
import pytest

LINT = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"


def lint(folder):
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    command = [sys.executable, "-c", LINT]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(root, tmp_path):
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def plant(copy, module, text):
    path = copy / "src" / "livingdrug" / module
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_rooms_keep_their_contract(copy):
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "text", "broken"),
    [
        ("core/planted.py", "import livingdrug.engine.solve\n", "Rooms import downwards only"),
        ("io/planted.py", "import livingdrug.study.explain_failure\n", "Rooms import downwards only"),
        ("fit/planted.py", "import livingdrug.models\n", "Only study brings equations and numbers"),
        ("simulate/planted.py", "import livingdrug.knowledge.parameters\n", "Only study brings equations and numbers"),
        ("clinical/planted.py", "import logging\n", "The science never touches"),
        ("kitchen/__init__.py", "", "Rooms import downwards only"),
        ("kitchen.py", "", "Rooms import downwards only"),
    ],
)
def test_a_planted_violation_is_caught(copy, module, text, broken):
    plant(copy, module, text)
    done = lint(copy)
    assert done.returncode != 0
    report = done.stdout + done.stderr
    assert broken in report
    assert "planted" in report or "kitchen" in report


def test_a_planted_ring_of_imports_is_caught(copy):
    plant(copy, "core/planted_one.py", "import livingdrug.core.planted_two\n")
    plant(copy, "core/planted_two.py", "import livingdrug.core.planted_one\n")
    done = lint(copy)
    assert done.returncode != 0
    assert "planted_one" in done.stdout


def find_rings(graph):
    """Sets of modules that import each other in a ring, largest first."""
    reach = {m: graph.find_downstream_modules(m) for m in graph.modules}
    rings = {frozenset({m, *(n for n in reach[m] if m in reach[n])}) for m in graph.modules}
    return sorted(rings, key=len, reverse=True)


def test_no_two_modules_import_each_other_even_through_others():
    graph = grimp.build_graph("livingdrug", exclude_type_checking_imports=True, cache_dir=None)
    largest = find_rings(graph)[0]
    assert len(largest) == 1, sorted(largest)
