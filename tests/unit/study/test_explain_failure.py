import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record
from livingdrug.core.variables import VARIABLES
from livingdrug.knowledge.rules import load_rules
from livingdrug.study.benchmark_patients import simulate_failures
from livingdrug.study.examples import list_examples, load_example
from livingdrug.study.explain_benchmark import run_benchmark
from livingdrug.study.explain_failure import explain_failure
from livingdrug.study.fit_record import fit_record, write_fit
from livingdrug.study.patient_data import derive_model_observations, find_end, select_patient
from livingdrug.study.provenance import compute_input_hash
from livingdrug.study.write_explanation import write_explanation

SUBJECTS = {
    "subject_id": pl.String,
    "disease": pl.String,
    "product": pl.String,
    "age_years": pl.Float64,
    "sex": pl.String,
    "weight_kg": pl.Float64,
    "source": pl.String,
}
EVENTS = {
    "subject_id": pl.String,
    "day": pl.Float64,
    "type": pl.String,
    "amount": pl.Float64,
    "unit": pl.String,
    "duration_days": pl.Float64,
    "note": pl.String,
}
OBSERVATIONS = {
    "subject_id": pl.String,
    "day": pl.Float64,
    "variable": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "assay": pl.String,
    "lloq": pl.Float64,
    "censored": pl.String,
    "source": pl.String,
    "text": pl.String,
}


def make_record(series, *, disease="myeloma", product="ide_cel", events=(), subject="p1"):
    """Build a record of one subject from {variable: [(day, value), ...]}; None is below the limit."""
    rows = [
        (
            subject,
            float(day),
            name,
            value,
            VARIABLES[name].unit,
            None,
            0.05,
            "left" if value is None else "none",
            None,
            None,
        )
        for name, points in series.items()
        for day, value in points
    ]
    given = [(subject, 0.0, "car_t", 4e8, "cells", None, None)]
    given += [(subject, float(day), kind, None, None, None, None) for day, kind in events]
    return Record(
        pl.DataFrame([(subject, disease, product, None, None, None, None)], schema=SUBJECTS, orient="row"),
        pl.DataFrame(given, schema=EVENTS, orient="row"),
        pl.DataFrame(rows, schema=OBSERVATIONS, orient="row"),
    )


RESPONDING = {
    "m_protein": [(-7, 3.0), (28, 1.4), (56, 0.6), (84, 0.25), (112, 0.12), (140, 0.06), (168, None)],
    "urine_m_protein": [(-7, 20.0), (28, 10.0), (56, 5.0), (84, 5.0), (112, 5.0), (140, 5.0), (168, 5.0)],
    "car_transgene": [(7, 4e4), (14, 9e4), (28, 2e4), (90, 2e3)],
}


@pytest.fixture(scope="module")
def late():
    return explain_failure(load_example("myeloma_late_relapse"), seed=1, draws=256)


def test_the_late_relapse_is_found_and_explained_by_the_antigen(late):
    assert late.failed
    assert late.failure_class == "late_relapse"
    assert late.failure_day > 90
    assert late.answered in {"antigen_low", "antigen"}
    assert late.mechanisms[0]["name"] == "antigen_low"


def test_the_json_holds_what_others_rely_on(late):
    loaded = json.loads(late.to_json())
    assert loaded["failed"] is True
    assert set(loaded["failure"]) == {"class", "day"}
    assert {"name", "probability", "lower", "upper"} <= set(loaded["mechanisms"][0])
    assert {"version", "seed", "input_hash", "assumed"} <= set(loaded["provenance"])
    assert {"answered", "evidence", "fit"} <= set(loaded)
    assert len(loaded["provenance"]["assumed"]) > 10
    added = {"cannot_tell_because", "measure_next", "misfit", "forecast", "rescue", "ties"}
    assert added <= set(loaded)
    assert loaded["misfit"]["flag"] is False
    assert loaded["rescue"]["mechanism"] == "antigen_low"
    assert sum(item["share"] for item in loaded["mechanisms"]) == pytest.approx(1.0, abs=0.05)


def test_probabilities_lie_inside_their_intervals_and_sum_to_at_most_one(late):
    for item in late.mechanisms:
        assert 0 <= item["lower"] <= item["probability"] <= item["upper"] <= 1
    total = sum(item["probability"] for item in late.mechanisms)
    assert total + late.fit["unexplained"] == pytest.approx(1.0)


def test_the_explanation_has_the_same_bits_on_any_number_of_workers():
    alone = explain_failure(load_example("myeloma_primary_resistance"), seed=1, draws=64, jobs=1)
    many = explain_failure(load_example("myeloma_primary_resistance"), seed=1, draws=64, jobs=3)
    assert alone.to_json() == many.to_json()
    assert alone.bands.equals(many.bands)


