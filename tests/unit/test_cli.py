import json
from dataclasses import replace

import polars as pl
import pytest

from livingdrug.cli.entry import main
from livingdrug.core.errors import Fault, InputError, KnowledgeError
from livingdrug.core.tables import Record
from livingdrug.study import examples, explain_failure
from livingdrug.study.explanation import Explanation

EMPTY = pl.DataFrame()
COURSE = {"variable": pl.String, "unit": pl.String, "day": pl.Float64}
POINTS = {**COURSE, "value": pl.Float64, "lloq": pl.Float64, "censored": pl.String}
BANDS = {**COURSE, "lower": pl.Float64, "median": pl.Float64, "upper": pl.Float64}


def invent(subject_id="p1", **changes):
    """An explanation without data: the commands need its shape only."""
    one = Explanation(
        subject_id=subject_id,
        disease="myeloma",
        product="ide_cel",
        failed=True,
        failure_class="early_relapse",
        failure_day=60.0,
        response_rows=pl.DataFrame(schema={"day": pl.Float64}),
        best_response="PR",
        answered=None,
        mechanisms=[],
        evidence=[],
        sentences=["The therapy failed on day 60."],
        fit={"converged": True},
        bands=pl.DataFrame(schema=BANDS),
        observations=pl.DataFrame(schema=POINTS),
        events=pl.DataFrame(schema={"day": pl.Float64, "type": pl.String}),
        counterfactuals=EMPTY,
        provenance={"version": "0", "seed": 0, "input_hash": "0", "assumed": []},
    )
    return replace(one, **changes)


