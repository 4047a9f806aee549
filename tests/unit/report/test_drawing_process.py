"""A second process draws the same pictures as this one, and what it cannot draw is drawn here."""

import io
import json
import signal

import pytest

from livingdrug.report import rendering
from livingdrug.report.drawing_process import DrawingProcess, answer_lines

pytest.importorskip("vl_convert", reason="needs the report extra")

SPEC = {"data": {"values": [{"a": 1, "b": 2}]}, "mark": "bar", "encoding": {"x": {"field": "a"}, "y": {"field": "b"}}}
NAMED = {"name": "one", "description": "what it shows"}


@pytest.fixture
def process(monkeypatch):
    started = DrawingProcess()
    monkeypatch.setattr(rendering, "_process", started)
    yield started
    started.close()


def test_the_process_draws_the_same_bytes(process, monkeypatch):
    there = rendering.render_svg(SPEC, **NAMED)
    assert process.draw(SPEC).result() is not None
    monkeypatch.setattr(rendering, "_process", None)
    assert rendering.render_svg(SPEC, **NAMED) == there


def test_several_pictures_come_back_in_their_order(process):
    widths = [100 + 10 * i for i in range(5)]
    begun = [rendering.start_svg({**SPEC, "width": width}) for width in widths]
    drawn = [rendering.render_svg(SPEC, **NAMED, started=one) for one in begun]
    assert len(set(drawn)) == len(widths)
    assert drawn == [rendering.render_svg({**SPEC, "width": width}, **NAMED) for width in widths]


def test_a_picture_is_drawn_here_when_the_process_has_died(process):
    begun = rendering.render_svg(SPEC, **NAMED)
    process._child.kill()
    process._child.wait()
    assert process.draw(SPEC).result() is None
    assert rendering.render_svg(SPEC, **NAMED) == begun


def test_what_the_renderer_refuses_is_answered_and_does_not_end_the_process(process):
    assert process.draw({"mark": 3}).result() is None
    assert str(process.draw(SPEC).result()).startswith("<svg")


def test_every_line_has_an_answer():
    def draw(spec):
        if spec == "bad":
            raise ValueError
        return f"<svg {spec}>"

    answers = io.StringIO()
    answer_lines(['"a"', '"bad"', "no json", '"b"'], answers, draw)
    assert [json.loads(line) for line in answers.getvalue().splitlines()] == ["<svg a>", None, None, "<svg b>"]


def test_closing_twice_does_nothing_more():
    process = DrawingProcess()
    process.close()
    process.close()
    assert not process.is_alive()


def test_a_module_of_the_current_folder_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "vl_convert.py").write_text("def vegalite_to_svg(spec): return '<svg>not ours</svg>'\n")
    monkeypatch.chdir(tmp_path)
    started = DrawingProcess()
    svg = started.draw(SPEC).result()
    started.close()
    assert svg is not None
    assert "not ours" not in svg


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
def test_a_process_that_is_silent_is_given_up_and_the_picture_drawn_here(process, monkeypatch):
    expected = rendering.render_svg(SPEC, **NAMED)
    monkeypatch.setattr(rendering, "PATIENCE", 0.2)
    process._child.send_signal(signal.SIGSTOP)
    assert rendering.render_svg(SPEC, **NAMED) == expected
    assert not process.is_alive()
