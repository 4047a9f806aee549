"""What can be done next, in the report of the clinician and in that of the patient."""

import re

import pytest
from tests.unit.report.conftest import make_explanation
from tests.unit.report.test_plain_words import HIGHEST_GRADE, Prose, compute_grade

from livingdrug.knowledge.options import load_options
from livingdrug.options.facts import Fact, FactTable
from livingdrug.report.document import render_report
from livingdrug.report.patient_document import render_patient_report
from livingdrug.report.plain_options import CALL_NOW, KINDS, list_kinds
from livingdrug.study.list_options import judge_facts
from livingdrug.study.option_list import OptionList, describe_option, list_questions

DISEASES = ("myeloma", "lbcl", "b_all", "solid")


def make_options(disease, **facts):
    known, table = load_options(), FactTable({name: (Fact(name, value),) for name, value in facts.items()})
    ranked = judge_facts(table, disease)
    options = tuple(describe_option(one, known, disease, "not simulated: it was not asked for") for one in ranked)
    failure = {"failed": True, "class": "late_relapse", "day": 300.0, "mechanism": None}
    return OptionList("p1", disease, "ide_cel", failure, options, list_questions(ranked), None, (), (), table)


@pytest.mark.parametrize("disease", DISEASES)
def test_a_patient_of_twelve_can_read_what_may_come_next(disease):
    html = render_patient_report(make_explanation(), make_options(disease))
    assert compute_grade("".join(Prose(html).text)) <= HIGHEST_GRADE
    section = html.split('id="next"')[1].split("</section>")[0]
    assert compute_grade("".join(Prose(section).text)) <= HIGHEST_GRADE


def test_comfort_care_comes_first_and_no_number_and_no_order_of_merit_stands_there():
    html = render_patient_report(make_explanation(), make_options("myeloma"))
    section = re.sub(r"<[^>]+>", " ", html.split('id="next"')[1].split("</section>")[0])
    assert section.index("Comfort care") < section.index("A trial") < section.index("CAR T cells again")
    assert not re.search(r"\d", section)
    assert "you should" not in html


@pytest.mark.parametrize("options", [None, "myeloma"])
def test_when_to_call_stands_on_every_page_of_a_patient(options):
    html = render_patient_report(make_explanation(), None if options is None else make_options(options))
    assert all(sign in html for sign in CALL_NOW)


def test_what_is_excluded_for_this_person_is_not_offered_to_ask_about():
    offered = list_kinds(make_options("myeloma", **{"planned.imid": True}))
    assert KINDS["pd1_inhibitor"] not in offered
    assert KINDS["bispecific"] in offered


def test_every_kind_of_treatment_in_the_option_files_has_plain_words():
    treating = {o.intervention.name for o in load_options().options.values() if o.kind in ("active", "investigational")}
    assert treating <= set(KINDS)


def test_the_report_of_the_clinician_holds_bands_reasons_evidence_and_doubts():
    options = make_options("myeloma", **{"antigen.BCMA": "positive"})
    html = render_report(make_explanation(), options=options)
    section = html.split('id="options"')[1]
    assert "Palliative care" in section
    assert "Needs data" in section
    assert "Excluded" in section
    assert "KEYNOTE" in section
    shown = [one for one in options.options if one["panel"] != "always"]
    assert section.count("Reasons this may be wrong") == len(shown)
    assert section.count("What cuts the other way") == len(shown)
    assert "&lt;section" not in html


def test_a_report_without_options_is_as_it_was():
    assert 'id="options"' not in render_report(make_explanation())
