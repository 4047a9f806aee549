"""The front page shows what the command really prints."""

import re
from pathlib import Path

from livingdrug.cli import main

README = Path(__file__).parents[2] / "README.md"


def test_the_output_on_the_front_page_is_what_the_command_prints(tmp_path, capsys, monkeypatch):
    text = README.read_text(encoding="utf-8")
    shown = re.search(r"<!-- output -->\n```text\n(.*?)\n```", text, re.DOTALL)
    assert shown is not None
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "--example", "myeloma_late_relapse", "--out", "report"]) == 0
    assert capsys.readouterr().out.strip().splitlines() == shown[1].strip().splitlines()
    assert not re.search(r"^(OUTPUT|PICTURE|PYTHON)$", text, re.MULTILINE)
