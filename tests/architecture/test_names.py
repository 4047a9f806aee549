import ast

import pytest

FORBIDDEN = {
    "utils",
    "util",
    "common",
    "misc",
    "base",
    "manager",
    "constants",
    "c",
    "helpers",
    "helper",
    "tools",
    "stuff",
}
MAX_LINES = 500


def test_no_file_is_a_drawer_without_a_subject(python_files):
    drawers = [path for path in python_files if path.stem.lower().strip("_") in FORBIDDEN]
    folders = [path for path in python_files if FORBIDDEN & {part.lower() for part in path.parent.parts[-3:]}]
    assert drawers + folders == []


def test_no_file_is_longer_than_one_can_read_at_once(python_files):
    long = {
        path.name: n for path in python_files if (n := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == {}


def test_a_room_opens_with_one_docstring_and_nothing_else(package, trees):
    """``models`` may list its models; everything else lives in a module with a name."""
    for path, tree in trees.items():
        if path.name != "__init__.py" or path.parent == package or "models" in path.parts:
            continue
        assert len(tree.body) == 1, path
        assert ast.get_docstring(tree), path


def test_every_module_says_what_it_is(trees):
    assert [path for path, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_names_of_tests_are_sentences(root):
    short = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        functions = [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef)]
        short += [f"{path.name}: {f.name}" for f in functions if f.name.startswith("test_") and f.name.count("_") < 3]
    assert short == []


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "AGENTS.md", "CITATION.cff", "LICENSE"]
)
def test_the_house_has_its_front_door(root, name):
    assert (root / name).stat().st_size > 200


def test_the_page_for_those_who_work_on_the_code_fits_on_one_page(root):
    assert len((root / "AGENTS.md").read_text(encoding="utf-8").splitlines()) <= 60
