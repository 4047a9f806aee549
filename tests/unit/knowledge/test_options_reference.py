"""Every next step, emerging strategy and supportive measure that the reference names is there, or left out by name."""

import pytest

from livingdrug.knowledge.options import load_options

CYTOKINE_RELEASE = {"NE-060", "NE-061", "NE-062", "NE-063"}
"""Read for this project: the reference holds no row of severe cytokine release under an antibody."""
NEXT_STEPS = {
    "Pola-BR": "lbcl.pola_br",
    "CD20 bispecific": "lbcl.bispecific.cd20",
    "epcoritamab": "lbcl.bispecific.cd20",
    "glofitamab": "lbcl.bispecific.cd20",
    "radiation": "lbcl.radiation",
    "checkpoint inhibitors": "lbcl.checkpoint",
    "IMiDs": "lbcl.lenalidomide",
    "lenalidomide": "lbcl.lenalidomide",
    "tafasitamab": "lbcl.tafasitamab_lenalidomide",
    "loncastuximab": "lbcl.loncastuximab",
    "antibody-drug conjugates": "lbcl.loncastuximab",
    "BTK inhibitor": "lbcl.targeted",
    "CD30 ADC": "lbcl.adc.cd30",
    "chemotherapy": "lbcl.chemotherapy",
    "autologous transplant": "lbcl.auto_hct",
    "allogeneic transplant": "lbcl.allo_hct",
    "second infusion": "lbcl.second_infusion",
    "CD22 CAR": "lbcl.car.cd22",
    "CD20 CAR": "lbcl.car.cd20",
    "blinatumomab": "b_all.blinatumomab",
    "inotuzumab": "b_all.inotuzumab",
    "BCR::ABL1 TKI": "b_all.tki",
    "menin inhibitor": "b_all.menin",
    "lineage switch": "b_all.lineage_switch_plan",
    "checkpoint inhibitor in leukaemia": "b_all.checkpoint",
    "radiation in leukaemia": "b_all.radiation",
    "chemotherapy in leukaemia": "b_all.chemotherapy",
    "allogeneic transplant in leukaemia": "b_all.allo_hct",
    "teclistamab": "myeloma.bispecific.bcma",
    "elranatamab": "myeloma.bispecific.bcma",
    "talquetamab": "myeloma.bispecific.gprc5d",
    "bispecifics": "myeloma.bispecific.gprc5d",
    "another BCMA CAR": "myeloma.car.bcma_other",
    "GPRC5D CAR": "myeloma.car.gprc5d",
    "belantamab": "myeloma.belantamab",
    "daratumumab": "myeloma.mab.cd38",
    "isatuximab": "myeloma.mab.cd38",
    "elotuzumab": "myeloma.mab.slamf7",
    "SLAMF7": "myeloma.mab.slamf7",
    "pomalidomide": "myeloma.imid",
    "bortezomib": "myeloma.proteasome_inhibitor",
    "carfilzomib": "myeloma.proteasome_inhibitor",
    "ixazomib": "myeloma.proteasome_inhibitor",
    "chemotherapy in myeloma": "myeloma.chemotherapy",
    "second autologous transplant": "myeloma.auto_hct",
    "allogeneic transplant in myeloma": "myeloma.allo_hct",
    "BCL2 inhibitor": "myeloma.targeted.bcl2",
    "selinexor": "myeloma.targeted.selinexor",
    "BRAF": "myeloma.targeted.braf",
    "radiation in myeloma": "myeloma.radiation",
    "PD-1 + IMiD": "myeloma.checkpoint_imid",
    "checkpoint inhibitor in myeloma": "myeloma.checkpoint",
    "teclistamab + daratumumab": "myeloma.bispecific.bcma_cd38",
    "anito-cel": None,
    "arlo-cel": None,
    "firi-cel": None,
    "disease-specific standard therapy": "solid.standard",
    "surgery": "solid.standard",
    "locoregional infusion": "solid.second_infusion",
    "different target in solid tumours": "solid.car.other",
    "dual target in solid tumours": "solid.car.dual",
    "checkpoint combination": "solid.checkpoint",
    "clinical trial": "any.clinical_trial",
}
STRATEGIES = {"dual-target CAR": "dual", "armored CAR": "armored", "CAR-NK": "nk", "allogeneic": "allogeneic"}
EMERGING = {
    f"{strategy} {disease}": f"{disease}.car.{kind}"
    for disease in ("lbcl", "b_all", "myeloma")
    for strategy, kind in STRATEGIES.items()
} | {"armored CAR in solid tumours": "solid.car.armored", "CAR-NK in solid tumours": "solid.car.nk"}
SUPPORT = {
    "palliative care": "any.palliative_care",
    "pain": "any.support.pain",
    "fatigue": "any.support.fatigue",
    "nausea": "any.support.nausea",
    "bone health": "any.support.bone_health",
    "infection prevention": "any.support.infection_prevention",
    "vaccines": "any.support.infection_prevention",
    "low immunoglobulin": "any.support.immunoglobulin",
    "cytopenia": "any.support.cytopenia",
    "stored stem cells as rescue": "any.support.cytopenia",
    "nutrition": "any.support.nutrition",
    "late effects": "any.support.late_effects",
    "T-cell malignancy": "any.support.late_effects",
    "practical": "any.support.practical",
    "grief": "any.support.grief",
    "hope": "any.support.grief",
    "support systems": "any.support.people",
    "caregiver": "any.support.people",
    "distress screening": "any.support.distress",
    "PHQ-9": "any.support.distress",
    "goals of care": "any.support.goals",
    "multidisciplinary team": "any.support.team",
    "patient-reported outcomes": "any.support.reported_outcomes",
    "tocilizumab": "any.support.toxicity_control",
    "steroids": "any.support.toxicity_control",
    "call list of red flags": None,
    "organisations and helplines": None,
}
NAMED = {**NEXT_STEPS, **EMERGING, **SUPPORT}


@pytest.mark.parametrize("name", NAMED)
def test_what_the_reference_names_is_an_option_or_left_out_with_a_reason(name):
    known = load_options()
    if NAMED[name] is None:
        assert len(known.excluded[name]) > 20
        return
    option = known.options[NAMED[name]]
    assert name in EMERGING or name in option.names


def test_every_packaged_option_is_walked_and_every_exclusion_has_a_reason():
    known = load_options()
    walked = {option for option in NAMED.values() if option}
    assert set(known.options) - walked == {"b_all.car.cd22", "b_all.second_infusion", "myeloma.second_infusion"}
    assert all(len(reason) > 20 for reason in known.excluded.values())


def test_every_row_of_the_reference_is_an_item_and_what_is_from_memory_is_assumed():
    evidence = load_options().evidence
    assert set(evidence) == {f"NE-{number:03}" for number in range(1, 60)} | CYTOKINE_RELEASE
    assert sorted(name for name, item in evidence.items() if item.is_recalled) == ["NE-056", "NE-057", "NE-058"]
    assert {item.how for item in evidence.values() if item.is_recalled} == {"assumed"}


def test_talquetamab_aims_at_gprc5d_and_teclistamab_and_elranatamab_at_bcma():
    options = load_options().options
    aims = {name: one.intervention.targets for one in options.values() for name in one.names}
    assert aims["talquetamab"] == ("GPRC5D",)
    assert aims["teclistamab"] == aims["elranatamab"] == ("BCMA",)
