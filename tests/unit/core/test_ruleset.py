import itertools

import pytest

from livingdrug.core.errors import KnowledgeError
from livingdrug.core.outcome import AntigenStatus, FailureClass, Mechanism, Response
from livingdrug.core.parameters import Value
from livingdrug.core.patient import Disease, Product
from livingdrug.core.ruleset import Finding, Ruleset, Truth, Verdict, all_of, any_of

T, F, U = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
NUMBER = {F: 0.0, U: 0.5, T: 1.0}


@pytest.mark.parametrize(("a", "b"), list(itertools.product(Truth, repeat=2)))
def test_logic_is_that_of_kleene(a, b):
    """False, unknown, true are 0, 1/2, 1; and is the minimum, or the maximum, not the complement."""
    assert NUMBER[a & b] == min(NUMBER[a], NUMBER[b])
    assert NUMBER[a | b] == max(NUMBER[a], NUMBER[b])
    assert NUMBER[~a] == 1 - NUMBER[a]
    assert ~(a & b) == ~a | ~b


def test_missing_data_never_decide():
    assert all_of([T, U, T]) == U
    assert all_of([T, U, F]) == F
    assert any_of([F, U]) == U
    assert any_of([F, U, T]) == T
    assert (all_of([]), any_of([])) == (T, F)


def test_a_truth_from_python_keeps_the_unknown():
    assert [Truth.of(value) for value in (True, False, None)] == [T, F, U]


def test_unknown_cannot_slip_through_an_if():
    with pytest.raises(TypeError, match="three-valued"):
        bool(U)


def test_a_threshold_that_is_not_there_is_named():
    value = Value(0.5, "g/dL", "kumar2016", "table 1", "reported")
    rules = Ruleset("imwg/2016", "IMWG", "kumar2016", {"pd_m_protein_absolute": value})
    assert rules.threshold("pd_m_protein_absolute") == 0.5
    with pytest.raises(KnowledgeError, match=r"imwg/2016.*'pd'.*pd_m_protein_absolute"):
        rules.threshold("pd")


def test_a_verdict_holds_everything_it_rests_on():
    finding = Finding("serum M-protein down by 50 %", T, rows=(0, 3), values=(3.0, 1.0), threshold=0.5)
    verdict = Verdict("P1", 28.0, "imwg/2016", "PR", (finding,), capped_by=("urine_m_protein",))
    assert verdict.findings[0].rows == (0, 3)
    assert {verdict, verdict} == {verdict}


def test_responses_are_ordered_from_worst_to_best():
    ordered = [Response.PD, Response.SD, Response.MR, Response.PR, Response.VGPR, Response.CR, Response.SCR]
    assert sorted(ordered, key=lambda r: r.rank) == ordered
    assert [r.is_response for r in ordered] == [False, False, True, True, True, True, True]
    assert not Response.NE.is_response
    assert not Response.ND.is_response


def test_every_mechanism_belongs_to_a_group():
    assert all(mechanism.group for mechanism in Mechanism)


@pytest.mark.parametrize("vocabulary", [FailureClass, AntigenStatus])
def test_what_is_not_known_has_a_word(vocabulary):
    assert vocabulary.UNKNOWN == "unknown"


def test_every_named_product_has_a_target():
    assert {p.target for p in Product if p is not Product.OTHER} == {"BCMA", "CD19"}
    assert Product.OTHER.target == ""
    assert Disease("myeloma") is Disease.MYELOMA
