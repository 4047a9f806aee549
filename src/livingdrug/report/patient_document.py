"""One explanation to one file for the person it is about: plain words, two pictures, questions to ask."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from livingdrug.report.figures import draw_course
from livingdrug.report.page import Drawing, prepare_figure, render_page
from livingdrug.report.plain_options import CALL_NOW, list_kinds, write_limits
from livingdrug.report.plain_words import QUESTIONS, WORDS, list_numbers, write_what_happened, write_why
from livingdrug.report.tables import tabulate_rows
from livingdrug.report.wording import Panel, describe_variable
from livingdrug.study.explanation import Explanation
from livingdrug.study.option_list import OptionList

PLAIN = {
    "below the limit of quantification": "too low to measure",
    "limit of quantification": "lowest that the test can see",
    "days after infusion": "days after you got the cells",
}
"""Words of the drawings, and what they are for a reader who is not a clinician."""
PICTURES: tuple[tuple[Panel, str, str], ...] = (
    ("tumour", "Signs of the cancer", "Each dot is a test. When the line goes up, there is more cancer."),
    ("car_t", "Your CAR T cells", "Each dot is a test. When the line goes down, there are fewer CAR T cells."),
)


def _draw(explanation: Explanation) -> list[Drawing]:
    marks = {"cancer is back": explanation.failure_day} if explanation.failure_day is not None else {}
    drawn = []
    for panel, title, caption in PICTURES:
        shown = pl.col("variable") == _choose_variable(explanation, panel)
        seen, bands = explanation.observations.filter(shown), explanation.bands.filter(shown)
        figure = draw_course(seen, bands, panel, title=title, marks=marks)
        if figure is not None:
            drawn.append(prepare_figure(replace(figure, caption=caption, spec=_say_plainly(figure.spec))))
    return drawn


def _say_plainly(spec: Mapping[str, Any]) -> Any:
    """Put plain words into a drawing."""
    text = json.dumps(dict(spec))
    for hard, plain in PLAIN.items():
        text = text.replace(hard, plain)
    return json.loads(text)


def _choose_variable(explanation: Explanation, panel: Panel) -> str:
    """Choose what a picture shows: what the outcome was told by, or else what was fitted and measured most."""
    judged = [] if explanation.thresholds is None else explanation.thresholds["variable"].to_list()
    fitted = explanation.bands["variable"].to_list()
    measured = explanation.observations.filter(pl.col("value").is_not_null())["variable"].to_list()
    names = [name for name in sorted(set(measured)) if describe_variable(name).panel == panel]
    return max(names, key=lambda name: (name in judged, name in fitted, measured.count(name)), default="")


def render_patient_report(explanation: Explanation, options: OptionList | None = None) -> str:
    """Render one explanation in plain words as one self-contained HTML document; with what may come next, if given."""
    numbers = [{"what": name, "value": value} for name, value in list_numbers(explanation)]
    return render_page(
        "patient.html.jinja",
        version=str(explanation.provenance.get("version", "")),
        subject=explanation.subject_id,
        happened=write_what_happened(explanation),
        why=write_why(explanation),
        has_failed=bool(explanation.failed),
        pictures=_draw(explanation),
        kinds=[] if options is None else list_kinds(options),
        limits=[] if options is None else write_limits(options),
        call_now=CALL_NOW,
        questions=QUESTIONS,
        words=WORDS,
        numbers=tabulate_rows(numbers, caption="What this page rests on"),
    )


def write_patient_report(explanation: Explanation, path: Path, options: OptionList | None = None) -> Path:
    """Write the plain report; the folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_patient_report(explanation, options), encoding="utf-8")
    return path