def test_the_files_are_written_and_read_again(late, tmp_path):
    paths = write_explanation(late, tmp_path / "out")
    assert {p.name for p in paths} == {
        "explanation.json",
        "mechanisms.csv",
        "responses.csv",
        "evidence.csv",
        "bands.csv",
        "counterfactuals.csv",
    }
    mechanisms = pl.read_csv(tmp_path / "out" / "mechanisms.csv")
    assert mechanisms["name"][0] == late.mechanisms[0]["name"]


def test_evidence_names_rows_of_the_record(late):
    observations = load_example("myeloma_late_relapse").observations
    for item in late.evidence:
        assert item["rows"]
        assert all(0 <= row < observations.height for row in item["rows"])


def test_bands_carry_the_names_of_the_record(late):
    assert set(late.bands["variable"]) <= set(late.observations["variable"])
    assert "m_protein" in late.bands["variable"].to_list()
    assert (late.bands["lower"] <= late.bands["upper"]).all()


@pytest.mark.parametrize("name", list_examples())
def test_every_example_is_synthetic_and_says_so(name):
    record = load_example(name)
    assert all("synthetic" in source for source in record.subjects["source"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("myeloma_primary_resistance", "primary_resistance"), ("myeloma_early_relapse", "early_relapse")],
)
def test_the_other_examples_fail_in_their_own_way(name, kind):
    explanation = explain_failure(load_example(name), seed=1, draws=64)
    assert explanation.failed
    assert explanation.failure_class == kind


def test_a_patient_in_response_has_not_failed_and_gets_no_reason():
    explanation = explain_failure(make_record(RESPONDING), seed=1, draws=128)
    assert not explanation.failed
    assert explanation.failure_class == "none"
    assert explanation.cannot_tell_because is None
    chances = [item["probability"] for item in explanation.forecast]
    assert [item["day"] for item in explanation.forecast] == [90.0, 180.0, 365.0]
    assert chances == sorted(chances)
    assert all(item["lower"] <= item["probability"] <= item["upper"] for item in explanation.forecast)
    assert explanation.mechanisms == []
    assert explanation.answered is None


def test_a_record_without_observations_is_unknown_and_no_exception():
    explanation = explain_failure(make_record({}), seed=1)
    assert not explanation.failed
    assert explanation.failure_class == "unknown"
    assert any("cannot be told" in sentence for sentence in explanation.sentences)
    json.loads(explanation.to_json())


def test_a_disease_without_criteria_is_unknown_and_says_why():
    record = make_record({"tumour_spd": [(-7, 2000.0), (28, 100.0)]}, disease="mcl", product="brexu_cel")
    explanation = explain_failure(record, seed=1)
    assert explanation.failure_class == "unknown"
    assert explanation.failed is None
    assert "criteria for mantle cell lymphoma are not in this version" in " ".join(explanation.sentences)


def test_a_product_without_values_is_assessed_but_not_fitted():
    relapsing = {**RESPONDING, "m_protein": [*RESPONDING["m_protein"][:5], (140, 1.5), (168, 3.0)]}
    explanation = explain_failure(make_record(relapsing, product="other"), seed=1)
    assert explanation.failed
    assert explanation.answered is None
    assert explanation.bands.is_empty()


def test_a_subject_must_be_named_when_there_are_several():
    one, two = make_record(RESPONDING, subject="p1"), make_record(RESPONDING, subject="p2")
    both = Record(
        pl.concat([one.subjects, two.subjects]),
        pl.concat([one.events, two.events]),
        pl.concat([one.observations, two.observations]),
    )
    with pytest.raises(InputError, match="it holds 2"):
        explain_failure(both)
    with pytest.raises(InputError, match="was 'p3'"):
        explain_failure(both, subject_id="p3")
    assert explain_failure(both, subject_id="p2", seed=1).subject_id == "p2"


def test_the_input_hash_sees_every_value_and_no_order():
    record = make_record(RESPONDING)
    turned = Record(record.subjects, record.events, record.observations.reverse())
    changed = Record(record.subjects, record.events, record.observations.with_columns(day=pl.col("day") + 1))
    assert compute_input_hash(record) == compute_input_hash(turned)
    assert compute_input_hash(record) != compute_input_hash(changed)


def test_rows_after_a_next_therapy_do_not_speak_about_the_infusion():
    data = select_patient(make_record(RESPONDING, events=[(100, "next_therapy")]))
    assert find_end(data) == 100.0
    assert derive_model_observations(data)["day"].max() <= 100


def test_the_last_value_before_infusion_stands_for_day_0():
    series = {"m_protein": [(-30, 2.0), (-7, 3.0), (28, 1.0)]}
    rows = derive_model_observations(select_patient(make_record(series)))
    assert rows.select("day", "value").rows() == [(0.0, 3.0), (28.0, 1.0)]


def test_the_involved_chain_goes_by_the_name_of_the_model():
    series = {"flc_kappa": [(-7, 10.0), (28, 9.0)], "flc_lambda": [(-7, 900.0), (28, 30.0)]}
    data = select_patient(make_record(series))
    assert data.renamed["flc_lambda"] == "flc_involved"
    assert set(derive_model_observations(data)["variable"]) == {"flc_involved", "flc_uninvolved"}


