"""Trials as documents of CTML: what goes in comes out, and what CTML cannot say is not forced into it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.core.errors import InputError
from livingdrug.io.ctml import VERBATIM, decode_ctml, encode_ctml, read_ctml, write_ctml
from livingdrug.options.ctml import decode_clause, encode_clause
from livingdrug.options.facts import Fact, FactTable
from livingdrug.options.oncotree_names import ONCOTREE, find_disease
from livingdrug.options.predicate import Group, Leaf, Unread, evaluate
from livingdrug.options.trial_criteria import list_criteria
from livingdrug.options.trial_record import TrialRecord

TEXT = """Inclusion Criteria:
* Relapsed multiple myeloma or Burkitt lymphoma
* Age 18 to 75 years
* ECOG 0-1
* Adequate organ function
Exclusion Criteria:
* Prior CAR-T therapy
* Mantle cell lymphoma
"""
RECORD = TrialRecord("NCT00000001", title="A trial", status="RECRUITING", phases=("PHASE1",), eligibility=TEXT)
# In the form of MatchMiner's engine: steps, arms, several keys of one clause, a genomic clause, a second arm.
FOREIGN = {
    "protocol_no": "11-111",
    "treatment_list": {
        "step": [
            {
                "step_code": "1",
                "arm": [
                    {
                        "arm_code": "A",
                        "dose_level": [],
                        "match": [
                            {
                                "and": [
                                    {"genomic": {"hugo_symbol": "NRAS", "variant_category": "!Mutation"}},
                                    {"clinical": {"age_numerical": ">=18", "oncotree_primary_diagnosis": "Melanoma"}},
                                ]
                            }
                        ],
                    },
                    {"arm_code": "B", "match": [{"clinical": {"oncotree_primary_diagnosis": "!_SOLID_"}}]},
                ],
            }
        ]
    },
}
clinical = st.one_of(
    st.builds(
        lambda sign, age: {"age_numerical": f"{sign}{age}"}, st.sampled_from([">=", ">", "<=", "<"]), st.integers(0, 99)
    ),
    st.builds(
        lambda mark, name: {"oncotree_primary_diagnosis": mark + name},
        st.sampled_from(["", "!"]),
        st.sampled_from([*ONCOTREE.values(), "Uveal Melanoma"]),
    ),
    st.builds(
        lambda mark, name: {"gender": mark + name}, st.sampled_from(["", "!"]), st.sampled_from(["Male", "Female"])
    ),
    st.just({"tmb_numerical": ">=10"}),
)
leaf = st.one_of(
    clinical.map(lambda inner: {"clinical": inner}),
    st.just({"genomic": {"hugo_symbol": "BRAF", "wildcard_protein_change": "p.V600"}}),
    st.just({"prior_treatments": {"drug": "!Lenalidomide"}}),
)
tree = st.recursive(
    leaf,
    lambda part: st.builds(
        lambda word, parts: {word: parts}, st.sampled_from(["and", "or"]), st.lists(part, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(tree)
def test_a_clause_that_was_read_is_written_as_it_was(clause):
    assert encode_clause(decode_clause(clause)) == clause


def test_several_keys_of_one_clause_are_asked_together():
    clause = {"clinical": {"age_numerical": ">=18", "oncotree_primary_diagnosis": "Plasma Cell Myeloma"}}
    read = decode_clause(clause)
    assert [part.fact for part in read.parts] == ["age_years", "disease.myeloma"]
    assert decode_clause(encode_clause(read)) == read


def test_every_name_of_oncotree_leads_back_to_the_disease_it_came_from():
    assert {name: find_disease(theirs) for name, theirs in ONCOTREE.items()} == {name: name for name in ONCOTREE}


@pytest.mark.parametrize(
    "predicate",
    [
        Leaf("ecog", "lte", 1.0),
        Leaf("prior.car_t", "eq", value=True),
        Leaf("antigen.BCMA", "eq", "positive"),
        Leaf("disease.lbcl", "eq", value=True),
        Group("any", (Leaf("age_years", "gte", 18.0), Leaf("ecog", "lte", 1.0))),
        Group("at_least", (Leaf("age_years", "gte", 18.0), Leaf("age_years", "lte", 70.0)), 1),
        Unread("Adequate organ function"),
    ],
)
def test_what_ctml_has_no_word_for_is_not_forced_into_it(predicate):
    assert encode_clause(predicate) is None


def test_a_denied_group_is_turned_round_leaf_by_leaf():
    group = Group("not", (Group("all", (Leaf("age_years", "gt", 70.0), Leaf("disease.mcl", "eq", value=True))),))
    assert encode_clause(group) == {
        "or": [
            {"clinical": {"age_numerical": "<=70"}},
            {"clinical": {"oncotree_primary_diagnosis": "!Mantle Cell Lymphoma"}},
        ]
    }


def test_a_registered_trial_comes_back_with_every_criterion():
    criteria = list_criteria(RECORD)
    document = json.loads(json.dumps(encode_ctml(RECORD, criteria)))
    record, again = decode_ctml(document)
    assert again == criteria
    assert (record.nct_id, record.title, record.status, record.phases) == (
        "NCT00000001",
        "A trial",
        "RECRUITING",
        ("PHASE1",),
    )
    assert [row["text"] for row in document[VERBATIM] if not row["in_match"]] == [
        "ECOG 0-1",
        "Adequate organ function",
        "Prior CAR-T therapy",
    ]


def test_a_clause_that_somebody_changed_counts_before_the_text():
    document = encode_ctml(RECORD, list_criteria(RECORD))
    document["treatment_list"]["step"][0]["arm"][0]["match"] = [{"clinical": {"age_numerical": ">=60"}}]
    _, criteria = decode_ctml(document)
    assert [c.predicate for c in criteria if c.source == "ctml"] == [
        Leaf("age_years", "gte", 60.0, ask="age at enrolment?")
    ]
    assert [c.text for c in criteria if c.source != "ctml"] == [
        "ECOG 0-1",
        "Adequate organ function",
        "Prior CAR-T therapy",
    ]


def test_arms_of_another_institute_are_alternatives_and_genes_are_shown_as_text():
    record, criteria = decode_ctml(FOREIGN)
    assert record.nct_id == "11-111"
    assert len(criteria) == 1
    facts = {"disease.solid": (Fact("disease.solid", value=False),), "age_years": (Fact("age_years", 61.0, "a"),)}
    assert evaluate(criteria[0].predicate, FactTable(facts)).state.value == "met"
    assert '"hugo_symbol": "NRAS"' in criteria[0].text


def test_a_folder_is_read_as_it_was_written_and_faults_name_the_file(tmp_path):
    trial = (RECORD, list_criteria(RECORD))
    assert write_ctml(tmp_path, [trial]) == 1
    (tmp_path / "b.json").write_text('{"title": "nothing"}', encoding="utf-8")
    (tmp_path / "c.yaml").write_text(
        "protocol_no: 11-112\ntreatment_list:\n  step:\n    - arm:\n        - match:\n            - clinical:\n"
        "                age_numerical: '>=18'\n",
        encoding="utf-8",
    )
    trials, faults = read_ctml(tmp_path)
    assert [record.nct_id for record, _ in trials] == ["NCT00000001", "11-112"]
    assert trials[0][1] == trial[1]
    assert [fault.where for fault in faults] == ["b.json"]


@pytest.mark.parametrize("clause", [{}, [], {"and": {}}, {"or": []}, {"and": ["text"]}])
def test_what_is_no_clause_is_refused_with_its_place(clause):
    with pytest.raises(InputError, match="match"):
        decode_clause(clause)
