import re
from html.parser import HTMLParser

import polars as pl
import pytest

from livingdrug.report import page
from livingdrug.report.document import render_report, write_index, write_report
from livingdrug.report.terminal import format_explanation

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Outline(HTMLParser):
    """Collects what a reader's software sees: open elements, headings, links, identifiers."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.identifiers, self.headings = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.identifiers += [value for name, value in attrs if name == "id"]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def html(explanation):
    return render_report(explanation)


@pytest.fixture
def outline(html):
    return Outline(html)


def test_the_verdict_stands_before_everything_else(html):
    assert "<h1>The therapy failed on day 150: late relapse</h1>" in html
    assert html.index("The most probable reason is loss of the CAR T cells") < html.index("<h2")


def test_a_report_asks_nothing_of_the_network_and_runs_no_script(outline):
    names = {tag for tag, _ in outline.tags}
    assert not names & {"script", "link", "iframe", "img", "object", "embed", "base"}
    for tag, attributes in outline.tags:
        for name in ("src", "href", "xlink:href", "action", "srcset"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)


def test_the_style_sheet_loads_nothing(html):
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)


def test_a_report_is_small(html):
    assert len(html.encode()) < 3_000_000


def test_elements_are_closed_in_order_and_identifiers_are_unique(outline):
    assert outline.open == []
    assert len(outline.identifiers) == len(set(outline.identifiers))


def test_headings_descend_without_a_gap(outline):
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    steps = [b - a for a, b in zip(outline.headings, outline.headings[1:], strict=False)]
    assert max(steps) <= 1


def test_the_page_names_its_language_and_its_landmarks(outline):
    assert ("html", {"lang": "en"}) in outline.tags
    assert {"main", "header", "footer"} <= {tag for tag, _ in outline.tags}


def test_every_drawing_says_what_it_shows_and_has_its_table(outline):
    drawings = [attributes for tag, attributes in outline.tags if tag == "svg"]
    assert len(drawings) == 3
    assert all(d["role"] == "img" and len(d["aria-label"]) > 20 for d in drawings)
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("figure") == tags.count("figcaption") == 3
    assert tags.count("details") >= 3


def test_headings_of_columns_have_a_scope(outline):
    assert all(attributes.get("scope") for tag, attributes in outline.tags if tag == "th")


def test_text_of_a_record_cannot_become_markup(html, explanation, make_explanation):
    assert "<b>infused</b>" not in html
    assert "&lt;b&gt;infused" in html
    hostile = "<script>alert(1)</script>"
    fields = {"subject_id": hostile, "sentences": [hostile], "evidence": [{"statement": hostile, "rows": []}]}
    assert "<script" not in render_report(make_explanation(**fields))


def test_a_report_says_what_it_rests_on(html, explanation):
    for expected in ("2 values used here are assumed", "k_exhaust", "ab" * 32, "raje2019", "0.1.0", "Draws"):
        assert expected in html
    assert html.count("Research software; not a medical device.") == 2


def test_a_fit_that_did_not_converge_is_said_at_the_top(make_explanation):
    html = render_report(make_explanation(fit={"converged": False}))
    assert html.index("did not converge") < html.index("<h2")


def test_a_patient_who_did_not_fail_has_a_report_too(make_explanation):
    empty = pl.DataFrame()
    html = render_report(
        make_explanation(
            failed=False, failure_class="none", failure_day=None, answered=None, mechanisms=[], counterfactuals=empty
        )
    )
    assert "Why it failed" not in html
    assert "What would have happened" not in html


def test_a_record_that_does_not_tell_is_not_reported_as_a_success(make_explanation):
    html = render_report(make_explanation(failed=None, failure_class="unknown", failure_day=None, answered=None))
    assert "Whether the therapy failed cannot be told" in html
    assert "No failure" not in html


def test_the_same_explanation_gives_the_same_bytes(explanation, html):
    assert render_report(explanation) == html


def test_without_the_report_extra_tables_take_the_place_of_drawings(explanation, monkeypatch):
    monkeypatch.setattr(page, "has_renderer", lambda: False)
    html = render_report(explanation)
    assert "<svg" not in html
    assert html.count("needs the report extra") == 3
    assert "Values behind this figure" in html


def test_a_report_is_written_into_a_folder_that_did_not_exist(explanation, tmp_path):
    path = write_report(explanation, tmp_path / "new" / "report.html")
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_an_index_links_each_report(make_explanation, tmp_path):
    items = {"a/report.html": make_explanation(), "b/report.html": make_explanation(subject_id="p2", answered=None)}
    html = write_index(items, tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'href="a/report.html"' in html
    assert "Lost persistence (58 %)" in html
    assert "cannot be told" in html


def test_the_terminal_says_the_verdict_the_reasons_and_the_caveat_in_short_lines(explanation):
    text = format_explanation(explanation)
    assert "The therapy failed: late relapse, first seen on day 150." in text
    assert "Lost persistence    ############           58 %  (41 % to 73 %)" in text
    assert "Research software; not a medical device." in text
    assert max(len(line) for line in text.splitlines()) <= 88
    assert text.isascii()


def test_the_course_without_a_cause_is_told_in_percent(html):
    assert "<h3>Without each cause, probability of failure by day 365</h3>" in html
    assert "<td>Antigen-low escape</td><td>&gt;99 %</td><td>42 %</td><td>58 % (41 % to 73 %)</td>" in html


def test_evidence_is_told_once_in_a_report(make_explanation):
    told = "CAR transgene fell below its limit by day 120. This speaks for persistence."
    html = render_report(make_explanation(sentences=["It failed.", told]))
    assert html.count("CAR transgene fell below its limit") == 1


def test_the_terminal_leaves_out_what_is_hardly_possible(explanation):
    assert "Suppression" not in format_explanation(explanation)


def test_the_terminal_says_when_a_fit_did_not_converge(make_explanation):
    assert "did not converge" in format_explanation(make_explanation(fit={"converged": False}))
