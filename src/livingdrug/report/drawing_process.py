"""A second process that draws, so that what a first picture costs passes beside other work.

The renderer starts for half a second and holds the interpreter's lock while it starts and draws: a thread would
gain nothing. Specifications go to the process and pictures come back as lines of JSON; it ends with its input.
"""

import atexit
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TextIO

_SIMPLE = {
    "data": {"values": [{"x": 0, "y": 0}]},
    "mark": "point",
    "encoding": {"x": {"field": "x"}, "y": {"field": "y"}},
}
_FIRST = {"vconcat": [{"layer": [_SIMPLE, {**_SIMPLE, "mark": mark}]} for mark in ("line", "area", "bar")]}
"""What the process draws first, to have started before it is asked."""
_FIRST_DRAWN = 3
"""How often: the renderer compiles what it does repeatedly."""


class DrawingProcess:
    """The process and the queue in front of it.

    Examples
    --------
    >>> process = DrawingProcess()
    >>> process.draw({"data": {"values": []}, "mark": "point"}).result()[:4]
    '<svg'
    >>> process.close()
    """

    def __init__(self) -> None:
        # isolated, with the modules that this process sees: never those that happen to lie in the current folder
        start = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
        command = [sys.executable, "-I", "-c", start]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        self._queue = ThreadPoolExecutor(1)
        atexit.register(self.close)

    def is_alive(self) -> bool:
        """Tell whether it can still draw."""
        return self._child.poll() is None

    def draw(self, spec: Mapping[str, Any]) -> "Future[str | None]":
        """Return the picture that will be: SVG, or None where the process could not draw it."""
        return self._queue.submit(self._ask, json.dumps(spec))

    def _ask(self, line: str) -> str | None:
        asked, answers = self._child.stdin, self._child.stdout
        if asked is None or answers is None:
            return None
        try:
            asked.write(line + "\n")
            asked.flush()
            svg = json.loads(answers.readline())
        except (OSError, ValueError):
            return None
        return svg if isinstance(svg, str) else None

    def close(self) -> None:
        """End the process; may be called twice."""
        atexit.unregister(self.close)
        self._child.kill()
        self._queue.shutdown(cancel_futures=True)
        self._child.communicate()


def answer_lines(lines: Iterable[str], answers: TextIO, draw: Callable[[Any], str]) -> None:
    """Answer every line with a picture, or with null where the renderer refuses."""
    for line in lines:
        try:
            svg: str | None = draw(json.loads(line))
        except ValueError:
            svg = None
        answers.write(json.dumps(svg) + "\n")
        answers.flush()


def main() -> None:
    """Draw what comes in until the input ends; an interrupt is for the parent to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import vl_convert

    for _ in range(_FIRST_DRAWN):
        vl_convert.vegalite_to_svg(_FIRST)
    answer_lines(sys.stdin, sys.stdout, vl_convert.vegalite_to_svg)
