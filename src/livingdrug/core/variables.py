"""What a record may hold: variables with their units, words and ranges, and types of events."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from livingdrug.core.units import compute_factor


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing that is measured.

    ``unit`` is canonical; ``words`` are the values of a variable that is not a number; values lie
    between ``lower`` and ``upper``; ``molar_mass`` [g/mol] converts amounts of substance.
    """

    name: str
    unit: str
    meaning: str
    lower: float = 0.0
    upper: float = float("inf")
    words: tuple[str, ...] = ()
    molar_mass: float | None = None


_SIGN = ("positive", "negative", "indeterminate")

VARIABLES: Mapping[str, Variable] = {
    v.name: v
    for v in (
        Variable("car_transgene", "copies/ug", "CAR transgene per genomic DNA, qPCR"),
        Variable("car_t_cells", "cells/uL", "CAR T cells in blood, flow cytometry"),
        Variable("b_cells", "cells/uL", "B cells in blood"),
        Variable("m_protein", "g/dL", "serum M-protein, electrophoresis"),
        Variable("urine_m_protein", "mg/24h", "urine M-protein"),
        Variable("flc_kappa", "mg/L", "serum free light chain kappa"),
        Variable("flc_lambda", "mg/L", "serum free light chain lambda"),
        Variable("serum_immunofixation", "", "serum immunofixation", words=_SIGN),
        Variable("urine_immunofixation", "", "urine immunofixation", words=_SIGN),
        Variable("immunoglobulin_g", "g/L", "immunoglobulin G"),
        Variable("immunoglobulin_a", "g/L", "immunoglobulin A"),
        Variable("immunoglobulin_m", "g/L", "immunoglobulin M"),
        Variable("marrow_plasma_cells", "%", "plasma cells in marrow", upper=100.0),
        Variable("marrow_clonal_plasma_cells", "", "clonal plasma cells in marrow", words=("present", "absent")),
        Variable("circulating_plasma_cells", "cells/uL", "plasma cells in blood"),
        Variable("marrow_blasts", "%", "blasts in marrow", upper=100.0),
        Variable("mrd", "1", "measurable residual disease, fraction of cells; sensitivity in lloq", upper=1.0),
        Variable("sbcma", "ng/mL", "soluble BCMA"),
        Variable("tumour_spd", "mm2", "sum of products of diameters"),
        Variable("tumour_volume", "mL", "tumour volume"),
        Variable("metabolic_tumour_volume", "mL", "metabolic tumour volume, PET"),
        Variable("deauville", "1", "Deauville score", lower=1.0, upper=5.0),
        Variable("new_lesion", "", "new lesion", words=("yes", "no", "equivocal")),
        Variable("bone_lesion_progression", "", "new or progressive bone lesion", words=("yes", "no")),
        Variable("target_lesion_sum", "mm", "sum of diameters of target lesions"),
        Variable("plasmacytoma_spd", "mm2", "plasmacytoma, sum of products of diameters"),
        Variable("antigen_positive_fraction", "1", "tumour cells with the target antigen", upper=1.0),
        Variable("antigen_density", "molecules/cell", "target antigen per tumour cell"),
        Variable("pd1_tim3_fraction", "1", "CAR T cells with PD-1 and TIM-3", upper=1.0),
        Variable("il6", "pg/mL", "interleukin 6"),
        Variable("il10", "pg/mL", "interleukin 10"),
        Variable("interferon_gamma", "pg/mL", "interferon gamma"),
        Variable("crp", "mg/L", "C-reactive protein"),
        Variable("ferritin", "ng/mL", "ferritin"),
        Variable("ldh", "U/L", "lactate dehydrogenase"),
        Variable("temperature", "Cel", "body temperature", lower=20.0, upper=46.0),
        Variable("systolic_bp", "mmHg", "systolic blood pressure"),
        Variable("spo2", "%", "oxygen saturation", upper=100.0),
        Variable("vasopressors", "count", "vasopressors in use"),
        Variable(
            "oxygen", "", "oxygen given", words=("none", "low_flow", "high_flow", "positive_pressure", "ventilation")
        ),
        Variable("ice_score", "score", "immune effector cell encephalopathy score", upper=10.0),
        Variable("haemoglobin", "g/dL", "haemoglobin"),
        Variable("calcium", "mg/dL", "calcium", molar_mass=40.08),
        Variable("albumin", "g/dL", "albumin"),
        Variable("creatinine", "mg/dL", "creatinine", molar_mass=113.122),
        Variable("platelets", "10*9/L", "platelets"),
        Variable("neutrophils", "10*9/L", "neutrophils"),
        Variable("lymphocytes", "10*9/L", "lymphocytes"),
        Variable("host_t_cells", "cells/uL", "T cells without the CAR"),
        Variable("ecog", "score", "ECOG performance status", upper=5.0),
        Variable("pain_nrs", "score", "pain, numeric rating", upper=10.0),
    )
}

EVENT_TYPES: Mapping[str, str] = {
    "leukapheresis": "cells collected for the product",
    "prior_therapy": "treatment before leukapheresis",
    "bridging": "treatment between leukapheresis and lymphodepletion",
    "lymphodepletion": "chemotherapy that makes room for the product",
    "car_t": "infusion of the product; the first one is day 0",
    "second_infusion": "a further infusion of the same product",
    "tocilizumab": "interleukin-6 receptor blockade",
    "corticosteroid": "dexamethasone or another steroid",
    "anakinra": "interleukin-1 receptor blockade",
    "checkpoint_inhibitor": "PD-1 or PD-L1 antibody",
    "therapeutic_antibody": "an antibody that immunofixation may show",
    "transplant": "stem cell transplant",
    "radiation": "radiotherapy",
    "next_therapy": "first new treatment of the cancer after the product",
    "relapse": "relapse as the treating team recorded it",
    "death": "death; the note says of what",
    "last_contact": "last day on which the patient was known to be alive",
}
AFTER_INFUSION = ("second_infusion", "next_therapy", "relapse", "death", "last_contact")
IN_CELLS = ("car_t", "second_infusion")
CENSORING = ("none", "left", "right", "interval")


@cache
def compute_conversion(variable: str, unit: str) -> tuple[float, float] | None:
    """Return factor and offset to a variable's canonical unit; None where the unit does not fit.

    Counts may leave out the word ``cells``; calcium and creatinine may be amounts of substance;
    a temperature may be in Fahrenheit.

    Examples
    --------
    >>> compute_conversion("platelets", "10*3/uL"), compute_conversion("flc_kappa", "mg/dL")
    ((1.0, 0.0), (10.0, 0.0))
    >>> round(compute_conversion("creatinine", "umol/L")[0] * 88.4, 3), compute_conversion("crp", "ng")
    (1.0, None)
    """
    known = VARIABLES[variable]
    if known.unit == "Cel" and unit in {"[degF]", "degF"}:
        return 5.0 / 9.0, -160.0 / 9.0
    for spelling in (unit, f"({unit})*cells", f"({unit})/cells"):
        is_count = "cells" in known.unit or known.unit.startswith("10*")
        factor = compute_factor(spelling, known.unit) if spelling == unit or is_count else None
        if factor is not None:
            return factor, 0.0
    if known.molar_mass is not None:
        moles = compute_factor(unit, "mol/L")
        grams = compute_factor("g/L", known.unit)
        if moles is not None and grams is not None:
            return moles * known.molar_mass * grams, 0.0
    return None
