import ast
import subprocess
import sys

import pytest

OTHER_FRAMES = {"pandas", "pyarrow", "dask", "vaex", "modin", "cudf", "xarray", "duckdb", "narwhals", "altair"}
HEAVY = ("llvmlite", "scipy", "polars", "numpy", "altair", "vl_convert", "jinja2", "sympy", "pint", "pydantic")


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def test_there_is_one_dataframe_library(trees):
    found = {name.split(".")[0] for tree in trees.values() for name in imported(tree)}
    assert found & OTHER_FRAMES == set()
    assert "polars" in found


def test_no_module_imports_the_package_itself(trees):
    assert [path for path, tree in trees.items() if {"livingdrug", "."} & set(imported(tree))] == []


def test_nothing_is_imported_with_a_star(trees):
    stars = [
        path
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
    ]
    assert stars == []


def load(statement):
    """Names of the modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.splitlines()}


@pytest.mark.parametrize(
    "statement",
    ["import livingdrug", "import livingdrug.cli.entry as c; c.main(['--help']); c.main(['explain', '--help'])"],
)
def test_the_door_opens_without_anything_heavy(statement, monkeypatch, root):
    monkeypatch.setenv("PYTHONPATH", str(root / "src"))
    assert load(statement) & set(HEAVY) == set()
