"""From a record to its options: bands, rows, what is simulated, and the files."""

import json

import polars as pl
import pytest

from livingdrug.cli.entry import main
from livingdrug.core.errors import InputError
from livingdrug.io.tables import read_record
from livingdrug.knowledge.options import load_options
from livingdrug.knowledge.rules import load_rules
from livingdrug.options.facts import Fact
from livingdrug.options.option_combination import check_combination
from livingdrug.study.after_failure import find_failed
from livingdrug.study.examples import load_example
from livingdrug.study.list_options import list_options
from livingdrug.study.option_answers import read_answers
from livingdrug.study.simulate_options import simulate_options

SUBJECTS = "subject_id,disease,product,age_years,sex,weight_kg,source\np1,lbcl,axi_cel,61,male,80,test\n"
EVENTS = "subject_id,day,type,amount,unit,duration_days,note\np1,0,car_t,2e8,cells,,\n"
HEAD = "subject_id,day,variable,value,unit,assay,lloq,censored,source\n"
LATE = {-8: 4000, 30: 900, 90: 600, 180: 500, 260: 3500}
PRIMARY = {-8: 4000, 30: 8000}


def write_lymphoma(folder, sizes, cd19, *, ecog=1):
    day = max(sizes)
    rows = [f"p1,{d},tumour_spd,{size},mm2,CT,,none,test" for d, size in sizes.items()]
    rows += [f"p1,{d},deauville,{2 if d < day else 5},score,PET,,none,test" for d in sizes if d > 0]
    if cd19 is not None:
        rows.append(f"p1,{day},antigen_positive_fraction:CD19,{cd19},1,flow,,none,test")
    rows.append(f"p1,{day},ecog,{ecog},score,,,none,test")
    texts = {"subjects": SUBJECTS, "events": EVENTS, "observations": HEAD + "\n".join(rows) + "\n"}
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return read_record(folder)


def by_id(found):
    return {one["id"]: one for one in found.options}


def test_a_late_relapse_with_the_antigen_makes_a_second_infusion_plausible_with_lymphodepletion(tmp_path):
    found = list_options(write_lymphoma(tmp_path, LATE, 0.9), jobs=1)
    second = by_id(found)["lbcl.second_infusion"]
    assert second["band"] == "plausible"
    assert "lymphodepletion" in second["title"]
    with_it, without = second["simulated"]["variants"]
    assert with_it["name"] == "with lymphodepletion"
    assert with_it["response"] > without["response"] + 0.1
    assert "posterior" in second["simulated"]["basis"]


def test_an_antigen_negative_relapse_excludes_every_agent_of_that_antigen(tmp_path):
    found = list_options(write_lymphoma(tmp_path, LATE, 0.01), simulate=False)
    same = [
        one
        for one in found.options
        if one["intervention"]["targets"] == ["CD19"] or "PRIOR" in one["intervention"]["targets"]
    ]
    assert len(same) >= 5
    assert {one["band"] for one in same} == {"excluded"}
    state = next(s for s in by_id(found)["lbcl.second_infusion"]["states"] if s["rule"] == "antigen_present")
    assert state["state"] == "not_met"
    assert state["row"].startswith("observations.csv, row ")


def test_primary_non_response_says_why_a_repeat_is_futile(tmp_path):
    found = list_options(write_lymphoma(tmp_path, PRIMARY, 0.9), simulate=False)
    second = by_id(found)["lbcl.second_infusion"]
    assert second["band"] == "excluded"
    assert "futile" in second["why"]
    assert "NE-031" in second["why"]
    assert "0/8" in second["why"]


def test_an_antigen_that_nobody_looked_for_is_asked_for(tmp_path):
    found = list_options(write_lymphoma(tmp_path, LATE, None), simulate=False)
    second = by_id(found)["lbcl.second_infusion"]
    assert second["band"] == "needs_data"
    assert "CD19 on the relapse biopsy?" in second["why"]
    assert any(question["ask"] == "CD19 on the relapse biopsy?" for question in found.questions)


@pytest.fixture(scope="module")
def late():
    return list_options(load_example("myeloma_late_relapse"), seed=1, jobs=1)


def test_options_of_an_example_start_with_palliative_care_and_are_simulated_in_the_patient(late):
    assert late.options[0]["id"] == "any.palliative_care"
    assert late.failure["class"] == "late_relapse"
    bispecific = by_id(late)["myeloma.bispecific.bcma"]["simulated"]
    assert bispecific["strength"] == "fitted"
    assert bispecific["compared_with"] == ("NE-043", "NE-037", "NE-044", "NE-045")
    assert "posterior" in bispecific["basis"]
    low, high = bispecific["difference"]["response_interval"]
    assert low <= bispecific["difference"]["response"] <= high
    assert 0 <= by_id(late)["myeloma.second_infusion"]["simulated"]["crs_grade3"] <= 1


