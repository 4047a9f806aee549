from pathlib import Path

import pytest

from livingdrug.core.errors import InputError
from livingdrug.study.trial_design import DAYS_PER_MONTH
from livingdrug.study.trial_design_decoding import decode_design, load_design

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "trials").glob("*.toml"))
ARM = {"name": "one", "product": "axi_cel", "n": 10}


def document(**changes):
    return {"trial": {"name": "A trial", "disease": "lbcl"}, "arm": [ARM], **changes}


def list_faults(changed):
    with pytest.raises(InputError) as error:
        decode_design(changed, "trial.toml")
    return [str(fault) for fault in error.value.faults]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_sound(path):
    assert load_design(path).n > 0


def test_there_are_the_promised_examples():
    assert {"myeloma_ide_cel", "myeloma_cilta_against_ide", "lbcl_axi_against_tisa", "myeloma_null"} <= {
        path.stem for path in EXAMPLES
    }


def test_what_is_left_out_is_as_usual():
    design = decode_design(document())
    arm = design.arms[0]
    assert (design.days, design.criteria, arm.dose_factor, arm.lymphodepletion, arm.burden_factor) == (
        730.0,
        "lugano/2014",
        1.0,
        1.0,
        1.0,
    )


def test_every_fault_is_told_at_once_with_its_place_and_what_to_do():
    bad = document(
        trial={"nam": "A trial", "disease": "lbcl", "days": 3},
        arm=[{"name": "a b", "product": "ide_cel", "n": 0}, {**ARM, "event": [{"type": "tocilizumabb"}]}],
    )
    faults = list_faults(bad)
    assert [fault.partition(":")[0] for fault in faults] == [
        "trial.toml, trial.nam",
        "trial.toml, trial.name",
        "trial.toml, trial.days",
        "trial.toml, arm[0].n",
        "trial.toml, arm[0].name",
        "trial.toml, arm[0].product",
        "trial.toml, arm[1].event[0].type",
        "trial.toml, arm[1].event[0]",
    ]
    assert "did you mean name" in faults[0]
    assert "there are values for axi_cel" in faults[5]
    assert all("Hint: " in fault for fault in faults)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arm": []}, "must list at least one arm"),
        ({"arm": [ARM, {**ARM, "name": "ONE"}]}, "must stand once"),
        ({"arm": [{**ARM, "cells": 1e8, "dose_factor": 2}]}, "must not stand beside dose_factor"),
        ({"arm": [{**ARM, "event": [{"type": "death", "day": 9}]}]}, "must be a known word"),
        ({"arm": [{**ARM, "event": [{"type": "second_infusion", "day": -1}]}]}, "must lie after day 0"),
        ({"arm": [{**ARM, "event": [{"type": "tocilizumab", "day": 1, "at": "progression"}]}]}, "must have a day"),
        ({"arm": [{**ARM, "event": [{"type": "corticosteroid", "day": 1, "amount": 3}]}]}, "must be mg"),
        ({"arm": [{**ARM, "product": "tisa_cel", "event": [{"type": "other_car_t", "day": 9}]}]}, "a second product"),
        ({"endpoints": {"new_terapy": "censor"}}, "did you mean new_therapy"),
        ({"endpoints": {"new_therapy": "sometimes"}}, "must be censor or event or ignore"),
        ({"accrual": {"cutoff_day": 10, "per_month": 1}}, "must be over before the cut-off"),
        ({"accrual": {"per_month": 0}}, "must be at least"),
        ({"assay": [{"variable": "m_protein"}]}, "must be a known word"),
        ({"assay": [{"variable": "tumour_spd", "days": [28], "every": 28}]}, "must not stand beside every"),
        ({"trial": {"name": "x", "disease": "lbcl", "criteria": "lugano/1999"}}, "must be a known set of criteria"),
        (
            {"trial": {"name": "x", "disease": "lbcl", "criteria": "recist/1.1"}},
            "must be criteria of response for lbcl",
        ),
        ({"trial": {"name": "x", "disease": "solid"}}, "must"),
        ({"trial": 3}, "must be a table"),
        ({"dropout": {"per_year": "often"}}, "must be a number"),
        ({"doses": {}}, "must be a field of the table"),
    ],
)
def test_a_fault_is_a_sentence(changes, words):
    assert any(words in fault for fault in list_faults(document(**changes)))


def test_a_file_that_is_not_toml_is_a_sentence(tmp_path):
    path = tmp_path / "trial.toml"
    path.write_text("[trial\n")
    with pytest.raises(InputError, match="must be TOML"):
        load_design(path)


def test_accrual_by_dates_and_by_rate_give_days_of_the_calendar():
    import datetime

    dates = {name: datetime.date(2024, month, 1) for name, month in (("start", 1), ("end", 3), ("cutoff", 12))}
    found = decode_design(document(accrual=dates)).accrual
    assert (found.span, found.cutoff, found.start) == (60.0, 335.0, "2024-01-01")
    assert decode_design(document(accrual={"per_month": 5})).accrual.span == pytest.approx(2 * DAYS_PER_MONTH)


def test_lymphodepletion_may_be_a_word_or_a_number():
    found = [
        decode_design(document(arm=[{**ARM, "lymphodepletion": given}])).arms[0].lymphodepletion
        for given in (True, False, 0.5)
    ]
    assert found == [1.0, 0.0, 0.5]
