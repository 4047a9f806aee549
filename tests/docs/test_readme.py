"""The front page shows what the command really prints."""

import re
from pathlib import Path

from livingdrug.cli.entry import main

README = Path(__file__).parents[2] / "README.md"


def test_the_output_on_the_front_page_is_what_the_command_prints(tmp_path, capsys, monkeypatch):
    text = README.read_text(encoding="utf-8")
    shown = re.search(r"<!-- output -->\n```text\n(.*?)\n```", text, re.DOTALL)
    assert shown is not None
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "--example", "myeloma_late_relapse", "--out", "report"]) == 0
    printed, promised = capsys.readouterr().out.strip(), shown[1].strip()
    percent = re.compile(r"\d+(?= %)")
    assert percent.sub("N", printed) == percent.sub("N", promised)
    # another processor may round a posterior's edge to another point
    numbers = [[int(n) for n in percent.findall(text)] for text in (printed, promised)]
    assert all(abs(a - b) <= 2 for a, b in zip(*numbers, strict=True))
    assert not re.search(r"^(OUTPUT|PICTURE|PYTHON)$", text, re.MULTILINE)
