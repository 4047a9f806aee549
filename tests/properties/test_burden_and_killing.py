"""The sign of burden and of potency: what makes the response deeper or shallower.

The depth of a response is the nadir of the first half year: memory recalled by a relapse can make a second,
later one. A nadir below one clonogenic cell (``1 / fc`` cells) is no nadir but a cure; it counts as one.
"""

import numpy as np
import pytest

from livingdrug.knowledge.parameters import list_parameters
from livingdrug.models.unified.model import UNIFIED

SETS = tuple(name for name in list_parameters() if name.startswith("unified_"))
ONE_CLONE = {"fraction_low": 0.0, "fraction_negative": 0.0, "mu": 0.0}
MEAN_FIELD = 1e-9
"""Threshold of extinction so low that a clone is followed to a billionth of a family."""
LIKELIER = float(np.log(2))
"""Threshold at which the likelier course is shown."""
BURDENS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0)
FOLLOWED = {**ONE_CLONE, "extinct_high": MEAN_FIELD}


def column(name):
    return UNIFIED.parameter_names.index(name)


def peak(solution):
    return solution.at("car_t_cells")[:, solution.times <= 60].max(axis=1)


def nadir(rows, solution):
    least = 1 / rows[:, column("fc")]
    first_response = solution.at("tumour_cells")[:, solution.times <= 180]
    return np.log10(np.maximum(first_response.min(axis=1), least))


def nadirs_by_burden(lab, rows):
    out = []
    for burden in BURDENS:
        changed = rows.copy()
        changed[:, column("B0")] = burden
        out.append(nadir(changed, lab.run(changed, rtol=1e-5)))
    return np.array(out).T


@pytest.mark.parametrize("name", SETS)
def test_a_higher_burden_never_gives_the_typical_patient_a_deeper_nadir(lab, name):
    nadirs = nadirs_by_burden(lab, lab.patients(name, [FOLLOWED]))[0]
    assert (np.diff(nadirs) >= -1e-3).all()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("threshold", [0.1, LIKELIER])
def test_a_higher_burden_never_gives_any_patient_of_the_prior_a_deeper_nadir(lab, name, threshold):
    nadirs = nadirs_by_burden(lab, lab.prior(name, 512, **ONE_CLONE, extinct_high=threshold))
    # end to end, 5e9 -> 1e12 cells
    assert (nadirs[:, -1] >= nadirs[:, 0] - 1e-3).all()


@pytest.mark.parametrize("name", SETS)
def test_from_one_burden_to_the_next_no_nadir_of_a_clone_that_lives_on_is_much_deeper(lab, name):
    """At a threshold of a tenth of a family; where the last cells die at one burden only, the step is a cure."""
    nadirs = nadirs_by_burden(lab, lab.prior(name, 512, **ONE_CLONE, extinct_high=0.1))
    # measured 0.18 decades at worst
    assert np.diff(nadirs, axis=1).min() > -0.2


@pytest.mark.parametrize("name", SETS)
def test_weaker_killing_gives_more_expansion_and_less_control_to_the_typical_patient(lab, name):
    potency = lab.patients(name)[0, column("gB")]
    rows = lab.patients(name, [{**FOLLOWED, "gB": potency * f} for f in (0.1, 0.5, 1.0, 2.0)])
    solution = lab.run(rows)
    assert peak(solution)[0] > peak(solution)[-1]
    assert (np.diff(peak(solution)) <= 0.01 * peak(solution)[:-1]).all()
    assert (np.diff(nadir(rows, solution)) <= 0).all()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("factor", [0.2, 0.5, 0.8])
def test_weaker_killing_never_lets_any_patient_of_the_prior_respond_more_deeply(lab, name, factor):
    rows = lab.prior(name, 512, mu=0.0, extinct_high=MEAN_FIELD, extinct_low=MEAN_FIELD, extinct_negative=MEAN_FIELD)
    weaker = lab.scaled(rows, gB=factor)
    before, after = lab.run(rows, rtol=1e-5), lab.run(weaker, rtol=1e-5)
    assert (nadir(weaker, after) >= nadir(rows, before) - 0.02).all()
    if not rows[0, column("rE")]:
        return  # natural killer cells do not multiply by antigen
    # less suppression by a smaller tumour can outweigh the antigen that is gone: rarely by more than 10 %
    assert (peak(after) >= 0.9 * peak(before)).mean() > 0.995
    assert np.median(peak(after) / peak(before)) >= 0.999
