import importlib.util
import json

import polars as pl
import pytest

from livingdrug.cli.entry import main
from livingdrug.study import validate_targets
from livingdrug.study.run_trial_workers import compute_remotely

TOML = """
[trial]
name = "Small"
disease = "lbcl"
days = 120
[[arm]]
name = "axi"
product = "axi_cel"
n = 6
"""
FILES = {
    "endpoints.csv",
    "failures.csv",
    "km.csv",
    "manifest.json",
    "outcomes.parquet",
    "parts",
    "report.html",
    "targets.csv",
}


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text(TOML)
    return str(path)


def test_a_trial_writes_its_files_and_prints_its_results(design, tmp_path, capsys):
    assert main(["trial", design, "--out", str(tmp_path / "out"), "--seed", "7", "--jobs", "1"]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    printed = capsys.readouterr().out
    assert "Small: 6 virtual patients, 1 arm, lugano/2014, seed 7" in printed
    assert "not a clinical trial" in printed


def test_a_trial_may_print_json(design, tmp_path, capsys):
    assert main(["trial", design, "--out", str(tmp_path / "out"), "--jobs", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {"arm", "endpoint", "statistic", "value", "lower", "upper", "unit", "n", "events"} == set(rows[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["DESIGN"], "`--out` must name a folder"),
        (["DESIGN", "--validate"], "not allowed with argument"),
        ([], "one of the arguments FILE.toml --validate is required"),
        (["nowhere.toml", "--out", "out"], "No such file"),
        (["DESIGN", "--out", "out", "--seed", "-1"], "must be a whole number of 0 or more"),
    ],
)
def test_what_cannot_be_done_is_said(arguments, words, design, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["trial", *(design if word == "DESIGN" else word for word in arguments)]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.skipif(importlib.util.find_spec("distributed") is not None, reason="Dask is installed")
def test_without_dask_a_cluster_is_refused_with_what_to_install(design, tmp_path, capsys):
    assert main(["trial", design, "--out", str(tmp_path / "out"), "--cluster", "tcp://localhost:1"]) == 2
    assert 'its extra "dask"' in capsys.readouterr().err


def test_workers_of_another_version_are_refused():
    with pytest.raises(ValueError, match="the workers must run livingdrug 0"):
        compute_remotely(None, "0")


ROW = {
    "id": "T1",
    "what": "axi: orr",
    "quantity": "orr",
    "unit": "percent",
    "value": 80.0,
    "lower": None,
    "upper": None,
}
TABLE = pl.DataFrame(
    [
        {**ROW, "simulated": float("inf"), "sim_lower": 1.0, "sim_upper": 2.0, "inside": False, "note": "off"},
        {
            **ROW,
            "id": "T2",
            "simulated": None,
            "sim_lower": None,
            "sim_upper": None,
            "inside": None,
            "note": "not simulated",
        },
    ],
    schema_overrides={"lower": pl.Float64, "upper": pl.Float64},
)


def test_validation_hides_no_result(monkeypatch, capsys):
    monkeypatch.setattr(validate_targets, "validate_targets", lambda **_: TABLE)
    assert main(["trial", "--validate", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in rows] == ["T1", "T2"]
    assert list(rows[0])[:9] == [
        "id",
        "value",
        "lower",
        "upper",
        "simulated",
        "sim_lower",
        "sim_upper",
        "inside",
        "note",
    ]
    assert rows[0]["simulated"] is None
    assert main(["trial", "--validate"]) == 0
    printed = capsys.readouterr().out
    assert "missed" in printed
    assert "0 of 1 simulated results" in printed
    assert "1 are not simulated" in printed
