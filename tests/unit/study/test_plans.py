import pytest

from livingdrug.knowledge.parameters import load_parameters
from livingdrug.study.plans import PLANS, choose_free


@pytest.mark.parametrize("disease", ["lbcl", "myeloma", "b_all"])
def test_the_density_of_the_target_is_unknown_where_it_was_not_measured(disease):
    # killing hangs on it, and it differs between patients: held at its typical value it would make the fit too sure
    product = "ide_cel" if disease == "myeloma" else "tisa_cel"
    free = choose_free(PLANS[disease], load_parameters(f"unified_{disease}_{product}"), {"car_transgene"})
    assert "antigen_density_high" in free


def test_the_level_of_a_marker_is_free_only_where_the_marker_was_measured():
    values = load_parameters("unified_myeloma_ide_cel")
    assert "m_protein_0" not in choose_free(PLANS["myeloma"], values, {"flc_involved"})
    assert "m_protein_0" in choose_free(PLANS["myeloma"], values, {"m_protein"})
