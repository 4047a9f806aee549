"""Laws that no option may break, on ten thousand random patients."""

import re

import numpy as np
import pytest

from livingdrug.core.fact_state import FactState
from livingdrug.knowledge.options import load_options
from livingdrug.options.facts import Fact, FactTable
from livingdrug.options.option_rules import TREATING
from livingdrug.options.option_words import describe_item, list_doubts, write_why
from livingdrug.study.list_options import judge_facts

PATIENTS = 10_000
DISEASES = ("lbcl", "b_all", "myeloma", "solid")
PRIOR = {"lbcl": "CD19", "b_all": "CD19", "myeloma": "BCMA", "solid": "OTHER"}
KNOWN = load_options()
NUMBERS = {
    "age_years": (18, 90),
    "failure.day": (20, 700),
    "ecog": (0, 5),
    "neutrophils": (0, 6),
    "platelets": (5, 300),
    "remission_after_auto_months": (2, 60),
    "prior.lines": (1, 9),
}
WORDS = {
    "sex": ("female", "male"),
    "response.best": ("CR", "SD"),
    "failure.class": ("primary_resistance", "late_relapse"),
}
LINEAGE = ("CD19", "CD22")
_DIGITS = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w.]*\d)")


def draw_value(word, rng):
    if word.kind == "truth":
        return bool(rng.random() < 0.5)
    if word.kind == "number":
        low, high = NUMBERS.get(word.name, (0, 100))
        return float(np.round(rng.uniform(low, high), 1))
    choices = word.words or WORDS.get(word.name, ("other",))
    return str(choices[rng.integers(len(choices))])


def draw_patient(rng):
    """A disease and what is known: each fact with a chance of its own, so that sparse and full records occur."""
    disease = DISEASES[rng.integers(len(DISEASES))]
    share = rng.random()
    names = [name for name in KNOWN.facts if rng.random() < share]
    facts = {
        name: (Fact(name, draw_value(KNOWN.facts[name], rng), KNOWN.facts[name].unit, 1.0, "x", 1),) for name in names
    }
    facts["disease"] = (Fact("disease", disease),)
    if rng.random() < 0.9:
        facts["prior.car_t.target"] = (Fact("prior.car_t.target", PRIOR[disease]),)
    if rng.random() < 0.9:
        facts["failure.failed"] = (Fact("failure.failed", value=True),)
    return disease, facts


def say(facts, name):
    return facts[name][0].value if name in facts else None


def check_laws(disease, facts, ranked):
    by_id = {one.judgement.option.id: one for one in ranked}
    first = ranked[0].judgement.option
    assert first.id == "any.palliative_care"
    assert ranked[0].rank is None
    for name, one in by_id.items():
        judgement = one.judgement
        option, given = judgement.option, {judgement.option.intervention.name, *judgement.option.intervention.parts}
        if (
            disease == "myeloma"
            and "pd1_inhibitor" in given
            and ("imid" in given or say(facts, "planned.imid") is True)
        ):
            assert judgement.band == "excluded", name
        if disease == "myeloma" and "imid" in given and say(facts, "planned.checkpoint_inhibitor") is True:
            assert judgement.band == "excluded", name
        if option.kind in TREATING:
            check_antigens(disease, facts, judgement)
        if judgement.band == "supported":
            studies = {KNOWN.evidence[item].study for item in judgement.supporting}
            assert len(studies) >= 2, name
            assert not any(KNOWN.evidence[item].is_recalled for item in judgement.supporting), name
            assert disease != "solid"
        if one.rank is not None:
            assert judgement.band.is_offered
            assert disease != "solid"
        if name.endswith(".second_infusion") and say(facts, "response.responded") is False:
            assert judgement.band == "excluded" or (disease == "solid" and judgement.band != "supported")


