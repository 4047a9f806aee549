"""When tocilizumab is given and given again, and what Lee's later treatment does to the grades."""

from dataclasses import replace

import numpy as np
import pytest

from livingdrug.knowledge.parameters import load_parameters
from livingdrug.study import toxicity_outcomes as outcomes
from livingdrug.study.toxicity_quantities import TOXICITY_QUANTITIES
from livingdrug.study.toxicity_treatment import MOST_DOSES, find_first_dose, find_next_dose

DAYS = outcomes.DAYS


def make_course(pressure, saturation=98.0, temperature=39.0):
    """One patient; values by day of change, held from then on."""
    course = {}
    for name, value in (("systolic_bp", pressure), ("spo2", saturation), ("temperature", temperature)):
        steps = value if isinstance(value, dict) else {0.0: value}
        days = np.array(list(steps))
        course[name] = np.array(list(steps.values()))[np.searchsorted(days, DAYS, side="right") - 1][None, :]
    return course


def first(course, rule):
    return find_first_dose(course, rule, DAYS, outcomes.FEVER)[0]


def test_by_the_rule_of_labels_a_dose_waits_for_a_day_of_repeated_fluids():
    assert first(make_course({0.0: 120.0, 3.0: 80.0, 3.75: 100.0, 6.0: 80.0}), outcomes.PENN_RULE) == 7.0


def test_lee_waits_for_a_high_dose_of_vasopressors_and_then_gives_at_once():
    course = make_course({0.0: 120.0, 3.0: 80.0, 5.0: 65.0})
    assert (first(course, outcomes.PENN_RULE), first(course, outcomes.LEE_RULE)) == (4.0, 5.0)


def test_no_dose_before_fever():
    course = make_course({0.0: 80.0}, temperature={0.0: 37.0, 4.0: 38.5})
    assert first(course, outcomes.PENN_RULE) == 5.0
    assert first(make_course(80.0, temperature=37.0), outcomes.PENN_RULE) == np.inf


@pytest.mark.parametrize(
    ("pressure", "saturation", "day"),
    [
        ({0.0: 80.0}, 98.0, 2.5),
        ({0.0: 80.0, 2.25: 81.0}, 98.0, np.inf),
        ({0.0: 80.0, 2.25: 81.0, 6.0: 79.0}, 98.0, 6.0),
        ({0.0: 80.0}, {0.0: 91.0, 2.25: 92.0}, np.inf),
        ({0.0: 80.0, 2.25: 95.0}, 98.0, np.inf),
    ],
    ids=["no better", "better", "worse again", "saturation better", "not severe"],
)
def test_a_dose_is_repeated_after_8_hours_where_nothing_is_better(pressure, saturation, day):
    found = find_next_dose(make_course(pressure, saturation), np.array([2.0]), outcomes.PENN_RULE, DAYS)
    assert found[0] == day


def test_nothing_is_repeated_where_nothing_was_given():
    assert find_next_dose(make_course(70.0), np.array([np.inf]), outcomes.PENN_RULE, DAYS)[0] == np.inf


@pytest.fixture(scope="module")
def found():
    return outcomes.simulate_toxicity(load_parameters("toxicity_b_all_tisa_cel"), 384, seed=3, threads=1)


def test_doses_are_counted_and_a_third_is_a_failure(found):
    given = np.isfinite(found.tocilizumab_day)
    assert ((found.tocilizumab_doses > 0) == given).all()
    assert 1 < found.tocilizumab_doses.max() <= MOST_DOSES
    respond = TOXICITY_QUANTITIES["tocilizumab_response"]
    few, many = (respond(found, {"day": 14.0, "doses": doses}) for doses in (2.0, float(MOST_DOSES)))
    assert few < many


def test_who_waits_for_grade_3_of_lee_has_more_of_it(found):
    early = outcomes.grade_toxicity(found.courses, found.tocilizumab_day)
    assert (found.lee_grade >= 3).sum() > (early.lee_grade >= 3).sum()
    assert ((found.lee_grade > 0) == found.has_crs).all()


def test_onset_is_counted_in_whole_days_of_which_that_of_infusion_is_the_first(found):
    count = TOXICITY_QUANTITIES["crs_onset"]
    for hours, published in ((0.25, 1.0), (3.25, 4.0)):
        same = replace(found, onset=np.full(found.onset.size, hours))
        assert count(same, {}) == published
    days = np.where(np.arange(found.onset.size) % 4 == 0, 1.5, 6.5)
    assert 6.5 < count(replace(found, onset=days), {}) < 7.5


def test_a_first_neurologic_event_is_never_after_encephalopathy(found):
    assert (found.neurologic_onset <= found.icans_onset).all()
    assert (found.neurologic_onset < found.icans_onset).any()
