"""Every example of README and docs is run: Python blocks, sessions and command lines.

- ``pycon``: a session, compared line by line as a doctest.
- ``python``: run as it stands, after the earlier blocks of its page.
- ``console``: each ``$ livingdrug ...`` is run; what is printed must match the lines under it (``...`` stands for any).
- ``sh``: set-up commands; what they name must exist. The first ones of README are run by ``.ci/run``.
"""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from livingdrug.cli.entry import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RULES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def list_blocks(page):
    return [(kind, text) for kind, text in BLOCK.findall(page.read_text(encoding="utf-8"))]


def run_session(text, page, names):
    test = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), 0)
    report = []
    outcome = doctest.DocTestRunner(optionflags=RULES).run(test, out=report.append, clear_globs=False)
    assert outcome.failed == 0, "".join(report)
    names.update(test.globs)


def split_console(text):
    """Pairs of a command and the text under it."""
    steps = []
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            steps.append([line[2:].strip(), ""])
        else:
            steps[-1][1] += line
    return steps


def run_console(text, capsys):
    for command, expected in split_console(text):
        program, *arguments = shlex.split(command)
        assert program == "livingdrug", command
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        assert code == 0, (command, printed.err)
        if expected:
            assert doctest.OutputChecker().check_output(expected, printed.out, RULES), f"{command}\n{printed.out}"


def check_setup(text):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for name in re.findall(r"constraints[\w-]*\.txt|\.ci/run", text):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_example_of_a_page_runs_as_printed(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__example__"}
    for kind, text in list_blocks(page):
        if kind == "pycon":
            run_session(text, page, names)
        elif kind == "python":
            exec(compile(text, str(page), "exec"), names)
        elif kind == "console":
            run_console(text, capsys)
        else:
            assert kind in {"sh", "text", "csv", "toml", "yaml", "json", "mermaid", "sql"}, kind
            check_setup(text)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_of_a_page_leads_to_a_file(page):
    for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