def check_antigens(disease, facts, judgement):
    option = judgement.option
    prior = say(facts, "prior.car_t.target")
    targets = [prior if target == "PRIOR" else target for target in option.intervention.targets]
    states = [say(facts, f"antigen.{target}") for target in targets]
    if states and (all if option.intervention.needs == "any" else any)(state == "negative" for state in states):
        assert judgement.band == "excluded", option.id
    if option.intervention.needs == "all" and None in states:
        assert not judgement.band.is_offered, option.id
    if "low" in states:
        assert judgement.band != "supported", option.id
    if disease == "b_all" and say(facts, "lineage_switch") is True and set(targets) & set(LINEAGE):
        assert judgement.band == "excluded", option.id


def find_height(band):
    return band.rank if band.is_offered else 0


def check_removal(disease, facts, ranked, rng):
    """Without one fact no option that was not offered is, none is supported that was not, and no rule becomes met."""
    gone = list(facts)[rng.integers(len(facts))]
    less = {name: known for name, known in facts.items() if name != gone}
    before = {one.judgement.option.id: one.judgement for one in ranked}
    for one in judge_facts(FactTable(less, 10.0), disease):
        judgement, old = one.judgement, before[one.judgement.option.id]
        # excluded and needs data are both not offered: what excluded an option may be what is now unknown
        assert find_height(judgement.band) <= find_height(old.band), (judgement.option.id, gone)
        for now, then in zip(judgement.states, old.states, strict=True):
            assert now.state in (then.state, FactState.UNKNOWN), (judgement.option.id, now.rule.name, gone)


def test_ten_thousand_random_patients_break_no_law():
    rng = np.random.default_rng(20261121)
    bands = set()
    for number in range(PATIENTS):
        disease, facts = draw_patient(rng)
        ranked = judge_facts(FactTable(facts, 10.0), disease)
        check_laws(disease, facts, ranked)
        bands |= {one.judgement.band.value for one in ranked}
        if number % 10 == 0:
            check_removal(disease, facts, ranked, rng)
    assert bands == {"excluded", "needs_data", "plausible", "supported"}


def list_numbers(values):
    for value in values:
        if isinstance(value, dict):
            yield from list_numbers(value.values())
        elif isinstance(value, list | tuple):
            yield from list_numbers(value)
        else:
            yield from (f"{float(number):g}" for number in _DIGITS.findall(str(value)))


def find_loose_numbers(text):
    """Numbers of a sentence that stand in no evidence item which the sentence names."""
    named = [KNOWN.evidence[item] for item in dict.fromkeys(re.findall(r"NE-\d{3}", text))]
    known = {
        n for item in named for n in list_numbers([item.n, item.outcomes, item.computed, item.modifiers, item.notes])
    }
    known |= {n for item in named for n in list_numbers([item.population, item.outcomes_reason, item.notes])} | {"95"}
    known |= {"3", "6", "12", "30"} if named else set()
    plain = re.sub(r"NE-\d{3}|phase\d( \d)*|9p24|11;14|t\(11;14\)|95 % interval|at \d+ months|last \d+ days", "", text)
    return [number for number in list_numbers([plain]) if number not in known]


def test_every_number_of_every_sentence_belongs_to_an_evidence_item_that_it_names():
    rng = np.random.default_rng(7)
    for _ in range(300):
        disease, facts = draw_patient(rng)
        for one in judge_facts(FactTable(facts, 10.0), disease):
            judgement = one.judgement
            doubts = list_doubts(judgement, KNOWN.evidence, disease)
            assert doubts
            for text in (write_why(judgement, KNOWN.evidence), *doubts):
                assert find_loose_numbers(text) == [], text


@pytest.mark.parametrize("name", sorted(KNOWN.evidence))
def test_an_item_from_memory_shows_no_number_and_the_others_only_their_own(name):
    item = KNOWN.evidence[name]
    assert find_loose_numbers(describe_item(item)) == []
    if item.is_recalled:
        assert "%" not in describe_item(item)


def test_every_option_lists_what_cuts_the_other_way_or_says_why_it_knows_none():
    assert [name for name, one in KNOWN.options.items() if not (one.disconfirming or one.disconfirming_reason)] == []
