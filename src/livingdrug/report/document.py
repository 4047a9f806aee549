"""One explanation to one file: HTML that opens from a disk, without network or script."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from livingdrug.report.beyond_figures import draw_composition, draw_exhaustion
from livingdrug.report.check_figures import draw_predictive_check
from livingdrug.report.figures import Figure, draw_attribution, draw_course
from livingdrug.report.page import prepare_figures, render_page
from livingdrug.report.tables import Table, tabulate_frame, tabulate_rows
from livingdrug.report.what_if_section import Section
from livingdrug.report.wording import (
    DISEASES,
    NOTHING,
    PRODUCTS,
    Panel,
    describe_direction,
    describe_event,
    describe_reason,
    format_cell,
    format_day,
    format_interval,
    format_number,
    format_percent,
    spell,
)
from livingdrug.study.beyond_data import BeyondData
from livingdrug.study.explanation import Explanation

if TYPE_CHECKING:
    from livingdrug.study.option_list import OptionList

Facts = list[tuple[str, str]]
CHANCES = {"answer_probability", "failure_probability", "unexplained"}
"""What a fit reports as a probability."""


def _mark_days(explanation: Explanation) -> dict[str, float]:
    """Choose the days that every course shows: failure, and what was given after the infusion."""
    marks: dict[str, float] = {}
    if explanation.failure_day is not None:
        marks["failure"] = float(explanation.failure_day)
    later = explanation.events.filter(pl.col("type").is_in(["second_infusion", "next_therapy", "death"]))
    for row in later.iter_rows(named=True):
        marks.setdefault(describe_event(row["type"]).lower(), float(row["day"]))
    return marks


def draw_courses(explanation: Explanation, beyond: BeyondData | None = None) -> list[Figure]:
    """Draw what was measured, with what was expected before and after it where a model was fitted."""
    titles: dict[Panel, str] = {"car_t": "CAR T cells", "tumour": "Tumour markers", "other": "Other measurements"}
    marks, bands = _mark_days(explanation), explanation.bands
    prior = None if beyond is None else beyond.prior
    if beyond is not None and not bands.is_empty():
        bands = pl.concat([bands, beyond.forecast.filter(pl.col("day") > beyond.last_day)])
        marks["forecast"] = beyond.last_day
    tables, lines = (explanation.observations, bands), explanation.thresholds
    drawn = [
        draw_course(*tables, panel, title=title, marks=marks, thresholds=lines, prior=prior)
        for panel, title in titles.items()
    ]
    drawn += [] if beyond is None else [draw_composition(beyond), draw_exhaustion(beyond)]
    return [figure for figure in drawn if figure is not None]


def draw_figures(explanation: Explanation, beyond: BeyondData | None = None) -> list[Figure]:
    """Draw every figure of a report: why, the course, and how well the model reproduces the data."""
    check = None if beyond is None else draw_predictive_check(beyond.predictive)
    drawn = [draw_attribution(explanation.mechanisms), *draw_courses(explanation, beyond), check]
    return [figure for figure in drawn if figure is not None]


def is_untold(explanation: Explanation) -> bool:
    """Whether the record does not tell if the therapy failed."""
    return explanation.failed is None


def write_headline(explanation: Explanation) -> str:
    """Say in one line whether, when and how the therapy failed."""
    if is_untold(explanation):
        return "Whether the therapy failed cannot be told from this record"
    if not explanation.failed:
        return "No failure in the time that the record covers"
    when = "" if explanation.failure_day is None else f" on {format_day(explanation.failure_day)}"
    return f"The therapy failed{when}: {spell(explanation.failure_class).lower()}"


def _list_facts(explanation: Explanation) -> Facts:
    best = explanation.best_response
    why = describe_reason(explanation.answered) if explanation.answered else "cannot be told from this record"
    return [
        ("Failed", "cannot be told" if is_untold(explanation) else "yes" if explanation.failed else "no"),
        ("When", format_day(explanation.failure_day)),
        ("How", spell(explanation.failure_class) if explanation.failed else NOTHING),
        ("Why", why if explanation.failed else NOTHING),
        ("Best response", str(best) if best else NOTHING),
    ]


def _tabulate_timeline(explanation: Explanation) -> Table:
    """Merge what was given and what was found into one table by day."""
    rows: list[dict[str, Any]] = []
    for row in explanation.events.iter_rows(named=True):
        amount = f"{format_number(row['amount'])} {row['unit'] or ''}".strip() if row.get("amount") is not None else ""
        detail = "; ".join(part for part in (amount, row.get("note") or "") if part)
        rows.append({"day": row["day"], "kind": "event", "what": describe_event(row["type"]), "detail": detail})
    for row in explanation.response_rows.iter_rows(named=True):
        confirmed = f", confirmed {row['confirmed']}" if row.get("confirmed") else ""
        what = f"{row['time_point'] or 'not evaluable'}{confirmed}"
        rows.append({"day": row["day"], "kind": "response", "what": what, "detail": row.get("clause") or ""})
    rows.sort(key=lambda row: (row["day"], row["kind"]))
    return tabulate_rows(rows, caption="Timeline", columns=["day", "kind", "what", "detail"])


def _list_evidence(evidence: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"statement": str(item["statement"]), "tag": _tag(item)} for item in evidence]


def _choose_sentences(explanation: Explanation) -> list[str]:
    """Leave to the list of evidence what is said there."""
    told = tuple(str(item["statement"]) for item in explanation.evidence)
    chosen = [sentence for sentence in explanation.sentences if not (told and sentence.startswith(told))]
    return [sentence.replace(" %", "\N{NO-BREAK SPACE}%") for sentence in chosen]


def _tag(item: Mapping[str, Any]) -> str:
    rows = item.get("rows") or ()
    count = len(rows) if isinstance(rows, Sequence) and not isinstance(rows, str) else 0
    seen = f"{count} row{'s' if count != 1 else ''} of the record" if count else ""
    direction = describe_direction(item.get("direction"), item.get("mechanism"))
    return ", ".join(part for part in (direction, seen) if part)


def _is_table(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _describe_fit(fit: Mapping[str, Any]) -> tuple[Facts, list[Table]]:
    """Split what the fit reports into single facts and tables."""
    facts: Facts = []
    tables: list[Table] = []
    for name, value in fit.items():
        if isinstance(value, pl.DataFrame):
            tables.append(tabulate_frame(value, caption=spell(name)))
        elif _is_table(value):
            tables.append(tabulate_rows(value, caption=spell(name)))
        elif isinstance(value, Mapping):
            rows = [{"name": key, "value": format_cell(item)} for key, item in value.items()]
            tables.append(tabulate_rows(rows, caption=spell(name)))
        else:
            facts.append((spell(name), format_percent(value) if name in CHANCES else format_cell(value)))
    return facts, tables


def _tabulate_counterfactuals(explanation: Explanation) -> Table:
    """Say for each cause how probable failure would have been without it."""
    rows = [
        {
            "without": describe_reason(row["mechanism"]),
            "failure_as_it_was": format_percent(row["failure_as_is"]),
            "failure_without_it": format_percent(row["failure_without"]),
            "fall": format_interval(row["reduction"], row["reduction_lower"], row["reduction_upper"]),
        }
        for row in explanation.counterfactuals.iter_rows(named=True)
    ]
    days = explanation.counterfactuals["horizon_day"].to_list() if rows else []
    horizon = f", probability of failure by {format_day(days[0])}" if days else ""
    return tabulate_rows(rows, caption=f"Without each cause{horizon}")


def _tabulate_run(explanation: Explanation) -> Table:
    provenance = explanation.provenance
    names = ("version", "knowledge", "seed", "input_hash")
    rows = [{"name": spell(name), "value": str(provenance.get(name, NOTHING))} for name in names]
    options = provenance.get("options") or {}
    rows += [{"name": spell(str(name)), "value": format_cell(value)} for name, value in options.items()]
    return tabulate_rows(rows, caption="The run")


def write_title(explanation: Explanation) -> str:
    """Say in one line whose explanation this is."""
    disease = DISEASES.get(explanation.disease, explanation.disease)
    product = PRODUCTS.get(explanation.product, explanation.product)
    return f"{explanation.subject_id}: {disease} after {product}"


def collect_fields(
    explanation: Explanation,
    what_if: Section | None = None,
    options: "OptionList | None" = None,
    *,
    beyond: BeyondData | None = None,
) -> dict[str, Any]:
    """Collect what the templates of an explanation fill in: figures drawn, tables written."""
    drawn = {drawing.name: drawing for drawing in prepare_figures(draw_figures(explanation, beyond))}
    attribution, check = drawn.pop("attribution", None), drawn.pop("predictive-check", None)
    fit_facts, fit_tables = _describe_fit(explanation.fit)
    provenance = explanation.provenance
    return {
        "title": write_title(explanation),
        "headline": write_headline(explanation),
        "version": str(provenance.get("version", "")),
        "sentences": _choose_sentences(explanation),
        "has_failed": explanation.failed,
        "has_fit": not explanation.bands.is_empty(),
        "has_converged": bool(explanation.fit.get("converged", True)),
        "facts": _list_facts(explanation),
        "attribution": attribution,
        "check": check,
        "has_prior": beyond is not None and not beyond.prior.is_empty(),
        "evidence": _list_evidence(explanation.evidence),
        "counterfactuals": _tabulate_counterfactuals(explanation),
        "courses": list(drawn.values()),
        "timeline": _tabulate_timeline(explanation),
        "fit_facts": fit_facts,
        "fit_tables": fit_tables,
        "run": _tabulate_run(explanation),
        "assumed": tabulate_rows(provenance.get("assumed") or [], caption="Assumed values"),
        "sources": [str(source) for source in provenance.get("sources") or []],
        "what_if": what_if,
        "options": _mark_options(options),
    }


def _mark_options(options: "OptionList | None") -> str:
    """Write the section of what can be done next, where there is one; only that needs the rules of options."""
    if options is None:
        return ""
    from livingdrug.report.options_section import mark_options_section

    return mark_options_section(options)


def render_report(
    explanation: Explanation,
    what_if: Section | None = None,
    options: "OptionList | None" = None,
    *,
    beyond: BeyondData | None = None,
) -> str:
    """Render one explanation as one self-contained HTML document.

    Parameters
    ----------
    what_if : Section, optional
        Sliders with their precomputed answers; the document then holds one small script.
    options : OptionList, optional
        What can be done next, as a section of its own.
    beyond : BeyondData, optional
        What the fit says beside the data.

    Returns
    -------
    html : str
        Without the ``report`` extra, each figure is replaced by its table and a sentence that says what to install.
    """
    return render_page("report.html.jinja", **collect_fields(explanation, what_if, options, beyond=beyond))


def write_report(
    explanation: Explanation,
    path: Path,
    what_if: Section | None = None,
    options: "OptionList | None" = None,
    *,
    beyond: BeyondData | None = None,
) -> Path:
    """Write the report of one explanation; the folder is made if it is missing.

    Returns
    -------
    path : Path
        The file written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_report(explanation, what_if, options, beyond=beyond), encoding="utf-8")
    return path


def write_index(explanations: Mapping[str, Explanation], path: Path) -> Path:
    """Write a page that lists several explanations and links to their reports.

    Parameters
    ----------
    explanations : mapping of link to Explanation
        The link is relative to ``path``: ``"p1/report.html"``.
    """
    rows = [
        {
            "link": link,
            "subject": item.subject_id,
            "outcome": write_headline(item),
            "reason": _write_reason(item),
            "fit": _write_fit(item),
        }
        for link, item in explanations.items()
    ]
    path.write_text(
        render_page("index.html.jinja", title=f"{len(rows)} subject{'' if len(rows) == 1 else 's'}", rows=rows),
        encoding="utf-8",
    )
    return path


def _write_fit(item: Explanation) -> str:
    if item.bands.is_empty():
        return "none"
    return "converged" if item.fit.get("converged", True) else "did not converge"


def _write_reason(item: Explanation) -> str:
    if not item.answered:
        return "cannot be told" if item.failed else ""
    chances = [row["probability"] for row in item.mechanisms if row["name"] == item.answered]
    words = describe_reason(item.answered)
    return f"{words} ({format_percent(chances[0])})" if chances else words
