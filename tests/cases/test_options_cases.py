"""Every option on both sides of its main rule, as cases that a clinician can read and add to."""

from pathlib import Path

import pytest
import yaml

from livingdrug.knowledge.options import load_options
from livingdrug.options.facts import Fact, create_fact_table
from livingdrug.study.list_options import judge_facts

CASES = yaml.safe_load((Path(__file__).parent / "options.yaml").read_text(encoding="utf-8"))
DAY = 400.0
LEAST = 120


def judge(case):
    words = load_options().facts
    facts = [
        Fact(name, value if isinstance(value, bool | str) else float(value), words[name].unit, DAY, "case", 1)
        for name, value in {"disease": case["disease"], **case["facts"]}.items()
    ]
    return {one.judgement.option.id: one for one in judge_facts(create_fact_table(facts, DAY), case["disease"])}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_each_case_stands_in_the_band_that_a_clinician_expects(case):
    found = judge(case)
    expect, fit = case.get("expect", {}), case.get("fit", {})
    assert expect or fit or case.get("on_hold") or case.get("unranked"), "a case must expect something"
    assert {name: found[name].judgement.band.value for name in expect} == expect
    assert {name: found[name].judgement.fit for name in fit} == fit
    for name, text in case.get("on_hold", {}).items():
        assert text in [one.rule.text for one in found[name].judgement.waiting if one.state.value == "not_met"]
    assert [name for name in case.get("unranked", []) if found[name].rank is not None] == []


def test_there_are_enough_cases_and_every_treatment_is_in_them_both_ways():
    assert len(CASES) >= LEAST
    offered = {
        name for case in CASES for name, band in case.get("expect", {}).items() if band in ("plausible", "supported")
    }
    refused = {name for case in CASES for name, band in case.get("expect", {}).items() if band == "excluded"}
    treatments = {name for name, one in load_options().options.items() if one.kind in ("active", "investigational")}
    assert treatments - offered == {"myeloma.checkpoint_imid"}
    assert treatments - refused <= {"solid.car.nk", "solid.car.dual"}
