import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livingdrug.cli.entry import main
from livingdrug.core.errors import InputError
from livingdrug.core.fact_state import FactState
from livingdrug.io.clinical_trials import read_trials
from livingdrug.io.trial_index import read_trial_index
from livingdrug.options.eligibility import extract_statements
from livingdrug.options.eligibility_text import split_text
from livingdrug.options.facts import Fact, create_fact_table
from livingdrug.options.predicate import Group, Leaf, Unread, decode_predicate, encode_predicate, evaluate
from livingdrug.options.trial_criteria import list_criteria
from livingdrug.options.trial_record import TrialRecord
from livingdrug.study.examples import load_example
from livingdrug.study.match_trials import encode_matches, index_trials, match_trials

TEXT = """Inclusion Criteria:

* Relapsed or refractory multiple myeloma
* Age 18 to 75 years
* ECOG performance status 0-1
* Adequate organ function, as judged by the investigator

Exclusion Criteria:

* {bar}
"""


def build_study(nct_id, bar):
    return {
        "protocolSection": {
            "identificationModule": {"nctId": nct_id, "briefTitle": "CAR-T in myeloma"},
            "statusModule": {"overallStatus": "RECRUITING"},
            "conditionsModule": {"conditions": ["Multiple Myeloma"]},
            "eligibilityModule": {"eligibilityCriteria": TEXT.format(bar=bar)},
        }
    }


@pytest.fixture
def index(tmp_path):
    studies = [
        build_study("NCT00000001", "Prior CAR-T therapy"),
        build_study("NCT00000002", "Prior CD19 CAR-T therapy"),
    ]
    source = tmp_path / "studies.json"
    source.write_text(json.dumps({"studies": studies}), encoding="utf-8")
    index_trials(source, tmp_path / "trials.sqlite")
    return tmp_path / "trials.sqlite"


def test_a_patient_after_car_t_is_excluded_where_the_text_bars_it_and_asked_where_it_bars_another_target(index):
    found = {trial.nct_id: match for trial, match in match_trials(load_example("myeloma_late_relapse"), index)}
    assert found["NCT00000001"].result == "excluded"
    assert found["NCT00000001"].excluded_by == ("Prior CAR-T therapy",)
    assert found["NCT00000002"].result == "open questions"
    assert any("CD19" in question for question in found["NCT00000002"].asks)


def test_every_criterion_is_shown_verbatim_with_its_state_and_row(index):
    plain = encode_matches(match_trials(load_example("myeloma_late_relapse"), index))
    criteria = {(one["text"], one["state"]): one for one in plain[0]["criteria"]}
    unread = criteria[("Adequate organ function, as judged by the investigator", "unsupported")]
    assert unread["predicate"] is None
    disease = criteria[("Relapsed or refractory multiple myeloma", "met")]
    assert (disease["fact"]["file"], disease["fact"]["row"]) == ("subjects.csv", 2)
    assert ("ECOG performance status 0-1", "unknown") in criteria
    assert "eligible" not in plain[0]["summary"]["sentence"]


def test_indexing_again_replaces_and_does_not_repeat(index, tmp_path):
    index_trials(tmp_path / "studies.json", index)
    assert len(list(read_trial_index(index))) == 2
    assert [trial.nct_id for trial in read_trial_index(index, search="CD19")] == ["NCT00000002"]
    assert list(read_trial_index(index, search='" OR -')) is not None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "must be JSON"),
        ("[]", "must be a study"),
        ("{}", "must be a study"),
        ('{"protocolSection": 3}', "must be a study"),
        ('{"protocolSection": {"identificationModule": {"nctId": 7}}}', "must be a study"),
    ],
)
def test_a_record_that_cannot_be_read_is_a_sentence_with_its_row_and_the_others_are_kept(tmp_path, line, words):
    file = tmp_path / "studies.ndjson"
    file.write_text(json.dumps(build_study("NCT00000001", "None")) + "\n" + line + "\n", encoding="utf-8")
    records, faults = read_trials(file)
    assert [record.nct_id for record in records] == ["NCT00000001"]
    assert words in str(faults[0])
    assert "studies.ndjson, row 2" in str(faults[0])


@pytest.mark.parametrize("module", [None, 3, [], "x", {"eligibilityCriteria": None}, {"eligibilityCriteria": 5}])
def test_a_record_without_criteria_of_the_known_form_is_kept_without_them(tmp_path, module):
    study = build_study("NCT00000001", "None")
    study["protocolSection"]["eligibilityModule"] = module
    file = tmp_path / "one.json"
    file.write_text(json.dumps(study), encoding="utf-8")
    records, _ = read_trials(file)
    assert records[0].eligibility == ""


