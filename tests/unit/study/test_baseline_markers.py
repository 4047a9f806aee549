from dataclasses import replace

import numpy as np
import pytest

from livingdrug.knowledge.parameters import load_parameters
from livingdrug.models.unified.model import UNIFIED
from livingdrug.simulate.cohort import sample_parameters
from livingdrug.study.baseline_markers import MARKER_QUANTITIES, compute_markers, compute_odds_ratio, simulate_markers

VALUES, CELLS = (load_parameters(f"{block}_lbcl_axi_cel") for block in ("inflammation", "unified"))
COUNT = 1024


def change(**values):
    changed = {name: replace(VALUES.values[name], value=value) for name, value in values.items()}
    return replace(VALUES, values={**VALUES.values, **changed})


def find_ratio(values, marker):
    return MARKER_QUANTITIES[f"odds_ratio_{marker}"](simulate_markers(values, COUNT, seed=1), {})


def test_inflammation_that_nothing_drives_foretells_nothing():
    assert find_ratio(change(inflammation_strength=1e-9), "crp") == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("marker", ["crp", "ferritin"])
def test_the_stronger_the_link_the_worse_is_a_high_marker(marker):
    weak, strong = (find_ratio(change(inflammation_strength=strength), marker) for strength in (0.3, 0.9))
    assert strong < weak < 1.0


def test_lactate_dehydrogenase_foretells_by_what_the_tumour_adds():
    none, usual = find_ratio(change(ldh_turnover=0.0), "ldh"), find_ratio(VALUES, "ldh")
    assert none == pytest.approx(1.0, abs=0.25)
    assert usual < 0.7


def test_the_same_patients_have_the_same_markers_in_any_chunk():
    people = sample_parameters(UNIFIED, CELLS, 0, 300, seed=4)
    whole, part = (compute_markers(VALUES, CELLS, people[first:], first, seed=4) for first in (0, 260))
    assert all(np.array_equal(whole[name][260:], part[name]) for name in whole)


def test_lactate_dehydrogenase_is_about_that_of_a_published_trial():
    ldh = simulate_markers(VALUES, COUNT, seed=1).courses["ldh"]
    assert 200 < np.median(ldh) < 500


def test_an_odds_ratio_is_that_of_a_table_of_two_by_two():
    marker = np.exp(np.repeat([1.0, 2.0], 200))
    is_true = np.concatenate([np.arange(200) < 120, np.arange(200) < 50])
    assert compute_odds_ratio(marker, is_true) == pytest.approx((50 / 150) / (120 / 80))
