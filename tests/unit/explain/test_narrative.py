from dataclasses import replace

import pytest

from livingdrug.core.outcome import Mechanism
from livingdrug.explain.answer import Answer
from livingdrug.explain.attribution import Attribution, MechanismShare
from livingdrug.explain.evidence import Evidence
from livingdrug.explain.narrative import Alternative, Facts, write_percent, write_sentences

LOW = MechanismShare("antigen_low", "antigen", "antigen-low escape", 0.72, 0.6, 0.8, 0.66, 0.1, 1.0)
FAST = MechanismShare("tumour_growth", "tumour", "fast tumour growth", 0.14, 0.1, 0.2, 0.2, 0.0, 0.9)
FACTS = Facts(
    subject_id="p1",
    disease="myeloma",
    product="ide_cel",
    failed=True,
    failure_class="late_relapse",
    failure_day=224.0,
    best_response="VGPR",
    reason="progression after VGPR later than day 90",
    rule="IMWG 2016",
    answer=Answer("antigen_low", "mechanism", 0.72, "enough"),
    attribution=Attribution((LOW, FAST), 0.14, 0.98, 256),
    evidence=(Evidence("Target density fell.", Mechanism.ANTIGEN_LOW, "for", (3,)),),
    horizon=365.0,
    is_converged=True,
    rows=40,
    assumed=12,
)


def write(**changes):
    return " ".join(write_sentences(replace(FACTS, **changes)))


def test_the_answer_comes_with_its_probability_and_effect():
    text = write()
    assert "It failed on day 224: a late relapse (progression after VGPR later than day 90)." in text
    assert "The most probable reason is antigen-low escape (probability 72 %, 90 % interval 60 % to 80 %)." in text
    assert "by day 365 falls from 98 % to 32 %" in text
    assert "Also possible: fast tumour growth 14 %, no single mechanism 14 %." in text
    assert "Target density fell. This speaks for antigen-low escape." in text


def test_a_group_answer_says_why_it_is_no_finer():
    text = write(answer=Answer("antigen", "group", 0.8, "two neighbours share it"))
    assert "lies in the target on the tumour" in text
    assert "two neighbours share it" in text


def test_no_answer_gives_the_reason_and_the_candidates():
    text = write(answer=Answer(None, "none", 0.4, "nothing reaches 0.6"))
    assert "Why cannot be told from this record: nothing reaches 0.6." in text
    assert "Candidates: antigen-low escape 72 %" in text


def test_a_patient_without_failure_gets_no_reason():
    text = write(failed=False, answer=None, attribution=None, evidence=())
    assert "has not failed" in text
    assert "reason" not in text


def test_a_failure_without_a_model_is_told_without_a_reason():
    text = write(answer=None, attribution=None, evidence=())
    assert "It failed on day 224" in text
    assert "no model here covers" in text


def test_an_unknown_outcome_is_said_to_be_unknown():
    assert "cannot be told" in write(failed=None, answer=None, attribution=None, evidence=())


def test_a_fit_that_did_not_converge_is_said_so():
    assert "did not converge" in write(is_converged=False)


@pytest.mark.parametrize("kind", ["primary_resistance", "incomplete_response", "early_relapse", "unknown"])
def test_every_class_of_failure_has_words(kind):
    assert kind not in write(failure_class=kind) or kind == "unknown"


def test_a_measurement_against_the_reason_named_is_pointed_out():
    against = Evidence("Target density was kept.", Mechanism.ANTIGEN_LOW, "against", (3,))
    other = Evidence("Cells were exhausted.", Mechanism.EXHAUSTION, "against", (4,))
    assert "A direct measurement speaks against antigen-low escape" in write(evidence=(against,))
    assert "A direct measurement" not in write(evidence=(other, *FACTS.evidence))


@pytest.mark.parametrize(("probability", "words"), [(0.0, "under 1 %"), (1.0, "over 99 %"), (0.995, "over 99 %")])
def test_a_limited_number_of_draws_never_shows_certainty(probability, words):
    assert write_percent(probability) == words


def test_a_dose_that_the_record_does_not_hold_is_said_to_stand_for_itself():
    text = " ".join(write_sentences(replace(FACTS, is_dose_known=False)))
    assert "The record holds no dose of day 0: the usual dose of the product stands for it." in text


def test_a_reason_that_hangs_on_an_open_choice_of_the_calibration_says_so():
    other = Alternative("gB", 0.55, 0.9, {"antigen_low": 0.41, "tumour_growth": 0.5})
    text = write(alternatives=(other,))
    assert "Trials do not tell how much patients differ in how fast their CAR T cells kill" in text
    assert "with a spread of 0.55 instead of 0.9, antigen-low escape would be 41 % instead of 72 %" in text
    assert "and fast tumour growth first." in text
    assert "Trials do not tell" not in write(alternatives=(replace(other, chances={"antigen_low": 0.7}),))
