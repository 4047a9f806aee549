import numpy as np
import polars as pl
import pytest

from livingdrug.simulate.visits import Assay, Stop, compute_follow_up, list_days, list_outputs, observe_cohort

TIMES = np.array([0.0, 28.0, 56.0, 84.0])
MARKER = Assay("m_protein", "g/dL", "marker", (-7.0, 28.0, 56.0, 84.0), 0.1, lloq=0.05, name="SPEP")


def course(patients=4, level=2.0):
    return {"marker": np.full((patients, 4), level), "burden": np.tile([10.0, 1.0, 0.1, 20.0], (patients, 1))}


def observe(courses, assays=(MARKER,), **more):
    return observe_cohort(courses, TIMES, assays, first=more.pop("first", 0), seed=more.pop("seed", 1), **more)


def test_each_visit_gives_a_row_with_unit_assay_and_limit():
    table = observe(course(2))
    assert table["day"].to_list() == [-7.0, 28.0, 56.0, 84.0] * 2
    assert set(table["unit"]) == {"g/dL"}
    assert set(table["assay"]) == {"SPEP"}
    assert set(table["lloq"]) == {0.05}


def test_noise_has_the_size_that_was_asked_for():
    table = observe(course(5000))
    assert np.log(table["value"].to_numpy()).std() == pytest.approx(0.1, rel=0.03)


def test_a_value_below_the_limit_is_the_limit_and_censored():
    table = observe(course(50, level=0.01))
    assert set(table["value"]) == {0.05}
    assert set(table["censored"]) == {"left"}


def test_the_rows_of_a_subject_do_not_depend_on_the_chunk():
    whole = observe(course(600), attendance=0.8)
    part = observe(course(300), first=300, attendance=0.8)
    assert whole.filter(pl.col("subject") >= 300).equals(part)


def test_missed_visits_are_missing_but_the_baseline_never_is():
    table = observe(course(1000), attendance=0.7)
    share = table.group_by("day").len().sort("day")["len"].to_numpy() / 1000
    assert share[0] == 1.0
    assert share[1:] == pytest.approx([0.7] * 3, abs=0.05)


def test_a_failed_patient_gives_no_rows():
    courses = course(3)
    courses["marker"][1] = np.nan
    assert set(observe(courses)["subject"]) == {0, 2}


def test_an_antigen_is_measured_only_where_there_are_tumour_cells():
    assay = Assay("antigen_density", "molecules/cell", "marker", (0.0, 28.0, 56.0, 84.0), 0.1, needs=("burden", 5.0))
    assert observe(course(1), [assay])["day"].to_list() == [0.0, 84.0]


def test_a_label_says_which_side_of_its_threshold_a_value_lies():
    assay = Assay("ife", "", "marker", (28.0,), 0.0, kind="label", labels=("negative", "positive", 1.0))
    assert observe(course(1, 2.0), [assay])["text"].to_list() == ["positive"]
    assert observe(course(1, 0.5), [assay])["text"].to_list() == ["negative"]


def test_a_share_stays_a_share():
    assay = Assay("share", "1", "marker", (28.0,), 2.0, kind="logit")
    values = observe(course(500, 0.95), [assay])["value"]
    assert 0 < values.min() < values.max() < 1


def test_the_other_type_of_patient_has_the_other_name():
    assay = Assay("flc_kappa", "mg/L", "marker", (28.0,), 0.0, alternative="flc_lambda")
    table = observe(course(2), [assay], is_alternative=np.array([False, True]))
    assert table["variable"].to_list() == ["flc_kappa", "flc_lambda"]


def test_nothing_is_written_after_the_end_of_follow_up():
    assert observe(course(1), follow_up=np.array([60.0]))["day"].max() == 56.0


def test_follow_up_ends_when_the_tumour_is_back_and_not_before():
    growing = np.array([[10.0, 12.0, 18.0, 25.0], [10.0, 1.0, 0.1, 6.0], [10.0, 4.0, 4.5, 5.0]])
    end = compute_follow_up(growing, TIMES, Stop("burden", 0.5, 2.0, 28.0))
    assert end.tolist() == [112.0, 112.0, np.inf]


def test_visits_and_outputs_are_listed_once():
    other = Assay("x", "1", "burden", (28.0, 100.0), 0.1, needs=("marker", 1.0))
    assert list_days([MARKER, other], 84.0).tolist() == [0.0, 28.0, 56.0, 84.0]
    assert list_outputs([MARKER, other], Stop("burden", 0.5, 2.0, 28.0)) == ("marker", "burden")
