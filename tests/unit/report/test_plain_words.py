import re
from html.parser import HTMLParser

import pytest
from tests.unit.report.conftest import make_explanation

from livingdrug.core.outcome import FailureClass, Mechanism, MechanismGroup
from livingdrug.report.patient_document import render_patient_report
from livingdrug.report.plain_words import OUTCOMES, REASONS

HIGHEST_GRADE = 8.0


class Prose(HTMLParser):
    """Collects what is read as text: paragraphs, list items, meanings; not tables and drawings."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.inside, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag in {"p", "li", "dd", "figcaption", "svg", "table", "style"}:
            self.inside.append(tag)
            self.text.append("\n")

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if self.inside and not {"svg", "table", "style"} & set(self.inside):
            self.text.append(data)


def count_syllables(word):
    plain = re.sub(r"[^a-z]", "", word.lower())
    if len(plain) <= 3:
        return 1
    plain = re.sub(r"(?:[^laeiouy]es|ed|[^laeiouy]e)$", "", plain)
    return max(1, len(re.findall(r"[aeiouy]+", plain)))


def compute_grade(text):
    """Return the school grade of Flesch and Kincaid."""
    sentences = [
        s for line in text.splitlines() for s in re.split(r"[.!?:]+(?:\s|$)", line) if re.search("[A-Za-z]", s)
    ]
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", text)
    syllables = sum(count_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def test_the_grade_is_that_of_known_texts():
    easy = "The cat sat on the mat. The dog ran to the cat."
    hard = "Pharmacokinetic heterogeneity necessitates individualised multidimensional characterisation."
    assert compute_grade(easy) < 2
    assert compute_grade(hard) > 20


@pytest.mark.parametrize("answered", [None, *Mechanism, *MechanismGroup])
def test_a_patient_of_twelve_can_read_every_reason(answered):
    html = render_patient_report(make_explanation(answered=answered))
    assert compute_grade("".join(Prose(html).text)) <= HIGHEST_GRADE


@pytest.mark.parametrize("failed", [True, False, None])
@pytest.mark.parametrize("failure_class", list(FailureClass))
def test_a_patient_of_twelve_can_read_every_outcome(failed, failure_class):
    html = render_patient_report(make_explanation(failed=failed, failure_class=failure_class))
    assert compute_grade("".join(Prose(html).text)) <= HIGHEST_GRADE


def test_every_reason_and_every_outcome_has_plain_words():
    assert set(REASONS) == {*Mechanism, *MechanismGroup}
    assert set(OUTCOMES) == set(FailureClass) - {FailureClass.NONE}


def test_what_is_not_known_is_said_to_be_unknown():
    assert "We can not tell why" in render_patient_report(make_explanation(answered=None))
    assert "do not tell us if the treatment still works" in render_patient_report(make_explanation(failed=None))
