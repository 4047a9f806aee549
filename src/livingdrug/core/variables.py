"""What a record may hold: variables with their units, words and ranges, and types of events."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from livingdrug.core.units import compute_conversion, compute_factor, parse_unit


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing that is measured.

    Parameters
    ----------
    name : str
    unit : str
        Canonical; empty where values are words.
    meaning : str
    lower, upper : float
        What no measurement goes beyond. Chosen generously by this project: a value outside stands in
        another unit than its row says.
    words : tuple of str
        Values of a variable that is not a number.
    molar_mass : float, optional [g/mol]
        Converts amounts of substance.
    has_detail : bool
        May name its antigen: ``antigen_density:BCMA``.
    """

    name: str
    unit: str
    meaning: str
    lower: float = 0.0
    upper: float = float("inf")
    words: tuple[str, ...] = ()
    molar_mass: float | None = None
    has_detail: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers, which need no unit: scores and counts."""
        return self.unit in {"score", "count"}


_SIGN = ("positive", "negative", "indeterminate")

VARIABLES: Mapping[str, Variable] = {
    v.name: v
    for v in (
        Variable("car_transgene", "copies/ug", "CAR transgene per genomic DNA, qPCR", upper=1e8),
        Variable("car_t_cells", "cells/uL", "CAR T cells in blood, flow cytometry", upper=1e6),
        Variable("b_cells", "cells/uL", "B cells in blood", upper=1e6),
        Variable("m_protein", "g/dL", "serum M-protein, electrophoresis", upper=20.0),
        Variable("urine_m_protein", "mg/24h", "urine M-protein", upper=1e5),
        Variable("flc_kappa", "mg/L", "serum free light chain kappa", upper=3e5),
        Variable("flc_lambda", "mg/L", "serum free light chain lambda", upper=3e5),
        Variable("serum_immunofixation", "", "serum immunofixation", words=_SIGN),
        Variable("urine_immunofixation", "", "urine immunofixation", words=_SIGN),
        Variable("immunoglobulin_g", "g/L", "immunoglobulin G", upper=200.0),
        Variable("immunoglobulin_a", "g/L", "immunoglobulin A", upper=200.0),
        Variable("immunoglobulin_m", "g/L", "immunoglobulin M", upper=200.0),
        Variable("marrow_plasma_cells", "%", "plasma cells in marrow", upper=100.0),
        Variable("marrow_clonal_plasma_cells", "", "clonal plasma cells in marrow", words=("present", "absent")),
        Variable("circulating_plasma_cells", "cells/uL", "plasma cells in blood", upper=1e6),
        Variable("marrow_blasts", "%", "blasts in marrow", upper=100.0),
        Variable("mrd", "1", "measurable residual disease, fraction of cells; sensitivity in lloq", upper=1.0),
        Variable("sbcma", "ng/mL", "soluble BCMA", upper=1e5),
        Variable("beta2_microglobulin", "mg/L", "beta-2 microglobulin", upper=300.0),
        Variable("tumour_spd", "mm2", "sum of products of diameters", upper=1e6),
        Variable("tumour_volume", "mL", "tumour volume", upper=1e5),
        Variable("metabolic_tumour_volume", "mL", "metabolic tumour volume, PET", upper=1e5),
        Variable("deauville", "score", "Deauville score", lower=1.0, upper=5.0),
        Variable("new_lesion", "", "new lesion", words=("yes", "no", "equivocal")),
        Variable("bone_lesion_progression", "", "new or progressive bone lesion", words=("yes", "no")),
        Variable("target_lesion_sum", "mm", "sum of diameters of target lesions", upper=1e4),
        Variable("plasmacytoma_spd", "mm2", "plasmacytoma, sum of products of diameters", upper=1e6),
        Variable("antigen_positive_fraction", "1", "tumour cells with the target antigen", upper=1.0, has_detail=True),
        Variable("antigen_density", "molecules/cell", "target antigen per tumour cell", upper=1e7, has_detail=True),
        Variable("pd1_tim3_fraction", "1", "CAR T cells with PD-1 and TIM-3", upper=1.0),
        Variable("il6", "pg/mL", "interleukin 6", upper=1e7),
        Variable("il10", "pg/mL", "interleukin 10", upper=1e7),
        Variable("interferon_gamma", "pg/mL", "interferon gamma", upper=1e7),
        Variable("crp", "mg/L", "C-reactive protein", upper=1500.0),
        Variable("ferritin", "ng/mL", "ferritin", upper=1e7),
        Variable("fibrinogen", "mg/dL", "fibrinogen", upper=3000.0),
        Variable("triglycerides", "mg/dL", "triglycerides", upper=2e4, molar_mass=885.7),
        Variable("ldh", "U/L", "lactate dehydrogenase", upper=1e5),
        Variable("temperature", "Cel", "body temperature", lower=20.0, upper=46.0),
        Variable("systolic_bp", "mmHg", "systolic blood pressure", upper=400.0),
        Variable("spo2", "%", "oxygen saturation", upper=100.0),
        Variable("vasopressors", "count", "vasopressors in use", upper=10.0),
        Variable(
            "oxygen", "", "oxygen given", words=("none", "low_flow", "high_flow", "positive_pressure", "ventilation")
        ),
        Variable("ice_score", "score", "immune effector cell encephalopathy score", upper=10.0),
        Variable("haemoglobin", "g/dL", "haemoglobin", lower=2.0, upper=30.0),
        Variable("calcium", "mg/dL", "calcium", lower=3.0, upper=30.0, molar_mass=40.08),
        Variable("albumin", "g/dL", "albumin", lower=0.3, upper=10.0),
        Variable("creatinine", "mg/dL", "creatinine", upper=40.0, molar_mass=113.122),
        Variable("platelets", "10*9/L", "platelets", upper=1e4),
        Variable("neutrophils", "10*9/L", "neutrophils", upper=500.0),
        Variable("lymphocytes", "10*9/L", "lymphocytes", upper=2000.0),
        Variable("host_t_cells", "cells/uL", "T cells without the CAR", upper=1e6),
        Variable("ecog", "score", "ECOG performance status", upper=5.0),
        Variable("pain_nrs", "score", "pain, numeric rating", upper=10.0),
    )
}
OTHER = "x_"
"""A variable whose name begins so is kept as it is and used for nothing."""

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
EVENT_UNITS: Mapping[str, str] = {"car_t": "cells", "second_infusion": "cells", "corticosteroid": "mg"}
"""Canonical units of amounts that the model uses."""
CENSORING = ("none", "left", "right", "interval")


@lru_cache(maxsize=4096)
def compute_variable_conversion(variable: str, unit: str) -> tuple[float, float] | None:
    """Return factor and offset to a variable's canonical unit; None where the unit does not fit.

    Counts may leave out the word ``cells``, copies the word ``DNA``; calcium, creatinine and triglycerides
    may be amounts of substance; LDH may be in international units; a temperature may be in Fahrenheit.

    Examples
    --------
    >>> compute_variable_conversion("platelets", "10*3/uL"), compute_variable_conversion("flc_kappa", "mg/dL")
    ((1.0, 0.0), (10.0, 0.0))
    >>> round(compute_variable_conversion("creatinine", "umol/L")[0] * 88.4, 3)
    1.0
    >>> compute_variable_conversion("crp", "ng") is None
    True
    """
    known = VARIABLES[variable]
    if not unit:
        return (1.0, 0.0) if known.is_whole else None
    plain = re.sub(r"(?<=g)\s*g?DNA$", "", unit) if known.unit == "copies/ug" else unit
    plain = plain.replace("IU", "U") if known.unit == "U/L" else plain
    is_count = parse_unit(plain) is not None and ("cells" in known.unit or known.unit.startswith("10*"))
    for spelling in (plain, f"({plain})*cells", f"({plain})/cells") if is_count else (plain,):
        conversion = compute_conversion(spelling, known.unit)
        if conversion is not None:
            return conversion
    if known.molar_mass is not None:
        moles, grams = compute_factor(plain, "mol/L"), compute_factor("g/L", known.unit)
        return None if moles is None or grams is None else (moles * known.molar_mass * grams, 0.0)
    return None
