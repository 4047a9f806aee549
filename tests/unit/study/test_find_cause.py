import numpy as np
import pytest
from scipy.special import expit, logit

from livingdrug.core.outcome import Mechanism
from livingdrug.knowledge.parameters import load_parameters
from livingdrug.study.explain_failure import explain_failure
from livingdrug.study.simulate_patient import simulate_patient

VALUES = load_parameters("unified_myeloma_ide_cel").values
DEPARTURES = {
    "antigen_low": {"fraction_low": 1.0, "density_low_ratio": -2.0, "gB": 1.0},
    "exhaustion": {"xg": 2.5},
    "persistence": {"alpha": 2.5},
    "potency": {"gB": -2.0},
    "tumour_burden": {"B0": 2.0},
    "tumour_growth": {"r": 2.0},
}


def place(name, spreads):
    value, spread = VALUES[name].value, VALUES[name].spread
    if spread.kind == "logitnormal":
        return float(expit(logit(value) + spread.sd * spreads))
    return float(value * np.exp(spread.sd * spreads))


def simulate(departures, seed):
    changes = {name: place(name, spreads) for name, spreads in departures.items()}
    return simulate_patient("myeloma", "ide_cel", changes, subject_id="p1", seed=seed)


@pytest.mark.parametrize("mechanism", DEPARTURES)
def test_the_only_departure_from_typical_is_the_top_mechanism_or_in_its_group(mechanism):
    explanation = explain_failure(simulate(DEPARTURES[mechanism], 1), seed=1, draws=256)
    top = explanation.mechanisms[0]
    assert explanation.failed
    assert explanation.fit["converged"]
    assert top["name"] == mechanism or top["group"] == Mechanism(mechanism).group
    assert explanation.answered in {None, mechanism, Mechanism(mechanism).group.value}


def test_a_clone_that_most_patients_do_not_have_is_found_although_no_gradient_leads_to_it():
    departures = {"fraction_negative": 3.5, "r": 0.5, "gB": 1.5}
    explanation = explain_failure(simulate(departures, 3), seed=1, draws=128)
    negative = next(p for p in explanation.fit["parameters"] if p["name"] == "fraction_negative")
    assert explanation.failed
    assert negative["spreads_from_typical"] > 2
    assert explanation.answered == "antigen_negative"


def test_switching_a_mechanism_off_never_harms():
    explanation = explain_failure(simulate(DEPARTURES["potency"], 2), seed=1, draws=128)
    as_is = explanation.counterfactuals["failure_as_is"]
    assert (explanation.counterfactuals["failure_without"] <= as_is + 0.05).all()