def test_what_is_no_index_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="was missing"):
        list(read_trial_index(tmp_path / "none.sqlite"))
    (tmp_path / "text.sqlite").write_text("no database " * 99, encoding="utf-8")
    with pytest.raises(InputError, match="must be an index"):
        list(read_trial_index(tmp_path / "text.sqlite"))
    (tmp_path / "empty.sqlite").write_bytes(b"")
    with pytest.raises(InputError, match="of form 0"):
        list(read_trial_index(tmp_path / "empty.sqlite"))


def test_the_command_prints_spans_that_hold_the_words(tmp_path, capsys):
    file = tmp_path / "one.json"
    file.write_text(json.dumps(build_study("NCT00000001", "Prior CAR-T therapy")), encoding="utf-8")
    assert main(["trials", "extract", str(file), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    text = TEXT.format(bar="Prior CAR-T therapy")
    for row in rows:
        assert {"nct_id", "target", "polarity", "value", "span"} <= set(row)
        assert text[row["span"][0] : row["span"][1]] == row["text"]
    assert {row["target"] for row in rows} == {"disease", "age", "ecog", "prior_car_t"}


LINES = st.lists(
    st.sampled_from(
        ["Inclusion Criteria:", "Exclusion Criteria", "* Age ≥ 18", "1. ECOG 0-1; no CAR-T.", "（一）ＣＤ19", "", "-"]
    )
    | st.text(max_size=40),
    max_size=12,
)


@given(lines=LINES)
@settings(max_examples=60)
def test_every_character_of_a_text_belongs_to_exactly_one_unit(lines):
    text = "\n".join(lines)
    units = split_text(text).units
    assert "".join(text[unit.start : unit.end] for unit in units) == text


@given(lines=LINES)
@settings(max_examples=60)
def test_no_text_is_too_odd_to_be_listed_and_spans_stay_inside(lines):
    record = TrialRecord("NCT00000001", conditions=("DLBCL",), eligibility="\n".join(lines))
    for one in extract_statements(record):
        assert one.source != "eligibilityCriteria" or 0 <= one.start < one.end <= len(record.eligibility)
    list_criteria(record)


NAMES = ("ecog", "age", "antigen.CD19")
LEAVES = st.builds(
    Leaf, st.sampled_from(NAMES), st.sampled_from(["gte", "lte", "gt", "lt"]), st.integers(0, 3).map(float)
)
PREDICATES = st.recursive(
    LEAVES | st.just(Unread("text")),
    lambda inner: (
        st.builds(Group, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Group, st.just("not"), inner.map(lambda one: (one,)))
    ),
    max_leaves=6,
)
FACTS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3).map(float))


@given(predicate=PREDICATES, facts=FACTS, forgotten=st.sampled_from(NAMES))
def test_forgetting_a_fact_never_makes_anything_met_or_not_met(predicate, facts, forgotten):
    def ask(known):
        table = create_fact_table([Fact(name, value, day=0.0) for name, value in known.items()], 0.0)
        return evaluate(predicate, table).state

    before = ask(facts)
    after = ask({name: value for name, value in facts.items() if name != forgotten})
    assert after is before or after.truth == "unknown"
    opposite = evaluate(Group("not", (predicate,)), create_fact_table([], 0.0)).state
    assert opposite is ~ask({})


@given(predicate=PREDICATES)
def test_a_predicate_survives_being_written_down(predicate):
    assert decode_predicate(json.loads(json.dumps(encode_predicate(predicate)))) == predicate


def test_two_rows_of_one_day_that_disagree_across_a_limit_are_a_conflict():
    table = create_fact_table([Fact("ecog", 1.0, day=5.0, row=2), Fact("ecog", 3.0, day=5.0, row=3)], 9.0)
    assert evaluate(Leaf("ecog", "lte", 1.0), table).state is FactState.CONFLICT
    assert evaluate(Leaf("ecog", "lte", 4.0), table).state is FactState.MET


def test_a_stale_fact_is_unknown_and_says_from_when():
    table = create_fact_table([Fact("ecog", 1.0, day=5.0)], 90.0, {"ecog": 30.0})
    trace = evaluate(Leaf("ecog", "lte", 1.0), table)
    assert trace.state is FactState.UNKNOWN
    assert "day 5" in trace.reason
