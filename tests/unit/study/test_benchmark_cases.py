import json
from dataclasses import asdict

import pytest

from livingdrug.study.benchmark_cases import Case, read_cases
from livingdrug.study.benchmark_scores import compute_hits, is_right, name_class, name_eighth, summarise_cases


def make_case(subject="a", truth=None, eight=None, answered="quality"):
    return Case(
        cohort="myeloma/ide_cel",
        subject=subject,
        truth=truth or {"potency": 0.5, "persistence": 0.5, "none": 0.0},
        eight=eight or {"persistence": 0.9, "potency": 0.8, "none": 0.1},
        four={"quantity": 0.9, "quality": 0.8, "none": 0.1},
        shares={"potency": 0.5, "persistence": 0.5},
        estimated={"potency": 0.4, "persistence": 0.5},
        medians={"potency": 0.5, "persistence": 0.5},
        expected_error=0.05,
        answered=answered,
        probability=0.8,
        is_misfit=False,
        effective=100.0,
        effective_answer=50.0,
        seconds=1.0,
        processor_fit=1.0,
        processor_cause=1.0,
    )


def test_a_run_that_was_cut_off_goes_on_from_its_whole_lines(tmp_path):
    path = tmp_path / "cases.jsonl"
    whole = json.dumps(asdict(make_case()))
    path.write_text(whole + "\n" + whole.replace('"a"', '"b"')[:40], encoding="utf-8")
    assert read_cases(path) == {"a": make_case()}


def test_naming_any_mechanism_that_ties_is_right():
    assert is_right(make_case())
    assert compute_hits([make_case()], "eight", name_eighth, 1) == 1.0
    assert compute_hits([make_case()], "four", name_class, 1) == 1.0
    assert not is_right(make_case(answered="antigen"))


def test_an_honest_probability_has_a_calibration_error_that_chance_explains():
    cases = [make_case(str(k), truth={"potency": float(k < 90), "antigen_low": float(k >= 90)}) for k in range(100)]
    cases = [make_case(case.subject, case.truth, {"potency": 0.9, "antigen_low": 0.1}) for case in cases]
    summary = summarise_cases(cases)
    assert summary["ece"] == pytest.approx(0.0, abs=1e-9)
    assert 0 < summary["ece_by_chance"] < 0.1
    assert summary["shapley_mae_of_medians"] <= summary["shapley_mae"]
    assert summary["shapley_mae_expected"] == pytest.approx(0.05)
