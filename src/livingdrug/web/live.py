"""Answers to sliders: the prepared draws of the subjects that were asked about last stay in memory."""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from livingdrug.core.plain_values import make_plain
from livingdrug.report.what_if_frame import Frame
from livingdrug.report.what_if_section import describe_answer
from livingdrug.study.what_if import WhatIf, WhatIfStart, compute_what_if
from livingdrug.study.write_what_if import read_what_if
from livingdrug.web.explain_job import read_frames

MOST_KEPT = 64


class Turns:
    """Shares the processors among questions: one alone gets all of them, and no more run at once than there are.

    Fifty questions that run side by side on two processors all take as long as the last one; in turns, most do not.
    """

    def __init__(self, processors: int) -> None:
        self._free, self._waiting = processors, 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self) -> Iterator[int]:
        """Wait for a turn and give the number of processors that it may use."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._free > 0)
            self._waiting -= 1
            share = 1 if self._waiting else self._free
            self._free -= share
        try:
            yield share
        finally:
            with self._changed:
                self._free += share
                self._changed.notify_all()


@cache
def open_turns() -> Turns:
    """Return the turns of this server."""
    return Turns(os.cpu_count() or 1)


@lru_cache(maxsize=MOST_KEPT)
def open_start(folder: Path) -> tuple[WhatIfStart, tuple[Frame, ...], WhatIf]:
    """Read a prepared subject, its axes, and compute how it was."""
    start = read_what_if(folder)
    return start, read_frames(folder), compute_what_if(start, {})


def write_answer(folder: Path, knobs: Mapping[str, float]) -> bytes:
    """Return the answer as JSON."""
    return json.dumps(make_plain(answer_question(folder, knobs)), allow_nan=False).encode()


def answer_question(folder: Path, knobs: Mapping[str, float]) -> dict[str, Any]:
    """Return the answer with its paths for the page, its curves for programs, and how long it took.

    Raises
    ------
    InputError
        If a knob is unknown or out of range.
    """
    start, frames, as_it_was = open_start(folder)
    begin = time.perf_counter()
    with open_turns().take() as threads:
        answer = compute_what_if(start, knobs, threads=threads)
        drawn = describe_answer(answer, as_it_was, frames, start.horizon)
    summary = {
        "failure": answer.failure,
        "lower": answer.lower,
        "upper": answer.upper,
        "failure_as_it_was": as_it_was.failure,
        "horizon_day": start.horizon,
        "draws": answer.draws,
        "converged": start.is_converged,
    }
    series = {
        curve.variable: {
            "unit": curve.unit,
            "lower": curve.lower.tolist(),
            "median": curve.median.tolist(),
            "upper": curve.upper.tolist(),
        }
        for curve in answer.curves
    }
    return {
        "summary": summary,
        "days": answer.days.tolist(),
        "series": series,
        "drawn": drawn,
        "ms": round(1000 * (time.perf_counter() - begin), 2),
        "manifest": {"knobs": dict(knobs), "subject_id": start.subject_id, **start.provenance},
    }
