import numpy as np
import pytest
from scipy.stats import multivariate_normal

from livingdrug.knowledge.rules import load_rules
from livingdrug.study.assess_response import assess_response
from livingdrug.study.examples import load_example
from livingdrug.study.explain_failure import fit_subject
from livingdrug.study.find_cause import find_cause, find_misfit
from livingdrug.study.fit_patient import Effort
from livingdrug.study.patient_data import select_patient
from livingdrug.study.plans import SETTINGS
from livingdrug.study.weigh_alternatives import compute_other_prior, weigh_alternatives


@pytest.fixture(scope="module")
def found():
    data, settings = select_patient(load_example("myeloma_primary_resistance")), load_rules(SETTINGS)
    assessment, fit = assess_response(data), fit_subject(data, seed=1, effort=Effort(256), jobs=1)
    misfit = find_misfit(fit, settings=settings, jobs=1)
    cause = find_cause(fit, data, assessment.marker, assessment.failure_day, settings=settings, misfit=misfit, jobs=1)
    return fit, cause, weigh_alternatives(fit, cause, settings)


def test_another_spread_weighs_as_the_ratio_of_the_two_priors(found):
    problem = found[0].problem
    z = np.random.default_rng(0).standard_normal((5, len(problem.free)))
    place, ratio = problem.names.index("gB"), 0.6
    scale = np.ones(len(problem.free))
    scale[place] = ratio
    covariance = np.linalg.inv(problem.precision)
    then = multivariate_normal(cov=covariance * np.outer(scale, scale)).logpdf(z)
    weight = compute_other_prior(problem, z, place, ratio)
    expected = then - multivariate_normal(cov=covariance).logpdf(z)
    assert weight - weight[0] == pytest.approx(expected - expected[0])


def test_potency_counts_for_less_where_patients_differ_less_in_it(found):
    _, cause, alternatives = found
    one = next(item for item in alternatives if item["parameter"] == "gB")
    assert one["spread"] < one["instead_of"]
    assert 0 < one["effective_draws"] <= cause.attribution.effective
    now = {share.name: share.share for share in cause.attribution.shares}
    then = {row["name"]: row["share"] for row in one["mechanisms"]}
    assert then.keys() == now.keys()
    assert then["potency"] < now["potency"]
    assert sum(row["probability"] for row in one["mechanisms"]) <= 1.0 + 1e-9


def test_the_present_spread_changes_nothing(found):
    problem = found[0].problem
    z = np.random.default_rng(1).standard_normal((4, len(problem.free)))
    assert compute_other_prior(problem, z, 2, 1.0) == pytest.approx(np.zeros(4))