def test_every_option_has_the_fields_that_others_rely_on(late):
    fields = {"id", "band", "why", "states", "evidence", "disconfirming", "simulated", "mechanism_fit", "may_be_wrong"}
    for one in json.loads(late.to_json()):
        assert fields <= set(one)
        assert one["may_be_wrong"]
        assert bool(one["simulated"]) != bool(one["not_simulated"])
        assert all({"rule", "state", "fact", "row", "ask"} <= set(state) for state in one["states"])
        assert all(state["row"] for state in one["states"] if state["fact"])


def test_a_simulation_moves_no_option(late):
    bare = by_id(list_options(load_example("myeloma_late_relapse"), seed=1, simulate=False, jobs=1))
    assert {name: one["band"] for name, one in by_id(late).items()} == {name: one["band"] for name, one in bare.items()}


def test_the_same_seed_gives_the_same_options_whatever_the_workers(late):
    again = list_options(load_example("myeloma_late_relapse"), seed=1, jobs=2)
    assert again.to_json() == late.to_json()


def test_answers_resolve_what_was_asked(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("fact,value,unit,day,note\nantigen.GPRC5D,positive,,,biopsy\necog,1,,,\n", encoding="utf-8")
    answers = read_answers(path, load_options().facts)
    found = by_id(list_options(load_example("myeloma_late_relapse"), answers=answers, simulate=False))
    assert found["myeloma.bispecific.gprc5d"]["band"] == "plausible"
    state = next(s for s in found["myeloma.bispecific.gprc5d"]["states"] if s["rule"] == "antigen_present")
    assert state["row"] == "answers.csv, row 2"


def test_an_answer_that_contradicts_the_record_is_a_conflict_and_not_a_choice():
    record = load_example("myeloma_primary_resistance")
    day = float(record.observations.filter(pl.col("variable") == "antigen_positive_fraction:BCMA")["day"].max())
    answers = (Fact("antigen.BCMA", "negative", day=day, file="answers.csv", row=2),)
    one = by_id(list_options(record, answers=answers, simulate=False))["myeloma.bispecific.bcma"]
    assert one["band"] == "needs_data"
    assert next(s for s in one["states"] if s["rule"] == "antigen_present")["state"] == "conflict"


def test_faults_of_answers_come_all_at_once(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("fact,value\nantigen.BCMAA,positive\necog,good\nautoimmune_disease,maybe\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_answers(path, load_options().facts)
    assert len(caught.value.faults) == 3
    assert "did you mean antigen.BCMA" in str(caught.value)


def test_the_simulator_refuses_a_combination_that_harms():
    with pytest.raises(InputError, match="NE-051"):
        check_combination("myeloma", ("imid", "pd1_inhibitor"))
    check_combination("lbcl", ("imid", "pd1_inhibitor"))


@pytest.mark.parametrize("disease", ["myeloma", "lbcl", "b_all"])
def test_drugs_fitted_to_a_row_respond_as_it_says_in_other_virtual_patients(disease):
    known, settings = load_options(), load_rules("options/1")
    start = find_failed(disease, 240, 5, jobs=1)
    fitted = [one for one in known.options.values() if disease in one.diseases and one.simulation.lever == "kill"]
    found = simulate_options(fitted, start, settings, with_toxicity=False, jobs=1)[0]
    assert fitted
    for option in fitted:
        outcomes = known.evidence[option.simulation.compared_with[0]].outcomes
        published = outcomes.get("orr_pct", outcomes.get("cr_pct"))
        assert 100 * found[option.id].response == pytest.approx(published, abs=8), option.id


def test_the_command_writes_the_list_the_context_and_a_page(tmp_path, capsys):
    arguments = ["options", "--example", "myeloma_early_relapse", "--out", str(tmp_path), "--no-simulation", "--json"]
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "options.json").read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "options_context.json").read_text(encoding="utf-8"))["facts"]
    page = (tmp_path / "options.html").read_text(encoding="utf-8")
    assert "Reasons this may be wrong" in page
    assert "<script" not in page


def test_the_command_knowledge_lists_shows_and_checks(capsys):
    assert main(["knowledge", "list", "options"]) == 0
    assert "myeloma.second_infusion" in capsys.readouterr().out
    assert main(["knowledge", "show", "NE-031"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 10
    assert main(["knowledge", "show", "myeloma.second_infusio"]) == 2
    assert "did you mean myeloma.second_infusion" in capsys.readouterr().err
    assert main(["knowledge", "check"]) == 0