@pytest.fixture
def pretend(monkeypatch):
    """Let ``explain`` meet given subjects and a given answer for each."""

    def set_up(subjects=("p1",), answer=invent, **changes):
        record = Record(pl.DataFrame({"subject_id": list(subjects)}), EMPTY, EMPTY, "invented")
        monkeypatch.setattr(examples, "load_example", lambda _: record)
        monkeypatch.setattr(
            explain_failure, "explain_failure", lambda _, *, subject_id, **__: answer(subject_id, **changes)
        )

    return set_up


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("examples", "explain", "simulate", "check", "doctor"))
    assert "Research software; not a medical device." in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cure"], "cure"),
        (["explain", "--out", "x"], "RECORD --example"),
        (["explain", "record"], "--out"),
        (["explain", "record", "--example", "one", "--out", "x"], "not allowed"),
        (["simulate", "--disease", "myeloma", "--product", "ide_cel", "--out", "x", "--n", "0"], "above 0"),
        (["simulate", "--disease", "myeloma", "--product", "ide_cel", "--out", "x", "--jobs", "all"], "'all'"),
        (["simulate", "--disease", "myeloma", "--product", "ide_cel", "--out", "x", "--seed", "-1"], "0 or more"),
        (["explain", "record", "--out", " "], "must name a folder"),
        (["explain", "record", "--out", __file__], "is a file"),
        (["explain", "record", "--out", f"{__file__}/below"], "is a file"),
    ],
)
def test_wrong_usage_is_one_sentence_and_a_hint(arguments, said, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Hint:" in error
    assert len(error.splitlines()) == 2


def test_no_command_at_all_prints_the_help(capsys):
    assert main([]) == 2
    assert "commands" in capsys.readouterr().out


@pytest.mark.parametrize("source", [["nowhere"], ["--example", "nothing_of_this_name"]])
def test_a_record_that_is_not_there_is_a_sentence_without_a_traceback(source, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", *source, "--out", "out"]) == 2
    error = capsys.readouterr().err
    assert source[-1] in error
    assert "Traceback" not in error


def test_a_verdict_is_printed_and_written(pretend, capsys, tmp_path):
    pretend()
    assert main(["explain", "--example", "any", "--out", str(tmp_path / "new")]) == 0
    assert "The therapy failed on day 60." in capsys.readouterr().out
    assert {"report.html", "explanation.json"} <= {path.name for path in (tmp_path / "new").iterdir()}


def test_json_on_the_terminal_is_the_file_that_was_written(pretend, capsys, tmp_path):
    pretend()
    assert main(["explain", "--example", "any", "--out", str(tmp_path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "explanation.json").read_text(encoding="utf-8"))
    assert printed["failure"] == {"class": "early_relapse", "day": 60.0}


def test_a_fit_that_did_not_converge_has_its_own_exit_code_and_is_written(pretend, tmp_path):
    pretend(fit={"converged": False})
    assert main(["explain", "--example", "any", "--out", str(tmp_path)]) == 3
    assert (tmp_path / "report.html").exists()


def test_several_subjects_get_a_folder_each_and_an_index(pretend, capsys, tmp_path):
    pretend(subjects=("a", "../b", "A"))
    assert main(["explain", "--example", "any", "--out", str(tmp_path / "out"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"a", "_b", "A-1", "index.html"}
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_a_subject_that_cannot_be_explained_does_not_stop_the_others(pretend, capsys, tmp_path):
    def answer(subject_id):
        if subject_id == "bad":
            raise InputError("`bad` must have an infusion, but had none. Hint: add an event of type car_t.")
        return invent(subject_id)

    pretend(subjects=("bad", "good"), answer=answer)
    assert main(["explain", "--example", "any", "--out", str(tmp_path)]) == 2
    assert "must have an infusion" in capsys.readouterr().err
    assert (tmp_path / "good" / "report.html").exists()


def test_one_of_two_explained_is_still_a_list(pretend, capsys, tmp_path):
    def answer(subject_id):
        if subject_id == "bad":
            raise InputError("`bad` cannot be used.")
        return invent(subject_id)

    pretend(subjects=("bad", "good"), answer=answer)
    assert main(["explain", "--example", "any", "--out", str(tmp_path), "--json"]) == 2
    assert len(json.loads(capsys.readouterr().out)) == 1


def test_names_too_long_for_a_file_system_are_cut_and_stay_apart(pretend, tmp_path):
    pretend(subjects=("x" * 400, "x" * 401))
    assert main(["explain", "--example", "any", "--out", str(tmp_path)]) == 0
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


def test_every_fault_of_a_document_is_printed_once(pretend, capsys, tmp_path):
    faults = [Fault(f"events.csv, row {i}, column day", "must be a number", "'soon'", "count") for i in (2, 5)]

    def answer(_):
        raise InputError.from_faults("the record", faults)

    pretend(answer=answer)
    assert main(["explain", "--example", "any", "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("row 2") == error.count("row 5") == 1


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Stopped as asked"),
        (KnowledgeError("a packaged value is missing."), 1, "a packaged value is missing."),
        (PermissionError(13, "Permission denied", "locked"), 2, "`locked`"),
    ],
)
def test_what_stops_a_command_is_said_in_a_sentence(pretend, capsys, tmp_path, raised, code, said):
    def answer(_):
        raise raised

    pretend(answer=answer)
    assert main(["explain", "--example", "any", "--out", str(tmp_path)]) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_examples_are_listed_one_a_line(capsys):
    assert main(["examples"]) == 0
    assert capsys.readouterr().out.split() == list(examples.list_examples())


def test_the_packaged_numbers_pass_their_check(capsys):
    assert main(["check"]) == 0
    assert "Every packaged number" in capsys.readouterr().out


def test_the_doctor_tells_versions_processor_and_speed(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kernel"]["patients_per_second"] > 0
    assert found["packages"]["numpy"] != "not installed"
    assert main(["doctor"]) == 0
    assert "patients/s" in capsys.readouterr().out


def test_criteria_are_listed_with_their_options(capsys):
    assert main(["criteria"]) == 0
    printed = capsys.readouterr().out
    assert "recist/1.1" in printed
    assert "min_sd_days = 42" in printed
    assert main(["criteria", "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert {"name", "title", "source", "options", "variables"} <= set(described[0])


@pytest.fixture
def solid_record(tmp_path):
    folder = tmp_path / "record"
    folder.mkdir()
    (folder / "subjects.csv").write_text("subject_id,disease,product\ns1,solid,other\n", encoding="utf-8")
    (folder / "events.csv").write_text("subject_id,day,type\ns1,0,car_t\n", encoding="utf-8")
    rows = "subject_id,day,variable,value,unit\ns1,-1,target_lesion:T1,20,mm\ns1,28,target_lesion:T1,10,mm\n"
    (folder / "observations.csv").write_text(rows, encoding="utf-8")
    return folder


def test_assess_writes_tables_and_prints_the_visits(solid_record, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["assess", str(solid_record), "--criteria", "recist/1.1", "--out", str(out), "--adam"]
    assert main([*arguments, "--option", "min_sd_days=28"]) == 0
    printed = capsys.readouterr().out
    assert "recist/1.1, 1 subject" in printed
    assert "PR" in printed
    assert "Research software; not a medical device." in printed
    assert {"verdicts.csv", "endpoints.csv", "trail.jsonl", "assessment.json"} <= {path.name for path in out.iterdir()}
    assert (out / "adam" / "adrs.csv").exists()
    provenance = json.loads((out / "assessment.json").read_text(encoding="utf-8"))["provenance"]
    assert provenance["options"]["recist/1.1.min_sd_days"] == 28.0


def test_assess_prints_json_when_asked(solid_record, tmp_path, capsys):
    assert main(["assess", str(solid_record), "--criteria", "recist", "--out", str(tmp_path / "o"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdicts"][0]["time_point"] == "PR"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--criteria", "recist/9"], "did you mean recist/1.1"),
        (["--criteria", "recist/1.1", "--option", "min_sd_days"], "must be key=value"),
        (["--criteria", "recist/1.1", "--option", "colour=red"], "colour"),
        (["--criteria", "recist/1.1", "--sdtm"], "must hold files of SDTM domains"),
        ([], "--criteria"),
    ],
)
def test_wrong_ways_to_assess_are_sentences(solid_record, tmp_path, changed, said, capsys):
    assert main(["assess", str(solid_record), "--out", str(tmp_path / "out"), *changed]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_a_missing_unit_is_refused_with_its_row(solid_record, tmp_path, capsys):
    path = solid_record / "observations.csv"
    path.write_text(path.read_text(encoding="utf-8") + "s1,56,target_lesion:T1,9,\n", encoding="utf-8")
    assert main(["assess", str(solid_record), "--criteria", "recist", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "row 4" in error
    assert "unit" in error