def test_two_usable_measurements_are_not_enough_for_an_answer():
    progressing = {"m_protein": [(-7, 2.0), (28, 3.5), (56, 5.0)]}
    explanation = explain_failure(make_record(progressing), seed=1, draws=64)
    assert explanation.answered is None
    assert explanation.cannot_tell_because


def test_a_course_that_the_model_cannot_give_is_flagged_and_gets_no_answer():
    wild = {
        "m_protein": [(-7, 3.0), (28, 0.4), (56, 6.0), (84, 0.3), (112, 7.0), (140, 0.4), (168, 8.0), (196, 9.0)],
        "urine_m_protein": [(day, 20.0) for day in (-7, 28, 56, 84, 112, 140, 168, 196)],
        "car_transgene": [(7, 4e4), (14, 9e4), (28, 2e4), (90, 2e3)],
    }
    explanation = explain_failure(make_record(wild), seed=1, draws=128)
    assert explanation.misfit["flag"]
    assert explanation.answered is None
    assert any("do not look like the model" in sentence for sentence in explanation.sentences)


@pytest.mark.parametrize(("disease", "product"), [("lbcl", "axi_cel"), ("b_all", "tisa_cel")])
def test_lymphoma_and_leukaemia_are_explained_too(disease, product):
    settings = load_rules("explanation/1")
    failure = next(simulate_failures(disease, product, 1, seed=5, settings=settings, with_extra=False))
    explanation = explain_failure(failure.record, seed=1, draws=128)
    assert explanation.failed
    assert explanation.mechanisms
    assert explanation.fit["rows"] > 5
    assert sum(failure.reasons.values()) == pytest.approx(1.0)


def test_a_fit_writes_draws_diagnostics_and_predictions(tmp_path):
    write_fit(fit_record(load_example("myeloma_primary_resistance"), draws=128), tmp_path)
    assert pl.read_parquet(tmp_path / "posterior.parquet").height == 128
    diagnostics = json.loads((tmp_path / "diagnostics.json").read_text())
    assert {"effective_draws", "misfit", "parameters", "converged"} <= set(diagnostics)
    predictive = pl.read_csv(tmp_path / "predictive.csv")
    assert (predictive["lower"] <= predictive["upper"]).all()


def test_a_fit_is_repeated_until_its_draws_are_worth_enough():
    told = []
    result = fit_record(
        load_example("myeloma_primary_resistance"), draws=128, effective=60, progress=lambda *seen: told.append(seen)
    )
    assert result.diagnostics["runs"] == len(told) >= 4
    assert result.diagnostics["effective_draws"] == told[-1][1] >= 60
    assert result.posterior.height == 128 * len(told)
    assert result.diagnostics["converged"]


def test_an_outlier_pulls_a_robust_fit_less_and_does_not_spoil_it():
    clean = load_example("myeloma_primary_resistance")
    wrong = (pl.col("variable") == "flc_kappa") & (pl.col("day") == 28)
    rows = clean.observations.with_columns(value=pl.when(wrong).then(12 * pl.col("value")).otherwise("value"))
    spoiled = replace(clean, observations=rows)
    as_it_was, normal, robust = (
        fit_record(record, draws=128, robust=robust)
        for record, robust in ((clean, False), (spoiled, False), (spoiled, True))
    )

    def expect(result):
        beside = pl.col("variable").str.starts_with("flc") & (pl.col("day") != 28)
        return np.log(result.predictive.filter(beside)["median"].to_numpy())

    moved, moved_less = (np.abs(expect(one) - expect(as_it_was)).max() for one in (normal, robust))
    assert moved_less < 0.5 * moved
    assert normal.diagnostics["misfit"]["flag"]
    assert not robust.diagnostics["misfit"]["flag"]
    assert (normal.diagnostics["robust"], robust.diagnostics["robust"]) == (False, True)


def test_the_benchmark_reports_what_it_promises():
    report = run_benchmark(5, seed=3, training=1, draws=64, long=1)
    promised = {"n", "answered", "accuracy_answered", "top1", "top2", "top1_four_classes", "ece", "shapley_mae"}
    promised |= {"baseline_commonest", "baseline_classifier", "limit", "seconds_per_patient", "confusion"}
    assert promised <= set(report)
    assert report["n"] == 5
    assert sum(sum(row.values()) for row in report["confusion"].values()) == 5
    assert report["limit_patients"] == 1
    assert 0 < report["limit"] < 1
    assert {report["limit_top1"], report["limit_top1_of_quick"], report["limit_agreement"]} <= {0.0, 1.0}
    assert {report["limit_answered"], report["limit_answered_of_quick"]} <= {0.0, 1.0}
    assert report["limit_effective"] > 1
    assert 0 <= report["limit_shapley_mae_of_medians"] <= 1
