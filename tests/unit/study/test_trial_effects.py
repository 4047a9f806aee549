"""What a design asks for moves the outcomes the way it does in people: the same patients, treated or seen otherwise."""

import polars as pl
import pytest

from livingdrug.study.trial_chunk import compute_chunk, list_tasks
from livingdrug.study.trial_design_decoding import decode_design

COUNT = 80


def run(*, arm=None, **rest):
    design = {
        "trial": {"name": "Effects", "disease": "myeloma", "days": 365},
        "arm": [{"name": "ide", "product": "ide_cel", "n": COUNT, **(arm or {})}],
        "deaths": {"per_year": 0, "after_progression_per_year": 0},
        **rest,
    }
    return compute_chunk(next(list_tasks(decode_design(design))), threads=2)


def count(table, column):
    return int(table[column].eq("Y").sum())


def read_progressed(table):
    return int(table["pfs_event"].sum())


@pytest.fixture(scope="module")
def usual():
    return run()


def test_bridging_that_lowers_the_burden_means_fewer_progressions(usual):
    bridged = run(arm={"burden_factor": 0.2})
    assert read_progressed(bridged) < read_progressed(usual)
    assert count(bridged, "complete_response") >= count(usual, "complete_response")


def test_without_lymphodepletion_cells_expand_less_and_fewer_respond(usual):
    without = run(arm={"lymphodepletion": False})
    assert without["car_t_cells_max"].median() < usual["car_t_cells_max"].median()
    assert count(without, "response") < count(usual, "response")


def test_a_higher_dose_is_never_answered_by_fewer(usual):
    assert count(run(arm={"dose_factor": 4.0}), "response") >= count(usual, "response")


def test_a_second_infusion_that_is_planned_means_fewer_progressions(usual):
    event = [
        {"type": "lymphodepletion", "day": 55, "planned": True},
        {"type": "second_infusion", "day": 60, "planned": True},
    ]
    twice = run(arm={"event": event})
    assert read_progressed(twice) < read_progressed(usual)
    assert twice["next_therapy_day"].null_count() == COUNT


def test_a_second_product_against_another_antigen_means_fewer_progressions():
    event = [{"type": "other_car_t", "day": 1, "planned": True}]
    late = [{"type": "other_car_t", "day": 360, "planned": True}]
    assert read_progressed(run(arm={"event": event})) < read_progressed(run(arm={"event": late}))


def test_an_assay_that_sees_less_finds_fewer_patients_free_of_disease(usual):
    blind = run(assay=[{"variable": "mrd", "lloq": 1e-3}])
    assert count(blind, "mrd_negative") < count(usual, "mrd_negative")


def test_visits_further_apart_show_progression_later(usual):
    seldom = run(visits={"every": 84.0})
    both = pl.DataFrame({"usual": usual["progression_day"], "seldom": seldom["progression_day"]}).drop_nulls()
    assert both["seldom"].mean() > both["usual"].mean()


def test_who_comes_late_is_followed_for_less_and_who_leaves_is_not_seen_again(usual):
    cut = run(accrual={"per_month": 8, "cutoff_day": 365})
    assert cut["follow_up_day"].mean() < usual["follow_up_day"].mean()
    assert (cut["infusion_day"] + cut["follow_up_day"]).max() <= 365
    left = run(dropout={"per_year": 1.0})
    assert left["dropout_day"].is_not_null().sum() > COUNT / 4
    assert left["os_event"].sum() == 0
    assert read_progressed(left) < read_progressed(usual)
