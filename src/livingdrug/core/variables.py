"""What a record may hold: variables with their units, words and ranges, and types of events."""

import re
from collections.abc import Mapping
from functools import lru_cache

from livingdrug.core.bedside_variables import BEDSIDE
from livingdrug.core.disease_variables import DISEASE
from livingdrug.core.imaging_variables import IMAGING
from livingdrug.core.laboratory_variables import LABORATORY
from livingdrug.core.units import compute_conversion, compute_factor, parse_unit
from livingdrug.core.variable import Variable

VARIABLES: Mapping[str, Variable] = {v.name: v for v in (*DISEASE, *LABORATORY, *IMAGING, *BEDSIDE)}
OTHER = "x_"
"""A variable whose name begins so is kept as it is and used for nothing."""

EVENT_TYPES: Mapping[str, str] = {
    "leukapheresis": "cells collected for the product",
    "enrolment": "enrolment in the study",
    "prior_therapy": "treatment before leukapheresis",
    "bridging": "treatment between leukapheresis and lymphodepletion",
    "lymphodepletion": "chemotherapy that makes room for the product",
    "car_t": "infusion of the product; the first one is day 0",
    "second_infusion": "a further infusion of the same product",
    "other_car_t": "infusion of a CAR T-cell product against another antigen",
    "tocilizumab": "interleukin-6 receptor blockade",
    "corticosteroid": "dexamethasone or another steroid",
    "anakinra": "interleukin-1 receptor blockade",
    "g_csf": "granulocyte colony-stimulating factor",
    "antipyretic": "paracetamol or another drug against fever",
    "kinase_inhibitor": "BTK or PI3K inhibitor, which drives lymphocytes into the blood",
    "checkpoint_inhibitor": "PD-1 or PD-L1 antibody",
    "therapeutic_antibody": "an antibody that immunofixation may show",
    "transplant": "stem cell transplant",
    "radiation": "radiotherapy",
    "next_therapy": "first new treatment of the cancer after the product",
    "relapse": "relapse as the treating team recorded it",
    "progression": "progression as the treating team recorded it",
    "adverse_event": "adverse event; its grade is the amount, its name and scale stand in the note",
    "death": "death; the note says of what",
    "last_contact": "last day on which the patient was known to be alive",
}
AFTER_INFUSION = ("second_infusion", "other_car_t", "next_therapy", "relapse", "progression", "death", "last_contact")
_INFUSIONS = ("car_t", "second_infusion", "other_car_t")
EVENT_UNITS: Mapping[str, str] = {**dict.fromkeys(_INFUSIONS, "cells"), "corticosteroid": "mg"}
"""Canonical units of amounts that the model uses."""
CENSORING = ("none", "left", "right", "interval")


@lru_cache(maxsize=4096)
def compute_variable_conversion(variable: str, unit: str) -> tuple[float, float] | None:
    """Return factor and offset to a variable's canonical unit; None where the unit does not fit.

    Counts may leave out the word ``cells``, copies the word ``DNA``; calcium, creatinine and triglycerides
    may be amounts of substance, ions equivalents; LDH may be in international units; a temperature may be in
    Fahrenheit.

    Examples
    --------
    >>> compute_variable_conversion("platelets", "10*3/uL"), compute_variable_conversion("flc_kappa", "mg/dL")
    ((1.0, 0.0), (10.0, 0.0))
    >>> round(compute_variable_conversion("creatinine", "umol/L")[0] * 88.4, 3)
    1.0
    >>> compute_variable_conversion("potassium", "mEq/L"), compute_variable_conversion("calcium", "mEq/L")
    ((1.0, 0.0), (2.004, 0.0))
    >>> compute_variable_conversion("crp", "ng") is None
    True
    """
    known = VARIABLES[variable]
    if not unit:
        return (1.0, 0.0) if known.is_whole else None
    plain = re.sub(r"(?<=g)\s*g?DNA$", "", unit) if known.unit == "copies/ug" else unit
    plain = plain.replace("IU", "U") if known.unit == "U/L" else plain
    plain = f"1{plain}" if plain.startswith("/") else plain
    if known.charge and plain.lower() == "meq/l":
        whole = compute_variable_conversion(variable, "mmol/L")
        return None if whole is None else (whole[0] / known.charge, 0.0)
    is_count = parse_unit(plain) is not None and ("cells" in known.unit or known.unit.startswith("10*"))
    for spelling in (plain, f"({plain})*cells", f"({plain})/cells") if is_count else (plain,):
        conversion = compute_conversion(spelling, known.unit)
        if conversion is not None:
            return conversion
    if known.molar_mass is not None:
        moles, grams = compute_factor(plain, "mol/L"), compute_factor("g/L", known.unit)
        return None if moles is None or grams is None else (moles * known.molar_mass * grams, 0.0)
    return None
