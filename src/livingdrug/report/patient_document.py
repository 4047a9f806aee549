"""One explanation to one file for the person it is about: plain words, two pictures, questions to ask."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from livingdrug.report.figures import draw_course
from livingdrug.report.page import Drawing, prepare_figure, render_page
from livingdrug.report.plain_words import QUESTIONS, WORDS, list_numbers, write_what_happened, write_why
from livingdrug.report.tables import tabulate_rows
from livingdrug.report.wording import Panel, describe_variable
from livingdrug.study.explanation import Explanation

PICTURES: tuple[tuple[Panel, str, str], ...] = (
    ("tumour", "Signs of the cancer", "Each dot is a test. When the line goes up, there is more cancer."),
    ("car_t", "Your CAR T cells", "Each dot is a test. When the line goes down, there are fewer CAR T cells."),
)
MOST_LINES = 2
"""Curves in a picture; a clinician's report shows all."""


def _draw(explanation: Explanation) -> list[Drawing]:
    marks = {"cancer is back": explanation.failure_day} if explanation.failure_day is not None else {}
    drawn = []
    for panel, title, caption in PICTURES:
        few = _choose_most_measured(explanation.observations, panel)
        seen = explanation.observations.filter(pl.col("variable").is_in(few))
        bands = explanation.bands.filter(pl.col("variable").is_in(few))
        figure = draw_course(seen, bands, panel, title=title, marks=marks) if few else None
        if figure is not None:
            drawn.append(prepare_figure(replace(figure, caption=caption)))
    return drawn


def _choose_most_measured(observations: pl.DataFrame, panel: Panel) -> list[str]:
    counts = observations.filter(pl.col("value").is_not_null()).group_by("variable").len()
    ordered = counts.sort("len", "variable", descending=[True, False])["variable"].to_list()
    return [name for name in ordered if describe_variable(name).panel == panel][:MOST_LINES]


def render_patient_report(explanation: Explanation) -> str:
    """Render one explanation in plain words as one self-contained HTML document."""
    numbers = [{"what": name, "value": value} for name, value in list_numbers(explanation)]
    return render_page(
        "patient.html.jinja",
        version=str(explanation.provenance.get("version", "")),
        subject=explanation.subject_id,
        happened=write_what_happened(explanation),
        why=write_why(explanation),
        has_failed=bool(explanation.failed),
        pictures=_draw(explanation),
        questions=QUESTIONS,
        words=WORDS,
        numbers=tabulate_rows(numbers, caption="What this page rests on"),
    )


def write_patient_report(explanation: Explanation, path: Path) -> Path:
    """Write the plain report; the folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_patient_report(explanation), encoding="utf-8")
    return path
